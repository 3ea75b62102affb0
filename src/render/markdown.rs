//! Markdown events → the HTML of an article's body.
//!
//! 1. Every event becomes markup of a fixed form; all its texts are escaped, its URLs
//!    judged. Without raw HTML the result is safe by construction, and that is the end.
//! 2. Raw HTML is rewritten to known, balanced tags ([`super::raw_html`]).
//! 3. A body with raw HTML is then cleaned as a whole ([`super::sanitise`]).
//!
//! pulldown-cmark's own writer is not used: it knows no figures, back links, scrollable
//! tables or heading shifts, and lets every URL and all raw HTML through.

use std::collections::HashSet;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::contents::Contents;
use super::error::RenderError;
use super::escape;
use super::footnotes::Footnotes;
use super::headings::Levels;
use super::ids::Ids;
use super::nesting::{Content, Nesting, SCROLL_REGION};
use super::raw_html::{RawHtml, Rewriter};
use super::removals::Removals;
use super::writer::{Task, Writer};
use super::{elements, figure, sanitise};
use crate::article::{EventRef, Markup};

/// The body as HTML.
pub(super) struct BodyHtml {
    pub(super) html: String,
    pub(super) removals: Removals,
    /// The URL of the first image, as it stands in the Markdown.
    pub(super) first_image: Option<String>,
    /// The table of contents; empty for a short article.
    pub(super) contents: String,
}

/// Renders a body.
pub(super) fn write(task: Task<'_, '_>) -> Result<BodyHtml, RenderError> {
    finish(written(task)?)
}

/// The body with its raw HTML rewritten, as it is before [`sanitise`] sees it.
pub(super) fn uncleaned(task: Task<'_, '_>) -> Result<String, RenderError> {
    Ok(written(task)?.out)
}

/// The fragments that links can use within the body, each also in lower case.
pub(super) fn anchors(task: Task<'_, '_>) -> Result<HashSet<String>, RenderError> {
    let writer = written(task)?;
    let ids = writer.out.match_indices(" id=\"").map(|(at, mark)| {
        let value = &writer.out[at + mark.len()..];
        value.split('"').next().unwrap_or_default()
    });
    let names = ids.chain(writer.ids.names());
    Ok(names
        .flat_map(|name| [name.to_owned(), name.to_lowercase()])
        .collect())
}

fn written<'w, 'a>(task: Task<'w, 'a>) -> Result<Writer<'w, 'a>, RenderError> {
    let Task { body, limit, .. } = task;
    let events = &body.events;
    let mut writer = Writer {
        body,
        sources: task.sources,
        out: String::with_capacity(limit.min(events.len() * 48 + 256)),
        limit,
        nesting: Nesting::default(),
        ids: Ids::new(task.page_ids),
        footnotes: Footnotes::new(events),
        link_written: false,
        heading: 2,
        body_levels: Levels::default(),
        alignments: Vec::new(),
        column: 0,
        in_table_head: false,
        tables: 0,
        raw_block: None,
        has_raw_html: false,
        removals: Removals::default(),
        refused_urls: Vec::new(),
        first_image: None,
        heading_id: None,
        contents: Contents::default(),
    };
    if let Some(title) = task.title {
        writer.ids.take_title(title);
    }
    let mut at = 0;
    while at < events.len() {
        at = event(&mut writer, at);
        writer.check_caps()?;
    }
    writer.nesting.close_all(&mut writer.out);
    writer.footnotes.write_all(&mut writer.out);
    writer.check_caps()?;
    Ok(writer)
}

/// Writes the event at `at`; returns where to go on.
fn event(writer: &mut Writer<'_, '_>, at: usize) -> usize {
    let body = writer.body;
    let event = &*body.events.at(at);
    match event {
        Event::Start(Tag::Paragraph) => {
            let is_hidden = writer.nesting.is_hidden();
            if !is_hidden && let Some(end) = figure::figures(writer, at) {
                return end;
            }
            writer.nesting.open_markdown(&mut writer.out, Content::Line);
            if !is_hidden {
                writer.out.push_str("<p>");
            }
        }
        Event::Start(Tag::Image { .. }) if writer.nesting.is_hidden() => {
            return figure::alt(writer, at).1;
        }
        Event::Start(Tag::Image { .. }) => {
            let hoisted = writer.nesting.hoist(&mut writer.out);
            let end = figure::inline_image(writer, at);
            writer.nesting.lower(&mut writer.out, hoisted);
            return end;
        }
        Event::Start(Tag::MetadataBlock(_)) => {
            let is_end =
                |event: EventRef<'_, '_>| matches!(*event, Event::End(TagEnd::MetadataBlock(_)));
            let end = writer.body.events.from(at).position(is_end);
            return end.map_or(writer.body.events.len(), |end| at + end + 1);
        }
        Event::Start(tag) => start(writer, at, tag),
        Event::End(tag) => end(writer, tag),
        Event::Html(raw) | Event::InlineHtml(raw) => raw_html(writer, raw),
        _ if writer.nesting.is_hidden() => {}
        Event::Text(_)
        | Event::Code(_)
        | Event::InlineMath(_)
        | Event::DisplayMath(_)
        | Event::FootnoteReference(_)
        | Event::HardBreak
        | Event::TaskListMarker(_) => {
            let hoisted = writer.nesting.hoist(&mut writer.out);
            leaf(writer, event);
            writer.nesting.lower(&mut writer.out, hoisted);
        }
        Event::Rule => {
            writer.nesting.start_block(&mut writer.out);
            let hoisted = writer.nesting.hoist(&mut writer.out);
            writer.out.push_str("<hr>\n");
            writer.nesting.lower(&mut writer.out, hoisted);
        }
        Event::SoftBreak => writer.out.push('\n'),
    }
    at + 1
}

