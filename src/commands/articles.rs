//! The plan of a command that publishes articles: survey, diagnostics, what to remove, room.

use std::cell::OnceCell;

use super::expect;
use super::job::{Begun, Job, Work};
use super::orphans::Orphans;
use super::outcome::Outcome;
use super::plan::Plan;
use super::prune::{Pruning, Scope};
use super::seeded::announce;
use super::survey::{
    Caching, Corpus, Prose, Purpose, Wanted, refuse, report, survey, survey_again,
};
use crate::article::{Cleaned, UnknownCount};
use crate::diagnostic::{Diagnostic, Severity};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ops::room::Room;
use crate::publish::plan::{Keys, Need, Policy};
use crate::publish::stop::Stop;
use crate::render::Renderer;
use crate::report::log;
use crate::source::{Order, Survey, SurveyError};

/// About what a key costs the server besides its value: its name, its entry, its expiry.
const KEY_BYTES: u64 = 200;

/// What becomes of published articles that the content tree no longer has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// They are removed.
    Pruned,
    /// They are counted and named.
    Named,
    /// Nothing: nobody looks for them.
    Ignored,
}

/// How articles are published.
pub(super) struct Articles<'a> {
    pub job: &'a Job<'a>,
    pub renderer: &'a Renderer,
    pub absent: Absent,
    /// Whether to remove more than the settings allow, and to begin without room.
    pub force: bool,
    /// Whether this is a rehearsal.
    pub is_rehearsal: bool,
    /// Whether files that did not change are not read.
    pub cache: bool,
    /// Which articles, and by which rule.
    pub wanted: Wanted<'a>,
    /// Where they come from, once the plan was made.
    pub corpus: OnceCell<Corpus<'a>>,
}

impl<'a> Articles<'a> {
    /// All articles of the content tree, for `job`.
    pub(super) fn of(job: &'a Job<'a>, renderer: &'a Renderer) -> Self {
        Self {
            job,
            renderer,
            absent: Absent::Ignored,
            force: false,
            is_rehearsal: false,
            cache: false,
            wanted: Wanted::all(),
            corpus: OnceCell::new(),
        }
    }
}

