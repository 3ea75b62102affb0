//! Markdown events → the HTML of an article's body.
//!
//! 1. Every event becomes markup of a fixed form; all its texts are escaped, its URLs
//!    judged. Without raw HTML the result is safe by construction, and that is the end.
//! 2. Raw HTML is rewritten to known, balanced tags ([`super::raw_html`]).
//! 3. A body with raw HTML is then cleaned as a whole ([`super::sanitise`]).
//!
//! pulldown-cmark's own writer is not used: it knows no figures, back links, scrollable
//! tables or heading shifts, and lets every URL and all raw HTML through.

use pulldown_cmark::{Alignment, Event, Tag, TagEnd};

use super::error::RenderError;
use super::escape;
use super::figure::ImageSource;
use super::footnotes::Footnotes;
use super::headings::{Ids, Levels};
use super::nesting::{Content, MAX_TAGS_DEPTH, Nesting, SCROLL_REGION, heading_tags};
use super::{raw_html, sanitise};
use crate::article::{EventRef, Events};

/// What the rendering of an article left out because no page may carry it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Links and images whose URL is neither relative nor of an allowed scheme.
    pub urls: u32,
    /// Raw HTML tags, comments and elements that pages may not have.
    pub tags: u32,
}

/// The body as HTML.
pub(super) struct BodyHtml {
    pub(super) html: String,
    pub(super) removed: Removed,
    /// The URL of the first image, as it stands in the Markdown.
    pub(super) first_image: Option<String>,
}

/// Renders `events`. More than `limit` bytes of HTML are an error.
pub(super) fn write(
    events: &Events<'_>,
    sources: &[ImageSource<'_>],
    limit: usize,
) -> Result<BodyHtml, RenderError> {
    written(events, sources, limit)?.finish()
}

/// The body with its raw HTML rewritten, as it is before [`sanitise`] sees it.
pub(super) fn uncleaned(events: &Events<'_>) -> Result<String, RenderError> {
    Ok(written(events, &[], usize::MAX)?.out)
}

fn written<'w, 'a>(
    events: &'w Events<'a>,
    sources: &'w [ImageSource<'w>],
    limit: usize,
) -> Result<Writer<'w, 'a>, RenderError> {
    let mut writer = Writer {
        events,
        sources,
        out: String::with_capacity(limit.min(events.len() * 48 + 256)),
        limit,
        nesting: Nesting::default(),
        ids: Ids::default(),
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
        removed: Removed::default(),
        first_image: None,
    };
    let mut at = 0;
    while at < events.len() {
        at = writer.event(at);
        writer.check_caps()?;
    }
    writer.nesting.close_all(&mut writer.out);
    writer.footnotes.write_all(&mut writer.out);
    writer.check_caps()?;
    Ok(writer)
}

pub(super) struct Writer<'w, 'a> {
    pub(super) events: &'w Events<'a>,
    pub(super) sources: &'w [ImageSource<'w>],
    pub(super) out: String,
    limit: usize,
    pub(super) nesting: Nesting,
    pub(super) ids: Ids,
    footnotes: Footnotes<'w>,
    /// Whether an `<a>` was written for the Markdown link that is open. Links do not nest.
    pub(super) link_written: bool,
    /// The level on the page of the heading that is open. Headings do not nest.
    pub(super) heading: u8,
    /// The body's heading levels, while a footnote counts its own.
    body_levels: Levels,
    pub(super) alignments: Vec<Alignment>,
    pub(super) column: usize,
    pub(super) in_table_head: bool,
    tables: u32,
    /// The raw HTML block being collected.
    raw_block: Option<String>,
    has_raw_html: bool,
    pub(super) removed: Removed,
    pub(super) first_image: Option<String>,
}

