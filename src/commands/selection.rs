//! The articles that a command line names: routes, and what `--glob`, `--tag` and `--source` mean.

use std::path::{Path, PathBuf};

use crate::article::Route;
use crate::cli::Selectors;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::survey::selection::{RouteGlob, Selection, Tag};

/// A route from the command line.
///
/// # Errors
/// 2 when it is none.
pub(super) fn route(typed: &str) -> Result<Route, Failure> {
    Route::parse(typed).map_err(|error| {
        let failure = Failure::new(Exit::Usage, error.to_string());
        match error.help() {
            Some(help) => failure.note("help", help),
            None => failure,
        }
    })
}

/// The selection below the content folder `root`.
///
/// # Errors
/// 2 when a pattern or a tag is none, or a file lies outside of it.
pub(super) fn selection(selectors: &Selectors, root: &Path) -> Result<Selection, Failure> {
    let refused = |option: &str, error: String| {
        Failure::new(Exit::Usage, format!("--{option}: {error}"))
            .note("retry", "with another one; nothing was written")
    };
    let globs: Result<Vec<RouteGlob>, Failure> = selectors
        .globs
        .iter()
        .map(|text| RouteGlob::parse(text).map_err(|error| refused("glob", error)))
        .collect();
    let tags: Result<Vec<Tag>, Failure> = selectors
        .tags
        .iter()
        .map(|text| Tag::parse(text).map_err(|error| refused("tag", error)))
        .collect();
    let sources: Result<Vec<PathBuf>, Failure> = selectors
        .sources
        .iter()
        .map(|path| below(root, path))
        .collect();
    Ok(Selection {
        globs: globs?,
        tags: tags?,
        sources: sources?,
    })
}

/// The path below `root` of a file that may be gone.
fn below(root: &Path, path: &Path) -> Result<PathBuf, Failure> {
    let real = |path: &Path| {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // The folder may be reached by a link, and the file may be gone: as far as it is there.
        let there = whole.ancestors().find_map(|folder| {
            let rest = whole.strip_prefix(folder).ok()?;
            Some(folder.canonicalize().ok()?.join(rest))
        });
        there.unwrap_or(whole)
    };
    let relative = real(path).strip_prefix(real(root)).map(Path::to_owned);
    relative.map_err(|_| {
        let what = format!(
            "--source: {} is not below the content folder",
            path.display()
        );
        Failure::new(Exit::Usage, what)
            .note("expected", format!("a file below {}", root.display()))
            .note("retry", "with such a file; nothing was written")
    })
}
