//! A command that publishes, from the moment on that it knows what it is to do: plan → gate →
//! apply. A dry run is the same plan, which stops at the gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::apply::{Apply, Direction, Guards};
use super::expired::Expired;
use super::keys::Keys;
use super::manifest::Status;
use super::notify;
use super::outcome::{Ended, Outcome, status_of};
use super::plan::Plan;
use super::report::Report;
use super::run::{Goal, Run, RunPurpose};
use super::verify_after_failover::recheck;
use super::work::{PlanInputs, Work};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::pace::{Limits, Pace};
use crate::publish::apply::progress::Progress;
use crate::publish::apply::stop::{Stop, stopped};
use crate::publish::gates::largest_value;
use crate::publish::history::runs::Runs;
use crate::publish::run::command_line::resume_line;
use crate::publish::run::connection::Connected;
use crate::publish::run::folder_lock::FolderLock;
use crate::publish::run::process::salt;
use crate::publish::run::refusal;
use crate::publish::run::switch::Switch;
use crate::publish::shards::share::Share;
use crate::settings::Settings;
use crate::store::{Class, Copies, StoreError, wait_for_replicas};
use crate::time_limit::TimeLimit;
use crate::words::counted;

/// A run that is to be made.
pub(crate) struct Job<'a> {
    pub command: &'static str,
    /// Where it writes, and how.
    pub settings: &'a Settings,
    /// The content tree, for the record.
    pub content: Option<String>,
    /// The fingerprint of the renderer, if it renders.
    pub renderer: Option<[u8; 32]>,
    /// What keeps it from publishing; none for what is done while publishing is paused too.
    pub switch: Option<Switch>,
    /// Set when somebody asks it to end.
    pub interrupted: &'a Arc<AtomicBool>,
    /// How long it may take.
    pub time_limit: Option<TimeLimit>,
    /// How fast it writes.
    pub limits: Limits,
    /// The lock of the state folder, where the caller holds it.
    pub folder: Option<&'a FolderLock>,
    /// The part of the articles that it is about, if it is not all.
    pub share: Option<Share>,
}

impl<'a> Job<'a> {
    /// A run of `command` by `settings`, which begins now, and ends when `interrupted` is set.
    pub(crate) fn new(
        command: &'static str,
        settings: &'a Settings,
        interrupted: &'a Arc<AtomicBool>,
    ) -> Self {
        let started = Instant::now();
        let most = settings.expect.max_duration;
        Self {
            command,
            settings,
            content: None,
            renderer: None,
            switch: Some(Switch::of(&settings.prefix)),
            interrupted,
            time_limit: most.map(|most| TimeLimit { started, most }),
            limits: Limits::default(),
            folder: None,
            share: None,
        }
    }

    /// Does it and what is to be done after it, or shows both.
    pub(crate) fn run_and_notify(
        &self,
        work: &dyn Work,
        dry_run: bool,
        report: &mut dyn Report,
    ) -> Result<Outcome, Failure> {
        if dry_run {
            let dry = |report: &mut dyn Report| self.run(work, true, report);
            return notify::dry_run(self.settings, report, dry);
        }
        let ended = self.run(work, false, report);
        notify::after_run(self.settings, self.interrupted, report, ended)
    }

    /// Does it, or shows what it would do.
    pub(crate) fn run(
        &self,
        work: &dyn Work,
        dry_run: bool,
        report: &mut dyn Report,
    ) -> Result<Outcome, Failure> {
        if dry_run {
            return self.dry_run(work, report);
        }
        if self.switch.is_some() {
            refusal::refuse(self.settings)?;
        }
        self.publish(work, report)
    }

