//! What `anp show` prints of one route.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Output;
use crate::article::Route;
use crate::duration;
use crate::duration::show_time;
use crate::publish::stored_route::{StoredObject, StoredRoute};
use crate::render;

/// Width of the page as text, in columns.
const TEXT_WIDTH: usize = 100;

/// Prints what the store holds for `route`.
pub(crate) fn show(stored: &StoredRoute, route: &Route, output: &mut Output) {
    let StoredRoute {
        page,
        meta,
        text: markdown,
        now_ms,
    } = stored;
    let parsed: Option<Value> = meta
        .as_ref()
        .and_then(|held| serde_json::from_slice(held.value.as_ref()?).ok());
    output.json(&json!({
        "type": "route", "route": route.as_str(),
        "page": page.as_ref().map(|held| summary(held, *now_ms)),
        "meta": meta.as_ref().map(|held| summary(held, *now_ms)),
        "text": markdown.as_ref().map(|held| summary(held, *now_ms)),
        "digest": page_digest(page.as_ref()), "metadata": parsed,
    }));
    if !output.is_json() {
        text(output, route, stored, parsed.as_ref());
    }
}

fn time_left(object: &StoredObject, now_ms: i64) -> String {
    match object.expires_at_ms {
        None => "no expiry".to_owned(),
        Some(at) => {
            let left = duration::show((at - now_ms).max(0).unsigned_abs());
            format!("{left} left, until {}", show_time(at))
        }
    }
}

fn summary(object: &StoredObject, now_ms: i64) -> Value {
    json!({
        "key": object.key, "kind": object.kind, "expires_at": object.expires_at_ms,
        "left_ms": object.expires_at_ms.map(|at| (at - now_ms).max(0)),
        "bytes": object.value.as_ref().map(Vec::len),
    })
}

fn page_digest(page: Option<&StoredObject>) -> Option<String> {
    let value = page?.value.as_ref()?;
    let tail = &value[value.len().saturating_sub(render::PAGE_TAIL_BYTES)..];
    render::page_digest(tail).map(|digest| digest.to_string())
}

fn text(output: &mut Output, route: &Route, stored: &StoredRoute, parsed: Option<&Value>) {
    let (page, meta, now_ms) = (stored.page.as_ref(), stored.meta.as_ref(), stored.now_ms);
    output.text(format!("{route}\n"));
    let objects = [("page", page), ("meta", meta)].into_iter();
    // Most articles have none.
    let text = stored.text.iter().map(|held| ("text", Some(held)));
    for (name, held) in objects.chain(text) {
        output.text(match held {
            None => format!("  {name:11}absent"),
            Some(StoredObject {
                value: None,
                kind,
                key,
                ..
            }) => {
                format!("  {name:11}{key}: a {kind}, not written by anp")
            }
            Some(held) => {
                let bytes = held.value.as_ref().map_or(0, Vec::len);
                let left = time_left(held, now_ms);
                format!("  {name:11}{}: {bytes} bytes, {left}", held.key)
            }
        });
    }
    if let Some(digest) = page_digest(page) {
        output.text(format!("  {:11}{digest}", "digest"));
    }
    if let Some(Value::Object(meta)) = parsed {
        for name in ["run", "written_at", "robots"] {
            if let Some(Value::String(value)) = meta.get(name) {
                output.text(format!("  {name:11}{value}"));
            }
        }
        if let Some(metadata) = meta.get("metadata") {
            output.text("");
            show_value(output, metadata, 1);
        }
    }
    if let Some(value) = page.and_then(|held| held.value.as_ref()) {
        output.text("");
        output.text(page_text(value));
    }
}

/// Metadata as an indented outline.
fn show_value(output: &mut Output, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
        other => Some(other.to_string()),
    };
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let Some(text) = scalar(member) {
                    output.text(format!("{indent}{name}: {text}"));
                } else {
                    output.text(format!("{indent}{name}:"));
                    show_value(output, member, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if let Some(text) = scalar(item) {
                    output.text(format!("{indent}- {text}"));
                } else {
                    output.text(format!("{indent}-"));
                    show_value(output, item, depth + 1);
                }
            }
        }
        other => output.text(format!("{indent}{}", scalar(other).unwrap_or_default())),
    }
}

/// An article without the list of its headings, which its text repeats.
fn without_contents(article: &str) -> Cow<'_, str> {
    let contents = article.split_once("<nav class=\"toc\"");
    let parts = contents.and_then(|(before, after)| Some((before, after.split_once("</nav>")?.1)));
    match parts {
        Some((before, after)) => format!("{before}{after}").into(),
        None => article.into(),
    }
}

/// The article of a page as text. Another client may have written the value: what is not HTML is
/// shown unchanged.
pub(super) fn page_text(page: &[u8]) -> String {
    let html = String::from_utf8_lossy(page);
    let article = html
        .find("<article")
        .and_then(|start| Some(&html[start..html.rfind("</article>")?]))
        .unwrap_or(&html);
    let article = without_contents(article);
    html2text::from_read(article.as_bytes(), TEXT_WIDTH).unwrap_or_else(|_| html.to_string())
}

#[cfg(test)]
mod tests {
    use super::page_text;

    #[test]
    fn the_text_of_a_page_has_each_heading_once() {
        let page = "<html><article><h1>A</h1><nav class=\"toc\"><ul><li><a href=\"#b\">B</a></ul></nav>\
                    <h2 id=\"b\">B</h2><p>Text.</p></article></html>";
        assert_eq!(page_text(page.as_bytes()), "# A\n\n## B\n\nText.\n");
        let cut = "<article><nav class=\"toc\">x</article>";
        assert_eq!(page_text(cut.as_bytes()), "x\n");
    }
}
