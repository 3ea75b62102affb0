//! `anp verify`.

use serde_json::json;

use super::inputs::report_of_run;
use crate::cli::{Common, Verify};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::verify::verify;
use crate::settings::Needs;
use crate::signals::watch;
use crate::words::counted;

pub(super) fn run(common: &Common, arguments: &Verify) -> Result<Exit, Failure> {
    let settings = super::inputs::settings_needing(Needs::StateFolder, common, Vec::new())?;
    let mut report = report_of_run(common, &settings);
    let (run, tally) = verify(&settings, &arguments.run, &watch()?, &mut report)?;
    let output = &mut report.output;
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
