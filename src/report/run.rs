//! What a command that writes says: the run first, then each key, then the summary.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::articles::{self, Articles, Surveyed};
use super::findings::{Look, bad_files};
use super::keys::{KeyList, table, why_left, written};
use super::log::Level;
use super::lost::warn_of_lost;
use super::notifications::{self, Requests};
use super::output::Format;
use super::{Output, Progress, findings, log, seeded, to_ms};
use crate::article::Route;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::progress::KeyReport;
use crate::publish::difference::DifferenceKind;
use crate::publish::history::retention::Pruned;
use crate::publish::manifest::{Action, Counts, Fate, Header, Lost, Status};
use crate::publish::outcome::Ended;
use crate::publish::reason::Reason;
use crate::publish::report::{Bar, Notified, Report};
use crate::publish::shards::shard::Shard;
use crate::publish::survey::surveyor::Survey;
use crate::synth::Generator;
use crate::words::counted;

/// So many keys that were left alone are warned of one by one.
const FIRST_WARNINGS: u64 = 20;

/// Prints a run as it goes: text or JSON lines on stdout, warnings on stderr.
pub(crate) struct RunReport {
    pub output: Output,
    /// When the command started.
    pub started: Instant,
    /// The prefix of the keys that it writes.
    pub prefix: String,
    /// What it did so far.
    pub counts: Counts,
    keys: KeyList,
    warnings: u64,
    pruned_runs: u64,
    surveyed: Surveyed,
    /// The part of the articles that the run is about, if it is not all.
    share: Option<Share>,
    bars: Progress,
    /// Number of published articles that the content tree no longer has, where they were looked
    /// for.
    pub orphans: Option<u64>,
    /// Whether a part of the manifest that is undone cannot be read.
    pub is_incomplete: bool,
    /// Whether it says nothing unless something is wrong.
    pub is_quiet: bool,
    /// Whether it has said how to undo the run.
    has_named_way_back: bool,
    /// How findings are shown.
    pub format: Format,
    /// The command that checks the same sources.
    pub check: String,
    articles: Articles,
    /// Keys that were written, by reason.
    reasons: BTreeMap<Reason, u64>,
    /// The files with errors, for a command that says little.
    bad_files: Vec<String>,
    /// What a dry run would send.
    requests: Requests,
}

/// A part of the articles.
#[derive(Clone, Copy)]
struct Share {
    shard: Shard,
    articles: usize,
    of_articles: usize,
}

impl RunReport {
    /// Of a run under `prefix`, with `bars` on stderr.
    pub(crate) fn new(output: Output, prefix: &str, bars: Progress) -> Self {
        Self {
            output,
            started: Instant::now(),
            prefix: prefix.to_owned(),
            counts: Counts::default(),
            keys: KeyList::default(),
            warnings: 0,
            pruned_runs: 0,
            surveyed: Surveyed::default(),
            share: None,
            bars,
            orphans: None,
            is_incomplete: false,
            is_quiet: false,
            has_named_way_back: false,
            format: Format::Text,
            check: String::new(),
            articles: Articles::default(),
            reasons: BTreeMap::new(),
            bad_files: Vec::new(),
            requests: Requests::default(),
        }
    }

    /// Prints every key at once, instead of the first at the end.
    pub(crate) fn show_all_keys(&mut self, all: bool) {
        self.keys.prints_all = all;
        self.requests.prints_all = all;
    }

    /// Adds to a failure what a quiet command has not said: the files with errors.
    pub(crate) fn explain(&mut self, ended: Result<Exit, Failure>) -> Result<Exit, Failure> {
        ended.map_err(|mut failure| {
            failure.details = std::mem::take(&mut self.bad_files);
            failure
        })
    }

