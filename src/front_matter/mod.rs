//! Front matter in YAML, TOML, JSON or plain fields → one tree with positions.
//!
//! [`split`] finds the front matter of a source, [`read`] reads it. Limits, duplicate keys
//! and errors are the same in all formats. What looks like front matter and cannot be read as
//! such is an error, never the beginning of the body: it could hide an article.

mod cut;
mod error;
mod json;
mod lines;
mod names;
mod opening;
mod parts;
mod places;
mod plain_fields;
mod split;
mod stray_fields;
mod toml;
mod unfenced;

pub use cut::cut_values;
pub use lines::next_line;
pub use names::HoldsBack;
pub use parts::{Format, Parts};
pub(crate) use places::position;
pub use split::split;

use crate::yaml::{self, Document};

/// The tree of the front matter; an empty one if there is none.
#[must_use]
pub fn read(parts: &Parts<'_>) -> Document {
    match parts.format {
        None | Some(Format::Yaml) => yaml::read(parts.text, parts.line),
        Some(Format::Toml) => toml::read(parts.text, parts.line),
        Some(Format::Json) => json::read(parts.text, parts.line),
        Some(Format::PlainFields) => plain_fields::read(parts.text, parts.line),
    }
}
