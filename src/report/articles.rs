//! How many articles a run changed: people think in articles, the store holds keys.

use std::collections::BTreeMap;

use super::held::Besides;
use crate::publish::apply::article_tally::ArticleTally;
use crate::publish::apply::progress::KeyReport;
use crate::publish::manifest::{Action, ArticleCounts};
use crate::publish::reason::Reason;
use crate::publish::survey::surveyor::Survey;
use crate::words::counted;

/// What a run says of the articles that it changed.
#[derive(Debug, Default)]
pub(super) struct Articles {
    tally: ArticleTally,
    /// The same of archive objects.
    archive: ArticleTally,
    reasons: BTreeMap<Reason, u64>,
}

impl Articles {
    /// Counts the article of a key that was written. Tells whether the key is the first one of its article.
    pub(super) fn add(&mut self, report: &KeyReport<'_>, action: Action) -> bool {
        if report.of_archive {
            self.archive.add(report.key, action);
            return false;
        }
        let is_first = self.tally.add(report.key, action);
        if let Some(reason) = report.reason.filter(|_| is_first) {
            *self.reasons.entry(reason).or_default() += 1;
        }
        is_first
    }

    pub(super) fn counts(&self) -> ArticleCounts {
        self.tally.counts
    }

    /// `reasons: 2 new, 1 source`; none where the verdict says it all.
    pub(super) fn reasons(&self) -> Option<String> {
        if !self.reasons.keys().any(|reason| reason.is_telling()) {
            return None;
        }
        let reasons = self.reasons.iter();
        let reasons = reasons.map(|(reason, count)| format!("{count} {}", reason.word()));
        Some(format!(
            "reasons: {}",
            reasons.collect::<Vec<_>>().join(", ")
        ))
    }

    /// `16 articles published, 3 updated`; in the future if it `is_dry`. With `more` numbers and their
    /// words behind these; those of 0 are left out.
    pub(super) fn verdict(&self, is_dry: bool, more: &[(u64, &str)]) -> String {
        let verdict = listed(
            "article",
            changes(&self.counts(), is_dry).iter().chain(more),
        );
        let verdict = match verdict.is_empty() {
            true => "no article changed".to_owned(),
            false => verdict,
        };
        let counts = &self.archive.counts;
        let written = counts.created + counts.updated;
        let words = match is_dry {
            true => ["to write", "to refresh", "to remove"],
            false => ["written", "refreshed", "removed"],
        };
        let parts = [
            (written, words[0]),
            (counts.refreshed, words[1]),
            (counts.removed, words[2]),
        ];
        with_archive(verdict, &parts)
    }

    /// `16 articles removed, 3 restored`, for a rollback.
    pub(super) fn undone(&self, is_dry: bool) -> String {
        let undone = listed("article", undoings(&self.counts(), is_dry).iter());
        with_archive(undone, &undoings(&self.archive.counts, is_dry))
    }
}

/// The articles that a survey found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surveyed {
    /// Valid ones that the run is about.
    valid: u64,
    /// Those of them that need something.
    planned: u64,
    /// What else the survey counted, if there was one.
    pub besides: Option<Besides>,
}

impl Surveyed {
    /// Those of `survey`.
    pub(super) fn of(survey: &Survey) -> Self {
        let touched = survey.entries.iter().filter(|entry| entry.is_touched());
        Self {
            valid: survey.entries.len() as u64,
            planned: touched.count() as u64,
            besides: Some(Besides::of(survey)),
        }
    }

    /// Whether nothing was surveyed yet.
    pub(super) fn is_empty(&self) -> bool {
        self.besides.is_none()
    }

