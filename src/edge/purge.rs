//! Purges one target of what a run changed.

use std::io;
use std::sync::atomic::AtomicBool;

use super::event::Change;
use super::request::{Request, Requests};
use super::secrets::Environment;
use super::send::{Failed, Sender};
use super::target::PurgeTarget;

/// So many requests that are refused one after the other are taken for all of them.
const MOST_REFUSED: u32 = 10;

/// What came of a purge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// How many URLs, or surrogate keys, the target was asked to purge; 0 if it was everything.
    pub urls: u64,
    /// In how many requests.
    pub requests: u64,
    /// Whether it purged everything.
    pub everything: bool,
    /// Whether there were too many URLs, and nothing was purged.
    pub too_many: bool,
    /// Why it is not complete.
    pub problem: Option<String>,
    /// Whether the target takes no requests now, of any run.
    pub is_away: bool,
}

/// How many purges of one target the changes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCount {
    /// Objects, each with one surrogate key.
    pub keys: u64,
    /// URLs.
    pub urls: u64,
}

impl ChangeCount {
    /// Counts one change.
    pub fn add(&mut self, change: &Change) {
        self.keys += 1;
        self.urls += change.paths().len() as u64;
    }

    /// How many of them `target` is asked for.
    #[must_use]
    pub fn of(self, target: &PurgeTarget) -> u64 {
        if target.by_keys() {
            self.keys
        } else {
            self.urls
        }
    }
}

/// What one target is to be purged of.
#[derive(Clone, Copy, Debug)]
pub struct Purge<'a> {
    /// Its requests.
    pub requests: Requests<'a>,
    /// How much changed.
    pub count: ChangeCount,
}

impl Purge<'_> {
    fn is_many(&self) -> bool {
        let target = self.requests.target;
        self.count.of(target) > target.max_urls
    }

    /// Hands `take` each request that purges `changes`, with the number of its URLs or keys, until it
    /// returns false. Of too many, one request purges everything, or none does.
    ///
    /// # Errors
    /// When the changes cannot be read.
    pub fn requests(
        &self,
        changes: impl Iterator<Item = io::Result<Change>>,
        take: &mut dyn FnMut(&Request, u64) -> bool,
    ) -> io::Result<()> {
        let target = self.requests.target;
        if self.is_many() {
            if let Some(request) = self.requests.everything().filter(|_| target.everything) {
                take(&request, 0);
            }
            return Ok(());
        }
        let mut batch: Vec<String> = Vec::new();
        for change in changes {
            let change = change?;
            let paths = match target.by_keys() {
                true => vec![change.path],
                false => change.paths(),
            };
            for path in paths {
                batch.push(path);
                if batch.len() >= target.batch {
                    if !take(&self.requests.of(&batch), batch.len() as u64) {
                        return Ok(());
                    }
                    batch.clear();
                }
            }
        }
        if !batch.is_empty() {
            take(&self.requests.of(&batch), batch.len() as u64);
        }
        Ok(())
    }

    /// Purges the target of `changes`. A request that it refuses is told, and the others are sent, unless it
    /// refuses [`MOST_REFUSED`] one after the other.
    #[must_use]
    pub fn send(
        &self,
        changes: impl Iterator<Item = io::Result<Change>>,
        environment: Environment<'_>,
        stop: &AtomicBool,
    ) -> Purged {
        let target = self.requests.target;
        let mut purged = Purged {
            everything: self.is_many() && target.everything,
            too_many: self.is_many() && !target.everything,
            ..Purged::default()
        };
        if self.count.keys == 0 || purged.too_many {
            return purged;
        }
        let mut sender = match Sender::new(target, environment, stop) {
            Ok(sender) => sender,
            Err(problem) => {
                purged.problem = Some(problem);
                return purged;
            }
        };
        let (mut refused, mut in_a_row) = (0_u64, 0);
        let read = self.requests(changes, &mut |request, urls| {
            let what = match sender.send(request) {
                Ok(()) => {
                    purged.urls += urls;
                    purged.requests += 1;
                    in_a_row = 0;
                    return true;
                }
                Err(Failed::Refused(what)) => {
                    refused += 1;
                    in_a_row += 1;
                    // The first says most.
                    purged.problem.get_or_insert(what);
                    purged.is_away = in_a_row == MOST_REFUSED;
                    return !purged.is_away;
                }
                Err(Failed::Interrupted) => "interrupted by a signal".to_owned(),
                Err(Failed::Away(what)) => {
                    purged.is_away = true;
                    what
                }
            };
            purged.problem = Some(what);
            false
        });
        if let Some(problem) = purged.problem.as_mut().filter(|_| refused > 1) {
            *problem += &format!(" ({refused} requests failed so)");
        }
        if let Err(error) = read {
            purged.problem = Some(format!("cannot read what changed: {error}"));
        }
        purged
    }
}
