//! The plan of a command that publishes articles: survey, diagnostics, what to remove, room.

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeSet, HashSet};

use super::job::Job;
use super::keys::Keys;
use super::plan::Plan;
use super::report::Report;
use super::work::{Judged, PlanInputs, Work};
use crate::article::{Cleaned, Route};
use crate::diagnostic::{Diagnostic, Severity};
use crate::failure::Failure;
use crate::publish::apply::stop::Stop;
use crate::publish::derive::archive::Archive;
use crate::publish::gates::expectations;
use crate::publish::gates::invalid::{judged_articles, refuse_invalid, refuse_nothing};
use crate::publish::gates::space::{Gate, admit};
use crate::publish::manifest::Counts;
use crate::publish::plan::entry::{Entry, EntryKind};
use crate::publish::plan::leftover::Leftover;
use crate::publish::plan::moved::{self, Moved, Redirects};
use crate::publish::plan::need::{Need, Policy};
use crate::publish::plan::orphans::{Orphans, is_all_seen};
use crate::publish::plan::prune::PrunePlan;
use crate::publish::plan::reach::Scope;
use crate::publish::plan::stale::{StoredArchive, stored_archive};
use crate::publish::plan::withdrawn::{report_withdrawn, withdrawn};
use crate::publish::reason::Reason;
use crate::publish::survey::batch::SurveyError;
use crate::publish::survey::content::{Corpus, SurveyPurpose, SurveyScope, survey, survey_again};
use crate::publish::survey::findings::HeldFindings;
use crate::publish::survey::load::CHANGED;
use crate::publish::survey::surveyor::Survey;
use crate::render::Renderer;
use crate::source::{Caching, Order};
use crate::spool::FinishedSpool;
use crate::store::{Class, Session};
use crate::words::{counted, listed, with};

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

/// How articles are published.
pub(crate) struct Articles<'a> {
    pub job: &'a Job<'a>,
    pub renderer: &'a Renderer,
    pub orphans: OrphanPolicy,
    /// Whether to remove more than the settings allow, and to begin without room.
    pub force: bool,
    /// Whether this is a rehearsal.
    pub is_rehearsal: bool,
    /// Whether files that did not change are not read.
    pub cache: bool,
    /// Which articles, and by which rule.
    pub wanted: SurveyScope<'a>,
    /// Where they come from, once the plan was made.
    pub corpus: OnceCell<Corpus<'a>>,
    /// What the run knows of all of them, where something is made from many.
    pub archive: OnceCell<Archive>,
    /// How many articles the plan judged.
    pub judged: Cell<Option<Judged>>,
}

impl<'a> Articles<'a> {
    /// All articles of the content tree, for `job`.
    pub(crate) fn of(job: &'a Job<'a>, renderer: &'a Renderer) -> Self {
        Self {
            job,
            renderer,
            orphans: OrphanPolicy::Ignore,
            force: false,
            is_rehearsal: false,
            cache: false,
            wanted: SurveyScope::all(),
            corpus: OnceCell::new(),
            archive: OnceCell::new(),
            judged: Cell::new(None),
        }
    }
}

