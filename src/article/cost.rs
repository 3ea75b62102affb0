//! Limits on what a body may cost. Most are checked before it is parsed.

use std::fmt;

use memchr::memchr2;
use pulldown_cmark::{Tag, TagEnd};

/// How deep block quotes, list items and footnotes may be nested in each other; the same
/// number, counted apart, for emphasis and links. Browsers give up at 512 elements.
const MAX_NESTING: usize = 64;

/// How many line ends and characters of markup a body may have: pulldown-cmark takes up to
/// 100 bytes of memory for each before it hands out the first event.
pub(super) const MAX_MARKS: usize = 720_000;

/// How much following open containers from line to line may cost, a byte of the body.
///
/// pulldown-cmark visits every open quote, list item and footnote on every line, before it hands out
/// the first event: 40,000 quotes in front of 80,000 short lines take 6 s. A line can open no more
/// containers than it has bytes, so only a body with hundreds of markers in front of many short
/// lines costs more than this.
const MAX_VISITS_PER_BYTE: usize = 128;

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

/// Refuses a body that would take too much memory to parse.
pub(super) fn refuse_many_marks(body: &str) -> Result<(), Refused> {
    if body.len() > MAX_MARKS {
        let mut marks = body.bytes().enumerate().filter(|(_, b)| is_mark(*b));
        if let Some((offset, _)) = marks.nth(MAX_MARKS) {
            let why = Excess::Markup;
            return Err(Refused { offset, why });
        }
    }
    Ok(())
}

/// Refuses Markdown that would cost too much to parse.
pub(super) fn refuse_costly(markdown: &str) -> Result<(), Refused> {
    refuse_many_marks(markdown)?;
    if let Some(offset) = find_costly_nesting(markdown) {
        let why = Excess::Nesting(CONTAINERS);
        return Err(Refused { offset, why });
    }
    Ok(())
}

/// The blocks of [`is_container`], in messages.
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
        let line = &rest[..memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())];
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

/// How deep the parser is in a body.
#[derive(Default)]
pub(super) struct Nesting {
    /// Quotes, items and footnotes that are open.
    pub blocks: usize,
    /// Emphasis, links and images that are open.
    inlines: usize,
}

impl Nesting {
    /// Enters what `tag` starts at `offset`.
    pub fn open(&mut self, tag: &Tag<'_>, offset: usize) -> Result<(), Refused> {
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

    /// Leaves what `end` ends.
    pub fn close(&mut self, end: TagEnd) {
        if is_container_end(end) {
            self.blocks = self.blocks.saturating_sub(1);
        } else if is_inline_end(end) {
            self.inlines = self.inlines.saturating_sub(1);
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