/// Writes an event that holds no others.
fn leaf(writer: &mut Writer<'_, '_>, event: &Event<'_>) {
    match event {
        Event::Text(text) => escape::text(&mut writer.out, text),
        Event::Code(code) => {
            writer.out.push_str("<code>");
            escape::text(&mut writer.out, code);
            writer.out.push_str("</code>");
        }
        Event::InlineMath(code) | Event::DisplayMath(code) => {
            writer.out.push_str("<code class=\"math\">");
            escape::text(&mut writer.out, code);
            writer.out.push_str("</code>");
        }
        Event::FootnoteReference(label) => {
            writer
                .footnotes
                .reference(&mut writer.out, label, writer.nesting.is_in_link());
        }
        Event::HardBreak => writer.out.push_str("<br>\n"),
        Event::TaskListMarker(done) => writer.out.push_str(if *done {
            "<span class=\"task\" role=\"img\" aria-label=\"Done:\">☑</span> "
        } else {
            "<span class=\"task\" role=\"img\" aria-label=\"To do:\">☐</span> "
        }),
        _ => {}
    }
}

fn start(writer: &mut Writer<'_, '_>, at: usize, tag: &Tag<'_>) {
    let in_link = matches!(tag, Tag::Link { .. }) && writer.nesting.is_in_link();
    // An HTML block is no element of ours: `<details>` may open in one and close in
    // another.
    if !matches!(tag, Tag::HtmlBlock) {
        writer.nesting.open_markdown(&mut writer.out, content(tag));
        if writer.nesting.is_hidden() {
            return;
        }
    }
    match tag {
        Tag::Heading {
            level, id, attrs, ..
        } => elements::start_heading(writer, at, *level, id.as_deref(), attrs),
        Tag::BlockQuote(kind) => elements::start_quote(writer, *kind),
        Tag::CodeBlock(kind) => elements::start_code(writer, kind),
        Tag::HtmlBlock => writer.raw_block = Some(RawHtml::default()),
        Tag::List(None) => writer.out.push_str("<ul>\n"),
        Tag::List(Some(1)) => writer.out.push_str("<ol>\n"),
        Tag::List(Some(first)) => {
            writer.out.push_str("<ol start=\"");
            writer.out.push_str(&first.to_string());
            writer.out.push_str("\">\n");
        }
        Tag::Item => writer.out.push_str("<li>"),
        Tag::FootnoteDefinition(label) => {
            let levels = std::mem::replace(&mut writer.nesting.levels, Levels::under_a_heading());
            writer.body_levels = levels;
            writer.footnotes.start(&mut writer.out, label);
        }
        Tag::DefinitionList => writer.out.push_str("<dl>\n"),
        Tag::DefinitionListTitle => writer.out.push_str("<dt>"),
        Tag::DefinitionListDefinition => writer.out.push_str("<dd>"),
        Tag::Table(alignments) => {
            writer.alignments.clone_from(alignments);
            writer.tables += 1;
            writer.out.push_str(SCROLL_REGION);
            writer.out.push_str(" aria-label=\"Table ");
            writer.out.push_str(&writer.tables.to_string());
            writer.out.push_str("\"><table>\n");
        }
        Tag::TableHead => {
            writer.in_table_head = true;
            writer.column = 0;
            writer.out.push_str("<thead><tr>");
        }
        Tag::TableRow => {
            writer.column = 0;
            writer.out.push_str("<tr>");
        }
        Tag::TableCell => elements::start_cell(writer),
        Tag::Emphasis => writer.out.push_str("<em>"),
        Tag::Strong => writer.out.push_str("<strong>"),
        Tag::Strikethrough => writer.out.push_str("<del>"),
        Tag::Superscript => writer.out.push_str("<sup>"),
        Tag::Subscript => writer.out.push_str("<sub>"),
        Tag::Link {
            link_type,
            dest_url,
            title,
            ..
        } => elements::start_link(writer, *link_type, dest_url, title, in_link),
        Tag::Paragraph | Tag::Image { .. } | Tag::MetadataBlock(_) => {}
    }
}

