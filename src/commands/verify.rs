//! `anp verify`: the store against what a run wrote.

use serde_json::json;

use crate::cli::{Common, Verify};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::history::intents::void;
use crate::publish::history::open_manifest;
use crate::publish::run::connection::Connected;
use crate::publish::run_report::watch;
use crate::publish::verify::compare;
use crate::report::Output;
use crate::settings::Needs;
use crate::words::counted;

pub(super) fn run(common: &Common, arguments: &Verify) -> Result<Exit, Failure> {
    let settings = super::settings_needing(Needs::StateFolder, common, Vec::new())?;
    let interrupted = watch()?;
    let manifest = open_manifest::open(&settings, &arguments.run)?;
    let address = open_manifest::address(&settings, &manifest)?;
    let void = void(&manifest, &interrupted)?;
    let mut store = Connected::open(&address, &settings, &interrupted)?;
    store.is_that_of(manifest.header())?;
    let mut output = Output::stdout(common.format, false);
    let slack_ms = address.expiry_slack_ms();
    let session = &mut store.session;
    let tally = compare(&manifest, &void, session, slack_ms, &mut output)?;
    let run = &manifest.header().run;
    output.text(format!(
        "run {run}: {} as it wrote them, {} expired since, {} different",
        counted(tally.same, "key"),
        tally.expired,
        tally.different
    ));
    output.json(&json!({
        "type": "summary", "command": "verify", "run": run, "same": tally.same,
        "expired": tally.expired, "different": tally.different,
    }));
    Ok(if tally.different == 0 {
        Exit::Done
    } else {
        Exit::Partial
    })
}
