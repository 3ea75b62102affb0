//! What holds for packed sources, whatever their bytes are.

use std::collections::HashSet;
use std::path::{Component, Path};
use std::sync::OnceLock;

use anp::article::{Article, Markup};
use anp::diagnostic::{Diagnostic, Place, Span, draw::render};
use anp::render::{Digest, RenderSettings, Renderer, Stamp, stages};
use anp::source::in_memory::{self, Found, Line};
use anp::source::wxr::{self, Event, Stopped, WxrOptions};
use serde_json::Value;

use super::with_article;

/// Whether a path stays below the root.
fn is_below(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}

/// Paths stay below the root, what is held has a bound, and the same bytes give the same.
fn sound(found: &Found, bytes: usize, growth: usize) {
    for (path, _) in &found.sources {
        assert!(is_below(path) && path.file_name().is_some(), "{path:?}");
        assert!(path.as_os_str().len() <= 4100, "{path:?}");
    }
    assert!(found.folders.iter().all(|path| is_below(path)));
    for (path, why) in &found.skipped {
        assert!(
            path.as_os_str().len() <= 4100 && why.len() < 200,
            "{path:?}"
        );
    }
    let held = found.sources.len() + found.folders.len() + found.skipped.len();
    assert!(held <= bytes, "{held} of {bytes} bytes");
    assert!(found.small_bytes <= bytes.saturating_mul(growth));
}

/// Reads `bytes` as a tar archive.
pub fn tar(bytes: &[u8]) {
    let found = in_memory::tar_members(bytes);
    sound(&found, bytes.len(), 1);
    let read: u64 = found
        .sources
        .iter()
        .map(|(_, length)| u64::from(*length))
        .sum();
    // What is whole has no more members than bytes.
    assert!(
        found.error.is_some() || read <= bytes.len() as u64,
        "{found:?}"
    );
    assert_eq!(found, in_memory::tar_members(bytes));
}

/// Reads `bytes` as a zip archive.
pub fn zip(bytes: &[u8]) {
    let Ok(found) = in_memory::zip_members(bytes) else {
        return;
    };
    sound(&found, bytes.len(), 2000);
    assert_eq!(Some(found), in_memory::zip_members(bytes).ok());
}

/// Reads `bytes` as JSON lines, and the first line as an article.
pub fn jsonl(bytes: &[u8]) {
    let found = in_memory::lines(bytes);
    sound(&found, bytes.len() + 1, 1);
    assert_eq!(found, in_memory::lines(bytes));
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(first) else {
        return;
    };
    let taken = match Line::read(line) {
        Ok(taken) => taken,
        Err((message, at)) => {
            assert!(at <= line.len() && !message.is_empty(), "{message} {at}");
            return;
        }
    };
    // Its members are those that another reader finds, and its body is the text that is there.
    // A field may hold half a pair, which the reader of front matter refuses.
    let Ok(members) = serde_json::from_str::<Value>(line) else {
        return;
    };
    let body = ["body", "html"]
        .into_iter()
        .find_map(|key| members[key].as_str());
    let (fields, rest) = taken
        .document
        .split_at(taken.document.len() - body.map_or(0, str::len));
    assert_eq!(Some(rest), body.or(Some("")));
    let mut fields: Value = serde_json::from_str(fields).expect("the fields are JSON");
    let fields = fields.as_object_mut().expect("the fields are an object");
    let mut members = members;
    let members = members.as_object_mut().expect("a line is an object");
    for key in ["path", "body", "html"] {
        members.remove(key);
    }
    assert_eq!(fields, members);

    let markup = if taken.is_html() {
        Markup::Html
    } else {
        Markup::Markdown
    };
    let columns = line.chars().count() + 1;
    with_article(
        &taken.path,
        taken.document.as_bytes(),
        markup,
        &mut |article, found| {
            for finding in found {
                if let Some(place) = &finding.place {
                    let column = taken.column(place) as usize;
                    assert!(
                        (1..=columns).contains(&column),
                        "{column} of {columns}: {finding:?}"
                    );
                }
            }
            if let Some(article) = article {
                page(article);
            }
        },
    );
    // Each character of the document that stands in the line has its own place.
    let mut seen = 0;
    for (number, text) in (1..).zip(taken.document.split('\n').take(8)) {
        for column in 1..=u32::try_from(text.chars().take(40).count()).unwrap_or(0) {
            let span = Span {
                line: number,
                column,
                length: 1,
            };
            let at = taken.column(&Place::in_text(&taken.document, span));
            assert!((1..=columns as u32).contains(&at), "{span:?}: {at}");
            seen += 1;
        }
    }
    assert!(seen <= 320);
}