fn end(writer: &mut Writer<'_, '_>, tag: &TagEnd) {
    if matches!(tag, TagEnd::HtmlBlock) {
        if let Some(raw) = writer.raw_block.take() {
            rewrite(writer, &raw);
        }
        return;
    }
    let hoisted = writer.nesting.close_markdown(&mut writer.out);
    if writer.nesting.is_hidden() {
        return;
    }
    match tag {
        TagEnd::Paragraph => writer.out.push_str("</p>\n"),
        TagEnd::Heading(_) => elements::end_heading(writer),
        TagEnd::BlockQuote(_) => writer.out.push_str("</blockquote>\n"),
        TagEnd::CodeBlock => writer.out.push_str("</code></pre>\n"),
        TagEnd::List(true) => writer.out.push_str("</ol>\n"),
        TagEnd::List(false) => writer.out.push_str("</ul>\n"),
        TagEnd::Item => writer.out.push_str("</li>\n"),
        TagEnd::FootnoteDefinition => {
            writer.footnotes.end(&mut writer.out);
            writer.nesting.levels = std::mem::take(&mut writer.body_levels);
        }
        TagEnd::DefinitionList => writer.out.push_str("</dl>\n"),
        TagEnd::DefinitionListTitle => writer.out.push_str("</dt>\n"),
        TagEnd::DefinitionListDefinition => writer.out.push_str("</dd>\n"),
        TagEnd::Table => writer.out.push_str("</tbody></table></div>\n"),
        TagEnd::TableHead => {
            writer.in_table_head = false;
            writer.out.push_str("</tr></thead><tbody>\n");
        }
        TagEnd::TableRow => writer.out.push_str("</tr>\n"),
        TagEnd::TableCell => {
            writer.out.push_str(if writer.in_table_head {
                "</th>"
            } else {
                "</td>"
            });
            writer.column += 1;
        }
        TagEnd::Emphasis => writer.out.push_str("</em>"),
        TagEnd::Strong => writer.out.push_str("</strong>"),
        TagEnd::Strikethrough => writer.out.push_str("</del>"),
        TagEnd::Superscript => writer.out.push_str("</sup>"),
        TagEnd::Subscript => writer.out.push_str("</sub>"),
        TagEnd::Link => {
            if std::mem::take(&mut writer.link_written) {
                writer.out.push_str("</a>");
            }
        }
        TagEnd::HtmlBlock | TagEnd::Image | TagEnd::MetadataBlock(_) => {}
    }
    writer.nesting.lower(&mut writer.out, hoisted);
}

fn raw_html(writer: &mut Writer<'_, '_>, raw: &str) {
    let offset = writer.body.offset_of(raw);
    if let Some(block) = &mut writer.raw_block {
        block.push(raw, offset);
        return;
    }
    let mut tag = RawHtml::default();
    tag.push(raw, offset);
    rewrite(writer, &tag);
}

fn rewrite(writer: &mut Writer<'_, '_>, raw: &RawHtml) {
    writer.has_raw_html = true;
    let mut rewriter = Rewriter {
        out: &mut writer.out,
        nesting: &mut writer.nesting,
        ids: &mut writer.ids,
        removals: &mut writer.removals,
        refused_urls: &mut writer.refused_urls,
        rewritten: &writer.body.rewritten,
        has_components: writer.body.markup != Markup::Html,
    };
    rewriter.rewrite(raw);
}

fn finish(mut writer: Writer<'_, '_>) -> Result<BodyHtml, RenderError> {
    if writer.has_raw_html {
        let body = std::mem::take(&mut writer.out);
        if body.len() > sanitise::MAX_PARTS && sanitise::parts(&body) > sanitise::MAX_PARTS {
            return Err(RenderError {
                code: "body.size",
                message: format!(
                    "expected a body with raw HTML of at most {} tags and attributes of HTML, found more",
                    sanitise::MAX_PARTS
                ),
            });
        }
        let Some((clean, urls)) = sanitise::clean(body) else {
            return Err(RenderError {
                code: "body.html",
                message: "expected HTML that reads the same after cleaning, found tags nested so that it does not"
                    .to_owned(),
            });
        };
        writer.check_size(clean.len())?;
        let refused = writer.refused_urls.into_iter();
        let mut unnamed = urls;
        for (what, offset) in refused.take(urls as usize) {
            writer.removals.add(what, offset);
            unnamed -= 1;
        }
        writer.removals.unnamed += unnamed;
        writer.out = clean;
    }
    Ok(BodyHtml {
        contents: writer.contents.write(writer.out.len()),
        html: writer.ids.resolve(writer.out),
        removals: writer.removals,
        first_image: writer.first_image,
    })
}

/// What the element that `tag` starts may contain.
fn content(tag: &Tag<'_>) -> Content {
    match tag {
        Tag::Paragraph | Tag::Heading { .. } | Tag::DefinitionListTitle | Tag::TableCell => {
            Content::Line
        }
        Tag::Link { .. } => Content::Link,
        Tag::Item | Tag::FootnoteDefinition(_) => Content::Item,
        Tag::DefinitionListDefinition => Content::Definition,
        Tag::Emphasis
        | Tag::Strong
        | Tag::Strikethrough
        | Tag::Superscript
        | Tag::Subscript
        | Tag::Image { .. } => Content::Phrase,
        _ => Content::Blocks,
    }
}
