//! How articles differ.

use serde::Serialize;

use crate::publish::diff::ArticleDiff;
use crate::publish::reason::Reason;
use crate::report::diff_text::Comparison;

/// So many lines of each object are shown.
const MOST_LINES: usize = 200;

/// An article with both versions of its objects.
#[derive(Debug, Serialize)]
pub(super) struct ShownArticle {
    pub route: String,
    pub action: &'static str,
    pub reason: Option<&'static str>,
    pub objects: Vec<ShownObject>,
}

/// A page or a meta object.
#[derive(Debug, Serialize)]
pub(super) struct ShownObject {
    pub key: String,
    pub note: Option<String>,
    pub lines: Vec<ShownLine>,
    pub more_lines: usize,
}

/// A line of a unified diff.
#[derive(Debug, Serialize)]
pub(super) struct ShownLine {
    /// `ins`, `del`, or nothing.
    pub element: &'static str,
    pub text: String,
}

impl ShownArticle {
    pub(super) fn new(
        article: &ArticleDiff,
        objects: impl Iterator<Item = (String, Comparison)>,
    ) -> Self {
        Self {
            route: article.route.clone(),
            action: article.action.word(),
            reason: article.reason.map(Reason::word),
            objects: objects
                .map(|(key, comparison)| shown(key, comparison))
                .collect(),
        }
    }
}

fn shown(key: String, comparison: Comparison) -> ShownObject {
    let lines = comparison
        .hunks
        .lines()
        .take(MOST_LINES)
        .map(|line| ShownLine {
            element: match line.as_bytes().first() {
                Some(b'+') => "ins",
                Some(b'-') => "del",
                _ => "",
            },
            text: line.to_owned(),
        });
    ShownObject {
        key,
        lines: lines.collect(),
        more_lines: comparison.hunks.lines().count().saturating_sub(MOST_LINES),
        note: comparison.note,
    }
}