impl Work for Articles<'_> {
    fn plan(&self, begun: Begun<'_>, outcome: &mut Outcome) -> Result<Plan, Failure> {
        if let Some((generator, count)) = self.wanted.generated {
            announce(generator, count, &mut outcome.output);
        }
        let Job {
            settings,
            bars,
            interrupted,
            time_limit,
            ..
        } = self.job;
        let keys = Keys::new(&settings.prefix);
        let purpose = Purpose {
            store: Some((&mut *begun.session, &keys)),
            spool_in: begun.spool_in,
            interrupted,
            time_limit: *time_limit,
            wanted: self.wanted,
            run: begun.run,
            started_at: begun.started_at,
            cache: match begun.spool_in {
                _ if !self.cache => Caching::Off,
                // A run that will write, and so holds the lock of the folder.
                Some(_) => Caching::Write,
                None => Caching::Read,
            },
        };
        let corpus = Corpus::find(settings, &self.wanted, interrupted, *time_limit)?;
        let (survey, spooled) = survey(settings, self.renderer, purpose, &corpus, *bars)?;
        let _ = self.corpus.set(corpus);
        report(&survey, &mut outcome.output, Prose::Stderr);
        let invalid = survey.invalid + survey.unreadable;
        outcome.counts.invalid = invalid;
        refuse(settings, &survey)?;
        let scope = Scope {
            settings,
            survey: &survey,
            interrupted,
            time_limit: *time_limit,
        };
        let mut pruning = match self.absent {
            Absent::Pruned => Pruning::plan(&scope, begun.session, &keys)?,
            Absent::Named | Absent::Ignored => Pruning::default(),
        };
        if let Some(why) = &pruning.withheld {
            log::warning(why);
        }
        if self.absent == Absent::Named || pruning.withheld.is_some() {
            // The lock is a key of ours.
            let own_keys = u64::from(begun.spool_in.is_some());
            let orphans = Orphans::find(&scope, begun.session, own_keys, self.wanted.share)?;
            orphans.report(outcome);
        }
        if pruning.out_of_reach > 0 {
            log::note(format!(
                "{} stored articles lie outside the folders of the content tree and stay",
                pruning.out_of_reach
            ));
        }
        let idle = self.wanted.selection.idle(&survey.busy);
        for name in &idle {
            log::warning(format!("{name} means no article"));
        }
        let refused = self.gate(&survey, &pruning).err();
        if let Some(shard) = self.wanted.share {
            // All of them were expected; each shard removes its own.
            pruning
                .leftovers
                .retain(|leftover| shard.takes(&leftover.route));
            outcome.share(shard, &survey);
        }
        let mut plan = Plan {
            entries: survey.entries,
            spooled,
            leftovers: pruning.leftovers,
            invalid,
            is_partial: invalid > 0 || pruning.withheld.is_some() || !idle.is_empty(),
            refused,
            refreshed_within_ms: None,
        };
        let blocked = plan.count(Need::Blocked);
        if blocked > 0 {
            plan.is_partial = true;
            log::warning(format!(
                "{blocked} articles cannot be read whole and stay so: somebody else's value stands \
                 at one of their keys, which anp import would replace"
            ));
        }
        let waiting = plan.count(Need::Wait);
        if waiting > 0 {
            log::note(format!(
                "{waiting} articles changed since they were written: they wait for an import"
            ));
        }
        let room = Room::ask(begun.session).map_err(|error| Failure::before_writing(&error))?;
        match room {
            Some(room) => self.fits(&plan, &room).map(|()| plan),
            None => Ok(plan),
        }
    }

    fn plan_again(
        &self,
        begun: Begun<'_>,
        sources: &[u32],
        outcome: &mut Outcome,
    ) -> Result<Plan, Stop> {
        let Some(corpus) = self.corpus.get() else {
            return Ok(Plan::default());
        };
        let settings = self.job.settings;
        let keys = Keys::new(&settings.prefix);
        let purpose = Purpose {
            store: Some((&mut *begun.session, &keys)),
            spool_in: begun.spool_in,
            interrupted: &self.job.interrupted,
            time_limit: self.job.time_limit,
            wanted: Wanted {
                policy: Policy::Again,
                order: Order::Path,
                ..self.wanted
            },
            run: begun.run,
            started_at: begun.started_at,
            cache: Caching::Off,
        };
        let surveyed = survey_again(settings, self.renderer, purpose, corpus, sources);
        let (mut survey, spooled) = surveyed.map_err(|error| match error {
            SurveyError::Store(error) => Stop::Store(error),
            SurveyError::Spool(error) => Stop::Spool(error),
            SurveyError::TimedOut(late) => Stop::TimedOut(late),
            SurveyError::Interrupted => Stop::Interrupted,
        })?;
        // The rest was reported before.
        let is_error = |found: &Diagnostic| found.severity == Severity::Error;
        survey.diagnostics.retain(is_error);
        survey.unknown = UnknownCount::default();
        survey.cleaned = Cleaned::default();
        report(&survey, &mut outcome.output, Prose::Stderr);
        Ok(Plan {
            entries: survey.entries,
            spooled,
            ..Plan::default()
        })
    }
}

impl Articles<'_> {
    /// Refuses what the server has no memory for. A run may push other keys out of a
    /// cache that evicts, and says so; a rehearsal may not.
    fn fits(&self, plan: &Plan, room: &Room) -> Result<(), Failure> {
        let (new, old) = plan.bytes();
        let (needed, what) = if self.is_rehearsal {
            // Allocators round up, and a key costs memory too.
            (new / 4 * 5 + plan.steps() * KEY_BYTES, "the rehearsal")
        } else {
            (new.saturating_sub(old), "this run")
        };
        if needed <= room.free_bytes() {
            return Ok(());
        }
        let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
        let then = if room.evicts() {
            "would evict other keys"
        } else {
            "would run out of memory"
        };
        let what = format!(
            "{what} needs {} MiB, and the server has {} of {} MiB left: it {then} ({})",
            mib(needed),
            room.free_bytes() / (1024 * 1024),
            mib(room.max_bytes),
            room.policy
        );
        if !self.is_rehearsal && (self.force || room.evicts()) {
            log::warning(what);
            return Ok(());
        }
        let failure = Failure::new(Exit::Refused, what)
            .note(
                "expected",
                "room below the server's maxmemory for what is new",
            )
            .note("retry", "safe once there is room; nothing was written");
        Err(if self.is_rehearsal {
            failure.note("help", "--sample N rehearses on N articles")
        } else {
            failure.note(
                "help",
                "--force begins all the same, and stops where it is full",
            )
        })
    }

    /// Holds the plan against what is expected of it.
    fn gate(&self, survey: &Survey, pruning: &Pruning) -> Result<(), Failure> {
        let written = survey
            .entries
            .iter()
            .filter(|entry| entry.need == Need::Write);
        expect::check(
            &self.job.settings.expect,
            &expect::Planned {
                articles: survey.valid,
                written: written.count() as u64 + survey.changed_elsewhere,
                removed: pruning.leftovers.len() as u64,
                stored: pruning.in_reach,
                forced: self.force,
                too_late: self.job.time_limit.and_then(|limit| limit.check().err()),
            },
        )
    }
}
