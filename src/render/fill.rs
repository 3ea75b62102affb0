//! What a page shows of other articles: it is put in once all of them are known.
//!
//! A page is rendered with holes, under the digest of the article alone: its base. Filled, it has a digest of
//! both. The meta object names base and fill, so that a later run can tell which of them changed.

use memchr::memmem;

use super::digest::{Digest, META_HEAD_BYTES, PAGE_TAIL_BYTES, page_digest, seal_page};
use super::inputs::META_INPUTS_BYTES;
use super::meta::META_OPENING_BYTES;
use super::similar::SIMILAR_HOLE;
use crate::hex;

const BASE_OPEN: &[u8] = b",\"base\":\"";
const FILL_OPEN: &[u8] = b",\"fill\":\"";
const BASE_DIGITS: usize = 32;
const FILL_DIGITS: usize = 16;

/// What [`fill`] adds to the opening of a meta object, in bytes.
const MARK_BYTES: usize = BASE_OPEN.len() + BASE_DIGITS + 1 + FILL_OPEN.len() + FILL_DIGITS + 1;

/// How many of a meta object's first bytes hold its digest, its inputs, its base and its fill.
pub const META_FILL_BYTES: usize = META_INPUTS_BYTES + MARK_BYTES;

/// What fills the holes of one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    /// Hash of all of it; 0: there is nothing.
    pub hash: u64,
    /// The section of similar posts, as HTML.
    pub section: String,
    /// The same as a JSON list, for the meta object.
    pub json: String,
}

/// The number of holes of a page.
#[must_use]
pub fn holes(page: &[u8]) -> u32 {
    let found = memmem::find_iter(page, SIMILAR_HOLE).count();
    u32::try_from(found).unwrap_or(u32::MAX)
}

/// Lengths in bytes of page and meta once a `fill` with these lengths of section and JSON is in them.
#[must_use]
pub fn filled_bytes(
    (page, meta): (u32, u32),
    holes: u32,
    (section, json): (u32, u32),
) -> (u32, u32) {
    let hole = u32::try_from(SIMILAR_HOLE.len()).unwrap_or(0);
    let page = page
        .saturating_sub(holes * hole)
        .saturating_add(holes * section);
    if json == 0 {
        return (page, meta);
    }
    let more = MARK_BYTES + JSON_OPEN.len();
    let more = u32::try_from(more).unwrap_or(0);
    (page, meta.saturating_add(more).saturating_add(json))
}

const JSON_OPEN: &[u8] = b",\"similar\":";

/// Puts `fill` into the holes of `page` and behind the metadata of `meta`, and seals both.
#[must_use]
pub fn fill(page: Vec<u8>, meta: Vec<u8>, fill: &Fill) -> (Vec<u8>, Vec<u8>) {
    let tail = page.len().saturating_sub(PAGE_TAIL_BYTES);
    let Some(base) = page_digest(&page[tail..]) else {
        return (page, meta);
    };
    let digest = base.filled(fill.hash);
    let mut filled = Vec::with_capacity(page.len() + fill.section.len());
    let mut rest = &page[..tail];
    while let Some(at) = memmem::find(rest, SIMILAR_HOLE.as_bytes()) {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(fill.section.as_bytes());
        rest = &rest[at + SIMILAR_HOLE.len()..];
    }
    filled.extend_from_slice(rest);
    seal_page(&mut filled, digest);
    let meta = match fill.hash {
        0 => meta,
        _ => fill_meta(meta, (base, digest), fill),
    };
    (filled, meta)
}

