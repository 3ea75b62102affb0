//! One source through the boundary.
//!
//! 1. Size and UTF-8.
//! 2. Split into front matter and body.
//! 3. Front matter: YAML events → tree with positions → values by the table.
//! 4. Body: cleaned, parsed once.
//! 5. Title, route, disagreements between fields.
//!
//! Each step reports all that it finds and hands on what it has, so that one reading
//! names every error of a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::body::{Body, Parsed, TooDeep};
use super::findings::Findings;
use super::front_matter::{MAX_SOURCE_BYTES, split};
use super::metadata::{Metadata, Value};
use super::route::{Route, is_index};
use super::schema::TABLE;
use super::text::{Cleaned, clean, clean_body};
use super::unknown::{UnknownField, UnknownFields};
use super::validate::Validator;
use super::{Article, cross};
use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::{self, Document, Fault, Key, Kind, Node};

/// What the boundary lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Warnings are errors, unknown fields too, and what the generator writes is required.
    pub strict: bool,
    /// What happens to fields that the table does not know.
    pub unknown_fields: UnknownFields,
}

/// One source.
#[derive(Debug)]
pub struct Input<'a> {
    /// The path as diagnostics show it.
    pub path: Arc<PathBuf>,
    /// The path below the content root, which decides the route.
    pub relative: &'a Path,
    /// The whole file.
    pub bytes: &'a [u8],
}

/// What became of one source.
#[derive(Debug, Default)]
pub struct Reading<'a> {
    /// The article, if there was no error.
    pub article: Option<Article<'a>>,
    /// Its route, known for many invalid articles too. None: it cannot be told which
    /// route this source claims (its slug is wrong, or hidden behind a syntax error).
    pub route: Option<Route>,
    /// Errors and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// What cleaning changed.
    pub cleaned: Cleaned,
    /// Fields that the table does not know, unless they are allowed.
    pub unknown_fields: Vec<UnknownField>,
}

/// Reads one source: validates and cleans everything, reports every error.
#[must_use]
pub fn read<'a>(input: &Input<'a>, rules: &Rules) -> Reading<'a> {
    let text = match decode(input.bytes) {
        Ok(text) => text,
        Err((message, span)) => return refused(input, &message, span),
    };
    let mut findings = Findings::new(Arc::clone(&input.path), text, rules.strict);
    let Ok(parts) = split(text) else {
        let span = Span {
            line: 1,
            column: 1,
            length: 3,
        };
        let message = "expected a line '---' that closes the front matter opened here, found none";
        findings.error("front-matter", Some(span), message.to_owned(), None);
        return Reading {
            route: index_route(input),
            diagnostics: findings.into_sorted(),
            ..Reading::default()
        };
    };

    let yaml = parts.yaml.unwrap_or_default();
    let Document {
        root,
        errors,
        complete,
    } = yaml::read(yaml, parts.yaml_line);
    for error in errors {
        let code = if error.fault == Fault::Value {
            "source"
        } else {
            "front-matter"
        };
        findings.error(code, Some(error.span), error.message, error.help);
    }
    let mut tree = root;
    let (metadata, unknown_fields) = metadata(&mut tree, complete, rules, &mut findings);
    let route = route(input, &metadata, &tree, complete, &mut findings);

    let markdown = clean_body(parts.body, &mut findings.cleaned);
    let position = |offset| position(&markdown, offset, parts.body_line);
    let mut parsed = match Parsed::new(&markdown) {
        Ok(parsed) => Some(parsed),
        Err(TooDeep { offset, what }) => {
            let message = format!(
                "expected at most {} levels of nested {what}, found more",
                super::body::MAX_NESTING
            );
            findings.error("body", Some(position(offset)), message, None);
            None
        }
    };
    let title = complete
        .then(|| title(&metadata, &tree, parsed.as_mut(), position, &mut findings))
        .flatten();
    let body = parsed.map(|parsed| parsed.body).unwrap_or_default();
    if complete {
        cross::check(&metadata, &body, &tree, &mut findings);
    }
    let valid = findings.errors() == 0;
    let cleaned = findings.cleaned;
    let article = match (valid, &route, title) {
        (true, Some(route), Some(title)) => Some(Article {
            route: route.clone(),
            metadata,
            title,
            body,
        }),
        _ => None,
    };
    Reading {
        article,
        route,
        diagnostics: findings.into_sorted(),
        cleaned,
        unknown_fields,
    }
}

