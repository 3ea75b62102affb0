//! Waiting for a server that is busy, or away.

use std::time::{Duration, Instant};

use super::Interrupt;

/// Sleeps are this short at most, so that a signal is seen.
const NAP: Duration = Duration::from_millis(50);

/// Waits that grow, with jitter so that many clients do not come back at one instant. Its
/// time begins with the first wait.
pub(super) struct Backoff {
    interrupt: Interrupt,
    length: Duration,
    until: Option<Instant>,
    next: Duration,
}

impl Backoff {
    /// Waits that take `length` in all, unless a signal comes.
    pub(super) fn new(length: Duration, interrupt: &Interrupt) -> Self {
        Self {
            interrupt: interrupt.clone(),
            length,
            until: None,
            next: Duration::from_millis(10),
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
            if self.interrupt.is_asked() {
                return false;
            }
            std::thread::sleep(left.min(NAP));
        }
        self.next = (self.next * 2).min(Duration::from_secs(1));
        true
    }
}
