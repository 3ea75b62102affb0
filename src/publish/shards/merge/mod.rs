//! One intent for each key of a shard that was started more than once.
//!
//! Shards share no key: the route decides whose it is. But a shard that died and was started again
//! may announce a key a second time, in a second file. The way back has to bring it to what it was
//! before the *run*, from whatever state the starts left it in. Undoing one start after the other,
//! the last one first, would do that; what is here is the same in one step, so that `verify`,
//! `rollback` and the rest see one intent a key.
//!
//! Say one start announced `A: p → m`, and the next one found the key in the state `q` and
//! announced `B: q → n`. The connections of the dead start were ended before the next one looked,
//! so nothing of `A` came later than `q`, and `q` tells what had become of `A`:
//!
//! - `q` is `m`: `A` was carried out. Undoing `B` gives `m`, undoing `A` then gives `p`. Whether `B`
//!   was carried out is not known, for its start may have died too: so together they are `p → n`,
//!   where `m` is a state that the run made as well ([`Intent::also`]).
//! - `q` is `p`: the first start died before its write. Together they are `p → n`. If `B` was not
//!   carried out either, the key is still `p`, and is back already.
//! - `q` is absent, and `m` had an expiry that had passed when the second start looked
//!   ([`Intent::absent_at`]): the run's own state ran out, so together they are `p → n`, where the
//!   key may be absent as well. That somebody deleted it first cannot be told from that, here as
//!   little as where a run has one start.
//! - `q` is neither: somebody changed the key between the two. Undoing `B` gives `q`, which undoing
//!   `A` would leave, since it is none of its own: so `B` alone counts.
//!
//! An intent that a later outcome took back (a conflict, an expiry that had passed) says nothing of
//! the key, and is left out. A refresh knows the expiry alone: what it does not know of a state is
//! taken from its neighbour, and it is compared by the expiry alone, as everywhere.

use std::collections::{HashMap, HashSet};

use crate::publish::manifest::reader::{Damage, ManifestFile};
use crate::publish::manifest::record::{Action, Fate, Intent, Line, Snapshot};
use crate::publish::state::same_expiry;

type BatchStream<'a> = Box<dyn Iterator<Item = Result<Vec<Line>, Damage>> + Send + 'a>;

/// The clock is asked a moment before the look, and those of a cluster's masters differ.
const CLOCKS_MS: i64 = 5_000;

/// So many merged intents are handed on together.
const MERGED_TOGETHER: usize = 256;

/// The lines of the starts of one shard, oldest first. Those of a single one are as they stand.
pub(crate) fn batches(starts: &[ManifestFile]) -> BatchStream<'_> {
    if let [only] = starts {
        return Box::new(only.batches());
    }
    match Known::of(starts) {
        Ok(known) => Box::new(MergedBatches::new(starts, known)),
        Err(damage) => Box::new(std::iter::once(Err(damage))),
    }
}

/// What has to be known of all starts before the first line is handed on.
struct Known {
    /// Keys with an outcome that takes their intent back, for each start.
    left: Vec<HashSet<String>>,
    /// Keys with an intent that counts.
    touched: HashSet<String>,
    /// Those with more than one.
    repeated: HashSet<String>,
    /// The last start that did all of its share.
    finished: Option<usize>,
}

impl Known {
    fn of(starts: &[ManifestFile]) -> Result<Self, Damage> {
        let mut known = Self {
            left: Vec::new(),
            touched: HashSet::new(),
            repeated: HashSet::new(),
            finished: starts.iter().rposition(ManifestFile::is_finished),
        };
        for start in starts {
            let mut left = HashSet::new();
            let mut announced = Vec::new();
            for batch in start.batches() {
                for line in batch? {
                    match line {
                        Line::Intent(intent) => announced.push(intent.key),
                        Line::Outcome(outcome) if outcome.fate != Fate::Written => {
                            left.insert(outcome.key);
                        }
                        _ => {}
                    }
                }
            }
            announced.retain(|key| !left.contains(key));
            for key in announced {
                if known.touched.contains(&key) {
                    known.repeated.insert(key);
                } else {
                    known.touched.insert(key);
                }
            }
            known.left.push(left);
        }
        Ok(known)
    }

    /// Whether a start after the number `start` left `key` alone, since it was right.
    fn is_settled(&self, start: usize, key: &str) -> bool {
        let later = self.finished.filter(|finished| *finished > start);
        later.is_some_and(|later| !self.left[later].contains(key))
    }

