//! What people and machines read of articles that are not published now.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Output;
use super::keys::row;
use crate::article::Held;
use crate::publish::survey::held_back::{HeldBack, HeldCounts};
use crate::publish::survey::surveyor::Survey;
use crate::words::counted;

/// So many are shown to people.
const FIRST: usize = 20;

/// What a summary counts of the articles of a survey besides valid and invalid ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Besides {
    held: HeldCounts,
    noindex: u64,
    changed: u64,
}

impl Besides {
    /// Those of `survey`.
    pub(crate) fn of(survey: &Survey) -> Self {
        Self {
            held: survey.held_back.counts,
            noindex: survey.noindex,
            changed: survey.changed,
        }
    }

    /// Articles that are held back.
    pub(crate) fn held_back(self) -> u64 {
        self.held.all()
    }

    /// Adds the counts to a summary.
    pub(crate) fn complete(self, summary: &mut Value) {
        let HeldCounts {
            drafts,
            scheduled,
            expired,
            withdrawn,
            no_page,
        } = self.held;
        summary["held_back"] = json!({
            "drafts": drafts, "scheduled": scheduled, "expired": expired, "withdrawn": withdrawn,
            "no_page": no_page,
        });
        summary["noindex"] = json!(self.noindex);
        summary["changed_during_run"] = json!(self.changed);
    }

    /// The rows of a table of counts, for people; those of 0 are left out.
    pub(crate) fn rows(self) -> impl Iterator<Item = String> {
        let rows = [
            ("held back", self.held.all(), format!(" ({})", self.held)),
            ("noindex", self.noindex, String::new()),
            ("changed", self.changed, " during the run".to_owned()),
        ];
        let shown = rows.into_iter().filter(|(_, count, _)| *count > 0);
        shown.map(|(label, count, which)| row(label, count, "article") + &which)
    }
}

/// Names the articles that are held back, each with its reason.
pub(crate) fn report(held_back: &HeldBack, output: &mut Output) {
    for (path, why) in &held_back.first {
        output.json(&json!({
            "type": "held_back", "path": path, "reason": why.word(), "at": why.at(),
        }));
    }
    let line = |(path, why): &(PathBuf, Held)| format!("held back: {}: {why}", path.display());
    let shown = held_back.first.iter().take(FIRST);
    let left = held_back.counts.all() - shown.len() as u64;
    shown.for_each(|held| output.text(line(held)));
    if left > 0 {
        let more = counted(left, "more article");
        output.text(format!("… and {more} held back, in the JSON output"));
    }
}
