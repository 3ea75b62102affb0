//! The start tags that depend on more than the kind of their event.

use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Tag, TagEnd,
};

use super::escape;
use super::nesting::heading_tags;
use super::url::{self, Use};
use super::writer::Writer;
use crate::article::html::tag::is_hidden;

pub(super) fn start_heading(
    writer: &mut Writer<'_, '_>,
    at: usize,
    level: HeadingLevel,
    id: Option<&str>,
    attributes: &[(CowStr<'_>, Option<CowStr<'_>>)],
) {
    let level = writer.nesting.levels.next(level as u8);
    writer.heading = level;
    let (mut text, mut images) = (String::new(), 0);
    for event in writer.body.events.from(at + 1) {
        match &*event {
            Event::End(TagEnd::Heading(_)) => break,
            Event::InlineHtml(tag) if is_hidden(tag) => break,
            Event::Start(Tag::Image { .. }) => images += 1,
            Event::End(TagEnd::Image) => images -= 1,
            Event::Text(part) | Event::Code(part) if images == 0 => text.push_str(part),
            _ => {}
        }
    }
    let text = text.trim_end();
    writer.out.push('<');
    writer.out.push_str(heading_tags(level).0);
    let id = writer.ids.write_heading(&mut writer.out, text, id);
    // Only HTML gives any to a heading.
    for (name, value) in attributes {
        writer.out.push(' ');
        writer.out.push_str(name);
        writer.out.push_str("=\"");
        escape::attribute(&mut writer.out, value.as_deref().unwrap_or_default());
        writer.out.push('"');
    }
    writer.out.push('>');
    if let Some(id) = id {
        if !writer.footnotes.is_open() {
            writer.contents.add(level, &id, text);
        }
        // HTML has no links in links.
        writer.heading_id = Some(id).filter(|_| !writer.nesting.is_in_link());
    }
}

pub(super) fn end_heading(writer: &mut Writer<'_, '_>) {
    if let Some(id) = writer.heading_id.take() {
        // Its sign is in the style sheet, so that the text of the heading stays what it is.
        writer.out.push_str("<a class=\"anchor\" href=\"#");
        url::write(&mut writer.out, &id);
        writer
            .out
            .push_str("\" aria-label=\"Link to this section\"></a>");
    }
    writer.out.push_str(heading_tags(writer.heading).1);
}

pub(super) fn start_quote(writer: &mut Writer<'_, '_>, kind: Option<BlockQuoteKind>) {
    writer.out.push_str(match kind {
        None => "<blockquote>\n",
        Some(BlockQuoteKind::Note) => "<blockquote class=\"alert\"><p class=\"kind\">Note</p>\n",
        Some(BlockQuoteKind::Tip) => "<blockquote class=\"alert\"><p class=\"kind\">Tip</p>\n",
        Some(BlockQuoteKind::Important) => {
            "<blockquote class=\"alert\"><p class=\"kind\">Important</p>\n"
        }
        Some(BlockQuoteKind::Warning) => {
            "<blockquote class=\"alert\"><p class=\"kind\">Warning</p>\n"
        }
        Some(BlockQuoteKind::Caution) => {
            "<blockquote class=\"alert\"><p class=\"kind\">Caution</p>\n"
        }
    });
}

pub(super) fn start_code(writer: &mut Writer<'_, '_>, kind: &CodeBlockKind<'_>) {
    // Focusable, so that a keyboard can scroll it sideways.
    writer.out.push_str("<pre tabindex=\"0\"><code");
    if let CodeBlockKind::Fenced(info) = kind {
        let language = info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
        let is_name =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'#' | b'.' | b'-' | b'_');
        if (1..=32).contains(&language.len()) && language.bytes().all(is_name) {
            writer.out.push_str(" class=\"language-");
            writer.out.push_str(language);
            writer.out.push('"');
        }
    }
    writer.out.push('>');
}

pub(super) fn start_cell(writer: &mut Writer<'_, '_>) {
    writer.out.push_str(if writer.in_table_head {
        "<th scope=\"col\""
    } else {
        "<td"
    });
    match writer.alignments.get(writer.column) {
        Some(Alignment::Center) => writer.out.push_str(" class=\"mid\""),
        Some(Alignment::Right) => writer.out.push_str(" class=\"end\""),
        Some(Alignment::Left | Alignment::None) | None => {}
    }
    writer.out.push('>');
}

pub(super) fn start_link(
    writer: &mut Writer<'_, '_>,
    kind: LinkType,
    destination: &str,
    title: &str,
    in_link: bool,
) {
    let is_email = matches!(kind, LinkType::Email) && !destination.starts_with("mailto:");
    let is_allowed = is_email || url::is_allowed(destination, Use::Link);
    if !is_allowed {
        writer.refuse_url(destination);
    }
    writer.link_written = is_allowed && !in_link;
    if !writer.link_written {
        return;
    }
    writer.out.push_str("<a href=\"");
    if is_email {
        writer.out.push_str("mailto:");
    }
    writer.write_destination(destination);
    writer.out.push('"');
    title_attribute(&mut writer.out, title);
    writer.out.push('>');
}

/// Writes a `title` attribute, unless it is empty.
pub(super) fn title_attribute(out: &mut String, title: &str) {
    if !title.is_empty() {
        out.push_str(" title=\"");
        escape::attribute(out, title);
        out.push('"');
    }
}
