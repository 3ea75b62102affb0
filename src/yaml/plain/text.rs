//! The text, line by line: indentation, comments, keys, and values with and without quotes.

use std::cell::Cell;

use crate::diagnostic::Span;
use crate::yaml::{Key, Kind, Node};

/// The parser gives up on a key of more than 1,024 characters; this stays well below.
const MAX_KEY_BYTES: usize = 256;

/// More entries than this are not compared for duplicates here.
const MAX_ENTRIES: usize = 64;

/// A stretch of the text, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a byte may mean inside a value without quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    Other,
    /// One of `,[]{}`: ends a value within brackets.
    Flow,
    Colon,
    Hash,
    Newline,
    /// Not of the subset: a control character, tab and carriage return included.
    Foreign,
}

const BYTES: [Byte; 256] = {
    let mut table = [Byte::Other; 256];
    let mut b = 0;
    while b < 0x20 {
        table[b] = Byte::Foreign;
        b += 1;
    }
    table[0x7f] = Byte::Foreign;
    table[b'\n' as usize] = Byte::Newline;
    table[b':' as usize] = Byte::Colon;
    table[b'#' as usize] = Byte::Hash;
    table[b',' as usize] = Byte::Flow;
    table[b'[' as usize] = Byte::Flow;
    table[b']' as usize] = Byte::Flow;
    table[b'{' as usize] = Byte::Flow;
    table[b'}' as usize] = Byte::Flow;
    table
};

/// The text and the place up to which it was read.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    /// Whether a byte is a character.
    pub(super) ascii: bool,
    /// The next byte to be read.
    pub(super) at: usize,
    /// The line it is on, and where that begins.
    pub(super) line: u32,
    pub(super) line_start: usize,
    /// The spaces before the content of the line; none at the end of the text.
    pub(super) indent: Option<usize>,
    /// A byte of a line, and the characters before it: the last that was asked for.
    pub(super) counted: Cell<(usize, u32)>,
}

