//! Feeds: Atom (RFC 4287) and JSON Feed 1.1.
//!
//! Both are a function of the articles: no clock. An id is the URL of a page and stays the same as long
//! as the page is there; without `site.url` it is a UUID made from the path, since ids must be absolute.

use std::borrow::Cow;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::{Value, json};

use crate::article::instant_ms;
use crate::characters::is_forbidden_on_pages;

/// The time of a feed without an article, and of an article without a date: Atom requires one.
pub const NO_DATE: &str = "1970-01-01T00:00:00Z";

/// What a feed says of itself.
#[derive(Clone, Copy, Debug)]
pub struct FeedHead<'f> {
    /// The title of the list that the feed follows.
    pub title: &'f str,
    /// `site.url` without a slash at its end; may be empty.
    pub site_url: &'f str,
    /// The path of the list: `/redis-caching/`.
    pub list: &'f str,
    /// The path of the feed itself: `/redis-caching/feed.xml`.
    pub path: &'f str,
    /// The language, as a BCP 47 tag.
    pub language: &'f str,
}

/// An article of a feed.
#[derive(Clone, Debug)]
pub struct FeedItem<'f> {
    /// The route of its page.
    pub route: &'f str,
    /// Its title.
    pub title: &'f str,
    /// All of its summary, or empty.
    pub summary: &'f str,
    /// Its authors.
    pub authors: Vec<&'f str>,
    /// Its date, as the boundary stores dates.
    pub published: Option<&'f str>,
    /// When it was updated, as the boundary stores dates.
    pub updated: Option<&'f str>,
    /// Its tags.
    pub tags: Vec<&'f str>,
}

impl FeedItem<'_> {
    fn published(&self) -> Option<Cow<'_, str>> {
        self.published.and_then(rfc3339)
    }

    /// When it last changed: the update, or else the date.
    fn updated(&self) -> Option<Cow<'_, str>> {
        self.updated.and_then(rfc3339).or_else(|| self.published())
    }
}

/// The Atom feed of these articles, in their order.
#[must_use]
pub fn atom(head: &FeedHead<'_>, items: &[FeedItem<'_>]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    write_atom(&mut writer, head, items).expect("writing to memory cannot fail");
    writer.into_inner()
}

fn write_atom(
    writer: &mut Writer<Vec<u8>>,
    head: &FeedHead<'_>,
    items: &[FeedItem<'_>],
) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    let mut feed = writer
        .create_element("feed")
        .with_attribute(("xmlns", "http://www.w3.org/2005/Atom"));
    if !head.language.is_empty() {
        feed = feed.with_attribute(("xml:lang", head.language));
    }
    feed.write_inner_content(|writer| {
        text(writer, "id", &id(head.site_url, head.path))?;
        text(writer, "title", title(head))?;
        text(writer, "updated", &newest(items))?;
        link(
            writer,
            ["self", "application/atom+xml"],
            [head.site_url, head.path],
        )?;
        link(
            writer,
            ["alternate", "text/html"],
            [head.site_url, head.list],
        )?;
        // An entry without an author has that of the feed.
        if items.is_empty() || items.iter().any(|item| item.authors.is_empty()) {
            author(writer, title(head))?;
        }
        text(writer, "generator", "anp")?;
        items.iter().try_for_each(|item| entry(writer, head, item))
    })?;
    Ok(())
}