impl Work for Articles<'_> {
    fn plan(&self, mut begun: PlanInputs<'_>, report: &mut dyn Report) -> Result<Plan, Failure> {
        if let Some((generator, count)) = self.wanted.generated {
            report.seeded(generator, count);
        }
        let Job {
            settings,
            interrupted,
            time_limit,
            ..
        } = self.job;
        let keys = Keys::new(&settings.prefix);
        let purpose = SurveyPurpose {
            store: Some((&mut *begun.session, &keys)),
            spool_in: begun.spool_in,
            interrupted,
            time_limit: *time_limit,
            wanted: self.wanted,
            code: None,
            run: begun.run,
            started_at: begun.started_at,
            cache: match begun.spool_in {
                _ if !self.cache => Caching::Off,
                // A run that will write, and so holds the lock of the folder.
                Some(_) => Caching::Write,
                None => Caching::Read,
            },
        };
        let (wanted, caching) = (&self.wanted, purpose.cache);
        let corpus = Corpus::find(settings, wanted, interrupted, *time_limit, caching, report)?;
        let (mut survey, spooled) = survey(settings, self.renderer, purpose, &corpus, report)?;
        let _ = self.corpus.set(corpus);
        if let Some(archive) = survey.archive.take() {
            let _ = self.archive.set(archive);
        }
        report.findings(&survey);
        say_which_lists_are_missing(&survey, report);
        let invalid = survey.unusable();
        let of = judged_articles(&survey);
        self.judged.set(Some(Judged {
            invalid,
            of,
            orphans: None,
        }));
        report.counts(&Counts {
            invalid,
            ..Counts::default()
        });
        let scope = Scope {
            settings,
            survey: &survey,
            stale: &[],
            interrupted,
            time_limit: *time_limit,
        };
        let holds_lock = begun.spool_in.is_some();
        let mut removals = self.removals(&scope, begun.session, holds_lock, report)?;
        let redirects = self.redirects(&scope, &mut begun, spooled.as_ref(), &mut removals)?;
        let idle = self.wanted.selection.idle(&survey.busy);
        for name in &idle {
            report.warning(&format!("no article matches {name}"));
        }
        let mut entries = survey.entries;
        if let Some(archive) = self.archive.get().filter(|_| wanted.order == Order::Path) {
            // Similar posts are older ones, which are there first then.
            archive.sort_by_age(&mut entries);
        }
        entries.extend(survey.objects);
        entries.extend(redirects);
        let mut plan = Plan {
            entries,
            spooled,
            leftovers: removals.leftovers,
            invalid,
            is_partial: invalid + survey.changed > 0 || removals.are_withheld || !idle.is_empty(),
            refused: removals.refused,
            refreshed_within_ms: None,
        };
        plan.is_partial |= plan.count(Need::Blocked) > 0;
        say_what_stays(&plan, report);
        let gate = Gate {
            force: self.force,
            is_rehearsal: self.is_rehearsal,
            is_spooled: begun.spool_in.is_some(),
        };
        admit(&mut plan, settings, begun.session, gate, report)?;
        Ok(plan)
    }

    fn judged(&self) -> Option<Judged> {
        self.judged.get()
    }

    fn plan_again(
        &self,
        begun: PlanInputs<'_>,
        sources: &[u32],
        report: &mut dyn Report,
    ) -> Result<Plan, Stop> {
        let Some(corpus) = self.corpus.get() else {
            return Ok(Plan::default());
        };
        let settings = self.job.settings;
        let keys = Keys::new(&settings.prefix);
        let purpose = SurveyPurpose {
            store: Some((&mut *begun.session, &keys)),
            spool_in: begun.spool_in,
            interrupted: self.job.interrupted,
            time_limit: self.job.time_limit,
            code: None,
            wanted: SurveyScope {
                policy: Policy::Again,
                order: Order::Path,
                ..self.wanted
            },
            run: begun.run,
            started_at: begun.started_at,
            cache: Caching::Off,
        };
        let meant = (self.archive.get(), sources);
        let surveyed = survey_again(settings, self.renderer, purpose, corpus, meant, report);
        let (mut survey, spooled) = surveyed.map_err(|error| match error {
            SurveyError::Store(error) => Stop::Store(error),
            SurveyError::Spool(error) => Stop::Spool(error),
            SurveyError::TimedOut(late) => Stop::TimedOut(late),
            SurveyError::Interrupted => Stop::Interrupted,
            error @ SurveyError::Render(..) => Stop::Spool(std::io::Error::other(error)),
        })?;
        // The rest was reported before.
        let is_new =
            |found: &Diagnostic| found.severity == Severity::Error || found.code == CHANGED;
        let mut findings = HeldFindings::default();
        findings.add(survey.diagnostics.into_iter().filter(is_new));
        (survey.diagnostics, survey.codes) = findings.finish();
        survey.cleaned = Cleaned::default();
        report.findings(&survey);
        let mut entries = survey.entries;
        entries.extend(survey.objects);
        Ok(Plan {
            entries,
            spooled,
            ..Plan::default()
        })
    }
}

/// What a plan removes.
struct Removals {
    leftovers: Vec<Leftover>,
    /// Whether `--prune` removes nothing, as not all is known.
    are_withheld: bool,
    /// Why the plan is not what was expected, if so.
    refused: Option<Failure>,
    /// Articles that have another route now.
    moved: Moved,
    /// The routes of redirects that the store has.
    redirects: BTreeSet<Route>,
}

/// What becomes of published articles that the content tree no longer has.
struct Gone {
    pruning: PrunePlan,
    /// Articles that have another route now …
    moved: Moved,
    /// … and what the store holds at their old ones, without `--prune`.
    leftovers: Vec<Leftover>,
}

