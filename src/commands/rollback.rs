//! `anp rollback`.

use super::inputs::report_of_run;
use crate::cli::{Common, Rollback as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::rollback::{Rollback, rollback};
use crate::report::metrics_file;
use crate::settings::Needs;
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings =
        super::inputs::settings_needing(Needs::StateFolder, common, arguments.settings())?;
    let mut report = report_of_run(common, &settings);
    report.show_all_keys(arguments.keys);
    let options = Rollback {
        run: arguments.run.clone(),
        skip_damaged: arguments.skip_damaged,
        dry_run: arguments.dry_run,
        named_prefix: common.prefix.clone(),
    };
    let ended = watch()
        .and_then(|interrupted| rollback(&settings, &options, &interrupted, &mut report))
        .map(|outcome| outcome.exit);
    if !arguments.dry_run {
        metrics_file::record(&settings, "rollback", &report, &ended);
    }
    report.explain(ended)
}
