//! `anp rehearse`: the real import under a scratch prefix, taken back again.
//!
//! 1. Roll back what a rehearsal that was killed left behind.
//! 2. Import with the real settings, on the server of the real run, if its objects fit there.
//! 3. Verify: the store holds what the run wrote.
//! 4. Roll back.
//! 5. Compare: each key of the run is as it was before it.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;

use super::articles::Articles;
use super::job::{Job, Work};
use super::outcome::{Outcome, to_ms};
use super::rollback::Undo;
use super::survey::{Wanted, readable, renderer};
use super::switch;
use super::undone::{look_at_each, untouched, unusable, wrote};
use super::verify;
use crate::cli::{Common, Rehearse};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ops::connect::Connected;
use crate::ops::lock::FolderLock;
use crate::ops::run::{lock_folder, salt, switched_off};
use crate::ops::runs::Runs;
use crate::publish::manifest::{Damage, Manifest, Verify};
use crate::publish::state::{Found, State};
use crate::publish::switch::Switch;
use crate::report::{Output, Progress as Bars, log};
use crate::settings::{Expect, Limit, Settings};
use crate::store::Session;

/// What a rehearsal writes is nobody's article: this and a number are appended to the prefix, so
/// that two of them, on two hosts, do not see each other's keys. Their state folder bears the
/// name too.
const SCRATCH: &str = "rehearsal";

pub(super) fn run(common: &Common, arguments: &Rehearse) -> Result<Exit, Failure> {
    let started = Instant::now();
    let settings = super::settings(common, arguments.settings())?;
    let renderer = renderer(&settings)?;
    readable(&settings.content)?;
    switch::refuse(&settings)?;
    let scratch = Settings {
        prefix: format!("{}:{SCRATCH}:{:08x}", settings.prefix, salt() >> 32),
        state_dir: settings.state_dir.join(SCRATCH),
        expect: expected(&settings.expect, arguments.sample.is_some()),
        ..settings.clone()
    };
    let mut steps = Steps {
        output: Output::stdout(common.format, false),
    };
    // Held open, so that an embedded server stays up from the first step to the last.
    let mut store = Connected::open(&settings.address, &settings)?;
    let switch = Switch::of(&settings.prefix);
    let paused = switch
        .look(&mut store.session)
        .map_err(|error| Failure::before_writing(&error))?;
    if let Some(paused) = paused {
        return Err(switched_off(&settings, &switch, &paused));
    }
    // Until the end: whoever holds it may take every manifest there for one of the dead.
    let folder = lock_folder(&scratch)?;
    steps.begin(&settings, &scratch);
    let scene = Scene {
        scratch: &scratch,
        folder: &folder,
    };
    let left_behind = scene.clear()?;
    if left_behind > 0 {
        log::note(format!(
            "rolled back {left_behind} keys that an earlier rehearsal had left behind"
        ));
    }
    let job = Job {
        // The real one: a store that is switched off is not rehearsed on either.
        switch,
        content: Some(scratch.content_shown()),
        folder: Some(&folder),
        ..Job::new("import", &scratch, started, common.quiet)?
    };
    let articles = Articles {
        is_rehearsal: true,
        wanted: Wanted {
            sample: arguments.sample.map(|count| count as usize),
            ..Wanted::all()
        },
        ..Articles::of(&job, &renderer)
    };
    scene.play(&job, &articles, &mut store.session, &mut steps)
}

/// Where a rehearsal takes place.
struct Scene<'a> {
    /// The real settings, with a prefix and a state folder of its own.
    scratch: &'a Settings,
    /// The lock of that folder.
    folder: &'a FolderLock,
}

