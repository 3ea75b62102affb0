//! A rehearsal: the real import under a scratch prefix, taken back again.
//!
//! 1. Roll back what a rehearsal that was killed left behind.
//! 2. Import with the real settings, on the server of the real run, if its objects fit there.
//! 3. Verify: the store holds what the run wrote.
//! 4. Roll back.
//! 5. Compare: each key of the run is as it was before it.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::outcome::Outcome;
use super::report::Report;
use super::rollback::Undo;
use crate::edge::After;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::articles::Articles;
use crate::publish::history::intents::{Void, look_at_each, void};
use crate::publish::history::later_expiries::LaterExpiries;
use crate::publish::history::open_manifest::unusable;
use crate::publish::history::runs::Runs;
use crate::publish::job::Job;
use crate::publish::manifest::{Damage, Manifest, Verify};
use crate::publish::run::connection::Connected;
use crate::publish::run::folder_lock::FolderLock;
use crate::publish::run::process::salt;
use crate::publish::run::refusal;
use crate::publish::run::refusal::switched_off;
use crate::publish::run::state_folder::lock_folder;
use crate::publish::run::switch::Switch;
use crate::publish::state::KeyState;
use crate::publish::survey::content::{SurveyScope, readable, renderer};
use crate::publish::verify;
use crate::publish::work::Work;
use crate::settings::{Expect, Limit, Settings};
use crate::store::Session;
use crate::words::counted;

/// What a rehearsal writes is nobody's article: this and a number are appended to the prefix, so
/// that two of them, on two hosts, do not see each other's keys. Their state folder bears the
/// name too.
const SCRATCH: &str = "rehearsal";

/// How long a server is waited for where a signal has ended the rehearsal, to take back what it
/// wrote.
const HURRIED: Duration = Duration::from_secs(3);

/// What a rehearsal says besides its import and its rollback.
pub trait Steps {
    /// It begins, under the prefix of `scratch`.
    fn begin(&mut self, settings: &Settings, scratch: &Settings);
    /// A step ended, which took from `started` until now.
    fn step(&mut self, name: &str, started: Instant, result: &str);
    /// It ended; if not all is as before, `rollback` tries again to undo it.
    fn end(&mut self, is_as_before: bool, rollback: &str);
}

/// Imports the content tree of `settings` under a scratch prefix, or a `sample` of that many articles,
/// verifies, rolls back, and compares. Ends when `interrupted` is set, and takes back what it wrote.
///
/// # Errors
/// With the exit code that says what is left: see [`crate::exit::Exit`].
pub fn rehearse(
    settings: &Settings,
    sample: Option<usize>,
    interrupted: &Arc<AtomicBool>,
    steps: &mut dyn Steps,
    report: &mut dyn Report,
) -> Result<Exit, Failure> {
    let renderer = renderer(settings)?;
    readable(settings)?;
    refusal::refuse(settings)?;
    let scratch = Settings {
        prefix: format!("{}:{SCRATCH}:{:08x}", settings.prefix, salt() >> 32),
        state_dir: settings.state_dir.join(SCRATCH),
        after: After::default(),
        expect: expected(&settings.expect, sample.is_some()),
        ..settings.clone()
    };
    let switch = Switch::of(&settings.prefix);
    let mut job = Job {
        // The real one: a store that is switched off is not rehearsed on either.
        switch: Some(switch.clone()),
        content: Some(scratch.content_shown()),
        renderer: Some(renderer.fingerprint()),
        ..Job::new("import", &scratch, interrupted)
    };
    // Held open, so that an embedded server stays up from the first step to the last.
    let mut store = Connected::open(&settings.address, settings, interrupted)?;
    let paused = switch
        .look(&mut store.session)
        .map_err(|error| Failure::before_writing(&error))?;
    if let Some(paused) = paused {
        return Err(switched_off(settings, &switch, &paused));
    }
    // Held until the end: the holder may treat every manifest in the folder as one of a dead run.
    let folder = lock_folder(&scratch)?;
    job.folder = Some(&folder);
    steps.begin(settings, &scratch);
    let mut scene = Scene {
        scratch: &scratch,
        folder: &folder,
        interrupted: Arc::clone(interrupted),
        left: HashSet::new(),
    };
    scene.tidy(report)?;
    let articles = Articles {
        is_rehearsal: true,
        wanted: SurveyScope {
            sample,
            ..SurveyScope::all()
        },
        ..Articles::of(&job, &renderer)
    };
    scene.play(&job, &articles, &mut store.session, steps, report)
}

/// Where a rehearsal takes place.
struct Scene<'a> {
    /// The real settings, with a prefix and a state folder of its own.
    scratch: &'a Settings,
    /// The lock of that folder.
    folder: &'a FolderLock,
    /// A signal asks the rehearsal to end. What it wrote is taken back all the same.
    interrupted: Arc<AtomicBool>,
    /// Earlier rehearsals that cannot be taken back now. They do not stand in the way: each has
    /// a prefix of its own.
    left: HashSet<String>,
}

/// A rehearsal that could not be taken back.
struct StuckRehearsal {
    run: String,
    manifest: PathBuf,
    why: Failure,
}

