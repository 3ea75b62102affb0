//! The Markdown body: parsed once into events, counted, and guarded against deep nesting.

use std::collections::HashMap;
use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use super::cost::{Excess, Nesting, Refused, refuse_costly, refuse_many_marks};
use super::dialect::Alert;
use super::dialect::blocks::Rewritten;
use super::dialect::foreign::ForeignSyntax;
use super::dialect::inline::{Inline, Sink};
use super::events::{Events, may_matter, options};
use super::html::converter::EventSink;
use super::html::events::events as html_events;
use super::html::text::{HtmlText, image_tags};
use super::markup::Markup;
use crate::diagnostic::Span;
use crate::front_matter::position;

/// How many events a body may make, of 24 bytes each, or 120 where they are links.
const MAX_EVENTS: usize = 1_500_000;

/// A body of more bytes gets room for all events that there may be, of which it uses what it needs:
/// growing would copy them, and leave holes in the memory.
const LONG_BYTES: usize = 512 * 1024;

/// The Markdown body as events, with what cross-checks need to know of it.
#[derive(Debug, Default)]
pub struct Body<'a> {
    /// pulldown-cmark's events in order.
    pub events: Events<'a>,
    /// Number of Markdown images.
    pub images: usize,
    /// Number of `<img` tags in raw HTML.
    pub html_images: usize,
    /// The Markdown or HTML that the events were made from.
    pub markdown: &'a str,
    /// What it is written in.
    pub markup: Markup,
    /// The line of the source on which it begins, from 1.
    pub first_line: u32,
    /// How many table cells it has, no fewer than that.
    pub cells: usize,
    /// The first level-1 heading was taken out and became the title.
    pub heading_is_title: bool,
    /// Lines of the Markdown, from 0, whose start is longer (or, if negative, shorter) than in the source,
    /// and by how many characters.
    pub shifts: Vec<(usize, isize)>,
    /// Whether a link or image may refer to a source, a page or a file of the archive.
    pub has_references: bool,
    /// New URLs for those in raw HTML, by the URL as written: of links, and of images.
    pub rewritten: [HashMap<String, String>; 2],
}

impl Body<'_> {
    /// The offset of `part` in the Markdown, if it is a piece of it and not a copy.
    #[must_use]
    pub fn offset_of(&self, part: &str) -> Option<usize> {
        let offset = part
            .as_ptr()
            .addr()
            .checked_sub(self.markdown.as_ptr().addr())?;
        (offset + part.len() <= self.markdown.len()).then_some(offset)
    }

    /// The place of a byte of the Markdown in the source, to the end of its line.
    #[must_use]
    pub fn place_of(&self, offset: usize) -> Span {
        let mut place = position(self.markdown, offset, self.first_line);
        let line = (place.line - self.first_line) as usize;
        if let Ok(index) = self.shifts.binary_search_by_key(&line, |(line, _)| *line) {
            let column = place.column as isize - self.shifts[index].1;
            place.column = u32::try_from(column.max(1)).unwrap_or(1);
        }
        place
    }
}

/// A body, its first level-1 heading, and its foreign syntax.
pub(super) struct Parsed<'a> {
    pub body: Body<'a>,
    pub foreign: ForeignSyntax,
    heading: Option<Heading>,
}

/// The first level-1 heading that has text and is not in a quote, list or footnote.
struct Heading {
    /// Its events, start and end included.
    events: Range<usize>,
    /// Images among them.
    images: usize,
    /// Its text, not yet cleaned.
    text: String,
    /// Where it begins in the Markdown, in bytes.
    offset: usize,
    /// Text to read comes before it.
    is_late: bool,
}

/// The heading that gives a title.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TitleHeading {
    /// Its text, not yet cleaned.
    pub text: String,
    /// Where it begins in the Markdown, in bytes.
    pub offset: usize,
    /// It stays in the body, since text comes before it.
    pub stays: bool,
}

impl<'a> Parsed<'a> {
    /// Parses Markdown, cleaned.
    pub(super) fn new(markdown: &'a str) -> Result<Self, Refused> {
        refuse_costly(markdown)?;
        Self::rewritten(markdown, Rewritten::default(), false)
    }

