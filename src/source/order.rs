//! In which order articles are written.

use crate::article::{Article, Value};

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
    let date = |name: &str| article.metadata.text(name).and_then(seconds);
    date("updated").max(date("date")).unwrap_or(i64::MIN)
}

/// A date alone is its first instant in UTC.
fn seconds(text: &str) -> Option<i64> {
    let instant = text.parse::<jiff::Timestamp>();
    let date = || {
        let date: jiff::civil::Date = text.parse().ok()?;
        let midnight = date.to_datetime(jiff::civil::Time::midnight());
        jiff::tz::Offset::UTC.to_timestamp(midnight).ok()
    };
    let at = instant.ok().or_else(date)?;
    Some(at.as_second())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_date_and_a_time_are_on_one_scale() {
        let at = |text: &str| seconds(text).unwrap();
        assert_eq!(at("1970-01-02"), 86_400);
        assert!(at("2026-11-24T01:00:00+02:00") < at("2026-11-24"));
        assert!(at("2026-11-24T00:00:01Z") > at("2026-11-24"));
        assert_eq!(seconds("soon"), None);
    }
}