/// `None` from any of these gives the whole text up.
impl Reader<'_> {
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(super) fn at_line_end(&self) -> bool {
        matches!(self.byte(self.at), None | Some(b'\n'))
    }

    /// Whether a list entry begins here.
    pub(super) fn at_dash(&self) -> bool {
        self.byte(self.at) == Some(b'-') && self.byte(self.at + 1) == Some(b' ')
    }

    /// From the end of a line to the content of the next one that has any.
    pub(super) fn next_content(&mut self) -> Option<()> {
        if self.at == self.bytes.len() {
            self.indent = None;
            return Some(());
        }
        self.end_line()?;
        self.find_content()
    }

    /// Passes over the line end at the current place.
    pub(super) fn end_line(&mut self) -> Option<()> {
        if self.byte(self.at)? != b'\n' {
            return None;
        }
        self.at += 1;
        self.line = self.line.saturating_add(1);
        self.line_start = self.at;
        Some(())
    }

    /// From the start of a line to the content of the first one that has any.
    pub(super) fn find_content(&mut self) -> Option<()> {
        loop {
            while self.byte(self.at) == Some(b' ') {
                self.at += 1;
            }
            match self.byte(self.at) {
                Some(b'#') => {
                    while !self.at_line_end() {
                        if BYTES[usize::from(self.bytes[self.at])] == Byte::Foreign {
                            return None;
                        }
                        self.at += 1;
                    }
                    if self.at < self.bytes.len() {
                        self.end_line()?;
                    }
                }
                // A line of spaces alone is left to the parser.
                None | Some(b'\n') if self.at > self.line_start => return None,
                Some(b'\n') => self.end_line()?,
                None => {
                    self.indent = None;
                    return Some(());
                }
                Some(_) => {
                    self.indent = Some(self.at - self.line_start);
                    return Some(());
                }
            }
        }
    }

    /// The key that begins here; the current place becomes its colon.
    pub(super) fn key(&mut self) -> Option<Range> {
        let text = self.unquoted::<false>()?;
        self.as_key(text)
    }

    /// `text` if it is a key: it ends at the current place, which is a colon.
    pub(super) fn as_key(&self, text: Range) -> Option<Range> {
        let key = self.byte(self.at) == Some(b':') && text.end == self.at;
        (key && text.end - text.start <= MAX_KEY_BYTES).then_some(text)
    }

    /// A key that none of `entries` has.
    pub(super) fn new_key(&self, at: Range, entries: &[(Key, Node)]) -> Option<Key> {
        let text = self.text.get(at.start..at.end)?;
        let key = Key::new(text.to_owned(), self.span(at));
        let known = entries.iter().any(|(other, _)| other.name == key.name);
        (!known && !matches!(key.name.as_str(), "" | "<<") && entries.len() < MAX_ENTRIES)
            .then_some(key)
    }

    /// The place of a stretch of the current line.
    pub(super) fn span(&self, at: Range) -> Span {
        Span {
            line: self.line,
            column: self.column(at.start),
            length: self.width(at.start, at.end).max(1),
        }
    }

    /// The column of a byte of the current line.
    fn column(&self, at: usize) -> u32 {
        if self.ascii {
            return self.width(self.line_start, at).saturating_add(1);
        }
        // A line can be long, and its places come one after the other.
        let (mut from, mut before) = self.counted.get();
        if !(self.line_start..=at).contains(&from) {
            (from, before) = (self.line_start, 0);
        }
        let chars = before.saturating_add(self.width(from, at));
        self.counted.set((at, chars));
        chars.saturating_add(1)
    }

    pub(super) fn width(&self, start: usize, end: usize) -> u32 {
        let chars = if self.ascii {
            end - start
        } else {
            let bytes = self.bytes.get(start..end).unwrap_or_default();
            // The bytes of a character, but for its first one, are 10xxxxxx.
            bytes.iter().filter(|b| **b & 0xc0 != 0x80).count()
        };
        u32::try_from(chars).unwrap_or(u32::MAX)
    }

    pub(super) fn spaces(&mut self) {
        while self.byte(self.at) == Some(b' ') {
            self.at += 1;
        }
    }

    /// A value without quotes, up to the end of the line, to the colon that makes it a key,
    /// or (in `FLOW`) to a comma or bracket.
    pub(super) fn unquoted<const FLOW: bool>(&mut self) -> Option<Range> {
        let (start, bytes) = (self.at, self.bytes);
        let next = |at: usize| bytes.get(at).copied().unwrap_or(b'\n');
        let fits = match next(start) {
            // As `--5` or `...` may not begin: document marks are made of them.
            b'-' | b'.' => next(start + 1).is_ascii_alphanumeric(),
            b' ' | b'?' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@' | b'`' => {
                false
            }
            first => BYTES[usize::from(first)] == Byte::Other,
        };
        if !fits {
            return None;
        }
        let mut at = start + 1;
        loop {
            match BYTES[usize::from(next(at))] {
                Byte::Other => {}
                Byte::Newline if !FLOW => break,
                Byte::Flow if !FLOW => {}
                Byte::Flow => break,
                Byte::Colon => {
                    let after = next(at + 1);
                    if after == b' ' || after == b'\n' {
                        break;
                    }
                    if FLOW && BYTES[usize::from(after)] == Byte::Flow {
                        return None;
                    }
                }
                // Behind a space it begins a comment.
                Byte::Hash if next(at - 1) != b' ' => {}
                Byte::Hash | Byte::Newline | Byte::Foreign => return None,
            }
            at += 1;
        }
        self.at = at;
        let mut end = at;
        while FLOW && next(end - 1) == b' ' {
            end -= 1;
        }
        // The parser refuses `[a -]`; spaces outside of brackets are left to it as well.
        let last = next(end - 1);
        (last != b' ' && !(FLOW && last == b'-')).then_some(Range { start, end })
    }

    /// The node of a value without quotes.
    pub(super) fn scalar(&self, at: Range) -> Option<Node> {
        Some(Node {
            kind: Kind::Scalar {
                text: self.text.get(at.start..at.end)?.to_owned(),
                plain: true,
            },
            span: self.span(at),
        })
    }

    /// A text in quotes without escapes. (`''` within single quotes ends the text here, and what
    /// follows is then no line end.)
    pub(super) fn quoted(&mut self, quote: u8) -> Option<Node> {
        let start = self.at;
        self.at += 1;
        loop {
            let b = self.byte(self.at)?;
            if b == quote {
                break;
            }
            let other = matches!(
                BYTES[usize::from(b)],
                Byte::Other | Byte::Flow | Byte::Colon | Byte::Hash
            );
            if !other || b == b'\\' {
                return None;
            }
            self.at += 1;
        }
        let text = self.text.get(start + 1..self.at)?;
        self.at += 1;
        let end = self.at;
        Some(Node {
            kind: Kind::Scalar {
                text: text.to_owned(),
                plain: false,
            },
            span: self.span(Range { start, end }),
        })
    }
}
