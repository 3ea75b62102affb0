//! `anp pause`: switches publishing off.

use serde_json::json;

use crate::cli::{Common, Pause as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::gates::memory::Room;
use crate::publish::run::command_line::resume_line;
use crate::publish::run::connection::Connected;
use crate::publish::run::process::{host, user};
use crate::publish::run::switch::{Pause, Paused, Switch};
use crate::report::{Output, log};
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = super::inputs::settings(common, arguments.settings())?;
    let mut store = Connected::open(&settings.address, &settings, &watch()?)?;
    let switch = Switch::of(&settings.prefix);
    let session = &mut store.session;
    let pause = Pause {
        reason: arguments.reason.clone(),
        by: settings.owner.clone().unwrap_or_else(user),
        host: host(),
        at: session
            .now_ms()
            .map_err(|error| Failure::before_writing(&error))?,
    };
    let rooms =
        Room::ask(session, settings.address.db).map_err(|error| Failure::before_writing(&error))?;
    if rooms.iter().any(|room| room.policy.starts_with("allkeys")) {
        log::warning(
            "this server evicts any key when it is full, the switch too: ANP_PAUSED, or 'paused' \
             in anp.yaml, holds whatever happens there",
        );
    }
    let earlier = switch
        .pause(session, &pause)
        .map_err(|error| Failure::perhaps_done(&error))?;
    let mut output = Output::stdout(common.format);
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
        "pause": earlier.as_ref().map_or(json!(pause), Paused::json), "resume": resume,
    }));
    Ok(Exit::Done)
}
