//! One page as it is taken from the store, and what is known of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderValue;

use super::coding::{LARGEST_PAGE, StoredBody};
use super::meta::Meta;
use super::policy;
use crate::article::Route;
use crate::publish::keys::Keys;
use crate::render::{
    Digest, GZIP_HEAD_BYTES, META_OPENING_BYTES, PAGE_TAIL_BYTES, gzip_head, page_digest,
};
use crate::store::reading::{Ask, Reading};
use crate::store::{Reply, StoreError};

/// Expiries that are so close are one expiry: answers take time.
const SAME_MS: i64 = 1_000;

const DOING: &str = "reading one page";

/// A page, when it was taken from the store, and how long it had to live then.
#[derive(Clone)]
pub(super) struct StoredPage {
    page: Arc<Page>,
    pub(super) meta: Meta,
    /// Time to live in ms when it was taken; none for a page that does not expire.
    left_ms: Option<i64>,
    taken_at: Instant,
    /// When the store was last asked whether it is still so.
    checked_at: Instant,
}

/// What does not change without a new digest.
struct Page {
    body: StoredBody,
    policy: HeaderValue,
}

/// What became of a page that was taken before.
pub(super) enum Recheck {
    /// It is the same; here with its expiry and meta object of now.
    Same(StoredPage),
    /// It is another one, or cannot be told from another one.
    Other,
    /// It is gone.
    Gone,
}

impl StoredPage {
    /// The page `body`, with `left_ms` to live (negative: for ever), asked for at `asked_at`.
    pub(super) fn new(body: StoredBody, left_ms: i64, meta: &[u8], asked_at: Instant) -> Self {
        let policy = policy::of_page(&body.plain());
        Self {
            meta: Meta::read(meta, body.digest),
            page: Arc::new(Page { body, policy }),
            left_ms: (left_ms >= 0).then_some(left_ms),
            taken_at: asked_at,
            checked_at: asked_at,
        }
    }

    /// The page of `route`; none where the store holds none. Somebody else's value that is
    /// no string, is empty, or is larger than a page, is none; nor is damaged gzip.
    pub(super) async fn fetch(
        store: &Reading,
        keys: &Keys,
        route: &Route,
    ) -> Result<Option<Self>, StoreError> {
        let (page, meta) = (keys.page(route), keys.meta(route));
        let asked_at = Instant::now();
        let questions = [
            Ask::Head(&page, LARGEST_PAGE + 1),
            Ask::Left(&page),
            Ask::Head(&meta, META_OPENING_BYTES),
        ];
        let mut replies = store.ask(&questions, DOING).await?.into_iter();
        let mut next = || replies.next().unwrap_or(Reply::Nil);
        Ok(match (next(), next(), next()) {
            // -2: its expiry passed between the two questions.
            (_, Reply::Int(-2), _) => None,
            (Reply::Bulk(body), Reply::Int(left_ms), meta)
                if (1..=LARGEST_PAGE).contains(&body.len()) =>
            {
                let body = StoredBody::of_page(body);
                body.map(|body| Self::new(body, left_ms, bytes(&meta), asked_at))
            }
            _ => None,
        })
    }

    /// Whether the store holds a page of `route` that [`Self::fetch`] would find.
    pub(super) async fn is_there(
        store: &Reading,
        keys: &Keys,
        route: &Route,
    ) -> Result<bool, StoreError> {
        let replies = store.ask(&about(&keys.page(route)), DOING).await?;
        Ok(left_ms(&replies).is_some())
    }

    /// Asks the store whether the page of `route` is still this one.
    pub(super) async fn check(
        &self,
        store: &Reading,
        keys: &Keys,
        route: &Route,
    ) -> Result<Recheck, StoreError> {
        let (page, meta) = (keys.page(route), keys.meta(route));
        let asked_at = Instant::now();
        let body = &self.page.body;
        let part = match body.is_gzip() {
            true => Ask::Head(&page, GZIP_HEAD_BYTES),
            false => Ask::Tail(&page, PAGE_TAIL_BYTES),
        };
        let questions = [Ask::Left(&page), part, Ask::Head(&meta, META_OPENING_BYTES)];
        let mut replies = store.ask(&questions, DOING).await?.into_iter();
        let mut next = || replies.next().unwrap_or(Reply::Nil);
        Ok(match (next(), next(), next()) {
            (Reply::Int(-2), _, _) => Recheck::Gone,
            (Reply::Int(left_ms), Reply::Bulk(part), meta)
                if body.digest.is_some() && digest_in(&part) == body.digest =>
            {
                Recheck::Same(self.renewed(left_ms, bytes(&meta), asked_at))
            }
            _ => Recheck::Other,
        })
    }