/// What the steps after the import found.
struct Checks {
    /// Whether the store held what the import wrote.
    is_as_written: bool,
    /// Whether, after the rollback, each key was as it was before the import.
    is_as_before: bool,
}

impl Scene<'_> {
    fn play(
        &self,
        job: &Job<'_>,
        work: &dyn Work,
        session: &mut Session,
        steps: &mut dyn Steps,
        report: &mut dyn Report,
    ) -> Result<Exit, Failure> {
        let started = Instant::now();
        let published = job
            .publish(work, report)
            .map_err(|failure| self.take_back(failure, None, report))?;
        let (Some(header), Some(file)) = (&published.header, &published.manifest) else {
            return Ok(published.exit);
        };
        steps.step("import", started, &import_result(&published));
        let rollback = header.rollback.as_str();
        let written = published.counts.written();
        let checks = self
            .check(file, written, session, steps, report)
            .map_err(|failure| self.take_back(failure, Some(rollback), report))?;
        steps.end(checks.is_as_before, rollback);
        if checks.is_as_before {
            self.forget(&|_| false, report);
        }
        // A signal after the import did not keep it from taking back what it wrote.
        if job.interrupted.load(Ordering::Relaxed) {
            return Err(Failure::new(Exit::Interrupted, "interrupted by a signal")
                .note("retry", "safe: the steps above were carried out"));
        }
        Ok(if checks.is_as_before && checks.is_as_written {
            published.exit
        } else {
            Exit::Partial
        })
    }

    /// The steps after the import, which wrote `written` keys: verify, rollback, compare.
    fn check(
        &self,
        file: &Path,
        written: u64,
        session: &mut Session,
        steps: &mut dyn Steps,
        report: &mut dyn Report,
    ) -> Result<Checks, Failure> {
        let manifest = Manifest::open(file, Verify::All).map_err(|damage| unusable(&damage))?;

        let started = Instant::now();
        let void = void(&manifest, &self.interrupted)?;
        let slack_ms = self.scratch.address.expiry_slack_ms();
        let later = LaterExpiries::default();
        let tally = verify::compare(&manifest, &void, session, (&later, slack_ms), &mut ())?;
        let as_written = counted(tally.same, "key");
        let result = format!("{as_written} as written, {} different", tally.unexplained());
        steps.step("verify", started, &result);

        let started = Instant::now();
        let undone = self
            .undo(self.scratch, &manifest, &self.interrupted)
            .run(report)?;
        let taken_back = counted(undone.counts.written(), "key");
        let result = format!("{taken_back} taken back, {} kept", undone.counts.conflicts);
        steps.step("rollback", started, &result);

        let started = Instant::now();
        let differences = compare(&manifest, &void, session)?;
        let as_before = counted(written - differences.min(written), "key");
        let result = format!("{as_before} as before, {differences} different");
        steps.step("compare", started, &result);

        Ok(Checks {
            is_as_written: tally.unexplained() == 0 && tally.expired == 0,
            is_as_before: undone.exit == Exit::Done && differences == 0,
        })
    }

    fn undo<'u>(
        &'u self,
        settings: &'u Settings,
        manifest: &'u Manifest,
        interrupted: &'u Arc<AtomicBool>,
    ) -> Undo<'u> {
        Undo {
            settings,
            manifest,
            files: None,
            interrupted,
            folder: Some(self.folder),
        }
    }

    /// Takes back what earlier rehearsals left, and says what it could not.
    fn tidy(&mut self, report: &mut dyn Report) -> Result<(), Failure> {
        let (changed, stuck) = self.clear(report)?;
        if changed > 0 {
            report.note(&format!(
                "rolled back {} that an earlier rehearsal had left behind",
                counted(changed, "key")
            ));
        }
        for StuckRehearsal { run, manifest, why } in stuck {
            let manifest = manifest.display();
            let why = why.what;
            report.warning(&format!(
                "cannot take back what the earlier rehearsal {run} left: {why}; its keys run out \
                 by themselves, and {manifest} may be removed then"
            ));
            self.left.insert(run);
        }
        Ok(())
    }

    /// Rolls back every run of the scratch folder but those that are `left`, newest first, and
    /// forgets them. Returns how many keys that changed, and the runs that stay as they are.
    fn clear(&self, report: &mut dyn Report) -> Result<(u64, Vec<StuckRehearsal>), Failure> {
        let runs = Runs::of(&self.scratch.state_dir);
        let ids = runs.ids();
        let ids = ids.map_err(|error| Failure::unlisted_runs(runs.folder(), &error))?;
        let (mut changed, mut stuck) = (0, Vec::new());
        for run in ids.into_iter().rev().filter(|run| !self.left.contains(run)) {
            let manifest = runs.file(&run);
            match self.undo_one(&manifest, report) {
                Ok(keys) => changed += keys,
                Err(why) => stuck.push(StuckRehearsal { run, manifest, why }),
            }
        }
        let kept: HashSet<&str> = stuck.iter().map(|stuck| stuck.run.as_str()).collect();
        self.forget(&|run| kept.contains(run), report);
        Ok((changed, stuck))
    }

    /// Undoes one rehearsal, and returns how many keys that changed.
    fn undo_one(&self, file: &Path, report: &mut dyn Report) -> Result<u64, Failure> {
        let manifest = match Manifest::open(file, Verify::All) {
            Ok(manifest) if manifest.header().undoes.is_some() || !manifest.wrote() => {
                return Ok(0);
            }
            Ok(manifest) => manifest,
            Err(Damage::NoHeader { .. }) => return Ok(0),
            Err(damage) => return Err(unusable(&damage)),
        };
        // The rollback uses the server that the rehearsal wrote to.
        let mut settings = Settings {
            address_is_explicit: false,
            ..self.scratch.clone()
        };
        let mut interrupted = Arc::clone(&self.interrupted);
        if interrupted.load(Ordering::Relaxed) {
            // The signal that ended the rehearsal does not end this. It only does not wait long.
            interrupted = Arc::default();
            settings.patience.timeout = settings.patience.timeout.min(HURRIED);
            settings.patience.deadline = settings.patience.deadline.min(HURRIED);
        }
        let undo = self.undo(&settings, &manifest, &interrupted);
        let Outcome { exit, counts, .. } = undo.run(report)?;
        if exit == Exit::Done {
            return Ok(counts.written());
        }
        let what = format!("{} of its keys were changed by somebody", counts.conflicts);
        Err(Failure::new(exit, what))
    }

    /// The failure of a step, once what the rehearsal had written is taken back. `rollback` is
    /// how, if the import ended well.
    fn take_back(
        &self,
        mut failure: Failure,
        rollback: Option<&str>,
        report: &mut dyn Report,
    ) -> Failure {
        let printed = failure.notes.iter().any(|(label, _)| *label == "rollback");
        let cleared = self.clear(report);
        if !printed && rollback.is_none() {
            return failure;
        }
        failure.notes.retain(|(label, _)| *label != "retry");
        let stuck = match cleared {
            Ok((changed, stuck)) if stuck.is_empty() => {
                failure.notes.retain(|(label, _)| *label != "rollback");
                let told = match changed {
                    0 => "what it had written is taken back".to_owned(),
                    _ => format!("the {changed} keys it had written are taken back"),
                };
                return failure
                    .note("retry", "safe once the cause is gone")
                    .note("rehearsal", told);
            }
            Ok((_, stuck)) => stuck.into_iter().next().map(|stuck| stuck.why.what),
            Err(second) => Some(second.what),
        };
        let why = stuck.unwrap_or_default();
        // The other codes promise that nothing was written.
        if !matches!(
            failure.exit,
            Exit::Interrupted | Exit::Paused | Exit::Manifest
        ) {
            failure.exit = Exit::Stopped;
        }
        failure = failure.note(
            "retry",
            "safe: the next rehearsal begins by taking it back, or the rollback line does",
        );
        if let Some(rollback) = rollback.filter(|_| !printed) {
            failure = failure.note("rollback", rollback);
        }
        failure.note(
            "rehearsal",
            format!("what it had written may still be there: {why}"),
        )
    }

    /// Removes the manifests of rehearsals that are undone, but those of `kept` runs and those
    /// that are `left`: they are nobody's way back.
    fn forget(&self, kept: &dyn Fn(&str) -> bool, report: &mut dyn Report) {
        let runs = Runs::of(&self.scratch.state_dir);
        let ids = runs.ids().unwrap_or_default().into_iter();
        for id in ids.filter(|id| !kept(id) && !self.left.contains(id)) {
            match std::fs::remove_file(runs.file(&id)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    report.warning(&format!(
                        "cannot remove the manifest of rehearsal {id}: {error}"
                    ));
                }
                _ => {}
            }
        }
    }
}

