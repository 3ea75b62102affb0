//! What can go wrong while rendering.

use std::fmt;
use std::path::PathBuf;

/// Why an article could not be rendered. Only an edit of its source (or, for the code
/// `template`, of a template) can mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    /// Stable for machines: `body.size`, `body.nesting`, `body.html`, `template`.
    pub code: &'static str,
    /// One sentence: what was expected, what was found.
    pub message: String,
}

/// What is wrong with a template. No article was rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The template file; `templates/NAME` for a built-in one.
    pub path: PathBuf,
    /// Line, from 1, where one is to blame.
    pub line: Option<usize>,
    /// One sentence: what was expected, what was found.
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for TemplateError {}

impl From<TemplateError> for RenderError {
    fn from(error: TemplateError) -> Self {
        Self {
            code: "template",
            message: error.to_string(),
        }
    }
}