impl Articles<'_> {
    /// What the run removes: articles that are withdrawn, and with `--prune` those without a source.
    fn removals(
        &self,
        scope: &Scope<'_>,
        session: &mut Session,
        holds_lock: bool,
        report: &mut dyn Report,
    ) -> Result<Removals, Failure> {
        let (settings, survey) = (scope.settings, scope.survey);
        let keys = Keys::new(&settings.prefix);
        let mut withdrawn = match self.orphans {
            OrphanPolicy::Ignore => Vec::new(),
            _ => withdrawn(scope, session, &keys)?,
        };
        // To take down the only article of a tree is no mistake.
        if withdrawn.is_empty() {
            refuse_nothing(settings, survey)?;
        }
        refuse_invalid(settings, survey)?;
        let objects = withdrawn
            .iter()
            .map(|one| one.objects(&keys).count() as u64);
        // The lock is a key of ours.
        let other_keys = objects.sum::<u64>() + u64::from(holds_lock);
        let has_more_keys = self.has_more_keys(scope, session, other_keys)?;
        let StoredArchive {
            mut stale,
            redirects,
        } = match has_more_keys {
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
        } = self.gone(scope, session, other_keys, report)?;
        let refused = self.gate(survey, &pruning, &withdrawn).err();
        if let Some(shard) = self.wanted.share {
            // All of them were expected; each shard removes its own.
            let is_own = |leftover: &Leftover| shard.takes(&leftover.route);
            pruning.leftovers.retain(is_own);
            withdrawn.retain(is_own);
            of_moved.retain(is_own);
            let articles = survey.entries.len();
            report.share(shard, articles, articles + survey.elsewhere.len());
        }
        report_withdrawn(&withdrawn, report);
        let mut leftovers = pruning.leftovers;
        leftovers.append(&mut withdrawn);
        leftovers.append(&mut of_moved);
        // The text of an article that goes, goes with it.
        let gone: HashSet<&Route> = leftovers.iter().map(|one| &one.route).collect();
        stale.retain(|one| one.kind != EntryKind::Text || !gone.contains(&one.route));
        leftovers.append(&mut stale);
        Ok(Removals {
            leftovers,
            are_withheld: pruning.withheld.is_some(),
            refused,
            moved,
            redirects,
        })
    }

    /// Whether archive objects are removed that are not made any more. While a source cannot be read, nobody
    /// knows what it would have been listed by.
    fn removes_stale(&self, scope: &Scope<'_>) -> bool {
        let (settings, survey) = (scope.settings, scope.survey);
        let is_whole = settings.part.is_none() && self.orphans != OrphanPolicy::Ignore;
        let is_asked = settings.archive.is_on() || self.orphans == OrphanPolicy::Remove;
        is_whole && is_asked && survey.invalid + survey.skipped + survey.changed == 0
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
        let all_seen = is_all_seen(scope, session, other_keys, self.wanted.share);
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
        match stored_archive(session, &keys, meant, self.wanted.share) {
            // An import needs no right to SCAN.
            Err(error) if error.class == Class::Never => Ok(StoredArchive::default()),
            found => found.map_err(|error| Failure::before_writing(&error)),
        }
    }

    /// The redirects that no source asks for: from the old routes of articles that moved, and those that the
    /// store has.
    fn redirects(
        &self,
        scope: &Scope<'_>,
        begun: &mut PlanInputs<'_>,
        spooled: Option<&FinishedSpool>,
        removals: &mut Removals,
    ) -> Result<Vec<Entry>, Failure> {
        let (settings, survey) = (scope.settings, scope.survey);
        let (Some(archive), Some(keep_ms)) = (self.archive.get(), settings.archive.redirects)
        else {
            return Ok(Vec::new());
        };
        let mut redirects = Redirects {
            session: &mut *begun.session,
            keys: &Keys::new(&settings.prefix),
            archive,
            moved: &removals.moved,
            held: survey.held_routes.iter().chain(&survey.claimed).collect(),
            found: &removals.redirects,
            made: &survey.objects,
            spooled,
            share: self.wanted.share,
            until_ms: begun.started_at.saturating_add(keep_ms),
        };
        let mut entries = redirects.of_moved()?;
        let stored = redirects.stored()?;
        entries.extend(stored.changed);
        removals.leftovers.extend(stored.removed);
        Ok(entries)
    }

    /// What becomes of published articles that the content tree no longer has: removed, or named.
    fn gone(
        &self,
        scope: &Scope<'_>,
        session: &mut Session,
        other_keys: u64,
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
        let (mut moved, mut leftovers) = (Moved::new(), Vec::new());
        if self.orphans == OrphanPolicy::Name || pruning.withheld.is_some() {
            let mut orphans = Orphans::find(scope, session, other_keys, self.wanted.share)?;
            moved = self.moved(scope, session, orphans.leftovers())?;
            moved.extend(self.moved(scope, session, orphans.far())?);
            leftovers = orphans.take(|route| moved.contains_key(route));
            orphans.report(report);
            let number = orphans.leftovers().len() as u64;
            let number = orphans.are_known().then_some(number);
            self.judged.set(self.judged.get().map(|judged| Judged {
                orphans: number,
                ..judged
            }));
        } else {
            moved.extend(self.moved(scope, session, &pruning.leftovers)?);
            moved.extend(self.moved(scope, session, &pruning.far)?);
        }
        leftovers.extend(pruning.take_far(|route| moved.contains_key(route)));
        let pruned = pruning.leftovers.iter_mut().chain(&mut leftovers);
        for leftover in pruned.filter(|one| moved.contains_key(&one.route)) {
            leftover.reason = Reason::Moved;
        }
        pruning.out_of_reach.report(report);
        Ok(Gone {
            pruning,
            moved,
            leftovers,
        })
    }

    /// Where the articles of these routes are now. While a source cannot be read, it may be theirs.
    fn moved(
        &self,
        scope: &Scope<'_>,
        session: &mut Session,
        leftovers: &[Leftover],
    ) -> Result<Moved, Failure> {
        let settings = scope.settings;
        match (self.archive.get(), settings.archive.redirects) {
            (Some(archive), Some(_)) if self.removes_stale(scope) => {
                let keys = Keys::new(&settings.prefix);
                moved::find(session, &keys, (archive, scope.survey), leftovers)
            }
            _ => Ok(Moved::new()),
        }
    }

    /// Holds the plan against what is expected of it.
    fn gate(
        &self,
        survey: &Survey,
        pruning: &PrunePlan,
        withdrawn: &[Leftover],
    ) -> Result<(), Failure> {
        let written = survey
            .entries
            .iter()
            .filter(|entry| entry.need == Need::Write);
        // What moved is there still.
        let pruned = pruning.leftovers.iter();
        let pruned = pruned.filter(|leftover| leftover.reason != Reason::Moved);
        expectations::check(
            &self.job.settings.expect,
            &expectations::PlannedChanges {
                articles: survey.valid,
                written: written.count() as u64 + survey.changed_elsewhere,
                withdrawn: withdrawn.len() as u64,
                removed: pruned.count() as u64,
                stored: pruning.in_reach,
                forced: self.force,
                too_late: self.job.time_limit.and_then(|limit| limit.check().err()),
            },
        )
    }
}

