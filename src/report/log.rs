//! stderr: lines for people, or one JSON object a line for log collectors.
//!
//! stderr belongs to the process, and so does its form: [`set_format`] is called once,
//! before anything is said.

use std::ffi::OsString;
use std::io;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::visible::visible;
use super::{arguments, colour, json};

/// What stderr is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, and no progress bars.
    Json,
}

/// How much an entry matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something needs a look.
    Warning,
    /// Good to know.
    Note,
}

/// The variable that stands for `--log-format`.
pub const VARIABLE: &str = "ANP_LOG_FORMAT";

static JSON: AtomicBool = AtomicBool::new(false);
static VERBOSE: AtomicBool = AtomicBool::new(false);

static QUIET: AtomicBool = AtomicBool::new(false);

/// Chooses what stderr is from here on.
pub fn set_format(format: LogFormat) {
    JSON.store(format == LogFormat::Json, Ordering::Relaxed);
    if format == LogFormat::Json {
        colour::keep_stderr_plain();
        // A bug is told in the same form, by whichever thread meets it.
        std::panic::set_hook(Box::new(|panic| {
            let message = format!("a bug in anp: {panic}");
            entry(Level::Error, &message, &fields(&message));
        }));
    }
}

/// Turns details on (`--verbose`).
pub fn set_verbose(is_verbose: bool) {
    VERBOSE.store(is_verbose, Ordering::Relaxed);
}

/// Whether details are printed.
#[must_use]
pub fn is_verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// From here on, people read no notes.
pub fn set_quiet(is_quiet: bool) {
    QUIET.store(is_quiet, Ordering::Relaxed);
}

/// Whether stderr is JSON lines.
#[must_use]
pub fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// The format that `variable` or a command line asks for that could not be read as a whole:
/// its error belongs into the same log.
#[must_use]
pub fn format_of(
    arguments: impl IntoIterator<Item = OsString>,
    variable: Option<&str>,
) -> LogFormat {
    arguments::last_value(arguments, "--log-format")
        .or_else(|| variable.map(str::to_owned))
        .and_then(|format| LogFormat::from_str(&format, false).ok())
        .unwrap_or_default()
}

/// Says something that needs a look.
pub fn warning(message: impl AsRef<str>) {
    let message = message.as_ref();
    entry(
        Level::Warning,
        &format!("warning: {message}"),
        &fields(message),
    );
}

/// Says something that is good to know.
pub fn note(message: impl AsRef<str>) {
    let message = message.as_ref();
    entry(Level::Note, &format!("note: {message}"), &fields(message));
}

/// Says something that only `--verbose` shows; `fields` is an object with further members.
pub fn detail(message: &str, mut fields: Value) {
    if is_verbose() {
        fields["message"] = message.into();
        entry(Level::Note, &format!("note: {message}"), &fields);
    }
}

/// Says how a command goes: a note without that word before it.
pub fn say(message: impl AsRef<str>) {
    let message = message.as_ref();
    entry(Level::Note, message, &fields(message));
}

/// Writes one entry: `text` for people; for collectors its time, level and `fields`, an
/// object with a `message`. A closed stderr is nobody's problem.
pub fn entry(level: Level, text: &str, fields: &Value) {
    if level == Level::Note && QUIET.load(Ordering::Relaxed) && !is_json() {
        return;
    }
    let mut line = if is_json() {
        json_line(&format!("{:.3}", jiff::Timestamp::now()), level, fields)
    } else {
        with_colour(level, &visible(text))
    };
    line.push('\n');
    // In one piece, so that lines of several processes do not mix.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Writes text for people that holds nothing a terminal would act on but colours.
pub(super) fn drawn(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Paints `error:` and the like at the start of each line that has it.
fn with_colour(level: Level, text: &str) -> String {
    if !colour::on_stderr() {
        return text.to_owned();
    }
    let (word, style) = match level {
        Level::Error => ("error:", colour::ERROR),
        Level::Warning => ("warning:", colour::WARNING),
        Level::Note => ("note:", colour::NOTE),
    };
    let painted = |line: &str| match line.strip_prefix(word) {
        Some(rest) => colour::painted(word, style, true) + rest,
        None => line.to_owned(),
    };
    text.split('\n').map(painted).collect::<Vec<_>>().join("\n")
}

fn fields(message: &str) -> Value {
    serde_json::json!({ "message": message })
}

fn json_line(time: &str, level: Level, fields: &Value) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let mut line = Map::new();
    line.insert("time".to_owned(), time.into());
    line.insert("level".to_owned(), level.into());
    if let Some(message) = fields.get("message") {
        line.insert("message".to_owned(), message.clone());
    }
    if let Value::Object(fields) = fields {
        line.extend(fields.clone());
    }
    json::line(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str, variable: Option<&str>) -> LogFormat {
        format_of(line.split(' ').map(OsString::from), variable)
    }

    #[test]
    fn a_command_line_that_cannot_be_read_still_tells_the_format() {
        assert_eq!(asked("anp import --nope", None), LogFormat::Text);
        assert_eq!(asked("anp import --nope", Some("json")), LogFormat::Json);
        assert_eq!(asked("anp --log-format json --nope", None), LogFormat::Json);
        assert_eq!(asked("anp --log-format=json --nope", None), LogFormat::Json);
        assert_eq!(
            asked("anp --log-format=text", Some("json")),
            LogFormat::Text
        );
        assert_eq!(asked("anp --log-format xml", Some("json")), LogFormat::Text);
        assert_eq!(asked("anp --log-format", None), LogFormat::Text);
        assert_eq!(asked("anp -- --log-format json", None), LogFormat::Text);
    }

    #[test]
    fn a_line_begins_with_time_level_and_message() {
        let fields = serde_json::json!({ "exit": 65, "message": "two\nlines \u{1b}[31m" });
        assert_eq!(
            json_line("2026-11-24T06:47:52.351Z", Level::Error, &fields),
            r#"{"time":"2026-11-24T06:47:52.351Z","level":"error","message":"two\nlines \u001b[31m","exit":65}"#
        );
    }
}
