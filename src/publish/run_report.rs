//! What a writing command says: the run first, then each key, then the summary.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde_json::json;

use super::manifest::{Action, Counts, Fate, Header, Status};
use super::run::Run;
use crate::duration::show_time;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::progress::KeyReport;
use crate::publish::history::retention::Pruned;
use crate::publish::shards::shard::Shard;
use crate::publish::survey::surveyor::Survey;
use crate::report::log::Level;
use crate::report::{Output, log};
use crate::signals;
use crate::words::counted;

/// So many keys are shown on a terminal.
pub(crate) const FIRST_KEYS: usize = 10;
/// So many keys that were left alone are warned of one by one.
const FIRST_WARNINGS: u64 = 20;

/// Reports a run as it goes.
pub(crate) struct Outcome {
    pub output: Output,
    /// When the command started.
    pub started: Instant,
    /// The prefix of the keys that it writes.
    pub prefix: String,
    /// What it did so far.
    pub counts: Counts,
    first_keys: Vec<String>,
    more_keys: u64,
    warnings: u64,
    pruned_runs: u64,
    /// The part of the articles that the run is about, if it is not all.
    share: Option<Share>,
    /// Number of published articles that the content tree no longer has, where they were looked
    /// for.
    pub orphans: Option<u64>,
    /// Whether a part of the manifest that is undone cannot be read.
    pub is_incomplete: bool,
}

/// A part of the articles.
#[derive(Clone, Copy)]
struct Share {
    shard: Shard,
    articles: usize,
    of_articles: usize,
}

impl Outcome {
    pub(crate) fn new(output: Output, prefix: &str) -> Self {
        Self {
            output,
            started: Instant::now(),
            prefix: prefix.to_owned(),
            counts: Counts::default(),
            first_keys: Vec::new(),
            more_keys: 0,
            warnings: 0,
            pruned_runs: 0,
            share: None,
            orphans: None,
            is_incomplete: false,
        }
    }

    /// The first line: which run this is and how to undo it.
    pub(crate) fn run(&mut self, run: &Run) {
        let header = &run.header;
        let mut object = json!({
            "type": "run", "run": header.run, "command": header.command,
            "started_at": header.started_at, "owner": header.owner,
            "expected_result": header.expected_result, "server": header.server,
            "db": header.db, "prefix": header.prefix,
            "manifest": run.manifest_path(), "rollback": header.rollback,
        });
        if let Some(shard) = header.shard {
            object["shard"] = json!(shard);
        }
        if let Some(attempt) = header.attempt {
            object["attempt"] = json!(attempt);
        }
        self.output.json(&object);
        // Whatever happens from here on, the way back has been printed.
        self.output.flush();
        if !self.output.is_json() {
            let text = format!("run {}; to undo it:\n  {}", header.run, header.rollback);
            let fields = json!({
                "message": "the run begins", "run": header.run, "rollback": header.rollback,
            });
            log::entry(Level::Note, &text, &fields);
        }
    }

    /// Which part of the articles the run is about.
    pub(crate) fn share(&mut self, shard: Shard, survey: &Survey) {
        let articles = survey.entries.len();
        self.share = Some(Share {
            shard,
            articles,
            of_articles: articles + survey.elsewhere.len(),
        });
    }

    /// The old manifests that went when the run had ended.
    pub(crate) fn pruned(&mut self, pruned: &Pruned) {
        self.pruned_runs = pruned.removed;
        if pruned.removed > 0 {
            let count = pruned.removed;
            log::note(format!(
                "{} removed (keep_runs)",
                counted(count, "old manifest")
            ));
        }
        if let Some(problem) = &pruned.problem {
            log::warning(format!("{problem}; the next run tries again (keep_runs)"));
        }
    }

    fn warn(&mut self, line: &str) {
        self.warnings += 1;
        if self.warnings <= FIRST_WARNINGS {
            log::warning(line);
        }
    }

    /// Says how many warnings were not printed one by one.
    fn more_warnings(&mut self) {
        if self.warnings > FIRST_WARNINGS {
            let more = self.warnings - FIRST_WARNINGS;
            let more = counted(more, "more key");
            log::warning(format!("… and {more}, all in the JSON output"));
        }
    }

    /// The first line of a dry run.
    pub(crate) fn dry_run(&mut self, command: &str, server: &str) {
        self.output.json(&json!({
            "type": "run", "run": null, "command": command, "dry_run": true,
            "server": server, "manifest": null, "rollback": null,
        }));
        self.output.text(format!(
            "dry run · {command} · {server}: nothing is written"
        ));
    }

