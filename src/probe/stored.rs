//! What the store holds for a route or file: what a front has to answer with.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::coding::LARGEST_BODY;
use super::subject::Subject;
use crate::archive::{FilePath, MAX_REDIRECT_BYTES, Redirect};
use crate::article::Route;
use crate::publish::keys::{Keys, ObjectKind};
use crate::render::{
    Digest, META_OPENING_BYTES, MetaHead, gzip_head, plain, stored_file_digest, stored_page_digest,
};
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

/// What is kept of a page or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its length.
    pub bytes: usize,
    /// The digest at its end; none if it is not one of ours.
    pub digest: Option<Digest>,
    /// Its `Content-Type`.
    pub content_type: String,
    hash: blake3::Hash,
}

/// A route or file in the store at one moment.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The page or file; none if there is no such key, or no string.
    pub page: Option<Page>,
    /// Where the route leads, if that is what was asked, and no page stands before it.
    pub redirect: Option<Redirect>,
    /// What the meta object says about robots.
    pub robots: Robots,
    left: Option<Duration>,
    read_at: Instant,
}

impl Stored {
    /// Reads what is asked for, and its bytes, which are empty where there is no page or file; writes
    /// nothing.
    ///
    /// # Errors
    /// As [`Session::run`], and when a right is missing.
    pub fn read(
        session: &mut Session,
        keys: &Keys,
        subject: Subject<'_>,
    ) -> Result<(Self, Vec<u8>), StoreError> {
        match subject {
            Subject::Page(route) => Self::read_page(session, keys, route),
            Subject::File(path) => Self::read_file(session, keys, path),
            Subject::Redirect(route) => {
                let stored = Self::read_redirect(session, keys, route)?;
                Ok((stored, Vec::new()))
            }
        }
    }

    fn read_page(
        session: &mut Session,
        keys: &Keys,
        route: &Route,
    ) -> Result<(Self, Vec<u8>), StoreError> {
        let meta = (keys.meta(route), META_OPENING_BYTES - 1);
        let value = Value::read(session, (keys.page(route), LARGEST_BODY), Some(meta))?;
        let value = value.unpacked();
        let digest = value.bytes.as_deref().and_then(stored_page_digest);
        let robots = Robots::read(&value.beside, digest);
        let content_type = "text/html; charset=utf-8".to_owned();
        let (stored, bytes) = Self::of(value, digest, content_type);
        Ok((Self { robots, ..stored }, bytes))
    }

    fn read_file(
        session: &mut Session,
        keys: &Keys,
        path: &FilePath,
    ) -> Result<(Self, Vec<u8>), StoreError> {
        let value = Value::read(session, (keys.file(path), LARGEST_BODY), None)?;
        let value = value.unpacked();
        let digest = value.bytes.as_deref().and_then(stored_file_digest);
        Ok(Self::of(value, digest, path.content_type()))
    }

    /// A page or file and its bytes.
    fn of(value: Value, digest: Option<Digest>, content_type: String) -> (Self, Vec<u8>) {
        let page = value.bytes.as_deref().map(|bytes| Page {
            bytes: bytes.len(),
            digest,
            content_type,
            hash: blake3::hash(bytes),
        });
        let stored = Self {
            page,
            left: value.left,
            read_at: value.read_at,
            ..Self::nothing()
        };
        (stored, value.bytes.unwrap_or_default())
    }

    fn read_redirect(
        session: &mut Session,
        keys: &Keys,
        route: &Route,
    ) -> Result<Self, StoreError> {
        let (key, page) = (keys.of(ObjectKind::Redirect, route), keys.page(route));
        let value = Value::read(session, (key, MAX_REDIRECT_BYTES), Some((page, 0)))?;
        let redirect = value.bytes.as_deref();
        let redirect = redirect.and_then(|bytes| Redirect::parse_at(route, bytes));
        Ok(Self {
            redirect: redirect.filter(|_| value.beside.is_empty()),
            left: value.left,
            read_at: value.read_at,
            ..Self::nothing()
        })
    }

    /// Whether the store holds what was asked for.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.page.is_some() || self.redirect.is_some()
    }

    /// No page, and no meta object.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            page: None,
            redirect: None,
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
        let is_other = self.page != later.page || self.redirect != later.redirect;
        is_other || self.robots != later.robots || !same_expiry
    }
}

/// A value as it was read.
struct Value {
    /// Its first bytes; none if it is not a string, or empty.
    bytes: Option<Vec<u8>>,
    /// How long it stays; none if for ever.
    left: Option<Duration>,
    /// The first bytes of the value beside it; empty if there is none.
    beside: Vec<u8>,
    read_at: Instant,
}

impl Value {
    /// Reads a key up to the byte of this number; and the one `beside` it.
    fn read(
        session: &mut Session,
        key: (String, usize),
        beside: Option<(String, usize)>,
    ) -> Result<Self, StoreError> {
        let doing = "reading what the store holds";
        let mut batch = Batch::default();
        batch.push(&[b"PTTL", key.0.as_bytes()]);
        let has_beside = beside.is_some();
        for (key, last) in std::iter::once(key).chain(beside) {
            let last = last.to_string();
            batch.push(&[b"GETRANGE", key.as_bytes(), b"0", last.as_bytes()]);
        }
        let mut replies = session.run(&batch, doing)?.into_iter();
        // Afterwards: rather a time to live that is too long than one that is too short.
        let read_at = Instant::now();
        let mut next = || replies.next().unwrap_or(Reply::Nil);
        let (is_there, left) = match next() {
            Reply::Int(ms) => (ms != -2, u64::try_from(ms).ok().map(Duration::from_millis)),
            other => return other.fail(doing),
        };
        // An absent string is an empty one to GETRANGE.
        let bytes = string(next(), doing)?.filter(|bytes| is_there && !bytes.is_empty());
        let beside = match has_beside {
            true => string(next(), doing)?.unwrap_or_default(),
            false => Vec::new(),
        };
        Ok(Self {
            bytes,
            left,
            beside,
            read_at,
        })
    }

    /// The same, with its bytes as readers see them: none where they are damaged or too many.
    fn unpacked(self) -> Self {
        let Some(bytes) = self
            .bytes
            .as_deref()
            .filter(|bytes| gzip_head(bytes).is_some())
        else {
            return self;
        };
        let plain = plain(bytes, LARGEST_BODY).ok();
        Self {
            bytes: plain.map(Cow::into_owned),
            ..self
        }
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
