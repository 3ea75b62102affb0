//! `anp rehearse`.

use crate::cli::{Common, Rehearse};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::rehearse::rehearse;
use crate::report::{Output, Progress, RehearsalSteps, RunReport};
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Rehearse) -> Result<Exit, Failure> {
    let settings = super::inputs::settings(common, arguments.settings())?;
    let mut steps = RehearsalSteps {
        output: Output::stdout(common.format),
    };
    // Its warnings are shown; its results are the steps.
    let bars = Progress::new(common.quiet);
    let mut report = RunReport::new(Output::silent(), &settings.prefix, bars);
    let sample = arguments.sample.map(|count| count as usize);
    rehearse(&settings, sample, &watch()?, &mut steps, &mut report)
}
