//! Finds sources whose names differ only in their date.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::list::Sources;
use crate::article::{Languages, SourceName};

/// The paths of all `sources` that are not the oldest of those with the same name apart from the
/// date, among themselves and what is `beside` them; sorted.
pub(super) fn younger(
    sources: &Sources,
    beside: &[PathBuf],
    languages: &Languages,
) -> Vec<PathBuf> {
    let member = |path: &Path| {
        let name = SourceName::new(path, languages).ok()?;
        let date: [u8; 10] = name.date()?.as_bytes().try_into().ok()?;
        Some((name.undated()?, date))
    };
    // In few trees any is dated: then names are looked at, and nothing is kept.
    let dated = (0..sources.len()).filter(|at| is_dated(sources.name(*at), sources.folder(*at)));
    let own = dated.filter_map(|at| Some((member(&sources.path(at))?, Some(at))));
    let others = beside.iter().filter_map(|path| Some((member(path)?, None)));
    let mut members: Vec<_> = own.chain(others).collect();
    members.sort_unstable();
    let same = members.chunk_by(|((a, _), _), ((b, _), _)| a == b);
    let younger = same.flat_map(|same| &same[1..]);
    let mut younger: Vec<usize> = younger.filter_map(|(_, at)| *at).collect();
    younger.sort_unstable();
    younger.into_iter().map(|at| sources.path(at)).collect()
}

/// Whether a file of this name, or the folder that it is the page of, may have a date in its name.
pub(super) fn is_dated(name: &OsStr, folder: &Path) -> bool {
    let starts = |name: Option<&OsStr>| {
        let first = name.and_then(|name| name.as_encoded_bytes().first());
        first.is_some_and(u8::is_ascii_digit)
    };
    let is_index = name.as_encoded_bytes().starts_with(b"index.");
    starts(Some(name)) || is_index && starts(folder.file_name())
}
