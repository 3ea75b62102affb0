//! What the manifests of a state folder say of each other: how each run ended, and which
//! run was rolled back by which.

use std::collections::HashMap;

use super::runs::order_of;
use crate::publish::manifest::{Manifest, Status};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It did what it was to do; `wrote` tells whether that changed a key.
    Finished {
        /// Whether a key was written.
        wrote: bool,
    },
    /// The gate refused the content: nothing was written.
    Refused,
    /// It stopped half-way, died, or is still under way; with `intents` it may have written.
    Open {
        /// Whether the manifest announces a write.
        intents: bool,
    },
}

/// What one run is to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub run: String,
    /// What it is ordered by among the others: its start.
    pub order: String,
    /// Where it wrote: server, database and prefix.
    pub store: (String, i64, String),
    /// Start by the server's clock, ms since 1970.
    pub started_at: i64,
    /// The run that it undoes, if it is a rollback.
    pub undoes: Option<String>,
    /// How it ended.
    pub end: End,
    /// Whether it left keys as they were, because somebody else had changed them, or because it
    /// could not read all of the manifest of the run that it undoes.
    pub left_keys: bool,
}

impl Record {
    /// Reads what counts of a manifest: its ends, and one batch if it has no clean end.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        let header = manifest.header();
        let end = match manifest.footer() {
            Some(footer) => match footer.status {
                Status::Done | Status::Partial => End::Finished {
                    wrote: manifest.wrote(),
                },
                Status::Refused => End::Refused,
                Status::Stopped => open(manifest),
            },
            None => open(manifest),
        };
        Self {
            run: header.run.clone(),
            order: order_of(header),
            store: (header.server.clone(), header.db, header.prefix.clone()),
            started_at: header.started_at,
            undoes: header.undoes.clone(),
            end,
            left_keys: header.skipped_bytes.is_some()
                || manifest
                    .footer()
                    .is_some_and(|footer| footer.counts.conflicts > 0),
        }
    }

    /// Whether it did what it was to do.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.end, End::Finished { .. })
    }
}

fn open(manifest: &Manifest) -> End {
    End::Open {
        intents: manifest.has_intents(),
    }
}

/// The rollback of `run` that has not been undone itself, if there is one: it may have stopped
/// half-way.
#[must_use]
pub fn rollback_of<'a>(records: &'a [Record], run: &str) -> Option<&'a str> {
    let undone = rolled_back(records);
    let rollbacks = records
        .iter()
        .filter(|record| record.undoes.as_deref() == Some(run));
    let stands = |record: &&Record| !undone.contains_key(record.run.as_str());
    let last = rollbacks
        .filter(stands)
        .max_by(|a, b| a.order.cmp(&b.order));
    last.map(|record| record.run.as_str())
}

/// Each run that is undone, and the rollback that undid it last.
///
/// A rollback counts if it finished, wrote to the same server, database and prefix, began
/// after the run, and was not rolled back itself. One that wrote nothing counts only where no other
/// had done it all before. `records` may have any order.
#[must_use]
pub fn rolled_back(records: &[Record]) -> HashMap<&str, &str> {
    let by_id: HashMap<&str, &Record> = records
        .iter()
        .map(|record| (record.run.as_str(), record))
        .collect();
    let mut newest_first: Vec<&Record> = records.iter().collect();
    newest_first.sort_by(|a, b| b.order.cmp(&a.order));
    let mut undone: HashMap<&str, &str> = HashMap::new();
    for rollback in newest_first {
        // Whatever undid this rollback began after it, so that is known by now.
        if !rollback.is_finished() || undone.contains_key(rollback.run.as_str()) {
            continue;
        }
        let target = rollback.undoes.as_deref().and_then(|run| by_id.get(run));
        if let Some(target) = target
            && target.store == rollback.store
            && target.order < rollback.order
        {
            match undone.get(target.run.as_str()).copied() {
                Some(later) if !is_repetition(by_id.get(later).copied(), rollback) => {}
                _ => drop(undone.insert(&target.run, &rollback.run)),
            }
        }
    }
    undone
}

/// Whether the rollback `later` did nothing, because `earlier` had done all of it.
fn is_repetition(later: Option<&Record>, earlier: &Record) -> bool {
    let wrote = |record: &Record| record.end == End::Finished { wrote: true };
    later.is_some_and(|later| !wrote(later)) && wrote(earlier) && !earlier.left_keys
}

#[cfg(test)]
mod tests {
    use super::{End, Record, rolled_back};

    fn run(id: &str, undoes: Option<&str>, end: End) -> Record {
        Record {
            run: id.to_owned(),
            order: id.to_owned(),
            store: ("redis://a".to_owned(), 0, "anp".to_owned()),
            started_at: 0,
            undoes: undoes.map(str::to_owned),
            end,
            left_keys: false,
        }
    }

    const DONE: End = End::Finished { wrote: true };
    const STOPPED: End = End::Open { intents: true };

    #[test]
    fn a_finished_rollback_undoes_until_it_is_undone_itself() {
        let mut runs = vec![run("1", None, STOPPED), run("2", Some("1"), STOPPED)];
        assert!(rolled_back(&runs).is_empty(), "a rollback that stopped");
        runs.push(run("3", Some("1"), DONE));
        assert_eq!(rolled_back(&runs), [("1", "3")].into());
        runs.push(run("4", Some("3"), DONE));
        assert_eq!(rolled_back(&runs), [("3", "4")].into());
        runs.push(run("5", Some("4"), DONE));
        assert_eq!(rolled_back(&runs), [("4", "5"), ("1", "3")].into());
        runs.push(run("6", Some("1"), DONE));
        runs.reverse();
        assert_eq!(rolled_back(&runs), [("4", "5"), ("1", "6")].into());
    }

    #[test]
    fn a_second_rollback_that_wrote_nothing_undid_nothing() {
        let empty = End::Finished { wrote: false };
        let mut runs = vec![run("1", None, DONE), run("2", Some("1"), DONE)];
        runs.push(run("3", Some("1"), empty));
        assert_eq!(rolled_back(&runs), [("1", "2")].into());
        // The first one stopped half-way, or left something: the second one settled it.
        runs[1].end = STOPPED;
        assert_eq!(rolled_back(&runs), [("1", "3")].into());
        runs[1].end = DONE;
        runs[1].left_keys = true;
        assert_eq!(rolled_back(&runs), [("1", "3")].into());
    }

    #[test]
    fn a_rollback_of_another_store_or_before_the_run_undoes_nothing() {
        let mut elsewhere = run("2", Some("1"), DONE);
        elsewhere.store.0 = "redis://b".to_owned();
        let before = run("0", Some("1"), DONE);
        let stranger = run("3", Some("none of these"), DONE);
        let itself = run("4", Some("4"), DONE);
        let runs = [run("1", None, DONE), elsewhere, before, stranger, itself];
        assert!(rolled_back(&runs).is_empty());
    }
}
