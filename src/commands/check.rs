//! `anp check`: the survey alone.

use serde_json::json;

use crate::cli::{Check, Common};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::gates::invalid::refuse;
use crate::publish::report_findings::{Prose, report};
use crate::publish::run_report::watch;
use crate::publish::survey::content::{Caching, Corpus, Purpose, Wanted, renderer, survey};
use crate::report::{Output, Progress};
use crate::words::counted;

pub(super) fn run(common: &Common, arguments: &Check) -> Result<Exit, Failure> {
    let settings = super::settings_alone(common, arguments.content.settings())?;
    let renderer = renderer(&settings)?;
    let interrupted = watch()?;
    let purpose = Purpose {
        store: None,
        spool_in: None,
        interrupted: &interrupted,
        time_limit: None,
        wanted: Wanted::all(),
        run: "check",
        started_at: 0,
        // It renders every article, and so reads every file.
        cache: Caching::Off,
    };
    let corpus = Corpus::find(&settings, &purpose.wanted, purpose.interrupted, None)?;
    let progress = Progress::new(common.quiet);
    let (survey, _) = survey(&settings, &renderer, purpose, &corpus, progress)?;
    let mut output = Output::stdout(common.format, false);
    report(&survey, &mut output, Prose::Stdout);
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
