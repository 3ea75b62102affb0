//! A fast reader for the plain part of YAML that programs write.
//!
//! `saphyr-parser` reads everything, one character at a time. Front matter that a program
//! wrote needs little of it, and that little is read here in one pass over the bytes:
//!
//! - block mappings and block lists, nested by indentation (a list may stand at the column
//!   of its key); `- ` with one space, and an entry on the same line;
//! - keys without quotes, ended by `: ` or by `:` at the end of the line;
//! - values on one line: without quotes, or in quotes and without escapes;
//! - `[a, b]` and `{a: b}` on one line, of values without quotes;
//! - empty lines, and lines that are nothing but a comment.
//!
//! Safe because it never decides anything doubtful: at the first byte that is not of this
//! subset it gives the whole text up, and [`super::read`] hands it to the parser. So there
//! are no errors here, every message comes from one place, and what is read is the parser's
//! tree to the last span: tests compare the two over articles, fixtures and mutations.

mod flow;
mod scalar;

use scalar::{BYTES, Byte};

use super::{Document, Key, Kind, MAX_BYTES, MAX_NESTING, Node};
use crate::diagnostic::Span;

/// The parser gives up on a key of more than 1,024 characters; this stays well below.
const MAX_KEY_BYTES: usize = 256;

/// Entries of the mapping that is a whole front matter; those below it are small.
const ROOT_ENTRIES: usize = 32;

/// More entries than this are not compared for duplicates here.
const MAX_ENTRIES: usize = 64;

/// A stretch of the text, in bytes.
#[derive(Clone, Copy)]
struct Range {
    start: usize,
    end: usize,
}

/// Reads `text` if all of it is of the plain subset: then what the parser would read, and no
/// errors. `first_line` is the line of the file on which `text` begins.
#[must_use]
pub fn read(text: &str, first_line: u32) -> Option<Document> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let ascii = text.is_ascii();
    // To Unicode these end lines, or are nothing at all; people do not write them.
    let odd = |c| {
        matches!(
            c,
            '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
        )
    };
    if !ascii && text.contains(odd) {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        ascii,
        at: 0,
        line: first_line,
        line_start: 0,
        indent: None,
    };
    reader.find_content()?;
    if reader.indent? > 0 {
        return None;
    }
    let root = reader.block(0, 1)?;
    reader.indent.is_none().then_some(Document {
        root,
        errors: Vec::new(),
        complete: true,
    })
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// Whether a byte is a character.
    ascii: bool,
    /// The next byte to be read.
    at: usize,
    /// The line it is on, and where that begins.
    line: u32,
    line_start: usize,
    /// The spaces before the content of the line; none at the end of the text.
    indent: Option<usize>,
}

