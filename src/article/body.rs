//! The Markdown body: parsed once into events, counted, and guarded against deep nesting.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::events::Events;

/// How deep block quotes, list items and footnotes may be nested in each other; the same
/// number, counted apart, for emphasis and links. Browsers give up at 512 elements.
pub const MAX_NESTING: usize = 64;

/// How many line ends and characters of markup a body may have: pulldown-cmark takes up to
/// 100 bytes of memory for each before it hands out the first event.
const MAX_MARKS: usize = 720_000;

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
    /// Bytes of Markdown the events were made from.
    pub source_bytes: usize,
}

/// The Markdown extensions that are on: tables, footnotes, strikethrough, task lists,
/// and alerts (`> [!NOTE]`).
#[must_use]
pub fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
}

/// A body and its first level-1 heading.
pub(super) struct Parsed<'a> {
    pub body: Body<'a>,
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
}

/// Why a body is not rendered, and where: an offset into the Markdown, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub offset: usize,
    pub why: Excess,
}

/// What a body has too much of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Excess {
    /// Levels of these.
    Nesting(&'static str),
    /// Markup: it would fill the memory.
    Markup,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nesting(what) => write!(
                f,
                "expected at most {MAX_NESTING} levels of nested {what}, found more"
            ),
            Self::Markup => write!(
                f,
                "expected a body of at most {MAX_MARKS} line ends and characters of markup, \
                 found more"
            ),
        }
    }
}

/// How many line ends and characters of markup `source` has: bytes at which a piece of
/// Markdown may begin or end.
#[must_use]
pub fn marks(source: &[u8]) -> usize {
    source.iter().filter(|byte| is_mark(**byte)).count()
}

fn is_mark(byte: u8) -> bool {
    matches!(
        byte,
        b'\n'
            | b'\r'
            | b'*'
            | b'_'
            | b'`'
            | b'~'
            | b'&'
            | b'\\'
            | b'['
            | b']'
            | b'!'
            | b'<'
            | b'>'
            | b'|'
            | b'#'
            | b'+'
            | b'-'
    )
}

impl<'a> Parsed<'a> {
    /// Parses Markdown. A body that cleaning had to change cannot be borrowed from the
    /// source, so its events are made to own their texts.
    pub(super) fn new(markdown: &Cow<'a, str>) -> Result<Self, Refused> {
        match markdown {
            Cow::Borrowed(text) => parse(text),
            Cow::Owned(text) => {
                let Parsed { body, heading } = parse(text)?;
                let Body {
                    events,
                    images,
                    html_images,
                    source_bytes,
                } = body;
                let events = events.into_static();
                Ok(Parsed {
                    body: Body {
                        events,
                        images,
                        html_images,
                        source_bytes,
                    },
                    heading,
                })
            }
        }
    }

    /// The heading's text and offset in bytes; the heading leaves the body.
    pub(super) fn take_heading(&mut self) -> Option<(String, usize)> {
        let heading = self.heading.take()?;
        self.body.events.remove(heading.events);
        self.body.images -= heading.images;
        Some((heading.text, heading.offset))
    }
}

