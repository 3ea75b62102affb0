//! `anp import`: survey → plan → gate → apply → report.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::outcome::{Outcome, status_of, stopped, watch};
use super::prune::{self, Pruning};
use super::recheck::recheck;
use super::survey::{Prose, Purpose, readable, refuse, renderer, report, survey};
use super::{expect, metrics, switch};
use crate::cli::{Common, Import};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ops::connect::Connected;
use crate::ops::lock::FolderLock;
use crate::ops::room::Room;
use crate::ops::run::{Purpose as RunPurpose, Run, resume_line};
use crate::ops::runs::Runs;
use crate::publish::apply::{Apply, Group, KeyReport, Progress, Stop};
use crate::publish::encode::Way;
use crate::publish::manifest::{Action, Counts, Fate, Header, Status};
use crate::publish::plan::{Entry, Keys, Need, Seen};
use crate::publish::spool::Spooled;
use crate::publish::state::{Fingerprint, Present};
use crate::publish::step::{Step, Want};
use crate::publish::switch::Switch;
use crate::publish::time_limit::TimeLimit;
use crate::render::Renderer;
use crate::report::{Output, Progress as Bars, log};
use crate::settings::Settings;
use crate::source::Survey;
use crate::store::Session;

/// About what a key costs the server besides its value: its name, its entry, its expiry.
const KEY_BYTES: u64 = 200;

pub(super) fn run(common: &Common, arguments: &Import) -> Result<Exit, Failure> {
    let settings = super::settings(common, arguments.settings())?;
    let output = Output::stdout(common.format, true);
    let mut outcome = Outcome::new(output, &settings.prefix);
    let ended = import(&settings, common, arguments, &mut outcome);
    if !arguments.dry_run {
        metrics::record(&settings, "import", &outcome, &ended);
    }
    ended
}

fn import(
    settings: &Settings,
    common: &Common,
    arguments: &Import,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    let renderer = renderer(settings)?;
    readable(&settings.content)?;
    let job = Job {
        prune: arguments.prune,
        force: arguments.force,
        ..Job::new(settings, &renderer, outcome.started, common.quiet)?
    };
    if arguments.dry_run {
        job.dry_run(outcome)
    } else {
        switch::refuse(settings)?;
        job.publish(outcome).map(|published| published.exit)
    }
}

/// An import that is to be made.
pub(super) struct Job<'a> {
    pub settings: &'a Settings,
    /// Whether to remove what the tree no longer has …
    pub prune: bool,
    /// … even if that is more than the settings allow.
    pub force: bool,
    pub renderer: &'a Renderer,
    pub keys: Keys,
    /// What keeps it from publishing.
    pub switch: Switch,
    pub bars: Bars,
    pub interrupted: Arc<AtomicBool>,
    /// How long it may take.
    pub time_limit: Option<TimeLimit>,
    /// Whether this is a rehearsal.
    pub rehearsal: Option<Rehearsal<'a>>,
}

/// How an import is rehearsed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rehearsal<'a> {
    /// On so many articles only.
    pub sample: Option<usize>,
    /// The lock of its state folder, held from its first step to its last.
    pub folder: &'a FolderLock,
}

/// A run that ended by itself.
pub(super) struct Published {
    pub exit: Exit,
    pub counts: Counts,
    pub header: Header,
    pub manifest: PathBuf,
}

/// What will be done, finished before the first write.
struct Plan {
    survey: Survey,
    spooled: Option<Spooled>,
    pruning: Pruning,
}

impl<'a> Job<'a> {
    /// An import by `settings`, begun at `started`, without pruning.
    ///
    /// # Errors
    /// When signals cannot be watched.
    pub(super) fn new(
        settings: &'a Settings,
        renderer: &'a Renderer,
        started: Instant,
        quiet: bool,
    ) -> Result<Self, Failure> {
        let most = settings.expect.max_duration;
        Ok(Self {
            settings,
            prune: false,
            force: false,
            renderer,
            keys: Keys::new(&settings.prefix),
            switch: Switch::of(&settings.prefix),
            bars: Bars::new(quiet),
            interrupted: watch()?,
            time_limit: most.map(|most| TimeLimit { started, most }),
            rehearsal: None,
        })
    }

