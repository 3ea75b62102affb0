//! Bodies in gzip or brotli, decoded as they come.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::MultiGzDecoder;

use super::head::clipped;

/// The largest body that is read: 64 MiB, as large as a value that anp overwrites.
pub const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// Decodes into `W`, which refuses more than [`LARGEST_BODY`] bytes with
/// [`io::ErrorKind::FileTooLarge`].
pub(super) struct Decoder<W: Write> {
    coding: String,
    kind: Kind<W>,
}

enum Kind<W: Write> {
    Gzip(Box<MultiGzDecoder<W>>),
    Brotli(Box<DecompressorWriter<W>>),
}

impl<W: Write> Decoder<W> {
    /// A decoder for the value of a `Content-Encoding`.
    ///
    /// # Errors
    /// One sentence: the coding was not asked for.
    pub(super) fn new(coding: &str, out: W) -> Result<Self, String> {
        let coding = coding.trim().to_ascii_lowercase();
        let kind = match coding.as_str() {
            "gzip" | "x-gzip" => Kind::Gzip(Box::new(MultiGzDecoder::new(out))),
            "br" => Kind::Brotli(Box::new(DecompressorWriter::new(out, 4096))),
            _ => {
                let shown = clipped(&coding);
                return Err(format!("a body in '{shown}', which was not asked for"));
            }
        };
        Ok(Self { coding, kind })
    }

    /// Takes further bytes of the body.
    ///
    /// # Errors
    /// One sentence: it is not of this coding, or holds too much.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        let taken = match &mut self.kind {
            Kind::Gzip(decoder) => decoder.write_all(bytes),
            Kind::Brotli(decoder) => decoder.write_all(bytes),
        };
        taken.map_err(|error| failed(&self.coding, &error))
    }

    /// The end of the body.
    ///
    /// # Errors
    /// As [`Self::take`], and where the body is cut.
    pub(super) fn finish(self) -> Result<W, String> {
        let coding = self.coding;
        let ended = match self.kind {
            Kind::Gzip(decoder) => decoder.finish(),
            Kind::Brotli(decoder) => {
                let cut = |_| io::Error::from(io::ErrorKind::UnexpectedEof);
                decoder.into_inner().map_err(cut)
            }
        };
        ended.map_err(|error| failed(&coding, &error))
    }
}

fn failed(coding: &str, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::FileTooLarge {
        format!("a body in {coding} that holds more than {LARGEST_BODY} bytes")
    } else {
        format!("a body in {coding} that does not decode: {error}")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{Decoder, LARGEST_BODY};
    use crate::probe::body::Comparing;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(coding: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        // In pieces, as a network brings them.
        let mut decoder = Decoder::new(coding, Vec::new())?;
        for piece in body.chunks(3) {
            decoder.take(piece)?;
        }
        decoder.finish()
    }

    #[test]
    fn gzip_and_brotli_come_out_as_they_went_in() {
        assert_eq!(decode("gzip", &gzip(b"page")).unwrap(), b"page");
        assert_eq!(decode("X-GZIP ", &gzip(b"page")).unwrap(), b"page");
        let two = [gzip(b"pa"), gzip(b"ge")].concat();
        assert_eq!(decode("gzip", &two).unwrap(), b"page");
        // One uncompressed meta-block, RFC 7932, 9.2.
        assert_eq!(decode("br", b"\x8b\x01\x80page\x03").unwrap(), b"page");
    }

    #[test]
    fn a_body_that_is_cut_or_too_large_or_of_another_coding_is_told() {
        let whole = gzip(&[0; 10_000]);
        for (coding, body) in [
            ("gzip", &whole[..whole.len() - 9]),
            ("gzip", b"<html>"),
            ("gzip", b""),
            ("br", b"<html>"),
            ("br", &b"\x8b\x01\x80pa"[..]),
        ] {
            let error = decode(coding, body).unwrap_err();
            assert!(error.contains("does not decode"), "{coding}: {error}");
        }
        assert!(decode("zstd", b"").unwrap_err().contains("not asked for"));
        // Decompression bombs end at the limit.
        let mut decoder = Decoder::new("gzip", Comparing::new(b"")).unwrap();
        let taken = decoder.take(&gzip(&vec![0; LARGEST_BODY + 1]));
        let error = taken.and_then(|()| decoder.finish().map(drop)).unwrap_err();
        assert!(error.contains("more than 67108864 bytes"), "{error}");
    }
}
