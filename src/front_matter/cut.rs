//! Values that a comment cuts short: `title: Learning C #1`.

use std::collections::HashMap;

use super::lines::next_line;
use super::parts::{Format, Parts};
use crate::diagnostic::Span;
use crate::yaml::{Kind, Node};

/// The comments in YAML that begin with `#` and a letter or digit, behind a value without
/// quotes: most likely the author meant them as a part of it.
#[must_use]
pub fn cut_values(parts: &Parts<'_>, root: &Node) -> Vec<Span> {
    if parts.format != Some(Format::Yaml) || !parts.text.contains(" #") {
        return Vec::new();
    }
    let comments = comments(parts.text, parts.line);
    let mut found = Vec::new();
    if !comments.is_empty() {
        collect(root, &comments, &mut found);
    }
    found
}

/// Where a value would end that a comment cuts short, and the place of the comment.
type Comments = HashMap<(u32, u32), Span>;

fn comments(text: &str, first_line: u32) -> Comments {
    let mut comments = HashMap::new();
    let (mut rest, mut number) = (text, first_line);
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        // The column behind the last character that is no blank.
        let mut end = 1;
        let mut chars = line.chars().zip(1_u32..).peekable();
        let mut blank = false;
        while let Some((c, column)) = chars.next() {
            let word = chars.peek().is_some_and(|(next, _)| next.is_alphanumeric());
            if c == '#' && blank && word {
                let span = Span {
                    line: number,
                    column,
                    length: u32::MAX,
                };
                comments.entry((number, end)).or_insert(span);
            }
            blank = c == ' ' || c == '\t';
            if !blank {
                end = column + 1;
            }
        }
        (rest, number) = (after, number + 1);
    }
    comments
}

fn collect(node: &Node, comments: &Comments, found: &mut Vec<Span>) {
    match &node.kind {
        Kind::Sequence(items) => items.iter().for_each(|item| collect(item, comments, found)),
        Kind::Mapping(entries) => entries
            .iter()
            .for_each(|(_, node)| collect(node, comments, found)),
        Kind::Scalar { text, plain } => {
            let Span {
                line,
                column,
                length,
            } = node.span;
            if *plain && !text.is_empty() {
                found.extend(comments.get(&(line, column.saturating_add(length))));
            }
        }
    }
}