    /// Those that a run did not change, each number with its word: it `is_cut_short` or not.
    pub(super) fn others(
        &self,
        articles: &Articles,
        is_cut_short: bool,
        invalid: u64,
    ) -> [(u64, &'static str); 4] {
        let ArticleCounts {
            created,
            updated,
            refreshed,
            ..
        } = articles.counts();
        let changed = created + updated + refreshed;
        let left = match is_cut_short {
            true => "not reached",
            false => "left as they are",
        };
        [
            (
                self.valid.saturating_sub(self.planned.max(changed)),
                "unchanged",
            ),
            (self.planned.saturating_sub(changed), left),
            (invalid, "invalid"),
            (self.besides.map_or(0, Besides::held_back), "held back"),
        ]
    }
}

/// `16 articles published; 12 archive objects written`.
fn with_archive(verdict: String, parts: &[(u64, &str)]) -> String {
    let archive = listed("archive object", parts.iter());
    match (verdict.is_empty(), archive.is_empty()) {
        (_, true) => verdict,
        (true, false) => archive,
        (false, false) => format!("{verdict}; {archive}"),
    }
}

/// What a run did to articles, each number with its word.
pub(super) fn changes(counts: &ArticleCounts, is_dry: bool) -> [(u64, &'static str); 4] {
    [
        (counts.created, ["published", "to publish"]),
        (counts.updated, ["updated", "to update"]),
        (counts.refreshed, ["refreshed", "to refresh"]),
        (counts.removed, ["removed", "to remove"]),
    ]
    .map(|(number, words)| (number, words[usize::from(is_dry)]))
}

/// The same of a rollback.
pub(super) fn undoings(counts: &ArticleCounts, is_dry: bool) -> [(u64, &'static str); 2] {
    let restored = counts.created + counts.updated + counts.refreshed;
    [
        (counts.removed, ["removed", "to remove"]),
        (restored, ["restored", "to restore"]),
    ]
    .map(|(number, words)| (number, words[usize::from(is_dry)]))
}

/// `16 articles published, 3 updated`: the numbers that are not 0, the first with its `noun`.
pub(super) fn listed<'p>(noun: &str, parts: impl Iterator<Item = &'p (u64, &'p str)>) -> String {
    let mut text = String::new();
    for (number, word) in parts.filter(|(number, _)| *number > 0) {
        if text.is_empty() {
            text = format!("{} {word}", counted(*number, noun));
        } else {
            text += &format!(", {number} {word}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Articles, Surveyed};
    use crate::publish::apply::progress::KeyReport;
    use crate::publish::manifest::{Action, Fate};

    #[test]
    fn an_article_counts_once_for_its_keys() {
        let mut articles = Articles::default();
        for (key, action) in [
            ("a:b:page:/x/", Action::Create),
            ("a:b:page:/y:z/", Action::Update),
            ("a:b:meta:/x/", Action::Create),
            ("a:b:meta:/y:z/", Action::Update),
            ("a:b:meta:/z/", Action::Create),
            ("a:b:page:/w/", Action::Refresh),
            ("a:b:meta:/x/", Action::Create),
        ] {
            let report = KeyReport {
                key,
                action: Some(action),
                reason: None,
                of_archive: false,
                fate: Fate::Written,
                expires_at_ms: None,
            };
            articles.add(&report, action);
        }
        let more = [(0, "invalid"), (2, "unchanged")];
        assert_eq!(
            articles.verdict(false, &more),
            "3 articles published, 1 updated, 1 refreshed, 2 unchanged"
        );
        assert_eq!(
            articles.verdict(true, &[]),
            "3 articles to publish, 1 to update, 1 to refresh"
        );
        let surveyed = Surveyed {
            valid: 9,
            planned: 7,
            besides: None,
        };
        let others = |is_cut_short| surveyed.others(&articles, is_cut_short, 1);
        let invalid = (1, "invalid");
        let held = (0, "held back");
        let unchanged = (2, "unchanged");
        assert_eq!(
            others(false),
            [unchanged, (2, "left as they are"), invalid, held]
        );
        assert_eq!(others(true), [unchanged, (2, "not reached"), invalid, held]);
        assert_eq!(articles.undone(false), "5 articles restored");
        assert_eq!(
            Articles::default().verdict(false, &[(1, "invalid")]),
            "1 article invalid"
        );
        assert_eq!(Articles::default().verdict(true, &[]), "no article changed");
    }
}
