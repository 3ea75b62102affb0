//! How many articles a run changed: people think in articles, the store holds keys.

use std::collections::{BTreeMap, HashSet};

use crate::publish::manifest::Action;
use crate::publish::reason::Reason;
use crate::words::counted;

/// Articles by what became of them. A run reports a batch at a time, first its pages and then its metas,
/// or the other way round: an article counts by the key that comes first.
#[derive(Debug, Default)]
pub(super) struct Articles {
    /// Routes of this batch.
    routes: HashSet<String>,
    /// Whether this batch began with pages, and whether its second half has begun.
    begins_with_pages: bool,
    is_second_half: bool,
    created: u64,
    updated: u64,
    refreshed: u64,
    removed: u64,
    reasons: BTreeMap<Reason, u64>,
}

impl Articles {
    /// Counts the article of `key`, which is below `prefix`.
    pub(super) fn add(&mut self, prefix: &str, key: &str, action: Action, reason: Option<Reason>) {
        // anp:page:/route/
        let named = key
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix(':'));
        let (kind, route) = named
            .and_then(|rest| rest.split_once(':'))
            .unwrap_or_default();
        let is_page = kind == "page";
        if self.routes.is_empty() || self.is_second_half && is_page == self.begins_with_pages {
            self.routes.clear();
            self.begins_with_pages = is_page;
        }
        self.is_second_half = is_page != self.begins_with_pages;
        if !self.routes.insert(route.to_owned()) {
            return;
        }
        if let Some(reason) = reason {
            *self.reasons.entry(reason).or_default() += 1;
        }
        match action {
            Action::Create => self.created += 1,
            Action::Update => self.updated += 1,
            Action::Refresh => self.refreshed += 1,
            Action::Remove => self.removed += 1,
        }
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

    /// Those that the store holds now and did not change among `valid` ones.
    pub(super) fn unchanged(&self, valid: u64) -> u64 {
        valid.saturating_sub(self.created + self.updated + self.refreshed)
    }

    /// `16 articles published, 3 updated`; in the future if it `is_dry`. With `more` numbers and their
    /// words behind these; those of 0 are left out.
    pub(super) fn verdict(&self, is_dry: bool, more: &[(u64, &str)]) -> String {
        let own = [
            (self.created, ["published", "to publish"]),
            (self.updated, ["updated", "to update"]),
            (self.refreshed, ["refreshed", "to refresh"]),
            (self.removed, ["removed", "to remove"]),
        ];
        let own = own.map(|(number, words)| (number, words[usize::from(is_dry)]));
        let verdict = listed("article", own.iter().chain(more));
        if verdict.is_empty() {
            "no article changed".to_owned()
        } else {
            verdict
        }
    }

    /// `16 articles removed, 3 restored`, for a rollback.
    pub(super) fn undone(&self, is_dry: bool) -> String {
        let restored = self.created + self.updated + self.refreshed;
        let own = [
            (self.removed, ["removed", "to remove"]),
            (restored, ["restored", "to restore"]),
        ];
        let own = own.map(|(number, words)| (number, words[usize::from(is_dry)]));
        listed("article", own.iter())
    }
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
    use super::Articles;
    use crate::publish::manifest::Action;

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
            articles.add("a:b", key, action, None);
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
        assert_eq!(articles.unchanged(7), 2);
        assert_eq!(articles.undone(false), "5 articles restored");
        assert_eq!(
            Articles::default().verdict(false, &[(1, "invalid")]),
            "1 article invalid"
        );
        assert_eq!(Articles::default().verdict(true, &[]), "no article changed");
    }
}
