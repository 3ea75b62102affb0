//! `anp rollback`: every key back to the value, type and expiry it had before the run.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::metrics;
use super::outcome::{Outcome, status_of, stopped, watch};
use super::recheck::recheck;
use super::undone::{self, Files, intents, look_at_each, read_through, untouched};
use crate::cli::{Common, Rollback};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ops::connect::Connected;
use crate::ops::lock::FolderLock;
use crate::ops::refusal::locked;
use crate::ops::run::{Purpose, Run, lock_folder};
use crate::ops::runs::Runs;
use crate::publish::apply::{Apply, Group};
use crate::publish::encode::Way;
use crate::publish::manifest::{Counts, Fate, Intent, Manifest, Status};
use crate::publish::pace::Pace;
use crate::publish::progress::{KeyReport, Progress};
use crate::publish::step::{Decision, Looked, Step, Want, decide};
use crate::publish::stop::Stop;
use crate::report::{Output, Progress as Bars, log};
use crate::settings::Settings;
use crate::store::StoreError;

pub(super) fn run(common: &Common, arguments: &Rollback) -> Result<Exit, Failure> {
    let settings = super::settings(common, arguments.settings())?;
    let output = Output::stdout(common.format, true);
    let mut outcome = Outcome::new(output, &settings.prefix);
    let ended = rollback(&settings, common, arguments, &mut outcome);
    if !arguments.dry_run {
        metrics::record(&settings, "rollback", &outcome, &ended);
    }
    ended
}

fn rollback(
    settings: &Settings,
    common: &Common,
    arguments: &Rollback,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    let interrupted = watch()?;
    // Whatever is under way in this folder may be the run: it is read once nobody writes there.
    let alone = if arguments.dry_run || !Runs::of(&settings.state_dir).are_there() {
        None
    } else {
        Some(lock_folder(settings)?)
    };
    let (manifest, files) = undone::open_as_found(settings, &arguments.run)?;
    outcome.prefix.clone_from(&manifest.header().prefix);
    if arguments.run == "last" && !manifest.wrote() {
        return Ok(wrote_nothing(settings, &manifest, outcome));
    }
    if arguments.dry_run {
        return dry_run(settings, &manifest, &interrupted, outcome);
    }
    let undo = Undo {
        settings,
        manifest: &manifest,
        files: Some(&files),
        bars: Bars::new(common.quiet),
        interrupted: &interrupted,
        folder: alone.as_ref(),
    };
    undo.run(outcome).map(|(exit, _)| exit)
}

/// The last run wrote nothing: undoing an earlier one is for a person to decide.
fn wrote_nothing(settings: &Settings, manifest: &Manifest, outcome: &mut Outcome) -> Exit {
    let run = &manifest.header().run;
    let earlier = undone::last_that_wrote(settings);
    log::say(format!(
        "the last run, {run}, wrote nothing: nothing is rolled back"
    ));
    match &earlier {
        Ok(Some(command)) => log::say(format!(
            "to undo the last run that wrote something:\n  {command}"
        )),
        Ok(None) => log::say("no run in this state folder wrote anything"),
        Err(error) => log::warning(format!(
            "which run wrote something last is not known: {error}"
        )),
    }
    let earlier = earlier.ok().flatten();
    outcome.output.json(&serde_json::json!({
        "type": "summary", "command": "rollback", "status": "nothing", "undoes": run,
        "counts": Counts::default(), "rollback": earlier,
    }));
    Exit::Partial
}

/// A run that is to be undone.
pub(super) struct Undo<'a> {
    pub settings: &'a Settings,
    pub manifest: &'a Manifest,
    /// What it was opened from, where others may write to that meanwhile.
    pub files: Option<&'a Files>,
    pub bars: Bars,
    /// Ends it between two batches.
    pub interrupted: &'a Arc<AtomicBool>,
    /// The lock of the state folder, where the caller holds it.
    pub folder: Option<&'a FolderLock>,
}

