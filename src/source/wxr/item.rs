//! What an item says, as the fields of front matter and a body.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::attachments::Attachments;
use super::body;
use super::event::{Event, Finding, Item, MAX_SUMMARY, WxrOptions};
use super::meta::Fields;
use super::restricted::restricted;
use super::text::{decoded, path_of, plain, shortened};
use super::xml::{RawItem, Text};
use crate::characters::is_hidden;

/// Most tags, categories and aliases of an article.
const MAX_LIST: usize = 64;

/// The longest title that is made of the first words of a body, in characters.
const MAX_TITLE_WORDS: usize = 60;

/// What items are read with.
pub(super) struct Context<'a> {
    pub(super) options: WxrOptions<'a>,
    pub(super) attachments: &'a Attachments,
    /// The names of authors, by login.
    pub(super) authors: BTreeMap<String, String>,
    /// When the export was made.
    pub(super) made: Option<Timestamp>,
}

/// Whether everybody may see an article.
enum Shown {
    Yes,
    /// It is in the trash.
    Trashed,
    /// Not yet, or not by everybody; why, and whether that is worth a warning.
    No(String, bool),
}

/// Remembers an attachment.
pub(super) fn remember(item: &RawItem, attachments: &mut Attachments) {
    let number = |text: &Text| text.text.trim().parse().unwrap_or(0);
    let url = item.attachment_url.text.trim();
    if number(&item.id) == 0 || url.is_empty() {
        return;
    }
    let alt = item
        .metas
        .iter()
        .find(|meta| meta.key == "_wp_attachment_image_alt");
    let alt = alt.map_or("", |meta| meta.value.trim());
    let order = item.order.text.trim().parse().unwrap_or(0);
    let caption = item.excerpt.text.trim();
    attachments.add(
        number(&item.id),
        number(&item.parent),
        order,
        url,
        alt,
        caption,
    );
}

/// The moment that the channel names.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(zoned.timestamp())
}

