//! The group `expect:`: what every plan must be like, or nothing is written.

use std::time::Duration;

use super::keys::{DAY_MS, SECOND_MS};
use super::limit::Limit;
use super::reader::Reader;

/// What every plan must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// At least so many valid articles that are no drafts.
    pub min_articles: u64,
    /// How many of the articles may be created, updated or removed.
    pub max_changed: Limit,
    /// How many of the stored articles `--prune` may remove.
    pub max_removed: Limit,
    /// How long a run may take.
    pub max_duration: Option<Duration>,
}

impl Expect {
    /// The same of a plan that may change as many articles as it has to, and take its time.
    #[must_use]
    pub fn of_articles_alone(&self) -> Self {
        Self {
            max_changed: Limit::Permille(1000),
            max_duration: None,
            ..self.clone()
        }
    }

    /// The same of a plan for a part of the content tree: what is expected of all of it says
    /// nothing about one article.
    #[must_use]
    pub fn of_a_part(&self) -> Self {
        Self {
            min_articles: 1,
            max_changed: Limit::Permille(1000),
            ..self.clone()
        }
    }
}

/// Reads the settings of the group.
pub(super) fn read(reader: &mut Reader) -> Expect {
    Expect {
        min_articles: reader.get("expect.min_articles", 1, |node| {
            node.whole(1..=1_000_000_000)
        }),
        max_changed: reader.limit("expect.max_changed", Limit::Permille(1000)),
        max_removed: reader.limit("expect.max_removed", Limit::Permille(100)),
        max_duration: reader.get("expect.max_duration", None, |node| {
            let ms = node.duration_ms(SECOND_MS..=30 * DAY_MS)?;
            Ok(Some(Duration::from_millis(ms)))
        }),
    }
}
