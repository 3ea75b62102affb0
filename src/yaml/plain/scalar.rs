//! Texts on one line, with and without quotes.

use super::{Range, Reader};
use crate::yaml::{Kind, Node};

/// What a byte may mean inside a value without quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Byte {
    Other,
    /// One of `,[]{}`: ends a value within brackets.
    Flow,
    Colon,
    Hash,
    Newline,
    /// Not of the subset: a control character, tab and carriage return included.
    Foreign,
}

pub(super) const BYTES: [Byte; 256] = {
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

impl Reader<'_> {
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