/// The result of the import, for people.
fn import_result(published: &Outcome) -> String {
    let counts = &published.counts;
    format!(
        "{} written, {}, {} invalid",
        counted(counts.written(), "key"),
        counted(counts.bytes, "byte"),
        counted(counts.invalid, "article")
    )
}

/// What can be expected of a rehearsal: under the scratch prefix every article is new, and a
/// sample is no whole tree.
fn expected(expect: &Expect, sampled: bool) -> Expect {
    Expect {
        max_changed: Limit::Permille(1000),
        min_articles: if sampled { 1 } else { expect.min_articles },
        ..expect.clone()
    }
}

/// How many keys of the run are not as they were before it.
fn compare(manifest: &Manifest, void: &Void, session: &mut Session) -> Result<u64, Failure> {
    let mut differences = 0;
    let doing = "comparing the keys of the rehearsal with what was there before";
    look_at_each(manifest, void, session, doing, &mut |intent, found| {
        if found == KeyState::TooLarge {
            return Err(Failure::new(Exit::Partial, intent.key));
        }
        let before = intent
            .prior_present()
            .map_err(|error| Failure::new(Exit::Refused, error))?;
        let is_as_before = match found {
            KeyState::Present(now, _) => before == Some(now),
            _ => intent.prior.is_none(),
        };
        differences += u64::from(!is_as_before);
        Ok(())
    })?;
    Ok(differences)
}