    /// The same page, as the store told of it at `asked_at`.
    fn renewed(&self, left_ms: i64, meta: &[u8], asked_at: Instant) -> Self {
        let left_ms = (left_ms >= 0).then_some(left_ms);
        let passed = millis(asked_at.saturating_duration_since(self.taken_at));
        let is_same_expiry = match (self.left_ms, left_ms) {
            (Some(before), Some(now)) => (before - passed - now).abs() <= SAME_MS,
            (None, None) => true,
            _ => false,
        };
        let (left_ms, taken_at) = if is_same_expiry {
            (self.left_ms, self.taken_at)
        } else {
            (left_ms, asked_at)
        };
        Self {
            page: Arc::clone(&self.page),
            meta: Meta::read(meta, self.page.body.digest),
            left_ms,
            taken_at,
            checked_at: asked_at,
        }
    }

    /// The page itself.
    pub(super) fn body(&self) -> &StoredBody {
        &self.page.body
    }

    /// Its entity tag, without quotes; none for a page that is none of ours.
    pub(super) fn tag(&self) -> Option<String> {
        self.page.body.digest.map(|digest| digest.to_string())
    }

    /// Its `Content-Security-Policy`.
    pub(super) fn policy(&self) -> HeaderValue {
        self.page.policy.clone()
    }

    /// How long it had to live when it was taken, in whole seconds.
    pub(super) fn max_age(&self) -> i64 {
        self.left_ms.unwrap_or(0) / 1000
    }

    /// How long ago it was taken.
    pub(super) fn age(&self) -> Duration {
        self.taken_at.elapsed()
    }

    /// How long ago the store was asked about it.
    pub(super) fn unchecked_for(&self) -> Duration {
        self.checked_at.elapsed()
    }

    /// Whether both are one page, taken once.
    pub(super) fn is_same_page(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.page, &other.page)
    }
}

/// The digest in the first or last bytes of a page.
fn digest_in(part: &[u8]) -> Option<Digest> {
    let first = gzip_head(part).map(|(digest, _)| digest);
    first.or_else(|| page_digest(part))
}

/// What [`left_ms`] is told from.
pub(super) fn about(page: &str) -> [Ask<'_>; 2] {
    // What is no string is no page: of that there is no first byte.
    [Ask::Left(page), Ask::Head(page, 1)]
}

/// The time to live of a page in ms, -1 without; none where the key holds no page.
pub(super) fn left_ms(replies: &[Reply]) -> Option<i64> {
    match replies {
        [Reply::Int(left_ms), Reply::Bulk(first)] if *left_ms != -2 && !first.is_empty() => {
            Some(*left_ms)
        }
        _ => None,
    }
}

fn bytes(reply: &Reply) -> &[u8] {
    match reply {
        Reply::Bulk(bytes) => bytes,
        _ => b"",
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{StoredBody, StoredPage};

    const DIGEST: &str = "0123456789abcdef0123456789abcdef";

    fn page() -> StoredBody {
        StoredBody::of_page(format!("<p>x</p><!--anp:{DIGEST}-->").into_bytes()).unwrap()
    }

    #[test]
    fn max_age_is_of_the_time_when_it_was_taken_until_the_expiry_changes() {
        let taken_at = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        let taken = StoredPage::new(page(), 60_999, b"", taken_at);
        assert_eq!((taken.max_age(), taken.age().as_secs()), (60, 10));
        let now = taken_at + Duration::from_secs(10);
        let same = taken.renewed(50_500, b"", now);
        assert_eq!((same.max_age(), same.age().as_secs()), (60, 10));
        assert!(same.is_same_page(&taken) && same.unchecked_for() < taken.unchecked_for());
        let moved = taken.renewed(604_800_000, b"", now);
        assert_eq!((moved.max_age(), moved.age().as_secs()), (604_800, 0));
        let for_ever = taken.renewed(-1, b"", now);
        assert_eq!((for_ever.max_age(), for_ever.age().as_secs()), (0, 0));
    }
}
