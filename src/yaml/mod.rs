//! A strict reader of small YAML documents: text in, a tree with positions out.
//!
//! It knows nothing of articles: the front matter of articles and the tool's own settings
//! file are both read here. What makes YAML surprising or dangerous is an error with its
//! position: aliases, anchors, tags, keys that are equal after normalising, deep nesting,
//! more than one document. Scalars stay text; whoever asks for a value names its type.
//!
//! Documents of the plain kind that programs write are read by [`plain`], all others, and
//! with them everything that is wrong, by a complete parser; [`read`] chooses.

mod build;
mod error;
mod explain;
pub mod get;
pub mod plain;
pub mod scalar;
#[cfg(test)]
mod tests;

pub use build::{Document, parse, read, read_by_parser};
pub use error::{Fault, YamlError};
pub use scalar::quoted;

use crate::diagnostic::Span;

/// The longest document that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// How deep lists and mappings may be nested; the outermost counts as 1.
pub const MAX_NESTING: usize = 16;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it begins; the span never leaves its first line.
    pub span: Span,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, not yet read as any type.
    Scalar {
        /// The text, escapes and folding resolved.
        text: String,
        /// Written without quotes, and not as a block: only such a scalar can be null.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in source order; no two keys have the same name.
    Mapping(Vec<(Key, Node)>),
}

/// The key of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name it is matched by, see [`normalise`].
    pub name: String,
    /// As it was written, where that differs.
    written: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl Key {
    fn new(text: String, span: Span) -> Self {
        let normal = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if text.bytes().all(normal) {
            return Self {
                name: text,
                written: None,
                span,
            };
        }
        Self {
            name: normalise(&text),
            written: Some(text),
            span,
        }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.written.as_ref().unwrap_or(&self.name)
    }
}

/// The name a key is matched by: trimmed, lower case, spaces and hyphens as underscores.
/// `ai outline`, `AI-Outline` and `ai_outline` are one name.
#[must_use]
pub fn normalise(key: &str) -> String {
    let key = key.trim();
    let folded = |c: char| {
        if c == '-' || c.is_whitespace() {
            '_'
        } else {
            c
        }
    };
    if key.is_ascii() {
        key.chars()
            .map(|c| folded(c.to_ascii_lowercase()))
            .collect()
    } else {
        key.to_lowercase().chars().map(folded).collect()
    }
}
