//! What was wrong with one place of one file: the value that validation produces and
//! reports print. Plain data; `report::diagnostics` draws it.

use std::path::PathBuf;
use std::sync::Arc;

/// Whether a diagnostic makes its file unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// Worth a look; the file is used.
    Warning,
}

/// A place in a file. Lines and columns count from 1; columns and lengths count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Length of the marked span in characters, at least 1, not past the end of the line.
    pub length: u32,
    /// The text of the line, without its line end, control characters replaced; at most
    /// 400 characters (longer lines are windowed around the column, see `window_start`).
    pub text: String,
    /// The column (from 1) of the first character of `text`; 1 unless the line was windowed.
    pub window_start: u32,
}

/// One finding about one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// What it is about, stable for machines: `score.quality`, `front-matter`, `route`, `source`.
    pub code: String,
    /// One sentence: what was expected, what was found. Never contains control characters.
    pub message: String,
    /// The file, as a path that starts with the content root as it was given.
    pub path: Arc<PathBuf>,
    /// Where in the file, if one place is to blame.
    pub place: Option<Place>,
    /// A further line that helps: "did you mean 'summary'?".
    pub help: Option<String>,
    /// Whether trying again can help: `not before the file is fixed`, `safe at any time`.
    pub retry: &'static str,
}

/// The `retry` note of everything that only an edit of the source can mend.
pub const RETRY_AFTER_FIX: &str = "not before the file is fixed";
