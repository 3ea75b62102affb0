//! What `anp show` prints of one route.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Output;
use crate::article::Route;
use crate::duration;
use crate::duration::show_time;
use crate::publish::stored_route::{StoredObject, StoredRedirect, StoredRoute};
use crate::publish::survey::selection::TypedPath;
use crate::render;

/// Width of the page as text, in columns.
const TEXT_WIDTH: usize = 100;

/// Prints what the store holds for `path`.
pub(crate) fn show(stored: &StoredRoute, path: &TypedPath, output: &mut Output) {
    let StoredRoute {
        page,
        meta,
        text,
        file,
        redirect,
        now_ms,
    } = stored;
    let route = &path.route;
    let shown = |held: &Option<StoredObject>| held.as_ref().map(|held| summary(held, *now_ms));
    let parsed: Option<Value> = meta
        .as_ref()
        .and_then(|held| serde_json::from_slice(held.value.as_ref()?).ok());
    output.json(&json!({
        "type": "route", "route": route.as_str(),
        "page": shown(page), "meta": shown(meta), "text": shown(text), "file": shown(file),
        "redirect": redirect.as_ref().map(|redirect| redirect_summary(redirect, *now_ms)),
        "digest": digest(stored), "metadata": parsed,
    }));
    if output.is_json() {
        return;
    }
    output.text(format!("{route}\n"));
    if let Some(held) = file {
        object(output, "file", held, *now_ms);
    } else if page.is_some() || meta.is_some() || text.is_some() {
        of_article(output, stored);
    }
    if let Some(redirect) = redirect {
        object(output, "redirect", &redirect.object, *now_ms);
        output.text(format!("  {:11}{}", "answer", answer(redirect)));
    }
    if let Some(digest) = digest(stored) {
        output.text(format!("  {:11}{digest}", "digest"));
    }
    if let Some(meta) = &parsed {
        details(output, meta);
    }
    let plain = |held: &'_ Option<StoredObject>| -> Option<Vec<u8>> {
        let plain = held.as_ref()?.plain()?;
        plain.ok().map(Cow::into_owned)
    };
    let body = plain(page).map(|page| page_text(&page));
    if let Some(body) = body.or_else(|| Some(String::from_utf8_lossy(&plain(file)?).into_owned())) {
        output.text("");
        output.text(body);
    }
}

/// The lines about page and meta object, and about the text, which most articles have not.
fn of_article(output: &mut Output, stored: &StoredRoute) {
    for (name, held) in [("page", &stored.page), ("meta", &stored.meta)] {
        match held {
            None => output.text(format!("  {name:11}absent")),
            Some(held) => object(output, name, held, stored.now_ms),
        }
    }
    if let Some(text) = &stored.text {
        object(output, "text", text, stored.now_ms);
    }
}

/// The line about one object.
fn object(output: &mut Output, name: &str, held: &StoredObject, now_ms: i64) {
    let StoredObject {
        key, kind, value, ..
    } = held;
    output.text(match value {
        None => format!("  {name:11}{key}: a {kind}, not written by anp"),
        Some(value) => {
            let left = time_left(held, now_ms);
            let form = match held.unpacked_bytes() {
                None => String::new(),
                Some(Ok(bytes)) => format!(" of gzip, {bytes} unpacked"),
                Some(Err(error)) => format!(" of {error}"),
            };
            format!("  {name:11}{key}: {} bytes{form}, {left}", value.len())
        }
    });
}

/// What a redirect answers.
fn answer(redirect: &StoredRedirect) -> String {
    match (redirect.status, &redirect.to) {
        (None, _) => "nothing: the value is no redirect".to_owned(),
        (Some(status), Some(to)) => format!("{status}, to {to}"),
        (Some(status), None) => format!("{status}, the article was withdrawn"),
    }
}

fn redirect_summary(redirect: &StoredRedirect, now_ms: i64) -> Value {
    let mut summary = summary(&redirect.object, now_ms);
    summary["status"] = json!(redirect.status);
    summary["to"] = json!(redirect.to.as_ref().map(Route::as_str));
    summary
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
        "unpacked_bytes": object.unpacked_bytes().and_then(Result::ok),
    })
}

/// The digest of the page, or of the file.
fn digest(stored: &StoredRoute) -> Option<String> {
    let digest = match &stored.file {
        Some(file) => render::stored_file_digest(file.value.as_ref()?),
        None => render::stored_page_digest(stored.page.as_ref()?.value.as_ref()?),
    };
    digest.map(|digest| digest.to_string())
}

/// What the meta object says besides.
fn details(output: &mut Output, meta: &Value) {
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
