//! `anp pause` and `anp resume`: the switch of a store.

use serde_json::{Value, json};

use crate::cli::{Common, Pause as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::gates::memory::Room;
use crate::publish::run::command_line::resume_line;
use crate::publish::run::connection::Connected;
use crate::publish::run::process::host;
use crate::publish::run::switch::{Pause, Paused, Resumed, Switch};
use crate::publish::run_report::watch;
use crate::report::{Output, log};
use crate::settings::Settings;
use crate::store::StoreError;

pub(super) fn pause(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = super::settings(common, arguments.settings())?;
    let (mut store, switch) = open(&settings)?;
    let session = &mut store.session;
    let pause = Pause {
        reason: arguments.reason.clone(),
        by: settings.owner.clone().unwrap_or_else(user),
        host: host(),
        at: session.now_ms().map_err(before)?,
    };
    let rooms = Room::ask(session, settings.address.db).map_err(before)?;
    if rooms.iter().any(|room| room.policy.starts_with("allkeys")) {
        log::warning(
            "this server evicts any key when it is full, the switch too: ANP_PAUSED, or 'paused' \
             in anp.yaml, holds whatever happens there",
        );
    }
    let earlier = switch.pause(session, &pause).map_err(perhaps)?;
    let mut output = Output::stdout(common.format, false);
    let place = format!("{}, prefix {}", settings.address, settings.prefix);
    match &earlier {
        Some(earlier) => output.text(format!("already {earlier}; {place} stays switched off")),
        None => output.text(format!(
            "switched off: {place}; running imports end within a batch, new ones are refused"
        )),
    }
    let resume = resume_line(&settings, &switch);
    output.text(format!("to switch it on again:\n  {resume}"));
    output.json(&json!({
        "type": "switch", "paused": true, "changed": earlier.is_none(),
        "pause": earlier.as_ref().map_or(json!(pause), shown), "resume": resume,
    }));
    Ok(Exit::Done)
}

pub(super) fn resume(common: &Common) -> Result<Exit, Failure> {
    let settings = super::settings(common, Vec::new())?;
    let (mut store, switch) = open(&settings)?;
    let resumed = switch.resume(&mut store.session).map_err(perhaps)?;
    let mut output = Output::stdout(common.format, false);
    let place = format!("{}, prefix {}", settings.address, settings.prefix);
    let changed = !matches!(resumed, Resumed::WasOn);
    let was = match &resumed {
        Resumed::Done(was) => was.as_ref(),
        Resumed::WasOn => None,
    };
    output.text(match was {
        Some(was) => format!("switched on: {place}; it was {was}"),
        None if changed => format!("switched on: {place}"),
        None => format!("{place} was not switched off"),
    });
    if let Some(reason) = &settings.paused {
        log::warning(format!(
            "imports with these settings are still refused: ANP_PAUSED or 'paused' in anp.yaml is \
             set: {reason}"
        ));
    }
    output.json(&json!({
        "type": "switch", "paused": false, "changed": changed, "pause": was.map(shown),
    }));
    Ok(Exit::Done)
}

fn open(settings: &Settings) -> Result<(Connected, Switch), Failure> {
    let interrupted = watch()?;
    let store = Connected::open(&settings.address, settings, &interrupted)?;
    let switch = Switch::of(&settings.prefix);
    Ok((store, switch))
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn before(error: StoreError) -> Failure {
    Failure::before_writing(&error)
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn perhaps(error: StoreError) -> Failure {
    Failure::perhaps_done(&error)
}

fn shown(paused: &Paused) -> Value {
    match paused {
        Paused::By(pause) => json!(pause),
        Paused::Foreign => Value::Null,
    }
}

/// Who runs this, as the environment says.
fn user() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
