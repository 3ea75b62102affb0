//! Gzip, the form in which pages, files and texts are stored where the settings ask for it (RFC 1952).
//!
//! The digest that ends the plain form also stands in the extra field of the header, so that a comparison
//! asks for a few of the first bytes. The length of the whole value follows it: a value of another length was
//! cut or extended, and counts as one of another program. The header has no time and no system, so the same
//! plain bytes always give the same value.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use libdeflater::{CompressionLvl, Compressor, Crc, Decompressor};

use super::digest::{Digest, FILE_TAIL_BYTES, PAGE_TAIL_BYTES, file_digest, page_digest};

/// How many of the first bytes of a value in gzip hold its digest and its length.
pub const GZIP_HEAD_BYTES: usize = OPEN.len() + DIGEST_BYTES + LENGTH_BYTES;

/// A larger value is stored as it is, and never unpacked: 64 MiB, as large as a value that anp overwrites.
const LARGEST_PLAIN_BYTES: usize = 64 * 1024 * 1024;

const DIGEST_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;

/// What the header is but for the digest and the length: two bytes of magic, deflate, an extra field and
/// nothing else, no time, no hints, no system, 24 bytes of extra field, of which 20 are those of the two.
const OPEN: [u8; 16] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 24, 0, b'a', b'n', 20, 0,
];

/// The checksum of the plain form, and its length.
const TRAILER_BYTES: usize = 8;

/// Deflate makes at most so many bytes of one.
const MOST_GROWTH: usize = 1032;

/// The level of libdeflate, 1 to 12: the fastest. docs/performance.md has what others cost and save.
const LEVEL: i32 = 1;

/// How values are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// In gzip.
    Gzip,
}

impl Compression {
    /// What stands for it in the hash of what decides a value; none for what versions without it did.
    #[must_use]
    pub fn identity(self) -> Option<&'static [u8]> {
        match self {
            Self::None => None,
            Self::Gzip => Some(b"gzip 1"),
        }
    }

    /// About how many bytes a part of a page takes in this form, at most.
    #[must_use]
    pub fn part_bytes(self, part: &[u8]) -> u32 {
        let bytes = match self {
            Self::None => part.len(),
            Self::Gzip => {
                gzip(part, Digest([0; DIGEST_BYTES])).len() - GZIP_HEAD_BYTES - TRAILER_BYTES
            }
        };
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// The form in which `plain` is stored, which ends with its digest. What has none, or is too large, stays
    /// as it is.
    #[must_use]
    pub fn store(self, plain: &[u8]) -> Cow<'_, [u8]> {
        let tail = &plain[plain.len().saturating_sub(FILE_TAIL_BYTES)..];
        match (self, file_digest(tail)) {
            (Self::Gzip, Some(digest)) if plain.len() <= LARGEST_PLAIN_BYTES => {
                Cow::Owned(gzip(plain, digest))
            }
            _ => Cow::Borrowed(plain),
        }
    }
}

/// Why a value in gzip has no plain form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GzipError {
    /// It is cut, or its bytes were changed.
    Damaged,
    /// Its plain form has more bytes than these, which are asked for.
    Larger(usize),
}

impl fmt::Display for GzipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("damaged gzip"),
            Self::Larger(most) => {
                write!(
                    f,
                    "gzip that unpacks to more than {} MiB",
                    most / 1024 / 1024
                )
            }
        }
    }
}

impl std::error::Error for GzipError {}

/// The digest in the first bytes of a value in gzip, of which at least [`GZIP_HEAD_BYTES`] are needed, and the
/// length of the whole value that they name; none of any other value.
#[must_use]
pub fn gzip_head(head: &[u8]) -> Option<(Digest, u64)> {
    let (digest, rest) = head.strip_prefix(&OPEN)?.split_first_chunk()?;
    let length = u32::from_le_bytes(*rest.first_chunk()?);
    Some((Digest(*digest), length.into()))
}

/// The digest that a value in gzip names, if it is as long as it says.
fn gzip_digest(value: &[u8]) -> Option<Digest> {
    let (digest, length) = gzip_head(value)?;
    (length == value.len() as u64).then_some(digest)
}

/// The digest that a page names in either form.
#[must_use]
pub fn stored_page_digest(page: &[u8]) -> Option<Digest> {
    gzip_digest(page).or_else(|| {
        let tail = page.len().saturating_sub(PAGE_TAIL_BYTES);
        page_digest(&page[tail..])
    })
}

/// The digest that a file or text names in either form.
#[must_use]
pub fn stored_file_digest(file: &[u8]) -> Option<Digest> {
    gzip_digest(file).or_else(|| {
        let tail = file.len().saturating_sub(FILE_TAIL_BYTES);
        file_digest(&file[tail..])
    })
}

/// The plain form of a stored value, of at most `most` bytes. What anp did not compress is taken as it is.
///
/// # Errors
/// When it is damaged or larger.
pub fn plain(value: &[u8], most: usize) -> Result<Cow<'_, [u8]>, GzipError> {
    if gzip_head(value).is_none() {
        return match value.len() <= most {
            true => Ok(Cow::Borrowed(value)),
            false => Err(GzipError::Larger(most)),
        };
    }
    if gzip_digest(value).is_none() {
        return Err(GzipError::Damaged);
    }
    let length = value.last_chunk().copied().map(u32::from_le_bytes);
    let length = length.and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or(GzipError::Damaged)?;
    if length > value.len().saturating_mul(MOST_GROWTH) {
        return Err(GzipError::Damaged);
    }
    if length > most {
        return Err(GzipError::Larger(most));
    }
    let mut plain = vec![0; length];
    let read = Decompressor::new().gzip_decompress(value, &mut plain);
    match read {
        Ok(read) if read == length => Ok(Cow::Owned(plain)),
        _ => Err(GzipError::Damaged),
    }
}

