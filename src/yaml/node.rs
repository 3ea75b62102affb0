//! The tree: values and keys with their places, and values by the type that a caller names.
//! Errors say what was expected and found.

use std::ops::RangeInclusive;

use super::scalar::{flag, is_null_word, quoted, shortened, whole_number};
use super::suggest::{one_of, suggestion};
use super::{Fault, YamlError};
use crate::diagnostic::Span;
use crate::duration;

/// A document as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The tree; an empty mapping if there is no content. Values that were errors (an
    /// alias) are empty. If the reading broke off, what was read of the outermost mapping.
    pub root: Node,
    /// What is wrong, by place.
    pub errors: Vec<YamlError>,
    /// Whether the text was read to its end: false after a syntax error.
    pub complete: bool,
}

/// A value and its place.
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
    /// Its place.
    pub span: Span,
}

impl Node {
    /// What a message calls this node: `a list`, `a mapping`, `nothing`, or the value.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Sequence(_) => "a list".to_owned(),
            Kind::Mapping(_) => "a mapping".to_owned(),
            Kind::Scalar { text, .. } if text.trim().is_empty() => "nothing".to_owned(),
            Kind::Scalar { text, .. } => quoted(text.trim()),
        }
    }

    /// Whether the value is empty, `~` or `null`, without quotes.
    #[must_use]
    pub fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar { text, plain: true } => {
                text.is_empty() || text == "~" || is_null_word(text)
            }
            _ => false,
        }
    }

    /// The error that this node is not what was `expected` (a noun phrase: `a text`).
    #[must_use]
    pub fn mismatch(&self, expected: &str) -> YamlError {
        let message = format!("expected {expected}, found {}", self.describe());
        YamlError::new(Fault::Value, self.span, message)
    }

    /// The text of a scalar, trimmed.
    ///
    /// # Errors
    ///
    /// The node is a list or mapping, or empty.
    pub fn text(&self) -> Result<&str, YamlError> {
        match &self.kind {
            Kind::Scalar { text, .. } if !text.trim().is_empty() => Ok(text.trim()),
            _ => Err(self.mismatch("a text")),
        }
    }

    /// A whole number within `range`.
    ///
    /// # Errors
    ///
    /// The node is something else, or the number is outside.
    pub fn whole(&self, range: RangeInclusive<u64>) -> Result<u64, YamlError> {
        self.text()
            .ok()
            .and_then(whole_number)
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                self.mismatch(&format!(
                    "a whole number from {} to {}",
                    range.start(),
                    range.end()
                ))
            })
    }

    /// `true`, `false`, `1` or `0`.
    ///
    /// # Errors
    ///
    /// The node is something else.
    pub fn flag(&self) -> Result<bool, YamlError> {
        self.text()
            .ok()
            .and_then(flag)
            .ok_or_else(|| self.mismatch("true or false"))
    }

    /// A duration such as `12h`, in milliseconds, within `range_ms`.
    ///
    /// # Errors
    ///
    /// The node is something else, or the duration is outside.
    pub fn duration_ms(&self, range_ms: RangeInclusive<u64>) -> Result<u64, YamlError> {
        self.text()
            .ok()
            .and_then(duration::parse_ms)
            .filter(|ms| range_ms.contains(ms))
            .ok_or_else(|| {
                let (low, high) = (
                    duration::show(*range_ms.start()),
                    duration::show(*range_ms.end()),
                );
                self.mismatch(&format!(
                    "a duration from {low} to {high} (for example 12h)"
                ))
            })
    }

    /// One of `choices`, without regard to case; its index.
    ///
    /// # Errors
    ///
    /// The node is something else.
    pub fn choice(&self, choices: &[&str]) -> Result<usize, YamlError> {
        self.text()
            .ok()
            .and_then(|text| {
                choices
                    .iter()
                    .position(|choice| choice.eq_ignore_ascii_case(text))
            })
            .ok_or_else(|| self.mismatch(&one_of(choices)))
    }

    /// The items of a list.
    ///
    /// # Errors
    ///
    /// The node is something else.
    pub fn list(&self) -> Result<&[Node], YamlError> {
        match &self.kind {
            Kind::Sequence(items) => Ok(items),
            _ => Err(self.mismatch("a list")),
        }
    }

    /// The entries of a mapping. Nothing (a key without value) is an empty mapping.
    ///
    /// # Errors
    ///
    /// The node is something else.
    pub fn mapping(&self) -> Result<&[(Key, Node)], YamlError> {
        match &self.kind {
            Kind::Mapping(entries) => Ok(entries),
            _ if self.is_null() => Ok(&[]),
            _ => Err(self.mismatch("a mapping")),
        }
    }
}

impl Key {
    pub(super) fn new(text: String, span: Span) -> Self {
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

    /// The error for a key that is not in `known`, with a guess of what was meant.
    #[must_use]
    pub fn unknown<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> YamlError {
        let message = format!("unknown key '{}'", shortened(self.text()));
        let error = YamlError::new(Fault::Key, self.span, message);
        match suggestion(&self.name, known) {
            Some(name) => error.with_help(format!("did you mean '{name}'?")),
            None => error,
        }
    }
}

/// The name a key is matched by: trimmed, lower case, spaces and hyphens as underscores, and one
/// where camelCase begins a word. `ai outline`, `AI-Outline` and `aiOutline` are one name.
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
    let mut words = String::with_capacity(key.len() + 4);
    let mut before = None;
    let mut chars = key.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_uppercase() && begins_word(before, &mut chars.clone()) {
            words.push('_');
        }
        words.push(folded(c));
        before = Some(c);
    }
    if words.is_ascii() {
        words.make_ascii_lowercase();
        words
    } else {
        words.to_lowercase()
    }
}

/// Whether a capital begins a word behind the character before it: `publishDate`, and the last
/// one of `SEOTitle`, but not of `URLs`.
fn begins_word(before: Option<char>, after: &mut impl Iterator<Item = char>) -> bool {
    let Some(before) = before else {
        return false;
    };
    if before.is_lowercase() || before.is_ascii_digit() {
        return true;
    }
    let (next, second) = (after.next(), after.next());
    let lower = |c: Option<char>| c.is_some_and(char::is_lowercase);
    let plural = next == Some('s') && !lower(second);
    before.is_uppercase() && lower(next) && !plural
}