    fn dry_run(&self, outcome: &mut Outcome) -> Result<Exit, Failure> {
        let address = &self.settings.address;
        let mut store = Connected::open(address, self.settings)?;
        let now_ms = store
            .session
            .now_ms()
            .map_err(|error| Failure::before_writing(&error))?;
        outcome.dry_run("import", &address.to_string());
        let paused = self
            .switch
            .look(&mut store.session)
            .map_err(|error| Failure::before_writing(&error))?;
        if let Some(paused) = paused {
            log::warning(format!("a real import would be refused: {paused}"));
        }
        // An id as the run would have it, so that the bytes foreseen are the bytes written.
        let id = Runs::of(&self.settings.state_dir)
            .new_id(now_ms, 0)
            .map_err(|error| Failure::state_folder("cannot list the runs", &error))?;
        // Rendered all the same, so that what would fail fails here; but kept nowhere.
        let plan = self.plan(&mut store.session, &id, now_ms, None, outcome)?;
        let mut counts = plan.counts();
        for entry in &plan.survey.entries {
            plan.foresee(entry, &self.keys, &mut counts, outcome);
        }
        for leftover in &plan.pruning.leftovers {
            for (_, key) in leftover.objects(&self.keys) {
                counts.removed += 1;
                foreseen(outcome, &key, Action::Remove, None);
            }
        }
        // What a refused plan would do is shown too: it is what has to be looked at.
        let refused = self.gate(&plan).err();
        let (status, exit) = status_of(plan.is_partial());
        let status = refused.as_ref().map_or(status, |_| Status::Refused);
        outcome.summary(None, "import", status.word(), &counts);
        refused.map_or(Ok(exit), Err)
    }

