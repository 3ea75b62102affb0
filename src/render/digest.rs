//! The digest: one hash of everything that decides a page, and where the objects carry it.

use std::fmt;

use crate::article::Route;
use crate::hashing::add_part;
use crate::hex;

/// Counts up whenever the same inputs would give another page or another `metadata`
/// member. Part of every digest, so all pages count as changed after such an upgrade.
pub const RENDERER_VERSION: u32 = 8;

/// How many of a page's last bytes hold its digest: `<!--anp:` + 32 hex digits + `-->`.
pub const PAGE_TAIL_BYTES: usize = 43;

/// How many of a meta object's first bytes hold its digest: `{"digest":"` + 32 hex digits + `"`.
pub const META_HEAD_BYTES: usize = 44;

/// How many of a file's last bytes hold its digest: `"_anp":{"digest":"` + 32 hex digits + `"}}` + a
/// line feed.
pub const FILE_TAIL_BYTES: usize = 54;

const PAGE_OPEN: &[u8] = b"<!--anp:";
const PAGE_CLOSE: &[u8] = b"-->";
const META_OPEN: &[u8] = b"{\"digest\":\"";

/// What stands before and after the digest of a file: of XML, of a JSON feed, of a text.
const FILE_SEALS: [(&[u8], &[u8]); 3] = [
    (PAGE_OPEN, PAGE_CLOSE),
    (b"\"_anp\":{\"digest\":\"", b"\"}}"),
    (b"# anp:", b""),
];

/// Hash of everything that decides a page: what its source says, route, templates, output
/// settings, renderer version. No clock, no run, no path. 128 bits of BLAKE3; shown as
/// 32 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// The digest as 32 lower-case hex digits of ASCII.
    #[must_use]
    pub fn to_hex(self) -> [u8; 32] {
        let mut digits = [0; 32];
        hex::write(&mut digits, &self.0);
        digits
    }

    /// The digest that 32 lower-case hex digits stand for.
    #[must_use]
    pub fn from_hex(digits: &[u8]) -> Option<Self> {
        hex::read(digits).map(Self)
    }
}

impl Digest {
    /// The digest of a page with this base and a fill of this hash.
    #[must_use]
    pub fn filled(self, hash: u64) -> Self {
        if hash == 0 {
            return self;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(&hash.to_le_bytes());
        let mut digest = [0; 16];
        hasher.finalize_xof().fill(&mut digest);
        Self(digest)
    }

    /// The first bytes of a hash.
    #[must_use]
    pub fn of_hash(hasher: &blake3::Hasher) -> Self {
        let mut digest = [0; 16];
        hasher.finalize_xof().fill(&mut digest);
        Self(digest)
    }

    /// The digest of bytes that carry none.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut digest = [0; 16];
        digest.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
        Self(digest)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::text(&self.0))
    }
}

/// The digest in the last bytes of a page, of which at least [`PAGE_TAIL_BYTES`] are needed.
#[must_use]
pub fn page_digest(tail: &[u8]) -> Option<Digest> {
    sealed(tail, PAGE_OPEN, PAGE_CLOSE)
}

/// The digest in the last bytes of a file, of which at least [`FILE_TAIL_BYTES`] are needed. A line feed
/// may follow it.
#[must_use]
pub fn file_digest(tail: &[u8]) -> Option<Digest> {
    let tail = tail.strip_suffix(b"\n").unwrap_or(tail);
    let mut seals = FILE_SEALS.into_iter();
    seals.find_map(|(open, close)| sealed(tail, open, close))
}

fn sealed(tail: &[u8], open: &[u8], close: &[u8]) -> Option<Digest> {
    let rest = tail.strip_suffix(close)?;
    let (rest, hex) = rest.split_at(rest.len().checked_sub(32)?);
    rest.ends_with(open).then(|| Digest::from_hex(hex))?
}

/// The digest in the first bytes of a meta object, of which at least [`META_HEAD_BYTES`]
/// are needed.
#[must_use]
pub fn meta_digest(head: &[u8]) -> Option<Digest> {
    let rest = head.strip_prefix(META_OPEN)?;
    (rest.get(32) == Some(&b'"')).then(|| Digest::from_hex(&rest[..32]))?
}

/// What follows the digest of the meta object of a page of a list.
pub(super) const LIST_MARK: &[u8] = b",\"archive\":\"list\"";

/// Whether a meta object with this beginning is of a page of a list.
#[must_use]
pub fn is_list(head: &[u8]) -> bool {
    let rest = head.get(META_HEAD_BYTES..).unwrap_or_default();
    rest.starts_with(LIST_MARK) && meta_digest(head).is_some()
}

/// Appends what [`page_digest`] looks for. Nothing may follow it.
pub(super) fn seal_page(page: &mut Vec<u8>, digest: Digest) {
    page.extend_from_slice(PAGE_OPEN);
    page.extend_from_slice(&digest.to_hex());
    page.extend_from_slice(PAGE_CLOSE);
}

/// Appends what [`file_digest`] looks for in a text. Nothing may follow it.
pub(super) fn seal_text(text: &mut Vec<u8>, digest: Digest) {
    seal_page(text, digest);
    text.push(b'\n');
}

/// Appends what [`meta_digest`] looks for. It must be the first of the object.
pub(super) fn open_meta(meta: &mut Vec<u8>, digest: Digest) {
    meta.extend_from_slice(META_OPEN);
    meta.extend_from_slice(&digest.to_hex());
    meta.push(b'"');
}

/// The part of the hash that all articles of a run share.
#[derive(Clone)]
pub(super) struct Digester(blake3::Hasher);