    /// One key.
    pub(crate) fn key(&mut self, report: &KeyReport<'_>) {
        let KeyReport {
            key,
            action,
            fate,
            expires_at_ms,
        } = report;
        match (fate, action) {
            (Fate::Written, Some(action)) => {
                let action = action.word();
                self.output.json(&json!({
                    "type": "key", "key": key, "action": action, "expires_at": expires_at_ms,
                }));
                if self.output.is_json() {
                    return;
                }
                if self.first_keys.len() == FIRST_KEYS {
                    self.more_keys += 1;
                    return;
                }
                let expires = expires_at_ms
                    .map_or(String::new(), |at| format!("  expires {}", show_time(at)));
                self.first_keys.push(format!("  {action:8}{key}{expires}"));
            }
            (Fate::Already, _) => {}
            _ => {
                let why = why_left(*fate);
                self.output
                    .json(&json!({ "type": "left", "key": key, "fate": fate }));
                self.warn(&format!("{key}: {why}"));
            }
        }
    }

    /// The summary of a run that ended by itself.
    pub(crate) fn summary(
        &mut self,
        header: Option<(&Header, &std::path::Path)>,
        command: &str,
        status: &str,
        counts: &Counts,
    ) {
        self.more_warnings();
        let seconds = self.started.elapsed().as_secs_f64();
        let mut object = json!({
            "type": "summary", "command": command, "status": status,
            "counts": counts, "seconds": to_ms(seconds),
            "pruned_runs": self.pruned_runs,
        });
        if let Some(share) = self.share {
            object["shard"] = json!(share.shard);
            object["articles"] = json!(share.articles);
            object["of_articles"] = json!(share.of_articles);
        }
        if let Some((header, manifest)) = header {
            object["run"] = json!(header.run);
            object["owner"] = json!(header.owner);
            object["expected_result"] = json!(header.expected_result);
            object["manifest"] = json!(manifest);
            object["rollback"] = json!(header.rollback);
        } else {
            object["dry_run"] = json!(true);
        }
        if let Some(orphans) = self.orphans {
            object["orphans"] = json!(orphans);
        }
        self.output.json(&object);
        if let Some((header, _)) = header {
            let server = format!("{}, prefix {}", header.server, header.prefix);
            self.output.text(format!(
                "run {} · {command} · {server} · {status}",
                header.run
            ));
            for (label, text) in [
                ("owner", &header.owner),
                ("expected", &header.expected_result),
            ] {
                if let Some(text) = text {
                    self.output.text(format!("{label}: {text}"));
                }
            }
        }
        if let Some(share) = self.share {
            let Share {
                shard,
                articles,
                of_articles,
            } = share;
            self.output.text(format!(
                "share {shard}: {articles} of {of_articles} articles"
            ));
        }
        self.output.text("");
        self.table(counts, seconds);
        if !self.first_keys.is_empty() {
            self.output.text("");
            for line in std::mem::take(&mut self.first_keys) {
                self.output.text(line);
            }
            if self.more_keys > 0 {
                let more = self.more_keys;
                let place = match header {
                    Some(_) => "the manifest",
                    None => "the JSON output",
                };
                self.output.text(format!(
                    "  … and {}, all in {place}",
                    counted(more, "more key")
                ));
            }
        }
        if let Some((header, manifest)) = header {
            self.output.text("");
            self.output
                .text(format!("manifest  {}", manifest.display()));
            self.output.text(format!("rollback  {}", header.rollback));
        }
        self.output.flush();
    }

    fn table(&mut self, counts: &Counts, seconds: f64) {
        let rows = [
            ("created", counts.created, "key", true),
            ("updated", counts.updated, "key", true),
            ("refreshed", counts.refreshed, "key", true),
            ("kept", counts.kept, "key", true),
            ("removed", counts.removed, "key", true),
            ("invalid", counts.invalid, "article", true),
            ("conflicts", counts.conflicts, "key", counts.conflicts > 0),
            ("expired", counts.expired, "key", counts.expired > 0),
            ("withheld", counts.withheld, "key", counts.withheld > 0),
        ];
        for (name, number, unit, is_shown) in rows {
            if is_shown {
                self.output.text(row(name, number, unit));
            }
        }
        self.output
            .text(format!("  {:10}{:>12}", "bytes", counts.bytes));
        self.output
            .text(format!("  {:10}{seconds:>12.2} s", "time"));
    }
}

/// A row of a table of counts: `  updated              2 keys`.
pub(crate) fn row(label: &str, number: u64, unit: &str) -> String {
    let unit = counted(number, unit);
    let unit = unit.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("  {label:10}{number:>12}{unit}")
}

/// The flag that a signal sets to end a run between two batches.
pub(crate) fn watch() -> Result<Arc<AtomicBool>, Failure> {
    signals::watch()
        .map_err(|error| Failure::new(Exit::Config, format!("cannot handle signals: {error}")))
}

