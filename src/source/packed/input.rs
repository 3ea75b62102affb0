//! The file or the standard input that a packed source is read from: decompressed, and told apart by
//! its first bytes.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use crate::source::unread::WalkError;

/// What the bytes are, decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    /// JSON lines.
    Lines,
    Tar,
    Zip,
    /// A WordPress export.
    Wordpress,
}

/// So many bytes are looked at: a tar archive says what it is behind the first name.
const LOOKED_AT: usize = 512;

/// Handed on at once.
pub(super) const BUFFER_BYTES: usize = 256 * 1024;

/// A compressed source grows to at most so many times its size, beyond its first 64 MiB: text that was
/// written by people or machines grows 4 to 100 times.
pub(super) const MOST_GROWTH: u64 = 1000;
pub(super) const FREE_GROWTH: u64 = 64 * 1024 * 1024;

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// An input, decompressed.
pub(super) struct Input<'r> {
    pub(super) form: Form,
    /// Whether the bytes are in the file as they are read.
    pub(super) is_plain: bool,
    pub(super) reader: Box<dyn BufRead + 'r>,
}

impl<'r> Input<'r> {
    /// Looks at the first bytes of `raw`.
    ///
    /// # Errors
    /// When it cannot be read. What was found instead of a source is not one.
    pub(super) fn open(raw: impl Read + 'r) -> io::Result<Result<Self, String>> {
        let packed = Rc::default();
        let counted = Counted {
            inner: raw,
            bytes: Rc::clone(&packed),
        };
        let (head, raw) = looked_at(buffered(counted))?;
        let unpacked: Box<dyn Read + 'r> = match &head[..] {
            head if head.starts_with(GZIP) => Box::new(MultiGzDecoder::new(raw)),
            head if head.starts_with(ZSTD) => {
                Box::new(zstd::stream::read::Decoder::with_buffer(raw)?)
            }
            _ => {
                let input = |form| Self {
                    form,
                    is_plain: true,
                    reader: Box::new(raw),
                };
                return Ok(form(&head).map(input));
            }
        };
        let bounded = Bounded {
            inner: unpacked,
            packed,
            unpacked: 0,
        };
        let (head, reader) = looked_at(buffered(bounded))?;
        let form = match form(&head) {
            Ok(Form::Zip) => Err("found a zip archive that was compressed once more".to_owned()),
            form => form,
        };
        Ok(form.map(|form| Self {
            form,
            is_plain: false,
            reader: Box::new(reader),
        }))
    }
}

fn buffered<R: Read>(inner: R) -> BufReader<R> {
    BufReader::with_capacity(BUFFER_BYTES, inner)
}

/// A reader, before it the bytes that were looked at.
type Unread<R> = Chain<Cursor<Vec<u8>>, R>;

/// The first bytes, and the reader as if they had not been read.
fn looked_at<R: BufRead>(mut reader: R) -> io::Result<(Vec<u8>, Unread<R>)> {
    let mut head = Vec::with_capacity(LOOKED_AT);
    (&mut reader)
        .take(LOOKED_AT as u64)
        .read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

/// What bytes begin like `head`; or what was found instead.
fn form(head: &[u8]) -> Result<Form, String> {
    if head.is_empty() {
        return Err("found nothing".to_owned());
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Ok(Form::Zip);
    }
    let is_tar = head.get(257..262) == Some(b"ustar");
    if is_tar || head.len() == LOOKED_AT && (head.iter().all(|b| *b == 0) || is_old_tar(head)) {
        return Ok(Form::Tar);
    }
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    match text {
        [b'{', ..] => Ok(Form::Lines),
        [b'<', ..] => Ok(Form::Wordpress),
        _ if head.starts_with(b"\xfd7zXZ") => Err("found bytes compressed with xz".to_owned()),
        _ if head.starts_with(b"BZh") => Err("found bytes compressed with bzip2".to_owned()),
        [b'[', ..] => {
            let what = "found a JSON array (jq -c '.[]' makes lines of it)";
            Err(what.to_owned())
        }
        [b'-' | b'+' | b'#', ..] => Err("found what looks like a single article".to_owned()),
        _ => Err("found bytes of another kind".to_owned()),
    }
}

/// Whether the sum of the header is right: archives of the first kind have no other mark.
fn is_old_tar(head: &[u8]) -> bool {
    let digits = head.get(148..156).unwrap_or_default();
    let text: String = digits.iter().map(|b| char::from(*b)).collect();
    let sum = u64::from_str_radix(text.trim_matches(['\0', ' ']), 8);
    let byte = |(at, b): (usize, &u8)| {
        if (148..156).contains(&at) {
            32
        } else {
            u64::from(*b)
        }
    };
    sum == Ok(head.iter().enumerate().map(byte).sum())
}

/// Reads to the end: only there a checksum tells that all is as it was.
///
/// # Errors
/// When it is not.
pub(super) fn drain(reader: &mut dyn BufRead) -> Result<(), WalkError> {
    let read = io::copy(reader, &mut io::sink());
    read.map(drop).map_err(|error| WalkError::cut(&error))
}

/// A file that may be a zip archive, which is read from its end.
pub(super) fn is_zip(file: &File) -> io::Result<bool> {
    let mut head = [0; 4];
    let length = file.read_at(&mut head, 0)?;
    Ok(matches!(form(&head[..length]), Ok(Form::Zip)))
}

/// Counts what was read.
struct Counted<R> {
    inner: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + length as u64);
        Ok(length)
    }
}

/// Refuses what grows beyond measure when it is decompressed.
struct Bounded<R> {
    inner: R,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.unpacked += length as u64;
        let most = self.packed.get().saturating_mul(MOST_GROWTH) + FREE_GROWTH;
        if self.unpacked > most {
            return Err(io::Error::other(format!(
                "decompressed it has more than {MOST_GROWTH} times its size"
            )));
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, form, is_old_tar};

    #[test]
    fn forms_are_told_apart_by_their_first_bytes() {
        let mut old = [0_u8; 512];
        old[..4].copy_from_slice(b"a.md");
        let sum: u64 = old.iter().map(|b| u64::from(*b)).sum::<u64>() + 8 * 32;
        old[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert!(is_old_tar(&old));
        let mut new = [0_u8; 512];
        new[257..262].copy_from_slice(b"ustar");
        for (head, expected) in [
            (&b"{\"a\""[..], Form::Lines),
            (b"\xef\xbb\xbf \n{", Form::Lines),
            (b"<?xml", Form::Wordpress),
            (b"PK\x03\x04", Form::Zip),
            (&old, Form::Tar),
            (&new, Form::Tar),
            (&[0; 512], Form::Tar),
        ] {
            assert_eq!(form(head), Ok(expected));
        }
        for head in [
            &b""[..],
            b"[1]",
            b"---\n",
            b"BZh9",
            b"\xfd7zXZ\0",
            b"x",
            &[0; 100],
        ] {
            assert!(form(head).is_err());
        }
    }
}