/// Reads `bytes` as a body in HTML behind two fields.
pub fn html(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let document = format!("{{\"title\":\"x\"}}\n{text}");
    let take = |article: Option<&Article<'_>>, found: &[Diagnostic]| {
        let drawn: Vec<String> = found.iter().map(|found| render(found, false)).collect();
        assert!(
            !drawn.iter().any(|drawn| drawn.contains(['\0', '\u{1b}'])),
            "{drawn:?}"
        );
        (drawn, article.map(page))
    };
    let mut first = None;
    let mut second = None;
    for result in [&mut first, &mut second] {
        with_article(
            Path::new("x.md"),
            document.as_bytes(),
            Markup::Html,
            &mut |article, found| {
                *result = Some(take(article, found));
            },
        );
    }
    assert_eq!(first, second);
}

static RENDERER: OnceLock<Renderer> = OnceLock::new();

/// The page of an article: nothing in it runs or loads what nobody checked.
fn page(article: &Article<'_>) -> Option<Vec<u8>> {
    let renderer = RENDERER.get_or_init(|| {
        Renderer::new(&RenderSettings::default()).expect("the built-in templates are sound")
    });
    if let Some(body) = stages::body(article) {
        clean(&body);
    }
    let digest = Digest([7; 16]);
    let stamp = Stamp {
        run: "r",
        written_at_ms: 1_700_000_000_000,
        inputs: None,
    };
    renderer
        .render(article, digest, &stamp)
        .ok()
        .map(|rendered| rendered.page)
}

/// No element, attribute or address that a page must not have.
fn clean(body: &str) {
    let foreign = [
        "script", "style", "iframe", "object", "embed", "form", "base", "meta", "link", "svg",
        "math", "template", "video", "audio", "input", "button", "textarea", "select", "title",
        "noscript",
    ];
    let foreign: HashSet<&str> = foreign.into_iter().collect();
    for tag in body.split('<').skip(1) {
        let mut rest = tag.trim_start_matches('/');
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        assert!(!name.is_empty(), "a bare < in {body}");
        // Boxes of task lists are our own.
        let is_box =
            rest.starts_with("input disabled") || rest.starts_with("input type=\"checkbox\"");
        assert!(!foreign.contains(&*name) || is_box, "<{name} in {body}");
        rest = &rest[end..];
        loop {
            rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with('>') || rest.starts_with("/>") {
                break;
            }
            let end = rest.find(['=', ' ', '>', '/']).unwrap_or(rest.len());
            let key = rest[..end].to_ascii_lowercase();
            assert!(
                !key.is_empty() && !key.starts_with("on") && key != "style",
                "{key:?} in {body}"
            );
            rest = &rest[end..];
            let Some(quoted) = rest.strip_prefix("=\"") else {
                assert!(!rest.starts_with('='), "no quotes in {body}");
                continue;
            };
            let end = quoted.find('"').expect("a value ends");
            let value = quoted[..end].trim().to_ascii_lowercase();
            if key == "href" || key == "src" {
                let bad = ["javascript:", "data:", "vbscript:", "file:"];
                assert!(
                    !bad.iter().any(|bad| value.starts_with(bad)),
                    "{value:?} in {body}"
                );
            }
            rest = &quoted[end + 1..];
        }
    }
}

