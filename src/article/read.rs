//! One source through the boundary.
//!
//! 1. Size and UTF-8.
//! 2. Split into front matter and body.
//! 3. Front matter: YAML, TOML or JSON → tree with positions → values by the table.
//! 4. Body: cleaned, parsed once.
//! 5. Title, route, disagreements between fields.
//!
//! Each step reports all that it finds and hands on what it has, so that one reading
//! names every error of a file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::body::Parsed;
use super::cost::{self, Excess, Refused};
use super::dialect::blocks;
use super::findings::Findings;
use super::fingerprint::fingerprint;
use super::markup::Markup;
use super::metadata::{Metadata, Value};
use super::naming::SourceName;
use super::route::Route;
use super::rules::Rules;
use super::schema::TABLE;
use super::text::{Cleaned, clean_body};
use super::validate::Validator;
use super::visibility::{Further, Visibility, holds_back};
use super::{Article, claimed_route, cross, links, title};
use crate::characters::is_hidden;
use crate::diagnostic::{Diagnostic, Place, Span};
use crate::front_matter::{self, Parts, cut_values, position, split};
use crate::words::counted;
use crate::yaml::{Key, Kind, Node};

/// The longest source, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4 * 1024 * 1024;

/// One source.
#[derive(Debug)]
pub struct Input<'a> {
    /// The path as diagnostics show it.
    pub path: Arc<PathBuf>,
    /// The path below the content root, which decides the route.
    pub relative: &'a Path,
    /// What the body is written in.
    pub markup: Markup,
    /// The whole file.
    pub bytes: &'a [u8],
    /// Holds the body where cleaning changes it, so that the article borrows from it as from `bytes`.
    pub cleaned: &'a OnceLock<String>,
}

/// The result of reading one source.
#[derive(Debug, Default)]
pub struct Reading<'a> {
    /// The article, if there was no error.
    pub article: Option<Article<'a>>,
    /// The route it claims, known for most invalid articles too. None if its slug or a folder's name
    /// is no slug.
    pub route: Option<Route>,
    /// The front matter could not be read, and `route` is what the source most likely claims. The store
    /// keeps its page, but the route collides with none.
    pub route_guessed: bool,
    /// Errors and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// What cleaning changed.
    pub cleaned: Cleaned,
}

/// Reads one source: validates and cleans everything, reports every error.
#[must_use]
pub fn read<'a>(input: &Input<'a>, rules: &Rules) -> Reading<'a> {
    let text = match decode(input.bytes) {
        Ok(text) => text,
        Err((message, span)) => return refused(input, rules, &message, span),
    };
    let mut findings = Findings::new(Arc::clone(&input.path), text, rules.strict);
    let parts = match split(text, holds_back) {
        Ok(parts) => parts,
        Err(error) => {
            findings.error("front-matter", Some(error.span), error.message, error.help);
            return Reading::refused(input, rules, findings);
        }
    };

    let document = front_matter::read(&parts);
    warn_of_cut_values(&parts, &document.root, &mut findings);
    for error in document.errors {
        findings.error("front-matter", Some(error.span), error.message, error.help);
    }
    let (mut tree, complete) = (document.root, document.complete);
    let (mut metadata, further) = fields(&mut tree, complete, rules, &mut findings);
    let name = SourceName::new(input.relative, &rules.naming.languages);
    let said_by_name = name.as_ref().map_or_else(
        |_| String::new(),
        |name| add_from_name(&mut metadata, name, rules, &findings),
    );

    let cleaned = clean_body(parts.body, &mut findings.cleaned);
    let body_hash = *blake3::hash(cleaned.as_bytes()).as_bytes();
    let parsed = parse_body(input, cleaned, parts.body_line, &mut findings);
    if !complete {
        // The errors before the syntax error have been reported. Title, route and disagreements
        // would be judged by half the fields.
        let refused = Reading::refused(input, rules, findings);
        return Reading { ..refused };
    }

    let route = match &name {
        Ok(name) => claimed_route::known(name, &rules.naming, &metadata, &tree, &mut findings),
        Err(error) => {
            findings.error("route", None, error.to_string(), error.help());
            None
        }
    };
    let mut body = None;
    if let Some(mut parsed) = parsed {
        let title = title::find(&metadata, &mut parsed, &mut findings);
        cross::check(&metadata, &parsed.body, &tree, &mut findings);
        body = title.map(|title| (title, parsed.body));
    }
    let article = match (findings.errors(), &route, body) {
        (0, Some(route), Some((title, body))) => Some(Article {
            route: route.clone(),
            fingerprint: fingerprint(&title, &metadata, input.markup, &body_hash),
            body_hash: std::array::from_fn(|at| body_hash[at]),
            visibility: Visibility::with(
                &metadata,
                &rules.visibility_fields,
                &rules.timezone,
                further,
            ),
            metadata,
            title,
            said_by_name,
            body,
        }),
        _ => None,
    };
    let cleaned = findings.cleaned;
    let diagnostics = findings.into_sorted();
    Reading {
        article,
        route,
        route_guessed: false,
        diagnostics,
        cleaned,
    }
}