impl Undo<'_> {
    pub(super) fn run(&self, outcome: &mut Outcome) -> Result<(Exit, Counts), Failure> {
        let manifest = self.manifest;
        let undone_run = manifest.header().run.clone();
        let address = undone::address(self.settings, manifest)?;
        let (untouched, total) = read_through(manifest, self.interrupted)?;
        let purpose = Purpose {
            command: "rollback",
            address: &address,
            prefix: &manifest.header().prefix,
            content: None,
            undoes: Some(undone_run.clone()),
            undone: Some(manifest.header()),
            switch: None,
            folder: self.folder,
            share: None,
            interrupted: self.interrupted,
            // Shards on hosts that share no locks of files hold the lock in the store alone.
            under_lock: Some(&|| match self.files {
                Some(files) if !files.are_same()? => Err(locked(
                    format!("the manifests of run {undone_run} changed: a shard was writing"),
                    "at once: run it again",
                )),
                _ => Ok(()),
            }),
        };
        let mut run = Run::begin(self.settings, purpose)?;
        outcome.run(&run);
        let mut progress = Progress::default();
        let bar = self.bars.bar("restore", "keys", total);
        let slack_ms = run.store.connector.address.expiry_slack_ms();
        let applied = Apply {
            session: &mut run.store.session,
            manifest: &mut run.manifest,
            lease: &run.lease,
            way: Way::Back,
            interrupted: self.interrupted,
            time_limit: None,
            switch: None,
            pace: Pace::unlimited(),
            copies: None,
            slack_ms,
            dates_absence: false,
        }
        .run(
            groups(manifest, &untouched, slack_ms),
            &mut progress,
            &mut |report| {
                bar.inc(1);
                outcome.fate(report);
            },
        );
        bar.finish_and_clear();
        let applied = applied.and_then(|()| recheck(&mut run, &mut progress, self.interrupted));
        let (header, path) = (run.header.clone(), run.manifest_path());
        let (counts, touched) = (progress.counts, progress.touched);
        outcome.counts = counts;
        // Whoever wanted the way back still wants it, and not the way back from that.
        let again = &manifest.header().rollback;
        if let Err(stop) = applied {
            let _ = run.end(Status::Stopped, progress);
            return Err(stopped(&stop, touched, again));
        }
        let (status, exit) = status_of(counts.conflicts + counts.expired > 0);
        let pruned = run
            .end(status, progress)
            .map_err(|error| stopped(&Stop::Manifest(error), touched, again))?;
        outcome.pruned(&pruned);
        outcome.undone(&undone_run, &counts, status.word(), Some((&header, &path)));
        Ok((exit, counts))
    }
}

fn groups<'a>(
    manifest: &'a Manifest,
    untouched: &'a HashSet<String>,
    slack_ms: i64,
) -> impl Iterator<Item = Result<Group, Stop>> + 'a {
    intents(manifest, untouched).map(move |intent| match intent {
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
        want: Want::Back {
            undone: Box::new(intent),
            slack_ms,
        },
    }
}

/// The same decisions, and nothing after them.
fn dry_run(
    settings: &Settings,
    manifest: &Manifest,
    interrupted: &Arc<AtomicBool>,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    let before = |error: StoreError| Failure::before_writing(&error);
    let address = undone::address(settings, manifest)?;
    let untouched = untouched(manifest, interrupted)?;
    let mut store = Connected::open(&address, settings, interrupted)?;
    store.is_that_of(manifest.header())?;
    let now_ms = store.session.now_ms().map_err(before)?;
    outcome.dry_run("rollback", &address.to_string());
    let mut counts = Counts::default();
    let doing = "looking at the keys of the run";
    look_at_each(
        manifest,
        &untouched,
        &mut store.session,
        doing,
        &mut |intent, found| {
            let key = intent.key.clone();
            let decision = decide(
                step(intent, address.expiry_slack_ms()),
                Looked::Whole(found),
                now_ms,
            )
            .map_err(|error| Failure::new(Exit::Refused, error))?;
            let (action, fate) = match decision {
                Decision::Leave(fate) => (None, fate),
                Decision::Write(intent, _) => {
                    counts.add(intent.action, 0);
                    (Some(intent.action), Fate::Written)
                }
            };
            match fate {
                Fate::Conflict => counts.conflicts += 1,
                Fate::Already => counts.kept += 1,
                _ => {}
            }
            outcome.fate(&KeyReport {
                key: &key,
                action,
                fate,
                expires_at_ms: None,
            });
            Ok(())
        },
    )?;
    let (status, exit) = status_of(counts.conflicts > 0);
    outcome.undone(&manifest.header().run, &counts, status.word(), None);
    Ok(exit)
}
