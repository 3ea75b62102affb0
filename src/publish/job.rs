//! A command that changes the store, from the moment on that it knows what it is to do:
//! plan → gate → apply → report. A dry run is the same plan, which stops at the gate.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::apply::Apply;
use super::expired::Expired;
use super::keys::Keys;
use super::manifest::{Counts, Header, Status};
use super::plan::Plan;
use super::run::{Purpose, Run};
use super::run_report::{Outcome, status_of, watch};
use super::verify_after_failover::recheck;
use super::work::{Begun, Work};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::encode::Way;
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
use crate::report::{Progress as Bars, log};
use crate::settings::Settings;
use crate::store::{Class, Copies, StoreError};
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
    pub bars: Bars,
    pub interrupted: Arc<AtomicBool>,
    /// How long it may take.
    pub time_limit: Option<TimeLimit>,
    /// How fast it writes.
    pub limits: Limits,
    /// The lock of the state folder, where the caller holds it.
    pub folder: Option<&'a FolderLock>,
    /// The part of the articles that it is about, if it is not all.
    pub share: Option<Share>,
}

/// A run that ended by itself.
pub(crate) struct Published {
    pub exit: Exit,
    pub counts: Counts,
    pub header: Header,
    pub manifest: PathBuf,
}

impl<'a> Job<'a> {
    /// A run of `command` by `settings`, begun at `started`.
    ///
    /// # Errors
    /// When signals cannot be watched.
    pub(crate) fn new(
        command: &'static str,
        settings: &'a Settings,
        started: Instant,
        quiet: bool,
    ) -> Result<Self, Failure> {
        let most = settings.expect.max_duration;
        Ok(Self {
            command,
            settings,
            content: None,
            renderer: None,
            switch: Some(Switch::of(&settings.prefix)),
            bars: Bars::new(quiet),
            interrupted: watch()?,
            time_limit: most.map(|most| TimeLimit { started, most }),
            limits: Limits::default(),
            folder: None,
            share: None,
        })
    }

    /// Does it, or shows what it would do.
    pub(crate) fn run(
        &self,
        work: &dyn Work,
        dry_run: bool,
        outcome: &mut Outcome,
    ) -> Result<Exit, Failure> {
        if dry_run {
            return self.dry_run(work, outcome);
        }
        if self.switch.is_some() {
            refusal::refuse(self.settings)?;
        }
        self.publish(work, outcome).map(|published| published.exit)
    }

    fn dry_run(&self, work: &dyn Work, outcome: &mut Outcome) -> Result<Exit, Failure> {
        let mut store = Connected::open(&self.settings.address, self.settings, &self.interrupted)?;
        let now_ms = store
            .session
            .now_ms()
            .map_err(|error| Failure::before_writing(&error))?;
        outcome.dry_run(self.command, &self.settings.address.to_string());
        if let Some(switch) = &self.switch {
            let paused = switch.look(&mut store.session);
            if let Some(paused) = paused.map_err(|error| Failure::before_writing(&error))? {
                let command = self.command;
                log::warning(format!("a real {command} would be refused: {paused}"));
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
        let begun = Begun {
            session: &mut store.session,
            run: &id,
            started_at: now_ms,
            spool_in: None,
        };
        let plan = work.plan(begun, outcome)?;
        let counts = plan.foresee(&Keys::new(&self.settings.prefix), outcome);
        // What a refused plan would do is shown too: it is what has to be looked at.
        let (status, exit) = status_of(plan.is_partial);
        let status = plan.refused.as_ref().map_or(status, |_| Status::Refused);
        outcome.summary(None, self.command, status.word(), &counts);
        plan.refused.map_or(Ok(exit), Err)
    }

    pub(crate) fn publish(
        &self,
        work: &dyn Work,
        outcome: &mut Outcome,
    ) -> Result<Published, Failure> {
        let purpose = Purpose {
            command: self.command,
            address: &self.settings.address,
            prefix: &self.settings.prefix,
            content: self.content.clone(),
            undoes: None,
            undone: None,
            skipped_bytes: None,
            renderer: self.renderer,
            switch: self.switch.clone(),
            folder: self.folder,
            share: self.share.as_ref(),
            interrupted: &self.interrupted,
            under_lock: None,
        };
        let mut run = Run::begin(self.settings, purpose)?;
        outcome.run(&run);
        let id = run.header.run.clone();
        let begun = Begun {
            session: &mut run.store.session,
            run: &id,
            started_at: run.header.started_at,
            spool_in: Some(&self.settings.state_dir),
        };
        let plan = work
            .plan(begun, outcome)
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
                let _ = run.end(status, Progress::default());
                return Err(failure);
            }
        };
        self.carry_out(run, work, &plan, outcome)
    }