impl Writer<'_, '_> {
    /// Writes the event at `at`; returns where to go on.
    fn event(&mut self, at: usize) -> usize {
        let event = &*self.events.at(at);
        match event {
            Event::Start(Tag::Paragraph) => {
                if let Some(end) = self.figures(at) {
                    return end;
                }
                self.nesting.open_markdown(&mut self.out, Content::Line);
                self.out.push_str("<p>");
            }
            Event::Start(Tag::Image { .. }) => {
                let hoisted = self.nesting.hoist(&mut self.out);
                let end = self.inline_image(at);
                self.nesting.lower(&mut self.out, hoisted);
                return end;
            }
            Event::Start(Tag::MetadataBlock(_)) => {
                let is_end = |event: EventRef<'_, '_>| {
                    matches!(*event, Event::End(TagEnd::MetadataBlock(_)))
                };
                let end = self.events.from(at).position(is_end);
                return end.map_or(self.events.len(), |end| at + end + 1);
            }
            Event::Start(tag) => self.start(at, tag),
            Event::End(tag) => self.end(tag),
            Event::Text(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::HardBreak
            | Event::TaskListMarker(_) => {
                let hoisted = self.nesting.hoist(&mut self.out);
                self.leaf(event);
                self.nesting.lower(&mut self.out, hoisted);
            }
            Event::Rule => {
                self.nesting.start_block(&mut self.out);
                let hoisted = self.nesting.hoist(&mut self.out);
                self.out.push_str("<hr>\n");
                self.nesting.lower(&mut self.out, hoisted);
            }
            Event::Html(raw) | Event::InlineHtml(raw) => self.raw(raw),
            Event::SoftBreak => self.out.push('\n'),
        }
        at + 1
    }

    /// Writes an event that holds no others.
    fn leaf(&mut self, event: &Event<'_>) {
        match event {
            Event::Text(text) => escape::text(&mut self.out, text),
            Event::Code(code) => {
                self.out.push_str("<code>");
                escape::text(&mut self.out, code);
                self.out.push_str("</code>");
            }
            Event::InlineMath(code) | Event::DisplayMath(code) => {
                self.out.push_str("<code class=\"math\">");
                escape::text(&mut self.out, code);
                self.out.push_str("</code>");
            }
            Event::FootnoteReference(label) => {
                self.footnotes
                    .reference(&mut self.out, label, self.nesting.is_in_link());
            }
            Event::HardBreak => self.out.push_str("<br>\n"),
            Event::TaskListMarker(done) => self.out.push_str(if *done {
                "<span class=\"task\" role=\"img\" aria-label=\"Done:\">☑</span> "
            } else {
                "<span class=\"task\" role=\"img\" aria-label=\"To do:\">☐</span> "
            }),
            _ => {}
        }
    }

    fn start(&mut self, at: usize, tag: &Tag<'_>) {
        let in_link = matches!(tag, Tag::Link { .. }) && self.nesting.is_in_link();
        // An HTML block is no element of ours: `<details>` may open in one and close in
        // another.
        if !matches!(tag, Tag::HtmlBlock) {
            self.nesting.open_markdown(&mut self.out, content(tag));
        }
        match tag {
            Tag::Heading { level, .. } => self.start_heading(at, *level),
            Tag::BlockQuote(kind) => self.start_quote(*kind),
            Tag::CodeBlock(kind) => self.start_code(kind),
            Tag::HtmlBlock => self.raw_block = Some(String::new()),
            Tag::List(None) => self.out.push_str("<ul>\n"),
            Tag::List(Some(1)) => self.out.push_str("<ol>\n"),
            Tag::List(Some(first)) => {
                self.out.push_str("<ol start=\"");
                self.out.push_str(&first.to_string());
                self.out.push_str("\">\n");
            }
            Tag::Item => self.out.push_str("<li>"),
            Tag::FootnoteDefinition(label) => {
                let levels = std::mem::replace(&mut self.nesting.levels, Levels::under_a_heading());
                self.body_levels = levels;
                self.footnotes.start(&mut self.out, label);
            }
            Tag::DefinitionList => self.out.push_str("<dl>\n"),
            Tag::DefinitionListTitle => self.out.push_str("<dt>"),
            Tag::DefinitionListDefinition => self.out.push_str("<dd>"),
            Tag::Table(alignments) => {
                self.alignments.clone_from(alignments);
                self.tables += 1;
                self.out.push_str(SCROLL_REGION);
                self.out.push_str(" aria-label=\"Table ");
                self.out.push_str(&self.tables.to_string());
                self.out.push_str("\"><table>\n");
            }
            Tag::TableHead => {
                self.in_table_head = true;
                self.column = 0;
                self.out.push_str("<thead><tr>");
            }
            Tag::TableRow => {
                self.column = 0;
                self.out.push_str("<tr>");
            }
            Tag::TableCell => self.start_cell(),
            Tag::Emphasis => self.out.push_str("<em>"),
            Tag::Strong => self.out.push_str("<strong>"),
            Tag::Strikethrough => self.out.push_str("<del>"),
            Tag::Superscript => self.out.push_str("<sup>"),
            Tag::Subscript => self.out.push_str("<sub>"),
            Tag::Link {
                link_type,
                dest_url,
                title,
                ..
            } => self.start_link(*link_type, dest_url, title, in_link),
            Tag::Paragraph | Tag::Image { .. } | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: &TagEnd) {
        if matches!(tag, TagEnd::HtmlBlock) {
            if let Some(raw) = self.raw_block.take() {
                self.raw(&raw);
            }
            return;
        }
        let hoisted = self.nesting.close_markdown(&mut self.out);
        match tag {
            TagEnd::Paragraph => self.out.push_str("</p>\n"),
            TagEnd::Heading(_) => self.out.push_str(heading_tags(self.heading).1),
            TagEnd::BlockQuote(_) => self.out.push_str("</blockquote>\n"),
            TagEnd::CodeBlock => self.out.push_str("</code></pre>\n"),
            TagEnd::List(true) => self.out.push_str("</ol>\n"),
            TagEnd::List(false) => self.out.push_str("</ul>\n"),
            TagEnd::Item => self.out.push_str("</li>\n"),
            TagEnd::FootnoteDefinition => {
                self.footnotes.end(&mut self.out);
                self.nesting.levels = std::mem::take(&mut self.body_levels);
            }
            TagEnd::DefinitionList => self.out.push_str("</dl>\n"),
            TagEnd::DefinitionListTitle => self.out.push_str("</dt>\n"),
            TagEnd::DefinitionListDefinition => self.out.push_str("</dd>\n"),
            TagEnd::Table => self.out.push_str("</tbody></table></div>\n"),
            TagEnd::TableHead => {
                self.in_table_head = false;
                self.out.push_str("</tr></thead><tbody>\n");
            }
            TagEnd::TableRow => self.out.push_str("</tr>\n"),
            TagEnd::TableCell => {
                self.out
                    .push_str(if self.in_table_head { "</th>" } else { "</td>" });
                self.column += 1;
            }
            TagEnd::Emphasis => self.out.push_str("</em>"),
            TagEnd::Strong => self.out.push_str("</strong>"),
            TagEnd::Strikethrough => self.out.push_str("</del>"),
            TagEnd::Superscript => self.out.push_str("</sup>"),
            TagEnd::Subscript => self.out.push_str("</sub>"),
            TagEnd::Link => {
                if std::mem::take(&mut self.link_written) {
                    self.out.push_str("</a>");
                }
            }
            TagEnd::HtmlBlock | TagEnd::Image | TagEnd::MetadataBlock(_) => {}
        }
        self.nesting.lower(&mut self.out, hoisted);
    }

    fn raw(&mut self, raw: &str) {
        if let Some(block) = &mut self.raw_block {
            block.push_str(raw);
            return;
        }
        self.has_raw_html = true;
        self.removed.tags += raw_html::rewrite(&mut self.out, &mut self.nesting, raw);
    }

    fn check_caps(&self) -> Result<(), RenderError> {
        if self.nesting.is_too_deep() {
            return Err(RenderError {
                code: "body.nesting",
                message: format!(
                    "expected lists, quotes and HTML tags to nest at most {MAX_TAGS_DEPTH} deep, found more"
                ),
            });
        }
        self.check_size(self.out.len() + self.footnotes.bytes() + self.nesting.bytes())
    }

    fn check_size(&self, bytes: usize) -> Result<(), RenderError> {
        if bytes <= self.limit {
            return Ok(());
        }
        Err(RenderError {
            code: "body.size",
            message: format!(
                "expected a body of at most {} bytes of HTML (8 × its source + 64 KiB), found more",
                self.limit
            ),
        })
    }

    fn finish(mut self) -> Result<BodyHtml, RenderError> {
        if self.has_raw_html {
            let body = std::mem::take(&mut self.out);
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
            self.check_size(clean.len())?;
            self.removed.urls += urls;
            self.out = clean;
        }
        Ok(BodyHtml {
            html: self.out,
            removed: self.removed,
            first_image: self.first_image,
        })
    }
}

/// What the element that `tag` starts may contain.
fn content(tag: &Tag<'_>) -> Content {
    match tag {
        Tag::Paragraph | Tag::Heading { .. } | Tag::DefinitionListTitle | Tag::TableCell => {
            Content::Line
        }
        Tag::Link { .. } => Content::Link,
        Tag::Emphasis
        | Tag::Strong
        | Tag::Strikethrough
        | Tag::Superscript
        | Tag::Subscript
        | Tag::Image { .. } => Content::Phrase,
        _ => Content::Blocks,
    }
}