    fn dry_run(&self, work: &dyn Work, report: &mut dyn Report) -> Result<Outcome, Failure> {
        let mut store = Connected::open(&self.settings.address, self.settings, self.interrupted)?;
        let now_ms = store
            .session
            .now_ms()
            .map_err(|error| Failure::before_writing(&error))?;
        report.dry_run(self.command, &self.settings.address.to_string());
        if let Some(switch) = &self.switch {
            let paused = switch.look(&mut store.session);
            if let Some(paused) = paused.map_err(|error| Failure::before_writing(&error))? {
                let command = self.command;
                report.warning(&format!("a real {command} would be refused: {paused}"));
            }
        }
        // An id as the run would have it, so that the bytes foreseen are the bytes written.
        let id = match self.share.as_ref().and_then(|share| share.run.clone()) {
            Some(run) => run,
            None => {
                let runs = Runs::of(&self.settings.state_dir);
                let id = runs.new_id(now_ms, 0);
                id.map_err(|error| Failure::unlisted_runs(runs.folder(), &error))?
            }
        };
        // Rendered all the same, so that what would fail fails here; but kept nowhere.
        let begun = PlanInputs {
            session: &mut store.session,
            run: &id,
            started_at: now_ms,
            spool_in: None,
        };
        let plan = work.plan(begun, report)?;
        let counts = plan.foresee(&Keys::new(&self.settings.prefix), report);
        // What a refused plan would do is shown too: it is what has to be looked at.
        let (status, exit) = status_of(plan.is_partial);
        let status = plan.refused.as_ref().map_or(status, |_| Status::Refused);
        report.ended(&Ended {
            command: self.command,
            status,
            counts: &counts,
            run: None,
            undoes: None,
        });
        let outcome = Outcome {
            exit,
            status,
            counts,
            header: None,
            manifest: None,
        };
        plan.refused.map_or(Ok(outcome), Err)
    }

    pub(crate) fn publish(
        &self,
        work: &dyn Work,
        report: &mut dyn Report,
    ) -> Result<Outcome, Failure> {
        let purpose = RunPurpose {
            command: self.command,
            address: &self.settings.address,
            prefix: &self.settings.prefix,
            folder: self.folder,
            interrupted: self.interrupted,
            goal: Goal::Publish {
                content: self.content.as_deref(),
                renderer: self.renderer,
                switch: self.switch.as_ref(),
                share: self.share.as_ref(),
            },
        };
        let mut run = Run::begin(self.settings, &purpose)?;
        report.begun(&run.header, run.manifest.path());
        let id = run.header.run.clone();
        let begun = PlanInputs {
            session: &mut run.store.session,
            run: &id,
            started_at: run.header.started_at,
            spool_in: Some(&self.settings.state_dir),
        };
        let plan = work
            .plan(begun, report)
            .and_then(|mut plan| plan.refused.take().map_or(Ok(plan), Err));
        let plan = match plan {
            Ok(plan) => plan,
            Err(mut failure) => {
                if self.interrupted.load(Ordering::Relaxed) {
                    failure.exit = Exit::Interrupted;
                }
                let refused = failure.exit == Exit::Refused;
                let status = if refused {
                    Status::Refused
                } else {
                    Status::Stopped
                };
                // The failure itself is what matters now.
                let _ = run.end(status, judged(work, Progress::default()));
                return Err(failure);
            }
        };
        self.carry_out(run, work, &plan, report)
    }

    fn carry_out(
        &self,
        mut run: Run,
        work: &dyn Work,
        plan: &Plan,
        report: &mut dyn Report,
    ) -> Result<Outcome, Failure> {
        let begun = Progress {
            counts: plan.counts(),
            ..Progress::default()
        };
        let mut progress = judged(work, begun);
        let pace = match self.start(&mut run, plan) {
            Ok(pace) => pace,
            Err((status, failure)) => {
                let _ = run.end(status, progress);
                return Err(failure);
            }
        };
        let applied = self.apply(&mut run, (work, plan), pace, &mut progress, report);
        let applied = applied.and_then(|()| recheck(&mut run, &mut progress, self.interrupted));
        let (header, manifest) = (run.header.clone(), run.manifest_path());
        let (counts, touched) = (progress.counts, progress.touched);
        report.counts(&counts);
        let ended = |status| Ended {
            command: self.command,
            status,
            counts: &counts,
            run: Some((&header, &manifest)),
            undoes: None,
        };
        if let Err(stop) = applied {
            let _ = run.end(Status::Stopped, progress);
            report.ended(&ended(Status::Stopped));
            let failure = stopped(&stop, touched, &header.rollback);
            return Err(match (stop, &self.switch) {
                (Stop::Paused(_), Some(switch)) => {
                    failure.note("resume", resume_line(self.settings, switch))
                }
                _ => failure,
            });
        }
        let left = counts.conflicts + counts.expired + counts.withheld > 0;
        let (status, exit) = status_of(left || plan.is_partial);
        let pruned = run
            .end(status, progress)
            .map_err(|error| stopped(&Stop::Manifest(error), touched, &header.rollback))?;
        report.pruned(&pruned);
        report.ended(&ended(status));
        Ok(Outcome {
            exit,
            status,
            counts,
            header: Some(header),
            manifest: Some(manifest),
        })
    }

