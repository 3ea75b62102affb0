//! In which order articles are written.

use crate::article::{Article, Value, instant_ms};

/// Which articles are written first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By the path of their source.
    #[default]
    Path,
    /// Those that were written or updated last.
    Newest,
    /// Those with the largest `view_count`.
    Popular,
}

impl Order {
    /// What an article is ordered by: the largest comes first, what says nothing last.
    #[must_use]
    pub fn rank(self, ranks: Ranks) -> i64 {
        match self {
            Self::Path => 0,
            Self::Newest => ranks.newest,
            Self::Popular => ranks.popular,
        }
    }
}

/// What an article can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranks {
    /// Seconds since 1970 of its date or update; `i64::MIN` if it has neither.
    pub newest: i64,
    /// Its `view_count`; -1 if it has none.
    pub popular: i64,
}

impl Ranks {
    /// Those of `article`.
    #[must_use]
    pub fn of(article: &Article<'_>) -> Self {
        Self {
            newest: newest(article),
            popular: popular(article),
        }
    }
}

fn popular(article: &Article<'_>) -> i64 {
    match article.metadata.get("view_count") {
        Some(Value::Number(count)) => i64::try_from(*count).unwrap_or(i64::MAX),
        _ => -1,
    }
}

/// Seconds since 1970 of the later of `date` and `updated`.
fn newest(article: &Article<'_>) -> i64 {
    let date = |name: &str| article.metadata.text(name).and_then(instant_ms);
    let newest = date("updated").max(date("date"));
    newest.map_or(i64::MIN, |at| at.div_euclid(1000))
}