impl Scene<'_> {
    fn play(
        &self,
        job: &Job<'_>,
        work: &dyn Work,
        session: &mut Session,
        steps: &mut Steps,
    ) -> Result<Exit, Failure> {
        let started = Instant::now();
        let published = job
            .publish(work, &mut silent())
            .map_err(|failure| self.take_back(failure, None))?;
        let rollback = published.header.rollback.as_str();
        let failed = |failure: Failure| self.take_back(failure, Some(rollback));
        let written = published.counts.written();
        steps.step(
            "import",
            started,
            &format!(
                "{written} keys written, {} bytes, {} articles invalid",
                published.counts.bytes, published.counts.invalid
            ),
        );
        let manifest = Manifest::open(&published.manifest, Verify::All)
            .map_err(|damage| failed(unusable(&damage)))?;

        let started = Instant::now();
        let untouched = untouched(&manifest).map_err(failed)?;
        let mut nobody = Output::silent();
        let tally = verify::compare(&manifest, &untouched, session, &mut nobody).map_err(failed)?;
        steps.step(
            "verify",
            started,
            &format!(
                "{} keys as written, {} different",
                tally.same, tally.different
            ),
        );

        let started = Instant::now();
        let undo = self.undo(&manifest, job.bars);
        let (undone, counts) = undo.run(&mut silent()).map_err(failed)?;
        let taken_back = counts.written();
        steps.step(
            "rollback",
            started,
            &format!("{taken_back} keys taken back, {} kept", counts.conflicts),
        );

        let started = Instant::now();
        let differences = compare(&manifest, &untouched, session).map_err(failed)?;
        steps.step(
            "compare",
            started,
            &format!(
                "{} keys as before, {differences} different",
                written - differences.min(written)
            ),
        );

        let is_as_before = undone == Exit::Done && differences == 0;
        let is_good = is_as_before && tally.different == 0 && tally.expired == 0;
        steps.end(is_as_before, rollback);
        if is_as_before {
            self.forget();
        }
        // A signal after the import does not keep it from taking back what it wrote.
        if job.interrupted.load(Ordering::Relaxed) {
            return Err(Failure::new(Exit::Interrupted, "interrupted by a signal")
                .note("retry", "safe: the steps above were carried out"));
        }
        Ok(if is_good {
            published.exit
        } else {
            Exit::Partial
        })
    }

    fn undo<'u>(&'u self, manifest: &'u Manifest, bars: Bars) -> Undo<'u> {
        Undo {
            settings: self.scratch,
            manifest,
            bars,
            interrupted: &NEVER,
            folder: Some(self.folder),
        }
    }

    /// Rolls back every run of the scratch folder, newest first, and forgets them. Returns how
    /// many keys that changed.
    fn clear(&self) -> Result<u64, Failure> {
        let runs = Runs::of(&self.scratch.state_dir);
        // The server is the one that the rehearsal wrote to, whatever is asked for now.
        let settings = Settings {
            address_is_explicit: false,
            ..self.scratch.clone()
        };
        let mut changed = 0;
        let ids = runs
            .ids()
            .map_err(|error| Failure::state_folder("cannot list the runs of rehearsals", &error))?;
        for id in ids.iter().rev() {
            let file = runs.file(id);
            match Manifest::open(&file, Verify::All) {
                Ok(manifest) if manifest.header().undoes.is_some() || !wrote(&manifest) => {}
                Ok(manifest) => {
                    let undo = Undo {
                        settings: &settings,
                        ..self.undo(&manifest, Bars::new(true))
                    };
                    let (exit, counts) = undo.run(&mut silent())?;
                    changed += counts.written();
                    if exit != Exit::Done {
                        return Err(changed_by_others(&manifest, counts.conflicts));
                    }
                }
                Err(Damage::NoHeader { .. }) => {}
                Err(damage) => {
                    let file = file.display();
                    return Err(unusable(&damage).note(
                        "help",
                        format!("its keys run out by themselves: {file} may be removed"),
                    ));
                }
            }
        }
        self.forget();
        Ok(changed)
    }

    /// The failure of a step, once what the rehearsal had written is taken back. `rollback` is
    /// how, if the import ended well.
    fn take_back(&self, mut failure: Failure, rollback: Option<&str>) -> Failure {
        let printed = failure.notes.iter().any(|(label, _)| *label == "rollback");
        if !printed && rollback.is_none() {
            // Nothing was written; the manifest that says so is of no use.
            let _ = self.clear();
            return failure;
        }
        let cleared = self.clear();
        failure.notes.retain(|(label, _)| *label != "retry");
        match cleared {
            Ok(changed) => {
                failure.notes.retain(|(label, _)| *label != "rollback");
                failure.note("retry", "safe once the cause is gone").note(
                    "rehearsal",
                    format!("the {changed} keys it had written are taken back"),
                )
            }
            Err(second) => {
                let why = format!("what it had written is still there: {}", second.what);
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
                failure.note("rehearsal", why)
            }
        }
    }

    /// Removes the manifests of rehearsals that are undone: they are nobody's way back.
    fn forget(&self) {
        let runs = Runs::of(&self.scratch.state_dir);
        for id in runs.ids().unwrap_or_default() {
            match std::fs::remove_file(runs.file(&id)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    log::warning(format!(
                        "cannot remove the manifest of rehearsal {id}: {error}"
                    ));
                }
                _ => {}
            }
        }
    }
}

