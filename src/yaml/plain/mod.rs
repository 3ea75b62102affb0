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
//! are no errors here, every message comes from one place, and the tree equals the parser's
//! to the last span: tests compare the two over articles, fixtures and mutations.

mod flow;
mod text;

use std::cell::Cell;

use flow::enclosed;
use text::{Range, Reader};

use super::{Document, Kind, MAX_BYTES, MAX_NESTING, Node};
use crate::diagnostic::Span;

/// Entries of the mapping that is a whole front matter; those below it are small.
const ROOT_ENTRIES: usize = 32;

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
        counted: Cell::default(),
    };
    reader.find_content()?;
    if reader.indent? > 0 {
        return None;
    }
    let root = block(&mut reader, 0, 1)?;
    reader.indent.is_none().then_some(Document {
        root,
        errors: Vec::new(),
        complete: true,
    })
}

/// The list or mapping whose first line begins here.
fn block(reader: &mut Reader<'_>, column: usize, depth: usize) -> Option<Node> {
    if reader.at_dash() {
        return list(reader, column, depth, false);
    }
    let key = reader.key()?;
    mapping(reader, column, depth, key)
}

/// A mapping whose first key has been passed; its other keys are at the same column.
fn mapping(reader: &mut Reader<'_>, column: usize, depth: usize, first: Range) -> Option<Node> {
    if depth > MAX_NESTING {
        return None;
    }
    let span = Span {
        length: u32::MAX,
        ..reader.span(first)
    };
    let mut entries = Vec::with_capacity(if depth == 1 { ROOT_ENTRIES } else { 4 });
    let mut key = first;
    loop {
        let name = reader.new_key(key, &entries)?;
        let value = value(reader, column, depth)?;
        entries.push((name, value));
        match reader.indent {
            Some(indent) if indent == column => key = reader.key()?,
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
fn list(reader: &mut Reader<'_>, column: usize, depth: usize, level: bool) -> Option<Node> {
    if depth > MAX_NESTING {
        return None;
    }
    // The parser begins a level list behind its dash.
    let start = reader.at + if level { 2 } else { 0 };
    let span = Span {
        length: u32::MAX,
        ..reader.span(Range { start, end: start })
    };
    let mut items = Vec::new();
    loop {
        reader.at += 2;
        items.push(item(reader, column + 2, depth)?);
        match reader.indent {
            Some(indent) if indent == column && reader.at_dash() => {}
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
fn item(reader: &mut Reader<'_>, column: usize, depth: usize) -> Option<Node> {
    let node = match enclosed(reader, depth)? {
        Some(node) => node,
        None => {
            let text = reader.unquoted::<false>()?;
            if reader.byte(reader.at) == Some(b':') {
                let key = reader.as_key(text)?;
                return mapping(reader, column, depth + 1, key);
            }
            reader.scalar(text)?
        }
    };
    reader.next_content()?;
    Some(node)
}

/// The value of a key of the mapping at `column`, from the colon on, up to the content of
/// the next line.
fn value(reader: &mut Reader<'_>, column: usize, depth: usize) -> Option<Node> {
    let colon = reader.at;
    reader.at += 1;
    if !reader.at_line_end() {
        reader.spaces();
        let node = match enclosed(reader, depth)? {
            Some(node) => node,
            None => {
                let text = reader.unquoted::<false>()?;
                reader.scalar(text)?
            }
        };
        reader.next_content()?;
        return Some(node);
    }
    // The parser puts a value that is not there where its colon is.
    let nothing = Range {
        start: colon,
        end: colon,
    };
    let span = reader.span(nothing);
    reader.next_content()?;
    match reader.indent {
        Some(indent) if indent > column => block(reader, indent, depth + 1),
        Some(indent) if indent == column && reader.at_dash() => {
            list(reader, column, depth + 1, true)
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
