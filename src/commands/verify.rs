//! `anp verify`.

use serde_json::json;

use super::inputs::report_of_run;
use crate::cli::{Common, Verify};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::verify::{Tally, verify};
use crate::settings::Needs;
use crate::signals::watch;
use crate::words::counted;

pub(super) fn run(common: &Common, arguments: &Verify) -> Result<Exit, Failure> {
    let settings = super::inputs::settings_needing(Needs::StateFolder, common, Vec::new())?;
    let mut report = report_of_run(common, &settings, None);
    let (run, tally) = verify(&settings, &arguments.run, &watch()?, &mut report)?;
    let output = &mut report.output;
    output.text(format!("run {run}: {}", verdict(&tally)));
    output.json(&json!({
        "type": "summary", "command": "verify", "run": run, "same": tally.same,
        "refreshed": tally.refreshed, "expired": tally.expired, "expiry": tally.expiry,
        "different": tally.different,
    }));
    Ok(if tally.unexplained() == 0 {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// What came of the comparison, on one line.
fn verdict(tally: &Tally) -> String {
    let same = format!("{} as it wrote them", counted(tally.same, "key"));
    let refreshed = (tally.refreshed > 0).then(|| {
        let refreshed = tally.refreshed;
        format!("{refreshed} with an expiry that a later run refreshed")
    });
    let expired = format!("{} expired since", tally.expired);
    let expiry = (tally.expiry > 0).then(|| format!("{} with another expiry alone", tally.expiry));
    let different = format!("{} different", tally.different);
    let parts = [
        Some(same),
        refreshed,
        Some(expired),
        expiry,
        Some(different),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