impl Context<'_> {
    /// What an item is.
    pub(super) fn event(&self, item: &RawItem, findings: Vec<Finding>) -> Event {
        let line = item.line;
        let post_type = item.post_type.text.trim();
        let skipped = |what: &str| Event::Skipped {
            line,
            what: what.chars().filter(|c| !is_hidden(*c)).take(60).collect(),
        };
        match post_type {
            "post" | "page" => {}
            "" => return skipped("without a type"),
            other => return skipped(other),
        }
        match self.shown(item) {
            Shown::Trashed => skipped("trash"),
            Shown::Yes => self.article(item, None, findings),
            Shown::No(why, is_unusual) => self.article(item, Some((why, is_unusual)), findings),
        }
    }

    fn shown(&self, item: &RawItem) -> Shown {
        let status = item.status.text.trim();
        let no = |why: &str| Shown::No(why.to_owned(), false);
        let shown = match status {
            "publish" => Shown::Yes,
            "trash" => return Shown::Trashed,
            "draft" | "auto-draft" => no("a draft in WordPress"),
            "pending" => no("pending review in WordPress"),
            "private" => no("private in WordPress"),
            "future" => match (utc(&item.date_gmt).or_else(|| utc(&item.date)), self.made) {
                (None, _) => no("scheduled in WordPress, without a date"),
                (Some(date), Some(made)) if date <= made => {
                    no("still scheduled in WordPress when its date had passed")
                }
                _ => Shown::Yes,
            },
            "" => Shown::No("without a status in the export".to_owned(), true),
            other => {
                let other = other.replace(is_hidden, " ");
                let other: String = other.chars().take(40).collect();
                Shown::No(
                    format!("in the status '{other}', which anp does not know"),
                    true,
                )
            }
        };
        match shown {
            Shown::Yes if !item.password.text.is_empty() => {
                Shown::No("protected by a password in WordPress".to_owned(), true)
            }
            shown => shown,
        }
    }

    fn article(
        &self,
        item: &RawItem,
        mut held: Option<(String, bool)>,
        findings: Vec<Finding>,
    ) -> Event {
        let mut fields = Fields::with(findings);
        let route = route(item);
        self.set_texts(item, &mut fields);
        set_dates(item, &mut fields);
        self.set_terms(item, &mut fields);
        if let Some(route) = &route {
            fields.set("route", Value::String(route.clone()));
        }
        self.set_aliases(item, route.as_deref(), &mut fields);
        self.set_image(item, &mut fields);
        if held.is_some() {
            fields.set("draft", Value::Bool(true));
        }
        fields.add_metas(&item.metas, &self.options);
        if let Some((what, _)) = restricted(&item.content.text) {
            fields.record.insert("draft".to_owned(), Value::Bool(true));
            let why = format!("an article with parts that not everybody may see: {what}");
            held = held.or(Some((why, true)));
        }
        if item.has_more_metas {
            fields.record.insert("draft".to_owned(), Value::Bool(true));
            let why = "an item with so many custom fields that anp does not read all of them";
            held = held.or(Some((why.to_owned(), true)));
        }
        if let Some(key) = fields.restricted_by.take() {
            fields.record.insert("draft".to_owned(), Value::Bool(true));
            held = held.or(Some((
                format!("restricted by the custom field '{key}'"),
                true,
            )));
        }
        if let Some((why, true)) = &held {
            fields.warn(
                item.line,
                "visibility",
                format!("held back as a draft, because it is {why}"),
            );
        }
        let id = item.id.text.trim().parse().unwrap_or(0);
        let footnotes = item.metas.iter().find(|meta| meta.key == "footnotes");
        let footnotes = footnotes.map_or("", |meta| &meta.value);
        let (content, attachments) = (&item.content, self.attachments);
        let html = body::convert(content, attachments, id, footnotes, &mut fields.findings);
        set_missing_title(item, &html, &mut fields);
        fields.findings.sort_by_key(|finding| finding.line);
        Event::Article(Box::new(Item {
            line: item.line,
            path: path(item, route.as_deref().filter(|_| !is_unnamed(item))),
            record: fields.record,
            html,
            held: held.map(|(why, _)| why),
            findings: fields.findings,
        }))
    }

    fn set_texts(&self, item: &RawItem, fields: &mut Fields) {
        let title = plain(&item.title.text);
        if !title.is_empty() {
            fields.set("title", Value::String(title));
        }
        let login = item.creator.text.trim();
        let author = self.authors.get(login).map(|name| name.trim());
        let author = author.filter(|name| !name.is_empty()).unwrap_or(login);
        if !author.is_empty() {
            fields.set("author", json!([plain(author)]));
        }
        let summary = plain(&item.excerpt.text);
        if !summary.is_empty() {
            fields.set("summary", Value::String(shortened(summary, MAX_SUMMARY)));
        }
        let id = item.id.text.trim();
        if !id.is_empty() {
            fields.set("payload", json!({"source_id": id}));
        }
    }

    fn set_terms(&self, item: &RawItem, fields: &mut Fields) {
        let names = |domains: &[&str]| {
            let mut names: Vec<String> = Vec::new();
            for term in item
                .terms
                .iter()
                .filter(|term| domains.contains(&term.domain.as_str()))
            {
                let name = plain(&term.name);
                if !name.is_empty() && !names.contains(&name) && names.len() <= MAX_LIST {
                    names.push(name);
                }
            }
            names
        };
        // WXR 1.0 has each term a second time, without a domain.
        for (field, domains) in [
            ("categories", &["category"][..]),
            ("tags", &["post_tag", "tag"]),
        ] {
            let mut names = names(domains);
            if names.len() > MAX_LIST {
                names.truncate(MAX_LIST);
                let message = format!("left out {field} beyond the first {MAX_LIST}");
                fields.warn(item.line, field, message);
            }
            if !names.is_empty() {
                fields.set(field, json!(names));
            }
        }
    }

    /// Earlier addresses, where the name of the article is the last part of its address.
    fn set_aliases(&self, item: &RawItem, route: Option<&str>, fields: &mut Fields) {
        let Some(route) = route else {
            return;
        };
        let slug = decoded(item.slug.text.trim());
        let inner = route.trim_end_matches('/');
        let (parent, last) = inner.rsplit_once('/').unwrap_or(("", inner));
        let Some(ending) = last
            .strip_prefix(slug.as_str())
            .filter(|_| !slug.is_empty())
        else {
            return;
        };
        if !ending.is_empty() && !ending.starts_with('.') {
            return;
        }
        let behind = &route[inner.len()..];
        let old = item.metas.iter().filter(|meta| meta.key == "_wp_old_slug");
        let mut aliases = Vec::new();
        for meta in old {
            let old = decoded(meta.value.trim());
            let alias = format!("{parent}/{old}{ending}{behind}");
            let is_new = alias != route && !aliases.contains(&alias);
            if is_new
                && !old.is_empty()
                && !old.contains(['/', '?', '#'])
                && aliases.len() < MAX_LIST
            {
                aliases.push(alias);
            }
        }
        if !aliases.is_empty() {
            fields.set("aliases", json!(aliases));
        }
    }

    fn set_image(&self, item: &RawItem, fields: &mut Fields) {
        let Some(meta) = item.metas.iter().find(|meta| meta.key == "_thumbnail_id") else {
            return;
        };
        let id = meta.value.trim().parse().unwrap_or(0);
        match self.attachments.get(id) {
            Some(found) => fields.set("image", Value::String(found.url.to_owned())),
            // Some plugins write 0 or -1 for none.
            None if id == 0 => {}
            None => {
                let message = format!("the featured image, attachment {id}, is not in the export");
                fields.warn(meta.line, "image", message);
            }
        }
    }
}