/// Warns of comments that most likely belong to the value before them.
fn warn_of_cut_values(parts: &Parts<'_>, tree: &Node, findings: &mut Findings<'_>) {
    for span in cut_values(parts, tree) {
        let message = "expected the whole value, found a comment that cuts it short".to_owned();
        let help = "quote the value if '#' belongs to it, or put a space behind '#'".to_owned();
        findings.warning("front-matter", Some(span), message, Some(help));
    }
}

/// Parses a cleaned body, rewritten first where generators read more than CommonMark. None if it is
/// refused, which is reported.
fn parse_body<'a>(
    input: &Input<'a>,
    body: Cow<'a, str>,
    first_line: u32,
    findings: &mut Findings<'_>,
) -> Option<Parsed<'a>> {
    if input.markup == Markup::Html {
        return parse_html(input, body, first_line, findings);
    }
    let mut report =
        |markdown: &str, refused| report_refused(markdown, refused, first_line, findings);
    if let Err(refused) = cost::refuse_costly(&body) {
        report(&body, refused);
        return None;
    }
    let mut rewritten = blocks::rewrite(&body);
    let markdown: &'a str = match (&mut rewritten, body) {
        (Some(rewritten), _) => {
            let text = std::mem::take(&mut rewritten.text);
            input.cleaned.get_or_init(|| text)
        }
        (None, Cow::Borrowed(body)) => body,
        (None, Cow::Owned(body)) => input.cleaned.get_or_init(|| body),
    };
    let judged = match rewritten {
        Some(_) => cost::refuse_costly(markdown),
        None => Ok(()),
    };
    let is_mdx = input.markup == Markup::Mdx;
    let parse = |()| Parsed::rewritten(markdown, rewritten.unwrap_or_default(), is_mdx);
    match judged.and_then(parse) {
        Ok(mut parsed) => {
            parsed.body.first_line = first_line;
            note_foreign(&parsed, findings);
            Some(parsed)
        }
        Err(refused) => {
            report(markdown, refused);
            None
        }
    }
}

/// Parses a cleaned body of HTML. None if it is refused, which is reported.
fn parse_html<'a>(
    input: &Input<'a>,
    body: Cow<'a, str>,
    first_line: u32,
    findings: &mut Findings<'_>,
) -> Option<Parsed<'a>> {
    let html: &'a str = match body {
        Cow::Borrowed(body) => body,
        Cow::Owned(body) => input.cleaned.get_or_init(|| body),
    };
    match Parsed::of_html(html) {
        Ok(mut parsed) => {
            parsed.body.first_line = first_line;
            Some(parsed)
        }
        Err(refused) => {
            report_refused(html, refused, first_line, findings);
            None
        }
    }
}

