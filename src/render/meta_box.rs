//! The meta box: all metadata of an article, every list and group of it a real HTML list.
//!
//! Made straight into a `String`: it has many small values, and handing each to a template
//! would cost more than the rest of the page.

use super::lists::value_route;
use super::url::{self, Use};
use super::{escape, label};
use crate::article::schema::{Field, Kind};
use crate::article::{Metadata, Value, shown_host};

/// Who answers for the article, what it should achieve, and the way back: these stand
/// together, in this order.
const RESPONSIBILITY: &[&str] = &["owner", "expected_result", "rollback_note"];

/// Lists of a few words each, which are set side by side; others have a line for each item.
const SIDE_BY_SIDE: &[&str] = &["stack", "tools", "tags", "categories", "entities", "author"];

/// What machines read more often than people: at the end, folded.
const TECHNICAL: &[&str] = &["ai_brief", "flags", "hash", "payload", "reference", "slug"];

/// Which fields the box has, by the names of the schema or, for own fields, their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoxFields {
    /// Only these, in this order; all if it is empty.
    pub show: Vec<String>,
    /// Not these.
    pub hide: Vec<String>,
}

impl BoxFields {
    /// Bytes that differ from those of other choices; empty for the default.
    pub(super) fn identity(&self) -> Vec<u8> {
        let mut identity = Vec::new();
        for (mark, names) in [(0, &self.show), (1, &self.hide)] {
            for name in names {
                identity.push(mark);
                identity.extend(name.as_bytes());
                // No name has this byte in it.
                identity.push(0xff);
            }
        }
        identity
    }
}

/// A field that is shown.
enum Row<'m> {
    Known(&'m Field, &'m Value),
    Own(&'m str, &'m Value),
}

impl Row<'_> {
    fn name(&self) -> &str {
        match self {
            Row::Known(field, _) => field.name,
            Row::Own(name, _) => name,
        }
    }

    /// One `<dt>` with its `<dd>`: the two cells of a row. The values of the fields in `listed` link to
    /// their lists.
    fn write(&self, out: &mut String, listed: &[String]) {
        let listed = listed.iter().find(|name| *name == self.name());
        let listed = listed.map(String::as_str);
        out.push_str("<dt>");
        match self {
            Row::Known(field, _) => escape::text(out, field.label),
            Row::Own(name, _) => label(out, name),
        }
        out.push_str("</dt><dd>");
        match self {
            Row::Known(field, value) => {
                self::value(out, (&field.kind, field.name), listed, value);
            }
            Row::Own(_, value) => self::value(out, (&Kind::Any, ""), listed, value),
        }
        out.push_str("</dd>\n");
    }
}

/// The box, or nothing if there is nothing to show. It is folded: readers came for the article. The values
/// of the fields in `listed` link to their lists.
pub(super) fn write(metadata: &Metadata, fields: &BoxFields, listed: &[String]) -> String {
    if metadata.get("hide_meta") == Some(&Value::Flag(true)) {
        return String::new();
    }
    let mut out =
        String::with_capacity((metadata.entries.len() + metadata.extra.len()) * 160 + 256);
    let [responsible, details, technical] = rows(metadata, fields);
    if responsible.is_empty() && details.is_empty() && technical.is_empty() {
        return out;
    }
    out.push_str(
        "<aside aria-labelledby=\"about\">\n<details>\n\
         <summary><h2 id=\"about\">About this article</h2></summary>\n",
    );
    if !responsible.is_empty() {
        out.push_str("<h3>Responsibility</h3>\n");
        list(&mut out, &responsible, listed);
        if !details.is_empty() {
            out.push_str("<h3>Details</h3>\n");
        }
    }
    list(&mut out, &details, listed);
    if !technical.is_empty() {
        out.push_str("<details>\n<summary>Technical details</summary>\n");
        list(&mut out, &technical, listed);
        out.push_str("</details>\n");
    }
    out.push_str("</details>\n</aside>\n");
    out
}

/// The rows: who is responsible, what readers care about, and what machines do.
fn rows<'m>(metadata: &'m Metadata, fields: &BoxFields) -> [Vec<Row<'m>>; 3] {
    let known = metadata.entries.iter();
    let known = known.filter(|(field, _)| !field.outside_box);
    let known = known.map(|(field, value)| Row::Known(field, value));
    let own = metadata.extra.iter();
    let own = own.map(|(name, value)| Row::Own(name, value));
    let is_shown = |row: &Row<'_>| !fields.hide.iter().any(|name| name == row.name());
    let all = known.chain(own).filter(is_shown);
    let place = |names: &[&str], row: &Row<'_>| names.iter().position(|name| *name == row.name());
    let mut rows = [Vec::new(), Vec::new(), Vec::new()];
    if fields.show.is_empty() {
        for row in all {
            let part = match row {
                _ if place(RESPONSIBILITY, &row).is_some() => 0,
                Row::Known(..) if place(TECHNICAL, &row).is_some() => 2,
                _ => 1,
            };
            rows[part].push(row);
        }
        rows[0].sort_by_key(|row| place(RESPONSIBILITY, row));
    } else {
        let place = |row: &Row<'_>| fields.show.iter().position(|name| name == row.name());
        rows[1].extend(all.filter(|row| place(row).is_some()));
        rows[1].sort_by_key(place);
    }
    rows
}

fn list(out: &mut String, rows: &[Row<'_>], listed: &[String]) {
    if !rows.is_empty() {
        out.push_str("<dl>\n");
        rows.iter().for_each(|row| row.write(out, listed));
        out.push_str("</dl>\n");
    }
}

/// Writes a value of this kind. `name` is empty if it is not a field of the table; `listed` is the field
/// whose lists its texts link to.
fn value(out: &mut String, (kind, name): (&Kind, &str), listed: Option<&str>, value: &Value) {
    match value {
        Value::Text(text) => match listed.and_then(|field| value_route(field, text)) {
            Some(route) => {
                out.push_str("<a href=\"");
                out.push_str(route.as_str());
                out.push_str("\">");
                escape::text(out, text);
                out.push_str("</a>");
            }
            None => self::text(out, kind, text),
        },
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
                self::value(out, (of, name), listed, item);
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
                let kind = field.map_or(&Kind::Any, |field| &field.kind);
                self::value(out, (kind, ""), None, value);
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
    if label::is_plain(member) {
        label::write(out, member);
    } else {
        escape::text(out, member);
    }
}
