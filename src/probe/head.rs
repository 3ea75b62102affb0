//! Heads of answers: the status and the headers, and what some of the headers mean.

use std::fmt;

use crate::characters::is_hidden;

/// Status and headers of one answer.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// 200, 304, 404 …
    pub status: u16,
    /// Names in lower case, in the order of the answer.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of this name (in lower case).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Every header of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.headers.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The elements of a header that is a list, over all lines of it.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let elements = self.all(name).flat_map(|line| line.split(','));
        elements
            .map(str::trim)
            .filter(|element| !element.is_empty())
    }

    /// The header as it is shown: all lines of it, or `no Name`.
    #[must_use]
    pub fn shown(&self, name: &str) -> String {
        let lines: Vec<&str> = self.all(name).collect();
        let title = title(name);
        if lines.is_empty() {
            format!("no {title}")
        } else {
            format!("{title}: {}", clipped(&lines.join(", ")))
        }
    }

    /// What `Cache-Control` says.
    #[must_use]
    pub fn caching(&self) -> Caching {
        let mut caching = Caching::default();
        for directive in self.list("cache-control") {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = || value.trim().trim_matches('"').parse::<u64>().ok();
            match name.trim().to_ascii_lowercase().as_str() {
                "public" => caching.public = true,
                "private" => caching.private = true,
                "no-store" => caching.no_store = true,
                "no-cache" => caching.no_cache = true,
                "max-age" => caching.max_age = seconds(),
                "s-maxage" => caching.s_maxage = seconds(),
                "stale-while-revalidate" | "stale-if-error" => {
                    caching.stale = caching.stale.max(seconds());
                }
                _ => {}
            }
        }
        caching
    }

    /// Seconds since the answer was made; 0 where there is no `Age`.
    #[must_use]
    pub fn age(&self) -> u64 {
        let age = self.get("age").and_then(|age| age.trim().parse().ok());
        age.unwrap_or(0)
    }

    /// The entity tag.
    #[must_use]
    pub fn etag(&self) -> Option<Etag> {
        Etag::parse(self.get("etag")?)
    }

    /// What `X-Cache` says of the cache next to us: `MISS, HIT` is a hit there.
    #[must_use]
    pub fn x_cache(&self) -> Option<XCache> {
        let last = self.list("x-cache").last()?;
        let has = |word: &str| {
            let mut words = last.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|found| found.eq_ignore_ascii_case(word))
        };
        Some(if has("hit") && !has("miss") {
            XCache::Hit
        } else {
            XCache::Other
        })
    }

    /// Whether a robot is told not to list the page: `noindex`, or `none`, which means it too.
    #[must_use]
    pub fn is_noindex(&self) -> bool {
        self.list("x-robots-tag").any(|element| {
            // A rule may be for one robot: `googlebot: noindex`.
            let rule = element.rsplit(':').next().unwrap_or(element).trim();
            rule.eq_ignore_ascii_case("noindex") || rule.eq_ignore_ascii_case("none")
        })
    }
}

/// What `X-Cache` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XCache {
    /// Answered from the cache.
    Hit,
    /// Anything else: MISS, BYPASS, EXPIRED …
    Other,
}

/// What `Cache-Control` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caching {
    /// Any cache may keep it.
    pub public: bool,
    /// Only the visitor's own cache may keep it.
    pub private: bool,
    /// No cache may keep it.
    pub no_store: bool,
    /// A cache asks before it uses it.
    pub no_cache: bool,
    /// For so many seconds.
    pub max_age: Option<u64>,
    /// For so many seconds in caches that visitors share.
    pub s_maxage: Option<u64>,
    /// Seconds that a cache may still answer while it asks again, or if it gets no answer: the longer of the
    /// two.
    pub stale: Option<u64>,
}

impl Caching {
    /// How long some cache may use the answer, in seconds; none where it is not said.
    #[must_use]
    pub fn longest(&self) -> Option<u64> {
        if self.no_store {
            return Some(0);
        }
        self.max_age.max(self.s_maxage)
    }
}

/// An entity tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Etag {
    /// Whether it stands for the same meaning only, not for the same bytes.
    pub weak: bool,
    /// What stands between the quotes.
    pub opaque: String,
}

impl Etag {
    /// Reads `"abc"` or `W/"abc"`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (weak, quoted) = match text.strip_prefix("W/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let opaque = quoted.strip_prefix('"')?.strip_suffix('"')?;
        let is_opaque = opaque.chars().all(|c| c > ' ' && c != '"' && c != '\u{7f}');
        is_opaque.then(|| Self {
            weak,
            opaque: opaque.to_owned(),
        })
    }

    /// Whether both stand for the same bytes (RFC 9110, 8.8.3.2).
    #[must_use]
    pub fn strongly_equals(&self, other: &Self) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\"{}\"",
            if self.weak { "W/" } else { "" },
            self.opaque
        )
    }
}

