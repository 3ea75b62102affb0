//! Bodies in gzip or brotli, decoded up to a limit.

use std::io::{self, Read};

/// Decodes `body` by the value of its `Content-Encoding`; at most `limit` bytes come out.
///
/// # Errors
/// One sentence: the coding is unknown, the body is not of it, or it holds more.
pub fn decode(coding: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let coding = coding.trim().to_ascii_lowercase();
    let decoded = match coding.as_str() {
        "" | "identity" => return Ok(body.to_vec()),
        "gzip" | "x-gzip" => bounded(flate2::bufread::MultiGzDecoder::new(body), limit),
        "br" => bounded(brotli_decompressor::Decompressor::new(body, 4096), limit),
        _ => {
            return Err(format!(
                "a body in '{}', which was not asked for",
                super::head::clipped(&coding)
            ));
        }
    };
    match decoded {
        Ok(bytes) if bytes.len() > limit => Err(format!(
            "a body in {coding} that holds more than {limit} bytes"
        )),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(format!("a body in {coding} that does not decode: {error}")),
    }
}

/// One byte more than the limit tells that there is more.
fn bounded(decoder: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::decode;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_and_brotli_come_out_as_they_went_in() {
        assert_eq!(decode("gzip", &gzip(b"page"), 4).unwrap(), b"page");
        assert_eq!(decode("X-GZIP ", &gzip(b"page"), 4).unwrap(), b"page");
        // One uncompressed meta-block, RFC 7932, 9.2.
        assert_eq!(decode("br", b"\x8b\x01\x80page\x03", 4).unwrap(), b"page");
        assert_eq!(decode("identity", b"page", 4).unwrap(), b"page");
    }

    #[test]
    fn a_body_that_is_cut_or_too_large_or_of_another_coding_is_told() {
        let whole = gzip(&[0; 10_000]);
        let cut = &whole[..whole.len() - 9];
        assert!(
            decode("gzip", cut, 10_000)
                .unwrap_err()
                .contains("does not decode")
        );
        assert!(
            decode("gzip", b"<html>", 10_000)
                .unwrap_err()
                .contains("does not decode")
        );
        assert!(
            decode("br", b"<html>", 10_000)
                .unwrap_err()
                .contains("does not decode")
        );
        assert!(
            decode("gzip", &whole, 9_999)
                .unwrap_err()
                .contains("more than 9999 bytes")
        );
        assert!(
            decode("zstd", b"", 1)
                .unwrap_err()
                .contains("not asked for")
        );
    }
}
