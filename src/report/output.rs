//! stdout: text or JSON lines. A reader that went away (`| head`) never stops a run.

use std::io;
use std::io::Write;

use anstyle::Style;
use clap::ValueEnum;
use serde::Serialize;

use super::visible::visible;
use super::{colour, json, log};
use crate::diagnostic::Severity;

/// What stdout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
    /// Text, with each finding on one line
    Concise,
    /// Annotations of GitHub Actions; of 'anp check' alone
    Github,
    /// A SARIF document; of 'anp check' alone
    Sarif,
}

/// Where results go.
pub struct Output {
    out: Box<dyn Write>,
    format: Format,
    closed: bool,
}

impl Output {
    /// stdout, in `format`.
    #[must_use]
    pub fn stdout(format: Format) -> Self {
        Self {
            out: Box::new(io::BufWriter::with_capacity(64 * 1024, io::stdout())),
            format,
            closed: false,
        }
    }

    /// Says nothing to anybody.
    #[must_use]
    pub fn silent() -> Self {
        Self {
            out: Box::new(io::sink()),
            format: Format::Json,
            closed: true,
        }
    }

    /// Whether stdout is JSON lines.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    fn shows_text(&self) -> bool {
        !matches!(self.format, Format::Json | Format::Sarif)
    }

    /// Writes one line of text, in text format.
    pub fn text(&mut self, line: impl AsRef<str>) {
        if self.shows_text() {
            self.raw(visible(line.as_ref()).as_bytes());
            self.raw(b"\n");
        }
    }

    /// Writes one line of text that ends with the `result` of a run.
    pub(super) fn result(&mut self, line: &str, result: &str) {
        if self.shows_text() {
            let style = match result {
                "done" => colour::GOOD,
                "partial" => colour::WARNING,
                _ => colour::ERROR,
            };
            let result = colour::painted(result, style, colour::on_stdout());
            self.raw(format!("{}{result}\n", visible(line)).as_bytes());
        }
    }

    /// Writes one line of text that says what was found: in the colour of the `worst` of it.
    pub(crate) fn verdict(&mut self, line: &str, worst: Option<Severity>) {
        let style = match worst {
            Some(Severity::Error) => colour::ERROR,
            Some(Severity::Warning) => colour::WARNING,
            None => colour::GOOD,
        };
        self.styled(line, Some(style));
    }

    /// Writes one line of text as lines of at most 80 columns, broken at blanks; what follows
    /// the first begins `indent` columns further in than it. A word that is longer is not broken.
    pub fn wrapped(&mut self, line: &str, indent: usize) {
        self.text(wrap(line, indent));
    }

    /// Writes one line of text in a style, in text format.
    pub(super) fn styled(&mut self, line: &str, style: Option<Style>) {
        let is_coloured = colour::on_stdout();
        match style.filter(|_| is_coloured && self.shows_text()) {
            Some(style) => {
                let line = colour::painted(&visible(line), style, true);
                self.raw(format!("{line}\n").as_bytes());
            }
            None => self.text(line),
        }
    }

    /// Writes lines of text that hold nothing a terminal would act on but colours, in text format.
    pub(super) fn drawn(&mut self, text: &str) {
        if self.shows_text() {
            self.raw(text.as_bytes());
            self.raw(b"\n");
        }
    }

    /// Writes one object, in JSON format.
    pub fn json(&mut self, object: &impl Serialize) {
        if self.format == Format::Json
            && let Ok(mut line) = json::line(object)
        {
            line.push('\n');
            self.raw(line.as_bytes());
        }
    }

    /// Writes bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        if !self.closed
            && let Err(error) = self.out.write_all(bytes)
        {
            self.close(&error);
        }
    }

    /// Hands everything to the reader.
    pub fn flush(&mut self) {
        if !self.closed
            && let Err(error) = self.out.flush()
        {
            self.close(&error);
        }
    }

    /// Nothing more is written. A reader that went away knows that; any other loss is told.
    fn close(&mut self, error: &io::Error) {
        self.closed = true;
        if error.kind() != io::ErrorKind::BrokenPipe {
            log::warning(format!("cannot write the results to stdout: {error}"));
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.flush();
    }
}

/// The widest a line may be that is broken.
const COLUMNS: usize = 80;

fn wrap(line: &str, indent: usize) -> String {
    let text = line.trim_start_matches(' ');
    let first = line.len() - text.len();
    let (mut wrapped, mut width) = (" ".repeat(first), first);
    for (number, word) in text.split(' ').enumerate() {
        let columns = word.chars().count();
        if number > 0 && width + 1 + columns > COLUMNS {
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(first + indent));
            width = first + indent;
        } else if number > 0 {
            wrapped.push(' ');
            width += 1;
        }
        wrapped.push_str(word);
        width += columns;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::{visible, wrap};

    #[test]
    fn nothing_that_a_terminal_acts_on_or_hides_passes() {
        let text = "a\tb\u{1b}[2J\u{7f}\u{9b}c\u{202e}d\u{200b}e\u{200d}f\u{feff}g\u{e0041}\nh é東";
        assert_eq!(
            visible(text),
            "a\tb\u{fffd}[2J\u{fffd}\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f\u{fffd}g\u{fffd}\nh é東"
        );
    }

    #[test]
    fn a_line_is_broken_at_blanks_and_words_are_whole() {
        assert_eq!(wrap("  as   it is", 2), "  as   it is");
        let words = "word ".repeat(40);
        let wrapped = wrap(&format!("  {words}end"), 2);
        let lines: Vec<&str> = wrapped.lines().collect();
        assert_eq!(lines.len(), 3, "{wrapped}");
        assert!(lines[0].starts_with("  word") && lines[2].ends_with("word end"));
        for line in &lines[1..] {
            assert!(line.starts_with("    word"), "{wrapped}");
        }
        assert!(lines.iter().all(|line| line.len() <= 80), "{wrapped}");
        let long = "x".repeat(100);
        assert_eq!(wrap(&format!("a {long} b"), 2), format!("a\n  {long}\n  b"));
    }
}