    fn carry_out(
        &self,
        mut run: Run,
        work: &dyn Work,
        plan: &Plan,
        outcome: &mut Outcome,
    ) -> Result<Published, Failure> {
        let mut progress = Progress {
            counts: plan.counts(),
            ..Progress::default()
        };
        let keys = Keys::new(&self.settings.prefix);
        if let Some((key, bytes)) = plan.largest(&keys) {
            let spare = format!("{}/.largest-{:016x}/", keys.page_prefix(), salt());
            let fits = largest_value::check(&run.store.connector, &key, bytes, &spare);
            if let Err(failure) = fits {
                let _ = run.end(Status::Refused, progress);
                return Err(failure);
            }
        }
        let copies = self.settings.copies;
        let pace = Pace::start(self.limits, &run.store.connector).and_then(|pace| {
            // A right, or a replica, that is missing is told before anything is written.
            let session = &mut run.store.session;
            copies.map_or(Ok(()), |copies| session.wait_for_replicas(copies, false))?;
            Ok(pace)
        });
        let pace = match pace {
            Ok(pace) => pace,
            Err(error) => {
                let _ = run.end(Status::Stopped, progress);
                return Err(match copies {
                    Some(copies) if error.class == Class::Stop => too_few(&error, copies),
                    _ => Failure::before_writing(&error),
                });
            }
        };
        let bar = self.bars.bar("write", "keys", plan.steps());
        let order = plan.order();
        let mut apply = Apply {
            session: &mut run.store.session,
            manifest: &mut run.manifest,
            lease: &run.lease,
            way: Way::Forth,
            interrupted: &self.interrupted,
            time_limit: self.time_limit,
            switch: self.switch.as_ref(),
            pace,
            copies,
            slack_ms: self.settings.address.expiry_slack_ms(),
            dates_absence: run.header.attempt.is_some_and(|attempt| attempt > 1),
            again: false,
        };
        let written = apply.run(plan.groups(&keys, &order), &mut progress, &mut |report| {
            bar.inc(1);
            outcome.key(report);
        });
        let expired = Expired {
            work,
            plan,
            order: &order,
            keys: &keys,
            run: &run.header.run,
            started_at: run.header.started_at,
            spool_in: &self.settings.state_dir,
        };
        let applied = written
            .and_then(|()| expired.write(&mut apply, &mut progress, outcome, &|| bar.inc(1)));
        bar.finish_and_clear();
        let applied = applied.and_then(|()| recheck(&mut run, &mut progress, &self.interrupted));
        let (header, manifest) = (run.header.clone(), run.manifest_path());
        let (counts, touched) = (progress.counts, progress.touched);
        outcome.counts = counts;
        let told = Some((&header, manifest.as_path()));
        if let Err(stop) = applied {
            let _ = run.end(Status::Stopped, progress);
            outcome.summary(told, self.command, "stopped", &counts);
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
        outcome.pruned(&pruned);
        outcome.summary(told, self.command, status.word(), &counts);
        Ok(Published {
            exit,
            counts,
            header,
            manifest,
        })
    }
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
