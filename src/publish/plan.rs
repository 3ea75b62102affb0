//! What a run would do to the store: decided for each article from what the store holds,
//! finished before the first write.

use crate::article::Route;
use crate::render::Digest;

use super::expiry::Expiry;

/// What the survey saw of one object in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There is no such key.
    Absent,
    /// There is one.
    Present {
        /// Absolute expiry, ms since 1970.
        expires_at_ms: Option<i64>,
        /// Length of the value; 0 where it is no string.
        bytes: u64,
        /// The digest that the value names; none if it is not one of ours.
        digest: Option<Digest>,
    },
}

impl Seen {
    /// Length of the value, 0 if absent.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Present { bytes, .. } => *bytes,
        }
    }

    /// The absolute expiry, if the key exists and has one.
    #[must_use]
    pub fn expires_at_ms(&self) -> Option<i64> {
        match self {
            Self::Absent => None,
            Self::Present { expires_at_ms, .. } => *expires_at_ms,
        }
    }
}

/// What an article needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: both objects are there, are these bytes, and live long enough.
    Keep,
    /// Both objects get a new expiry.
    Refresh,
    /// Both objects are rendered and written.
    Write,
}

/// Decides what the article with `digest` needs.
#[must_use]
pub fn need(
    page: &Seen,
    meta: &Seen,
    digest: Digest,
    expiry: &Expiry,
    own_ttl_ms: Option<u64>,
) -> Need {
    let current = |seen: &Seen| match seen {
        Seen::Present {
            expires_at_ms,
            digest: Some(found),
            ..
        } if *found == digest => Some(*expires_at_ms),
        _ => None,
    };
    match (current(page), current(meta)) {
        (Some(page), Some(meta)) => {
            if expiry.is_off(page, own_ttl_ms) || expiry.is_off(meta, own_ttl_ms) {
                Need::Refresh
            } else {
                Need::Keep
            }
        }
        _ => Need::Write,
    }
}

/// Rendered bytes in the spool.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// Offset of the page; the meta follows it.
    pub offset: u64,
    /// Length of the page in bytes.
    pub page_bytes: usize,
    /// Length of the meta in bytes.
    pub meta_bytes: usize,
}

/// One article of the catalog that needs a write.
#[derive(Debug)]
pub struct Entry {
    /// Its route.
    pub route: Route,
    /// What it needs.
    pub need: Need,
    /// The absolute expiry that its objects get, ms since 1970.
    pub expires_at_ms: i64,
    /// What the survey saw of the page.
    pub page: Seen,
    /// What the survey saw of the meta.
    pub meta: Seen,
    /// Its rendered objects, where `need` is `Write`.
    pub spot: Option<Spot>,
}

/// The keys of the objects of a route.
#[derive(Clone, Debug)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys under `prefix`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// `PREFIX:page:/route/`.
    #[must_use]
    pub fn page(&self, route: &Route) -> String {
        format!("{}{route}", self.page_prefix())
    }

    /// `PREFIX:meta:/route/`.
    #[must_use]
    pub fn meta(&self, route: &Route) -> String {
        format!("{}{route}", self.meta_prefix())
    }

    /// `PREFIX:page:`.
    #[must_use]
    pub fn page_prefix(&self) -> String {
        format!("{}:page:", self.prefix)
    }

    /// `PREFIX:meta:`.
    #[must_use]
    pub fn meta_prefix(&self) -> String {
        format!("{}:meta:", self.prefix)
    }

    /// `PREFIX:lock`.
    #[must_use]
    pub fn lock(&self) -> String {
        format!("{}:lock", self.prefix)
    }

    /// `PREFIX:switch`.
    #[must_use]
    pub fn switch(&self) -> String {
        format!("{}:switch", self.prefix)
    }
}
