//! Why a run that writes stops.

use std::io;

use thiserror::Error;

use crate::exit::Exit;
use crate::failure::{Failure, ROOM_FOR_THREADS};
use crate::publish::run::lease::LeaseError;
use crate::publish::run::switch::Paused;
use crate::store::{Class, StoreError};
use crate::time_limit::TimedOut;

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

/// The failure of a run that stopped, with its way back.
pub(crate) fn stopped(stop: &Stop, touched: bool, rollback: &str) -> Failure {
    let exit = match stop {
        Stop::Manifest(_) | Stop::Spool(_) => Exit::Manifest,
        Stop::Interrupted => Exit::Interrupted,
        Stop::Store(error) if error.class == Class::Interrupted => Exit::Interrupted,
        Stop::Paused(_) => Exit::Paused,
        _ if touched => Exit::Stopped,
        Stop::Lease(_) => Exit::Locked,
        Stop::Undone(_) | Stop::TimedOut(_) => Exit::Refused,
        Stop::Lost(_) => Exit::Stopped,
        Stop::Store(error) => match error.class {
            Class::Never | Class::Config => return Failure::before_writing(error),
            Class::Fenced => Exit::Locked,
            Class::Wait | Class::FindAgain => Exit::Unavailable,
            Class::Stop | Class::LoadAgain | Class::Interrupted | Class::NoThread => Exit::Stopped,
        },
    };
    let mut failure = Failure::new(exit, stop.to_string());
    if let Some(expected) = expected(stop) {
        failure = failure.note("expected", expected);
    }
    if matches!(stop, Stop::Store(error) if error.class == Class::Never && !error.is_login_refused())
    {
        failure = failure.note("acl", crate::store::ACL_LINE);
    }
    let (again, cause) = match stop {
        Stop::Paused(_) => ("after the resume line", "after the resume line"),
        _ => ("again", "once the cause is gone"),
    };
    if touched {
        let retry =
            format!("safe: roll back with the command below, or run the same command {again}");
        failure.note("retry", retry).note("rollback", rollback)
    } else {
        failure.note("retry", format!("safe {cause}; no key was changed"))
    }
}

/// What would have let the run go on; none where its message says so, or nothing was wrong.
pub(crate) fn expected(stop: &Stop) -> Option<&'static str> {
    match stop {
        Stop::Manifest(_) | Stop::Spool(_) => {
            Some("a state folder that can be written, with free space")
        }
        Stop::Paused(_) => Some("a store that is not switched off"),
        Stop::Lease(_) => Some("a lock that stays with this run until its end"),
        Stop::Lost(_) => {
            Some("a server that stays and keeps what it acknowledged, and nobody else who writes")
        }
        Stop::Undone(_) => Some("the manifest as anp wrote it"),
        Stop::Interrupted | Stop::TimedOut(_) => None,
        Stop::Store(error) => Some(match error.class {
            Class::Interrupted => return None,
            Class::NoThread => ROOM_FOR_THREADS,
            Class::Never if error.is_login_refused() => {
                "a user and password that the server accepts for the whole run"
            }
            Class::Never => "rights as in this ACL line, for the whole run",
            Class::Config => "a server that the settings fit for the whole run",
            Class::Fenced => "a lock that stays with this run until its end",
            Class::Wait | Class::FindAgain => {
                "a server that answers, and takes writes, within --deadline; its log says more"
            }
            Class::Stop | Class::LoadAgain => {
                "a server that takes writes; INFO and its log say what keeps it from that"
            }
        }),
    }
}
