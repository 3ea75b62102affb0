//! `anp check`: the survey alone.

use serde_json::json;

use crate::cli::{Check, Common};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::check::{check, refuse};
use crate::report::findings::Prose;
use crate::report::held::Besides;
use crate::report::{Output, Progress, Stderr, findings, held};
use crate::signals::watch;
use crate::words::counted;

pub(super) fn run(common: &Common, arguments: &Check) -> Result<Exit, Failure> {
    let settings = super::inputs::settings_alone(common, arguments.content.settings())?;
    let mut report = Stderr(Progress::new(common.quiet));
    let survey = check(&settings, &watch()?, &mut report)?;
    let mut output = Output::stdout(common.format, false);
    findings::report(&survey, &mut output, Prose::Stdout);
    held::report(&survey.held_back, &mut output);
    let held = survey.held_back.counts;
    let noindex = match survey.noindex {
        0 => String::new(),
        some => format!(" ({some} noindex)"),
    };
    let changed = match survey.changed {
        0 => String::new(),
        some => format!(", {some} changed during the run"),
    };
    output.text(format!(
        "{}: {} valid{noindex}, {} invalid, {held} left out, {} skipped{changed}",
        counted(survey.sources, "article"),
        survey.entries.len(),
        survey.invalid + survey.unreadable,
        survey.skipped - survey.unreadable,
    ));
    let mut summary = json!({
        "type": "summary", "command": "check", "articles": survey.sources,
        "valid": survey.entries.len(), "invalid": survey.invalid + survey.unreadable,
        "drafts": held.drafts, "skipped": survey.skipped - survey.unreadable,
    });
    Besides::of(&survey).complete(&mut summary);
    output.json(&summary);
    output.flush();
    refuse(&settings, &survey)?;
    if survey.invalid + survey.unreadable + survey.changed > 0 {
        return Ok(Exit::Partial);
    }
    Ok(Exit::Done)
}
