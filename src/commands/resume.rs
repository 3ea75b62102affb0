//! `anp resume`: switches publishing on again.

use serde_json::json;

use crate::cli::Common;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::run::connection::Connected;
use crate::publish::run::switch::{Paused, ResumeOutcome, Switch};
use crate::report::{Output, log};
use crate::signals::watch;

pub(super) fn run(common: &Common) -> Result<Exit, Failure> {
    let settings = super::inputs::settings(common, Vec::new())?;
    let mut store = Connected::open(&settings.address, &settings, &watch()?)?;
    let switch = Switch::of(&settings.prefix);
    let resumed = switch
        .resume(&mut store.session)
        .map_err(|error| Failure::perhaps_done(&error))?;
    let mut output = Output::stdout(common.format);
    let place = format!("{}, prefix {}", settings.address, settings.prefix);
    let changed = !matches!(resumed, ResumeOutcome::WasOn);
    let was = match &resumed {
        ResumeOutcome::Done(was) => was.as_ref(),
        ResumeOutcome::WasOn => None,
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
        "type": "switch", "paused": false, "changed": changed, "pause": was.map(Paused::json),
    }));
    Ok(Exit::Done)
}
