//! Waiting for a server that is busy, or away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Sleeps are this short at most, so that a signal is seen.
const NAP: Duration = Duration::from_millis(50);

/// Waits that grow, with jitter so that many clients do not come back at one instant. Its
/// time begins with the first wait.
pub(super) struct Backoff {
    interrupted: Option<Arc<AtomicBool>>,
    length: Duration,
    until: Option<Instant>,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(length: Duration) -> Self {
        Self {
            interrupted: None,
            length,
            until: None,
            next: Duration::from_millis(10),
        }
    }

    /// Gives up as well once `interrupted` is set.
    pub(super) fn until(self, interrupted: Option<Arc<AtomicBool>>) -> Self {
        Self {
            interrupted,
            ..self
        }
    }

    /// What is left of its time.
    pub(super) fn left(&self) -> Duration {
        self.until.map_or(self.length, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    /// Sleeps, and says whether to try again; false once the time is over, or a signal came.
    pub(super) fn pause(&mut self) -> bool {
        let now = Instant::now();
        let until = *self.until.get_or_insert(now + self.length);
        if now >= until {
            return false;
        }
        // The clock's low bits are jitter enough.
        let noise = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos() % 1000);
        let jittered = self.next / 2 + self.next * noise / 2000;
        let resume = (now + jittered).min(until);
        while let Some(left) = resume.checked_duration_since(Instant::now()) {
            let is_set = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
            if self.interrupted.as_ref().is_some_and(is_set) {
                return false;
            }
            std::thread::sleep(left.min(NAP));
        }
        self.next = (self.next * 2).min(Duration::from_secs(1));
        true
    }
}
