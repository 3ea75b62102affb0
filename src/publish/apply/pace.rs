//! How fast a run writes: at most so many keys a second, and no faster than the server can
//! take beside its readers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::store::{Connector, Session, StoreError, connect_within};

/// Keys of a batch when nothing limits it.
pub const BATCH_KEYS: usize = 1024;
/// A run that has to slow down still writes so many at once: page and meta of four articles.
const LEAST_KEYS: usize = 8;
/// How large the first batch is where the server's answers are measured: nobody knows yet what
/// it can take.
const FIRST_KEYS: usize = 32;
/// Waits are this short at most, so that a signal is seen.
const NAP: Duration = Duration::from_millis(50);
/// So long a run stays as slow as the last slow answer made it.
const HOLD: Duration = Duration::from_millis(100);
/// Between two questions to the server.
const PROBE_EVERY: Duration = Duration::from_millis(1);

/// The limits of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Keys a second.
    pub rate: Option<u32>,
    /// What an answer of the server may take while the run writes.
    pub max_latency: Option<Duration>,
}

/// The pace of a run: how large its batches are, and how long it waits between them.
pub struct Pace {
    limits: Limits,
    probe: Option<Probe>,
    /// When the keys that were written so far were due, at the rate.
    due: Instant,
    /// How large the next batch may be …
    batch_keys: usize,
    /// … and how long to wait before it, for each batch time: 0 as long as the server keeps up.
    rest: u32,
    /// Until then it goes no faster.
    held_until: Instant,
}

impl Pace {
    /// As fast as it goes.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::of(Limits::default(), None)
    }

    /// Within `limits`. A latency is measured over a connection of its own.
    ///
    /// # Errors
    /// When that connection cannot be made.
    pub fn start(limits: Limits, connector: &Connector) -> Result<Self, StoreError> {
        let probe = match limits.max_latency {
            Some(_) => Some(Probe::start(connector)?),
            None => None,
        };
        Ok(Self::of(limits, probe))
    }

    fn of(limits: Limits, probe: Option<Probe>) -> Self {
        // A tenth of a second, so that a rate is a rate and no burst each second.
        let batch_keys = match limits.rate {
            Some(rate) => (rate as usize / 10).clamp(LEAST_KEYS, BATCH_KEYS),
            None => BATCH_KEYS,
        };
        Self {
            limits,
            probe,
            due: Instant::now(),
            batch_keys: match limits.max_latency {
                Some(_) => batch_keys.min(FIRST_KEYS),
                None => batch_keys,
            },
            rest: 0,
            held_until: Instant::now(),
        }
    }

    /// How many keys the next batch may have.
    #[must_use]
    pub fn batch_keys(&self) -> usize {
        self.batch_keys
    }

    /// To be called after a batch of `keys` that took `took`: waits as long as the limits ask
    /// for, or until `interrupted`.
    pub fn wrote(&mut self, keys: usize, took: Duration, interrupted: &AtomicBool) {
        if let (Some(probe), Some(most)) = (&self.probe, self.limits.max_latency)
            && let Some(answer) = probe.slowest()
        {
            self.adapt(answer, most, Instant::now());
        }
        let mut wait = took * self.rest;
        if let Some(rate) = self.limits.rate {
            // What was not written while the server hung is not made up for.
            let began = Instant::now().checked_sub(took).unwrap_or(self.due);
            let time = Duration::from_secs_f64(keys as f64 / f64::from(rate));
            self.due = self.due.max(began) + time;
            wait = wait.max(self.due.saturating_duration_since(Instant::now()));
        }
        let until = Instant::now() + wait;
        while !interrupted.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(NAP));
        }
    }

    /// Halves the batches and doubles the rests while answers take too long; goes back step by
    /// step when they do not.
    fn adapt(&mut self, answer: Duration, most: Duration, now: Instant) {
        let largest = match self.limits.rate {
            Some(rate) => (rate as usize / 10).clamp(LEAST_KEYS, BATCH_KEYS),
            None => BATCH_KEYS,
        };
        if answer > most {
            self.batch_keys = (self.batch_keys / 2).max(LEAST_KEYS);
            self.rest = (self.rest * 2).clamp(1, 64);
            self.held_until = now + HOLD;
        } else if now < self.held_until {
            // One answer in a hundred that is slow is seen once in a while only.
        } else if self.rest > 0 {
            self.rest -= 1;
        } else {
            self.batch_keys = (self.batch_keys + 8).min(largest);
        }
    }
}

