//! What an article needs, decided from what the store holds of it.

use super::expiry::{Below, Expiry};
use super::stored_article::{ObjectState, StoredArticle};
use crate::article::{Lifetime, Route};
use crate::render::Digest;

/// What an article needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: all objects are there, are these bytes, and live long enough.
    Keep,
    /// All objects get a new expiry.
    Refresh,
    /// All objects are rendered and written.
    Write,
    /// Nothing now: its source changed, and what is stored can be read until an import.
    Wait,
    /// It would be made again, but another client's value is at one of its keys.
    Blocked,
}

/// By which rule it is decided what an article needs.
#[derive(Clone, Copy, Debug)]
pub enum Policy {
    /// The store is to hold what the content tree has.
    Import,
    /// The store is to hold what is missing in it, for long enough: with less than this left,
    /// objects are refreshed.
    Warm(Below),
    /// What expired while the run worked is made again, of the source that it was made of.
    Again,
}

/// What a page is made from: the digest of its article, and what fills its holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The digest of the article alone.
    pub base: Digest,
    /// What fills the holes.
    pub fill: Filling,
}

/// What fills the holes of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// What is derived once all articles are known, and compared then.
    Later,
    /// What has this hash; 0: nothing.
    Known(u64),
}

impl Made {
    /// Whether page and meta are this page.
    fn is(self, seen: &StoredArticle) -> bool {
        let StoredArticle { page, meta, .. } = seen;
        match self.fill {
            Filling::Known(hash) => {
                let digest = Some(self.base.filled(hash));
                page.digest() == digest && meta.digest() == digest
            }
            Filling::Later => {
                let base = meta.base().map(|(base, _)| base);
                page.digest() == meta.digest() && base == Some(self.base)
            }
        }
    }

    /// Whether the text, if there is to be one, is of this page. It shows nothing of other articles.
    fn has_text(self, seen: &StoredArticle) -> bool {
        let text = seen.text.as_ref();
        text.is_none_or(|text| text.digest() == Some(self.base))
    }
}

/// Decides what the article whose page is `made` like this needs.
#[must_use]
pub fn need(
    policy: Policy,
    seen: &StoredArticle,
    made: Made,
    (expiry, route): (&Expiry, &Route),
    lifetime: Lifetime,
) -> Need {
    match policy {
        Policy::Import => import_need(seen, made, expiry, lifetime),
        Policy::Again => need_again(seen, made),
        Policy::Warm(below) => warm_need(seen, made, &|seen| {
            expiry.has_less_than(below, seen.expires_at_ms(), route, lifetime)
        }),
    }
}

fn import_need(seen: &StoredArticle, made: Made, expiry: &Expiry, lifetime: Lifetime) -> Need {
    if !(made.is(seen) && made.has_text(seen)) {
        return Need::Write;
    }
    let mut objects = seen.objects();
    if objects.any(|seen| expiry.is_off(seen.expires_at_ms(), lifetime)) {
        Need::Refresh
    } else {
        Need::Keep
    }
}

/// An object that is gone is made again, with its companions, so that all are of one source
/// and expire together. What is no object of ours stays, and so do the others then, also
/// where one is gone. A text that is gone waits with a page that waits: articles that never had one
/// get it from an import.
fn warm_need(seen: &StoredArticle, made: Made, is_short: &dyn Fn(&ObjectState) -> bool) -> Need {
    let is_absent = |seen: &ObjectState| *seen == ObjectState::Absent;
    if seen.is_foreign() {
        let is_gone = seen.objects().any(is_absent);
        return if is_gone { Need::Blocked } else { Need::Keep };
    }
    if is_absent(&seen.page) || is_absent(&seen.meta) {
        return Need::Write;
    }
    if !made.is(seen) {
        return Need::Wait;
    }
    if seen.text.as_ref().is_some_and(is_absent) {
        return Need::Write;
    }
    if !made.has_text(seen) {
        return Need::Wait;
    }
    if seen.objects().any(is_short) {
        Need::Refresh
    } else {
        Need::Keep
    }
}

/// An object that expired meanwhile is made again, with its companions. What another client put in
/// the place of one stays; so does an object whose source changed since it was made.
fn need_again(seen: &StoredArticle, made: Made) -> Need {
    let is_absent = |seen: &ObjectState| *seen == ObjectState::Absent;
    let digest = match made.fill {
        Filling::Known(hash) => Some(made.base.filled(hash)),
        Filling::Later => None,
    };
    let is_other = |seen: &ObjectState, digest| !is_absent(seen) && seen.digest() != digest;
    let is_other_text = |text| is_other(text, Some(made.base));
    if !seen.objects().any(is_absent) {
        Need::Keep
    } else if seen.is_foreign() {
        Need::Blocked
    } else if is_other(&seen.page, digest)
        || is_other(&seen.meta, digest)
        || seen.text.as_ref().is_some_and(is_other_text)
    {
        Need::Wait
    } else {
        Need::Write
    }
}
