//! What the store holds for a route: what a front has to answer with.

use std::time::{Duration, Instant};

use super::coding::LARGEST_BODY;
use crate::article::Route;
use crate::publish::keys::Keys;
use crate::render::{Digest, META_OPENING_BYTES, MetaHead, page_digest};
use crate::store::{Batch, Reply, Session, StoreError};

/// What is known of whether robots may list a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Robots {
    /// The meta object says it.
    Said {
        /// Whether they may not.
        noindex: bool,
    },
    /// It does not: why.
    Unsaid(&'static str),
}

/// What is kept of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its length.
    pub bytes: usize,
    /// The digest at its end; none if it is not one of ours.
    pub digest: Option<Digest>,
    hash: blake3::Hash,
}

/// A route in the store at one moment.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The page; none if there is no such key, or no string.
    pub page: Option<Page>,
    /// What the meta object says about robots.
    pub robots: Robots,
    left: Option<Duration>,
    read_at: Instant,
}

impl Stored {
    /// Reads a route, and its page, which is empty where there is none; writes nothing. One byte
    /// more than a front may answer with is read at most.
    ///
    /// # Errors
    /// As [`Session::run`], and when a right is missing.
    pub fn read(
        session: &mut Session,
        keys: &Keys,
        route: &Route,
    ) -> Result<(Self, Vec<u8>), StoreError> {
        let doing = "reading what the store holds for a route";
        let (page, meta) = (keys.page(route), keys.meta(route));
        let mut batch = Batch::default();
        batch.push(&[b"PTTL", page.as_bytes()]);
        let last = LARGEST_BODY.to_string();
        batch.push(&[b"GETRANGE", page.as_bytes(), b"0", last.as_bytes()]);
        let last = (META_OPENING_BYTES - 1).to_string();
        batch.push(&[b"GETRANGE", meta.as_bytes(), b"0", last.as_bytes()]);
        let mut replies = session.run(&batch, doing)?.into_iter();
        // Afterwards: what is left is rather taken for too much than for too little.
        let read_at = Instant::now();
        let mut next = || replies.next().unwrap_or(Reply::Nil);
        let (is_there, left) = match next() {
            Reply::Int(ms) => (ms != -2, u64::try_from(ms).ok().map(Duration::from_millis)),
            other => return other.fail(doing),
        };
        // An absent string is an empty one to GETRANGE, and an empty one is no page.
        let bytes = string(next(), doing)?.filter(|bytes| is_there && !bytes.is_empty());
        let meta = string(next(), doing)?.unwrap_or_default();
        let page = bytes.as_deref().map(|bytes| Page {
            bytes: bytes.len(),
            digest: page_digest(bytes),
            hash: blake3::hash(bytes),
        });
        let stored = Self {
            robots: Robots::read(&meta, page.as_ref().and_then(|page| page.digest)),
            page,
            left,
            read_at,
        };
        Ok((stored, bytes.unwrap_or_default()))
    }

    /// No page, and no meta object.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            page: None,
            robots: Robots::read(b"", None),
            left: None,
            read_at: Instant::now(),
        }
    }

    /// How long the page stays from `at` on, at most; none if for ever.
    #[must_use]
    pub fn left_at(&self, at: Instant) -> Option<Duration> {
        let since = at.saturating_duration_since(self.read_at);
        self.left.map(|left| left.saturating_sub(since))
    }

    /// Whether another state was read `later`: somebody wrote the route meanwhile.
    #[must_use]
    pub fn differs_from(&self, later: &Self) -> bool {
        let left = self.left_at(later.read_at);
        let slack = Duration::from_secs(1);
        let same_expiry = match (left, later.left) {
            (Some(expected), Some(found)) => expected.abs_diff(found) <= slack,
            (None, None) => true,
            _ => false,
        };
        self.page != later.page || self.robots != later.robots || !same_expiry
    }
}

/// A string; none if the key holds something else.
fn string(reply: Reply, doing: &str) -> Result<Option<Vec<u8>>, StoreError> {
    match reply {
        Reply::Bulk(bytes) => Ok(Some(bytes)),
        Reply::Error { code, .. } if code == "WRONGTYPE" => Ok(None),
        other => other.fail(doing),
    }
}

impl Robots {
    /// Reads the beginning of the meta object beside a page with `digest`.
    fn read(meta: &[u8], digest: Option<Digest>) -> Self {
        if meta.is_empty() {
            return Self::Unsaid("there is no meta object");
        }
        let head = MetaHead::read(meta);
        if head.robots.is_none() {
            return Self::Unsaid("the meta object says nothing of robots");
        }
        if digest.is_none() || head.digest != digest {
            return Self::Unsaid("the meta object is about another page");
        }
        Self::Said {
            noindex: head.is_noindex(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Robots;
    use crate::render::Digest;

    const DIGEST: &str = "0123456789abcdef0123456789abcdef";

    fn read(meta: &str) -> Robots {
        Robots::read(meta.as_bytes(), Digest::from_hex(DIGEST.as_bytes()))
    }

    #[test]
    fn robots_are_read_from_the_beginning_of_a_meta_object() {
        let meta = |digest: &str, robots: &str| {
            format!(
                r#"{{"digest":"{digest}","run":"r","etag":"\"00\"","robots":"{robots}","route":"/a/","tit"#
            )
        };
        for (robots, noindex) in [
            ("noindex", true),
            ("noindex,nofollow", true),
            ("none", true),
            ("index,follow", false),
        ] {
            assert_eq!(read(&meta(DIGEST, robots)), Robots::Said { noindex });
        }
        let why = |meta: &str| match read(meta) {
            Robots::Unsaid(why) => why,
            Robots::Said { .. } => "said",
        };
        let other = "00000000000000000000000000000000";
        assert_eq!(
            why(&meta(other, "noindex")),
            "the meta object is about another page"
        );
        let silent = format!(r#"{{"digest":"{DIGEST}"}}"#);
        assert_eq!(why(&silent), "the meta object says nothing of robots");
        assert_eq!(why("\u{fffd}"), "the meta object says nothing of robots");
        assert_eq!(why(""), "there is no meta object");
    }
}
