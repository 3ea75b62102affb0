//! What `anp diff` prints: unified diffs of pages as text and of metadata, or a line of counts for each
//! article.

use anstyle::Style;
use serde_json::json;

use super::diff_text::{Comparison, compare};
use super::{Output, colour};
use crate::publish::diff::{ArticleDiff, ObjectDiff, Totals};
use crate::words::{counted, with};

/// Prints differences as they come.
pub(crate) struct DiffReport {
    pub output: Output,
    /// Whether only the lines are counted.
    pub is_stat: bool,
    /// What the old and the new side are, as in `stored` and `import`.
    pub sides: [String; 2],
    added: u64,
    removed: u64,
}

impl DiffReport {
    pub(crate) fn new(output: Output, is_stat: bool, sides: [&str; 2]) -> Self {
        Self {
            output,
            is_stat,
            sides: sides.map(str::to_owned),
            added: 0,
            removed: 0,
        }
    }

    /// Prints one article.
    pub(crate) fn article(&mut self, article: &ArticleDiff) {
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
                "diff": (!self.is_stat).then_some(&comparison.hunks),
            })).collect::<Vec<_>>(),
        }));
        if self.output.is_json() {
            return;
        }
        let reason = article.reason.map(|reason| format!(" ({})", reason.word()));
        let reason = reason.unwrap_or_default();
        let (route, action) = (&article.route, article.action.word());
        if self.is_stat {
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

    /// Prints how many articles differ; `all` says how the others are shown.
    pub(crate) fn summary(&mut self, totals: &Totals, run: Option<&str>) {
        self.output.json(&json!({
            "type": "summary", "command": "diff", "run": run, "changed": totals.changed,
            "shown": totals.shown, "refreshed": totals.refreshed, "invalid": totals.invalid,
            "added": self.added, "removed": self.removed,
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
