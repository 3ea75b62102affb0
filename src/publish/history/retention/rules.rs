//! Which old manifests are removed (`keep_runs`): few rules, and every doubt keeps a file.
//!
//! A manifest is kept by any of these:
//!
//! 1. It is among the newest `count`, or younger than `age`.
//! 2. It is the current run, or what that one undoes.
//! 3. It may be somebody's way back: of its store the newest finished run, the newest
//!    finished import, and the newest one that wrote and was not rolled back.
//! 4. It stopped half-way, died or is still under way, and no finished rollback undid it whole:
//!    one that left keys can be repeated once the run that changed them is undone.
//! 5. It is a rollback, and what it says of an older run that is kept would be forgotten.
//!
//! Files that cannot be read, that have another name than their run, or that are no plain
//! files are no part of this: they are neither counted nor removed. Those of other hosts
//! are runs like any other.

use std::collections::HashSet;

use crate::publish::history::records::{End, Record, rolled_back};
use crate::settings::KeepRuns;

/// A run without a footer or an intent may be under way on another host for so long.
const SURVEY_MS: i64 = 24 * 60 * 60 * 1000;

/// One manifest in the folder.
#[derive(Clone, Debug)]
pub struct RetainedRun {
    /// What it says.
    pub record: Record,
    /// When the file was last written, by this machine's clock, ms since 1970.
    pub changed_at: i64,
    /// Whether caches are not yet purged of what it changed.
    pub owes: bool,
}

/// The time by the two clocks that date a manifest. Only what is old by both is old: one
/// clock that is wrong for a night must not cost the way back.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// By the server's clock, as the start of a run.
    pub server_ms: i64,
    /// By this machine's clock, as the date of a file.
    pub local_ms: i64,
}

/// The runs whose manifests are not needed any more, oldest first. `all` is in the order of
/// their starts, `current` the run that has just ended.
#[must_use]
pub fn superfluous<'a>(
    all: &'a [RetainedRun],
    keep: KeepRuns,
    now: Now,
    current: &str,
) -> Vec<&'a Record> {
    let records: Vec<Record> = all.iter().map(|kept| kept.record.clone()).collect();
    let rolled_back = rolled_back(&records);
    let left_keys: HashSet<&str> = records
        .iter()
        .filter(|record| record.left_keys)
        .map(|record| record.run.as_str())
        .collect();
    let is_undone = |record: &Record| rolled_back.contains_key(record.run.as_str());
    let is_undone_whole = |record: &Record| {
        let by = rolled_back.get(record.run.as_str());
        by.is_some_and(|by| !left_keys.contains(by))
    };
    let newest = newest_of_each_store(all, &is_undone_whole);
    let current_undoes = all
        .iter()
        .find(|kept| kept.record.run == current)
        .and_then(|kept| kept.record.undoes.as_deref());
    let younger_than = |kept: &RetainedRun, age_ms: i64| {
        now.server_ms.saturating_sub(kept.record.started_at) < age_ms
            || now.local_ms.saturating_sub(kept.changed_at) < age_ms
    };
    let age_ms = i64::try_from(keep.age_ms).unwrap_or(i64::MAX);
    let first_counted = all
        .len()
        .saturating_sub(usize::try_from(keep.count).unwrap_or(usize::MAX));

    // What kept rollbacks say is about older runs, so by their turn those are decided.
    let mut kept_runs: HashSet<&str> = HashSet::new();
    let mut kept_targets: HashSet<&str> = HashSet::new();
    let mut removed = Vec::new();
    for (index, kept) in all.iter().enumerate() {
        let record = &kept.record;
        let (run, undoes) = (record.run.as_str(), record.undoes.as_deref());
        let is_open = match record.end {
            End::Finished { .. } | End::Refused => false,
            End::Open { intents: true } => {
                !is_undone_whole(record) && !is_made_up_for(record, all, &is_undone)
            }
            End::Open { intents: false } => younger_than(kept, age_ms.max(SURVEY_MS)),
        };
        let speaks_of_kept = undoes
            .is_some_and(|target| kept_runs.contains(target) || kept_targets.contains(target));
        let is_kept = index >= first_counted
            || younger_than(kept, age_ms)
            || run == current
            || Some(run) == current_undoes
            || newest.contains(run)
            || is_open
            || kept.owes
            || speaks_of_kept;
        if is_kept {
            kept_runs.insert(run);
            kept_targets.extend(undoes);
        } else {
            removed.push(record);
        }
    }
    removed
}

