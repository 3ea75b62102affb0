//! How fast a run writes: at most so many keys a second, and no faster than the server can
//! take beside its readers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::store::{Connector, Session, StoreError};

/// Keys of a batch when nothing limits it.
pub const BATCH_KEYS: usize = 1024;
/// A run that has to slow down still writes so many at once: page and meta of four articles.
const LEAST_KEYS: usize = 8;
/// How large the first batch is where the server's answers are measured: nobody knows yet what
/// it can take.
const FIRST_KEYS: usize = 32;
/// Waits are this short at most, so that a signal is seen.
const NAP: Duration = Duration::from_millis(50);
/// Between two questions to the server.
const PROBE_EVERY: Duration = Duration::from_millis(1);

/// The limits of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Keys a second.
    pub rate: Option<u32>,
    /// What nine of ten answers of the server may take while the run writes.
    pub max_latency: Option<Duration>,
}

/// The pace of a run: how large its batches are, and how long it waits between them.
pub struct Pace {
    limits: Limits,
    probe: Option<Probe>,
    started: Instant,
    keys: u64,
    /// How large the next batch may be …
    batch_keys: usize,
    /// … and how long to wait before it, for each batch time: 0 as long as the server keeps up.
    rest: u32,
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
            started: Instant::now(),
            keys: 0,
            batch_keys: match limits.max_latency {
                Some(_) => batch_keys.min(FIRST_KEYS),
                None => batch_keys,
            },
            rest: 0,
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
        self.keys += keys as u64;
        if let (Some(probe), Some(most)) = (&self.probe, self.limits.max_latency) {
            let answers = probe.take();
            self.adapt(slow(answers, took), most);
        }
        let mut wait = took * self.rest;
        if let Some(rate) = self.limits.rate {
            let due = Duration::from_secs_f64(self.keys as f64 / f64::from(rate));
            wait = wait.max(due.saturating_sub(self.started.elapsed()));
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

    /// Halves the batches, and rests longer, while answers take too long; grows back step by
    /// step when they do not.
    fn adapt(&mut self, answer: Duration, most: Duration) {
        let largest = match self.limits.rate {
            Some(rate) => (rate as usize / 10).clamp(LEAST_KEYS, BATCH_KEYS),
            None => BATCH_KEYS,
        };
        if answer > most {
            if self.batch_keys == LEAST_KEYS {
                self.rest = (self.rest * 2).clamp(1, 64);
            }
            self.batch_keys = (self.batch_keys / 2).max(LEAST_KEYS);
        } else if self.rest > 0 {
            self.rest /= 2;
        } else {
            self.batch_keys = (self.batch_keys + 32).min(largest);
        }
    }
}

/// What nine of ten answers took at most. None while a batch was written is as slow as the
/// batch.
fn slow(mut answers: Vec<Duration>, took: Duration) -> Duration {
    answers.sort_unstable();
    match answers.len() {
        0 => took,
        count => answers[(count * 9 / 10).min(count - 1)],
    }
}

/// Asks the server again and again, as a reader would, and notes how long it takes.
struct Probe {
    answers: Arc<Mutex<Vec<Duration>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Probe {
    fn start(connector: &Connector) -> Result<Self, StoreError> {
        let store = connector.connect_within(connector.patience.timeout)?;
        let mut session = Session::new(store, connector.patience);
        let answers = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (noted, stopped) = (Arc::clone(&answers), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let asked = Instant::now();
                // A connection that is lost is noticed by the run itself.
                if session.command(&[b"PING"], "measuring").is_err() {
                    return;
                }
                let took = asked.elapsed();
                noted
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(took);
                std::thread::sleep(PROBE_EVERY);
            }
        });
        Ok(Self {
            answers,
            stop,
            thread: Some(thread),
        })
    }

    /// The answers since the last call.
    fn take(&self) -> Vec<Duration> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *answers)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It may wait for a server that hangs.
        self.thread.take();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::{BATCH_KEYS, LEAST_KEYS, Limits, Pace, slow};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_slow_server_is_given_smaller_batches_and_rest_and_gets_them_back() {
        let limits = Limits {
            max_latency: Some(5 * MS),
            ..Limits::default()
        };
        let mut pace = Pace::of(limits, None);
        let mut sizes = Vec::new();
        for _ in 0..8 {
            pace.adapt(6 * MS, 5 * MS);
            sizes.push(pace.batch_keys());
        }
        assert_eq!(sizes, [16, 8, 8, 8, 8, 8, 8, 8]);
        assert_eq!(pace.rest, 32);
        for _ in 0..100 {
            pace.adapt(5 * MS, 5 * MS);
        }
        assert_eq!((pace.batch_keys(), pace.rest), (BATCH_KEYS, 0));
    }

    #[test]
    fn nine_of_ten_answers_count_and_silence_counts_as_the_whole_batch() {
        let answers = (1..=20).map(|ms| ms * MS).rev().collect();
        assert_eq!(slow(answers, MS), 19 * MS);
        assert_eq!(slow(vec![3 * MS], MS), 3 * MS);
        assert_eq!(slow(Vec::new(), 40 * MS), 40 * MS);
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
