//! Which route a source claims, also when it is invalid.

use super::dates::{self, Timezone};
use super::findings::Findings;
use super::given_route;
use super::metadata::{Metadata, Value};
use super::naming::{Naming, SourceName};
use super::route::Route;
use crate::diagnostic::Span;
use crate::front_matter::next_line;
use crate::yaml::{Kind, Node, normalise, quoted};

/// Most bytes of a broken source that are searched for its route.
const SEARCHED_BYTES: usize = 64 * 1024;

/// The route of a source whose front matter could be read to its end.
pub(super) fn known(
    name: &SourceName<'_>,
    naming: &Naming,
    metadata: &Metadata,
    tree: &Node,
    findings: &mut Findings<'_>,
) -> Option<Route> {
    if let Some(Value::Text(text)) = metadata.get("route") {
        let span = place(tree, &["route", "url", "permalink"]);
        if text.contains("://") {
            let message = format!(
                "expected a path, found {}: the route is made from the file name",
                quoted(text)
            );
            let help = "write the path alone, for example /about/".to_owned();
            findings.warning("route", span, message, Some(help));
        } else {
            return given(text, span, name, metadata, findings);
        }
    } else if findings.mentions("route") {
        // It has one, but a wrong one, which has been reported.
        return None;
    }
    let slug = metadata.text("slug");
    if name.is_index() {
        let is_path = slug.is_some_and(|slug| slug.starts_with('/'));
        if let (Some(_), false, Some(span)) = (slug, is_path, place(tree, &["slug"])) {
            let message = "expected no slug, found one: the route of an index file is its folder";
            findings.warning("slug", Some(span), message.to_owned(), None);
        }
    } else if slug.is_none() && findings.mentions("slug") {
        return None;
    }
    match name.route(naming, slug, metadata.text("date")) {
        Ok(route) => Some(route),
        Err(error) => {
            findings.error("route", None, error.to_string(), error.help());
            None
        }
    }
}

/// The route that the front matter gives.
fn given(
    text: &str,
    span: Option<Span>,
    name: &SourceName<'_>,
    metadata: &Metadata,
    findings: &mut Findings<'_>,
) -> Option<Route> {
    match given_route::route(text, name, metadata) {
        Ok(route) => {
            if !given_route::is_exact(text, &route) {
                let text = quoted(text);
                let message =
                    format!("expected segments of [a-z0-9-], found {text}, used as '{route}'");
                findings.warning("route", span, message, None);
            }
            Some(route)
        }
        Err(refused) => {
            let help = refused.help.map(str::to_owned);
            findings.error("route", span, refused.message, help);
            None
        }
    }
}

/// The place of the first of these fields.
fn place(tree: &Node, names: &[&str]) -> Option<Span> {
    let Kind::Mapping(entries) = &tree.kind else {
        return None;
    };
    let found = entries
        .iter()
        .find(|(key, _)| names.contains(&key.name.as_str()));
    found.map(|(key, _)| key.span)
}

/// The most likely route of a source whose front matter could not be read: from the first line
/// near its start that gives a route, else from a slug and its name.
pub(super) fn guessed(name: &SourceName<'_>, naming: &Naming, bytes: &[u8]) -> Option<Route> {
    let head = bytes.get(..SEARCHED_BYTES).unwrap_or(bytes);
    let head = String::from_utf8_lossy(head);
    let mut rest = head.as_ref();
    let (mut route, mut slug, mut date) = (None, None, None);
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        if let Some((key, value)) = field(line) {
            match key.as_str() {
                "slug" => slug = slug.or(Some(value)),
                "route" | "url" | "permalink" => route = route.or(Some(value)),
                "date" => date = date.or(Some(value)),
                _ => {}
            }
        }
        rest = after;
    }
    if let Some(text) = route.filter(|text| !text.contains("://")) {
        let given = given_route::route(text, name, &Metadata::default());
        if let Ok(route) = given {
            return Some(route);
        }
    }
    let date = date.and_then(|date| dates::date(date, &Timezone::default()));
    name.route(naming, slug, date.as_deref()).ok()
}

/// The name of a field, if it is short, and its value, in YAML (`slug: x`), TOML (`slug = "x"`) or
/// JSON (`"slug": "x",`).
fn field(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.split_once([':', '='])?;
    let quotes = ['"', '\''];
    let key = key
        .trim_start_matches('\u{feff}')
        .trim()
        .trim_matches(quotes);
    if key.len() > 16 {
        return None;
    }
    let value = value.split(" #").next().unwrap_or_default();
    let value = value
        .trim()
        .trim_end_matches(',')
        .trim_matches(quotes)
        .trim();
    (!value.is_empty()).then(|| (normalise(key), value))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn guessed(relative: &Path, bytes: &[u8]) -> Option<Route> {
        let naming = Naming::default();
        let name = SourceName::new(relative, &naming.languages).unwrap();
        super::guessed(&name, &naming, bytes)
    }

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
            guess("---\nslug: c\npermalink: /d/e/\ntitle: [\n").as_deref(),
            Some("/d/e/")
        );
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
