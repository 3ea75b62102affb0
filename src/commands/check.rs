//! `anp check`: the survey alone.

use serde_json::json;

use crate::cli::{Check, Common};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::check::{check, refuse};
use crate::report::findings::Prose;
use crate::report::{Output, Progress, Stderr, findings};
use crate::signals::watch;
use crate::words::counted;

pub(super) fn run(common: &Common, arguments: &Check) -> Result<Exit, Failure> {
    let settings = super::inputs::settings_alone(common, arguments.content.settings())?;
    let mut report = Stderr(Progress::new(common.quiet));
    let survey = check(&settings, &watch()?, &mut report)?;
    let mut output = Output::stdout(common.format, false);
    findings::report(&survey, &mut output, Prose::Stdout);
    output.text(format!(
        "{}: {} valid, {} invalid, {} left out, {} skipped",
        counted(survey.sources, "article"),
        survey.entries.len(),
        survey.invalid + survey.unreadable,
        counted(survey.drafts, "draft"),
        survey.skipped - survey.unreadable,
    ));
    output.json(&json!({
        "type": "summary", "command": "check", "articles": survey.sources,
        "valid": survey.entries.len(), "invalid": survey.invalid + survey.unreadable,
        "drafts": survey.drafts, "skipped": survey.skipped - survey.unreadable,
    }));
    output.flush();
    refuse(&settings, &survey)?;
    if survey.invalid + survey.unreadable > 0 {
        return Ok(Exit::Partial);
    }
    Ok(Exit::Done)
}