    /// Tells before anything is written what the server does not take, and which right or replica is
    /// missing; then the pace begins.
    ///
    /// # Errors
    /// How the run ends then, and why.
    fn start(&self, run: &mut Run, plan: &Plan) -> Result<Pace, (Status, Failure)> {
        let keys = Keys::new(&self.settings.prefix);
        if let Some((key, bytes)) = plan.largest(&keys) {
            let spare = format!("{}/.largest-{:016x}/", keys.page_prefix(), salt());
            largest_value::check(&run.store.connector, &key, bytes, &spare)
                .map_err(|failure| (Status::Refused, failure))?;
        }
        let copies = self.settings.copies;
        let pace = Pace::start(self.limits, &run.store.connector).and_then(|pace| {
            let session = &mut run.store.session;
            copies.map_or(Ok(()), |copies| wait_for_replicas(session, copies, false))?;
            Ok(pace)
        });
        pace.map_err(|error| {
            let failure = match copies {
                Some(copies) if error.class == Class::Stop => too_few(&error, copies),
                _ => Failure::before_writing(&error),
            };
            (Status::Stopped, failure)
        })
    }

    /// Writes what is planned, and then what expired meanwhile.
    fn apply(
        &self,
        run: &mut Run,
        (work, plan): (&dyn Work, &Plan),
        pace: Pace,
        progress: &mut Progress,
        report: &mut dyn Report,
    ) -> Result<(), Stop> {
        let keys = Keys::new(&self.settings.prefix);
        let header = run.header.clone();
        if plan.steps() > 0 {
            report.writes(&header);
        }
        let bar = report.bar("write", "keys", plan.steps());
        let order = plan.order();
        let mut apply = Apply {
            context: run.context(self.interrupted),
            direction: Direction::Forward(Guards {
                time_limit: self.time_limit,
                switch: self.switch.as_ref(),
                pace,
                copies: self.settings.copies,
            }),
            dates_absence: header.attempt.is_some_and(|attempt| attempt > 1),
            again: false,
        };
        apply.run(plan.groups(&keys, &order), progress, &mut |key| {
            bar.advance(1);
            report.key(key);
        })?;
        let expired = Expired {
            work,
            plan,
            order: &order,
            keys: &keys,
            header: &header,
            spool_in: &self.settings.state_dir,
        };
        expired.write(&mut apply, progress, report, &|| bar.advance(1))
    }
}

/// Adds how many articles were judged, and how many are invalid.
fn judged(work: &dyn Work, mut progress: Progress) -> Progress {
    if let Some(judged) = work.judged() {
        progress.counts.invalid = judged.invalid;
        progress.articles.counts.of = Some(judged.of);
        progress.articles.counts.orphans = judged.orphans;
    }
    progress
}

/// The failure of a run whose replicas are not there before its first write.
fn too_few(error: &StoreError, copies: Copies) -> Failure {
    let replicas = copies.replicas;
    let expected = format!(
        "{} of each master with writes taken in time",
        counted(u64::from(replicas), "replica")
    );
    Failure::new(Exit::Unavailable, error.to_string())
        .note("expected", expected)
        .note(
            "retry",
            "safe once they do, or with another --wait-replicas; nothing was written",
        )
}