/// `None` from any of these gives the whole text up.
impl Reader<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn at_line_end(&self) -> bool {
        matches!(self.byte(self.at), None | Some(b'\n'))
    }

    /// Whether a list entry begins here.
    fn at_dash(&self) -> bool {
        self.byte(self.at) == Some(b'-') && self.byte(self.at + 1) == Some(b' ')
    }

    /// From the end of a line to the content of the next one that has any.
    fn next_content(&mut self) -> Option<()> {
        if self.at == self.bytes.len() {
            self.indent = None;
            return Some(());
        }
        self.end_line()?;
        self.find_content()
    }

    /// Passes over the line end at the current place.
    fn end_line(&mut self) -> Option<()> {
        if self.byte(self.at)? != b'\n' {
            return None;
        }
        self.at += 1;
        self.line = self.line.saturating_add(1);
        self.line_start = self.at;
        Some(())
    }

    /// From the start of a line to the content of the first one that has any.
    fn find_content(&mut self) -> Option<()> {
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

    /// The list or mapping whose first line begins here.
    fn block(&mut self, column: usize, depth: usize) -> Option<Node> {
        if self.at_dash() {
            return self.list(column, depth, false);
        }
        let key = self.key()?;
        self.mapping(column, depth, key)
    }

    /// A mapping whose first key has been passed; its other keys are at the same column.
    fn mapping(&mut self, column: usize, depth: usize, first: Range) -> Option<Node> {
        if depth > MAX_NESTING {
            return None;
        }
        let span = Span {
            length: u32::MAX,
            ..self.span(first)
        };
        let mut entries = Vec::with_capacity(if depth == 1 { ROOT_ENTRIES } else { 4 });
        let mut key = first;
        loop {
            let name = self.new_key(key, &entries)?;
            let value = self.value(column, depth)?;
            entries.push((name, value));
            match self.indent {
                Some(indent) if indent == column => key = self.key()?,
                // The parser would read on in the value before, or report an error.
                Some(indent) if indent > column => return None,
                _ => break,
            }
        }
        Some(Node {
            kind: Kind::Mapping(entries),
            span,
        })
    }

    /// A list whose first entry begins here. It is `level` with the key above it: then it ends
    /// with the next key of that column.
    fn list(&mut self, column: usize, depth: usize, level: bool) -> Option<Node> {
        if depth > MAX_NESTING {
            return None;
        }
        // The parser begins a level list behind its dash.
        let start = self.at + if level { 2 } else { 0 };
        let span = Span {
            length: u32::MAX,
            ..self.span(Range { start, end: start })
        };
        let mut items = Vec::new();
        loop {
            self.at += 2;
            items.push(self.item(column + 2, depth)?);
            match self.indent {
                Some(indent) if indent == column && self.at_dash() => {}
                Some(indent) if indent == column && level => break,
                Some(indent) if indent >= column => return None,
                _ => break,
            }
        }
        Some(Node {
            kind: Kind::Sequence(items),
            span,
        })
    }

    /// An entry of a list, up to the content of the next line.
    fn item(&mut self, column: usize, depth: usize) -> Option<Node> {
        let node = match self.enclosed(depth)? {
            Some(node) => node,
            None => {
                let text = self.unquoted::<false>()?;
                if self.byte(self.at) == Some(b':') {
                    let key = self.as_key(text)?;
                    return self.mapping(column, depth + 1, key);
                }
                self.scalar(text)?
            }
        };
        self.next_content()?;
        Some(node)
    }

    /// The value of a key of the mapping at `column`, from the colon on, up to the content of
    /// the next line.
    fn value(&mut self, column: usize, depth: usize) -> Option<Node> {
        let colon = self.at;
        self.at += 1;
        if !self.at_line_end() {
            self.spaces();
            let node = match self.enclosed(depth)? {
                Some(node) => node,
                None => {
                    let text = self.unquoted::<false>()?;
                    self.scalar(text)?
                }
            };
            self.next_content()?;
            return Some(node);
        }
        // The parser puts a value that is not there where its colon is.
        let nothing = Range {
            start: colon,
            end: colon,
        };
        let span = self.span(nothing);
        self.next_content()?;
        match self.indent {
            Some(indent) if indent > column => self.block(indent, depth + 1),
            Some(indent) if indent == column && self.at_dash() => {
                self.list(column, depth + 1, true)
            }
            _ => Some(Node {
                kind: Kind::Scalar {
                    text: String::new(),
                    plain: true,
                },
                span,
            }),
        }
    }

    /// The key that begins here; the current place becomes its colon.
    fn key(&mut self) -> Option<Range> {
        let text = self.unquoted::<false>()?;
        self.as_key(text)
    }

    /// `text` if it is a key: it ends at the current place, which is a colon.
    fn as_key(&self, text: Range) -> Option<Range> {
        let key = self.byte(self.at) == Some(b':') && text.end == self.at;
        (key && text.end - text.start <= MAX_KEY_BYTES).then_some(text)
    }

    /// A key that none of `entries` has.
    fn new_key(&self, at: Range, entries: &[(Key, Node)]) -> Option<Key> {
        let text = self.text.get(at.start..at.end)?;
        let key = Key::new(text.to_owned(), self.span(at));
        let known = entries.iter().any(|(other, _)| other.name == key.name);
        (!known && !key.name.is_empty() && entries.len() < MAX_ENTRIES).then_some(key)
    }

    /// The place of a stretch of the current line.
    fn span(&self, at: Range) -> Span {
        Span {
            line: self.line,
            column: self.width(self.line_start, at.start).saturating_add(1),
            length: self.width(at.start, at.end).max(1),
        }
    }

    fn width(&self, start: usize, end: usize) -> u32 {
        let chars = if self.ascii {
            end - start
        } else {
            let bytes = self.bytes.get(start..end).unwrap_or_default();
            // The bytes of a character, but for its first one, are 10xxxxxx.
            bytes.iter().filter(|b| **b & 0xc0 != 0x80).count()
        };
        u32::try_from(chars).unwrap_or(u32::MAX)
    }
}