/// The text of the file, without a byte order mark; or what is wrong, and where.
fn decode(bytes: &[u8]) -> Result<&str, (String, Option<Span>)> {
    if bytes.len() > MAX_SOURCE_BYTES {
        return Err((
            format!(
                "expected at most {MAX_SOURCE_BYTES} bytes, found {}",
                bytes.len()
            ),
            None,
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let before = String::from_utf8_lossy(bytes.get(..offset).unwrap_or_default());
        let before = before.strip_prefix('\u{feff}').unwrap_or(&before);
        let span = position(before, before.len(), 1);
        let byte = bytes.get(offset).copied().unwrap_or_default();
        let message = format!(
            "expected UTF-8, found the byte 0x{byte:02x} at offset {offset} (line {})",
            span.line
        );
        (message, Some(span))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A source that is not even text.
fn refused<'a>(input: &Input<'a>, message: &str, span: Option<Span>) -> Reading<'a> {
    let shown = String::from_utf8_lossy(if span.is_some() { input.bytes } else { &[] });
    let mut findings = Findings::new(Arc::clone(&input.path), &shown, false);
    findings.error("source", span, message.to_owned(), None);
    Reading {
        route: index_route(input),
        diagnostics: findings.into_sorted(),
        ..Reading::default()
    }
}

/// The route of an index file depends on its folder alone.
fn index_route(input: &Input<'_>) -> Option<Route> {
    is_index(input.relative)
        .then(|| Route::new(input.relative, None).ok())
        .flatten()
}

fn metadata(
    tree: &mut Node,
    complete: bool,
    rules: &Rules,
    findings: &mut Findings<'_>,
) -> (Metadata, Vec<UnknownField>) {
    let policy = if rules.strict && rules.unknown_fields == UnknownFields::Warn {
        UnknownFields::Deny
    } else {
        rules.unknown_fields
    };
    let span = tree.span;
    let described = tree.describe();
    let entries: &mut [(Key, Node)] = match &mut tree.kind {
        // Half a tree would only yield errors that vanish with the syntax error.
        Kind::Mapping(entries) if complete => entries,
        Kind::Scalar { text, .. } if text.is_empty() => &mut [],
        _ => {
            if complete {
                let message = format!("expected fields 'name: value', found {described}");
                findings.error("front-matter", Some(span), message, None);
            }
            return (Metadata::default(), Vec::new());
        }
    };
    let mut validator = Validator {
        findings,
        policy,
        unknown: Vec::new(),
    };
    let entries = validator.fields(TABLE, entries, None, None);
    (Metadata { entries }, validator.unknown)
}

fn route(
    input: &Input<'_>,
    metadata: &Metadata,
    tree: &Node,
    complete: bool,
    findings: &mut Findings<'_>,
) -> Option<Route> {
    let entry = match &tree.kind {
        Kind::Mapping(entries) => entries.iter().find(|(key, _)| key.name == "slug"),
        _ => None,
    };
    if is_index(input.relative) {
        if let Some((key, _)) = entry.filter(|_| metadata.get("slug").is_some()) {
            let message =
                "expected no slug, found one: the route of an index file is its folder".to_owned();
            findings.warning("slug", Some(key.span), message, None);
        }
    }
    let slug = match (metadata.text("slug"), entry) {
        (Some(slug), _) => Some(slug.to_owned()),
        // Validation did not run, but the slug stands before the syntax error.
        (None, Some((_, node))) if !complete => Some(node.text().ok()?.to_owned()),
        // A wrong slug has been reported; an empty one is absent.
        (None, Some((_, node))) if !node.is_null() && findings.mentions("slug") => {
            return index_route(input);
        }
        (None, None) if !complete => return index_route(input),
        _ => None,
    };
    match Route::new(input.relative, slug.as_deref()) {
        Ok(route) => Some(route),
        Err(error) => {
            findings.error("route", None, error.to_string(), error.help());
            None
        }
    }
}

fn title(
    metadata: &Metadata,
    tree: &Node,
    parsed: Option<&mut Parsed<'_>>,
    position: impl Fn(usize) -> Span,
    findings: &mut Findings<'_>,
) -> Option<String> {
    if let Some(title) = metadata.text("title") {
        return Some(title.to_owned());
    }
    let wrong = matches!(&tree.kind, Kind::Mapping(entries) if entries.iter().any(|(key, _)| key.name == "title"))
        && findings.mentions("title");
    if wrong {
        return None;
    }
    let parsed = parsed?;
    let Some((text, offset)) = parsed.take_heading() else {
        let message =
            "expected a title in the front matter or a level-1 heading, found neither".to_owned();
        findings.error("title", None, message, None);
        return None;
    };
    let title = clean(text, &mut findings.cleaned);
    let count = title.chars().count();
    if !(1..=super::MAX_TITLE).contains(&count) {
        let message = format!(
            "expected a heading of 1 to {} characters as title, found {count}",
            super::MAX_TITLE
        );
        findings.error("title", Some(position(offset)), message, None);
        return None;
    }
    Some(title)
}

/// The place of a byte offset in `text`, whose first line is `first_line`, to the line's end.
fn position(text: &str, offset: usize, first_line: u32) -> Span {
    let before = text.get(..offset).unwrap_or(text);
    let mut line = first_line;
    let mut rest = before;
    while rest.contains(['\n', '\r']) {
        rest = super::front_matter::next_line(rest).1;
        line = line.saturating_add(1);
    }
    let column = u32::try_from(rest.chars().count() + 1).unwrap_or(u32::MAX);
    Span {
        line,
        column,
        length: u32::MAX,
    }
}

impl Article<'_> {
    /// Whether it is a draft.
    #[must_use]
    pub fn draft(&self) -> bool {
        self.metadata.get("draft") == Some(&Value::Flag(true))
    }

    /// Its own time to live in milliseconds, if it has one.
    #[must_use]
    pub fn ttl_ms(&self) -> Option<u64> {
        self.metadata
            .text("ttl")
            .and_then(crate::duration::parse_ms)
    }
}

/// A body without anything in it.
impl Body<'_> {
    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}
