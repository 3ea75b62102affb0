//! Packed sources: many articles in one file, or from the standard input.
//!
//! The file is read once, from its start to its end ([`unpack`]): JSON lines ([`lines`], [`record`])
//! or the members of an archive ([`tar`], [`zip`]), or the items of a WordPress export ([`wordpress`]), give a list of sources ([`unpacking`]), of which some
//! are chosen by the rules of a folder ([`choice`]), or an index of them from an earlier run ([`index`]). From then on it behaves like one: each source can
//! be read at any time, in any order. Where the bytes are compressed, or come from a pipe, those of
//! the sources wait in an unlinked file in the state folder.
//!
//! A source is known again by its content.

mod choice;
#[doc(hidden)]
pub mod in_memory;
mod index;
mod input;
mod keeper;
mod lines;
pub(super) mod opening;
pub(super) mod reading;
mod record;
mod tar;
mod unpack;
mod unpacking;
pub(super) mod wordpress;
mod zip;

use std::path::Path;

/// What the name of an archive ends with: one file, of which nothing is read but articles.
const ARCHIVES: [&str; 6] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".zip"];

/// What the name of a packed source ends with.
pub const ENDINGS: [&str; 16] = [
    ".jsonl",
    ".ndjson",
    ".jsonl.gz",
    ".ndjson.gz",
    ".jsonl.zst",
    ".ndjson.zst",
    ".tar",
    ".tar.gz",
    ".tgz",
    ".tar.zst",
    ".tzst",
    ".zip",
    ".xml",
    ".xml.gz",
    ".xml.zst",
    ".wxr",
];

/// Whether a file of this name can be a part of a source in several files: JSON lines, or an export.
fn is_part(name: &Path) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let mut endings = ENDINGS.iter().filter(|ending| !ARCHIVES.contains(ending));
    !name.starts_with('.') && endings.any(|ending| name.ends_with(ending))
}

/// The name of the standard input.
pub const STDIN: &str = "-";

/// Whether the folder at `path` has no articles of its own, but a source in several files.
#[must_use]
pub fn has_parts(path: &Path) -> bool {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .any(|name| is_part(Path::new(&name)))
}

/// Whether `path` names a packed source: by its name alone, unless it is a folder.
#[must_use]
pub fn is_packed(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    path == Path::new(STDIN)
        || ENDINGS
            .iter()
            .any(|ending| name.len() > ending.len() && name.ends_with(ending))
            && !path.is_dir()
}
