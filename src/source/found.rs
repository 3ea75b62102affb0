//! What was found in a content root.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::list::Sources;
use super::packed::reading::Packed;
use super::passed_over::{PassedOver, Reason};
use super::second_index::{is_readme, second_indexes};
use super::twins::younger;
use super::unread::Skipped;
use crate::article::Languages;

/// What a walk found, both lists sorted by path.
#[derive(Debug, Default)]
pub struct WalkResult {
    /// The sources.
    pub sources: Sources,
    /// What would be a source and cannot be one.
    pub skipped: Vec<Skipped>,
    /// What may hold articles and is not read. Hidden files are passed over in silence, and
    /// those that hold no articles.
    pub passed_over: PassedOver,
    /// The sources that keep the date of their name, since an older one has the same name without
    /// it.
    pub twins: Vec<PathBuf>,
    /// The folders that were walked, as paths below the root, also those without a source.
    pub(crate) folders: Vec<PathBuf>,
    /// Where the sources are read from.
    pub(super) contents: Contents,
}

/// Where sources are read from.
#[derive(Debug, Default)]
pub(super) enum Contents {
    /// Nothing was found.
    #[default]
    None,
    /// The root, held open: sources are opened below it.
    Folder(File),
    /// A packed source.
    Packed(Box<Packed>),
}

impl WalkResult {
    /// What was found in a packed source: its sources by path, what is skipped and passed over, and the
    /// folders.
    pub(super) fn of_packed(
        contents: Contents,
        (sources, skipped, passed_over, folders): (Sources, Vec<Skipped>, PassedOver, Vec<PathBuf>),
        languages: &Languages,
    ) -> Self {
        let mut found = Self {
            sources,
            skipped,
            passed_over,
            folders,
            contents,
            ..Self::default()
        };
        let readmes = (0..found.sources.len()).filter(|at| is_readme(found.sources.name(*at)));
        let readmes: Vec<usize> = readmes.collect();
        found.drop_second_indexes(&readmes, &[], languages);
        found.twins = younger(&found.sources, &[], languages);
        found
    }

    /// Takes from the sources those of the `readmes` whose folder has an index, perhaps `beside` what
    /// was walked.
    pub(super) fn drop_second_indexes(
        &mut self,
        readmes: &[usize],
        beside: &[PathBuf],
        languages: &Languages,
    ) {
        let second = second_indexes(&self.sources, readmes, beside, languages);
        for at in readmes {
            if second.contains(at) {
                let path = self.sources.path(*at);
                self.passed_over.count(Reason::SecondIndex, &path);
            }
        }
        self.sources.retain(|at| !second.contains(&at));
    }

    /// The folder that was walked.
    pub(super) fn folder(&self) -> io::Result<&File> {
        match &self.contents {
            Contents::Folder(folder) => Ok(folder),
            _ => Err(io::Error::other("no folder was walked")),
        }
    }

    /// The packed source that was read instead of a folder.
    pub(super) fn packed(&self) -> Option<&Packed> {
        match &self.contents {
            Contents::Packed(packed) => Some(packed),
            _ => None,
        }
    }

    /// Notes what is not read.
    pub(super) fn skip(&mut self, relative: &Path, reason: String, unreadable: bool) {
        self.skipped.push(Skipped {
            relative: relative.to_owned(),
            reason,
            unreadable,
        });
    }
}
