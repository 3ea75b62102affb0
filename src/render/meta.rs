//! The meta object: one line of compact JSON, its digest first.

use std::io::Write;

use super::digest::{self, Digest};
use super::inputs::Inputs;
use super::view::View;
use crate::article::{Article, Value};
use crate::hex;

/// What the meta object alone shows of the run that writes it, and of what it was made from.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'s> {
    /// The id of the run.
    pub run: &'s str,
    /// Milliseconds since 1970, by the store's clock.
    pub written_at_ms: i64,
    /// Hashes of what decides the page; none where nobody will ask what changed.
    pub inputs: Option<Inputs>,
}

/// What a page tells search engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Robots {
    Index,
    NoIndex,
}

impl Robots {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index,follow",
            Self::NoIndex => "noindex",
        }
    }
}

/// How many bytes at the start of a meta object hold its digest, inputs, run, time, entity tag and robots. Text
/// of authors comes after these.
pub const META_OPENING_BYTES: usize = 400;

/// The opening of a meta object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaHead {
    /// The digest of the page that it is about.
    pub digest: Option<Digest>,
    /// When both were written, in RFC 3339.
    pub written_at: Option<String>,
    /// What search engines are told.
    pub robots: Option<String>,
}

impl MetaHead {
    /// Reads the first [`META_OPENING_BYTES`] of a meta object, or whatever else a key holds.
    #[must_use]
    pub fn read(opening: &[u8]) -> Self {
        let text = String::from_utf8_lossy(opening);
        let member = |name: &str| {
            // anp writes none of these with escapes.
            let (_, rest) = text.split_once(&format!("\"{name}\":\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        Self {
            digest: digest::meta_digest(opening),
            written_at: member("written_at"),
            robots: member("robots"),
        }
    }

    /// Whether search engines are told to leave the page out.
    #[must_use]
    pub fn is_noindex(&self) -> bool {
        let mut rules = self.robots.iter().flat_map(|robots| robots.split(','));
        rules.any(|rule| matches!(rule.trim(), "noindex" | "none"))
    }
}

/// Writes the meta object of `article`.
pub(super) fn write(
    article: &Article<'_>,
    digest: Digest,
    stamp: &Stamp<'_>,
    robots: Robots,
    canonical: &str,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    digest::open_meta(&mut out, digest);
    if let Some(inputs) = stamp.inputs {
        inputs.write(&mut out);
    }
    let route = article.route.as_str();
    let texts = [robots.as_str(), route, canonical, &article.title];
    head(&mut out, digest, stamp, texts);
    out.extend_from_slice(b",\"body\":");
    string(&mut out, &hex::text(&article.body_hash));
    out.extend_from_slice(b",\"metadata\":");
    out.push(b'{');
    let entries = article.metadata.entries.iter();
    members(&mut out, entries.map(|(field, value)| (field.name, value)));
    if !article.metadata.extra.is_empty() {
        let comma = if article.metadata.entries.is_empty() {
            ""
        } else {
            ","
        };
        out.extend_from_slice(comma.as_bytes());
        out.extend_from_slice(b"\"extra\":");
        group(&mut out, &article.metadata.extra);
    }
    out.extend_from_slice(b"}}");
    out
}

/// Writes the meta object of a page of a list. It has no metadata.
pub(super) fn write_list(page: &View, digest: Digest, stamp: &Stamp<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    digest::open_meta(&mut out, digest);
    out.extend_from_slice(digest::LIST_MARK);
    let texts = [page.robots, &page.route, &page.canonical, &page.title];
    head(&mut out, digest, stamp, texts);
    out.push(b'}');
    out
}

/// Writes the members that every meta object has.
fn head(
    out: &mut Vec<u8>,
    digest: Digest,
    stamp: &Stamp<'_>,
    [robots, route, canonical, title]: [&str; 4],
) {
    for (name, value) in [
        ("run", stamp.run),
        ("written_at", &rfc3339(stamp.written_at_ms)),
        ("etag", &format!("\"{digest}\"")),
        ("robots", robots),
        ("route", route),
        ("canonical", canonical),
        ("title", title),
    ] {
        out.push(b',');
        string(out, name);
        out.push(b':');
        string(out, value);
    }
}

/// Milliseconds since 1970 as `2026-01-31T12:00:00.000Z`.
fn rfc3339(ms: i64) -> String {
    // Out of range for a calendar means a broken clock; the run says so elsewhere.
    let timestamp = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    format!("{timestamp:.3}")
}

fn value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) => string(out, text),
        // Writing to a Vec cannot fail.
        Value::Number(number) => drop(write!(out, "{number}")),
        Value::Decimal(number) => out.extend_from_slice(number.as_bytes()),
        Value::Flag(true) => out.extend_from_slice(b"true"),
        Value::Flag(false) => out.extend_from_slice(b"false"),
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                self::value(out, item);
            }
            out.push(b']');
        }
        Value::Group(members) => group(out, members),
        Value::Pairs(pairs) => {
            // Each its own object: labels may repeat, and readers of JSON keep one of two members.
            out.push(b'[');
            for (index, (label, text)) in pairs.iter().enumerate() {
                out.extend_from_slice(if index > 0 { &b",{"[..] } else { b"{" });
                string(out, label);
                out.push(b':');
                string(out, text);
                out.push(b'}');
            }
            out.push(b']');
        }
    }
}

fn group(out: &mut Vec<u8>, group: &[(String, Value)]) {
    out.push(b'{');
    let named = group.iter().map(|(name, value)| (name.as_str(), value));
    members(out, named);
    out.push(b'}');
}

fn members<'v>(out: &mut Vec<u8>, members: impl Iterator<Item = (&'v str, &'v Value)>) {
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        self::value(out, value);
    }
}

pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    // Nearly no text has anything to escape, and this look at all of it is vectorised.
    let escaped = text.bytes().fold(0, |found, byte| {
        found | u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\')
    });
    if escaped == 0 {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // A string always serialises, and writing to a Vec cannot fail.
        drop(serde_json::to_writer(out, text));
    }
}

#[cfg(test)]
mod tests {
    use super::string;

    #[test]
    fn strings_are_those_of_serde_json() {
        let all = (0..=0x300).chain([0x2028, 0xfffd, 0x1f980]);
        for c in all.filter_map(char::from_u32) {
            for text in [c.to_string(), format!("{}{c}é", "x".repeat(40))] {
                let mut out = Vec::new();
                string(&mut out, &text);
                assert_eq!(out, serde_json::to_vec(&text).unwrap(), "{text:?}");
            }
        }
    }
}