/// Reads `bytes` as a WordPress export, and all articles in it.
pub fn wxr(bytes: &[u8]) {
    let Ok(attachments) = wxr::read_attachments(bytes) else {
        return;
    };
    let known = [
        "title", "draft", "tags", "route", "noindex", "payload", "author",
    ];
    let field = |name: &str| known.into_iter().find(|known| *known == name);
    let options = WxrOptions {
        meta_prefixes: &[],
        field_of: &field,
    };
    let events = || {
        let mut events = Vec::new();
        let ended = wxr::read(bytes, &options, &attachments, &mut |event| {
            events.push(event);
            Ok::<_, std::convert::Infallible>(())
        });
        let ended = match ended {
            Ok(_) => None,
            Err(Stopped::Export(error)) => Some(error.to_string()),
            Err(Stopped::Taker(never)) => match never {},
        };
        (events, ended)
    };
    let first = events();
    assert_eq!(first, events());
    let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
    let mut findings = 0;
    for event in &first.0 {
        let line = match event {
            Event::Article(item) => {
                findings += item.findings.len();
                article_of_item(item, lines);
                item.line
            }
            Event::Skipped { line, .. } | Event::Broken { line, .. } => *line,
        };
        assert!(
            (1..=lines).contains(&(line as usize)),
            "line {line} of {lines}"
        );
    }
    assert!(first.0.len() + findings <= bytes.len());
}

fn article_of_item(item: &wxr::Item, lines: usize) {
    let path = Path::new(&item.path);
    assert!(is_below(path) && path.file_name().is_some(), "{path:?}");
    assert!(
        item.path.len() <= 4100 && !item.path.contains(char::is_control),
        "{path:?}"
    );
    for finding in &item.findings {
        assert!(
            (1..=lines).contains(&(finding.line as usize)),
            "{finding:?} of {lines}"
        );
        assert!(finding.message.len() < 2000 && !finding.message.contains('\u{1b}'));
    }
    let hides = item.record.get("draft") == Some(&Value::Bool(true));
    assert!(
        item.held.is_none() || hides,
        "held back, and no draft: {item:?}"
    );
    let mut document = serde_json::to_vec(&item.record).expect("a record is JSON");
    document.push(b'\n');
    document.extend_from_slice(item.html.as_bytes());
    with_article(path, &document, Markup::Html, &mut |article, _| {
        if let Some(article) = article {
            page(article);
        }
    });
}

/// Reads a value of PHP.
pub fn php(text: &str) {
    let read = wxr::php_value(text);
    assert_eq!(read, wxr::php_value(text));
    let Some(Ok(value)) = read else {
        return;
    };
    assert!(depth(&value) <= 17, "{value}");
    assert!(texts(&value) <= text.len(), "{value}");
    // What is read is written as PHP writes it, and read as the same.
    if !has_serialised(&value) {
        let mut again = String::new();
        serialise(&value, &mut again);
        if again.len() <= 64 * 1024 {
            assert_eq!(wxr::php_value(&again), Some(Ok(value)), "{again}");
        }
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn texts(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(texts).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| key.len() + texts(value))
            .sum(),
        _ => 0,
    }
}

/// Whether the whole is a text that a reader takes for a serialised value, or a mapping in it has a
/// key twice, so that the rest is a list.
fn has_serialised(value: &Value) -> bool {
    match value {
        Value::String(text) => wxr::php_value(text).is_some(),
        _ => is_ambiguous(value),
    }
}

fn is_ambiguous(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_ambiguous),
        Value::Object(members) => {
            let is_list = (0..members.len())
                .zip(members.keys())
                .all(|(at, key)| at.to_string() == *key);
            is_list || members.values().any(is_ambiguous)
        }
        _ => false,
    }
}

fn serialise(value: &Value, out: &mut String) {
    use std::fmt::Write as _;
    let text = |text: &str, out: &mut String| {
        let _ = write!(out, "s:{}:\"{text}\";", text.len());
    };
    let _ = match value {
        Value::Null => write!(out, "N;"),
        Value::Bool(yes) => write!(out, "b:{};", u8::from(*yes)),
        Value::Number(number) if number.is_i64() => write!(out, "i:{number};"),
        Value::Number(number) => write!(out, "d:{number};"),
        Value::String(inner) => return text(inner, out),
        Value::Array(items) => {
            let _ = write!(out, "a:{}:{{", items.len());
            for (at, item) in items.iter().enumerate() {
                let _ = write!(out, "i:{at};");
                serialise(item, out);
            }
            write!(out, "}}")
        }
        Value::Object(members) => {
            let _ = write!(out, "a:{}:{{", members.len());
            for (key, item) in members {
                text(key, out);
                serialise(item, out);
            }
            write!(out, "}}")
        }
    };
}
