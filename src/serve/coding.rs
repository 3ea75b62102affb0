//! The two forms of a body that is stored in gzip: as it is stored, and unpacked for who takes no gzip. Both
//! have one entity tag, a weak one.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};

use crate::render::{Digest, gzip_head, plain, stored_file_digest, stored_page_digest};

/// The largest page that is served: 64 MiB, as large as a value that anp overwrites.
pub(super) const LARGEST_PAGE: usize = crate::publish::state::LARGEST_PRIOR_BYTES;

/// A page, file or text as the store holds it.
pub(super) struct StoredBody {
    bytes: Bytes,
    is_gzip: bool,
    pub(super) digest: Option<Digest>,
}

/// What is sent of it.
pub(super) struct SentBody {
    pub(super) bytes: Bytes,
    /// Whether it is sent in gzip.
    pub(super) is_gzip: bool,
}

impl StoredBody {
    /// The page `value`; none where it is in gzip and damaged, or larger than a page.
    pub(super) fn of_page(value: Vec<u8>) -> Option<Self> {
        let digest = stored_page_digest(&value);
        Self::of(value, digest)
    }

    /// The same of a file or text.
    pub(super) fn of_file(value: Vec<u8>) -> Option<Self> {
        let digest = stored_file_digest(&value);
        Self::of(value, digest)
    }

    fn of(value: Vec<u8>, digest: Option<Digest>) -> Option<Self> {
        let is_gzip = gzip_head(&value).is_some();
        let is_whole = !is_gzip || plain(&value, LARGEST_PAGE).is_ok();
        is_whole.then(|| Self {
            is_gzip,
            digest,
            bytes: value.into(),
        })
    }

    /// Whether it is stored in gzip.
    pub(super) fn is_gzip(&self) -> bool {
        self.is_gzip
    }

    /// Its length as it is stored.
    pub(super) fn stored_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// What it says, unpacked.
    pub(super) fn plain(&self) -> Cow<'_, [u8]> {
        // It was whole when it was read.
        plain(&self.bytes, LARGEST_PAGE).unwrap_or_default()
    }

    /// What is sent to a visitor with the headers `request`.
    pub(super) fn sent(&self, request: &HeaderMap) -> SentBody {
        let is_gzip = self.is_gzip && takes_gzip(request);
        SentBody {
            bytes: match self.is_gzip == is_gzip {
                true => self.bytes.clone(),
                false => self.plain().into_owned().into(),
            },
            is_gzip,
        }
    }
}

/// Whether a request takes gzip (RFC 9110, 12.5.3): where it is named, by that; else by `*`.
fn takes_gzip(request: &HeaderMap) -> bool {
    let lines = request.get_all(header::ACCEPT_ENCODING).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let mut any = false;
    for coding in lines.flat_map(|line| line.split(',')) {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let is_zero = |part: &str| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.trim().parse() == Ok(0.0_f32))
        };
        let is_taken = !parts.any(is_zero);
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            return is_taken;
        }
        any |= name == "*" && is_taken;
    }
    any
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{StoredBody, takes_gzip};
    use crate::render::Compression;

    const PAGE: &[u8] = b"<p>x</p><!--anp:0123456789abcdef0123456789abcdef-->";

    fn request(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn gzip_is_taken_where_a_request_names_it_with_any_weight_but_zero() {
        for taken in [
            &["gzip"][..],
            &["br, GZIP;q=0.1"],
            &["br", "x-gzip"],
            &["*"],
            &["identity;q=0, *;q=0.5"],
        ] {
            assert!(takes_gzip(&request(taken)), "{taken:?}");
        }
        for not_taken in [
            &[][..],
            &[""],
            &["identity"],
            &["br"],
            &["gzip;q=0"],
            &["*, gzip; q=0.000"],
            &["*;q=0"],
            &["xgzip, gzipped"],
        ] {
            assert!(!takes_gzip(&request(not_taken)), "{not_taken:?}");
        }
    }

    #[test]
    fn a_body_in_gzip_is_passed_on_or_unpacked_and_a_plain_one_is_never_changed() {
        let body = StoredBody::of_page(Compression::Gzip.store(PAGE).into_owned()).unwrap();
        let sent = body.sent(&request(&["gzip"]));
        assert!(sent.is_gzip);
        assert_eq!(sent.bytes, Compression::Gzip.store(PAGE).as_ref());
        let sent = body.sent(&request(&[]));
        assert!(!sent.is_gzip);
        assert_eq!(sent.bytes, PAGE);
        let body = StoredBody::of_page(PAGE.to_vec()).unwrap();
        let sent = body.sent(&request(&["gzip"]));
        assert!(!sent.is_gzip && sent.bytes == PAGE);
        let mut damaged = Compression::Gzip.store(PAGE).into_owned();
        damaged.pop();
        assert!(StoredBody::of_page(damaged).is_none());
    }
}
