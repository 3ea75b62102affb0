//! Packed sources: many articles in one file, or from the standard input.
//!
//! 1. The file is read once, from its start to its end ([`unpack`]): JSON lines ([`lines`], [`record`]),
//!    the members of an archive ([`tar`], [`zip`]), or the items of a WordPress export ([`wordpress`]).
//! 2. They give a list of sources ([`unpacking`], [`keeper`]). Where the file did not change since an
//!    earlier run, that comes from an index ([`index`]).
//! 3. Some of them are chosen, by the rules of a folder ([`choice`]).
//!
//! From then on the file behaves like a folder: each source can be read at any time, in any order
//! ([`reading`]), and is known again by its content. The bytes of sources that were compressed, or came
//! from a pipe, wait in an unlinked file in the state folder.

mod choice;
#[doc(hidden)]
pub mod in_memory;
mod index;
mod input;
mod keeper;
mod lines;
mod member_path;
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
const ARCHIVES: [&str; 4] = [".tar", ".tgz", ".tzst", ".zip"];

/// What the name of JSON lines or an export ends with, which may come in several files.
const PARTS: [&str; 4] = [".jsonl", ".ndjson", ".xml", ".wxr"];

/// Whether the name has one of these endings, perhaps with that of a compressed file behind it.
fn ends_with(name: &Path, endings: &[&str]) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let packed = [".gz", ".zst"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    let name = packed.unwrap_or(&name);
    let is_it = |ending: &&str| name.len() > ending.len() && name.ends_with(ending);
    endings.iter().any(is_it)
}

/// Whether a file of this name can be a part of a source in several files.
fn is_part(name: &Path) -> bool {
    !name.as_os_str().as_encoded_bytes().starts_with(b".") && ends_with(name, &PARTS)
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
    let name = Path::new(path.file_name().unwrap_or_default());
    let is_named = ends_with(name, &ARCHIVES) || ends_with(name, &PARTS);
    path == Path::new(STDIN) || is_named && !path.is_dir()
}
