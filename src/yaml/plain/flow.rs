//! Values that open with a bracket, a brace or a quote: all on one line.

use super::text::{Range, Reader};
use crate::diagnostic::Span;
use crate::yaml::{Kind, MAX_NESTING, Node};

/// A value in quotes, brackets or braces, to the end of its line; the inner `None`: none
/// begins here.
pub(super) fn enclosed(reader: &mut Reader<'_>, depth: usize) -> Option<Option<Node>> {
    let node = match reader.byte(reader.at)? {
        quote @ (b'"' | b'\'') => reader.quoted(quote)?,
        b'[' => flow_list(reader, depth + 1)?,
        b'{' => flow_mapping(reader, depth + 1)?,
        _ => return Some(None),
    };
    reader.at_line_end().then_some(Some(node))
}

/// `[a, b]`; what follows it is not looked at.
fn flow_list(reader: &mut Reader<'_>, depth: usize) -> Option<Node> {
    let span = bracket(reader, depth)?;
    let mut items = Vec::new();
    while more(reader, b']', items.is_empty())? {
        let text = reader.unquoted::<true>()?;
        items.push(reader.scalar(text)?);
    }
    Some(Node {
        kind: Kind::Sequence(items),
        span,
    })
}

/// `{a: b}`; what follows it is not looked at.
fn flow_mapping(reader: &mut Reader<'_>, depth: usize) -> Option<Node> {
    let span = bracket(reader, depth)?;
    let mut entries = Vec::new();
    while more(reader, b'}', entries.is_empty())? {
        let text = reader.unquoted::<true>()?;
        let key = reader.as_key(text)?;
        let name = reader.new_key(key, &entries)?;
        reader.at += 1;
        reader.spaces();
        let text = reader.unquoted::<true>()?;
        entries.push((name, reader.scalar(text)?));
    }
    Some(Node {
        kind: Kind::Mapping(entries),
        span,
    })
}

/// Passes over an opening bracket.
fn bracket(reader: &mut Reader<'_>, depth: usize) -> Option<Span> {
    if depth > MAX_NESTING {
        return None;
    }
    let (start, end) = (reader.at, reader.at + 1);
    reader.at = end;
    reader.spaces();
    Some(reader.span(Range { start, end }))
}

/// Whether an entry follows within brackets: passes over the comma before it, or over the
/// bracket that closes them.
fn more(reader: &mut Reader<'_>, close: u8, first: bool) -> Option<bool> {
    let b = reader.byte(reader.at)?;
    if b == close {
        reader.at += 1;
        return Some(false);
    }
    if first {
        return Some(true);
    }
    if b != b',' {
        return None;
    }
    reader.at += 1;
    reader.spaces();
    Some(true)
}
