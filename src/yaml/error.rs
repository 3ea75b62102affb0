//! What can be wrong with a YAML document.

use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, RETRY_AFTER_FIX, Severity, Span};

/// The kind of an error, for callers that treat them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not YAML at all.
    Syntax,
    /// An alias (`*name`).
    Alias,
    /// An anchor (`&name`).
    Anchor,
    /// A tag (`!!int`).
    Tag,
    /// A key that is equal to an earlier one after normalising.
    Duplicate,
    /// A key that is not a text, or is empty.
    Key,
    /// Nested deeper than [`super::MAX_NESTING`].
    Nesting,
    /// A second document, or a directive.
    Documents,
    /// Longer than [`super::MAX_BYTES`].
    Size,
    /// A value that is not of the type that was asked for.
    Value,
}

/// One error with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    /// The kind.
    pub fault: Fault,
    /// One sentence: what was expected, what was found. Free of control characters.
    pub message: String,
    /// A further line that helps.
    pub help: Option<String>,
    /// Where.
    pub span: Span,
}

impl YamlError {
    pub(crate) fn new(fault: Fault, span: Span, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
            help: None,
            span,
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// As a diagnostic of the file `path`, whose whole text is `source`.
    #[must_use]
    pub fn diagnostic(self, code: &str, path: &Arc<PathBuf>, source: &str) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: code.to_owned(),
            message: self.message,
            path: Arc::clone(path),
            place: Some(Place::in_text(source, self.span)),
            help: self.help,
            retry: RETRY_AFTER_FIX,
        }
    }
}
