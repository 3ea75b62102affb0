//! `anp runs`: what ran, when, by whom, with what result, and how to undo it.

use super::inputs::report_of_run;
use crate::cli::{Common, Runs as Arguments, RunsCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::history::listing::RunFilter;
use crate::publish::{Notify, notify};
use crate::report::{Output, one_run, runs};
use crate::settings::Needs;
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = super::inputs::settings_needing(Needs::StateFolder, common, Vec::new())?;
    let mut output = Output::stdout(common.format);
    match &arguments.command {
        Some(RunsCommand::Show(show)) => {
            one_run::show(&settings, &show.run, show.keys, &mut output)
        }
        Some(RunsCommand::Notify(arguments)) => {
            let mut report = report_of_run(common, &settings, None);
            report.show_all_keys(arguments.keys);
            let options = Notify {
                run: arguments.run.clone(),
                again: arguments.again,
                dry_run: arguments.dry_run,
            };
            notify(&settings, &options, &watch()?, &mut report)
        }
        None => {
            let listed = &arguments.listed;
            let filter = RunFilter {
                failed: listed.failed,
                since_ms: listed.since,
            };
            runs::list(&settings, filter, listed.all, &mut output)
        }
    }
}
