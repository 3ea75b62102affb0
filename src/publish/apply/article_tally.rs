//! How many articles a run changed: people think in articles, the store holds keys.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use crate::publish::keys::split_key;
use crate::publish::manifest::{Action, ArticleCounts};

/// Articles by what became of them. A run reports a batch at a time, first its pages and then their metas and
/// texts, or the other way round: an article counts by the key that comes first.
#[derive(Debug, Default)]
pub struct ArticleTally {
    /// The articles so far.
    pub counts: ArticleCounts,
    /// Hashes of the routes of this batch: no text is kept for each of many thousand keys.
    routes: HashSet<u64>,
    hasher: RandomState,
    /// Whether this batch began with pages, and whether its second half has begun.
    begins_with_pages: bool,
    is_second_half: bool,
}

impl ArticleTally {
    /// Counts the article of `key`: `anp:page:/route/`. Tells whether the key is
    /// the first one of its article.
    pub fn add(&mut self, key: &str, action: Action) -> bool {
        let (kind, route) = split_key(key);
        let is_page = kind.ends_with(":page");
        if !is_page && !kind.ends_with(":meta") && !kind.ends_with(":text") {
            // A file or a redirect is one key, wherever in a batch it is.
            self.counts.add(action);
            return true;
        }
        if self.routes.is_empty() || self.is_second_half && is_page == self.begins_with_pages {
            self.routes.clear();
            self.begins_with_pages = is_page;
        }
        self.is_second_half = is_page != self.begins_with_pages;
        let is_first = self.routes.insert(self.hasher.hash_one(route));
        if is_first {
            self.counts.add(action);
        }
        is_first
    }
}

#[cfg(test)]
mod tests {
    use super::ArticleTally;
    use crate::publish::manifest::Action;

    #[test]
    fn a_text_belongs_to_its_article_whichever_key_comes_first() {
        let forward = [
            "page:/x/", "page:/y/", "meta:/x/", "text:/x/", "meta:/y/", "text:/y/",
        ];
        for (keys, first) in [
            (forward, [true, true, false, false, false, false]),
            (
                [
                    "text:/y/", "meta:/y/", "text:/x/", "meta:/x/", "page:/y/", "page:/x/",
                ],
                [true, false, true, false, false, false],
            ),
        ] {
            let mut tally = ArticleTally::default();
            let found = keys.map(|key| tally.add(&format!("a:{key}"), Action::Update));
            assert_eq!((found, tally.counts.updated), (first, 2), "{keys:?}");
        }
    }

    #[test]
    fn files_among_pages_and_metas_count_once_and_leave_these_together() {
        let mut tally = ArticleTally::default();
        let keys = [
            "a:page:/x/",
            "a:file:/feed.xml",
            "a:redirect:/old/",
            "a:page:/",
            "a:meta:/x/",
            "a:meta:/",
            "a:page:/x/",
        ];
        let is_first = keys.map(|key| tally.add(key, Action::Create));
        assert_eq!(is_first, [true, true, true, true, false, false, true]);
        assert_eq!(tally.counts.created, 5);
    }
}
