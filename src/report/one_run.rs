//! What `anp runs show` prints: one run whole.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::keys::{KeyList, row, why_left, written};
use super::runs::{object, recorded, seconds, share, status, status_since};
use super::{Output, Progress, Stderr};
use crate::duration::show_time;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::history::intents::{Void, void};
use crate::publish::history::open_manifest;
use crate::publish::history::open_manifest::unusable;
use crate::publish::history::records::{Record, rolled_back};
use crate::publish::history::runs::Runs;
use crate::publish::manifest::{Action, Fate, Intent, Line, Manifest};
use crate::publish::one_line;
use crate::publish::reason::Reason;
use crate::publish::run::command_line::rollback_line;
use crate::settings::Settings;

/// Shows the run `name`: its id or a prefix of it, the file of its manifest, `last` or `last~1`; of its keys the first, or all.
///
/// # Errors
/// When its manifest cannot be read.
pub(crate) fn show(
    settings: &Settings,
    name: &str,
    all_keys: bool,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let manifest = open_manifest::open(settings, name, &mut Stderr(Progress::new(true)))?;
    // A signal ends this command where it stands.
    let void = void(&manifest, &AtomicBool::new(false))?;
    let records = records(settings, &manifest)?;
    let rolled_back = rolled_back(&records);
    let by = rolled_back.get(manifest.header().run.as_str()).copied();
    output.json(&object(settings, &manifest, by));
    head(settings, &manifest, by, output);
    let keys = Keys::read(&manifest, &void, all_keys, output)?;
    keys.show(&manifest, output);
    Ok(Exit::Done)
}

/// The runs of the state folder, and the shown one, which may be a file from elsewhere.
fn records(settings: &Settings, manifest: &Manifest) -> Result<Vec<Record>, Failure> {
    let runs = Runs::of(&settings.state_dir);
    let all = runs.all();
    let all = all.map_err(|error| Failure::unlisted_runs(runs.folder(), &error))?;
    let others = all
        .iter()
        .filter_map(|(_, manifest)| manifest.as_ref().ok());
    let mut records: Vec<Record> = others.map(Record::of).collect();
    records.retain(|record| record.run != manifest.header().run);
    records.push(Record::of(manifest));
    Ok(records)
}

/// Everything but the keys. Who, what for and the way back stand together.
fn head(
    settings: &Settings,
    manifest: &Manifest,
    rolled_back_by: Option<&str>,
    output: &mut Output,
) {
    let header = manifest.header();
    let status = status_since(manifest, rolled_back_by);
    output.text(format!(
        "run {} · {} · {status}",
        header.run,
        one_line(&header.command)
    ));
    let none = || "none given".to_owned();
    let text = |text: &Option<String>| text.as_deref().map(recorded);
    let ended = match (manifest.footer(), rolled_back_by) {
        (Some(footer), _) => show_time(footer.ended_at),
        (None, Some(_)) => "not by itself".to_owned(),
        (None, None) => "not by itself: it was killed, or is still under way".to_owned(),
    };
    let rows = [
        ("owner", Some(text(&header.owner).unwrap_or_else(none))),
        (
            "expected",
            Some(text(&header.expected_result).unwrap_or_else(none)),
        ),
        ("rollback", Some(way_back(settings, manifest))),
        ("", Some(String::new())),
        ("shards", share(manifest)),
        ("content", text(&header.content)),
        ("undoes", header.undoes.clone()),
        ("undone by", rolled_back_by.map(str::to_owned)),
        ("server", Some(recorded(&header.server))),
        ("prefix", Some(header.prefix.clone())),
        ("started", Some(show_time(header.started_at))),
        ("ended", Some(ended)),
        (
            "duration",
            seconds(manifest).map(|seconds| format!("{seconds:.2} s")),
        ),
        ("user", text(&header.user)),
        (
            "host",
            Some(format!("{}, pid {}", one_line(&header.host), header.pid)),
        ),
        ("anp", Some(one_line(&header.anp))),
    ];
    let files = manifest.paths();
    let files = files.map(|path| ("manifest", Some(path.display().to_string())));
    for (label, text) in rows.into_iter().chain(files) {
        if let Some(text) = text {
            output.text(format!("{label:11}{text}").trim_end());
        }
    }
}

fn way_back(settings: &Settings, manifest: &Manifest) -> String {
    if manifest.wrote() {
        rollback_line(settings, manifest)
    } else {
        "none: it wrote nothing".to_owned()
    }
}

