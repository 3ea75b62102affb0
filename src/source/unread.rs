//! What could not be read of a content root: one source, parts of it, or all.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time_limit::{TimeLimit, TimedOut};

/// Something that was skipped, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Path below the root.
    pub relative: PathBuf,
    /// Why: `a symbolic link that leads out of the content folder`.
    pub reason: String,
    /// Whether something that may hold articles could not be read.
    pub unreadable: bool,
}

/// Why a walk ended early.
#[derive(Debug, Error)]
pub enum WalkError {
    /// The root, or the part of it that was asked for, cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// A signal asked the run to end.
    #[error("interrupted by a signal")]
    Interrupted,
    /// The run takes longer than it may.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
    /// The file is no packed source: what was found in it.
    #[error("{0}")]
    NoSource(String),
    /// A packed source is damaged, or was cut short.
    #[error("{0}")]
    Broken(String),
    /// The bytes of a packed source cannot be kept.
    #[error(transparent)]
    Spool(io::Error),
}

impl WalkError {
    /// A packed source that cannot be read to its end.
    pub(super) fn cut(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Broken("it is cut short".to_owned()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// Says whether the run goes on.
pub type GoesOn<'g> = dyn Fn() -> Result<(), WalkError> + 'g;

/// Whether a run goes on that ends when `interrupted` is set, and with its time.
///
/// # Errors
/// When it does not.
pub fn goes_on(interrupted: &AtomicBool, time_limit: Option<TimeLimit>) -> Result<(), WalkError> {
    if interrupted.load(Ordering::Relaxed) {
        return Err(WalkError::Interrupted);
    }
    Ok(time_limit.map_or(Ok(()), |limit| limit.check())?)
}

/// Why it is not known what a source holds.
#[derive(Debug, Error)]
pub enum Unloaded {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// Somebody wrote to it each time that it was read, or since it was found.
    #[error("somebody writes to it")]
    Changed,
    /// It is no source: what was expected, and what was found.
    #[error("{0}")]
    Broken(String),
}