    /// Whether the outcome of `key` in the start number `start` is the last word on it.
    fn ends_with(&self, start: usize, key: &str) -> bool {
        let is_left_later = self.left[start + 1..].iter().any(|left| left.contains(key));
        !self.touched.contains(key) && !is_left_later
    }
}

/// A batch, and the number of the start that it is of.
type NumberedBatch = (usize, Result<Vec<Line>, Damage>);

struct MergedBatches<'a> {
    known: Known,
    /// The batches of each start, with its number.
    batches: Box<dyn Iterator<Item = NumberedBatch> + Send + 'a>,
    /// What is known so far of keys with more than one intent.
    pending: HashMap<String, Intent>,
    /// How far the expiry of a key may have moved by itself between two starts, in ms.
    slack_ms: i64,
}

impl<'a> MergedBatches<'a> {
    fn new(starts: &'a [ManifestFile], known: Known) -> Self {
        let batches = starts
            .iter()
            .enumerate()
            .flat_map(|(start, part)| part.batches().map(move |batch| (start, batch)));
        Self {
            known,
            batches: Box::new(batches),
            pending: HashMap::new(),
            slack_ms: starts
                .first()
                .map_or(0, |start| start.header().expiry_slack_ms()),
        }
    }

    /// What of a batch is handed on as it stands.
    fn pass(&mut self, start: usize, lines: Vec<Line>) -> Vec<Line> {
        let mut passed = Vec::with_capacity(lines.len());
        for line in lines {
            match line {
                Line::Intent(intent) if self.known.left[start].contains(&intent.key) => {}
                Line::Intent(mut intent) if self.known.repeated.contains(&intent.key) => {
                    intent.settled = self.known.is_settled(start, &intent.key);
                    let merged = match self.pending.remove(&intent.key) {
                        Some(earlier) => merge(earlier, intent, self.slack_ms),
                        None => intent,
                    };
                    self.pending.insert(merged.key.clone(), merged);
                }
                Line::Intent(mut intent) => {
                    intent.settled = self.known.is_settled(start, &intent.key);
                    passed.push(Line::Intent(intent));
                }
                Line::Outcome(outcome) if self.known.ends_with(start, &outcome.key) => {
                    passed.push(Line::Outcome(outcome));
                }
                _ => {}
            }
        }
        passed
    }
}

impl Iterator for MergedBatches<'_> {
    type Item = Result<Vec<Line>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((start, batch)) = self.batches.next() {
            return Some(batch.map(|lines| self.pass(start, lines)));
        }
        let some: Vec<String> = self.pending.keys().take(MERGED_TOGETHER).cloned().collect();
        let merged = some.iter().filter_map(|key| self.pending.remove(key));
        let merged: Vec<Line> = merged.map(Line::Intent).collect();
        (!merged.is_empty()).then_some(Ok(merged))
    }
}

/// What two intents of one key are together: `earlier` was announced by one start of the shard,
/// `later` by a start after that. Between the two, an expiry may have moved by itself by up to
/// `slack_ms`.
fn merge(earlier: Intent, later: Intent, slack_ms: i64) -> Intent {
    let of_run = std::iter::once(&earlier.made).chain(&earlier.also);
    // Of a state of the run, whether the later start may have found it gone by itself.
    let ran_out = |state: &Option<Snapshot>| {
        let expires_at = state.as_ref().and_then(|state| state.expires_at);
        let at = expires_at.filter(|_| later.prior.is_none());
        at.is_some_and(|at| {
            later
                .absent_at
                .is_none_or(|looked_at| at <= looked_at + CLOCKS_MS)
        })
    };
    // The state that the run had left, if it had.
    let left = of_run
        .clone()
        .find(|state| is_same(state, &later.prior, slack_ms))
        .or_else(|| of_run.clone().any(ran_out).then_some(&None));
    if left.is_none() && !is_same(&earlier.prior, &later.prior, slack_ms) {
        return later;
    }
    let left = left.cloned();
    // The state between the two, as far as either knows it.
    let between = match (left.as_ref().unwrap_or(&earlier.prior), &later.prior) {
        (Some(one), Some(other)) if one.sha1.is_some() || other.sha1.is_none() => {
            Some(without_value(one))
        }
        (_, other) => other.as_ref().map(without_value),
    };
    let prior = match (earlier.prior, later.prior) {
        (Some(first), Some(whole)) if first.sha1.is_none() && whole.sha1.is_some() => {
            Some(Snapshot {
                expires_at: first.expires_at,
                ..whole
            })
        }
        (first, _) => first,
    };
    let made = later.made.map(|made| match &between {
        Some(between) if made.sha1.is_none() && prior_is_whole(&prior) => Snapshot {
            expires_at: made.expires_at,
            ..between.clone()
        },
        _ => made,
    });
    let mut also = earlier.also;
    if left.is_some() {
        also.push(between);
    }
    Intent {
        key: later.key,
        // What the run was begun for: a later start finds its own writes.
        reason: earlier.reason.or(later.reason),
        action: match (&prior, &made) {
            (None, Some(_)) => Action::Create,
            (_, None) => Action::Remove,
            (Some(_), Some(made)) if made.sha1.is_none() => Action::Refresh,
            (Some(_), Some(_)) => Action::Update,
        },
        prior,
        made,
        also,
        settled: later.settled,
        absent_at: None,
        again: false,
        of_archive: later.of_archive,
    }
}