/// What became of the keys of a run.
#[derive(Default)]
struct Keys {
    written: BTreeMap<Action, u64>,
    reasons: BTreeMap<Reason, u64>,
    left: BTreeMap<Fate, u64>,
    bytes: u64,
    first_written: KeyList,
    first_left: KeyList,
}

impl Keys {
    /// Reads them, and prints each as an object.
    fn read(
        manifest: &Manifest,
        void: &Void,
        all_keys: bool,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let mut keys = Self::default();
        keys.first_written.prints_all = all_keys;
        keys.first_left.prints_all = all_keys;
        for batch in manifest.batches() {
            for line in batch.map_err(|damage| unusable(&damage))? {
                match line {
                    Line::Intent(intent) if void.counts(&intent) => {
                        keys.written(&intent, output);
                    }
                    Line::Outcome(outcome) if outcome.fate != Fate::Written => {
                        keys.left(&outcome.key, outcome.fate, output);
                    }
                    _ => {}
                }
            }
        }
        Ok(keys)
    }

    fn written(&mut self, intent: &Intent, output: &mut Output) {
        let Intent {
            key,
            action,
            reason,
            made,
            ..
        } = intent;
        let expires_at = made.as_ref().and_then(|made| made.expires_at);
        output.json(&json!({
            "type": "key", "key": key, "action": action, "reason": reason,
            "expires_at": expires_at,
        }));
        if let Some(reason) = reason {
            *self.reasons.entry(*reason).or_default() += 1;
        }
        *self.written.entry(*action).or_default() += 1;
        self.bytes += made.as_ref().and_then(|made| made.bytes).unwrap_or(0);
        self.first_written.add(output, || {
            written(action.word(), key, (expires_at, *reason))
        });
    }

    fn left(&mut self, key: &str, fate: Fate, output: &mut Output) {
        output.json(&json!({ "type": "left", "key": key, "fate": fate }));
        *self.left.entry(fate).or_default() += 1;
        // Keys in the wanted state are only counted.
        if fate != Fate::Already {
            self.first_left
                .add(output, || format!("  left    {key}: {}", why_left(fate)));
        }
    }

    fn show(self, manifest: &Manifest, output: &mut Output) {
        let header = manifest.header();
        let footer = manifest.footer();
        let by_action: BTreeMap<&str, u64> = self
            .written
            .iter()
            .map(|(action, count)| (action.word(), *count))
            .collect();
        output.json(&json!({
            "type": "summary", "command": "runs show", "run": header.run,
            "status": status(manifest), "counts": footer.map(|footer| footer.counts),
            "keys": by_action, "reasons": self.reasons, "left": self.left, "bytes": self.bytes,
        }));
        output.text("");
        let is_sure = Record::of(manifest).is_finished();
        if !is_sure && !self.written.is_empty() {
            output.text("It stopped half-way, so some of these keys may not have been written:");
        }
        for (action, label) in [
            (Action::Create, "created"),
            (Action::Update, "updated"),
            (Action::Refresh, "refreshed"),
            (Action::Remove, "removed"),
        ] {
            if let Some(count) = self.written.get(&action) {
                output.text(row(label, *count, "key"));
            }
        }
        if let Some(footer) = footer {
            let c = &footer.counts;
            for (label, number, unit) in
                [("kept", c.kept, "key"), ("invalid", c.invalid, "article")]
            {
                if number > 0 {
                    output.text(row(label, number, unit));
                }
            }
            if c.invalid > 0
                && let Some(of) = footer.articles.and_then(|articles| articles.of)
            {
                output.text(row("of", of, "article"));
            }
        }
        for (fate, label) in [
            (Fate::Conflict, "conflicts"),
            (Fate::Expired, "expired"),
            (Fate::Withheld, "withheld"),
        ] {
            if let Some(count) = self.left.get(&fate) {
                output.text(row(label, *count, "key"));
            }
        }
        if self.bytes > 0 {
            output.text(format!("  {:10}{:>12}", "bytes", self.bytes));
        }
        if !self.reasons.is_empty() {
            output.text("");
            output.text("reasons");
        }
        for (reason, count) in &self.reasons {
            output.text(row(reason.word(), *count, "key"));
        }
        for keys in [self.first_written, self.first_left] {
            if !keys.is_empty() {
                output.text("");
                keys.print(output, ", shown with --keys");
            }
        }
    }
}