fn fill_meta(mut meta: Vec<u8>, (base, digest): (Digest, Digest), fill: &Fill) -> Vec<u8> {
    let (old, new) = (base.to_hex(), digest.to_hex());
    // The digest itself, and the entity tag.
    let opening = meta.len().min(META_OPENING_BYTES);
    let places: Vec<usize> = memmem::find_iter(&meta[..opening], &old).collect();
    for at in places.into_iter().take(2) {
        meta[at..at + new.len()].copy_from_slice(&new);
    }
    let at = match meta
        .get(META_HEAD_BYTES..)
        .is_some_and(|rest| rest.starts_with(b",\"inputs\":\""))
    {
        true => META_INPUTS_BYTES,
        false => META_HEAD_BYTES,
    };
    let mut filled =
        Vec::with_capacity(meta.len() + MARK_BYTES + JSON_OPEN.len() + fill.json.len());
    let (head, rest) = meta.split_at(at);
    filled.extend_from_slice(head);
    filled.extend_from_slice(BASE_OPEN);
    filled.extend_from_slice(&old);
    filled.push(b'"');
    filled.extend_from_slice(FILL_OPEN);
    let mut digits = [0; FILL_DIGITS];
    hex::write(&mut digits, &fill.hash.to_be_bytes());
    filled.extend_from_slice(&digits);
    filled.push(b'"');
    let body = rest.strip_suffix(b"}").unwrap_or(rest);
    filled.extend_from_slice(body);
    filled.extend_from_slice(JSON_OPEN);
    filled.extend_from_slice(fill.json.as_bytes());
    filled.push(b'}');
    filled
}

/// Base and fill of a meta object, from its first [`META_FILL_BYTES`]; none where it has no fill.
#[must_use]
pub fn meta_fill(head: &[u8]) -> Option<(Digest, u64)> {
    let marks = head.get(META_INPUTS_BYTES..META_FILL_BYTES)?;
    let rest = marks.strip_prefix(BASE_OPEN)?;
    let base = Digest::from_hex(rest.get(..BASE_DIGITS)?)?;
    let rest = rest.get(BASE_DIGITS..)?.strip_prefix(b"\"")?;
    let digits = rest.strip_prefix(FILL_OPEN)?.strip_suffix(b"\"")?;
    let hash = u64::from_be_bytes(hex::read::<8>(digits)?);
    (hash != 0).then_some((base, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Digest = Digest(*b"0123456789abcdef");

    fn objects() -> (Vec<u8>, Vec<u8>) {
        let mut page = format!("<p>a</p>{SIMILAR_HOLE}<p>b</p>").into_bytes();
        seal_page(&mut page, BASE);
        let inputs = "0".repeat(40);
        let meta = format!(
            "{{\"digest\":\"{BASE}\",\"inputs\":\"{inputs}\",\"run\":\"r\",\"etag\":\"\\\"{BASE}\\\"\",\
             \"metadata\":{{\"title\":\"{BASE}\"}}}}"
        );
        (page, meta.into_bytes())
    }

    #[test]
    fn a_filled_page_names_its_base_and_its_fill() {
        let (page, meta) = objects();
        let one = Fill {
            hash: 7,
            section: "<section>s</section>".to_owned(),
            json: "[{\"route\":\"/b/\"}]".to_owned(),
        };
        let sizes = (page.len() as u32, meta.len() as u32);
        let lengths = (one.section.len() as u32, one.json.len() as u32);
        let foreseen = filled_bytes(sizes, holes(&page), lengths);
        let (page, meta) = fill(page, meta, &one);
        assert_eq!(foreseen, (page.len() as u32, meta.len() as u32));
        let text = String::from_utf8(page.clone()).unwrap();
        assert!(text.starts_with("<p>a</p><section>s</section><p>b</p><!--anp:"));
        let digest = BASE.filled(7);
        assert_eq!(page_digest(&page), Some(digest));
        assert_eq!(meta_fill(&meta), Some((BASE, 7)));
        let json: serde_json::Value = serde_json::from_slice(&meta).unwrap();
        assert_eq!(json["digest"], digest.to_string());
        assert_eq!(json["etag"], format!("\"{digest}\""));
        assert_eq!(json["similar"][0]["route"], "/b/");
        // A text that looks like the digest stays.
        assert_eq!(json["metadata"]["title"], BASE.to_string());
    }

    #[test]
    fn a_page_without_a_fill_has_the_digest_of_its_article() {
        let (page, meta) = objects();
        let before = meta.clone();
        let (page, meta) = fill(page, meta, &Fill::default());
        assert_eq!(page_digest(&page), Some(BASE));
        assert_eq!(meta, before);
        assert_eq!(meta_fill(&meta), None);
        assert_eq!(holes(&page), 0);
    }
}
