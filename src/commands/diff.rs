//! `anp diff`: what an import would change, or what a run changed.

use crate::cli::{Common, Diff as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::diff::Scope;
use crate::publish::diff::of_import::import_would_change;
use crate::publish::diff::of_run::run_changed;
use crate::report::diff::{DiffDetail, DiffReport};
use crate::report::{Output, Progress, Stderr};
use crate::settings::Needs;
use crate::signals::watch;

/// So many articles are shown.
const SHOWN: u64 = 20;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let needs = match arguments.run {
        Some(_) => Needs::StateFolder,
        None => Needs::Store,
    };
    let settings = super::inputs::settings_needing(needs, common, arguments.settings())?;
    let scope = Scope {
        routes: arguments.routes.clone(),
        limit: (!arguments.all).then_some(SHOWN),
        prunes: arguments.prune,
    };
    let mut progress = Stderr(Progress::new(common.quiet));
    let sides = match arguments.run {
        Some(_) => ["before the run", "after it"],
        None => ["stored", "import"],
    };
    let detail = DiffDetail {
        is_stat: arguments.stat,
        names_archive: arguments.stat || arguments.all,
    };
    let mut report = DiffReport::new(Output::stdout(common.format), detail, sides);
    let interrupted = watch()?;
    let (run, totals) = match &arguments.run {
        Some(run) => {
            let runs = (run.as_str(), arguments.against.as_deref());
            let sink = &mut report;
            let found = run_changed(&settings, runs, &scope, &interrupted, &mut progress, sink);
            found.map(|(run, totals)| (Some(run), totals))?
        }
        None => {
            let sink = &mut report;
            let found = import_would_change(&settings, &scope, &interrupted, &mut progress, sink);
            (None, found?)
        }
    };
    report.summary(&totals, run.as_deref());
    let differs = arguments.exit_code && totals.changed + totals.archive > 0;
    Ok(if differs { Exit::Differs } else { Exit::Done })
}