/// WordPress shows articles without a title; anp needs one.
fn set_missing_title(item: &RawItem, html: &str, fields: &mut Fields) {
    if fields.record.contains_key("title") || html.contains("<h1") {
        return;
    }
    let words = shortened(plain(html), MAX_TITLE_WORDS);
    let slug = decoded(item.slug.text.trim());
    let Some(title) = [words, slug].into_iter().find(|title| !title.is_empty()) else {
        return;
    };
    let message = format!("expected a title, found none: '{title}' is taken");
    fields.warn(item.line, "title", message);
    fields.set("title", Value::String(title));
}

fn set_dates(item: &RawItem, fields: &mut Fields) {
    if let Some(date) = utc(&item.date_gmt) {
        fields.set("date", Value::String(date.to_string()));
    } else if let Some(date) = local(&item.date) {
        // Without a zone: that of the settings counts.
        fields.set("date", Value::String(date.to_string()));
    } else if ![&item.date, &item.date_gmt]
        .iter()
        .all(|date| is_no_date(date))
    {
        let message = "expected a date as 2024-05-01 10:00:00, found something else".to_owned();
        fields.warn(item.date.line.max(item.line), "date", message);
    }
    if let Some(updated) = utc(&item.modified_gmt) {
        fields.set("updated", Value::String(updated.to_string()));
    }
}

fn is_no_date(text: &Text) -> bool {
    let text = text.text.trim();
    text.is_empty() || text.starts_with("0000-00-00")
}

fn local(text: &Text) -> Option<DateTime> {
    text.text.trim().parse().ok()
}

fn utc(text: &Text) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(local(text)?).ok()
}

/// The path of the article's address; of one that has none yet, what WordPress would make it.
fn route(item: &RawItem) -> Option<String> {
    let slug = decoded(item.slug.text.trim());
    let slug = Some(slug).filter(|slug| !slug.is_empty() && !slug.contains(['/', '?', '#']));
    match path_of(&item.link.text) {
        Some((mut path, false)) => {
            while path.contains("//") {
                path = path.replace("//", "/");
            }
            Some(path)
        }
        // `https://example.com/?p=12`
        Some((path, true)) => {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            slug.map(|slug| format!("{folder}/{slug}/"))
        }
        None => slug.map(|slug| format!("/{slug}/")),
    }
}

/// Whether WordPress gave the item no address yet: it has none but `?p=12`. What it would be named may be
/// the name of another article, which must not suffer from that.
fn is_unnamed(item: &RawItem) -> bool {
    item.status.text.trim() != "publish"
        && path_of(&item.link.text).is_none_or(|(_, has_query)| has_query)
}

/// Whether a path is as short and flat as one that a file system holds.
fn is_short(path: &str) -> bool {
    path.len() <= 4000
        && path.split('/').count() <= 128
        && path.split('/').all(|part| part.len() <= 240)
}

/// A path as that of a file.
fn path(item: &RawItem, route: Option<&str>) -> String {
    let Some(route) = route.filter(|route| is_short(route)) else {
        let (post_type, id) = (item.post_type.text.trim(), item.id.text.trim());
        let is_number = !id.is_empty() && id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit());
        return match is_number {
            true => format!("{post_type}-{id}.html"),
            false => format!("{post_type}-line-{}.html", item.line),
        };
    };
    let segments = route
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."));
    let segments = segments.map(|part| part.replace(|c: char| is_hidden(c) || c == '\\', "-"));
    let path = segments.collect::<Vec<_>>().join("/");
    let stem = path
        .strip_suffix(".html")
        .or_else(|| path.strip_suffix(".htm"));
    match stem.unwrap_or(&path) {
        "" => "index.html".to_owned(),
        stem => format!("{stem}.html"),
    }
}