impl Digester {
    /// Starts from what decides every page: templates as (name, text), and settings.
    pub(super) fn new(templates: &[(&str, &str)], settings: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("anp 2025 digest of a rendered article");
        hasher.update(&RENDERER_VERSION.to_le_bytes());
        hasher.update(&(templates.len() as u64).to_le_bytes());
        for (name, text) in templates {
            add_part(&mut hasher, name.as_bytes());
            add_part(&mut hasher, text.as_bytes());
        }
        hasher.update(&(settings.len() as u64).to_le_bytes());
        for setting in settings {
            add_part(&mut hasher, setting);
        }
        Self(hasher)
    }

    /// Hash of what all articles share.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// The digest of one article, by the hash of what its `source` says. `further` is empty where source
    /// and route decide it alone.
    pub(super) fn digest(&self, source: &[u8], route: &Route, further: &[u8]) -> Digest {
        let mut hasher = self.0.clone();
        add_part(&mut hasher, route.as_str().as_bytes());
        add_part(&mut hasher, source);
        if !further.is_empty() {
            add_part(&mut hasher, further);
        }
        let mut digest = [0; 16];
        hasher.finalize_xof().fill(&mut digest);
        Digest(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: Digest = Digest(*b"\x00\x01\x7f\x80\xff56789abcdef");

    #[test]
    fn a_page_carries_its_digest_as_its_last_bytes() {
        let mut page = b"<html>".to_vec();
        seal_page(&mut page, DIGEST);
        assert_eq!(page_digest(&page), Some(DIGEST));
        assert_eq!(
            page_digest(&page[page.len() - PAGE_TAIL_BYTES..]),
            Some(DIGEST)
        );
        assert_eq!(page_digest(&page[page.len() - PAGE_TAIL_BYTES + 1..]), None);
        page.push(b'\n');
        assert_eq!(page_digest(&page), None);
        assert_eq!(page_digest(b""), None);
        assert_eq!(page_digest(b"-->"), None);
    }

    #[test]
    fn a_file_carries_its_digest_at_its_end_by_its_kind() {
        for (open, close) in [
            ("<urlset/><!--anp:", "-->"),
            ("{\"items\":[],\"_anp\":{\"digest\":\"", "\"}}"),
            ("User-agent: *\n# anp:", ""),
            ("# Title\n<!--anp:", "-->"),
        ] {
            let file = format!("{open}{DIGEST}{close}").into_bytes();
            assert_eq!(file_digest(&file), Some(DIGEST), "{open}");
            let line = [&file[..], b"\n"].concat();
            let tail = &line[line.len().saturating_sub(FILE_TAIL_BYTES)..];
            assert_eq!(file_digest(tail), Some(DIGEST), "{open}");
            for more in ["\n\n", " ", "\r\n"] {
                let file = [&file[..], more.as_bytes()].concat();
                assert_eq!(file_digest(&file), None, "{open}, {more:?}");
            }
            let upper = format!("{open}{}{close}", DIGEST.to_string().to_uppercase());
            assert_eq!(file_digest(upper.as_bytes()), None);
        }
        for other in [
            "",
            "\n",
            "-->",
            "# anp:",
            "00ff",
            &format!("# anp:{DIGEST}-->"),
        ] {
            assert_eq!(file_digest(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_meta_object_carries_its_digest_as_its_first_bytes() {
        let mut meta = Vec::new();
        open_meta(&mut meta, DIGEST);
        assert_eq!(meta.len(), META_HEAD_BYTES);
        assert_eq!(meta_digest(&meta), Some(DIGEST));
        assert_eq!(meta_digest(&meta[..META_HEAD_BYTES - 1]), None);
        assert_eq!(meta_digest(b"{\"digest\":\"00\""), None);
    }

    #[test]
    fn only_lower_case_hex_is_a_digest() {
        assert_eq!(
            Digest::from_hex(DIGEST.to_string().as_bytes()),
            Some(DIGEST)
        );
        assert_eq!(
            Digest::from_hex(DIGEST.to_string().to_uppercase().as_bytes()),
            None
        );
    }

    #[test]
    fn the_digest_of_the_same_inputs_never_changes() {
        // If this fails, every article in every store counts as changed. Raise
        // RENDERER_VERSION for that, do not change how the hash is made.
        let digester = Digester::new(&[("page.html", "{{ body }}")], &[b"https://example.org"]);
        let digest = digester.digest(b"source", &Route::parse("/a/").unwrap(), b"");
        assert_eq!(
            (RENDERER_VERSION, digest.to_string()),
            (8, "61d4d71e4044830ad7a71900c511da37".to_owned())
        );
    }

    #[test]
    fn moving_a_byte_between_parts_changes_the_digest() {
        let route = Route::parse("/a/").unwrap();
        let digest = |templates: &[(&str, &str)], settings: &[&[u8]], source: &[u8]| {
            Digester::new(templates, settings).digest(source, &route, b"")
        };
        let all = [
            digest(&[("a", "bc")], &[b"d"], b"e"),
            digest(&[("ab", "c")], &[b"d"], b"e"),
            digest(&[("a", "b")], &[b"cd"], b"e"),
            digest(&[("a", "bc")], &[b"", b"d"], b"e"),
            digest(&[("a", "bc")], &[b"d"], b"ef"),
            Digester::new(&[("a", "bc")], &[b"d"]).digest(b"e", &Route::parse("/b/").unwrap(), b""),
            Digester::new(&[("a", "bc")], &[b"d"]).digest(b"e", &route, b"f"),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(all[index + 1..].iter().all(|other| other != one));
        }
    }
}
