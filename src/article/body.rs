//! The Markdown body: parsed once into events, counted, and guarded against deep nesting.

use std::fmt;
use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::events::{Events, may_matter};

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

/// How much following open containers from line to line may cost, a byte of the body.
///
/// pulldown-cmark visits every open quote, list item and footnote on every line, before it hands out
/// the first event: 40,000 quotes in front of 80,000 short lines take 6 s. A line can open no more
/// containers than it has bytes, so only a body with hundreds of markers in front of many short
/// lines costs more than this.
const MAX_VISITS_PER_BYTE: usize = 128;

/// The Markdown body as events, with what cross-checks need to know of it.
#[derive(Debug, Default)]
pub struct Body<'a> {
    /// pulldown-cmark's events in order.
    pub events: Events<'a>,
    /// Number of Markdown images.
    pub images: usize,
    /// Number of `<img` tags in raw HTML.
    pub html_images: usize,
    /// Whether a link or image may lead to a source, a page or a file of the archive.
    pub has_references: bool,
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
    /// Parses Markdown, cleaned.
    pub(super) fn new(markdown: &'a str) -> Result<Self, Refused> {
        refuse_costly(markdown)?;
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
        let mut nesting = Nesting::default();
        for (event, range) in Parser::new_ext(markdown, options()).into_offset_iter() {
            match &event {
                Event::Start(tag) => {
                    nesting.open(tag, range.start)?;
                    match tag {
                        Tag::Link { dest_url, .. } => body.has_references |= may_matter(dest_url),
                        Tag::Image { dest_url, .. } => {
                            body.images += 1;
                            body.has_references |= may_matter(dest_url);
                        }
                        Tag::Heading {
                            level: HeadingLevel::H1,
                            ..
                        } if nesting.blocks == 0 && heading.is_none() => {
                            open = Some((body.events.len(), body.images, range.start));
                            text.clear();
                        }
                        _ => {}
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
                Event::Text(piece) | Event::Code(piece) if open.is_some() => text.push_str(piece),
                Event::SoftBreak | Event::HardBreak if open.is_some() => text.push(' '),
                Event::Html(html) | Event::InlineHtml(html) => body.html_images += image_tags(html),
                Event::End(end) => nesting.close(*end),
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
        Ok(Self { body, heading })
    }

    /// The heading's text and offset in bytes; the heading leaves the body.
    pub(super) fn take_heading(&mut self) -> Option<(String, usize)> {
        let heading = self.heading.take()?;
        self.body.events.remove(heading.events);
        self.body.images -= heading.images;
        Some((heading.text, heading.offset))
    }
}

/// Refuses Markdown that would cost too much to parse.
fn refuse_costly(markdown: &str) -> Result<(), Refused> {
    if markdown.len() > MAX_MARKS {
        let mut marks = markdown.bytes().enumerate().filter(|(_, b)| is_mark(*b));
        if let Some((offset, _)) = marks.nth(MAX_MARKS) {
            let why = Excess::Markup;
            return Err(Refused { offset, why });
        }
    }
    if let Some(offset) = find_costly_nesting(markdown) {
        let why = Excess::Nesting(CONTAINERS);
        return Err(Refused { offset, why });
    }
    Ok(())
}

/// How deep the parser is in a body.
#[derive(Default)]
struct Nesting {
    blocks: usize,
    inlines: usize,
}

impl Nesting {
    /// Enters what `tag` starts at `offset`.
    fn open(&mut self, tag: &Tag<'_>, offset: usize) -> Result<(), Refused> {
        if is_container(tag) {
            self.blocks += 1;
        } else if is_inline(tag) {
            self.inlines += 1;
        }
        let what = if self.blocks > MAX_NESTING {
            CONTAINERS
        } else if self.inlines > MAX_NESTING {
            "emphasis and links"
        } else {
            return Ok(());
        };
        let why = Excess::Nesting(what);
        Err(Refused { offset, why })
    }

    /// Leaves it again.
    fn close(&mut self, end: TagEnd) {
        if is_container_end(end) {
            self.blocks = self.blocks.saturating_sub(1);
        } else if is_inline_end(end) {
            self.inlines = self.inlines.saturating_sub(1);
        }
    }
}

/// What [`is_container`] counts.
const CONTAINERS: &str = "quotes, lists and footnotes";

/// Where containers nest so deep, for so many lines, that following them costs more than
/// [`MAX_VISITS_PER_BYTE`]: the first level beyond [`MAX_NESTING`] of the deepest line so far.
fn find_costly_nesting(markdown: &str) -> Option<usize> {
    let mut left = markdown.len().saturating_mul(MAX_VISITS_PER_BYTE);
    let (mut open, mut deepest) = (0, 0);
    let mut after_blank = true;
    let mut at = 0;
    let bytes = markdown.as_bytes();
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let line = &rest[..length.unwrap_or(rest.len())];
        let is_blank = line.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        if !is_blank {
            let Depth { levels, beyond } = Depth::of(line);
            // Only the line after a blank one closes what it does not continue. Any other may be
            // a lazy continuation of a paragraph.
            if after_blank || levels > open {
                open = levels;
                deepest = at + beyond;
            }
        }
        after_blank = is_blank;
        let Some(after) = left.checked_sub(open) else {
            return Some(deepest);
        };
        left = after;
        at += line.len()
            + if rest[line.len()..].starts_with(b"\r\n") {
                2
            } else {
                1
            };
    }
    None
}

/// How deep the containers at the start of a line can be.
struct Depth {
    /// No fewer than there are: each is a marker, or is continued by two columns of white space.
    levels: usize,
    /// Where in the line the first marker that is one too many is, else the last one.
    beyond: usize,
}

impl Depth {
    fn of(line: &[u8]) -> Self {
        let (mut markers, mut columns) = (0, 0);
        let (mut beyond, mut at) = (0, 0);
        while let Some(byte) = line.get(at) {
            let (marker, before) = (at, markers);
            let ends = matches!(line.get(at + 1), None | Some(b' ' | b'\t'));
            at += 1;
            match byte {
                b' ' => columns += 1,
                b'\t' => columns += 4,
                b'0'..=b'9' => {}
                b'>' => markers += 1,
                b'-' | b'*' | b'+' | b'.' | b')' if ends => markers += 1,
                b'[' if line.get(at) == Some(&b'^') => {
                    let label = line[at..].windows(2).position(|pair| pair == b"]:");
                    let Some(label) = label else { break };
                    markers += 1;
                    at += label + 2;
                }
                _ => break,
            }
            if markers > before && markers <= MAX_NESTING + 1 {
                beyond = marker;
            }
        }
        Self {
            levels: markers + columns / 2,
            beyond,
        }
    }
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
        Parsed::new(text).ok().unwrap()
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
    fn deep_nesting_over_many_lines_is_refused_before_it_is_parsed() {
        let lazy = "b\n".repeat(80_000);
        for (deep, lines, offset) in [
            (">".repeat(40_000) + "a\n", lazy.clone(), 64),
            ("- ".repeat(40_000) + "a\n", lazy.clone(), 128),
            ("1. ".repeat(40_000) + "a\n", lazy.clone(), 193),
            ("> - ".repeat(20_000) + "a\n", lazy.clone(), 128),
            ("[^a]: ".repeat(20_000) + "a\n", lazy.clone(), 384),
            (">".repeat(40_000) + "a|b\n", "-|-\n".repeat(80_000), 64),
            (">".repeat(20_000) + "[a]: b\n", "\"\n".repeat(40_000), 64),
            (">".repeat(5_000) + "a\n", "b\n".repeat(5_000), 64),
            (">".repeat(5_000) + "a\r\n", "b\r\n".repeat(5_000), 64),
            (">".repeat(5_000) + "a\r", "b\r".repeat(5_000), 64),
            ("- ".repeat(5_000) + "a\n", "\n".repeat(10_000), 128),
        ] {
            let shown = &deep[..20];
            let found = find_costly_nesting(&(deep.clone() + &lines));
            assert_eq!(found, Some(offset), "{shown}");
            // Without the lines, or where a blank line ends what is nested, it is cheap.
            assert_eq!(find_costly_nesting(&deep), None, "{shown}");
            let apart = format!("{deep}\n\nb\n{lines}");
            assert_eq!(find_costly_nesting(&apart), None, "{shown}");
        }
        // 64 levels a line.
        let steps: String = (0..40)
            .map(|step| "  ".repeat(step * 64) + &"- ".repeat(64) + "a\n")
            .collect();
        assert!(find_costly_nesting(&(steps + &lazy)).is_some());
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
