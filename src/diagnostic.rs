//! What was wrong with one place of one file: the value that validation produces and
//! reports print. Plain data; `report::diagnostics` draws it.

pub mod draw;

use std::path::PathBuf;
use std::sync::Arc;

use memchr::memchr2;

use crate::characters::is_hidden;

/// Whether a diagnostic makes its file unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// Worth a look; the file is used.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A stretch of one line, before the line itself is at hand. Lines and columns count from 1,
/// in characters; a length that goes past the end of the line means "to its end".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Length in characters, at least 1.
    pub length: u32,
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
    /// 160 characters (longer lines are windowed around the column, see `window_start`).
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
    /// Whether trying again can help: `after you fix the file`, `safe at any time`.
    pub retry: &'static str,
}

/// The `retry` note of everything that only an edit of the source can mend.
pub const RETRY_AFTER_FIX: &str = "after you fix the file";

/// The longest `text` of a [`Place`], in characters: as much as a report shows of it. A run may
/// hold many thousands of these.
const MAX_SHOWN: usize = 160;

impl Place {
    /// Takes the text of its line from `source`, the whole text of the file.
    pub fn read_line(&mut self, source: &str) {
        let span = Span {
            line: self.line,
            column: self.column,
            length: self.length,
        };
        *self = Self::in_text(source, span);
    }

    /// The place of `span` in `source`, the whole text of the file. Lines end with LF, CRLF
    /// or CR. A span that leaves its line is cut to it; one that begins with a quote ends
    /// with the closing one; white space at its end is left out.
    #[must_use]
    pub fn in_text(source: &str, span: Span) -> Self {
        let line = nth_line(source, span.line);
        let line = line
            .strip_prefix('\u{feff}')
            .filter(|_| span.line == 1)
            .unwrap_or(line);
        let length = line.chars().count();
        let start = (span.column as usize).saturating_sub(1).min(length);
        // A quarter of what is shown stands before the mark.
        let from = start.saturating_sub(MAX_SHOWN / 4);
        let from = from.min(length.saturating_sub(MAX_SHOWN));
        let chars: Vec<char> = line.chars().skip(from).take(MAX_SHOWN).collect();
        let marked = start - from;
        let mut end = marked.saturating_add(span.length as usize).min(chars.len());
        if let Some(quote) = chars.get(marked).filter(|c| matches!(c, '"' | '\'')) {
            end = closing_quote(&chars, marked, *quote).unwrap_or(end);
        }
        while end > marked + 1 && chars[end - 1].is_whitespace() {
            end -= 1;
        }
        Self {
            line: span.line,
            column: count(start + 1),
            length: count(end.saturating_sub(marked).max(1)),
            text: chars
                .iter()
                .map(|&c| if is_hidden(c) { '\u{fffd}' } else { c })
                .collect(),
            window_start: count(from + 1),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn nth_line(source: &str, line: u32) -> &str {
    let mut rest = source;
    for _ in 1..line {
        match memchr2(b'\n', b'\r', rest.as_bytes()) {
            Some(end) if rest[end..].starts_with("\r\n") => rest = &rest[end + 2..],
            Some(end) => rest = &rest[end + 1..],
            None => return "",
        }
    }
    let end = memchr2(b'\n', b'\r', rest.as_bytes());
    end.map_or(rest, |end| &rest[..end])
}

/// One past the quote that closes the one at `start`.
fn closing_quote(chars: &[char], start: usize, quote: char) -> Option<usize> {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' if quote == '"' => at += 1,
            c if c == quote && quote == '\'' && chars.get(at + 1) == Some(&quote) => at += 1,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}
