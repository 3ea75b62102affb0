//! What is remembered of one source, in 96 bytes.

use crate::render::Digest;

/// Length of a record in the file.
pub(super) const BYTES: usize = 96;

/// One source. Records are sorted by `key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Hash of the path below the root.
    pub(super) key: [u8; 16],
    /// The state of the file.
    pub(super) identity: [u8; 16],
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
    /// … and of the route; 0: the route that the path alone gives.
    pub(super) route_bytes: u16,
    pub(super) draft: bool,
    /// Rendering makes it invalid, or may do so.
    pub(super) must_render: bool,
}

impl Record {
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
        bytes[90] = u8::from(self.draft);
        bytes[91] = u8::from(self.must_render);
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
            draft: bytes[90] != 0,
            must_render: bytes[91] != 0,
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
    use super::{BYTES, Record};
    use crate::render::Digest;

    #[test]
    fn a_record_comes_back_as_it_was_and_is_as_large_in_memory() {
        let record = Record {
            key: [1; 16],
            identity: [2; 16],
            digest: Digest([3; 16]),
            ttl_ms: u64::MAX - 1,
            newest: i64::MIN,
            popular: -1,
            linked_routes: u64::MAX - 2,
            text_at: u32::MAX - 2,
            links_bytes: u32::MAX - 4,
            route_bytes: u16::MAX - 3,
            draft: true,
            must_render: true,
        };
        assert_eq!(Record::from_bytes(&record.to_bytes()), record);
        assert_eq!(size_of::<Record>(), BYTES);
    }
}
