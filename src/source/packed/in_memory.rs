//! The readers of packed sources over bytes in memory, without files and settings: for the fuzz targets.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, memfd_create};

use super::lines::path_of;
use super::record::Record;
use super::unpacking::Unpacking;
use super::{lines, tar, zip};
use crate::diagnostic::Place;
use crate::source::unread::WalkError;

/// What a reader found, and what ended it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The paths of the sources, and how many bytes each has.
    pub sources: Vec<(PathBuf, u32)>,
    /// The folders that an archive names.
    pub folders: Vec<PathBuf>,
    /// The paths and texts of what is refused.
    pub skipped: Vec<(PathBuf, String)>,
    /// Bytes of the small files that say what is read.
    pub small_bytes: usize,
    /// What is wrong with the whole.
    pub error: Option<String>,
}

fn found(read: impl FnOnce(&mut Unpacking<'_>) -> Result<(), WalkError>) -> Found {
    let mut unpacking = Unpacking::new(None, &|| Ok(()));
    let error = read(&mut unpacking).err().map(|error| error.to_string());
    let mut found = unpacking.found;
    let sources = (0..found.sources.len())
        .map(|index| (found.sources.path(index), found.sources.bytes(index)));
    let sources = sources.collect();
    let skipped = found.take_skipped().into_iter();
    let mut folders: Vec<PathBuf> = found.folders.into_iter().collect();
    folders.sort_unstable();
    Found {
        sources,
        folders,
        skipped: skipped
            .map(|skipped| (skipped.relative, skipped.reason))
            .collect(),
        small_bytes: found.small_files.values().flatten().map(Vec::len).sum(),
        error,
    }
}

/// Reads a tar archive.
#[must_use]
pub fn tar_members(bytes: &[u8]) -> Found {
    found(|unpacking| tar::read(bytes, unpacking))
}

/// Reads a zip archive.
///
/// # Errors
/// When the system gives no file in memory.
pub fn zip_members(bytes: &[u8]) -> std::io::Result<Found> {
    let mut file = File::from(memfd_create("zip", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(found(|unpacking| zip::read(file, unpacking)))
}

/// Reads JSON lines.
#[must_use]
pub fn lines(mut bytes: &[u8]) -> Found {
    found(|unpacking| lines::read(&mut bytes, unpacking))
}

/// One line of JSON lines, taken apart.
pub struct Line<'l> {
    record: Record<'l>,
    /// The path of its source.
    pub path: PathBuf,
    /// Its fields and its body, as one source.
    pub document: String,
}

impl<'l> Line<'l> {
    /// Takes a line apart.
    ///
    /// # Errors
    /// What is wrong with it, and the byte at which that shows.
    pub fn read(line: &'l str) -> Result<Self, (String, usize)> {
        let outside = |fault: super::record::Fault| (fault.message, fault.at);
        let record = Record::read(line).map_err(outside)?;
        let path = path_of(&record).map_err(outside)?;
        let document = record.document().map_err(outside)?;
        Ok(Self {
            record,
            path,
            document,
        })
    }

    /// Whether its body is HTML.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.record.is_html
    }

    /// The column in the line, from 1, of a place of the document.
    #[must_use]
    pub fn column(&self, place: &Place) -> u32 {
        self.record.column(place)
    }
}
