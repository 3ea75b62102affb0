//! Response times at a constant rate.
//!
//! Requests are due at fixed moments, whatever the front does. A front that stalls makes the
//! requests late that were due meanwhile, and each of those counts from the moment at which it
//! was *due*, not from the one at which a connection was free for it. A load generator that
//! waits for an answer before it thinks of the next request leaves these out (coordinated
//! omission): a stall of a second then shows as one slow request in a thousand fast ones,
//! where every visitor of that second waited.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::client::{Client, Request};
use super::wire::{Front, Trouble, sleep_until};

/// The longest time that is told apart from longer ones: ten minutes, in µs.
const LONGEST_US: u64 = 600_000_000;

/// So many kinds of errors are told apart. A front that cuts each body elsewhere makes any number.
const MOST_KINDS: usize = 20;

/// How a front is measured.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Requests a second, over all connections.
    pub rate: u32,
    /// How long requests are due.
    pub duration: Duration,
    /// Connections, each with at most one request under way.
    pub concurrency: u32,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// From the moment a request was due to the end of its answer, in µs. Holds what was
    /// answered with 200, and, with the time until then, what was given up or never sent.
    pub response: Histogram<u64>,
    /// From the moment it was sent, in µs: what the front alone took.
    pub service: Histogram<u64>,
    /// Requests that were due.
    pub due: u64,
    /// Answers with 200.
    pub answered: u64,
    /// Requests that were due and not sent any more when the time was over.
    pub unsent: u64,
    /// What went wrong, and how often.
    pub errors: BTreeMap<String, u64>,
    /// From the first moment to the last answer.
    pub took: Duration,
    asked: Load,
}

impl Load {
    /// Requests that are due in all.
    #[must_use]
    pub fn due(&self) -> u64 {
        let due = self.duration.as_secs_f64() * f64::from(self.rate);
        (due.round() as u64).max(1)
    }

    /// Asks for `paths` in turn.
    ///
    /// # Errors
    /// [`Trouble::Interrupted`]; any other trouble is counted.
    pub fn run(
        self,
        front: &Arc<Front>,
        paths: &[String],
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Measured, Trouble> {
        let start = Instant::now();
        let run = Run {
            load: self,
            start,
            // Afterwards the backlog of a front that is too slow is not worked off for ever.
            over: start + self.duration + self.timeout,
            next: AtomicU64::new(0),
            measured: Mutex::new(Measured::new(self)?),
        };
        std::thread::scope(|scope| {
            let client = || Client::new(Arc::clone(front), self.timeout, Arc::clone(interrupted));
            for _ in 1..self.concurrency {
                let client = client();
                // With fewer threads than asked for, the same requests are due.
                let thread = std::thread::Builder::new();
                let _ = thread.spawn_scoped(scope, || run.work(client, paths, interrupted));
            }
            run.work(client(), paths, interrupted);
        });
        if interrupted.load(Ordering::Relaxed) {
            return Err(Trouble::Interrupted);
        }
        let measured = run.measured.into_inner();
        Ok(measured.unwrap_or_else(PoisonError::into_inner))
    }
}

struct Run {
    load: Load,
    start: Instant,
    over: Instant,
    next: AtomicU64,
    measured: Mutex<Measured>,
}

impl Run {
    fn work(&self, mut client: Client, paths: &[String], interrupted: &AtomicBool) {
        while !interrupted.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.load.due() {
                return;
            }
            let offset = Duration::from_secs_f64(number as f64 / f64::from(self.load.rate));
            let due = self.start + offset;
            if !sleep_until(due, interrupted) {
                return;
            }
            let sent = Instant::now();
            if sent >= self.over {
                self.record(|measured| {
                    measured.unsent += 1;
                    measured.response.saturating_record(micros(sent - due));
                });
                continue;
            }
            let path = &paths[number as usize % paths.len().max(1)];
            let answer = client.send(&Request {
                method: "GET",
                path,
                headers: &[("Accept-Encoding", "gzip, br")],
                to_the_end: false,
                page: None,
            });
            let ended = Instant::now();
            let error = match answer {
                Ok(answer) => match answer.body {
                    Ok(_) if answer.head.status == 200 => None,
                    Ok(_) => Some((format!("answered {}", answer.head.status), false)),
                    Err(trouble) => Some(told(&trouble)),
                },
                Err(Trouble::Interrupted) => return,
                Err(trouble) => Some(told(&trouble)),
            };
            self.record(|measured| {
                measured.took = measured.took.max(ended - self.start);
                // An error that comes at once is no fast answer; a time-out is a slow one.
                let counts = error.as_ref().is_none_or(|(_, is_late)| *is_late);
                if counts {
                    measured.response.saturating_record(micros(ended - due));
                    measured.service.saturating_record(micros(ended - sent));
                }
                match error {
                    None => measured.answered += 1,
                    Some((what, _)) => measured.count_error(what),
                }
            });
        }
    }

    fn record(&self, change: impl FnOnce(&mut Measured)) {
        let measured = self.measured.lock();
        change(&mut measured.unwrap_or_else(PoisonError::into_inner));
    }
}

/// The trouble as it is counted, and whether it is one of time.
fn told(trouble: &Trouble) -> (String, bool) {
    (trouble.to_string(), matches!(trouble, Trouble::Timeout(_)))
}

impl Measured {
    fn new(asked: Load) -> Result<Self, Trouble> {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3);
        let histogram = histogram.map_err(|error| Trouble::NoConnection(error.to_string()))?;
        Ok(Self {
            response: histogram.clone(),
            service: histogram,
            due: asked.due(),
            answered: 0,
            unsent: 0,
            errors: BTreeMap::new(),
            took: Duration::ZERO,
            asked,
        })
    }

    fn count_error(&mut self, what: String) {
        let is_new = !self.errors.contains_key(&what);
        let what = if is_new && self.errors.len() >= MOST_KINDS {
            "other errors".to_owned()
        } else {
            what
        };
        *self.errors.entry(what).or_default() += 1;
    }

    /// How it was measured.
    #[must_use]
    pub fn load(&self) -> Load {
        self.asked
    }

    /// Answers a second.
    #[must_use]
    pub fn achieved(&self) -> f64 {
        let took = self.took.max(self.asked.duration);
        self.answered as f64 / took.as_secs_f64().max(f64::EPSILON)
    }

    /// Whether answers came about as fast as they were due: 95 in 100 of them.
    #[must_use]
    pub fn kept_rate(&self) -> bool {
        let due = self.due as f64 / self.asked.duration.as_secs_f64().max(f64::EPSILON);
        self.achieved() >= due * 0.95
    }

    /// Requests that were sent and not answered with 200.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Load, MOST_KINDS, Measured};

    #[test]
    fn errors_of_any_number_of_kinds_are_all_counted_and_few_are_named() {
        let second = Duration::from_secs(1);
        let load = Load {
            rate: 1,
            duration: second,
            concurrency: 1,
            timeout: second,
        };
        let mut measured = Measured::new(load).unwrap();
        for number in 0..1000 {
            measured.count_error(format!("closed after {number} bytes"));
            measured.count_error("closed after 0 bytes".to_owned());
        }
        assert_eq!(measured.failed(), 2000);
        assert_eq!(measured.errors.len(), MOST_KINDS + 1);
        assert_eq!(measured.errors["closed after 0 bytes"], 1001);
        assert_eq!(measured.errors["other errors"], 1000 - MOST_KINDS as u64);
    }
}