/// Why a key was not written.
pub(crate) fn why_left(fate: Fate) -> &'static str {
    match fate {
        Fate::Written => "it was written",
        Fate::Conflict => {
            "somebody else changed it, or anp could not put it back (above 64 MiB, or +hpexpiretime \
             missing): kept as it is"
        }
        Fate::Expired => "its expiry has passed: not written",
        Fate::Withheld => "its page was left as it is: left as well",
        Fate::Already => "it was as it was to be",
    }
}

/// Seconds to the millisecond, as machine output has them.
pub(crate) fn to_ms(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// The status of a run by what it did.
pub(crate) fn status_of(partial: bool) -> (Status, Exit) {
    if partial {
        (Status::Partial, Exit::Partial)
    } else {
        (Status::Done, Exit::Done)
    }
}

impl Outcome {
    /// Says that articles that were taken out of the store come back with the next import, and how
    /// to prevent that.
    pub(crate) fn comes_back(&mut self) {
        self.output.text(
            "the next import publishes these articles again if their sources are still there; to \
             prevent that, fix or withdraw the sources (draft: true), or pause publishing (anp pause)",
        );
        self.output.flush();
    }
}

/// What rollback says.
impl Outcome {
    /// The fate of one key of the run that is undone.
    pub(crate) fn fate(&mut self, report: &KeyReport<'_>) {
        let KeyReport {
            key,
            action,
            fate,
            expires_at_ms,
        } = report;
        let word = match (fate, action) {
            (Fate::Written, Some(Action::Remove)) => "removed",
            (Fate::Written, _) => "restored",
            (Fate::Already, _) => "already_back",
            _ => "kept",
        };
        if *fate == Fate::Written {
            self.output.json(&json!({
                "type": "key", "key": key, "action": action.map(Action::word),
                "fate": word, "expires_at": expires_at_ms,
            }));
        } else {
            self.output
                .json(&json!({ "type": "left", "key": key, "fate": word }));
        }
        if word == "kept" {
            self.warn(&format!("{key}: it changed after that run: kept as it is"));
        } else if !self.output.is_json() {
            if self.first_keys.len() == FIRST_KEYS {
                self.more_keys += 1;
            } else {
                let word = word.replace('_', " ");
                self.first_keys.push(format!("  {word:14}{key}"));
            }
        }
    }

    /// The summary of a rollback.
    pub(crate) fn undone(
        &mut self,
        undone: &str,
        counts: &Counts,
        status: &str,
        header: Option<(&Header, &std::path::Path)>,
    ) {
        let restored = counts.created + counts.updated + counts.refreshed;
        self.more_warnings();
        let seconds = self.started.elapsed().as_secs_f64();
        let mut object = json!({
            "type": "summary", "command": "rollback", "status": status, "undoes": undone,
            "restored": restored, "removed": counts.removed, "already_back": counts.kept,
            "kept": counts.conflicts, "counts": counts,
            "seconds": to_ms(seconds), "pruned_runs": self.pruned_runs,
        });
        if let Some((header, manifest)) = header {
            object["run"] = json!(header.run);
            object["manifest"] = json!(manifest);
            object["rollback"] = json!(header.rollback);
        } else {
            object["dry_run"] = json!(true);
        }
        if let Some(orphans) = self.orphans {
            object["orphans"] = json!(orphans);
        }
        self.output.json(&object);
        let would = if header.is_none() { "would be " } else { "" };
        let is_back = restored + counts.removed + counts.conflicts == 0;
        if is_back && !self.is_incomplete {
            self.output
                .text(format!("run {undone} is already back: nothing to do"));
        } else {
            self.output.text(format!(
                "run {undone}: {} {would}restored, {} {would}removed, {} already back, {} kept \
                 because they changed after it",
                counted(restored, "key"),
                counts.removed,
                counts.kept,
                counts.conflicts
            ));
        }
        if counts.conflicts > 0 {
            log::note(
                "a later run or somebody else changed the keys that were kept; to undo several \
                 runs, begin with the newest",
            );
        }
        let nothing = restored + counts.removed == 0;
        if nothing {
            self.first_keys.clear();
            self.more_keys = 0;
        }
        for line in std::mem::take(&mut self.first_keys) {
            self.output.text(line);
        }
        if self.more_keys > 0 {
            let more = counted(self.more_keys, "more key");
            self.output.text(format!("  … and {more}"));
        }
        if let Some((header, manifest)) = header {
            self.output
                .text(format!("manifest  {}", manifest.display()));
            if !nothing {
                self.output
                    .text(format!("to undo this rollback  {}", header.rollback));
            }
        }
        self.output.flush();
    }
}
