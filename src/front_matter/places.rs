//! Bytes of a text → places in the file.

use std::ops::Range;

use super::lines::line_starts;
use crate::diagnostic::Span;

/// The place of a byte of `text`, to the end of its line. `first_line` is the line of the file on
/// which the text begins.
#[must_use]
pub(crate) fn position(text: &str, offset: usize, first_line: u32) -> Span {
    let before = text.get(..offset).unwrap_or(text);
    let (mut line, mut line_start) = (first_line, 0);
    for start in line_starts(before).skip(1) {
        (line, line_start) = (line.saturating_add(1), start);
    }
    Span {
        line,
        column: width(&before[line_start..]).saturating_add(1),
        length: u32::MAX,
    }
}

fn width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// A text and the places in it, for many of them.
pub(super) struct Places<'t> {
    text: &'t str,
    /// The line of the file on which the text begins.
    first_line: u32,
    /// Where each line begins.
    starts: Vec<usize>,
    /// The last offset that was asked for, and its column: the next is mostly behind it, and a
    /// line can be long.
    last: (usize, u32),
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str, first_line: u32) -> Self {
        Self {
            text,
            first_line,
            starts: line_starts(text).collect(),
            last: (0, 1),
        }
    }

    /// The place of a byte range. It never leaves its first line.
    pub(super) fn span(&mut self, range: Range<usize>) -> Span {
        let index = self.starts.partition_point(|start| *start <= range.start) - 1;
        let line_start = self.starts[index];
        let (offset, column) = if (line_start..=range.start).contains(&self.last.0) {
            self.last
        } else {
            (line_start, 1)
        };
        let column = column + self.width(offset..range.start);
        self.last = (range.start, column);
        let goes_on = self
            .starts
            .get(index + 1)
            .is_some_and(|next| *next <= range.end);
        Span {
            line: u32::try_from(index)
                .unwrap_or(u32::MAX)
                .saturating_add(self.first_line),
            column,
            length: if goes_on {
                u32::MAX
            } else {
                self.width(range).max(1)
            },
        }
    }

    fn width(&self, range: Range<usize>) -> u32 {
        self.text.get(range).map_or(0, width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_lines_of_the_file() {
        let text = "é: 1\r\nab\rc\n";
        let mut places = Places::new(text, 5);
        let mut at = |start, end| {
            let Span {
                line,
                column,
                length,
            } = places.span(start..end);
            (line, column, length)
        };
        assert_eq!(at(4, 5), (5, 4, 1));
        assert_eq!(at(0, 2), (5, 1, 1));
        assert_eq!(at(8, 9), (6, 2, 1));
        assert_eq!(at(7, 11), (6, 1, u32::MAX));
        assert_eq!(at(10, 10), (7, 1, 1));
        assert_eq!(at(12, 12), (8, 1, 1));
    }
}
