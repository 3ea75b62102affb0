//! From what is to be in the store to what is in it, with a way back.

mod ahead;
pub mod apply;
pub mod encode;
pub mod expiry;
pub mod lease;
mod look;
pub mod manifest;
pub mod pace;
pub mod plan;
pub mod progress;
pub mod shard;
pub mod spool;
pub mod state;
pub mod step;
pub mod stop;
pub mod switch;
pub mod time_limit;

use crate::characters::is_hidden;

/// Text that stood in the store, as one line of a message: it must not pass for lines of ours.
#[must_use]
pub fn one_line(text: &str) -> String {
    one_line_within(text, 300)
}

/// The same with at most `longest` characters.
#[must_use]
pub fn one_line_within(text: &str, longest: usize) -> String {
    let line = text
        .split(char::is_whitespace)
        .filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    line.chars()
        .filter(|c| !is_hidden(*c))
        .take(longest)
        .collect()
}
