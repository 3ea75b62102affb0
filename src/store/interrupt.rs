//! A signal that asks the command to end, as the waits for a store see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::error::INTERRUPTED;
use super::{Class, StoreError};

/// A reply that is under way when the signal comes may take so long, once a run holds the lock: a
/// batch that was sent is better read to its end.
const GRACE: Duration = Duration::from_secs(2);

/// What every wait for a store looks at. Copies of it see the same.
#[derive(Clone, Debug)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    finishes: Arc<AtomicBool>,
}

impl Interrupt {
    /// Waits end once `asked` is set.
    #[must_use]
    pub fn new(asked: &Arc<AtomicBool>) -> Self {
        Self {
            asked: Arc::clone(asked),
            finishes: Arc::default(),
        }
    }

    /// No signal ends the waits, only their deadline.
    #[must_use]
    pub fn never() -> Self {
        Self::new(&Arc::default())
    }

    /// From now on a signal does not keep commands from being sent, and replies have a short time
    /// still to come: a run has the lock, and ends in good order.
    pub fn finish_what_is_begun(&self) {
        self.finishes.store(true, Ordering::Relaxed);
    }

    /// Whether a signal asks the command to end.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether nothing more is to be sent.
    pub(super) fn ends_now(&self) -> bool {
        self.is_asked() && self.grace().is_zero()
    }

    /// How long a wait that is under way goes on.
    pub(super) fn grace(&self) -> Duration {
        if self.finishes.load(Ordering::Relaxed) {
            GRACE
        } else {
            Duration::ZERO
        }
    }

    /// The failure of what a signal ended.
    pub(super) fn error(doing: &str) -> StoreError {
        StoreError::new(Class::Interrupted, doing, INTERRUPTED)
    }
}
