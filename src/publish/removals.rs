//! What an import removes: articles that are withdrawn, archive objects that are not made any more, the old
//! pages of articles that moved, and with `--prune` what the content tree no longer has.

use std::collections::{BTreeSet, HashSet};

use super::keys::Keys;
use super::report::Report;
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::derive::archive::Archive;
use crate::publish::plan::entry::{Entry, EntryKind};
use crate::publish::plan::leftover::Leftover;
use crate::publish::plan::moved::{self, Moved, Redirects};
use crate::publish::plan::orphans::{Orphans, is_all_seen};
use crate::publish::plan::prune::PrunePlan;
use crate::publish::plan::reach::Scope;
use crate::publish::plan::stale::{StoredArchive, stored_archive};
use crate::publish::plan::withdrawn::withdrawn;
use crate::publish::reason::Reason;
use crate::publish::shards::shard::Shard;
use crate::spool::FinishedSpool;
use crate::store::{Class, Session};

/// What becomes of published articles that the content tree no longer has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrphanPolicy {
    /// They are removed.
    Remove,
    /// They are counted and named.
    Name,
    /// Nothing: nobody looks for them.
    Ignore,
}

/// Decides what is removed.
pub(crate) struct RemovalPlanner<'a> {
    pub orphans: OrphanPolicy,
    /// The part of the articles that this process writes, if that is not all.
    pub share: Option<Shard>,
    /// What is known of all articles, where something is made from many.
    pub archive: Option<&'a Archive>,
    /// Whether the survey was about some articles alone.
    pub is_selection: bool,
    /// Whether the store has the lock of the run.
    pub holds_lock: bool,
}

/// What is removed.
pub(crate) struct Removals {
    pub leftovers: Vec<Leftover>,
    pub counts: RemovalCounts,
    /// Whether `--prune` removes nothing, as not all is known.
    pub are_withheld: bool,
    /// Articles that have another route now.
    moved: Moved,
    /// The routes of redirects that the store has.
    redirects: BTreeSet<Route>,
}

/// How many articles are removed, by all shards together.
pub(crate) struct RemovalCounts {
    /// Those that are withdrawn.
    pub withdrawn: u64,
    /// Those that `--prune` removes. What moved is there still.
    pub pruned: u64,
    /// Stored routes that `--prune` looked at.
    pub in_reach: u64,
    /// Published articles that the content tree no longer has; none where nobody looked.
    pub orphans: Option<u64>,
}

/// What becomes of published articles that the content tree no longer has.
struct Gone {
    pruning: PrunePlan,
    /// Articles that have another route now …
    moved: Moved,
    /// … and what the store holds at their old ones, without `--prune`.
    leftovers: Vec<Leftover>,
    orphans: Option<u64>,
}

