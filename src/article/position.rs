//! Places in a text by byte offsets.

use memchr::memchr2;

use crate::diagnostic::Span;
use crate::front_matter::next_line;

/// The place of a byte offset in `text`, whose first line is `first_line`, to the line's end.
pub(super) fn position(text: &str, offset: usize, first_line: u32) -> Span {
    let before = text.get(..offset).unwrap_or(text);
    let mut line = first_line;
    let mut rest = before;
    while memchr2(b'\n', b'\r', rest.as_bytes()).is_some() {
        rest = next_line(rest).1;
        line = line.saturating_add(1);
    }
    let column = u32::try_from(rest.chars().count() + 1).unwrap_or(u32::MAX);
    Span {
        line,
        column,
        length: u32::MAX,
    }
}
