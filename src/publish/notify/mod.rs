//! After a run: caches are purged of what it changed, and a program is told.
//!
//! A run with `after` in its settings owes a notification from before its first write on
//! ([`OwedNotification`]). Each command that writes sends what is owed in its state folder, the oldest first,
//! once its own run has ended. Nothing of this changes what the run did: what fails stays owed.

mod changed;
mod foresee;
mod send;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::edge::{Purged, Site};
use crate::exit::Exit;
use crate::failpoint;
use crate::failure::Failure;
use crate::publish::history::listing::is_about;
use crate::publish::history::open_manifest;
use crate::publish::history::owed_notification::{Attempts, OwedNotification};
use crate::publish::history::runs::Runs;
use crate::publish::manifest::{Damage, Manifest, Verify};
use crate::publish::outcome::Outcome;
use crate::publish::report::{Notified, Report};
use crate::publish::run::command_line::command_line;
use crate::publish::run::refusal::locked;
use crate::settings::Settings;

pub(crate) use foresee::dry_run;

/// Why nothing is sent to a cache, or to the program, that failed a moment ago.
const AWAY: &str = "it failed for another run just now";

/// Sends what is owed once a command has ended, and adds to its exit code what failed.
pub(crate) fn after_run(
    settings: &Settings,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
    ended: Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    if !settings.after.is_on() {
        return ended;
    }
    // One that kept another run from beginning, or could not write, is not made longer.
    let has_run = match &ended {
        Ok(_) => true,
        Err(failure) => !matches!(failure.exit, Exit::Usage | Exit::Config | Exit::Locked),
    };
    if !has_run {
        return ended;
    }
    let own = ended
        .as_ref()
        .ok()
        .and_then(|outcome| outcome.manifest.clone());
    let mut notifier = Notifier::new(settings, interrupted, report);
    let is_done = notifier.send_all(own.as_deref());
    ended.map(|outcome| match (is_done, outcome.exit) {
        (false, Exit::Done) => Outcome {
            exit: Exit::Partial,
            ..outcome
        },
        _ => outcome,
    })
}

/// Which notifications are sent.
#[derive(Clone, Debug, Default)]
pub struct Notify {
    /// The run; none: all that are owed.
    pub run: Option<String>,
    /// Whether it is sent although nothing is owed.
    pub again: bool,
    /// Whether it only says what it would send.
    pub dry_run: bool,
}

/// Sends what a run owes, or all of them, as `anp runs notify`.
///
/// # Errors
/// 78 when the settings have no `after`, 2 when there is no such run, 11 while it is under way.
pub fn notify(
    settings: &Settings,
    notify: &Notify,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
) -> Result<Exit, Failure> {
    if !settings.after.is_on() {
        return Err(
            Failure::new(Exit::Config, "nothing is set to be done after a run")
                .note("expected", "'after:' in anp.yaml (docs/edge.md)")
                .note("retry", "after you set it; nothing was sent"),
        );
    }
    let runs = Runs::of(&settings.state_dir);
    let unlisted = |error: std::io::Error| Failure::unlisted_runs(runs.folder(), &error);
    let manifests = match &notify.run {
        None => OwedNotification::all(&runs).map_err(unlisted)?,
        Some(name) => {
            let manifest = open_manifest::open(settings, name, report)?;
            manifest.paths().map(Path::to_owned).collect()
        }
    };
    let mut notifier = Notifier::new(settings, interrupted, report);
    if notify.dry_run {
        notifier.show(&manifests, notify)?;
        return Ok(Exit::Done);
    }
    let mut is_done = true;
    let mut sent = 0;
    for manifest in &manifests {
        let owed = match OwedNotification::take(manifest) {
            Err(error) if error.kind() == ErrorKind::NotFound && notify.again => {
                OwedNotification::create(manifest)
            }
            owed => owed,
        };
        let owed = match owed {
            Ok(owed) => owed,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock && notify.run.is_some() => {
                let what = "the run is under way, or another process sends its notification";
                return Err(locked(what.to_owned(), "once that has ended"));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) if notify.run.is_some() => return Err(unlisted(error)),
            Err(error) => {
                is_done = false;
                notifier.untold(manifest, &error);
                continue;
            }
        };
        sent += 1;
        is_done &= notifier.send(owed, notify.again, true);
    }
    if sent == 0 {
        notifier.report.say(match &notify.run {
            Some(_) => "nothing is owed for this run; --again sends it once more",
            None => "nothing is owed",
        });
    }
    if interrupted.load(Ordering::Relaxed) {
        return Err(Failure::new(Exit::Interrupted, "interrupted by a signal")
            .note("retry", "safe: what was not sent is still owed"));
    }
    Ok(if is_done { Exit::Done } else { Exit::Partial })
}

