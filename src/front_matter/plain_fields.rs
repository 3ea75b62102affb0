//! Fields without fences, as Pelican and MultiMarkdown take them: `Name: value`, one a line. The
//! value is what it is, to the end of its line and over the indented lines below.

use super::lines::next_line;
use super::places::Places;
use crate::diagnostic::Span;
use crate::yaml::{Document, MAX_BYTES, TreeBuilder};

/// Reads `text`, all of whose lines are fields or go on with one. `first_line` is the line of the
/// file on which it begins.
pub(super) fn read(text: &str, first_line: u32) -> Document {
    let mut tree = TreeBuilder::new(first_line);
    if text.len() > MAX_BYTES {
        return tree.too_long("fields", text.len());
    }
    let mut places = Places::new(text, first_line);
    tree.open_document();
    let mut value: Option<(String, Span)> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        let (line, after) = next_line(rest);
        rest = after;
        if let Some((value, _)) = &mut value
            && line.starts_with([' ', '\t'])
        {
            value.push(' ');
            value.push_str(line.trim());
            continue;
        }
        let (key, written) = line.split_once(':').unwrap_or((line, ""));
        if let Some((value, span)) = value.take() {
            tree.scalar(value, true, span);
        }
        tree.scalar(key.to_owned(), false, places.span(at..at + key.len()));
        let begin = at + line.len() - written.trim_start().len();
        let span = places.span(begin..begin + written.trim().len());
        value = Some((written.trim().to_owned(), span));
    }
    if let Some((value, span)) = value {
        tree.scalar(value, true, span);
    }
    tree.close();
    tree.finish(true)
}
