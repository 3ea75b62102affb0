//! `anp show`: what the store holds for one route.

use serde_json::{Value, json};

use super::selection::route;
use crate::article::Route;
use crate::cli::{Common, Show};
use crate::duration::show_time;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::keys::Keys;
use crate::publish::run::connection::Connected;
use crate::publish::run_report::watch;
use crate::report::Output;
use crate::settings::Needs;
use crate::store::{Batch, Reply, Session, StoreError};
use crate::{duration, render};

/// Width of the page as text, in columns.
const TEXT_WIDTH: usize = 100;

/// One object as the store holds it.
struct Held {
    key: String,
    kind: String,
    expires_at_ms: Option<i64>,
    /// The bytes of a string.
    value: Option<Vec<u8>>,
}

pub(super) fn run(common: &Common, arguments: &Show) -> Result<Exit, Failure> {
    let settings = super::settings_needing(Needs::Store, common, Vec::new())?;
    let route = route(&arguments.route)?;
    let before = |error: StoreError| Failure::before_writing(&error);
    let interrupted = watch()?;
    let mut store = Connected::open(&settings.address, &settings, &interrupted)?;
    let keys = Keys::new(&settings.prefix);
    let now_ms = store.session.now_ms().map_err(before)?;
    let page = held(&mut store.session, keys.page(&route)).map_err(before)?;
    let meta = held(&mut store.session, keys.meta(&route)).map_err(before)?;
    let mut output = Output::stdout(common.format, false);
    if arguments.page || arguments.meta {
        let wanted = if arguments.page { &page } else { &meta };
        let Some(value) = wanted.as_ref().and_then(|held| held.value.as_ref()) else {
            return Err(not_held(&settings.address.to_string(), &route));
        };
        output.raw(value);
        return Ok(Exit::Done);
    }
    if page.is_none() && meta.is_none() {
        return Err(not_held(&settings.address.to_string(), &route));
    }
    let parsed: Option<Value> = meta
        .as_ref()
        .and_then(|held| serde_json::from_slice(held.value.as_ref()?).ok());
    output.json(&json!({
        "type": "route", "route": route.as_str(),
        "page": page.as_ref().map(|held| held.summary(now_ms)),
        "meta": meta.as_ref().map(|held| held.summary(now_ms)),
        "digest": page_digest(page.as_ref()), "metadata": parsed,
    }));
    if !output.is_json() {
        text(
            &mut output,
            &route,
            now_ms,
            (page.as_ref(), meta.as_ref()),
            parsed.as_ref(),
        );
    }
    Ok(Exit::Done)
}

fn not_held(server: &str, route: &Route) -> Failure {
    Failure::new(
        Exit::Partial,
        format!("the store {server} holds nothing for {route}"),
    )
    .note(
        "expected",
        "the route of a published article, such as /redis-caching/ttl-jitter/",
    )
    .note("retry", "safe, once the article is imported or not expired")
}

fn held(session: &mut Session, key: String) -> Result<Option<Held>, StoreError> {
    let doing = "reading one route";
    let mut batch = Batch::default();
    batch.push(&[b"TYPE", key.as_bytes()]);
    batch.push(&[b"PEXPIRETIME", key.as_bytes()]);
    batch.push(&[b"GET", key.as_bytes()]);
    let mut replies = session.run(&batch, doing)?.into_iter();
    let mut next = || replies.next().unwrap_or(Reply::Nil);
    let (kind, expiry, value) = (next(), next(), next());
    let kind = match kind.text() {
        Some("none") => return Ok(None),
        Some(kind) => kind.to_owned(),
        None => return kind.fail(doing),
    };
    let expires_at_ms = match expiry {
        Reply::Int(at) => (at >= 0).then_some(at),
        other => return other.fail(doing),
    };
    let value = match value {
        Reply::Bulk(bytes) => Some(bytes),
        Reply::Error { code, .. } if code == "WRONGTYPE" => None,
        Reply::Nil => None,
        other => return other.fail(doing),
    };
    Ok(Some(Held {
        key,
        kind,
        expires_at_ms,
        value,
    }))
}

impl Held {
    fn left(&self, now_ms: i64) -> String {
        match self.expires_at_ms {
            None => "no expiry".to_owned(),
            Some(at) => {
                let left = duration::show((at - now_ms).max(0).unsigned_abs());
                format!("{left} left, until {}", show_time(at))
            }
        }
    }

    fn summary(&self, now_ms: i64) -> Value {
        json!({
            "key": self.key, "kind": self.kind, "expires_at": self.expires_at_ms,
            "left_ms": self.expires_at_ms.map(|at| (at - now_ms).max(0)),
            "bytes": self.value.as_ref().map(Vec::len),
        })
    }
}

fn page_digest(page: Option<&Held>) -> Option<String> {
    let value = page?.value.as_ref()?;
    let tail = &value[value.len().saturating_sub(render::PAGE_TAIL_BYTES)..];
    render::page_digest(tail).map(|digest| digest.to_string())
}

fn text(
    output: &mut Output,
    route: &Route,
    now_ms: i64,
    (page, meta): (Option<&Held>, Option<&Held>),
    parsed: Option<&Value>,
) {
    output.text(format!("{route}\n"));
    for (name, held) in [("page", page), ("meta", meta)] {
        output.text(match held {
            None => format!("  {name:11}absent"),
            Some(Held {
                value: None,
                kind,
                key,
                ..
            }) => {
                format!("  {name:11}{key}: a {kind}, none of ours")
            }
            Some(held) => {
                let bytes = held.value.as_ref().map_or(0, Vec::len);
                let left = held.left(now_ms);
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

/// The article of a page as text. What the store holds may be anybody's: whatever is no
/// HTML is shown as it is.
fn page_text(page: &[u8]) -> String {
    let html = String::from_utf8_lossy(page);
    let article = html
        .find("<article")
        .and_then(|start| Some(&html[start..html.rfind("</article>")?]))
        .unwrap_or(&html);
    html2text::from_read(article.as_bytes(), TEXT_WIDTH).unwrap_or_else(|_| html.to_string())
}
