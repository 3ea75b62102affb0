//! The meta box: all metadata of an article, every list and group of it a real HTML list.
//!
//! Made straight into a `String`: it has many small values, and handing each to a template
//! would cost more than the rest of the page.

use super::escape;
use super::url::{self, Use};
use crate::article::schema::{Field, Kind};
use crate::article::{Metadata, Value, shown_host};

/// Who answers for the article, what it should achieve, and the way back: these stand
/// together, in this order.
const RESPONSIBILITY: &[&str] = &["owner", "expected_result", "rollback_note"];

/// Lists of a few words each, which are set side by side; others have a line for each item.
const SIDE_BY_SIDE: &[&str] = &["stack", "tools", "tags", "categories", "entities", "author"];

/// The box, or nothing if there is nothing to show.
pub(super) fn write(metadata: &Metadata) -> String {
    if metadata.get("hide_meta") == Some(&Value::Flag(true)) {
        return String::new();
    }
    let fields = metadata.entries.len() + metadata.extra.len();
    let mut out = String::with_capacity(fields * 160 + 256);
    let is_shown = |field: &Field| !field.outside_box && !RESPONSIBILITY.contains(&field.name);
    let shown = || {
        let known = metadata.entries.iter();
        known.filter(|(field, _)| is_shown(field))
    };
    let has_details = shown().next().is_some() || !metadata.extra.is_empty();
    let mut responsible = RESPONSIBILITY
        .iter()
        .filter_map(|name| {
            metadata
                .entries
                .iter()
                .find(|(field, _)| field.name == *name)
        })
        .peekable();
    if !has_details && responsible.peek().is_none() {
        return out;
    }
    out.push_str("<aside aria-labelledby=\"about\">\n<h2 id=\"about\">About this article</h2>\n");
    if responsible.peek().is_some() {
        out.push_str("<h3>Responsibility</h3>\n<dl>\n");
        responsible.for_each(|(field, value)| entry(&mut out, field, value));
        out.push_str("</dl>\n");
        if has_details {
            out.push_str("<h3>Details</h3>\n");
        }
    }
    if has_details {
        out.push_str("<dl>\n");
        shown().for_each(|(field, value)| entry(&mut out, field, value));
        for (name, value) in &metadata.extra {
            out.push_str("<dt>");
            label(&mut out, name);
            out.push_str("</dt><dd>");
            self::value(&mut out, &Kind::Any, "", value);
            out.push_str("</dd>\n");
        }
        out.push_str("</dl>\n");
    }
    out.push_str("</aside>\n");
    out
}

/// One `<dt>` with its `<dd>`: the two cells of a row.
fn entry(out: &mut String, field: &Field, value: &Value) {
    out.push_str("<dt>");
    escape::text(out, field.label);
    out.push_str("</dt><dd>");
    self::value(out, &field.kind, field.name, value);
    out.push_str("</dd>\n");
}

/// Writes a value. `name` is empty if it is not a field of the table.
fn value(out: &mut String, kind: &Kind, name: &str, value: &Value) {
    match value {
        Value::Text(text) => self::text(out, kind, text),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Decimal(number) => out.push_str(number),
        Value::Flag(true) => out.push_str("true"),
        Value::Flag(false) => out.push_str("false"),
        Value::List(items) => {
            let of = match kind {
                Kind::List { of, .. } => of,
                _ => &Kind::Any,
            };
            out.push_str("<ul");
            if SIDE_BY_SIDE.contains(&name) {
                out.push_str(" class=\"row\"");
            }
            if items.iter().any(may_run_from_the_right) {
                out.push_str(" dir=\"auto\"");
            }
            out.push('>');
            for item in items {
                out.push_str("<li>");
                self::value(out, of, name, item);
                out.push_str("</li>");
            }
            out.push_str("</ul>");
        }
        Value::Group(members) => {
            let table = match kind {
                Kind::Group(table) => *table,
                _ => &[],
            };
            out.push_str("<dl>");
            for (member, value) in members {
                let field = table.iter().find(|field| field.name == member);
                out.push_str("<dt>");
                label(out, member);
                out.push_str("</dt><dd>");
                self::value(
                    out,
                    field.map_or(&Kind::Any, |field| &field.kind),
                    "",
                    value,
                );
                out.push_str("</dd>");
            }
            out.push_str("</dl>");
        }
        Value::Pairs(pairs) => {
            out.push_str("<dl>");
            for (label, text) in pairs {
                out.push_str("<dt>");
                escape::text(out, label);
                out.push_str("</dt><dd>");
                escape::text(out, text);
                out.push_str("</dd>");
            }
            out.push_str("</dl>");
        }
    }
}

/// Whether an item is a text that may be in a script that runs from right to left: those
/// begin at U+0590, which is `D6 90` in UTF-8. All other lists need no `dir`.
fn may_run_from_the_right(item: &Value) -> bool {
    matches!(item, Value::Text(text) if text.bytes().any(|byte| byte >= 0xD6))
}

fn text(out: &mut String, kind: &Kind, text: &str) {
    match kind {
        Kind::Date => {
            out.push_str("<time datetime=\"");
            escape::attribute(out, text);
            out.push_str("\">");
            escape::text(out, text);
            out.push_str("</time>");
        }
        Kind::Url if shown_host(text).is_some() && url::is_allowed(text, Use::Link) => {
            out.push_str("<a href=\"");
            url::write(out, text);
            out.push_str("\">");
            escape::text(out, text);
            out.push_str("</a>");
        }
        _ => escape::text(out, text),
    }
}

/// Writes the name of a member for people: `last_reviewed` → `Last reviewed`.
fn label(out: &mut String, member: &str) {
    // As a schema names members; any other name is a text as its author wrote it.
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if !member.bytes().all(is_name) {
        escape::text(out, member);
        return;
    }
    for (index, word) in member.split('_').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        match (word, index) {
            ("ai", _) => out.push_str("AI"),
            ("id", _) => out.push_str("ID"),
            ("url", _) => out.push_str("URL"),
            (_, 0) => {
                let mut chars = word.chars();
                out.extend(chars.next().map(|first| first.to_ascii_uppercase()));
                out.push_str(chars.as_str());
            }
            _ => out.push_str(word),
        }
    }
}