fn newest_of_each_store<'a>(
    all: &'a [RetainedRun],
    is_undone: &dyn Fn(&Record) -> bool,
) -> HashSet<&'a str> {
    let mut newest = HashSet::new();
    let kinds: [&dyn Fn(&Record) -> bool; 3] =
        [&|_| true, &|record| record.undoes.is_none(), &|record| {
            let wrote = record.end == End::Finished { wrote: true };
            record.undoes.is_none() && wrote && !is_undone(record)
        }];
    for is_kind in kinds {
        let mut stores = HashSet::new();
        let of_kind = all.iter().rev().map(|kept| &kept.record);
        for record in of_kind.filter(|record| record.is_finished() && is_kind(record)) {
            if stores.insert(&record.store) {
                newest.insert(record.run.as_str());
            }
        }
    }
    newest
}

/// A rollback that stopped has nothing left to do once a later one of the same run
/// finished whole, unless that one was undone.
fn is_made_up_for(
    rollback: &Record,
    all: &[RetainedRun],
    is_undone: &dyn Fn(&Record) -> bool,
) -> bool {
    rollback.undoes.is_some()
        && all.iter().map(|kept| &kept.record).any(|later| {
            later.undoes == rollback.undoes
                && later.store == rollback.store
                && later.order > rollback.order
                && later.is_finished()
                && !later.left_keys
                && !is_undone(later)
        })
}

#[cfg(test)]
mod tests {
    use super::{Now, RetainedRun, superfluous};
    use crate::publish::history::records::{End, Record};
    use crate::settings::KeepRuns;

    const DAY: i64 = 24 * 60 * 60 * 1000;
    const DONE: End = End::Finished { wrote: true };
    const KEPT_ALL: End = End::Finished { wrote: false };
    const STOPPED: End = End::Open { intents: true };
    const EMPTY: End = End::Open { intents: false };

    /// A run that started and ended so many days after 1970.
    fn import(day: i64, end: End) -> RetainedRun {
        let record = Record {
            run: format!("{day:04}"),
            order: format!("{day:04}"),
            store: ("redis://a".to_owned(), 0, "anp".to_owned()),
            started_at: day * DAY,
            undoes: None,
            end,
            left_keys: false,
        };
        RetainedRun {
            record,
            changed_at: day * DAY,
            owes: false,
        }
    }

    fn rollback(day: i64, undoes: i64, end: End) -> RetainedRun {
        let mut kept = import(day, end);
        kept.record.undoes = Some(format!("{undoes:04}"));
        kept
    }

    fn leaving_keys(mut kept: RetainedRun) -> RetainedRun {
        kept.record.left_keys = true;
        kept
    }

    fn at_another_store(mut kept: RetainedRun) -> RetainedRun {
        kept.record.store.2 = "other".to_owned();
        kept
    }

    /// Days of the runs that go at day 1000, after a run that wrote.
    fn removed(count: u64, days: i64, runs: &[RetainedRun]) -> Vec<i64> {
        let mut all = runs.to_vec();
        all.push(import(1000, DONE));
        removed_at(count, days, &all, [1000, 1000], 1000)
    }

    fn removed_at(
        count: u64,
        days: i64,
        all: &[RetainedRun],
        now: [i64; 2],
        current: i64,
    ) -> Vec<i64> {
        let keep = KeepRuns {
            count,
            age_ms: (days * DAY).cast_unsigned(),
        };
        let now = Now {
            server_ms: now[0] * DAY,
            local_ms: now[1] * DAY,
        };
        let gone = superfluous(all, keep, now, &format!("{current:04}"));
        gone.iter()
            .map(|record| record.run.parse().unwrap())
            .collect()
    }

