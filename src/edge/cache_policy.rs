//! `Cache-Control` of what the fronts serve.

use std::fmt::Write as _;

/// How long caches may keep an object, in seconds. No cache ever keeps it longer than the object has left
/// to live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CachePolicy {
    /// In browsers (`max-age`); none: for as long as the object lives.
    pub browser: Option<u64>,
    /// In caches that readers share (`s-maxage`); none: as in browsers.
    pub edge: Option<u64>,
    /// How much longer a cache may answer while it asks for a new version, or if it gets none
    /// (`stale-while-revalidate`, `stale-if-error`; RFC 5861).
    pub stale: u64,
    /// Whether answers name their path as `Surrogate-Key`.
    pub surrogate_keys: bool,
}

/// The times of one answer, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// `max-age`.
    pub browser: u64,
    /// `s-maxage`.
    pub edge: Option<u64>,
    /// `stale-while-revalidate` and `stale-if-error`; 0: neither.
    pub stale: u64,
}

impl CachePolicy {
    /// The times of an object that has `left` seconds to live.
    #[must_use]
    pub fn of(&self, left: u64) -> Lifetimes {
        let browser = self.browser.map_or(left, |most| most.min(left));
        let edge = self.edge.map(|most| most.min(left));
        let fresh = edge.map_or(browser, |edge| edge.max(browser));
        Lifetimes {
            browser,
            edge,
            stale: self.stale.min(left - fresh),
        }
    }

    /// The value of `Cache-Control` for an object that has `left` seconds to live.
    #[must_use]
    pub fn cache_control(&self, left: u64) -> String {
        let Lifetimes {
            browser,
            edge,
            stale,
        } = self.of(left);
        let mut value = format!("public, max-age={browser}");
        if let Some(edge) = edge {
            let _ = write!(value, ", s-maxage={edge}");
        }
        if stale > 0 {
            let _ = write!(
                value,
                ", stale-while-revalidate={stale}, stale-if-error={stale}"
            );
        }
        value
    }

    /// Whether a time is set: without one, answers are as if there were no policy.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.browser.is_some() || self.edge.is_some() || self.stale > 0
    }
}

#[cfg(test)]
mod tests {
    use super::CachePolicy;

    #[test]
    fn no_cache_keeps_an_object_longer_than_it_lives() {
        let policy = CachePolicy {
            browser: Some(300),
            edge: Some(86_400),
            stale: 3600,
            surrogate_keys: false,
        };
        let rest = ", stale-while-revalidate=";
        let of = |left| policy.cache_control(left);
        let whole = format!("public, max-age=300, s-maxage=86400{rest}3600, stale-if-error=3600");
        assert_eq!(of(604_800), whole);
        assert_eq!(of(90_000), whole);
        let less = format!("public, max-age=300, s-maxage=86400{rest}600, stale-if-error=600");
        assert_eq!(of(87_000), less);
        assert_eq!(of(86_400), "public, max-age=300, s-maxage=86400");
        assert_eq!(of(10), "public, max-age=10, s-maxage=10");
        assert_eq!(of(0), "public, max-age=0, s-maxage=0");
    }

    #[test]
    fn each_time_counts_by_itself() {
        let none = CachePolicy::default();
        assert_eq!(none.cache_control(604_800), "public, max-age=604800");
        let browser = CachePolicy {
            browser: Some(60),
            ..none
        };
        assert_eq!(browser.cache_control(604_800), "public, max-age=60");
        let stale = CachePolicy { stale: 9, ..none };
        assert_eq!(stale.cache_control(604_800), "public, max-age=604800");
        assert!(!none.is_set() && browser.is_set() && stale.is_set());
    }
}
