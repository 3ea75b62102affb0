//! stdout: text or JSON lines. A reader that went away (`| head`) never stops a run.

use std::io::{self, IsTerminal as _, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::log;

/// What stdout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For commands that write, text on a terminal and JSON lines elsewhere; for the others text.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where results go.
pub struct Output {
    out: Box<dyn Write>,
    json: bool,
    closed: bool,
}

impl Output {
    /// stdout, in `format`; `auto` is what `auto` means where stdout is no terminal.
    #[must_use]
    pub fn stdout(format: Format, auto_is_json: bool) -> Self {
        let json = match format {
            Format::Json => true,
            Format::Text => false,
            Format::Auto => auto_is_json && !io::stdout().is_terminal(),
        };
        Self {
            out: Box::new(io::BufWriter::with_capacity(64 * 1024, io::stdout())),
            json,
            closed: false,
        }
    }

    /// Says nothing to anybody.
    #[must_use]
    pub fn silent() -> Self {
        Self {
            out: Box::new(io::sink()),
            json: true,
            closed: true,
        }
    }

    /// Whether stdout is JSON lines.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Writes one line of text, in text format.
    pub fn text(&mut self, line: impl AsRef<str>) {
        if !self.json {
            self.raw(visible(line.as_ref()).as_bytes());
            self.raw(b"\n");
        }
    }

    /// Writes one object, in JSON format.
    pub fn json(&mut self, object: &impl Serialize) {
        if self.json
            && let Ok(mut line) = serde_json::to_vec(object)
        {
            line.push(b'\n');
            self.raw(&line);
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

/// Text that may come from a file or from the store, safe for a terminal: of the control
/// characters only line ends and tabs are left.
pub(super) fn visible(text: &str) -> std::borrow::Cow<'_, str> {
    let hidden = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(hidden) {
        text.replace(hidden, "\u{fffd}").into()
    } else {
        text.into()
    }
}
