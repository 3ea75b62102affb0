//! What `anp diff` prints: unified diffs of pages as text and of metadata, or a line of counts for each
//! article.

use anstyle::Style;
use serde_json::json;

use super::diff_text::{Comparison, compare};
use super::{Output, colour};
use crate::publish::diff::{ArchiveChange, ArticleDiff, DiffSink, ObjectDiff, Totals};
use crate::words::{counted, with};

/// How much of differences is printed.
#[derive(Clone, Copy)]
pub(crate) struct DiffDetail {
    /// Whether only the lines are counted.
    pub is_stat: bool,
    /// Whether archive objects are named, and not only counted.
    pub names_archive: bool,
}

/// Prints differences as they come.
pub(crate) struct DiffReport {
    pub output: Output,
    pub detail: DiffDetail,
    /// What the old and the new side are, as in `stored` and `import`.
    pub sides: [String; 2],
    added: u64,
    removed: u64,
}

impl DiffReport {
    pub(crate) fn new(output: Output, detail: DiffDetail, sides: [&str; 2]) -> Self {
        Self {
            output,
            detail,
            sides: sides.map(str::to_owned),
            added: 0,
            removed: 0,
        }
    }

    fn object(&mut self, object: &ObjectDiff, comparison: &Comparison) {
        let [old, new] = &self.sides;
        if let Some(note) = &comparison.note {
            self.output.text(format!("  {}: {note}", object.key));
        }
        if comparison.hunks.is_empty() {
            return;
        }
        let heads = [
            format!("--- {} ({old})", object.key),
            format!("+++ {} ({new})", object.key),
        ];
        let lines = heads.iter().map(String::as_str);
        for line in lines.chain(comparison.hunks.lines()) {
            self.output.styled(line, style(line));
        }
    }

    fn archive_summary(&mut self, totals: &Totals) {
        let all = totals.archive;
        if all == 0 {
            return;
        }
        let named = if self.detail.names_archive {
            totals.named
        } else {
            0
        };
        let more = match named {
            0 => ", named with --stat or --all".to_owned(),
            some if some < all => format!(", of which {some} are named; with --all, all are"),
            _ => String::new(),
        };
        let differ = with(all, "differs", "differ");
        self.output
            .text(format!("{} {differ}{more}", counted(all, "archive object")));
    }

    /// Prints how many articles differ; `all` says how the others are shown.
    pub(crate) fn summary(&mut self, totals: &Totals, run: Option<&str>) {
        self.output.json(&json!({
            "type": "summary", "command": "diff", "run": run, "changed": totals.changed,
            "shown": totals.shown, "refreshed": totals.refreshed, "invalid": totals.invalid,
            "added": self.added, "removed": self.removed, "archive_objects": totals.archive,
        }));
        let more = totals.changed.saturating_sub(totals.shown);
        if more > 0 {
            let more = counted(more, "more article");
            self.output.text(format!("… and {more}, shown with --all"));
        }
        if totals.changed == 0 {
            self.output.text("no article differs");
        } else {
            let (added, removed) = (self.added, self.removed);
            let of_shown = if more > 0 { " in those shown" } else { "" };
            self.output.text(format!(
                "{} {}, {} added and {removed} removed{of_shown}",
                counted(totals.changed, "article"),
                with(totals.changed, "differs", "differ"),
                counted(added, "line"),
            ));
        }
        self.archive_summary(totals);
        if totals.refreshed > 0 {
            let refreshed = counted(totals.refreshed, "article");
            self.output
                .text(format!("{refreshed} with another expiry alone"));
        }
        if totals.invalid > 0 {
            let invalid = counted(totals.invalid, "invalid article");
            let left = with(totals.invalid, "is", "are");
            self.output
                .text(format!("{invalid} {left} left out: anp check"));
        }
        self.output.flush();
    }
}

impl DiffSink for DiffReport {
    /// Prints one article.
    fn article(&mut self, article: &ArticleDiff) {
        let compared: Vec<(&ObjectDiff, Comparison)> = article
            .objects
            .iter()
            .map(|object| (object, compare(object)))
            .collect();
        for (_, comparison) in &compared {
            self.added += comparison.added;
            self.removed += comparison.removed;
        }
        self.output.json(&json!({
            "type": "article", "route": article.route, "action": article.action,
            "reason": article.reason,
            "objects": compared.iter().map(|(object, comparison)| json!({
                "key": object.key, "added": comparison.added, "removed": comparison.removed,
                "note": comparison.note,
                "diff": (!self.detail.is_stat).then_some(&comparison.hunks),
            })).collect::<Vec<_>>(),
        }));
        if self.output.is_json() {
            return;
        }
        let reason = article.reason.map(|reason| format!(" ({})", reason.word()));
        let reason = reason.unwrap_or_default();
        let (route, action) = (&article.route, article.action.word());
        if self.detail.is_stat {
            let counts: Vec<String> = compared.iter().map(stat).collect();
            let line = format!("  {action:8}{route}  {}{reason}", counts.join(", "));
            self.output.text(line);
            return;
        }
        self.output.text(format!("{action} {route}{reason}"));
        for (object, comparison) in &compared {
            self.object(object, comparison);
        }
        self.output.text("");
    }

    /// Names one archive object.
    fn archive_object(&mut self, object: &ArchiveChange) {
        if !self.detail.names_archive {
            return;
        }
        let (kind, action) = (object.kind.word(), object.action.word());
        self.output.json(&json!({
            "type": "archive_object", "kind": kind, "route": object.route,
            "action": object.action, "reason": object.reason,
        }));
        let reason = object.reason.map(|reason| format!("  ({})", reason.word()));
        let reason = reason.unwrap_or_default();
        let line = format!("  {action:8}{kind:9}{}{reason}", object.route);
        self.output.text(line);
    }
}

fn stat((object, comparison): &(&ObjectDiff, Comparison)) -> String {
    let kind = if object.is_page { "page" } else { "meta" };
    match &comparison.note {
        Some(note) if comparison.hunks.is_empty() => format!("{kind}: {note}"),
        _ => format!("{kind} +{} -{}", comparison.added, comparison.removed),
    }
}

/// The colour of a line of a diff.
fn style(line: &str) -> Option<Style> {
    match line.chars().next() {
        Some('+') => Some(colour::GOOD),
        Some('-') => Some(colour::ERROR),
        Some('@') => Some(colour::NOTE),
        _ => None,
    }
}