/// Reports that a body is refused.
fn report_refused(body: &str, refused: Refused, first_line: u32, findings: &mut Findings<'_>) {
    let Refused { offset, why } = refused;
    let help = (why == Excess::Markup).then(|| "split the article".to_owned());
    let place = position(body, offset, first_line);
    findings.error("body", Some(place), why.to_string(), help);
}

/// Notes what the body has that anp does not run.
fn note_foreign(parsed: &Parsed<'_>, findings: &mut Findings<'_>) {
    for foreign in &parsed.foreign.named {
        let times = match foreign.times {
            1 => String::new(),
            times => format!(" ({times} times)"),
        };
        let what = foreign.kind.message();
        let shown = foreign.shown.replace(is_hidden, " ");
        let mut place = parsed.body.place_of(foreign.offset);
        place.length = shown.chars().count().try_into().unwrap_or(u32::MAX);
        let message = format!("{what} {shown}{times}");
        findings.warning("body.foreign", Some(place), message, None);
    }
    if parsed.foreign.unnamed > 0 {
        let more = counted(parsed.foreign.unnamed.into(), "more piece");
        let message = format!("found {more} of syntax that anp does not run");
        findings.warning("body.foreign", None, message, None);
    }
}

impl Reading<'_> {
    /// Of a source that could not be read far enough to know its fields.
    fn refused(input: &Input<'_>, rules: &Rules, findings: Findings<'_>) -> Self {
        Self {
            route: guess_route(input.relative, input.bytes, rules),
            route_guessed: true,
            cleaned: findings.cleaned,
            diagnostics: findings.into_sorted(),
            ..Self::default()
        }
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

/// A source that is too long, or not even text.
fn refused<'a>(input: &Input<'a>, rules: &Rules, message: &str, span: Option<Span>) -> Reading<'a> {
    let shown = String::from_utf8_lossy(if span.is_some() { input.bytes } else { &[] });
    let mut findings = Findings::new(Arc::clone(&input.path), &shown, false);
    findings.error("source", span, message.to_owned(), None);
    Reading::refused(input, rules, findings)
}

/// Adds what the name of the source says and its front matter does not, and returns that as text.
fn add_from_name(
    metadata: &mut Metadata,
    name: &SourceName<'_>,
    rules: &Rules,
    findings: &Findings<'_>,
) -> String {
    let mut said = String::new();
    let date = name.date().map(str::to_owned).map(Value::Text);
    let language = name.language().map(Value::Text);
    let draft = name.is_draft().then_some(Value::Flag(true));
    for (field, value) in [("date", date), ("lang", language), ("draft", draft)] {
        let Some(value) = value else {
            continue;
        };
        // A wrong value of its own has been reported.
        if metadata.get(field).is_none() && !findings.mentions(field) {
            let text = match &value {
                Value::Text(text) => text,
                _ => "true",
            };
            said.extend([field, ": ", text, "\n"]);
            metadata.add(rules.schema.fields(), field, value);
        }
    }
    said
}

/// The fields of the front matter. Of an incomplete tree, those before the syntax error.
pub(super) fn fields(
    tree: &mut Node,
    complete: bool,
    rules: &Rules,
    findings: &mut Findings<'_>,
) -> (Metadata, Further) {
    if complete && !matches!(tree.kind, Kind::Mapping(_)) && !tree.is_null() {
        let message = format!("expected fields 'name: value', found {}", tree.describe());
        let toml = matches!(&tree.kind, Kind::Scalar { text, .. } if text.contains(" = "));
        let help = toml.then(|| "put TOML between two lines '+++'".to_owned());
        findings.error("front-matter", Some(tree.span), message, help);
    }
    let ask_for_all = rules.strict && complete;
    let mut validator = Validator {
        findings,
        rules,
        ask_for_all,
        further: Further::default(),
    };
    let entries = match &mut tree.kind {
        Kind::Mapping(entries) => {
            lift_taxonomies(entries);
            entries.as_mut_slice()
        }
        _ => &mut [],
    };
    let metadata = validator.metadata(entries);
    (metadata, validator.further)
}

