//! Who may see an article, and when: what its fields say, whatever the time is.
//!
//! Every run asks this again ([`Visibility::held`]), also of a source that it does not read since
//! nothing in it changed: an article becomes due, or ends, without anybody writing to its file.

use std::fmt;

use super::instant::instant_ms;
use super::metadata::{Metadata, Value};

/// Who may see an article, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// It is not finished.
    pub is_draft: bool,
    /// Its author took it back.
    pub is_withdrawn: bool,
    /// Search engines are told to leave it out.
    pub is_noindex: bool,
    /// When it is published, ms since 1970; `i64::MIN`: at once.
    pub from_ms: i64,
    /// When it ends, ms since 1970; `i64::MAX`: never.
    pub until_ms: i64,
}

/// Why a valid article is not published now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is a draft.
    Draft,
    /// It is published at this time, ms since 1970.
    Scheduled(i64),
    /// It ended at this time, ms since 1970.
    Expired(i64),
    /// Its author took it back.
    Withdrawn,
}

/// Which articles are published although they would be held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admits {
    /// Drafts.
    pub drafts: bool,
    /// What is scheduled for later.
    pub future: bool,
}

impl Default for Visibility {
    /// Everybody, always.
    fn default() -> Self {
        Self {
            is_draft: false,
            is_withdrawn: false,
            is_noindex: false,
            from_ms: i64::MIN,
            until_ms: i64::MAX,
        }
    }
}

impl Visibility {
    /// What the validated fields say.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let mut visibility = Self::default();
        let (mut date, mut publish_at) = (None, None);
        for (field, value) in &metadata.entries {
            match (field.name, value) {
                ("draft", Value::Flag(true)) | ("published", Value::Flag(false)) => {
                    visibility.is_draft = true;
                }
                ("withdrawn", Value::Flag(true)) => visibility.is_withdrawn = true,
                ("noindex" | "hidden", Value::Flag(true)) => visibility.is_noindex = true,
                ("robots", value) => visibility.is_noindex |= says_noindex(value),
                ("date", Value::Text(text)) => date = instant_ms(text),
                // The boundary takes no date that has no moment; held back is the safe side.
                ("publish_at", Value::Text(text)) => {
                    publish_at = Some(instant_ms(text).unwrap_or(i64::MAX));
                }
                ("expires_at", Value::Text(text)) => {
                    visibility.until_ms = instant_ms(text).unwrap_or(i64::MIN);
                }
                _ => {}
            }
        }
        // An event of next year is announced today: its `publish_at` counts, not its `date`.
        visibility.from_ms = publish_at.or(date).unwrap_or(i64::MIN);
        visibility.is_noindex |=
            visibility.is_draft || metadata.flag("flags", "needs_human_review");
        visibility
    }

    /// Why the article is not published at `now_ms`, if it is not.
    #[must_use]
    pub fn held(&self, now_ms: i64, admits: Admits) -> Option<Held> {
        if self.is_withdrawn {
            Some(Held::Withdrawn)
        } else if self.is_draft && !admits.drafts {
            Some(Held::Draft)
        } else if self.until_ms <= now_ms {
            Some(Held::Expired(self.until_ms))
        } else if self.from_ms > now_ms && !admits.future {
            Some(Held::Scheduled(self.from_ms))
        } else {
            None
        }
    }
}

/// Whether a `robots` field keeps the page out of search engines: `noindex, nofollow`, `none`.
fn says_noindex(value: &Value) -> bool {
    match value {
        Value::Text(text) => is_noindex(text),
        Value::List(items) => items.iter().any(says_noindex),
        Value::Number(_) | Value::Flag(_) | Value::Group(_) => false,
    }
}

/// The words that [robots meta tags](https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag)
/// have for it, in any case.
fn is_noindex(robots: &str) -> bool {
    let mut words = robots.split(|c: char| c == ',' || c.is_whitespace());
    words.any(|word| {
        ["noindex", "none"]
            .iter()
            .any(|name| word.eq_ignore_ascii_case(name))
    })
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draft => f.write_str("draft"),
            Self::Scheduled(at) => write!(f, "scheduled for {}", moment(*at)),
            Self::Expired(at) => write!(f, "expired at {}", moment(*at)),
            Self::Withdrawn => f.write_str("withdrawn"),
        }
    }
}

impl Held {
    /// The word for machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled(_) => "scheduled",
            Self::Expired(_) => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// When it becomes due, or ended, in RFC 3339.
    #[must_use]
    pub fn at(self) -> Option<String> {
        match self {
            Self::Scheduled(at) | Self::Expired(at) => Some(moment(at)),
            Self::Draft | Self::Withdrawn => None,
        }
    }
}

/// Ms since 1970 as `2027-01-05T10:00:00Z`; the last day of the year 9999 is cut to its beginning.
fn moment(at_ms: i64) -> String {
    let last = jiff::Timestamp::MAX;
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(last);
    format!("{at:.0}")
}

#[cfg(test)]
mod tests {
    use super::{Admits, Held, Visibility, is_noindex};

    const ALL: Admits = Admits {
        drafts: true,
        future: true,
    };

    #[test]
    fn an_article_is_due_at_its_moment_and_ends_at_its_moment() {
        let visibility = Visibility {
            from_ms: 10,
            until_ms: 20,
            ..Visibility::default()
        };
        let held = |now_ms| visibility.held(now_ms, Admits::default());
        assert_eq!(held(9), Some(Held::Scheduled(10)));
        assert_eq!(held(10), None);
        assert_eq!(held(19), None);
        assert_eq!(held(20), Some(Held::Expired(20)));
        assert_eq!(visibility.held(9, ALL), None);
        assert_eq!(visibility.held(20, ALL), Some(Held::Expired(20)));
    }

    #[test]
    fn nothing_admits_what_was_withdrawn() {
        let withdrawn = Visibility {
            is_withdrawn: true,
            is_draft: true,
            ..Visibility::default()
        };
        assert_eq!(withdrawn.held(0, ALL), Some(Held::Withdrawn));
        let draft = Visibility {
            is_withdrawn: false,
            ..withdrawn
        };
        assert_eq!(draft.held(0, Admits::default()), Some(Held::Draft));
        assert_eq!(draft.held(0, ALL), None);
    }

    #[test]
    fn a_reason_says_when() {
        assert_eq!(
            Held::Scheduled(1_799_143_200_000).to_string(),
            "scheduled for 2027-01-05T10:00:00Z"
        );
        assert_eq!(
            Held::Expired(999).to_string(),
            "expired at 1970-01-01T00:00:00Z"
        );
        assert!(Held::Scheduled(i64::MAX).to_string().contains("9999-12-30"));
    }

    #[test]
    fn robots_are_words_in_any_case_with_commas_or_spaces() {
        for text in [
            "noindex",
            "NOINDEX,nofollow",
            "nofollow, noindex",
            "none",
            "index noindex",
        ] {
            assert!(is_noindex(text), "{text}");
        }
        for text in ["", "index, follow", "nofollow", "noindexing", "all"] {
            assert!(!is_noindex(text), "{text}");
        }
    }
}