/// Whether a made state is to be told whole: a refresh on both sides knows the expiry alone.
fn prior_is_whole(prior: &Option<Snapshot>) -> bool {
    prior.as_ref().is_none_or(|prior| prior.sha1.is_some())
}

fn without_value(snapshot: &Snapshot) -> Snapshot {
    Snapshot {
        value: None,
        value_base64: None,
        dump_base64: None,
        ..snapshot.clone()
    }
}

/// Whether both are the same state, as far as they tell it, but for an expiry that moved by at most
/// `slack_ms`.
fn is_same(one: &Option<Snapshot>, other: &Option<Snapshot>, slack_ms: i64) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            let is_same_value = match (&one.sha1, &other.sha1) {
                (Some(sum), Some(other_sum)) => {
                    sum == other_sum && one.kind == other.kind && one.fields == other.fields
                }
                _ => true,
            };
            same_expiry(one.expires_at, other.expires_at, slack_ms) && is_same_value
        }
        _ => false,
    }
}

#[cfg(test)]
mod chain;

#[cfg(test)]
mod tests {
    use super::{Action, Intent, Snapshot};

    /// On one server, where no expiry moves by itself.
    fn merge(earlier: Intent, later: Intent) -> Intent {
        super::merge(earlier, later, 0)
    }

    /// A whole state: its value and its expiry.
    fn state(value: &str, expires_at: i64) -> Option<Snapshot> {
        Some(Snapshot {
            kind: Some("string".to_owned()),
            sha1: Some(format!("sum of {value}")),
            bytes: Some(value.len() as u64),
            value: Some(value.to_owned()),
            ..Snapshot::expiry(Some(expires_at))
        })
    }

    fn made(value: &str, expires_at: i64) -> Option<Snapshot> {
        state(value, expires_at).map(|made| super::without_value(&made))
    }

    fn expiry(at: i64) -> Option<Snapshot> {
        Some(Snapshot::expiry(Some(at)))
    }

    fn intent(prior: Option<Snapshot>, made: Option<Snapshot>) -> Intent {
        let action = match (&prior, &made) {
            (None, _) => Action::Create,
            (_, None) => Action::Remove,
            (_, Some(made)) if made.sha1.is_none() => Action::Refresh,
            _ => Action::Update,
        };
        Intent::new("k".to_owned(), action, prior, made)
    }

    #[track_caller]
    fn check(starts: &[Intent], prior: Option<Snapshot>, made: Option<Snapshot>, action: Action) {
        let merged = starts.iter().cloned().reduce(merge).unwrap();
        assert_eq!((merged.prior, merged.made), (prior, made));
        assert_eq!(merged.action, action);
    }

    #[test]
    fn what_the_run_found_first_and_made_last_counts() {
        let (p, m, n) = (state("p", 1), made("m", 2), made("n", 3));
        for between in [state("m", 2), p.clone()] {
            let starts = [intent(p.clone(), m.clone()), intent(between, n.clone())];
            check(&starts, p.clone(), n.clone(), Action::Update);
        }
        let created = [intent(None, m.clone()), intent(state("m", 2), n.clone())];
        check(&created, None, n.clone(), Action::Create);
        let twice = [intent(None, m.clone()), intent(None, n.clone())];
        check(&twice, None, n.clone(), Action::Create);
        let gone = [intent(p.clone(), None), intent(None, n.clone())];
        check(&gone, p.clone(), n, Action::Update);
        let removed = [intent(None, m), intent(state("m", 2), None)];
        check(&removed, None, None, Action::Remove);
    }

