//! Whether stdout and stderr have colour, and which styles anp prints.
//!
//! The streams belong to the process, and so does the choice: [`choose`] is called once, before
//! anything is printed. clap's help and errors follow it too.

use std::ffi::OsString;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

use super::arguments;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColourChoice {
    /// On a terminal, unless NO_COLOR or CLICOLOR_FORCE say otherwise
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// Of `error:`, and of results that need a person.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Of `warning:`, and of results that need a look.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Of `note:`.
pub const NOTE: Style = AnsiColor::Cyan.on_default().bold();
/// Of results as they should be.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();

static PLAIN_STDERR: AtomicBool = AtomicBool::new(false);

/// Keeps stderr without colour, whatever was chosen: its JSON lines never have any.
pub(super) fn keep_stderr_plain() {
    PLAIN_STDERR.store(true, Ordering::Relaxed);
}

/// Decides about colour from here on.
pub fn choose(choice: ColourChoice) {
    let choice = match choice {
        ColourChoice::Auto => anstream::ColorChoice::Auto,
        ColourChoice::Always => anstream::ColorChoice::Always,
        ColourChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// The choice in a command line that may have errors: they are printed with it.
#[must_use]
pub fn choice_in(arguments: impl IntoIterator<Item = OsString>) -> ColourChoice {
    arguments::last_value(arguments, "--color")
        .and_then(|choice| ColourChoice::from_str(&choice, false).ok())
        .unwrap_or_default()
}

/// Whether stdout has colour.
#[must_use]
pub fn on_stdout() -> bool {
    AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Whether stderr has colour.
#[must_use]
pub fn on_stderr() -> bool {
    !PLAIN_STDERR.load(Ordering::Relaxed)
        && AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// `text` in a style, or as it is.
#[must_use]
pub(super) fn painted(text: &str, style: Style, is_coloured: bool) -> String {
    match is_coloured {
        true => format!("{style}{text}{style:#}"),
        false => text.to_owned(),
    }
}
