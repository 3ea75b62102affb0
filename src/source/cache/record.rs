//! What is remembered of one source, in 144 bytes.

use crate::article::Visibility;
use crate::render::Digest;

/// Length of a record in the file.
pub(super) const BYTES: usize = 144;

/// One source. Records are sorted by `key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Hash of the path below the root.
    pub(super) key: [u8; 16],
    /// The state of the file; zeros where it cannot be known again by that.
    pub(super) identity: [u8; 16],
    /// Hash of its bytes.
    pub(super) content: [u8; 16],
    pub(super) digest: Digest,
    /// Its own time to live; 0: it has none.
    pub(super) ttl_ms: u64,
    pub(super) newest: i64,
    pub(super) popular: i64,
    /// Hash of the routes of the sources that it links to.
    pub(super) linked_routes: u64,
    /// Where its text begins among the texts: its route, then the destinations of its links …
    pub(super) text_at: u32,
    /// … and the length of these …
    pub(super) links_bytes: u32,
    /// … and of the route; 0: the route that the path alone gives …
    pub(super) route_bytes: u16,
    /// … and of what is to be said of it.
    pub(super) said_bytes: u32,
    /// When it is published, and when it ends.
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    /// Where what lists say of it begins in the last part of the file, and its length; 0: it is not known.
    pub(super) listing_at: u64,
    pub(super) listing_bytes: u32,
    /// The yes-or-no facts below, a bit each.
    pub(super) facts: u8,
}

const DRAFT: u8 = 1;
const WITHDRAWN: u8 = 2;
const NOINDEX: u8 = 4;
const NO_PAGE: u8 = 16;
/// Its listing is in the file that is replaced; only in memory.
pub(super) const OLD_LISTING: u8 = 32;
/// Rendering makes it invalid, or may do so.
pub(super) const MUST_RENDER: u8 = 8;

/// The facts of a source that is seen like this.
pub(super) fn facts(visibility: &Visibility) -> u8 {
    let Visibility {
        is_draft,
        is_withdrawn,
        has_no_page,
        is_noindex,
        ..
    } = *visibility;
    let facts = [
        (is_draft, DRAFT),
        (is_withdrawn, WITHDRAWN),
        (has_no_page, NO_PAGE),
        (is_noindex, NOINDEX),
    ];
    let facts = facts.into_iter().filter(|(is_so, _)| *is_so);
    facts.fold(0, |all, (_, fact)| all | fact)
}

impl Record {
    /// Who may see it, and when.
    pub(super) fn visibility(&self) -> Visibility {
        Visibility {
            is_draft: self.is(DRAFT),
            is_withdrawn: self.is(WITHDRAWN),
            has_no_page: self.is(NO_PAGE),
            is_noindex: self.is(NOINDEX),
            from_ms: self.from_ms,
            until_ms: self.until_ms,
        }
    }

    /// Whether this fact is one of its.
    pub(super) fn is(&self, fact: u8) -> bool {
        self.facts & fact != 0
    }

    pub(super) fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..16].copy_from_slice(&self.key);
        bytes[16..32].copy_from_slice(&self.identity);
        bytes[32..48].copy_from_slice(&self.digest.0);
        bytes[48..56].copy_from_slice(&self.ttl_ms.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.newest.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.popular.to_le_bytes());
        bytes[72..80].copy_from_slice(&self.linked_routes.to_le_bytes());
        bytes[80..84].copy_from_slice(&self.text_at.to_le_bytes());
        bytes[84..88].copy_from_slice(&self.links_bytes.to_le_bytes());
        bytes[88..90].copy_from_slice(&self.route_bytes.to_le_bytes());
        bytes[90] = self.facts;
        bytes[96..104].copy_from_slice(&self.from_ms.to_le_bytes());
        bytes[104..112].copy_from_slice(&self.until_ms.to_le_bytes());
        bytes[112..120].copy_from_slice(&self.listing_at.to_le_bytes());
        bytes[92..96].copy_from_slice(&self.listing_bytes.to_le_bytes());
        bytes[120..136].copy_from_slice(&self.content);
        bytes[136..140].copy_from_slice(&self.said_bytes.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; BYTES]) -> Self {
        Self {
            key: part(bytes, 0),
            identity: part(bytes, 16),
            digest: Digest(part(bytes, 32)),
            ttl_ms: u64::from_le_bytes(part(bytes, 48)),
            newest: i64::from_le_bytes(part(bytes, 56)),
            popular: i64::from_le_bytes(part(bytes, 64)),
            linked_routes: u64::from_le_bytes(part(bytes, 72)),
            text_at: u32::from_le_bytes(part(bytes, 80)),
            links_bytes: u32::from_le_bytes(part(bytes, 84)),
            route_bytes: u16::from_le_bytes(part(bytes, 88)),
            facts: bytes[90],
            from_ms: i64::from_le_bytes(part(bytes, 96)),
            until_ms: i64::from_le_bytes(part(bytes, 104)),
            listing_at: u64::from_le_bytes(part(bytes, 112)),
            listing_bytes: u32::from_le_bytes(part(bytes, 92)),
            content: part(bytes, 120),
            said_bytes: u32::from_le_bytes(part(bytes, 136)),
        }
    }
}

/// `N` bytes from `at` on, which must be inside of a record.
fn part<const N: usize>(bytes: &[u8; BYTES], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

#[cfg(test)]
mod tests {
    use super::{BYTES, MUST_RENDER, Record, facts};
    use crate::article::Visibility;
    use crate::render::Digest;

    #[test]
    fn a_record_comes_back_as_it_was_and_is_as_large_in_memory() {
        let record = Record {
            key: [1; 16],
            identity: [2; 16],
            content: [4; 16],
            said_bytes: u32::MAX - 11,
            digest: Digest([3; 16]),
            ttl_ms: u64::MAX - 1,
            newest: i64::MIN,
            popular: -1,
            linked_routes: u64::MAX - 2,
            text_at: u32::MAX - 2,
            links_bytes: u32::MAX - 4,
            route_bytes: u16::MAX - 3,
            from_ms: i64::MIN,
            until_ms: i64::MAX,
            listing_at: u64::MAX - 7,
            listing_bytes: u32::MAX - 9,
            facts: 0xff,
        };
        assert_eq!(Record::from_bytes(&record.to_bytes()), record);
        assert_eq!(size_of::<Record>(), BYTES);
    }

    #[test]
    fn every_fact_comes_back_by_itself() {
        let plain = Record::from_bytes(&[0; BYTES]);
        let is = |n, place| n == place;
        for n in 0..4 {
            let visibility = Visibility {
                is_draft: is(n, 0),
                is_withdrawn: is(n, 1),
                has_no_page: is(n, 3),
                is_noindex: is(n, 2),
                from_ms: 0,
                until_ms: 0,
            };
            let facts = facts(&visibility);
            let record = Record { facts, ..plain };
            assert_eq!(record.visibility(), visibility);
            assert!(!record.is(MUST_RENDER));
        }
    }
}
