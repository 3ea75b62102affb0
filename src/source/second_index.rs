//! A README is the page of its folder only where that has no index.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::file_names::{self, Named};
use super::list::Sources;
use crate::article::{Languages, SourceName};

/// Whether a file may be the index of its folder, in any language.
pub(super) fn is_index(name: &OsStr) -> bool {
    let is_named = starts_as(name, b"index.") || starts_as(name, b"_index.");
    is_named && file_names::judge(name.as_encoded_bytes(), false) == Named::Article
}

/// Whether a file is a README, in any language.
pub(super) fn is_readme(name: &OsStr) -> bool {
    starts_as(name, b"readme.")
}

fn starts_as(name: &OsStr, start: &[u8]) -> bool {
    let head = name.as_encoded_bytes().get(..start.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The numbers of those of the `readmes` whose folder has an index in the same language, among
/// the `sources` or `beside` them.
pub(super) fn second_indexes(
    sources: &Sources,
    readmes: &[usize],
    beside: &[PathBuf],
    languages: &Languages,
) -> HashSet<usize> {
    // Folder and language of which a file is the page.
    let place = |path: &Path| {
        let name = SourceName::new(path, languages).ok()?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        name.is_index().then(|| (folder, name.language()))
    };
    if readmes.is_empty() {
        return HashSet::new();
    }
    let of = |at: &usize| place(&sources.path(*at));
    let places: HashSet<_> = readmes.iter().filter_map(of).collect();
    let indexes = (0..sources.len()).filter(|at| is_index(sources.name(*at)));
    let indexes = indexes.map(|at| sources.path(at));
    let all = indexes.chain(beside.iter().cloned());
    let taken: HashSet<_> = all
        .filter_map(|path| place(&path))
        .filter(|one| places.contains(one))
        .collect();
    let is_second = |at: &&usize| of(at).is_some_and(|one| taken.contains(&one));
    readmes.iter().filter(is_second).copied().collect()
}