    /// Shows a key that was written, or restored: at once, or at the end if it is among the first.
    fn show_key(&mut self, line: impl FnOnce() -> String) {
        if !self.output.is_json() && !self.is_quiet {
            self.keys.add(&mut self.output, line);
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
}

impl Report for RunReport {
    fn warning(&mut self, message: &str) {
        log::warning(message);
    }

    fn note(&mut self, message: &str) {
        log::note(message);
    }

    fn bar(&mut self, stage: &'static str, unit: &'static str, total: u64) -> Box<dyn Bar> {
        Box::new(self.bars.bar(stage, unit, total))
    }

    fn dry_run(&mut self, command: &str, server: &str) {
        self.output.json(&json!({
            "type": "run", "run": null, "command": command, "dry_run": true,
            "server": server, "manifest": null, "rollback": null,
        }));
        self.output.text(format!(
            "dry run · {command} · {server}: nothing is written"
        ));
    }

    fn begun(&mut self, header: &Header, manifest: &Path) {
        let mut object = json!({
            "type": "run", "run": header.run, "command": header.command,
            "started_at": header.started_at, "owner": header.owner,
            "expected_result": header.expected_result, "server": header.server,
            "db": header.db, "prefix": header.prefix,
            "manifest": manifest, "rollback": header.rollback,
        });
        if let Some(shard) = header.shard {
            object["shard"] = json!(shard);
        }
        if let Some(attempt) = header.attempt {
            object["attempt"] = json!(attempt);
        }
        self.output.json(&object);
        self.output.flush();
    }

    fn writes(&mut self, header: &Header) {
        // Whatever happens from here on, the way back has been printed.
        self.output.flush();
        // One that is cut short is repeated, not undone; at its end it says how to undo it.
        let is_rollback = header.undoes.is_some();
        if !is_rollback
            && !self.output.is_json()
            && !std::mem::replace(&mut self.has_named_way_back, true)
        {
            let text = format!("run {}; to undo it:\n  {}", header.run, header.rollback);
            let fields = json!({
                "message": "the run begins", "run": header.run, "rollback": header.rollback,
            });
            log::entry(Level::Note, &text, &fields);
        }
    }

    fn prefix(&mut self, prefix: &str) {
        prefix.clone_into(&mut self.prefix);
    }

    fn seeded(&mut self, generator: &Generator, count: usize) {
        seeded::announce(generator, count, &mut self.output);
    }

    fn lines_shown(&self) -> usize {
        match self.format {
            Format::Text if !log::is_json() => findings::SHOWN,
            _ => usize::MAX,
        }
    }

    fn findings(&mut self, survey: &Survey) {
        let look = Look::beside_result(self.format, self.is_quiet, &self.check);
        findings::report(survey, &mut self.output, look);
        if self.is_quiet && self.format == Format::Text && !log::is_json() {
            self.bad_files.extend(bad_files(survey, &self.check));
        }
        // A later one is about articles that expired meanwhile.
        if self.surveyed.is_empty() {
            self.surveyed = Surveyed::of(survey);
        }
    }

    fn share(&mut self, shard: Shard, articles: usize, of_articles: usize) {
        self.share = Some(Share {
            shard,
            articles,
            of_articles,
        });
    }

    fn orphans(&mut self, routes: &[Route]) {
        self.orphans = Some(routes.len() as u64);
        for route in routes {
            self.output
                .json(&json!({ "type": "orphan", "route": route.as_str() }));
        }
    }

    fn key(&mut self, report: &KeyReport<'_>) {
        let KeyReport {
            key,
            action,
            reason,
            of_archive: _,
            fate,
            expires_at_ms,
        } = report;
        match (fate, action) {
            (Fate::Written, Some(action)) => {
                if !self.output.is_json() {
                    self.articles.add(report, *action);
                }
                if let Some(reason) = reason {
                    *self.reasons.entry(*reason).or_default() += 1;
                }
                let action = action.word();
                self.output.json(&json!({
                    "type": "key", "key": key, "action": action, "reason": reason,
                    "expires_at": expires_at_ms,
                }));
                self.show_key(|| written(action, key, (*expires_at_ms, *reason)));
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

    fn restored(&mut self, report: &KeyReport<'_>) {
        let KeyReport {
            key,
            action,
            reason,
            of_archive: _,
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
            if let Some(action) = action
                && !self.output.is_json()
            {
                self.articles.add(report, *action);
            }
            self.output.json(&json!({
                "type": "key", "key": key, "action": action.map(Action::word),
                "reason": reason, "fate": word, "expires_at": expires_at_ms,
            }));
        } else {
            self.output
                .json(&json!({ "type": "left", "key": key, "fate": word }));
        }
        if word == "kept" {
            self.warn(&format!("{key}: it changed after that run: kept as it is"));
        } else {
            self.show_key(|| format!("  {:14}{key}", word.replace('_', " ")));
        }
    }

    fn say(&mut self, message: &str) {
        log::say(message);
    }

    fn difference(&mut self, key: &str, kind: DifferenceKind, what: &str) {
        // To people only what needs a look: a night of warming refreshes every key.
        if kind != DifferenceKind::Refreshed {
            self.output.text(format!("{key}: {what}"));
        }
        self.output.json(&json!({
            "type": "difference", "key": key, "kind": kind.word(), "what": what,
        }));
    }

    fn wrote_nothing(&mut self, run: &str, earlier: Option<&str>) {
        self.output.json(&json!({
            "type": "summary", "command": "rollback", "status": "nothing", "undoes": run,
            "counts": Counts::default(), "rollback": earlier,
        }));
    }

    fn lost(&mut self, parts: &[Lost]) {
        self.is_incomplete = !parts.is_empty();
        for Lost {
            path,
            from,
            to,
            what,
        } in parts
        {
            self.output.json(&json!({
                "type": "lost", "manifest": path, "from": from, "to": to, "what": what,
            }));
        }
        warn_of_lost(parts);
    }

    fn counts(&mut self, counts: &Counts) {
        self.counts = *counts;
    }

    fn pruned(&mut self, pruned: &Pruned) {
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

    fn ended(&mut self, ended: &Ended<'_>) {
        self.more_warnings();
        self.warnings = 0;
        let Ended {
            command,
            status,
            counts,
            run,
            undoes,
        } = *ended;
        match undoes {
            Some(undone) => self.undone(undone, counts, status.word(), run),
            None => self.summary(run, command, status.word(), counts),
        }
    }

    fn notified(&mut self, notified: &Notified<'_>) {
        notifications::notified(&mut self.output, notified, self.is_quiet);
    }

    fn would_send(&mut self, to: &str, request: &str) {
        self.requests.would_send(&mut self.output, to, request);
    }

    fn would_have_sent(&mut self) {
        std::mem::take(&mut self.requests).rest(&mut self.output);
    }

    /// Says that articles that were taken out of the store come back with the next import, and how
    /// to prevent that.
    fn comes_back(&mut self) {
        if self.is_quiet {
            return;
        }
        let text = "the next import publishes these articles again if their sources are still there; to \
             prevent that, fix the sources, withdraw them (withdrawn: true), or pause publishing \
             (anp pause)";
        self.output.wrapped(text, 0);
        self.output.flush();
    }
}

impl RunReport {
    /// Adds what every summary ends with: the run, its manifest and its way back.
    fn complete(&self, object: &mut Value, header: Option<(&Header, &Path)>) {
        match header {
            Some((header, manifest)) => {
                object["run"] = json!(header.run);
                object["owner"] = json!(header.owner);
                object["expected_result"] = json!(header.expected_result);
                object["manifest"] = json!(manifest);
                object["rollback"] = json!(header.rollback);
            }
            None => object["dry_run"] = json!(true),
        }
        if let Some(orphans) = self.orphans {
            object["orphans"] = json!(orphans);
        }
    }

    /// The summary of a run that ended by itself.
    fn summary(
        &mut self,
        header: Option<(&Header, &Path)>,
        command: &str,
        status: &str,
        counts: &Counts,
    ) {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut object = json!({
            "type": "summary", "command": command, "status": status,
            "counts": counts, "reasons": self.reasons, "seconds": to_ms(seconds),
            "pruned_runs": self.pruned_runs,
        });
        if let Some(share) = self.share {
            object["shard"] = json!(share.shard);
            object["articles"] = json!(share.articles);
            object["of_articles"] = json!(share.of_articles);
        }
        self.complete(&mut object, header);
        if let Some(besides) = self.surveyed.besides {
            besides.complete(&mut object);
        }
        self.output.json(&object);
        if self.is_quiet && status == Status::Done.word() {
            self.output.flush();
            return;
        }
        self.result(header, (command, status), counts);
        self.output.text("");
        table(&mut self.output, counts, seconds);
        for row in self
            .surveyed
            .besides
            .iter()
            .flat_map(|besides| besides.rows())
        {
            self.output.text(row);
        }
        self.way_back(header, counts);
        self.output.flush();
    }

    /// What became of the articles, and of which run that is the result.
    fn result(
        &mut self,
        header: Option<(&Header, &Path)>,
        (command, status): (&str, &str),
        counts: &Counts,
    ) {
        let is_cut_short = status == Status::Stopped.word();
        let others = self
            .surveyed
            .others(&self.articles, is_cut_short, counts.invalid);
        let verdict = self.articles.verdict(header.is_none(), &others);
        self.output.text(&verdict);
        if let Some(reasons) = self.articles.reasons() {
            self.output.text(reasons);
        }
        if self.is_quiet {
            for line in std::mem::take(&mut self.bad_files) {
                self.output.text(line);
            }
        }
        if let Some((header, _)) = header {
            let server = format!("{}, prefix {}", header.server, header.prefix);
            let line = format!("run {} · {command} · {server} · ", header.run);
            self.output.result(&line, status);
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
    }

    /// What to do about invalid articles, how to undo the run, and the keys that it wrote.
    fn way_back(&mut self, header: Option<(&Header, &Path)>, counts: &Counts) {
        if counts.invalid > 0 {
            self.output.text("");
            self.output.text(match header {
                Some(_) => {
                    "the other articles are published; fix the invalid ones, then import again"
                }
                None => "fix the invalid articles; the others can be published as they are",
            });
        }
        if let Some((header, manifest)) = header {
            self.output.text("");
            self.output
                .text(format!("manifest  {}", manifest.display()));
            // A run that wrote nothing has nothing to undo.
            if self.has_named_way_back || counts.written() > 0 {
                self.output.text(format!("rollback  {}", header.rollback));
            }
        }
        let keys = std::mem::take(&mut self.keys);
        if !keys.is_empty() {
            self.output.text("");
            keys.print(&mut self.output, &all_keys(header));
        }
    }

    /// The summary of a rollback.
    fn undone(
        &mut self,
        undone: &str,
        counts: &Counts,
        status: &str,
        header: Option<(&Header, &Path)>,
    ) {
        let restored = counts.created + counts.updated + counts.refreshed;
        let seconds = self.started.elapsed().as_secs_f64();
        let mut object = json!({
            "type": "summary", "command": "rollback", "status": status, "undoes": undone,
            "restored": restored, "removed": counts.removed, "already_back": counts.kept,
            "kept": counts.conflicts, "counts": counts,
            "seconds": to_ms(seconds), "pruned_runs": self.pruned_runs,
        });
        self.complete(&mut object, header);
        self.output.json(&object);
        if self.is_quiet && status == Status::Done.word() {
            self.output.flush();
            return;
        }
        let is_back = restored + counts.removed + counts.conflicts == 0;
        if is_back && !self.is_incomplete {
            self.output
                .text(format!("run {undone} is already undone: nothing to do"));
        } else {
            let parts = [
                (
                    restored + counts.removed,
                    if header.is_some() {
                        "written"
                    } else {
                        "to write"
                    },
                ),
                (counts.kept, "already back"),
                (counts.conflicts, "kept because they changed after it"),
            ];
            let keys = articles::listed("key", parts.iter());
            let word = if header.is_some() {
                "is undone"
            } else {
                "would be undone"
            };
            let articles = self.articles.undone(header.is_none());
            self.output.text(match articles.is_empty() {
                true => format!("run {undone} {word}: {keys}"),
                false => format!("run {undone} {word}: {articles} ({keys})"),
            });
        }
        if counts.conflicts > 0 {
            log::note(
                "a later run or another client changed the keys that were kept; to undo several \
                 runs, begin with the newest",
            );
        }
        let nothing = restored + counts.removed == 0;
        if let Some((header, manifest)) = header {
            self.output
                .text(format!("manifest  {}", manifest.display()));
            if !nothing {
                self.output
                    .text(format!("to undo this rollback  {}", header.rollback));
            }
        }
        let keys = std::mem::take(&mut self.keys);
        if !nothing {
            self.output.text("");
            keys.print(&mut self.output, &all_keys(header));
        }
        self.output.flush();
    }
}

/// How all keys of a run are shown.
fn all_keys(header: Option<(&Header, &Path)>) -> String {
    match header {
        Some((header, _)) => format!(": anp runs show {} --keys", header.run),
        None => ", shown with --keys".to_owned(),
    }
}
