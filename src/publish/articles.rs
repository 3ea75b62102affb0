//! The plan of a command that publishes articles: survey, diagnostics, what to remove, room.

use std::cell::{Cell, OnceCell};

use super::job::Job;
use super::keys::Keys;
use super::plan::Plan;
use super::removals::{OrphanPolicy, RemovalCounts, RemovalPlanner, Removals};
use super::report::Report;
use super::work::{Judged, PlanInputs, Work};
use crate::archive::Lists;
use crate::article::{Cleaned, Route};
use crate::diagnostic::{Diagnostic, Severity};
use crate::failure::Failure;
use crate::publish::apply::stop::Stop;
use crate::publish::derive::archive::Archive;
use crate::publish::gates::expectations;
use crate::publish::gates::invalid::{judged_articles, refuse_invalid, refuse_nothing};
use crate::publish::gates::space::{Gate, admit};
use crate::publish::manifest::Counts;
use crate::publish::plan::need::{Need, Policy};
use crate::publish::plan::reach::Scope;
use crate::publish::plan::withdrawn::report_withdrawn;
use crate::publish::survey::batch::SurveyError;
use crate::publish::survey::content::{Corpus, SurveyPurpose, SurveyScope, survey, survey_again};
use crate::publish::survey::findings::HeldFindings;
use crate::publish::survey::load::CHANGED;
use crate::publish::survey::surveyor::Survey;
use crate::render::Renderer;
use crate::source::{Caching, Order};
use crate::words::{counted, listed, with};

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
            lengths: false,
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
        if let Some(archive) = self.archive.get() {
            say_which_lists_are_missing(archive.lists(), report);
        }
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
        let mut removals = self.removals(&scope, &mut begun, report)?;
        let refused = self.gate(&survey, &removals.counts).err();
        let planner = self.planner(begun.spool_in.is_some());
        let redirects = planner.redirects(
            &scope,
            (&mut *begun.session, begun.started_at),
            spooled.as_ref(),
            &mut removals,
        )?;
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
            refused,
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
            lengths: false,
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

impl Articles<'_> {
    /// What the run removes. Refuses a tree without an article, and one with too many that are invalid.
    fn removals(
        &self,
        scope: &Scope<'_>,
        begun: &mut PlanInputs<'_>,
        report: &mut dyn Report,
    ) -> Result<Removals, Failure> {
        let (settings, survey) = (scope.settings, scope.survey);
        // To take down the only article of a tree is no mistake.
        if survey.withdrawn.is_empty() {
            refuse_nothing(settings, survey)?;
        }
        refuse_invalid(settings, survey)?;
        let planner = self.planner(begun.spool_in.is_some());
        let removals = planner.removals(scope, begun.session, report)?;
        if removals.counts.withdrawn == 0 {
            refuse_nothing(settings, survey)?;
        }
        if let Some(shard) = self.wanted.share {
            let articles = survey.entries.len();
            report.share(shard, articles, articles + survey.elsewhere.len());
        }
        report_withdrawn(&removals.leftovers, report);
        self.judged.set(self.judged.get().map(|judged| Judged {
            orphans: removals.counts.orphans,
            ..judged
        }));
        Ok(removals)
    }

    /// Decides what is removed.
    fn planner(&self, holds_lock: bool) -> RemovalPlanner<'_> {
        RemovalPlanner {
            orphans: self.orphans,
            share: self.wanted.share,
            archive: self.archive.get(),
            is_selection: !self.wanted.selection.is_empty(),
            holds_lock,
        }
    }

    /// Holds the plan against what is expected of it.
    fn gate(&self, survey: &Survey, counts: &RemovalCounts) -> Result<(), Failure> {
        let written = survey
            .entries
            .iter()
            .filter(|entry| entry.need == Need::Write);
        expectations::check(
            &self.job.settings.expect,
            &expectations::PlannedChanges {
                articles: survey.valid,
                written: written.count() as u64 + survey.changed_elsewhere,
                withdrawn: counts.withdrawn,
                removed: counts.pruned,
                stored: counts.in_reach,
                forced: self.force,
                too_late: self.job.time_limit.and_then(|limit| limit.check().err()),
            },
        )
    }
}

/// How many of them are named.
const NAMED_LISTS: usize = 5;

/// Says which lists and pages of lists are not made, since an article has their route.
fn say_which_lists_are_missing(lists: &Lists, report: &mut dyn Report) {
    let named = |routes: &mut dyn Iterator<Item = &Route>| {
        let first = routes.take(NAMED_LISTS).map(ToString::to_string);
        first.collect::<Vec<_>>()
    };
    let taken = &lists.taken;
    if !taken.is_empty() {
        let count = taken.len() as u64;
        report.note(&format!(
            "{} {} not made, since an article that is no _index.md has {} route: {}",
            counted(count, "list"),
            with(count, "is", "are"),
            with(count, "its", "their"),
            listed(named(&mut taken.iter()), taken.len())
        ));
    }
    let taken = &lists.taken_pages;
    if !taken.is_empty() {
        let count = taken.len() as u64;
        report.warning(&format!(
            "{} of {} {} not made, since an article or another list has {} route: {}; the list may lack {} \
             articles",
            counted(count, "numbered page"),
            with(count, "a list", "lists"),
            with(count, "is", "are"),
            with(count, "its", "their"),
            listed(named(&mut taken.iter()), taken.len()),
            with(count, "its", "their"),
        ));
    }
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
