//! `anp import`: survey → plan → gate → apply → report.

use super::articles::Articles;
use super::job::Job;
use super::metrics;
use super::outcome::Outcome;
use super::survey::{readable, renderer};
use crate::cli::{Common, Import};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Output;
use crate::settings::Settings;

pub(super) fn run(common: &Common, arguments: &Import) -> Result<Exit, Failure> {
    let settings = super::settings(common, arguments.settings())?;
    let output = Output::stdout(common.format, true);
    let mut outcome = Outcome::new(output, &settings.prefix);
    let ended = import(&settings, common, arguments, &mut outcome);
    if !arguments.dry_run {
        metrics::record(&settings, "import", &outcome, &ended);
    }
    ended
}

fn import(
    settings: &Settings,
    common: &Common,
    arguments: &Import,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    let renderer = renderer(settings)?;
    readable(&settings.content)?;
    let job = Job {
        content: Some(settings.content_shown()),
        ..Job::new("import", settings, outcome.started, common.quiet)?
    };
    let articles = Articles {
        prune: arguments.prune,
        force: arguments.force,
        ..Articles::of(&job, &renderer)
    };
    job.run(&articles, arguments.dry_run, outcome)
}
