//! Values that open with a bracket, a brace or a quote: all on one line.

use super::{Range, Reader};
use crate::diagnostic::Span;
use crate::yaml::{Kind, MAX_NESTING, Node};

impl Reader<'_> {
    /// A value in quotes, brackets or braces, to the end of its line; the inner `None`: none
    /// begins here.
    pub(super) fn enclosed(&mut self, depth: usize) -> Option<Option<Node>> {
        let node = match self.byte(self.at)? {
            quote @ (b'"' | b'\'') => self.quoted(quote)?,
            b'[' => self.flow_list(depth + 1)?,
            b'{' => self.flow_mapping(depth + 1)?,
            _ => return Some(None),
        };
        self.at_line_end().then_some(Some(node))
    }

    /// `[a, b]`; what follows it is not looked at.
    pub(super) fn flow_list(&mut self, depth: usize) -> Option<Node> {
        let span = self.bracket(depth)?;
        let mut items = Vec::new();
        while self.more(b']', items.is_empty())? {
            let text = self.unquoted::<true>()?;
            items.push(self.scalar(text)?);
        }
        Some(Node {
            kind: Kind::Sequence(items),
            span,
        })
    }

    /// `{a: b}`; what follows it is not looked at.
    pub(super) fn flow_mapping(&mut self, depth: usize) -> Option<Node> {
        let span = self.bracket(depth)?;
        let mut entries = Vec::new();
        while self.more(b'}', entries.is_empty())? {
            let text = self.unquoted::<true>()?;
            let key = self.as_key(text)?;
            let name = self.new_key(key, &entries)?;
            self.at += 1;
            self.spaces();
            let text = self.unquoted::<true>()?;
            entries.push((name, self.scalar(text)?));
        }
        Some(Node {
            kind: Kind::Mapping(entries),
            span,
        })
    }

    /// Passes over an opening bracket.
    pub(super) fn bracket(&mut self, depth: usize) -> Option<Span> {
        if depth > MAX_NESTING {
            return None;
        }
        let (start, end) = (self.at, self.at + 1);
        self.at = end;
        self.spaces();
        Some(self.span(Range { start, end }))
    }

    /// Whether an entry follows within brackets: passes over the comma before it, or over the
    /// bracket that closes them.
    pub(super) fn more(&mut self, close: u8, first: bool) -> Option<bool> {
        let b = self.byte(self.at)?;
        if b == close {
            self.at += 1;
            return Some(false);
        }
        if first {
            return Some(true);
        }
        if b != b',' {
            return None;
        }
        self.at += 1;
        self.spaces();
        Some(true)
    }

    pub(super) fn spaces(&mut self) {
        while self.byte(self.at) == Some(b' ') {
            self.at += 1;
        }
    }
}
