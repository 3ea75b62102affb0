//! What `anp check` ends with.

use serde_json::{Value, json};

use super::held::Besides;
use crate::publish::survey::surveyor::Survey;
use crate::words::counted;

/// How many articles there are, and of what kind, on one line.
pub(crate) fn verdict(survey: &Survey) -> String {
    let held = survey.held_back.counts;
    let parts = [
        (survey.noindex, format!(" ({} noindex)", survey.noindex)),
        (
            survey.unusable(),
            format!(", {} invalid", survey.unusable()),
        ),
        (held.all(), format!(", {held} left out")),
        (
            survey.skipped - survey.unreadable,
            format!(", {} skipped", survey.skipped - survey.unreadable),
        ),
        (
            survey.changed,
            format!(", {} changed during the run", survey.changed),
        ),
    ];
    let shown = parts.into_iter().filter(|(number, _)| *number > 0);
    let shown: String = shown.map(|(_, text)| text).collect();
    format!(
        "{}: {} valid{shown}",
        counted(survey.sources, "article"),
        survey.entries.len()
    )
}

/// The same for machines.
pub(crate) fn summary(survey: &Survey) -> Value {
    let mut summary = json!({
        "type": "summary", "command": "check", "articles": survey.sources,
        "valid": survey.entries.len(), "invalid": survey.unusable(),
        "drafts": survey.held_back.counts.drafts,
        "skipped": survey.skipped - survey.unreadable,
    });
    Besides::of(survey).complete(&mut summary);
    summary
}
