//! Images: inline, or alone in their paragraph as figures with caption and source.

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

use super::elements::title_attribute;
use super::escape;
use super::url::{self, Use};
use super::writer::{ImageSource, Writer};
use crate::article::html::elements::image_sizes;
use crate::article::{Metadata, Value, shown_host};

/// The entries of `image_sources`.
pub(super) fn image_sources(metadata: &Metadata) -> Vec<ImageSource<'_>> {
    let Some(Value::List(entries)) = metadata.get("image_sources") else {
        return Vec::new();
    };
    let mut sources = Vec::with_capacity(entries.len());
    for entry in entries {
        let Value::Group(members) = entry else {
            continue;
        };
        let mut source = ImageSource::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("url", Value::Text(text)) => source.url = text,
                ("source", Value::Text(text)) => source.host = text,
                ("caption", Value::Text(text)) => source.caption = text,
                _ => {}
            }
        }
        sources.push(source);
    }
    sources
}

/// If the paragraph at `at` holds images alone, each perhaps in a link, writes them as
/// figures and returns where the paragraph is over.
pub(super) fn figures(writer: &mut Writer<'_, '_>, at: usize) -> Option<usize> {
    let end = end_of_image_paragraph(writer, at)?;
    writer.nesting.start_block(&mut writer.out);
    let hoisted = writer.nesting.hoist(&mut writer.out);
    let mut at = at + 1;
    let body = writer.body;
    let mut link: Option<CowStr<'_>> = None;
    while at < end {
        match &*body.events.at(at) {
            Event::Start(Tag::Link { dest_url, .. }) => {
                link = Some(dest_url.clone());
                at += 1;
            }
            Event::End(TagEnd::Link) => {
                link = None;
                at += 1;
            }
            Event::Start(Tag::Image { .. }) => at = figure(writer, at, link.as_deref()),
            _ => at += 1,
        }
    }
    writer.nesting.lower(&mut writer.out, hoisted);
    Some(end + 1)
}

fn end_of_image_paragraph(writer: &Writer<'_, '_>, at: usize) -> Option<usize> {
    let mut images_open = 0;
    let mut has_image = false;
    // A link must hold an image and nothing else, or it is text.
    let mut bare_link = false;
    for (offset, event) in writer.body.events.from(at + 1).enumerate() {
        match &*event {
            Event::Start(Tag::Image { .. }) => {
                images_open += 1;
                has_image = true;
                bare_link = false;
            }
            Event::End(TagEnd::Image) => images_open -= 1,
            Event::Start(Tag::Link { .. }) if images_open == 0 => bare_link = true,
            Event::End(TagEnd::Link) if images_open == 0 && !bare_link => {}
            Event::End(TagEnd::Paragraph) => return has_image.then_some(at + 1 + offset),
            Event::SoftBreak | Event::HardBreak => {}
            Event::Text(text) if images_open == 0 && text.trim().is_empty() => {}
            _ if images_open > 0 => {}
            _ => return None,
        }
    }
    None
}

/// Writes the image at `at` as a figure; returns where it is over.
fn figure(writer: &mut Writer<'_, '_>, at: usize, link: Option<&str>) -> usize {
    let (alt, after) = alt(writer, at);
    let event = writer.body.events.at(at);
    let Event::Start(Tag::Image {
        dest_url,
        title,
        id,
        link_type,
    }) = &*event
    else {
        return after;
    };
    if !may_show(writer, dest_url) {
        if !alt.is_empty() {
            writer.out.push_str("<p>");
            escape::text(&mut writer.out, &alt);
            writer.out.push_str("</p>\n");
        }
        return after;
    }
    let source = writer
        .sources
        .iter()
        .find(|source| source.url == &**dest_url);
    let caption = match (title.is_empty(), source) {
        (true, Some(source)) => source.caption,
        _ => title,
    };
    let host = match source {
        Some(source) if !source.host.is_empty() => source.host,
        _ => shown_host(dest_url).unwrap_or_default(),
    };
    writer.out.push_str("<figure>");
    let is_linked = match link {
        Some(link) if url::is_allowed(link, Use::Link) => {
            writer.out.push_str("<a href=\"");
            writer.write_destination(link);
            writer.out.push_str("\">");
            true
        }
        Some(link) => {
            writer.refuse_url(link);
            false
        }
        None => false,
    };
    image(writer, dest_url, &alt, "", image_sizes(*link_type, id));
    if is_linked {
        writer.out.push_str("</a>");
    }
    if !caption.is_empty() || !host.is_empty() {
        writer.out.push_str("<figcaption>");
        escape::text(&mut writer.out, caption);
        if !host.is_empty() {
            writer
                .out
                .push_str(if caption.is_empty() { "" } else { " " });
            writer.out.push_str("<small>Source: ");
            escape::text(&mut writer.out, host);
            writer.out.push_str("</small>");
        }
        writer.out.push_str("</figcaption>");
    }
    writer.out.push_str("</figure>\n");
    after
}

/// Writes the image at `at` within a line of text; returns where it is over.
pub(super) fn inline_image(writer: &mut Writer<'_, '_>, at: usize) -> usize {
    let (alt, after) = alt(writer, at);
    if let Event::Start(Tag::Image {
        dest_url,
        title,
        id,
        link_type,
    }) = &*writer.body.events.at(at)
    {
        if may_show(writer, dest_url) {
            image(writer, dest_url, &alt, title, image_sizes(*link_type, id));
        } else {
            escape::text(&mut writer.out, &alt);
        }
    }
    after
}

fn may_show(writer: &mut Writer<'_, '_>, url: &str) -> bool {
    let is_allowed = url::is_allowed(url, Use::Image) && !url.trim().is_empty();
    if !is_allowed {
        writer.refuse_url(url);
    }
    is_allowed
}

fn image(
    writer: &mut Writer<'_, '_>,
    url: &str,
    alt: &str,
    title: &str,
    sizes: Option<(&str, &str)>,
) {
    if writer.first_image.is_none() {
        writer.first_image = Some(url.to_owned());
    }
    writer.out.push_str("<img src=\"");
    url::write(&mut writer.out, url);
    writer.out.push_str("\" alt=\"");
    escape::attribute(&mut writer.out, alt);
    writer.out.push('"');
    title_attribute(&mut writer.out, title);
    if let Some((width, height)) = sizes {
        for (name, value) in [(" width=\"", width), (" height=\"", height)] {
            if !value.is_empty() {
                writer.out.push_str(name);
                escape::attribute(&mut writer.out, value);
                writer.out.push('"');
            }
        }
    }
    writer.out.push_str(" loading=\"lazy\" decoding=\"async\">");
}

/// The text of the image at `at`, and where the image is over. Images may nest.
pub(super) fn alt(writer: &Writer<'_, '_>, at: usize) -> (String, usize) {
    let mut alt = String::new();
    let mut open = 0;
    for (offset, event) in writer.body.events.from(at).enumerate() {
        match &*event {
            Event::Start(Tag::Image { .. }) => open += 1,
            Event::End(TagEnd::Image) => {
                open -= 1;
                if open == 0 {
                    return (alt, at + offset + 1);
                }
            }
            Event::Text(text) | Event::Code(text) => alt.push_str(text),
            Event::SoftBreak | Event::HardBreak => alt.push(' '),
            _ => {}
        }
    }
    (alt, writer.body.events.len())
}