    #[test]
    fn any_rule_that_keeps_keeps() {
        let runs: Vec<RetainedRun> = (990..1000).map(|day| import(day, DONE)).collect();
        assert_eq!(removed(3, 5, &runs), [990, 991, 992, 993, 994, 995]);
        assert_eq!(removed(8, 5, &runs), [990, 991, 992]);
        assert_eq!(removed(11, 5, &runs), [0; 0]);
        assert_eq!(removed(0, 11, &runs), [0; 0]);
        assert_eq!(removed(0, 0, &runs).len(), 10, "all but the current one");
    }

    #[test]
    fn the_newest_finished_ones_of_each_store_stay() {
        let runs = [
            at_another_store(import(1, DONE)),
            at_another_store(import(2, DONE)),
            at_another_store(import(3, KEPT_ALL)),
            at_another_store(import(4, End::Refused)),
            at_another_store(rollback(5, 1, DONE)),
            at_another_store(import(6, End::Refused)),
            import(7, DONE),
        ];
        // 2 wrote what stands there, 3 is the newest import, 5 the newest of all.
        assert_eq!(removed(0, 0, &runs), [1, 4, 6, 7]);
    }

    #[test]
    fn an_import_that_was_rolled_back_does_not_stand_for_the_one_before() {
        let runs = [
            at_another_store(import(1, DONE)),
            at_another_store(import(2, DONE)),
            at_another_store(import(3, DONE)),
            at_another_store(rollback(4, 3, DONE)),
        ];
        assert_eq!(removed(0, 0, &runs), [1]);
    }

    #[test]
    fn an_open_run_stays_until_a_finished_rollback_undid_it() {
        assert_eq!(removed(0, 0, &[import(1, STOPPED)]), [0; 0]);
        let stopped = [import(1, STOPPED), rollback(2, 1, STOPPED)];
        assert_eq!(removed(0, 0, &stopped), [0; 0]);
        // The rollback that stopped is made up for by the one that finished.
        let undone = [&stopped[..], &[rollback(3, 1, DONE)]].concat();
        assert_eq!(removed(0, 0, &undone), [1, 2, 3]);
        assert_eq!(
            removed(0, 0, &undone[1..]),
            [2, 3],
            "also once its run is gone"
        );
        // That one undone, the first is in force again, and nothing that tells so may go.
        let again = [&undone[..], &[rollback(4, 3, DONE)]].concat();
        assert_eq!(removed(0, 0, &again), [0; 0]);
        assert_eq!(removed(0, 0, &again[1..]), [0; 0]);
        let elsewhere = [
            at_another_store(rollback(2, 1, STOPPED)),
            rollback(3, 1, DONE),
        ];
        assert_eq!(removed(0, 0, &elsewhere), [0; 0]);
        // RetainedRun for its date, it would stay for ever without the one that made up for it.
        let mut young = rollback(2, 1, STOPPED);
        young.changed_at = 1000 * DAY;
        assert_eq!(removed(0, 1, &[young, rollback(3, 1, DONE)]), [0; 0]);
        let elsewhere = [import(1, STOPPED), at_another_store(rollback(2, 1, DONE))];
        assert_eq!(removed(0, 0, &elsewhere), [0; 0]);
    }

    #[test]
    fn a_rollback_that_left_keys_undid_no_run_whole() {
        let partial = [import(1, STOPPED), leaving_keys(rollback(2, 1, DONE))];
        assert_eq!(removed(0, 0, &partial), [0; 0]);
        let stopped = [rollback(2, 1, STOPPED), leaving_keys(rollback(3, 1, DONE))];
        assert_eq!(removed(0, 0, &stopped), [0; 0]);
        let whole = [&partial[..], &[rollback(3, 1, DONE)]].concat();
        assert_eq!(removed(0, 0, &whole), [1, 2, 3]);
        // Nor does it stand for the way back of a finished one.
        let finished = [
            at_another_store(import(1, DONE)),
            at_another_store(import(2, DONE)),
            at_another_store(leaving_keys(rollback(3, 2, DONE))),
            at_another_store(import(4, KEPT_ALL)),
        ];
        assert_eq!(removed(0, 0, &finished), [1]);
    }

    #[test]
    fn one_that_may_have_written_nothing_stays_for_a_day() {
        let mut fresh = import(999, EMPTY);
        fresh.record.started_at += DAY / 2;
        fresh.changed_at += DAY / 2;
        assert_eq!(removed(0, 0, &[import(1, EMPTY), fresh]), [1]);
    }