    /// Parses cleaned and rewritten Markdown that [`refuse_costly`] has accepted.
    pub(super) fn rewritten(
        markdown: &'a str,
        rewritten: Rewritten,
        is_mdx: bool,
    ) -> Result<Self, Refused> {
        let mut builder = Builder {
            body: Body {
                shifts: rewritten.shifts,
                ..empty_body(markdown)
            },
            alerts: rewritten.alerts.into_iter().rev().collect(),
            ..Builder::default()
        };
        let mut inline = Inline::new(markdown, is_mdx, rewritten.foreign);
        for (event, range) in Parser::new_ext(markdown, options()).into_offset_iter() {
            if let Event::Start(Tag::Table(_)) = event {
                let cells = markdown.as_bytes()[range.clone()].iter();
                builder.body.cells += cells.filter(|byte| **byte == b'|').count();
            }
            if inline.concerns(range.end) {
                inline.take(event, range, &mut builder)?;
            } else {
                builder.push(event, range)?;
            }
        }
        Ok(Self {
            body: builder.body,
            foreign: inline.foreign,
            heading: builder.heading,
        })
    }

    /// Parses HTML, cleaned.
    pub(super) fn of_html(html: &'a str) -> Result<Self, Refused> {
        refuse_many_marks(html)?;
        let mut builder = Builder {
            body: Body {
                markup: Markup::Html,
                ..empty_body(html)
            },
            ..Builder::default()
        };
        html_events(html, &mut builder)?;
        Ok(Self {
            body: builder.body,
            foreign: ForeignSyntax::default(),
            heading: builder.heading,
        })
    }

    /// The heading that gives the title. One at the start leaves the body.
    pub(super) fn take_heading(&mut self) -> Option<TitleHeading> {
        let Heading {
            events,
            images,
            text,
            offset,
            is_late,
        } = self.heading.take()?;
        if !is_late {
            self.body.events.remove(events);
            self.body.images -= images;
            self.body.heading_is_title = true;
        }
        Some(TitleHeading {
            text,
            offset,
            stays: is_late,
        })
    }
}

/// A body without events yet.
fn empty_body(markdown: &str) -> Body<'_> {
    Body {
        events: Events::with_capacity(if markdown.len() > LONG_BYTES {
            MAX_EVENTS
        } else {
            markdown.len() / 24 + 8
        }),
        markdown,
        first_line: 1,
        ..Body::default()
    }
}

/// Collects the events of a body.
#[derive(Default)]
struct Builder<'a> {
    body: Body<'a>,
    nesting: Nesting,
    /// Quotes that are alerts, the next one last.
    alerts: Vec<Alert>,
    /// The first level-1 heading, once it has ended.
    heading: Option<Heading>,
    /// The level-1 heading that is open: index of its first event, images before it, byte offset.
    open: Option<(usize, usize, usize)>,
    /// Its text.
    text: String,
    /// Text to read came before the first level-1 heading.
    has_text: bool,
    html: HtmlText,
    /// Images that are open. Their text is not text to read.
    open_images: usize,
    last_heading: Option<LastHeading>,
    /// Lists that are open.
    lists: usize,
    /// The innermost list will be left out at its end.
    drops_list: bool,
}

/// The heading that began last.
struct LastHeading {
    /// Index of its first event.
    start: usize,
    /// Once it has ended: the index after its last event, and its end in the Markdown.
    end: Option<(usize, usize)>,
}