/// What is taken back is taken back whole.
static NEVER: AtomicBool = AtomicBool::new(false);

fn changed_by_others(manifest: &Manifest, keys: u64) -> Failure {
    let what = format!("{keys} keys of an earlier rehearsal were changed by somebody");
    Failure::new(Exit::Partial, what)
        .note("expected", "nobody else writes under the scratch prefix")
        .note(
            "retry",
            "once they are looked at, or have expired; the run that wrote them is undone by the \
             line below",
        )
        .note("rollback", manifest.header().rollback.clone())
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

/// Reports of the steps are the steps of this report.
fn silent() -> Outcome {
    Outcome::new(Output::silent(), SCRATCH)
}

/// How many keys of the run are not as they were before it.
fn compare(
    manifest: &Manifest,
    untouched: &HashSet<String>,
    session: &mut Session,
) -> Result<u64, Failure> {
    let mut differences = 0;
    let doing = "comparing the keys of the rehearsal with what was there before";
    look_at_each(manifest, untouched, session, doing, &mut |intent, found| {
        let now = match found {
            Found::Absent => Some(State::Absent),
            Found::Whole(present, _) => Some(State::Present(present)),
            Found::TooLarge => return Err(Failure::new(Exit::Partial, intent.key)),
        };
        let before = intent
            .prior_state()
            .map_err(|error| Failure::new(Exit::Refused, error))?;
        differences += u64::from(now != before);
        Ok(())
    })?;
    Ok(differences)
}

/// What a rehearsal says.
struct Steps {
    output: Output,
}

impl Steps {
    fn begin(&mut self, settings: &Settings, scratch: &Settings) {
        self.output.text(format!(
            "rehearsal of import · {}, prefix {} instead of {}",
            settings.address, scratch.prefix, settings.prefix
        ));
        self.output.flush();
    }

    fn step(&mut self, name: &str, started: Instant, result: &str) {
        let seconds = started.elapsed().as_secs_f64();
        self.output
            .text(format!("  {name:10}{seconds:>8.2} s  {result}"));
        self.output.json(&json!({
            "type": "step", "step": name, "result": result,
            "seconds": to_ms(seconds),
        }));
        self.output.flush();
    }

    fn end(&mut self, is_as_before: bool, rollback: &str) {
        let text = if is_as_before {
            "all is as before".to_owned()
        } else {
            format!("not all is as before; to try again to undo it:\n  {rollback}")
        };
        self.output.text(text);
        self.output.json(&json!({
            "type": "summary", "command": "rehearse", "as_before": is_as_before,
            "rollback": (!is_as_before).then_some(rollback),
        }));
    }
}