    #[test]
    fn what_the_run_may_have_left_in_between_is_known() {
        let (p, m, n) = (state("p", 1), made("m", 2), made("n", 3));
        let starts = [
            intent(p.clone(), m.clone()),
            intent(state("m", 2), n.clone()),
            // The second one was not carried out.
            intent(state("m", 2), made("o", 4)),
        ];
        let merged = starts.into_iter().reduce(merge).unwrap();
        assert_eq!((&merged.prior, &merged.made), (&p, &made("o", 4)));
        assert!(merged.also.contains(&m), "{:?}", merged.also);
        let removed = merge(intent(p, None), intent(None, n));
        assert_eq!(removed.also, [None]);
    }

    #[test]
    fn what_somebody_else_made_in_between_is_what_the_way_back_owes() {
        let theirs = intent(state("theirs", 9), made("n", 3));
        let merged = merge(intent(state("p", 1), made("m", 2)), theirs.clone());
        assert_eq!(merged, theirs);
        // Deleted by somebody, long before it would have expired, and created again.
        let again = Intent {
            absent_at: Some(50_000),
            ..intent(None, made("n", 90_000))
        };
        let first = intent(state("p", 80_000), made("m", 60_000));
        assert_eq!(merge(first, again.clone()), again);
    }

    #[test]
    fn an_expiry_that_moved_with_its_slot_between_two_starts_is_no_change_by_others() {
        let (p, n) = (state("p", 1), made("n", 900_000));
        for (between, owed) in [(state("m", 50_007), p.clone()), (state("p", 8), p.clone())] {
            let first = intent(p.clone(), made("m", 50_000));
            let merged = super::merge(first, intent(between, n.clone()), 1_000);
            assert_eq!(merged.prior, owed);
        }
        let theirs = intent(state("m", 52_000), n);
        let first = intent(p, made("m", 50_000));
        assert_eq!(super::merge(first, theirs.clone(), 1_000), theirs);
    }

    #[test]
    fn what_had_expired_before_the_next_start_was_not_changed_by_anybody() {
        let (p, n) = (state("p", 80_000), made("n", 90_000));
        let again = |absent_at| Intent {
            absent_at,
            ..intent(None, n.clone())
        };
        for absent_at in [Some(2), Some(50_000), None] {
            let first = intent(p.clone(), made("m", 2));
            let merged = merge(first, again(absent_at));
            assert_eq!((&merged.prior, &merged.made), (&p, &n));
            assert_eq!(merged.action, Action::Update);
            assert!(merged.also.contains(&None), "it may be absent too");
            // A start after that, which found the key as the second one made it.
            let third = intent(state("n", 90_000), made("o", 95_000));
            assert_eq!(merge(merged, third).prior, p);
        }
        // What the first start made is there for longer, and what the second made instead is not.
        let twice = merge(
            intent(p.clone(), made("m", 70_000)),
            intent(state("m", 70_000), made("x", 3)),
        );
        assert_eq!(merge(twice, again(Some(50_000))).prior, p);
    }

    #[test]
    fn a_refresh_is_filled_in_from_its_neighbour() {
        let refreshes = [intent(expiry(1), expiry(2)), intent(expiry(2), expiry(3))];
        check(&refreshes, expiry(1), expiry(3), Action::Refresh);
        let then_written = [
            intent(expiry(1), expiry(2)),
            intent(state("p", 2), made("n", 3)),
        ];
        check(&then_written, state("p", 1), made("n", 3), Action::Update);
        let then_refreshed = [
            intent(state("p", 1), made("m", 2)),
            intent(expiry(2), expiry(3)),
        ];
        check(&then_refreshed, state("p", 1), made("m", 3), Action::Update);
        let created = [intent(None, made("m", 2)), intent(expiry(2), expiry(3))];
        check(&created, None, made("m", 3), Action::Create);
        let brought_forward = [
            intent(state("p", 9), expiry(2)),
            intent(expiry(2), expiry(3)),
        ];
        check(&brought_forward, state("p", 9), expiry(3), Action::Refresh);
        let removed = [intent(expiry(1), expiry(2)), intent(state("p", 2), None)];
        check(&removed, state("p", 1), None, Action::Remove);
    }
}
