//! What holds for every source, and the tree of a front matter beside that of another reader.

pub mod packed;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anp::article::{Article, Input, Markup, Rules, holds_back, read};
use anp::diagnostic::{Diagnostic, Severity, Span, draw::render};
use anp::front_matter::{self, next_line, split};
use anp::yaml::{Document, Key, Kind, Node, plain, read_by_parser, read_repaired};
use serde_json::Value;
use toml::Value as Toml;

pub(crate) type Take<'t> = dyn FnMut(Option<&Article<'_>>, &[Diagnostic]) + 't;

/// Reads a source, which is refused with an error or read, and hands it on with what is said of it.
pub(crate) fn with_article(path: &Path, bytes: &[u8], markup: Markup, take: &mut Take<'_>) {
    let cleaned = OnceLock::new();
    let input = Input {
        path: Arc::new(PathBuf::from(path)),
        relative: path,
        markup,
        bytes,
        cleaned: &cleaned,
    };
    let reading = read(&input, &Rules::default());
    let refused = reading
        .diagnostics
        .iter()
        .any(|found| found.severity == Severity::Error);
    assert!(
        !(refused && reading.article.is_some()),
        "an error and an article"
    );
    take(reading.article.as_ref(), &reading.diagnostics);
}

/// Reads a source through the public boundary. Nothing panics, a source is refused with an error
/// or read, and every place lies inside of the text. Gives the tree of the front matter, if it
/// was read without an error.
pub fn boundary(bytes: &[u8]) -> Option<Node> {
    with_article(
        Path::new("x.md"),
        bytes,
        Markup::Markdown,
        &mut |_, found| {
            for found in found {
                let drawn = render(found, false);
                assert!(!drawn.contains(['\0', '\u{1b}', '\t']), "{drawn:?}");
            }
        },
    );
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = lines(text);
    let parts = match split(text, holds_back) {
        Ok(parts) => parts,
        Err(error) => {
            inside(error.span, &lines);
            return None;
        }
    };
    let Document {
        root,
        errors,
        complete,
    } = front_matter::read(&parts);
    for error in &errors {
        inside(error.span, &lines);
    }
    places(&root, &lines);
    assert!(
        complete || !errors.is_empty(),
        "broken off without an error"
    );
    parts.format?;
    errors.is_empty().then_some(root)
}

/// The characters of each line.
fn lines(text: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        lines.push(line.chars().count());
        rest = after;
    }
    // An end of the text is a place, too.
    lines.push(0);
    lines
}

fn inside(span: Span, lines: &[usize]) {
    let line = span.line as usize;
    assert!((1..=lines.len()).contains(&line), "{span:?}");
    assert!(
        (1..=lines[line - 1] + 1).contains(&(span.column as usize)),
        "{span:?}"
    );
}

fn places(node: &Node, lines: &[usize]) {
    inside(node.span, lines);
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::Sequence(items) => items.iter().for_each(|item| places(item, lines)),
        Kind::Mapping(entries) => {
            for (key, node) in entries {
                inside(key.span, lines);
                places(node, lines);
            }
        }
    }
}

/// Whether a tree is the value that `serde_json` makes of the same text.
pub fn is_json(node: &Node, value: &Value) -> bool {
    match (&node.kind, value) {
        (Kind::Sequence(items), Value::Array(values)) => {
            items.len() == values.len() && items.iter().zip(values).all(|(a, b)| is_json(a, b))
        }
        (Kind::Mapping(entries), Value::Object(members)) => {
            let known = |(key, node): &(Key, Node)| {
                let value = members.get(key.text());
                value.is_some_and(|value| is_json(node, value))
            };
            entries.len() == members.len() && entries.iter().all(known)
        }
        (Kind::Scalar { text, plain: false }, Value::String(value)) => text == value,
        (Kind::Scalar { text, plain: true }, Value::Null) => text.is_empty(),
        (Kind::Scalar { text, plain: true }, Value::Bool(value)) => *text == value.to_string(),
        (Kind::Scalar { text, plain: true }, Value::Number(value)) => {
            // `serde_json` may miss the last digit of a long fraction.
            let near = |a: f64, b: f64| (a - b).abs() <= a.abs() * 1e-14;
            let float = || Some(near(text.parse().ok()?, value.as_f64()?));
            *text == value.to_string() || value.is_f64() && float() == Some(true)
        }
        _ => false,
    }
}

/// Whether a tree is the value that `toml` makes of the same text.
pub fn is_toml(node: &Node, value: &Toml) -> bool {
    let is_plain = |text: &str| matches!(&node.kind, Kind::Scalar { text: found, plain: true } if found == text);
    match (&node.kind, value) {
        (Kind::Sequence(items), Toml::Array(values)) => {
            items.len() == values.len() && items.iter().zip(values).all(|(a, b)| is_toml(a, b))
        }
        (Kind::Mapping(entries), Toml::Table(members)) => {
            let known = |(key, node): &(Key, Node)| {
                let value = members.get(key.text());
                value.is_some_and(|value| is_toml(node, value))
            };
            entries.len() == members.len() && entries.iter().all(known)
        }
        (Kind::Scalar { text, plain: false }, Toml::String(value)) => text == value,
        (_, Toml::Boolean(value)) => is_plain(&value.to_string()),
        (_, Toml::Integer(value)) => is_plain(&value.to_string()),
        (_, Toml::Datetime(value)) => is_plain(&value.to_string()),
        (Kind::Scalar { text, plain: true }, Toml::Float(value)) => {
            let found: Option<f64> = text.parse().ok();
            found.is_some_and(|found| found == *value || found.is_nan() && value.is_nan())
        }
        _ => false,
    }
}

/// Reads `text` as front matter in TOML; it is what `toml` reads.
pub fn toml(text: &str) -> Option<Node> {
    let lines = text.split(['\n', '\r']);
    let closes = |line: &str| line.trim_end_matches([' ', '\t']) == "+++";
    let closed = lines.into_iter().any(closes);
    let tree = boundary(format!("+++\n{text}\n+++\n").as_bytes())?;
    // A number can be too large for the one; and its own last line can close the front matter.
    if let Ok(table) = text.parse::<toml::Table>()
        && !closed
    {
        let table = Toml::Table(table);
        assert!(is_toml(&tree, &table), "{text}\n{tree:#?}\n{table:#?}");
    }
    Some(tree)
}

/// Reads `text` as front matter in JSON, with and without fences; it is what `serde_json` reads.
pub fn json(text: &str) -> Option<Node> {
    boundary(format!("{text}\nbody\n").as_bytes());
    let tree = boundary(format!("---json\n{text}\n---\n").as_bytes())?;
    // It is read to the first line `---`, which no text in JSON can have.
    if let Ok(value) = serde_json::from_str(text) {
        assert!(is_json(&tree, &value), "{text}\n{tree:#?}\n{value:#?}");
    }
    Some(tree)
}

/// Reads `text` as front matter in YAML: the two readers agree, and what is repaired for the
/// parser is what the parser reads, where it takes both.
pub fn yaml(text: &str) -> Option<Node> {
    let whole = read_by_parser(text, 1);
    if let Some(fast) = plain::read(text, 1) {
        assert_eq!(fast, whole, "{text}");
    }
    if let Some(repaired) = read_repaired(text, 1)
        && whole.complete
    {
        assert_eq!(repaired, whole, "{text}");
    }
    boundary(format!("---\n{text}\n---\nbody\n").as_bytes())
}
