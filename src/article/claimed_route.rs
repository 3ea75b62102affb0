//! Which route a source claims, also when it is invalid.

use std::path::Path;

use super::findings::Findings;
use super::metadata::Metadata;
use super::route::{Route, is_index};
use crate::front_matter::next_line;
use crate::yaml::{Kind, Node, normalise};

/// Most bytes of a broken source that are searched for its slug.
const SEARCHED_BYTES: usize = 64 * 1024;

/// The route of a source whose front matter could be read to its end.
pub(super) fn known(
    relative: &Path,
    metadata: &Metadata,
    tree: &Node,
    findings: &mut Findings<'_>,
) -> Option<Route> {
    let entry = match &tree.kind {
        Kind::Mapping(entries) => entries.iter().find(|(key, _)| key.name == "slug"),
        _ => None,
    };
    let slug = metadata.text("slug");
    if is_index(relative) {
        if let (Some(_), Some((key, _))) = (slug, entry) {
            let message = "expected no slug, found one: the route of an index file is its folder";
            findings.warning("slug", Some(key.span), message.to_owned(), None);
        }
    } else if slug.is_none() && findings.mentions("slug") {
        // It has one, but a wrong one, which has been reported.
        return None;
    }
    match Route::new(relative, slug) {
        Ok(route) => Some(route),
        Err(error) => {
            findings.error("route", None, error.to_string(), error.help());
            None
        }
    }
}

/// The route that a source most likely claims whose front matter could not be read: by the
/// first line `slug: …` of its first bytes, or by its name.
pub(super) fn guessed(relative: &Path, bytes: &[u8]) -> Option<Route> {
    let head = bytes.get(..SEARCHED_BYTES).unwrap_or(bytes);
    let head = String::from_utf8_lossy(head);
    let mut rest = head.as_ref();
    let mut slug = None;
    while slug.is_none() && !rest.is_empty() {
        let (line, after) = next_line(rest);
        slug = slug_of(line);
        rest = after;
    }
    Route::new(relative, slug).ok()
}

/// The slug that a line gives in YAML (`slug: x`), TOML (`slug = "x"`) or JSON (`"slug": "x",`).
fn slug_of(line: &str) -> Option<&str> {
    let (key, value) = line.split_once([':', '='])?;
    let quotes = ['"', '\''];
    let key = key
        .trim_start_matches('\u{feff}')
        .trim()
        .trim_matches(quotes);
    if key.len() > 16 || normalise(key) != "slug" {
        return None;
    }
    let value = value.split(" #").next().unwrap_or_default();
    let value = value
        .trim()
        .trim_end_matches(',')
        .trim_matches(quotes)
        .trim();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_front_matter_still_tells_its_slug() {
        let guess = |text: &str| {
            guessed(Path::new("a/b.md"), text.as_bytes()).map(|route| route.to_string())
        };
        assert_eq!(
            guess("---\ntitle: a: b\nslug: 'C d' # x\n---\n").as_deref(),
            Some("/a/c-d/")
        );
        assert_eq!(guess("---\r\nSlug: c\r\n").as_deref(), Some("/a/c/"));
        assert_eq!(guess("---\ntitle: [\n---\n").as_deref(), Some("/a/b/"));
        assert_eq!(
            guess("+++\ntitle = x\nslug = \"c d\" # x\n+++\n").as_deref(),
            Some("/a/c-d/")
        );
        assert_eq!(
            guess("{\n  \"title\": x,\n  \"slug\": \"c d\",\n}\n").as_deref(),
            Some("/a/c-d/")
        );
        assert_eq!(guess("---\nslug: '!'\n").as_deref(), None);
        assert_eq!(
            guessed(Path::new("a/index.md"), b"---\nslug: c\n")
                .unwrap()
                .as_str(),
            "/a/"
        );
        assert_eq!(
            guessed(Path::new("a.md"), b"\xff\nslug: c\n")
                .unwrap()
                .as_str(),
            "/c/"
        );
    }
}