fn entry(writer: &mut Writer<Vec<u8>>, head: &FeedHead<'_>, item: &FeedItem<'_>) -> io::Result<()> {
    let entry = writer.create_element("entry");
    entry.write_inner_content(|writer| {
        text(writer, "id", &id(head.site_url, item.route))?;
        text(writer, "title", item.title)?;
        link(
            writer,
            ["alternate", "text/html"],
            [head.site_url, item.route],
        )?;
        if let Some(published) = item.published() {
            text(writer, "published", &published)?;
        }
        let updated = item.updated().unwrap_or(Cow::Borrowed(NO_DATE));
        text(writer, "updated", &updated)?;
        for name in &item.authors {
            author(writer, name)?;
        }
        for tag in &item.tags {
            let category = writer.create_element("category");
            category
                .with_attribute(("term", &*clean(tag)))
                .write_empty()?;
        }
        if !item.summary.is_empty() {
            text(writer, "summary", item.summary)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn author(writer: &mut Writer<Vec<u8>>, name: &str) -> io::Result<()> {
    let author = writer.create_element("author");
    author.write_inner_content(|writer| text(writer, "name", name))?;
    Ok(())
}

fn text(writer: &mut Writer<Vec<u8>>, name: &str, value: &str) -> io::Result<()> {
    let value = clean(value);
    let element = writer.create_element(name);
    element.write_text_content(BytesText::new(&value))?;
    Ok(())
}

fn link(
    writer: &mut Writer<Vec<u8>>,
    [rel, media_type]: [&str; 2],
    url: [&str; 2],
) -> io::Result<()> {
    let link = writer.create_element("link");
    let link = link.with_attributes([("rel", rel), ("type", media_type)]);
    link.with_attribute(("href", &*url.concat()))
        .write_empty()?;
    Ok(())
}

/// The JSON feed of these articles, in their order. Its last byte closes the object, so that a digest can
/// become its last member.
#[must_use]
pub fn json(head: &FeedHead<'_>, items: &[FeedItem<'_>]) -> Vec<u8> {
    let mut feed = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": clean(title(head)),
        "home_page_url": format!("{}{}", head.site_url, head.list),
        "feed_url": format!("{}{}", head.site_url, head.path),
        "language": head.language,
        "items": items.iter().map(|item| json_item(head, item)).collect::<Vec<_>>(),
    });
    without_empty(&mut feed);
    feed.to_string().into_bytes()
}

fn json_item(head: &FeedHead<'_>, item: &FeedItem<'_>) -> Value {
    let summary = [item.summary, item.title];
    let summary = summary.into_iter().find(|text| !text.is_empty());
    let authors = item.authors.iter();
    let mut entry = json!({
        "id": id(head.site_url, item.route),
        "url": format!("{}{}", head.site_url, item.route),
        "title": clean(item.title),
        // Each item needs a content, and may not have an empty one.
        "content_text": clean(summary.unwrap_or(item.route)),
        "date_published": item.published(),
        "date_modified": item.updated(),
        "authors": authors.map(|name| json!({"name": clean(name)})).collect::<Vec<_>>(),
        "tags": item.tags.iter().map(|tag| clean(tag)).collect::<Vec<_>>(),
    });
    without_empty(&mut entry);
    entry
}

/// Removes the members that say nothing; an empty list of items says something.
fn without_empty(object: &mut Value) {
    if let Some(members) = object.as_object_mut() {
        members.retain(|name, value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => name == "items" || !items.is_empty(),
            _ => true,
        });
    }
}

/// The title of a feed, which may not be empty.
fn title<'f>(head: &FeedHead<'f>) -> &'f str {
    let names = [head.title, head.site_url, head.list];
    let mut names = names.into_iter().filter(|name| !name.is_empty());
    names.next().unwrap_or("Articles")
}

/// The id of what is served at `path`.
fn id(site_url: &str, path: &str) -> String {
    if !site_url.is_empty() {
        return format!("{site_url}{path}");
    }
    let mut hasher = blake3::Hasher::new_derive_key("anp 2026 id of a path in feeds");
    hasher.update(path.as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    // Version 8 and the variant of RFC 9562, section 5.8.
    let mut bits = u128::from_be_bytes(bytes);
    bits = bits & !(0xf << 76) | (8 << 76);
    bits = bits & !(0b11 << 62) | (0b10 << 62);
    let digits = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    format!("urn:uuid:{}", parts.join("-"))
}

/// The newest time of any article.
fn newest(items: &[FeedItem<'_>]) -> String {
    let times = items.iter().filter_map(FeedItem::updated);
    let newest = times.max_by_key(|time| instant_ms(time));
    newest.map_or(NO_DATE.to_owned(), Cow::into_owned)
}

/// A stored date as a date-time of RFC 3339; of a day, its first second in UTC.
fn rfc3339(date: &str) -> Option<Cow<'_, str>> {
    instant_ms(date)?;
    Some(match date.len() {
        10 => Cow::Owned(format!("{date}T00:00:00Z")),
        _ => Cow::Borrowed(date),
    })
}

/// A text without what XML and pages may not carry. Most texts have nothing of that.
fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(is_forbidden_on_pages) {
        return Cow::Owned(text.replace(is_forbidden_on_pages, ""));
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests;
