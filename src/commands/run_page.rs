//! `--report`: the page about a run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::diff::Scope;
use crate::publish::diff::of_import::import_would_change;
use crate::publish::diff::of_run::run_changed;
use crate::report::page::{self, MOST_DIFFERENCES};
use crate::report::{RunPage, log};
use crate::settings::Settings;

/// The page of a command, if one is wanted.
pub(super) fn begin(
    path: Option<&Path>,
    what: (&'static str, bool),
    settings: &Settings,
) -> Result<Option<RunPage>, Failure> {
    path.map(|path| RunPage::begin(path, what, settings))
        .transpose()
}

/// Adds to the page how the articles differ whose values are replaced.
pub(super) fn compare(page: &mut RunPage, settings: &Settings, interrupted: &Arc<AtomicBool>) {
    let scope = Scope {
        routes: page.updated(),
        limit: Some(MOST_DIFFERENCES as u64),
        prunes: false,
    };
    if scope.routes.is_empty() {
        return;
    }
    let manifest = page.manifest().map(Path::to_path_buf);
    let is_import = page.command() == "import";
    let compared = match manifest {
        Some(manifest) => {
            let runs = (&*manifest.to_string_lossy(), None);
            run_changed(settings, runs, &scope, interrupted, &mut (), page).map(|_| ())
        }
        None if is_import => {
            import_would_change(settings, &scope, interrupted, &mut (), page).map(|_| ())
        }
        // The dry run of another command does not know the new texts.
        None => Ok(()),
    };
    if let Err(failure) = compared {
        page.cannot_compare(&failure);
    }
}

/// Writes the page. If that fails, what the run did stays done.
pub(super) fn write(page: &RunPage, ended: &Result<Exit, Failure>) {
    if let Err(error) = page::write(page, ended) {
        let path = page.path().display();
        log::warning(format!("cannot write the report {path}: {error}"));
    }
}