    pub(super) fn publish(&self, outcome: &mut Outcome) -> Result<Published, Failure> {
        let content = std::path::absolute(&self.settings.content)
            .unwrap_or_else(|_| self.settings.content.clone());
        let purpose = RunPurpose {
            command: "import",
            address: &self.settings.address,
            prefix: &self.settings.prefix,
            content: Some(content.to_string_lossy().into_owned()),
            undoes: None,
            switch: Some(self.switch.clone()),
            folder: self.rehearsal.map(|rehearsal| rehearsal.folder),
        };
        let mut run = Run::begin(self.settings, purpose)?;
        outcome.run(&run);
        let (id, started_at) = (run.header.run.clone(), run.header.started_at);
        let folder = Some(self.settings.state_dir.as_path());
        let plan = self.plan(&mut run.store.session, &id, started_at, folder, outcome);
        let plan = plan.and_then(|plan| self.gate(&plan).map(|()| plan));
        let plan = match plan {
            Ok(plan) => plan,
            Err(failure) => {
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
        let mut progress = Progress {
            counts: plan.counts(),
            ..Progress::default()
        };
        let bar = self.bars.bar("write", "keys", plan.steps());
        let applied = Apply {
            session: &mut run.store.session,
            manifest: &mut run.manifest,
            lease: &run.lease,
            way: Way::Forth,
            interrupted: &self.interrupted,
            time_limit: self.time_limit,
            switch: Some(&self.switch),
        }
        .run(plan.groups(&self.keys), &mut progress, &mut |report| {
            bar.inc(1);
            outcome.key(report);
        });
        bar.finish_and_clear();
        let applied = applied.and_then(|()| recheck(&mut run, &mut progress));
        let (header, manifest) = (run.header.clone(), run.manifest_path());
        let (counts, touched) = (progress.counts, progress.touched);
        outcome.counts = counts;
        if let Err(stop) = applied {
            let _ = run.end(Status::Stopped, progress);
            outcome.summary(Some((&header, &manifest)), "import", "stopped", &counts);
            let failure = stopped(&stop, touched, &header.rollback);
            return Err(match stop {
                Stop::Paused(_) => failure.note("resume", resume_line(self.settings, &self.switch)),
                _ => failure,
            });
        }
        let left = counts.conflicts + counts.expired + counts.withheld > 0;
        let (status, exit) = status_of(left || plan.is_partial());
        let pruned = run
            .end(status, progress)
            .map_err(|error| stopped(&Stop::Manifest(error), touched, &header.rollback))?;
        outcome.pruned(&pruned);
        outcome.summary(Some((&header, &manifest)), "import", status.word(), &counts);
        Ok(Published {
            exit,
            counts,
            header,
            manifest,
        })
    }

    /// Survey, diagnostics, what to remove.
    fn plan(
        &self,
        session: &mut Session,
        run: &str,
        started_at: i64,
        spool_in: Option<&std::path::Path>,
        outcome: &mut Outcome,
    ) -> Result<Plan, Failure> {
        let purpose = Purpose {
            store: Some((&mut *session, &self.keys)),
            spool_in,
            interrupted: &self.interrupted,
            time_limit: self.time_limit,
            sample: self.rehearsal.and_then(|rehearsal| rehearsal.sample),
            run,
            started_at,
        };
        let (survey, spooled) = survey(self.settings, self.renderer, purpose, self.bars)?;
        report(&survey, &mut outcome.output, Prose::Stderr);
        outcome.counts.invalid = survey.invalid + survey.unreadable;
        refuse(self.settings, &survey)?;
        let pruning = if self.prune {
            prune::plan(&survey, session, &self.keys)?
        } else {
            Pruning::default()
        };
        if let Some(why) = &pruning.withheld {
            log::warning(why);
        }
        if pruning.out_of_reach > 0 {
            log::note(format!(
                "{} stored articles lie outside the folders of the content tree and stay",
                pruning.out_of_reach
            ));
        }
        let plan = Plan {
            survey,
            spooled,
            pruning,
        };
        let room = Room::ask(session).map_err(|error| Failure::before_writing(&error))?;
        match room {
            Some(room) => self.fits(&plan, &room).map(|()| plan),
            None => Ok(plan),
        }
    }

    /// Refuses what the server has no memory for. An import may push other keys out of a
    /// cache that evicts, and says so; a rehearsal may not.
    fn fits(&self, plan: &Plan, room: &Room) -> Result<(), Failure> {
        let (new, old) = plan.bytes();
        let (needed, what) = if self.rehearsal.is_some() {
            // Allocators round up, and a key costs memory too.
            (new / 4 * 5 + plan.steps() * KEY_BYTES, "the rehearsal")
        } else {
            (new.saturating_sub(old), "the import")
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
        if self.rehearsal.is_none() && (self.force || room.evicts()) {
            log::warning(what);
            return Ok(());
        }
        let failure = Failure::new(Exit::Refused, what)
            .note(
                "expected",
                "room below the server's maxmemory for what is new",
            )
            .note("retry", "safe once there is room; nothing was written");
        Err(match self.rehearsal {
            Some(_) => failure.note("help", "--sample N rehearses on N articles"),
            None => failure.note(
                "help",
                "--force begins all the same, and stops where it is full",
            ),
        })
    }

    /// Holds the plan against what is expected of it.
    fn gate(&self, plan: &Plan) -> Result<(), Failure> {
        let entries = &plan.survey.entries;
        let written = entries.iter().filter(|entry| entry.need == Need::Write);
        expect::check(
            &self.settings.expect,
            &expect::Planned {
                articles: entries.len() as u64,
                written: written.count() as u64,
                removed: plan.pruning.leftovers.len() as u64,
                stored: plan.pruning.in_reach,
                forced: self.force,
                too_late: self.time_limit.and_then(|limit| limit.check().err()),
            },
        )
    }
}

impl Plan {
    fn is_partial(&self) -> bool {
        self.survey.invalid + self.survey.unreadable > 0 || self.pruning.withheld.is_some()
    }

    /// Counts as they stand before anything is written.
    fn counts(&self) -> Counts {
        let kept = self
            .survey
            .entries
            .iter()
            .filter(|entry| entry.need == Need::Keep);
        Counts {
            kept: 2 * kept.count() as u64,
            invalid: self.survey.invalid + self.survey.unreadable,
            ..Counts::default()
        }
    }

    /// Bytes of the values to be written, and of those that they replace or that are removed.
    fn bytes(&self) -> (u64, u64) {
        let (mut new, mut old) = (0, 0);
        for entry in &self.survey.entries {
            if let Some(spot) = &entry.spot {
                new += (spot.page_bytes + spot.meta_bytes) as u64;
                old += entry.page.bytes() + entry.meta.bytes();
            }
        }
        for leftover in &self.pruning.leftovers {
            old += leftover.page.bytes() + leftover.meta.bytes();
        }
        (new, old)
    }

    fn steps(&self) -> u64 {
        let written = self
            .survey
            .entries
            .iter()
            .filter(|entry| entry.need != Need::Keep);
        2 * (written.count() + self.pruning.leftovers.len()) as u64
    }

    fn groups(&self, keys: &Keys) -> impl Iterator<Item = Result<Group, Stop>> {
        let writes = self
            .survey
            .entries
            .iter()
            .filter(|entry| entry.need != Need::Keep)
            .map(|entry| self.group(entry, keys));
        let removes = self.pruning.leftovers.iter().map(|leftover| {
            Ok(leftover
                .objects(keys)
                .map(|(seen, key)| Step {
                    key,
                    want: Want::Remove,
                    prior_bytes: seen.bytes() as usize,
                })
                .collect())
        });
        writes.chain(removes)
    }

    fn group(&self, entry: &Entry, keys: &Keys) -> Result<Group, Stop> {
        let objects = [
            (keys.page(&entry.route), entry.page),
            (keys.meta(&entry.route), entry.meta),
        ];
        let mut bodies = match (entry.spot, &self.spooled) {
            (Some(spot), Some(spooled)) => {
                let length = spot.page_bytes + spot.meta_bytes;
                let mut page = spooled.read(spot.offset, length).map_err(Stop::Spool)?;
                let meta = page.split_off(spot.page_bytes);
                vec![page, meta].into_iter()
            }
            _ => Vec::new().into_iter(),
        };
        let steps = objects.into_iter().map(|(key, seen)| {
            let want = match bodies.next() {
                Some(content) => Want::Put {
                    made: Present {
                        kind: "string".to_owned(),
                        expires_at_ms: Some(entry.expires_at_ms),
                        fingerprint: Fingerprint::of(&content),
                    },
                    content,
                    create: seen == Seen::Absent,
                },
                None => Want::Refresh {
                    to_ms: entry.expires_at_ms,
                    seen_ms: seen.expires_at_ms(),
                },
            };
            Step {
                key,
                want,
                prior_bytes: seen.bytes() as usize,
            }
        });
        Ok(steps.collect())
    }

    /// Reports and counts what would be done for `entry`.
    fn foresee(&self, entry: &Entry, keys: &Keys, counts: &mut Counts, outcome: &mut Outcome) {
        let bytes = entry
            .spot
            .map_or([0, 0], |spot| [spot.page_bytes, spot.meta_bytes]);
        let objects = [
            (keys.page(&entry.route), entry.page, bytes[0]),
            (keys.meta(&entry.route), entry.meta, bytes[1]),
        ];
        for (key, seen, bytes) in objects {
            let action = match (entry.need, seen) {
                (Need::Keep, _) => continue,
                (Need::Refresh, _) => Action::Refresh,
                (Need::Write, Seen::Absent) => Action::Create,
                (Need::Write, _) => Action::Update,
            };
            counts.add(action, bytes as u64);
            foreseen(outcome, &key, action, Some(entry.expires_at_ms));
        }
    }
}

fn foreseen(outcome: &mut Outcome, key: &str, action: Action, expires_at_ms: Option<i64>) {
    outcome.key(&KeyReport {
        key,
        action: Some(action),
        fate: Fate::Written,
        expires_at_ms,
    });
}
