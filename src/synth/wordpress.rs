//! Articles as the items of a WordPress export (WXR 1.2).

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use pulldown_cmark::{Options, Parser, html};
use serde_json::{Map, Value};

use super::record::record;
use super::{Attack, Kind, SynthArticle};
use crate::yaml::normalise;

/// What stands before all items.
pub(super) const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0"
  xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
<title>Seeded articles</title>
<link>https://example.org</link>
<wp:wxr_version>1.2</wp:wxr_version>
"#;

/// What stands behind them.
pub(super) const TAIL: &str = "</channel>\n</rss>\n";

/// Most tags and categories that an item may have.
const MOST_TERMS: usize = 64;

/// Article `n` as an item. One that WordPress cannot hold makes an item that cannot be read.
pub(super) fn item(n: u64, kind: Kind, article: &SynthArticle) -> Vec<u8> {
    let address = article.path.strip_suffix(".md").unwrap_or(&article.path);
    // Only in Markdown do references make a page many times the size of its source.
    let is_flood = kind == Kind::Hostile(Attack::FootnoteFlood);
    let fields = (!is_flood).then(|| record(article)).flatten();
    let item = fields.and_then(|fields| whole(n, address, fields));
    let broken =
        || format!("<item>\n<title>\n<link>https://example.org/{address}/</link>\n</item>\n");
    item.unwrap_or_else(broken).into_bytes()
}

fn whole(n: u64, address: &str, mut fields: Map<String, Value>) -> Option<String> {
    // An export would keep one of two fields with one name, and warn.
    let mut names: Vec<String> = fields.keys().map(|key| normalise(key)).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    fields.remove("path");
    let slug = address.rsplit('/').next().unwrap_or(address);
    let body = fields.remove("body");
    let mut out = String::from("<item>\n");
    put(
        &mut out,
        "title",
        &escaped(fields.remove("title")?.as_str()?),
    );
    put(&mut out, "link", &format!("https://example.org/{address}/"));
    put(&mut out, "content:encoded", &blocks(body?.as_str()?));
    put(&mut out, "wp:post_id", &n.to_string());
    put(&mut out, "wp:post_name", slug);
    for (field, elements) in [
        ("date", ["wp:post_date", "wp:post_date_gmt"]),
        ("updated", ["wp:post_modified", "wp:post_modified_gmt"]),
    ] {
        if let Some(value) = fields.remove(field) {
            let moment = moment(value.as_str()?)?;
            for element in elements {
                put(&mut out, element, &moment);
            }
        }
    }
    put(&mut out, "wp:status", "publish");
    put(&mut out, "wp:post_type", "post");
    for (field, domain) in [("categories", "category"), ("tags", "post_tag")] {
        if let Some(names) = fields.remove(field) {
            terms(&mut out, domain, names.as_array()?)?;
        }
    }
    for (field, value) in &fields {
        out.push_str("<wp:postmeta>\n");
        put(&mut out, "wp:meta_key", &format!("_anp_{field}"));
        put(&mut out, "wp:meta_value", &meta_value(value));
        out.push_str("</wp:postmeta>\n");
    }
    out.push_str("</item>\n");
    Some(out)
}

fn terms(out: &mut String, domain: &str, names: &[Value]) -> Option<()> {
    for name in names {
        let name = cdata(&escaped(name.as_str()?));
        let _ = writeln!(out, "<category domain=\"{domain}\">{name}</category>");
    }
    (names.len() <= MOST_TERMS).then_some(())
}

/// The body as a block, which WordPress shows as it is.
fn blocks(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
    let mut out = String::from("<!-- wp:html -->\n");
    html::push_html(&mut out, Parser::new_ext(markdown, options));
    out.push_str("<!-- /wp:html -->");
    out
}

/// A day, or a moment, as WordPress writes it.
fn moment(text: &str) -> Option<String> {
    let utc = text.parse().ok();
    let utc = utc.map(|moment: Timestamp| TimeZone::UTC.to_datetime(moment));
    let day = || text.parse().ok().map(|day: Date| day.at(0, 0, 0, 0));
    let moment: DateTime = utc.or_else(day)?;
    Some(moment.strftime("%F %T").to_string())
}

fn put(out: &mut String, element: &str, text: &str) {
    let _ = writeln!(out, "<{element}>{}</{element}>", cdata(text));
}

fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// A text as HTML: titles and the names of terms are.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The value of a custom field: lists and mappings are serialised.
fn meta_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => {
            let mut out = String::new();
            serialise(value, &mut out);
            out
        }
        plain => plain.to_string(),
    }
}

/// Writes a value as PHP's `serialize` does.
fn serialise(value: &Value, out: &mut String) {
    let _ = match value {
        Value::Null => write!(out, "N;"),
        Value::Bool(yes) => write!(out, "b:{};", u8::from(*yes)),
        Value::Number(number) if number.is_i64() => write!(out, "i:{number};"),
        Value::Number(number) => write!(out, "d:{number};"),
        Value::String(text) => write!(out, "s:{}:\"{text}\";", text.len()),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            array(items.map(|(at, item)| (Value::from(at), item)), out)
        }
        Value::Object(members) => {
            let members = members.iter();
            array(members.map(|(key, item)| (Value::from(&**key), item)), out)
        }
    };
}

fn array<'v>(
    members: impl ExactSizeIterator<Item = (Value, &'v Value)>,
    out: &mut String,
) -> std::fmt::Result {
    write!(out, "a:{}:{{", members.len())?;
    for (key, value) in members {
        serialise(&key, out);
        serialise(value, out);
    }
    out.write_char('}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Generator, Options as Articles};
    use super::*;

    #[test]
    fn values_are_serialised_as_php_does() {
        for (value, expected) in [
            (json!("plain"), "plain"),
            (json!(12), "12"),
            (json!(false), "false"),
            (json!(["ö", null]), r#"a:2:{i:0;s:2:"ö";i:1;N;}"#),
            (
                json!({"a": {"b": [true, -1, 1.5]}}),
                r#"a:1:{s:1:"a";a:1:{s:1:"b";a:3:{i:0;b:1;i:1;i:-1;i:2;d:1.5;}}}"#,
            ),
        ] {
            assert_eq!(meta_value(&value), expected, "{value}");
        }
    }

    #[test]
    fn what_wordpress_has_no_place_for_breaks_the_item() {
        let article = Generator::new(1, Articles::default()).article(7);
        let with = |from: &str, to: &str| {
            let text = String::from_utf8(article.bytes.clone()).unwrap();
            let bytes = text.replacen(from, to, 1).into_bytes();
            let path = article.path.clone();
            let item = item(7, Kind::Valid, &SynthArticle { path, bytes });
            String::from_utf8(item).unwrap()
        };
        let whole = with("", "");
        for element in ["content:encoded", "wp:post_date_gmt", "category domain="] {
            assert!(whole.contains(&format!("<{element}")), "{whole}");
        }
        for (from, to) in [
            ("date: 20", "date: soon 20"),
            ("tags: [", "tags: x # ["),
            ("title: ", "head: "),
            ("topic: ", "TOPIC: twice\ntopic: "),
        ] {
            assert!(!with(from, to).contains("</title>"), "{from}");
        }
    }

    #[test]
    fn a_moment_is_written_in_utc() {
        for (text, expected) in [
            ("2024-05-01", Some("2024-05-01 00:00:00")),
            ("2024-05-01T12:30:00+02:00", Some("2024-05-01 10:30:00")),
            ("2023-02-29", None),
        ] {
            assert_eq!(moment(text).as_deref(), expected, "{text}");
        }
    }
}