/// Sends notifications.
struct Notifier<'a> {
    settings: &'a Settings,
    site: Site,
    interrupted: &'a Arc<AtomicBool>,
    report: &'a mut dyn Report,
    /// What failed for one run is not tried for another.
    away: BTreeSet<String>,
}

impl<'a> Notifier<'a> {
    fn new(
        settings: &'a Settings,
        interrupted: &'a Arc<AtomicBool>,
        report: &'a mut dyn Report,
    ) -> Self {
        Self {
            settings,
            site: Site::new(&settings.render.site_url),
            interrupted,
            report,
            away: BTreeSet::new(),
        }
    }

    /// Sends all that is owed, the oldest first, as a program that follows changes needs it. `own` is the
    /// manifest of the run that just ended. Says whether all went well.
    fn send_all(&mut self, own: Option<&Path>) -> bool {
        let runs = Runs::of(&self.settings.state_dir);
        let all = match OwedNotification::all(&runs) {
            Ok(all) => all,
            Err(error) => {
                let shown = runs.folder().display();
                self.report
                    .warning(&format!("cannot list what is owed in {shown}: {error}"));
                return false;
            }
        };
        let mut is_done = true;
        for manifest in all {
            match OwedNotification::take(&manifest) {
                Ok(owed) => {
                    let is_own = Some(manifest.as_path()) == own;
                    is_done &= self.send(owed, false, is_own);
                }
                // Gone, or of a run that is under way, or another process sends it.
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::WouldBlock) => {}
                Err(error) => {
                    is_done = false;
                    self.untold(&manifest, &error);
                }
            }
        }
        is_done
    }

    fn untold(&mut self, manifest: &Path, error: &std::io::Error) {
        let shown = manifest.display();
        self.report.warning(&format!(
            "cannot tell what the run of {shown} owes: {error}"
        ));
    }

    /// Sends what one run owes; with `again`, all of it. If nobody `is_expected` to know of it, says that it does
    /// so. Says whether all went well.
    fn send(&mut self, mut owed: OwedNotification, again: bool, is_expected: bool) -> bool {
        let manifest = match Manifest::open(owed.manifest(), Verify::Ends) {
            Ok(manifest) => manifest,
            Err(Damage::Io { error, path }) if error.kind() != ErrorKind::NotFound => {
                let run = name_of(owed.manifest());
                let damage = Damage::Io { error, path };
                return self.nothing_sent(&run, &damage.to_string());
            }
            // Nobody will ever know what it changed, so it is told once.
            Err(damage) => {
                let run = name_of(owed.manifest());
                self.report.warning(&format!(
                    "what run {run} changed cannot be told to the caches: {damage}\n  \
                     = purge all of each cache by hand"
                ));
                self.settle(owed);
                return false;
            }
        };
        let run = manifest.header().run.clone();
        let header = manifest.header();
        let is_there = !self.settings.address_is_set || is_about(header, self.settings);
        if header.prefix != self.settings.prefix || !is_there {
            self.report.note(&format!(
                "run {run} is of another store or prefix, and owes a notification: a command with its \
                 settings sends it"
            ));
            return true;
        }
        if self.interrupted.load(Ordering::Relaxed) {
            return self.nothing_sent(&run, "interrupted by a signal");
        }
        if !is_expected {
            self.report.note(&format!(
                "run {run} ended without telling the caches; doing it now"
            ));
        }
        // A failpoint that asks for an error is one that nothing here can fail with.
        let _ = failpoint::at("notify", "begin");
        let folder = &self.settings.state_dir;
        let changed = match changed::read(&manifest, &self.site, folder, self.interrupted) {
            Ok(changed) => changed,
            Err(what) => return self.nothing_sent(&run, &what),
        };
        drop(manifest);
        let mut attempts = match again {
            true => Attempts::default(),
            false => owed.attempts(),
        };
        let before = std::mem::take(&mut attempts.failed);
        self.purge(&run, &changed, &mut attempts);
        let _ = failpoint::at("notify", "purged");
        self.tell(&run, &changed, &mut attempts);
        let _ = failpoint::at("notify", "sent");
        if attempts.failed.is_empty() {
            return self.settle(owed);
        }
        self.failed(&run, &attempts.failed);
        for (name, problem) in before {
            // What went wrong for its own sake says more.
            if let Some(kept) = attempts.failed.get_mut(&name).filter(|kept| *kept == AWAY) {
                *kept = problem;
            }
        }
        if let Err(error) = owed.keep(&attempts) {
            self.report
                .warning(&format!("cannot keep what failed of run {run}: {error}"));
        }
        false
    }

    /// Purges the caches that are not purged yet.
    fn purge(&mut self, run: &str, changed: &changed::Changed, attempts: &mut Attempts) {
        let mut targets = send::named(&self.settings.after);
        targets.retain(|(name, _)| !attempts.done.contains(name));
        let (away, targets): (Vec<_>, Vec<_>) = targets
            .into_iter()
            .partition(|(name, _)| self.away.contains(name));
        for (name, _) in away {
            attempts.failed.insert(name, AWAY.to_owned());
        }
        for (name, purged) in send::purge(targets, &self.site, changed, self.interrupted) {
            self.note(run, &name, &purged, changed, attempts);
        }
    }

    /// Keeps and says what came of a purge.
    fn note(
        &mut self,
        run: &str,
        name: &str,
        purged: &Purged,
        changed: &changed::Changed,
        attempts: &mut Attempts,
    ) {
        if purged.too_many {
            let urls = changed.count.urls;
            self.report.warning(&format!(
                "run {run} changed {urls} URLs, more than max_urls: {name} is not purged; its copies \
                 expire by themselves. Set 'everything: true' or a larger max_urls in anp.yaml, then: {}",
                self.again(run, " --again")
            ));
        }
        match &purged.problem {
            None => drop(attempts.done.insert(name.to_owned())),
            Some(problem) => {
                attempts.failed.insert(name.to_owned(), problem.clone());
                if purged.is_away {
                    self.away.insert(name.to_owned());
                }
            }
        }
        self.report.notified(&Notified {
            run,
            to: name,
            purged: Some(purged),
            problem: purged.problem.as_deref(),
        });
    }

    /// Runs the program, unless that is done.
    fn tell(&mut self, run: &str, changed: &changed::Changed, attempts: &mut Attempts) {
        let after = &self.settings.after;
        let name = send::COMMAND;
        if after.command.is_empty() || attempts.done.contains(name) {
            return;
        }
        let ended = match self.away.contains(name) {
            true => Err(AWAY.to_owned()),
            false => send::command(after, run, changed, self.interrupted),
        };
        match &ended {
            Ok(()) => drop(attempts.done.insert(name.to_owned())),
            Err(problem) => {
                attempts.failed.insert(name.to_owned(), problem.clone());
                self.away.insert(name.to_owned());
            }
        }
        self.report.notified(&Notified {
            run,
            to: name,
            purged: None,
            problem: ended.as_ref().err().map(String::as_str),
        });
    }

    fn settle(&mut self, owed: OwedNotification) -> bool {
        let run = name_of(owed.manifest());
        match owed.settle() {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                self.report.warning(&format!(
                    "cannot keep that run {run} told the caches, the next command does it again: {error}"
                ));
                false
            }
            _ => true,
        }
    }

    /// Says what was not sent, and how to try again.
    fn failed(&mut self, run: &str, problems: &BTreeMap<String, String>) {
        let mut text =
            format!("what run {run} wrote to the store stands, but not all was told of it");
        for (name, problem) in problems {
            text += &format!("\n  = {name}: {problem}");
        }
        text += &format!("\n  = to try again: {}", self.again(run, ""));
        self.report.warning(&text);
    }

    /// The same where nothing was sent, for one reason.
    fn nothing_sent(&mut self, run: &str, problem: &str) -> bool {
        let all = BTreeMap::from([("nothing is sent yet".to_owned(), problem.to_owned())]);
        self.failed(run, &all);
        false
    }

    fn again(&self, run: &str, option: &str) -> String {
        command_line(self.settings, &format!("runs notify {run}{option}"))
    }

    /// Says what would be sent.
    fn show(&mut self, manifests: &[PathBuf], notify: &Notify) -> Result<(), Failure> {
        for path in manifests {
            if !notify.again && !OwedNotification::is_owed(path) {
                continue;
            }
            let manifest = Manifest::open(path, Verify::Ends);
            let manifest = manifest.map_err(|damage| open_manifest::unusable(&damage))?;
            let folder = &self.settings.state_dir;
            let changed = changed::read(&manifest, &self.site, folder, self.interrupted);
            let changed = changed.map_err(|what| Failure::new(Exit::Manifest, what))?;
            foresee::show(self.settings, &self.site, &changed, self.report);
        }
        Ok(())
    }
}

/// The run of a manifest, by its name.
fn name_of(manifest: &Path) -> String {
    let name = manifest.file_name().unwrap_or_default().to_string_lossy();
    name.trim_end_matches(".jsonl.zst").to_owned()
}
