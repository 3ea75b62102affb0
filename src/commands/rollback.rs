//! `anp rollback`.

use super::reported::Reported;
use crate::cli::{Common, Rollback as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::rollback::{Rollback, rollback};
use crate::settings::Needs;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings =
        super::inputs::settings_needing(Needs::StateFolder, common, arguments.settings())?;
    let reported = Reported {
        common,
        settings: &settings,
        command: "rollback",
        is_dry: arguments.dry_run,
        keys: arguments.keys,
        content: None,
        page: arguments.page.report.as_deref(),
    };
    let options = Rollback {
        run: arguments.run.clone(),
        skip_damaged: arguments.skip_damaged,
        dry_run: arguments.dry_run,
        named_prefix: common.prefix.clone(),
    };
    reported.run(|interrupted, report| Ok(rollback(&settings, &options, interrupted, report)?.exit))
}
