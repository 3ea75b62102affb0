//! What is known of a body once it was read: its length, its hash, its end, and how far it is the
//! stored page. The bytes are not kept: eight answers of a route can have 64 MiB each.

use std::io::{self, Write};

use super::coding::{Decoder, LARGEST_BODY};
use crate::render::PAGE_TAIL_BYTES;

/// A body that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The last bytes, where a page has its digest.
    pub tail: Vec<u8>,
    /// The bytes as they came, compared with the stored page.
    pub plain: Comparison,
    /// The same once `Content-Encoding` is undone; one sentence where it cannot be.
    pub decoded: Result<Comparison, String>,
    hash: blake3::Hash,
}

/// Bytes compared with the stored page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many there are.
    pub bytes: usize,
    /// How many at the beginning are those of the page.
    pub same: usize,
}

impl Comparison {
    /// Whether these are all bytes of a page of this length.
    #[must_use]
    pub fn is_page_of(self, page_bytes: usize) -> bool {
        self.bytes == page_bytes && self.same == page_bytes
    }
}

impl Body {
    /// Its length in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.plain.bytes
    }

    /// Whether both have the same bytes.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.bytes() == other.bytes() && self.hash == other.hash
    }
}

/// Takes a body as it comes.
pub(super) struct Reader<'p> {
    hasher: blake3::Hasher,
    tail: Vec<u8>,
    plain: Comparing<'p>,
    /// None for a body that is not coded.
    decoder: Option<Result<Decoder<Comparing<'p>>, String>>,
}

impl<'p> Reader<'p> {
    /// For a body in `coding`, which is compared with `page`; without a page it is not decoded.
    pub(super) fn new(coding: &str, page: Option<&'p [u8]>) -> Self {
        let comparing = Comparing::new(page.unwrap_or_default());
        let is_coded = page.is_some() && !matches!(coding.trim(), "" | "identity");
        Self {
            hasher: blake3::Hasher::new(),
            tail: Vec::new(),
            plain: comparing.clone(),
            decoder: is_coded.then(|| Decoder::new(coding, comparing)),
        }
    }

    /// How many more bytes may come.
    pub(super) fn room(&self) -> usize {
        LARGEST_BODY.saturating_sub(self.plain.seen.bytes)
    }

    pub(super) fn finish(self) -> Body {
        let plain = self.plain.seen;
        Body {
            tail: self.tail,
            plain,
            decoded: self.decoder.map_or(Ok(plain), |decoder| {
                decoder
                    .and_then(Decoder::finish)
                    .map(|comparing| comparing.seen)
            }),
            hash: self.hasher.finalize(),
        }
    }
}

impl Write for Reader<'_> {
    /// Takes all of it, always: a body that does not decode is still read.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.plain.take(bytes);
        let last = &bytes[bytes.len().saturating_sub(PAGE_TAIL_BYTES)..];
        self.tail.extend_from_slice(last);
        let surplus = self.tail.len().saturating_sub(PAGE_TAIL_BYTES);
        self.tail.drain(..surplus);
        if let Some(Ok(decoder)) = &mut self.decoder
            && let Err(why) = decoder.take(bytes)
        {
            self.decoder = Some(Err(why));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compares bytes with the page as they come, and refuses more than a body may have.
#[derive(Clone)]
pub(super) struct Comparing<'p> {
    page: &'p [u8],
    pub(super) seen: Comparison,
}

impl<'p> Comparing<'p> {
    pub(super) fn new(page: &'p [u8]) -> Self {
        Self {
            page,
            seen: Comparison::default(),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.seen.same == self.seen.bytes {
            let rest = self.page.get(self.seen.bytes..).unwrap_or_default();
            let length = bytes.len().min(rest.len());
            let (new, rest) = (&bytes[..length], &rest[..length]);
            // A whole comparison is much faster than one of byte after byte.
            self.seen.same += if new == rest {
                length
            } else {
                new.iter().zip(rest).take_while(|(a, b)| a == b).count()
            };
        }
        self.seen.bytes += bytes.len();
    }
}

impl Write for Comparing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > LARGEST_BODY - self.seen.bytes {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{Body, Comparison, Reader};

    fn read(pieces: &[&str], page: &str) -> Body {
        let mut reader = Reader::new("", Some(page.as_bytes()));
        for piece in pieces {
            reader.write_all(piece.as_bytes()).unwrap();
        }
        reader.finish()
    }

    #[test]
    fn a_body_is_compared_with_the_page_in_whatever_pieces_it_comes() {
        for (pieces, bytes, same) in [
            (&["ab", "", "cd"][..], 4, 4),
            (&["a", "bXd", "abcd"], 8, 2),
            (&["abcde"], 5, 4),
            (&["abcd", "abcd"], 8, 4),
            (&["abc"], 3, 3),
            (&[], 0, 0),
        ] {
            let body = read(pieces, "abcd");
            assert_eq!(body.plain, Comparison { bytes, same }, "{pieces:?}");
            assert_eq!(body.decoded, Ok(body.plain));
            assert_eq!(body.plain.is_page_of(4), pieces.concat() == "abcd");
        }
    }

    #[test]
    fn two_bodies_are_the_same_by_their_bytes_and_a_body_keeps_its_end() {
        let (one, other) = (read(&["ab", "c"], ""), read(&["a", "bc"], "abc"));
        assert!(one.equals(&other));
        assert!(!one.equals(&read(&["abd"], "")));
        let end = "0123456789012345678901234567890123456789012";
        for pieces in [&["x", end][..], &["long", &end[..40], &end[40..]], &[end]] {
            assert_eq!(read(pieces, "").tail, end.as_bytes());
        }
    }
}
