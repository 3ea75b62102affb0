//! The way back: every key gets the value, type and expiry it had before the run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::notify;
use super::outcome::{Ended, Outcome, status_of};
use super::report::Report;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::progress::Progress;
use crate::publish::apply::step::{Step, Want};
use crate::publish::apply::stop::{Stop, stopped};
use crate::publish::apply::{Apply, Direction, Group, RunContext};
use crate::publish::history::intents::{Void, intents, read_through, void};
use crate::publish::history::open_manifest;
use crate::publish::history::open_manifest::Files;
use crate::publish::history::runs::Runs;
use crate::publish::manifest::{Counts, Intent, Manifest, Status, Verify};
use crate::publish::one_line;
use crate::publish::reason::Reason;
use crate::publish::run::command_line::rollback_line;
use crate::publish::run::connection::Connected;
use crate::publish::run::folder_lock::FolderLock;
use crate::publish::run::refusal::locked;
use crate::publish::run::state_folder::lock_folder;
use crate::publish::run::{Goal, Run, RunPurpose};
use crate::publish::verify_after_failover::recheck;
use crate::settings::Settings;
use crate::store::{Address, StoreError};

/// Which run is undone, and how.
#[derive(Clone, Debug, Default)]
pub struct Rollback {
    /// A run's id or a prefix that no other has, the file of a manifest, or `last`: the last run that
    /// wrote something and is no rollback; `last~1` is the one before it.
    pub run: String,
    /// Whether what cannot be read of a damaged manifest is skipped.
    pub skip_damaged: bool,
    /// Whether it stops just before its first write.
    pub dry_run: bool,
    /// The prefix that the caller named, for which the one of the manifest counts all the same.
    pub named_prefix: Option<String>,
}

/// Undoes a run. Ends when `interrupted` is set.
///
/// # Errors
/// With the exit code that says what was restored: see [`crate::exit::Exit`].
pub fn rollback(
    settings: &Settings,
    rollback: &Rollback,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
) -> Result<Outcome, Failure> {
    if rollback.dry_run {
        let dry = |report: &mut dyn Report| undo(settings, rollback, interrupted, report);
        return notify::dry_run(settings, report, dry);
    }
    // The store first: a cache that is purged before would fetch the old page again.
    let ended = undo(settings, rollback, interrupted, report);
    notify::after_run(settings, interrupted, report, ended)
}

fn undo(
    settings: &Settings,
    rollback: &Rollback,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
) -> Result<Outcome, Failure> {
    // A process that is still writing in this folder may be that run: wait for it before reading.
    let alone = if rollback.dry_run || !Runs::of(&settings.state_dir).are_there() {
        None
    } else {
        Some(lock_folder(settings)?)
    };
    let verify = if rollback.skip_damaged {
        Verify::Rest
    } else {
        Verify::All
    };
    let (manifest, files) =
        open_manifest::open_with_files(settings, &rollback.run, verify, report)?;
    report.lost(manifest.lost());
    say_what_counts(
        settings,
        rollback.named_prefix.as_deref(),
        &manifest,
        report,
    );
    report.prefix(&manifest.header().prefix);
    if rollback.run == "last" && !manifest.wrote() {
        return Ok(wrote_nothing(&manifest, report));
    }
    let undo = Undo {
        settings,
        manifest: &manifest,
        files: Some(&files),
        interrupted,
        folder: alone.as_ref(),
    };
    if rollback.dry_run {
        undo.dry_run(report)
    } else {
        undo.run(report)
    }
}

/// Where the command line names another store than the manifest, says which one counts.
fn say_what_counts(
    settings: &Settings,
    named_prefix: Option<&str>,
    manifest: &Manifest,
    report: &mut dyn Report,
) {
    let header = manifest.header();
    let (run, server) = (&header.run, one_line(&header.server));
    let is_another = Address::parse(&header.server).is_ok_and(|named| {
        !named
            .in_state_folder(&settings.state_dir)
            .same_as(&settings.address)
    });
    if settings.address_is_explicit && is_another {
        report.warning(&format!(
            "the manifest of {run} names {server}; rolling back {}, as --redis says",
            settings.address
        ));
    }
    if named_prefix.is_some_and(|prefix| *prefix != header.prefix) {
        report.warning(&format!(
            "the manifest of {run} names the prefix {}, which counts; --prefix is ignored",
            one_line(&header.prefix)
        ));
    }
}

/// How many bytes of the manifest cannot be read; none if all can.
fn skipped_bytes(manifest: &Manifest) -> Option<u64> {
    let lost = manifest.lost();
    let bytes = lost.iter().map(|lost| lost.to.saturating_sub(lost.from));
    (!lost.is_empty()).then(|| bytes.sum())
}

/// No run wrote anything, the last one included.
fn wrote_nothing(manifest: &Manifest, report: &mut dyn Report) -> Outcome {
    let run = &manifest.header().run;
    report.say(&format!(
        "the last run, {run}, wrote nothing: nothing is rolled back"
    ));
    report.say("no run in this state folder wrote anything");
    report.wrote_nothing(run, None);
    Outcome {
        exit: Exit::Partial,
        status: Status::Partial,
        counts: Counts::default(),
        header: None,
        manifest: None,
    }
}

/// A run that is to be undone.
pub(crate) struct Undo<'a> {
    pub settings: &'a Settings,
    pub manifest: &'a Manifest,
    /// What it was opened from, where others may write to that meanwhile.
    pub files: Option<&'a Files>,
    /// Ends it between two batches.
    pub interrupted: &'a Arc<AtomicBool>,
    /// The lock of the state folder, where the caller holds it.
    pub folder: Option<&'a FolderLock>,
}