/// Zola has tags and categories inside `taxonomies`: anp takes them out as ordinary fields.
fn lift_taxonomies(entries: &mut Vec<(Key, Node)>) {
    let is_group = |(key, node): &(Key, Node)| {
        key.name == "taxonomies" && matches!(node.kind, Kind::Mapping(_))
    };
    let Some(at) = entries.iter().position(is_group) else {
        return;
    };
    let (_, group) = entries.remove(at);
    if let Kind::Mapping(members) = group.kind {
        let is_new = |(key, _): &(Key, Node)| entries.iter().all(|(own, _)| own.name != key.name);
        let members: Vec<_> = members.into_iter().filter(is_new).collect();
        entries.extend(members);
    }
}

/// The links of a source, whose body is in `markup`, whose destination, as written, `is_meant`, each with its place: up to `most`
/// of them.
#[must_use]
pub fn link_places(
    bytes: &[u8],
    markup: Markup,
    most: usize,
    is_meant: impl FnMut(&str) -> bool,
) -> Vec<(String, Place)> {
    let Ok(text) = decode(bytes) else {
        return Vec::new();
    };
    let Ok(parts) = split(text, holds_back) else {
        return Vec::new();
    };
    let body = clean_body(parts.body, &mut Cleaned::default());
    let found = match markup {
        Markup::Html => links::html_places(&body, parts.body_line, most, is_meant),
        Markup::Markdown | Markup::Mdx => links::places(&body, parts.body_line, most, is_meant),
    };
    let placed = found.into_iter();
    placed
        .map(|(destination, span)| (destination, Place::in_text(text, span)))
        .collect()
}

/// The place of the alias `name` in the front matter of a source, or of all its aliases if none is written like
/// that; none if it has none.
#[must_use]
pub fn alias_place(bytes: &[u8], name: &str) -> Option<Place> {
    let text = decode(bytes).ok()?;
    let parts = split(text, holds_back).ok()?;
    let root = front_matter::read(&parts).root;
    let field = TABLE.iter().find(|field| field.name == "aliases")?;
    let mut entries = root.mapping().ok()?.iter();
    let (_, aliases) = entries.find(|(key, _)| field.answers_to(&key.name))?;
    let is_meant = |item: &&Node| item.text().is_ok_and(|text| text.trim() == name);
    let item = aliases
        .list()
        .ok()
        .and_then(|items| items.iter().find(is_meant));
    Some(Place::in_text(text, item.unwrap_or(aliases).span))
}

/// The route that a source claims, or most likely claims if its front matter cannot be read, without
/// reading its body; none if it is not known.
#[must_use]
pub fn read_claim(relative: &Path, bytes: &[u8], rules: &Rules) -> Option<Route> {
    read_route(relative, bytes, rules).or_else(|| guess_route(relative, bytes, rules))
}

/// The route that a source most likely claims whose front matter cannot be read.
fn guess_route(relative: &Path, bytes: &[u8], rules: &Rules) -> Option<Route> {
    let naming = &rules.naming;
    let name = SourceName::new(relative, &naming.languages).ok()?;
    claimed_route::guessed(&name, naming, bytes)
}

/// The route that a source claims, without reading its body; none if it is not known.
#[must_use]
pub fn read_route(relative: &Path, bytes: &[u8], rules: &Rules) -> Option<Route> {
    let text = decode(bytes).ok()?;
    let parts = split(text, holds_back).ok()?;
    // Whoever reads the whole source reports what is wrong.
    let mut findings = Findings::new(Arc::default(), text, rules.strict);
    let mut document = front_matter::read(&parts);
    let (metadata, ..) = fields(&mut document.root, document.complete, rules, &mut findings);
    if !document.complete {
        return None;
    }
    let naming = &rules.naming;
    let name = SourceName::new(relative, &naming.languages).ok()?;
    claimed_route::known(&name, naming, &metadata, &document.root, &mut findings)
}
