//! What came of a command.

use std::path::{Path, PathBuf};

use super::manifest::{Counts, Header, Status};
use crate::exit::Exit;

/// What came of a command that writes, or of its dry run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The code that the process exits with: `Done`, or `Partial` where something was left.
    pub exit: Exit,
    /// The same, as the manifest tells it.
    pub status: Status,
    /// What was done to how many keys; in a dry run, what would be done.
    pub counts: Counts,
    /// The run; none in a dry run, or where there was nothing to do.
    pub header: Option<Header>,
    /// The file of its manifest.
    pub manifest: Option<PathBuf>,
}

/// How a run ended, or how it would end.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// `import`, `rollback` …
    pub command: &'a str,
    /// `done`, `partial`, `refused` or `stopped`.
    pub status: Status,
    /// What it did.
    pub counts: &'a Counts,
    /// The run with its manifest; none in a dry run.
    pub run: Option<(&'a Header, &'a Path)>,
    /// The run that it undoes, if it is a rollback.
    pub undoes: Option<&'a str>,
}

/// The status of a run by what it did.
pub(crate) fn status_of(partial: bool) -> (Status, Exit) {
    if partial {
        (Status::Partial, Exit::Partial)
    } else {
        (Status::Done, Exit::Done)
    }
}