fn parse(markdown: &str) -> Result<Parsed<'_>, Refused> {
    if markdown.len() > MAX_MARKS {
        let marks = markdown.bytes().enumerate().filter(|(_, b)| is_mark(*b));
        if let Some((offset, _)) = marks.skip(MAX_MARKS).next() {
            let why = Excess::Markup;
            return Err(Refused { offset, why });
        }
    }
    let mut body = Body {
        events: Events::with_capacity(if markdown.len() > LONG_BYTES {
            MAX_EVENTS
        } else {
            markdown.len() / 24 + 8
        }),
        source_bytes: markdown.len(),
        ..Body::default()
    };
    let mut heading: Option<Heading> = None;
    // The heading that is open: index of its first event, images before it, byte offset.
    let mut open: Option<(usize, usize, usize)> = None;
    let mut text = String::new();
    let (mut blocks, mut inlines) = (0_usize, 0_usize);
    for (event, range) in Parser::new_ext(markdown, options()).into_offset_iter() {
        match &event {
            Event::Start(tag) => {
                if is_container(tag) {
                    blocks += 1;
                } else if is_inline(tag) {
                    inlines += 1;
                }
                match tag {
                    Tag::Image { .. } => body.images += 1,
                    Tag::Heading {
                        level: HeadingLevel::H1,
                        ..
                    } if blocks == 0 && heading.is_none() => {
                        open = Some((body.events.len(), body.images, range.start));
                        text.clear();
                    }
                    _ => {}
                }
                if blocks > MAX_NESTING {
                    return Err(Refused {
                        offset: range.start,
                        why: Excess::Nesting("quotes, lists and footnotes"),
                    });
                }
                if inlines > MAX_NESTING {
                    return Err(Refused {
                        offset: range.start,
                        why: Excess::Nesting("emphasis and links"),
                    });
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let taken = open.take().filter(|_| !text.trim().is_empty());
                heading = heading.or_else(|| {
                    let (first, images, offset) = taken?;
                    let events = first..body.events.len() + 1;
                    let text = std::mem::take(&mut text);
                    Some(Heading {
                        events,
                        images: body.images - images,
                        text,
                        offset,
                    })
                });
            }
            Event::End(end) if is_container_end(*end) => blocks = blocks.saturating_sub(1),
            Event::End(end) if is_inline_end(*end) => inlines = inlines.saturating_sub(1),
            Event::Text(piece) | Event::Code(piece) if open.is_some() => text.push_str(piece),
            Event::SoftBreak | Event::HardBreak if open.is_some() => text.push(' '),
            Event::Html(html) | Event::InlineHtml(html) => body.html_images += image_tags(html),
            _ => {}
        }
        if body.events.len() == MAX_EVENTS {
            return Err(Refused {
                offset: range.start,
                why: Excess::Markup,
            });
        }
        body.events.push(event);
    }
    Ok(Parsed { body, heading })
}

fn is_container(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::BlockQuote(_) | Tag::Item | Tag::FootnoteDefinition(_)
    )
}

fn is_container_end(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::BlockQuote(_) | TagEnd::Item | TagEnd::FootnoteDefinition
    )
}

fn is_inline(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
    )
}

fn is_inline_end(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image
    )
}

fn image_tags(html: &str) -> usize {
    let bytes = html.as_bytes();
    bytes
        .windows(4)
        .filter(|window| window.eq_ignore_ascii_case(b"<img"))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Parsed<'_> {
        Parsed::new(&Cow::Borrowed(text)).ok().unwrap()
    }

    #[test]
    fn images_are_counted() {
        let body =
            parsed("one\n\n![a](b.png) two\n\n- three\n\n  four\n\n> five\n\n<IMG src=x>\n").body;
        assert_eq!((body.images, body.html_images), (1, 1));
        assert_eq!(body.source_bytes, 59);
    }

    #[test]
    fn the_first_level_1_heading_with_text_can_be_taken() {
        let mut with = parsed("#\n\n> # quoted\n\nA *b* `c`\nd ![e](f)\n===\n\n# second\n");
        let events = with.body.events.len();
        assert_eq!(with.body.images, 1);
        assert_eq!(with.take_heading(), Some(("A b c d e".to_owned(), 15)));
        assert!(with.body.events.len() < events);
        assert_eq!(with.body.images, 0);
        assert_eq!(with.take_heading(), None);
        assert!(parsed("## a\n").take_heading().is_none());
    }

    #[test]
    fn markup_has_a_cap() {
        assert!(parse(&"ab c.\n\n".repeat(MAX_MARKS / 4)).is_ok());
        for unit in ["a\n", "|a", "*a*b", "- a\n", "[", ">a\n\n", "`a"] {
            let refused = parse(&unit.repeat(4_100_000 / unit.len())).err();
            let Some(Refused { offset, why }) = refused else {
                panic!("{unit:?} is not refused");
            };
            assert_eq!(why, Excess::Markup, "{unit:?}");
            assert!(offset < 4_100_000, "{unit:?}");
        }
    }

    #[test]
    fn nesting_has_a_cap() {
        assert!(parse(&format!("{} a", ">".repeat(64))).is_ok());
        let deep = format!("ok\n\n{} a", ">".repeat(65));
        assert_eq!(parse(&deep).err().map(|deep| deep.offset), Some(4 + 64));
        assert!(parse(&format!("{} a", "- ".repeat(64))).is_ok());
        assert!(parse(&format!("{} a", "- ".repeat(65))).is_err());
        let emphasis = format!("{}a{}", "*a ".repeat(70), "*".repeat(70));
        assert_eq!(
            parse(&emphasis).err().map(|deep| deep.why),
            Some(Excess::Nesting("emphasis and links"))
        );
    }
}