/// Asks the server again and again, as a reader would, and notes how long it takes.
struct Probe {
    heard: Arc<Mutex<Heard>>,
    stop: Arc<AtomicBool>,
}

#[derive(Default)]
struct Heard {
    /// What the slowest answer took, of those since that was asked for last.
    slowest: Option<Duration>,
    /// When the question was asked that is not answered yet.
    asked: Option<Instant>,
}

impl Probe {
    fn start(connector: &Connector) -> Result<Self, StoreError> {
        let connect = {
            let connector = connector.clone();
            move || {
                let store = connect_within(&connector, connector.patience.timeout)?;
                let interrupt = connector.interrupt.clone();
                Ok::<_, StoreError>(Session::new(store, connector.patience, interrupt))
            }
        };
        let mut session = Some(connect()?);
        let heard = Arc::new(Mutex::new(Heard::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (noted, stopped) = (Arc::clone(&heard), Arc::clone(&stop));
        // Not waited for at the end: it may wait for a server that hangs.
        let asking = std::thread::Builder::new().name("latency".to_owned());
        let started = asking.spawn(move || {
            let note = |heard: &mut dyn FnMut(&mut Heard)| {
                heard(&mut noted.lock().unwrap_or_else(PoisonError::into_inner));
            };
            while !stopped.load(Ordering::Relaxed) {
                let Some(open) = &mut session else {
                    std::thread::sleep(NAP);
                    session = connect().ok();
                    continue;
                };
                let asked = Instant::now();
                note(&mut |heard| heard.asked = Some(asked));
                let ping = open.on_each_master(&mut |one| one.command(&[b"PING"], "measuring"));
                let answered = ping.is_ok();
                note(&mut |heard| {
                    heard.asked = None;
                    if answered {
                        heard.slowest = heard.slowest.max(Some(asked.elapsed()));
                    }
                });
                if !answered {
                    session = None;
                }
                std::thread::sleep(PROBE_EVERY);
            }
        });
        started.map_err(|error| StoreError::no_thread("measuring the server's latency", &error))?;
        Ok(Self { heard, stop })
    }

    /// What the slowest answer since the last call took, or the one that is still waited for,
    /// if that is longer; none where nothing is known.
    fn slowest(&self) -> Option<Duration> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = heard.asked.map(|asked| asked.elapsed());
        heard.slowest.take().max(waiting)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    use super::{BATCH_KEYS, HOLD, LEAST_KEYS, Limits, Pace};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_slow_server_is_given_smaller_batches_and_rest_and_gets_them_back() {
        let limits = Limits {
            max_latency: Some(5 * MS),
            ..Limits::default()
        };
        let mut pace = Pace::of(limits, None);
        let now = Instant::now();
        let mut sizes = Vec::new();
        for _ in 0..8 {
            pace.adapt(6 * MS, 5 * MS, now);
            sizes.push(pace.batch_keys());
        }
        assert_eq!(sizes, [16, 8, 8, 8, 8, 8, 8, 8]);
        assert_eq!(pace.rest, 64);
        pace.adapt(5 * MS, 5 * MS, now);
        assert_eq!(pace.rest, 64, "held for a while");
        for _ in 0..300 {
            pace.adapt(5 * MS, 5 * MS, now + HOLD);
        }
        assert_eq!((pace.batch_keys(), pace.rest), (BATCH_KEYS, 0));
    }

    #[test]
    fn what_a_hang_kept_from_being_written_is_not_made_up_for() {
        let limits = Limits {
            rate: Some(1_000),
            ..Limits::default()
        };
        let mut pace = Pace::of(limits, None);
        let never = AtomicBool::new(false);
        let hang = 50 * MS;
        std::thread::sleep(hang);
        pace.wrote(0, hang, &never);
        let began = Instant::now();
        for _ in 0..2 {
            pace.wrote(20, Duration::ZERO, &never);
        }
        assert!(began.elapsed() >= 40 * MS, "{:?}", began.elapsed());
    }

    #[test]
    fn a_rate_bounds_the_batches_and_an_interruption_ends_the_wait() {
        let with = |rate: u32| {
            let limits = Limits {
                rate: Some(rate),
                ..Limits::default()
            };
            Pace::of(limits, None)
        };
        assert_eq!(with(2_000).batch_keys(), 200);
        assert_eq!(with(1).batch_keys(), LEAST_KEYS);
        assert_eq!(with(1_000_000).batch_keys(), BATCH_KEYS);
        // A hundred seconds' worth.
        with(1).wrote(100, MS, &AtomicBool::new(true));
    }
}