thread_local! {
    // It has tables of some 100 KiB.
    static COMPRESSOR: RefCell<Compressor> = RefCell::new(Compressor::new(
        CompressionLvl::new(LEVEL).unwrap_or_default(),
    ));
}

fn gzip(plain: &[u8], digest: Digest) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let most = compressor.deflate_compress_bound(plain.len());
        let mut value = Vec::with_capacity(GZIP_HEAD_BYTES + most + TRAILER_BYTES);
        value.extend_from_slice(&OPEN);
        value.extend_from_slice(&digest.0);
        value.extend_from_slice(&[0; LENGTH_BYTES]);
        value.resize(GZIP_HEAD_BYTES + most, 0);
        let written = compressor
            .deflate_compress(plain, &mut value[GZIP_HEAD_BYTES..])
            .expect("the bound is one");
        value.truncate(GZIP_HEAD_BYTES + written);
        let mut crc = Crc::new();
        crc.update(plain);
        value.extend_from_slice(&crc.sum().to_le_bytes());
        let number = |length: usize| u32::try_from(length).expect("at most 64 MiB").to_le_bytes();
        value.extend_from_slice(&number(plain.len()));
        let length = number(value.len());
        value[GZIP_HEAD_BYTES - LENGTH_BYTES..GZIP_HEAD_BYTES].copy_from_slice(&length);
        value
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::{
        Compression, GZIP_HEAD_BYTES, GzipError, LENGTH_BYTES, gzip_head, plain,
        stored_file_digest, stored_page_digest,
    };
    use crate::render::Digest;

    const DIGEST: Digest = Digest([0xab; 16]);

    fn page(text: &str) -> Vec<u8> {
        format!("<p>{text}</p><!--anp:{DIGEST}-->").into_bytes()
    }

    fn stored(page: &[u8]) -> Vec<u8> {
        Compression::Gzip.store(page).into_owned()
    }

    #[test]
    fn a_value_in_gzip_names_its_digest_and_unpacks_to_its_plain_form() {
        for text in ["", "a", &"many words ".repeat(10_000)] {
            let page = page(text);
            let value = stored(&page);
            let head = Some((DIGEST, value.len() as u64));
            assert_eq!(gzip_head(&value[..GZIP_HEAD_BYTES]), head);
            assert_eq!(gzip_head(&value[..GZIP_HEAD_BYTES - 1]), None);
            for form in [&value, &page] {
                assert_eq!(stored_page_digest(form), Some(DIGEST));
                assert_eq!(stored_file_digest(form), Some(DIGEST));
            }
            assert_eq!(plain(&value, page.len()).as_deref(), Ok(&page[..]));
            assert_eq!(stored(&page), value, "the same bytes each time");
            // So do other readers of gzip.
            let mut read = Vec::new();
            let mut reader = flate2::read::GzDecoder::new(&value[..]);
            reader.read_to_end(&mut read).unwrap();
            assert_eq!(read, page);
        }
    }

    #[test]
    fn each_kind_of_seal_is_found() {
        for file in [
            format!("{{\"items\":[],\"_anp\":{{\"digest\":\"{DIGEST}\"}}}}\n"),
            format!("User-agent: *\n# anp:{DIGEST}\n"),
            format!("# Text\n<!--anp:{DIGEST}-->\n"),
        ] {
            let value = stored(file.as_bytes());
            assert_eq!(stored_file_digest(&value), Some(DIGEST));
            assert_eq!(plain(&value, 1000).as_deref(), Ok(file.as_bytes()));
        }
    }

    #[test]
    fn what_has_no_digest_or_shall_stay_plain_stays_plain() {
        let page = page("x");
        assert_eq!(Compression::None.store(&page), page);
        for other in [&b""[..], b"<p>x</p>", &[0x1f, 0x8b, 8, 0]] {
            assert_eq!(Compression::Gzip.store(other), other);
            assert_eq!(plain(other, 1000).as_deref(), Ok(other));
            assert_eq!(stored_page_digest(other), None);
        }
        let most = page.len() - 1;
        assert_eq!(plain(&page, most), Err(GzipError::Larger(most)));
    }

    #[test]
    fn a_damaged_value_is_refused_wherever_it_was_changed_or_cut() {
        let page = page(&"words ".repeat(20));
        let value = stored(&page);
        let longer = [&value[..], b"x"].concat();
        assert_eq!(plain(&longer, 1000), Err(GzipError::Damaged));
        assert_eq!(stored_page_digest(&longer), None);
        for at in GZIP_HEAD_BYTES - LENGTH_BYTES..value.len() {
            assert_eq!(stored_page_digest(&value[..at]), None);
            if at >= GZIP_HEAD_BYTES {
                assert_eq!(plain(&value[..at], 1000), Err(GzipError::Damaged), "{at}");
            }
            let mut changed = value.clone();
            changed[at] ^= 0x10;
            // Some bits mean nothing: those between the last block and the checksum.
            match plain(&changed, 1 << 20) {
                Ok(read) => assert_eq!(read, page, "{at}"),
                Err(error) => assert_eq!(error, GzipError::Damaged, "{at}"),
            }
        }
    }

    #[test]
    fn a_value_is_not_unpacked_beyond_what_is_asked_for() {
        let page = page(&"0".repeat(1 << 20));
        let value = stored(&page);
        assert!(value.len() < 8 * 1024);
        let most = page.len() - 1;
        assert_eq!(plain(&value, most), Err(GzipError::Larger(most)));
        // A length that its bytes cannot have, which would only take memory.
        let mut lies = value;
        let end = lies.len() - 4;
        lies[end..].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(plain(&lies, usize::MAX), Err(GzipError::Damaged));
    }
}
