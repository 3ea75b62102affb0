//! Why a run that writes stops.

use std::io;

use thiserror::Error;

use super::lease::LeaseError;
use super::switch::Paused;
use super::time_limit::TimedOut;
use crate::store::StoreError;

/// Why a run stopped.
#[derive(Debug, Error)]
pub enum Stop {
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifest could not be written.
    #[error("cannot write the manifest: {0}")]
    Manifest(io::Error),
    /// The rendered objects could not be read or written.
    #[error("cannot use the spool of rendered objects: {0}")]
    Spool(io::Error),
    /// The lock was lost.
    #[error(transparent)]
    Lease(LeaseError),
    /// Somebody switched publishing off.
    #[error("{0}")]
    Paused(Paused),
    /// A signal asked the run to end.
    #[error("interrupted by a signal")]
    Interrupted,
    /// The run takes longer than it may.
    #[error("the run took too long: {0} (expect.max_duration)")]
    TimedOut(#[from] TimedOut),
    /// The server may have lost what the run wrote.
    #[error("{0}")]
    Lost(String),
    /// The manifest that is being undone cannot be used.
    #[error("{0}")]
    Undone(String),
}

impl From<LeaseError> for Stop {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Store(error) => Self::Store(error),
            other => Self::Lease(other),
        }
    }
}