    #[test]
    fn a_rollback_is_not_forgotten_before_its_run() {
        // The import is the newest of its store; without its rollback it would read done.
        let runs = [
            at_another_store(import(1, DONE)),
            at_another_store(rollback(2, 1, DONE)),
            at_another_store(rollback(3, 1, KEPT_ALL)),
            at_another_store(rollback(4, 999, KEPT_ALL)),
        ];
        assert_eq!(removed(0, 0, &runs), [0; 0]);
        assert_eq!(removed(0, 0, &runs[1..]), [2, 3]);
    }

    #[test]
    fn the_current_run_and_what_it_undoes_stay() {
        let all = [
            import(1, STOPPED),
            import(2, DONE),
            import(3, DONE),
            rollback(1000, 1, DONE),
        ];
        assert_eq!(removed_at(0, 0, &all, [1000, 1000], 1000), [2]);
    }

    #[test]
    fn a_clock_that_is_wrong_removes_nothing() {
        let all: Vec<RetainedRun> = (990..=1000).map(|day| import(day, DONE)).collect();
        for now in [[9000, 1000], [1000, 9000], [1, 1], [1, 9000], [9000, 1]] {
            assert_eq!(removed_at(0, 20, &all, now, 1000), [0; 0], "{now:?}");
        }
        // Dates in the future stay until they have passed.
        let future = [import(5000, DONE), import(5001, DONE)];
        assert_eq!(removed_at(0, 1, &future, [1000, 1000], 5001), [0; 0]);
    }

    #[test]
    fn whatever_stays_is_judged_the_same_without_what_went() {
        // Many small histories: each run an import or a rollback of one before it, finished,
        // stopped or refused, at one of two stores, by clocks that were right or wrong.
        let ends = [DONE, KEPT_ALL, STOPPED, End::Refused];
        let mut checked = 0;
        for seed in 0..10_000_u64 {
            let mut rest = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ seed;
            let mut pick = |below: u64| {
                rest = rest.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (rest >> 33) % below
            };
            let mut all = Vec::new();
            for day in 0..6_i64 {
                let end = ends[pick(4) as usize];
                let undoes = pick(2 + day.cast_unsigned()).cast_signed();
                let mut kept = if undoes < day && pick(3) > 0 {
                    rollback(day, undoes, end)
                } else {
                    import(day, end)
                };
                if pick(4) == 0 {
                    kept = at_another_store(kept);
                }
                if pick(3) == 0 {
                    // A clock was set back, or forward.
                    kept.record.started_at = pick(1200).cast_signed() * DAY;
                }
                all.push(kept);
            }
            all.push(import(1000, DONE));
            let count = pick(4);
            let gone = removed_at(count, 100, &all, [1000, 1000], 1000);
            let id = |kept: &RetainedRun| kept.record.run.parse::<i64>().unwrap();
            let records = |all: &[RetainedRun]| -> Vec<Record> {
                all.iter().map(|kept| kept.record.clone()).collect()
            };
            let before = records(&all);
            let before = crate::publish::history::records::rolled_back(&before);
            // Also if it is interrupted after any of them.
            for done in 0..=gone.len() {
                let mut left = all.clone();
                left.retain(|kept| !gone[..done].contains(&id(kept)));
                let rest = removed_at(count, 100, &left, [1000, 1000], 1000);
                assert_eq!(rest, gone[done..], "{seed}: {all:?}");
                let after = records(&left);
                let after = crate::publish::history::records::rolled_back(&after);
                for kept in &left {
                    let run = kept.record.run.as_str();
                    assert_eq!(
                        before.contains_key(run),
                        after.contains_key(run),
                        "{seed}: {run} after {done} of {gone:?}: {all:?}"
                    );
                }
            }
            for kept in all.iter().filter(|kept| gone.contains(&id(kept))) {
                let is_open = matches!(kept.record.end, End::Open { .. });
                checked += u64::from(is_open);
                assert!(
                    !is_open
                        || before.contains_key(kept.record.run.as_str())
                        || kept.record.undoes.is_some(),
                    "{seed}: an open import went"
                );
            }
        }
        assert!(checked > 300, "{checked}");
    }
}
