//! Errors of front matter that is in the wrong place or of a form that is not read.

use crate::diagnostic::Span;
use crate::yaml::{Fault, YamlError};

/// An error that marks the whole line.
pub(super) fn on_line(line: u32, message: impl Into<String>, help: &str) -> YamlError {
    let span = Span {
        line,
        column: 1,
        length: u32::MAX,
    };
    YamlError::new(Fault::Syntax, span, message).with_help(help)
}
