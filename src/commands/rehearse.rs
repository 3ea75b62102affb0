//! `anp rehearse`.

use super::inputs::check_line;
use super::run_page;
use crate::cli::{Common, Rehearse};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::rehearse::rehearse;
use crate::publish::report::Both;
use crate::report::{Output, Progress, RehearsalSteps, RunPage, RunReport};
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Rehearse) -> Result<Exit, Failure> {
    let settings = super::inputs::settings(common, arguments.settings())?;
    let path = arguments.page.report.as_deref();
    let mut page = run_page::begin(path, ("rehearse", false), &settings)?;
    let mut steps = RehearsalSteps {
        output: Output::stdout(common.format),
        phases: page.as_ref().map(RunPage::phases),
    };
    // Its warnings are shown; its results are the steps.
    let bars = Progress::new(common.quiet);
    let mut report = RunReport::new(Output::silent(), &settings.prefix, bars);
    report.check = check_line(common, arguments.content.content.as_deref());
    let sample = arguments.sample.map(|count| count as usize);
    let interrupted = watch()?;
    let Some(page) = &mut page else {
        return rehearse(&settings, sample, &interrupted, &mut steps, &mut report);
    };
    let mut both = Both(&mut report, page);
    let ended = rehearse(&settings, sample, &interrupted, &mut steps, &mut both);
    run_page::write(page, &ended);
    ended
}