/// How many of them are named.
const NAMED_LISTS: usize = 5;

/// Says which lists are not made, since an article has their route.
fn say_which_lists_are_missing(survey: &Survey, report: &mut dyn Report) {
    let taken = &survey.lists_taken;
    if taken.is_empty() {
        return;
    }
    let count = taken.len() as u64;
    let names = taken.iter().take(NAMED_LISTS).map(ToString::to_string);
    report.note(&format!(
        "{} {} not made, since an article that is no _index.md has {} route: {}",
        counted(count, "list"),
        with(count, "is", "are"),
        with(count, "its", "their"),
        listed(names, taken.len())
    ));
}

/// Says which articles a run that warms leaves as they are.
fn say_what_stays(plan: &Plan, report: &mut dyn Report) {
    let blocked = plan.count(Need::Blocked) as u64;
    if blocked > 0 {
        report.warning(&format!(
            "{} cannot be read whole and {} so: another client's value is at one of {} \
             keys, which anp import would replace",
            counted(blocked, "article"),
            with(blocked, "stays", "stay"),
            with(blocked, "its", "their")
        ));
    }
    let waiting = plan.count(Need::Wait) as u64;
    if waiting > 0 {
        report.note(&format!(
            "{} changed since {} written: {} for an import",
            counted(waiting, "article"),
            with(waiting, "it was", "they were"),
            with(waiting, "it waits", "they wait")
        ));
    }
}
