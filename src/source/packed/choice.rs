//! Which members of an archive are sources: by the same rules as the files of a folder.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::unpacking::{FolderBytes, MOST_SMALL_FILES, Members};
use crate::source::file_names;
use crate::source::folders::FolderRules;
use crate::source::judge::{ByName, by_name};
use crate::source::passed_over::{PassedOver, Reason};
use crate::source::patterns::{Choice, Filter};
use crate::source::small_files::SmallFiles;
use crate::source::unread::{Skipped, WalkError};

impl SmallFiles for HashMap<PathBuf, Option<Vec<u8>>> {
    fn small_file(&self, relative: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
        match self.get(relative).ok_or(io::ErrorKind::NotFound)? {
            Some(bytes) if bytes.len() as u64 <= most_bytes => Ok(bytes.clone()),
            Some(_) => Err(io::Error::other("too large")),
            None => Err(io::Error::other(
                "too large, not a plain file, or there twice",
            )),
        }
    }
}

/// What is said of a folder.
#[derive(Clone, Debug)]
enum Verdict {
    Read,
    Silence,
    /// Closed by the folder at this path.
    Closed(PathBuf),
    Unreadable,
}

/// Judges the members of an archive.
struct Judge<'a> {
    filter: Filter<'a>,
    rules: FolderRules<'a>,
    folders: HashMap<PathBuf, Verdict>,
    skipped: Vec<Skipped>,
    passed_over: PassedOver,
    /// What `folders` takes, and how many sources there are.
    bytes: FolderBytes,
    sources: usize,
    /// The folders take too much: they are no longer remembered.
    refused: Option<WalkError>,
}

/// What the choice left.
pub(super) struct Chosen {
    pub(super) skipped: Vec<Skipped>,
    pub(super) passed_over: PassedOver,
    /// The folders that are read.
    pub(super) folders: Vec<PathBuf>,
}

/// Leaves only those of the `found` sources that are read.
///
/// # Errors
/// When the paths have more folders than can be held.
pub(super) fn choose(found: &mut Members, choice: &Choice) -> Result<Chosen, WalkError> {
    if found.has_more_small_files {
        let what = format!("it has more than {MOST_SMALL_FILES} files such as .anpignore");
        return Err(WalkError::Broken(what));
    }
    let small_files = std::mem::take(&mut found.small_files);
    let mut judge = Judge {
        filter: Filter::new(choice, &small_files),
        rules: FolderRules::new(&small_files),
        folders: HashMap::new(),
        skipped: Vec::new(),
        passed_over: PassedOver::default(),
        bytes: FolderBytes::default(),
        sources: found.sources.len(),
        refused: None,
    };
    for (kind, count) in &found.kinds {
        judge.passed_over.add_kind(kind, *count);
    }
    let mut keep = Vec::with_capacity(found.sources.len());
    for index in 0..found.sources.len() {
        let path = found.sources.path(index);
        keep.push(judge.takes(&path));
        judge.refused.take().map_or(Ok(()), Err)?;
    }
    found.sources.retain(|index| keep[index]);
    for folder in &found.folders {
        judge.folder(folder);
        judge.refused.take().map_or(Ok(()), Err)?;
    }
    let passed_over = std::mem::take(&mut judge.passed_over);
    // Links and the like are named only where a file would be read.
    let mut skipped = found.take_skipped();
    skipped.retain(|skipped| skipped.unreadable || judge.takes(&skipped.relative));
    skipped.append(&mut judge.skipped);
    skipped.sort_by(|a, b| a.relative.cmp(&b.relative));
    let folders = judge.folders.into_iter();
    let read = folders.filter(|(_, verdict)| matches!(verdict, Verdict::Read));
    let mut folders: Vec<PathBuf> = read.map(|(folder, _)| folder).collect();
    folders.sort_unstable();
    Ok(Chosen {
        skipped,
        passed_over,
        folders,
    })
}

impl Judge<'_> {
    /// Whether the file at `relative` is a source.
    fn takes(&mut self, relative: &Path) -> bool {
        let reason = match self.folder(relative.parent().unwrap_or(Path::new(""))) {
            Verdict::Read => match by_name(&self.filter, &mut self.rules, relative, false) {
                ByName::Article => return true,
                ByName::PassedOver(reason) => reason,
                _ => return false,
            },
            Verdict::Closed(by) if is_shown(relative) && file_names::is_article(relative) => {
                Reason::Folder(by)
            }
            _ => return false,
        };
        self.passed_over.count(reason, relative);
        false
    }

    /// What is said of a folder, by its own name or that of one above it.
    fn folder(&mut self, relative: &Path) -> Verdict {
        if let Some(known) = self.folders.get(relative) {
            return known.clone();
        }
        let verdict = match relative.parent() {
            None => self.enter(relative),
            Some(above) => match self.folder(above) {
                Verdict::Read => self.own(relative),
                Verdict::Closed(_) if !is_shown(relative) => Verdict::Silence,
                verdict => verdict,
            },
        };
        match self.bytes.add(relative, self.sources) {
            Ok(()) => drop(self.folders.insert(relative.to_owned(), verdict.clone())),
            Err(error) => self.refused = Some(error),
        }
        verdict
    }

    /// What is said of a folder by its own name; those above it are read.
    fn own(&mut self, relative: &Path) -> Verdict {
        match by_name(&self.filter, &mut self.rules, relative, true) {
            ByName::Folder | ByName::Article => self.enter(relative),
            ByName::PassedOver(Reason::Folder(by)) => Verdict::Closed(by),
            ByName::PassedOver(reason) => {
                self.passed_over.count(reason, relative);
                Verdict::Silence
            }
            ByName::Hidden | ByName::Other => Verdict::Silence,
        }
    }

    fn enter(&mut self, relative: &Path) -> Verdict {
        match self.filter.enter(relative) {
            Ok(()) => Verdict::Read,
            Err(reason) => {
                self.skipped.push(Skipped {
                    relative: relative.to_owned(),
                    reason,
                    unreadable: true,
                });
                Verdict::Unreadable
            }
        }
    }
}

/// Whether the name does not begin with a dot.
fn is_shown(relative: &Path) -> bool {
    let name = relative.file_name().unwrap_or_default();
    !name.as_encoded_bytes().starts_with(b".")
}
