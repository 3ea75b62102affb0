//! When an object expires.

use crate::article::{Lifetime, Route};

/// How long objects live, and how far that is spread.
#[derive(Clone, Copy, Debug)]
pub struct Expiry {
    /// Start of the run by the server's clock, ms since 1970.
    pub start_ms: i64,
    /// Time to live of an article that names none, in ms.
    pub ttl_ms: i64,
    /// Largest deviation from the ttl, in thousandths of it: 100 is ± 10 %.
    pub jitter_permille: i64,
    /// How long any article may live, deviation included, in ms, whatever it names.
    pub most_ms: Option<i64>,
}

impl Expiry {
    /// Absolute expiry of both objects of the article at `route`, in ms since 1970.
    ///
    /// The deviation is a pure function of the route, so a warmed archive does not expire at
    /// one instant, and a plan that is made twice is the same plan.
    ///
    /// What ends before that expires when it ends: no run has to come by then.
    #[must_use]
    pub fn of(&self, route: &Route, lifetime: Lifetime) -> i64 {
        let ttl = self.ttl(lifetime);
        let hash = blake3::hash(route.as_str().as_bytes());
        let [a, b, ..] = *hash.as_bytes();
        // -32768 ..= 32767: evenly spread over the whole range.
        let spread = i64::from(u16::from_le_bytes([a, b])) - 32_768;
        let jitter = ttl * self.jitter_permille / 1000 * spread / 32_768;
        lifetime.until_ms.min(self.start_ms + ttl + jitter)
    }

    /// Whether an unchanged object that expires at `expires_at_ms` is to get a new expiry:
    /// less than half of the ttl is left, or more than the ttl with its jitter (the ttl was
    /// lowered), or it would stay for ever. Near the end of its article, the time until then
    /// counts as the ttl.
    #[must_use]
    pub fn is_off(&self, expires_at_ms: Option<i64>, lifetime: Lifetime) -> bool {
        let Some(at) = expires_at_ms else {
            return true;
        };
        let ttl = self.ttl_left(lifetime);
        let left = at - self.start_ms;
        let is_above = at > lifetime.until_ms || self.most_ms.is_some_and(|most| left > most);
        is_above
            || self.is_short(Some(at), lifetime)
            || left > ttl + ttl * self.jitter_permille.max(100) / 1000
    }

    /// Whether less than half of the ttl is left of an object that expires at `expires_at_ms`.
    #[must_use]
    pub fn is_short(&self, expires_at_ms: Option<i64>, lifetime: Lifetime) -> bool {
        let half = self.ttl_left(lifetime) / 2;
        expires_at_ms.is_some_and(|at| at - self.start_ms < half)
    }

    /// Whether less than `below` is left of an expiry, and the article at `route` would get one
    /// that is later by a twentieth of its ttl: so no expiry is ever brought forward, and a run
    /// made twice settles. Never of one that stays for ever.
    #[must_use]
    pub fn has_less_than(
        &self,
        below: Below,
        expires_at_ms: Option<i64>,
        route: &Route,
        lifetime: Lifetime,
    ) -> bool {
        let ttl = self.ttl_left(lifetime);
        let gain_ms = ttl / 20;
        let next = self.of(route, lifetime);
        let below_ms = match below {
            Below::Permille(share) => ttl / 1000 * share,
            Below::Ms(ms) => ms,
        };
        expires_at_ms.is_some_and(|at| at - self.start_ms < below_ms && next - at >= gain_ms)
    }

    /// The ttl, or the time until the article ends, where that is shorter.
    fn ttl_left(&self, lifetime: Lifetime) -> i64 {
        let left = lifetime.until_ms.saturating_sub(self.start_ms);
        self.ttl(lifetime).min(left.max(0))
    }

    fn ttl(&self, lifetime: Lifetime) -> i64 {
        let ttl = lifetime
            .ttl_ms
            .and_then(|ttl| i64::try_from(ttl).ok())
            .unwrap_or(self.ttl_ms);
        match self.most_ms {
            Some(most) => ttl.min(most / (1000 + self.jitter_permille) * 1000),
            None => ttl,
        }
    }
}

/// A part of the time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    /// A share of the ttl, in thousandths.
    Permille(i64),
    /// So many ms.
    Ms(i64),
}