impl RemovalPlanner<'_> {
    /// What is removed: articles that are withdrawn, archive objects that are not made any more, and with
    /// `--prune` what has no source.
    ///
    /// # Errors
    /// 65 and 130 when the run has to end, 69 and 77 when the store fails.
    pub(crate) fn removals(
        &self,
        scope: &Scope<'_>,
        session: &mut Session,
        report: &mut dyn Report,
    ) -> Result<Removals, Failure> {
        let keys = Keys::new(&scope.settings.prefix);
        let mut withdrawn = match self.orphans {
            OrphanPolicy::Ignore => Vec::new(),
            _ => withdrawn(scope, session, &keys)?,
        };
        let objects = withdrawn
            .iter()
            .map(|one| one.objects(&keys).count() as u64);
        // The lock is a key of ours.
        let other_keys = objects.sum::<u64>() + u64::from(self.holds_lock);
        let StoredArchive {
            mut stale,
            redirects,
        } = match self.has_more_keys(scope, session, other_keys)? {
            true => self.stored_archive(scope, session)?,
            false => StoredArchive::default(),
        };
        let scope = &Scope {
            stale: &stale,
            ..*scope
        };
        let Gone {
            mut pruning,
            moved,
            leftovers: mut of_moved,
            orphans,
        } = self.gone(scope, session, (&withdrawn, other_keys, &redirects), report)?;
        let is_withdrawn = |one: &mut Leftover| one.reason == Reason::Withdrawn;
        withdrawn.extend(pruning.leftovers.extract_if(.., is_withdrawn));
        withdrawn.extend(of_moved.extract_if(.., is_withdrawn));
        withdrawn.sort_by(|a, b| a.route.cmp(&b.route));
        let pruned = pruning.leftovers.iter();
        let pruned = pruned.filter(|leftover| leftover.reason != Reason::Moved);
        let counts = RemovalCounts {
            withdrawn: withdrawn.len() as u64,
            pruned: pruned.count() as u64,
            in_reach: pruning.in_reach,
            orphans,
        };
        let mut leftovers = pruning.leftovers;
        leftovers.append(&mut withdrawn);
        leftovers.append(&mut of_moved);
        if let Some(shard) = self.share {
            // All of them were expected; each shard removes its own.
            leftovers.retain(|leftover| shard.takes(&leftover.route));
        }
        // The text of an article that goes, goes with it.
        let gone: HashSet<&Route> = leftovers.iter().map(|one| &one.route).collect();
        stale.retain(|one| one.kind != EntryKind::Text || !gone.contains(&one.route));
        leftovers.append(&mut stale);
        Ok(Removals {
            leftovers,
            counts,
            are_withheld: pruning.withheld.is_some(),
            moved,
            redirects,
        })
    }

    /// Whether archive objects are removed that are not made any more. While a source cannot be read, nobody
    /// knows what it would have been listed by.
    fn removes_stale(&self, scope: &Scope<'_>) -> bool {
        let (settings, survey) = (scope.settings, scope.survey);
        let is_whole = settings.part.is_none() && !self.is_selection;
        let is_asked = settings.archive.is_on() || self.orphans == OrphanPolicy::Remove;
        let is_meant = is_whole && is_asked && self.orphans != OrphanPolicy::Ignore;
        is_meant && survey.invalid + survey.skipped + survey.changed == 0
    }

    fn has_more_keys(
        &self,
        scope: &Scope<'_>,
        session: &mut Session,
        other_keys: u64,
    ) -> Result<bool, Failure> {
        if !self.removes_stale(scope) {
            return Ok(false);
        }
        let all_seen = is_all_seen(scope, session, other_keys, self.share);
        let all_seen = all_seen.map_err(|error| Failure::before_writing(&error))?;
        Ok(!all_seen)
    }

    /// What the store has of archive objects besides those that are made.
    fn stored_archive(
        &self,
        scope: &Scope<'_>,
        session: &mut Session,
    ) -> Result<StoredArchive, Failure> {
        let keys = Keys::new(&scope.settings.prefix);
        let meant = (scope.survey, scope.settings.archive.text);
        match stored_archive(session, &keys, meant, self.share) {
            // An import needs no right to SCAN.
            Err(error) if error.class == Class::Never => Ok(StoredArchive::default()),
            found => found.map_err(|error| Failure::before_writing(&error)),
        }
    }

    /// The redirects that no source asks for: from the old routes of articles that moved, and those that the
    /// store has. Those that go are added to `removals`.
    ///
    /// # Errors
    /// 69 and 77 when the store fails, 74 when the spool does.
    pub(crate) fn redirects(
        &self,
        scope: &Scope<'_>,
        (session, started_at): (&mut Session, i64),
        spooled: Option<&FinishedSpool>,
        removals: &mut Removals,
    ) -> Result<Vec<Entry>, Failure> {
        let (settings, survey) = (scope.settings, scope.survey);
        let keys = &Keys::new(&settings.prefix);
        let (Some(archive), Some(keep_ms)) = (self.archive, settings.archive.redirects) else {
            if self.orphans == OrphanPolicy::Remove && settings.archive.redirects.is_none() {
                let unmade = moved::unmade(session, keys, &removals.redirects)?;
                removals.leftovers.extend(unmade);
            }
            return Ok(Vec::new());
        };
        let mut redirects = Redirects {
            session,
            keys,
            archive,
            moved: &removals.moved,
            held: survey.held_routes.iter().chain(&survey.claimed).collect(),
            found: &removals.redirects,
            made: &survey.objects,
            spooled,
            share: self.share,
            until_ms: started_at.saturating_add(keep_ms),
        };
        let mut entries = redirects.of_moved()?;
        let stored = redirects.stored()?;
        entries.extend(stored.changed);
        removals.leftovers.extend(stored.removed);
        Ok(entries)
    }

    /// What becomes of published articles that the content tree no longer has: removed, or named. The store
    /// has the pages `withdrawn` of those that are withdrawn, `other_keys` that the survey did not see, and
    /// redirects at the routes `redirects`.
    fn gone(
        &self,
        scope: &Scope<'_>,
        session: &mut Session,
        (withdrawn, other_keys, redirects): (&[Leftover], u64, &BTreeSet<Route>),
        report: &mut dyn Report,
    ) -> Result<Gone, Failure> {
        let keys = Keys::new(&scope.settings.prefix);
        let mut pruning = match self.orphans {
            OrphanPolicy::Remove => PrunePlan::plan(scope, session, &keys)?,
            OrphanPolicy::Name | OrphanPolicy::Ignore => PrunePlan::default(),
        };
        if let Some(why) = &pruning.withheld {
            report.warning(why);
        }
        let find = |session: &mut Session, old: &[Leftover]| {
            self.moved(scope, session, (old, withdrawn, redirects))
        };
        let (mut moved, mut leftovers, mut count) = (Moved::new(), Vec::new(), None);
        if self.orphans == OrphanPolicy::Name || pruning.withheld.is_some() {
            let mut orphans = Orphans::find(scope, session, other_keys, self.share)?;
            moved.extend(find(session, orphans.leftovers())?);
            moved.extend(find(session, orphans.far())?);
            leftovers = orphans.take(|route| moved.contains_key(route));
            orphans.report(report);
            let number = orphans.leftovers().len() as u64;
            count = orphans.are_known().then_some(number);
        } else {
            moved.extend(find(session, &pruning.leftovers)?);
            moved.extend(find(session, &pruning.far)?);
        }
        leftovers.extend(pruning.take_far(|route| moved.contains_key(route)));
        for leftover in pruning.leftovers.iter_mut().chain(&mut leftovers) {
            if let Some(to) = moved.get(&leftover.route) {
                leftover.reason = moved::reason(to.as_ref());
            }
        }
        pruning.out_of_reach.report(report);
        Ok(Gone {
            pruning,
            moved,
            leftovers,
            orphans: count,
        })
    }

    /// Where the articles of `old` routes are now. While a source cannot be read, it may be theirs.
    fn moved(
        &self,
        scope: &Scope<'_>,
        session: &mut Session,
        (old, withdrawn, redirects): (&[Leftover], &[Leftover], &BTreeSet<Route>),
    ) -> Result<Moved, Failure> {
        let settings = scope.settings;
        match (self.archive, settings.archive.redirects) {
            (Some(archive), Some(_)) if self.removes_stale(scope) => {
                let keys = Keys::new(&settings.prefix);
                let known = (archive, scope.survey);
                let mut moved = moved::announced(session, &keys, known, old, redirects)?;
                moved.extend(moved::find(session, &keys, known, (old, withdrawn))?);
                Ok(moved)
            }
            _ => Ok(Moved::new()),
        }
    }
}
