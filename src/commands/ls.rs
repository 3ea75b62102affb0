//! `anp ls`: articles, and whether the store has what their sources say.

use crate::cli::{Common, Ls as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::ls::{Ls, ls};
use crate::report::ls::ArticleTable;
use crate::report::{Output, Progress, Stderr};
use crate::settings::Needs;
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = super::inputs::settings_needing(Needs::Store, common, arguments.settings())?;
    let options = Ls {
        globs: arguments.globs.clone(),
        tags: arguments.tags.clone(),
        expiring_ms: arguments.expiring,
        changed: arguments.changed,
        store_only: arguments.store_only,
    };
    let mut report = Stderr(Progress::new(common.quiet));
    let mut table = ArticleTable::new(Output::stdout(common.format), arguments.routes);
    ls(&settings, &options, &watch()?, &mut report, &mut table)?;
    table.end();
    Ok(Exit::Done)
}