/// Whether `text` may stand in a header: nothing in it ends the line.
#[must_use]
pub(super) fn is_value(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A text of the front on one line, not too long.
#[must_use]
pub(super) fn clipped(text: &str) -> String {
    one_line(text, 100)
}

/// A text that may have something of the front in it, on one line of at most `longest` characters.
#[must_use]
pub(super) fn one_line(text: &str, longest: usize) -> String {
    let plain = |c: char| if c == '\t' || is_hidden(c) { ' ' } else { c };
    let mut short: String = text.chars().map(plain).take(longest).collect();
    if text.chars().nth(longest).is_some() {
        short.push('…');
    }
    short
}

/// `x-cache` as `X-Cache`.
fn title(name: &str) -> String {
    match name {
        "etag" => return "ETag".to_owned(),
        "x-robots-tag" => return "X-Robots-Tag".to_owned(),
        _ => {}
    }
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::{Caching, Etag, Head, XCache};

    fn head(headers: &[(&str, &str)]) -> Head {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Head {
            status: 200,
            headers: headers.iter().map(owned).collect(),
        }
    }

    #[test]
    fn cache_control_is_read_over_all_its_lines_and_in_any_case() {
        let all = head(&[
            ("cache-control", "Public, MAX-AGE=60"),
            ("cache-control", "s-maxage=\"90\", stale-if-error=5"),
        ]);
        let expected = Caching {
            public: true,
            max_age: Some(60),
            s_maxage: Some(90),
            stale: Some(5),
            ..Caching::default()
        };
        assert_eq!(all.caching(), expected);
        assert_eq!(all.caching().longest(), Some(90));
        let private = head(&[("cache-control", "private, no-store, max-age=60")]).caching();
        assert!(private.private && private.no_store && !private.public);
        assert_eq!(private.longest(), Some(0));
        let broken = head(&[("cache-control", "max-age=soon, public-ish")]).caching();
        assert_eq!(broken, Caching::default());
        assert_eq!(broken.longest(), None);
    }

    #[test]
    fn entity_tags_are_strong_or_weak_or_none() {
        let parsed = |text| Etag::parse(text);
        let strong = parsed("\"00ff\"").unwrap();
        let weak = parsed("W/\"00ff\"").unwrap();
        assert_eq!((strong.weak, weak.weak), (false, true));
        assert_eq!(
            (strong.to_string(), weak.to_string()),
            ("\"00ff\"".to_owned(), "W/\"00ff\"".to_owned())
        );
        assert!(strong.strongly_equals(&strong) && !strong.strongly_equals(&weak));
        assert!(!weak.strongly_equals(&weak));
        for text in ["", "00ff", "\"00ff", "w/\"00ff\"", "\"a b\"", "\"a\"b\""] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn x_cache_counts_for_the_cache_next_to_us() {
        for (said, expected) in [
            ("HIT", XCache::Hit),
            ("Hit from cloudfront", XCache::Hit),
            ("MISS, HIT", XCache::Hit),
            ("TCP_HIT", XCache::Hit),
            ("HIT, MISS", XCache::Other),
            ("MISS", XCache::Other),
            ("BYPASS", XCache::Other),
            ("WHITE", XCache::Other),
        ] {
            assert_eq!(
                head(&[("x-cache", said)]).x_cache(),
                Some(expected),
                "{said}"
            );
        }
        assert_eq!(head(&[]).x_cache(), None);
    }

    #[test]
    fn noindex_may_be_one_rule_of_many_or_for_one_robot() {
        for said in [
            "noindex",
            "NOINDEX, nofollow",
            "nofollow, noindex",
            "none",
            "googlebot: noindex",
        ] {
            assert!(head(&[("x-robots-tag", said)]).is_noindex(), "{said}");
        }
        for said in ["index", "all", "noindexing", "max-snippet: 20"] {
            assert!(!head(&[("x-robots-tag", said)]).is_noindex(), "{said}");
        }
        assert!(!head(&[]).is_noindex());
    }

    #[test]
    fn headers_are_shown_by_their_names_and_on_one_line() {
        let long = "x".repeat(200);
        let all = head(&[("etag", "\"a\u{1b}\""), ("x-robots-tag", &long)]);
        assert_eq!(all.shown("etag"), "ETag: \"a \"");
        assert_eq!(all.shown("content-type"), "no Content-Type");
        assert_eq!(
            all.shown("x-robots-tag"),
            format!("X-Robots-Tag: {}…", &long[..100])
        );
    }
}