impl Undo<'_> {
    /// The command that goes on with it.
    fn again(&self) -> String {
        let line = rollback_line(self.settings, self.manifest);
        if self.manifest.lost().is_empty() {
            line
        } else {
            format!("{line} --skip-damaged")
        }
    }

    /// Shards on hosts that share no locks of files hold the lock in the store alone.
    fn is_unchanged(&self) -> Result<(), Failure> {
        let run = &self.manifest.header().run;
        match self.files {
            Some(files) if !files.are_same()? => Err(locked(
                format!("the manifests of run {run} changed: a shard was writing"),
                "at once: run it again",
            )),
            _ => Ok(()),
        }
    }

    /// Whether the next import may publish again what is taken out.
    fn may_come_back(&self) -> bool {
        let command = self.manifest.header().command.as_str();
        matches!(command, "import" | "warm") && open_manifest::published_from_tree(self.manifest)
    }

    /// Undoes it.
    pub(crate) fn run(&self, report: &mut dyn Report) -> Result<Outcome, Failure> {
        let manifest = self.manifest;
        let undone_run = manifest.header().run.clone();
        let address = open_manifest::address(self.settings, manifest)?;
        let (void, total) = read_through(manifest, self.interrupted)?;
        let purpose = RunPurpose {
            command: "rollback",
            address: &address,
            prefix: &manifest.header().prefix,
            folder: self.folder,
            interrupted: self.interrupted,
            goal: Goal::Undo {
                header: manifest.header(),
                skipped_bytes: skipped_bytes(manifest),
                under_lock: &|| self.is_unchanged(),
            },
        };
        let mut run = Run::begin(self.settings, &purpose)?;
        report.begun(&run.header, run.manifest.path());
        report.writes(&run.header);
        let mut progress = Progress::default();
        let bar = report.bar("restore", "keys", total);
        let slack_ms = run.store.connector.address.expiry_slack_ms();
        let applied = Apply {
            context: run.context(self.interrupted),
            direction: Direction::Back,
            dates_absence: false,
            again: false,
        }
        .run(
            groups(manifest, &void, slack_ms),
            &mut progress,
            &mut |key| {
                bar.advance(1);
                report.restored(key);
            },
        );
        drop(bar);
        let applied = applied.and_then(|()| recheck(&mut run, &mut progress, self.interrupted));
        let (header, path) = (run.header.clone(), run.manifest_path());
        let (counts, touched) = (progress.counts, progress.touched);
        report.counts(&counts);
        // Advise to repeat this rollback, not to undo it.
        let again = &self.again();
        if let Err(stop) = applied {
            let _ = run.end(Status::Stopped, progress);
            return Err(stopped(&stop, touched, again));
        }
        let is_partial = counts.conflicts + counts.expired > 0 || !manifest.lost().is_empty();
        let (status, exit) = status_of(is_partial);
        let pruned = run
            .end(status, progress)
            .map_err(|error| stopped(&Stop::Manifest(error), touched, again))?;
        report.pruned(&pruned);
        report.ended(&Ended {
            command: "rollback",
            status,
            counts: &counts,
            run: Some((&header, &path)),
            undoes: Some(&undone_run),
        });
        if counts.written() > 0 && self.may_come_back() {
            report.comes_back();
        }
        Ok(Outcome {
            exit,
            status,
            counts,
            header: Some(header),
            manifest: Some(path),
        })
    }

    /// The same apply, which stops before its first write.
    fn dry_run(&self, report: &mut dyn Report) -> Result<Outcome, Failure> {
        let manifest = self.manifest;
        let before = |error: StoreError| Failure::before_writing(&error);
        let address = open_manifest::address(self.settings, manifest)?;
        let void = void(manifest, self.interrupted)?;
        let mut store = Connected::open(&address, self.settings, self.interrupted)?;
        store.is_that_of(manifest.header())?;
        report.dry_run("rollback", &address.to_string());
        let slack_ms = address.expiry_slack_ms();
        let mut progress = Progress::default();
        let foreseen = Apply {
            context: RunContext {
                session: &mut store.session,
                record: None,
                interrupted: self.interrupted,
                slack_ms,
            },
            direction: Direction::Back,
            dates_absence: false,
            again: false,
        }
        .run(
            groups(manifest, &void, slack_ms),
            &mut progress,
            &mut |key| report.restored(key),
        );
        foreseen.map_err(|stop| match stop {
            Stop::Store(error) => before(error),
            Stop::Interrupted => Failure::interrupted(),
            other => Failure::new(Exit::Refused, other.to_string()),
        })?;
        let counts = progress.counts;
        let (status, exit) = status_of(counts.conflicts > 0 || !manifest.lost().is_empty());
        report.ended(&Ended {
            command: "rollback",
            status,
            counts: &counts,
            run: None,
            undoes: Some(&manifest.header().run),
        });
        Ok(Outcome {
            exit,
            status,
            counts,
            header: None,
            manifest: None,
        })
    }
}

fn groups<'a>(
    manifest: &'a Manifest,
    void: &'a Void,
    slack_ms: i64,
) -> impl Iterator<Item = Result<Group, Stop>> + 'a {
    intents(manifest, void).map(move |intent| match intent {
        Ok(intent) => Ok(vec![step(intent, slack_ms)]),
        Err(damage) => Err(Stop::Undone(damage.to_string())),
    })
}

fn step(intent: Intent, slack_ms: i64) -> Step {
    Step {
        key: intent.key.clone(),
        prior_bytes: intent
            .made
            .as_ref()
            .and_then(|made| made.bytes)
            .unwrap_or(0) as usize,
        reason: Some(Reason::Rollback),
        of_archive: intent.of_archive,
        want: Want::Back {
            undone: Box::new(intent),
            slack_ms,
        },
    }
}