impl<'a> Sink<'a> for Builder<'a> {
    type Error = Refused;

    #[inline]
    fn push(&mut self, event: Event<'a>, range: Range<usize>) -> Result<(), Refused> {
        match &event {
            Event::Start(tag) => {
                self.nesting.open(tag, range.start)?;
                match tag {
                    Tag::Link { dest_url, .. } => self.body.has_references |= may_matter(dest_url),
                    Tag::Image { dest_url, .. } => {
                        self.body.images += 1;
                        self.open_images += 1;
                        self.body.has_references |= may_matter(dest_url);
                    }
                    Tag::Heading { level, .. } => self.open_heading(*level, range.start),
                    Tag::List(_) => self.lists += 1,
                    Tag::BlockQuote(None) if !self.alerts.is_empty() => {
                        return self.open_quote(range.start);
                    }
                    _ => {}
                }
            }
            Event::Text(piece) | Event::Code(piece) => {
                if self.open.is_some() {
                    self.text.push_str(piece);
                } else if !self.has_text {
                    self.has_text = self.open_images == 0 && !piece.trim().is_empty();
                }
            }
            Event::SoftBreak | Event::HardBreak if self.open.is_some() => self.text.push(' '),
            Event::Html(html) | Event::InlineHtml(html) => {
                self.body.html_images += image_tags(html);
                self.body.has_references |= html.contains('=');
                if !self.has_text && self.open.is_none() {
                    self.has_text = self.html.has_text(html);
                }
            }
            Event::End(end) => {
                self.nesting.close(*end);
                match end {
                    TagEnd::Heading(_) => self.close_heading(range.end),
                    TagEnd::Image => self.open_images -= 1,
                    TagEnd::Paragraph | TagEnd::Item if self.body.events.end_block(*end) => {
                        return Ok(());
                    }
                    TagEnd::List(_) => {
                        self.lists -= 1;
                        if std::mem::take(&mut self.drops_list) {
                            self.body.events.drop_open_list();
                            self.last_heading = None;
                            return Ok(());
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        self.append(event, range.start)
    }

    fn is_in_heading(&self) -> bool {
        matches!(self.last_heading, Some(LastHeading { end: None, .. }))
    }

    fn name_heading(&mut self, id: &'a str) {
        if let Some(LastHeading { start, .. }) = self.last_heading {
            self.body.events.name_heading(start, id);
        }
    }

    fn heading_before(&self) -> Option<usize> {
        let (index, end) = self.last_heading.as_ref()?.end?;
        // The start of the paragraph that the text at hand is in.
        (self.body.events.len() <= index + 1).then_some(end)
    }

    fn drop_list(&mut self) {
        self.drops_list = self.lists > 0;
    }
}

impl<'a> EventSink<'a> for Builder<'a> {
    type Error = Refused;

    fn take(&mut self, event: Event<'a>, range: Range<usize>) -> Result<(), Refused> {
        let (Event::Html(html) | Event::InlineHtml(html)) = &event else {
            return self.push(event, range);
        };
        self.body.html_images += image_tags(html);
        self.body.has_references |= html.contains('=');
        self.append(event, range.start)
    }

    fn take_inner_heading(&mut self, event: Event<'a>, range: Range<usize>) -> Result<(), Refused> {
        // As in a container of Markdown, it is no title.
        self.nesting.blocks += 1;
        let taken = self.push(event, range);
        self.nesting.blocks -= 1;
        taken
    }

    fn note_text(&mut self) {
        self.has_text |= self.open.is_none();
    }
}

impl<'a> Builder<'a> {
    fn append(&mut self, event: Event<'a>, offset: usize) -> Result<(), Refused> {
        if self.body.events.len() == MAX_EVENTS {
            let why = Excess::Markup;
            return Err(Refused { offset, why });
        }
        self.body.events.push(event);
        Ok(())
    }

    fn open_heading(&mut self, level: HeadingLevel, offset: usize) {
        let start = self.body.events.len();
        self.last_heading = Some(LastHeading { start, end: None });
        let may_be_title = self.nesting.blocks == 0 && self.heading.is_none();
        if level == HeadingLevel::H1 && may_be_title {
            self.open = Some((start, self.body.images, offset));
            self.text.clear();
        }
    }

    fn close_heading(&mut self, end: usize) {
        let index = self.body.events.len() + 1;
        if let Some(last) = &mut self.last_heading {
            last.end = Some((index, end));
        }
        let taken = self.open.take().filter(|_| !self.text.trim().is_empty());
        let Some((first, images, offset)) = taken else {
            return;
        };
        self.heading = Some(Heading {
            events: first..index,
            images: self.body.images - images,
            text: std::mem::take(&mut self.text),
            offset,
            is_late: self.has_text,
        });
    }

    /// Begins a quote, as an alert if one was found there.
    fn open_quote(&mut self, offset: usize) -> Result<(), Refused> {
        while self.alerts.pop_if(|alert| alert.offset < offset).is_some() {}
        let Some(alert) = self.alerts.pop_if(|alert| alert.offset == offset) else {
            return self.append(Event::Start(Tag::BlockQuote(None)), offset);
        };
        self.append(Event::Start(Tag::BlockQuote(Some(alert.kind))), offset)?;
        if alert.title.is_empty() {
            return Ok(());
        }
        self.has_text = true;
        for event in [
            Event::Start(Tag::Paragraph),
            Event::Start(Tag::Strong),
            Event::Text(alert.title.into()),
            Event::End(TagEnd::Strong),
            Event::End(TagEnd::Paragraph),
        ] {
            self.append(event, offset)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::BlockQuoteKind;

    use super::super::cost::MAX_MARKS;
    use super::super::dialect::blocks;
    use super::*;

    fn parsed(text: &str) -> Parsed<'_> {
        Parsed::new(text).ok().unwrap()
    }

    #[test]
    fn images_are_counted() {
        let body =
            parsed("one\n\n![a](b.png) two\n\n- three\n\n  four\n\n> five\n\n<IMG src=x>\n").body;
        assert_eq!((body.images, body.html_images), (1, 1));
        assert_eq!(body.markdown.len(), 59);
    }

    #[test]
    fn the_first_level_1_heading_with_text_can_be_taken() {
        let mut with = parsed("#\n\nA *b* `c`\nd ![e](f)\n===\n\n# second\n");
        let events = with.body.events.len();
        assert_eq!(with.body.images, 1);
        let heading = with.take_heading().unwrap();
        let expected = ("A b c d e", 3, false);
        assert_eq!(
            (heading.text.as_str(), heading.offset, heading.stays),
            expected
        );
        assert!(with.body.events.len() < events);
        assert_eq!(with.body.images, 0);
        assert_eq!(with.take_heading(), None);
        assert!(parsed("## a\n").take_heading().is_none());
    }

    #[test]
    fn a_heading_after_text_stays() {
        for (before, stays) in [
            ("", false),
            ("<!-- a\nb -->\n\n", false),
            ("<p align=center>\n <img\n src=x>\n</p>\n\n", false),
            ("[![a](b)](c) ![d](e)\n\n---\n\n", false),
            ("text\n\n", true),
            ("<p>text</p>\n\n", true),
            ("> # quoted\n\n", true),
            ("## a\n\n", true),
            ("- `b`\n\n", true),
        ] {
            let text = format!("{before}# c\n");
            let mut with = parsed(&text);
            let events = with.body.events.len();
            assert_eq!(with.take_heading().unwrap().stays, stays, "{before}");
            assert_eq!(with.body.events.len() == events, stays, "{before}");
        }
    }

    #[test]
    fn quotes_before_an_alert_stay_quotes() {
        let markdown = "> a\n\n:::note\n> b\n:::\n\n> c\n\n!!! tip\n    d\n";
        let mut rewritten = blocks::rewrite(markdown).unwrap();
        let text = std::mem::take(&mut rewritten.text);
        let body = Parsed::rewritten(&text, rewritten, false)
            .ok()
            .unwrap()
            .body;
        let kinds = body.events.iter().filter_map(|event| match &*event {
            Event::Start(Tag::BlockQuote(kind)) => Some(*kind),
            _ => None,
        });
        let (note, tip) = (BlockQuoteKind::Note, BlockQuoteKind::Tip);
        let expected = [None, Some(note), None, None, Some(tip)];
        assert_eq!(kinds.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn markup_has_a_cap() {
        assert!(Parsed::new(&"ab c.\n\n".repeat(MAX_MARKS / 4)).is_ok());
        for unit in ["a\n", "|a", "*a*b", "- a\n", "[", ">a\n\n", "`a"] {
            let refused = Parsed::new(&unit.repeat(4_100_000 / unit.len())).err();
            let Some(Refused { offset, why }) = refused else {
                panic!("{unit:?} is not refused");
            };
            assert_eq!(why, Excess::Markup, "{unit:?}");
            assert!(offset < 4_100_000, "{unit:?}");
        }
    }

    #[test]
    fn what_only_looks_deep_is_not_refused() {
        let text = "Some words.\n".repeat(5_000);
        for unit in [
            "- ".repeat(100),
            "* ".repeat(400),
            "-".repeat(4_000),
            "+".repeat(4_000),
            " ".repeat(1_000) + "x",
            "\t".repeat(300) + "x",
        ] {
            assert!(Parsed::new(&format!("{unit}\n{text}")).is_ok(), "{unit}");
            assert!(
                Parsed::new(&format!("```\n{unit}\n{text}")).is_ok(),
                "{unit}"
            );
        }
        let quotes = (">".repeat(1_000) + "\n").repeat(500);
        assert!(Parsed::new(&format!("```\n{quotes}{text}```\n")).is_ok());
    }

    #[test]
    fn nesting_has_a_cap() {
        assert!(Parsed::new(&format!("{} a", ">".repeat(64))).is_ok());
        let deep = format!("ok\n\n{} a", ">".repeat(65));
        assert_eq!(
            Parsed::new(&deep).err().map(|deep| deep.offset),
            Some(4 + 64)
        );
        assert!(Parsed::new(&format!("{} a", "- ".repeat(64))).is_ok());
        assert!(Parsed::new(&format!("{} a", "- ".repeat(65))).is_err());
        let emphasis = format!("{}a{}", "*a ".repeat(70), "*".repeat(70));
        assert_eq!(
            Parsed::new(&emphasis).err().map(|deep| deep.why),
            Some(Excess::Nesting("emphasis and links"))
        );
    }
}
