//! Where sources come from: files of a content tree, or a generator of articles.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::identity::Identity;
use super::walk::{Found, Skipped};
use crate::article::{MAX_SOURCE_BYTES, Route};
use crate::regular;
use crate::synth::Generator;

/// A batch holds about so many bytes of sources at most.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;

/// … and so many of them: each batch waits for the store, so there should be few; and several
/// for each core, so that none of them idles at the end.
fn batch_sources(count: usize) -> usize {
    (count / 32).clamp(16, 256)
}

/// One source, read.
pub struct Source {
    /// Path below the root.
    pub relative: PathBuf,
    /// Length in bytes; `bytes` end after the limit.
    pub length: u64,
    /// What it holds, or why it cannot be read.
    pub bytes: io::Result<Vec<u8>>,
    /// The state of the file that `bytes` are of, if it can be known again by that.
    pub settled: Option<Identity>,
}

/// Where sources come from, in the order of their paths, or of their numbers.
pub trait Origin: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The length of one in bytes, as far as that is known before it is read.
    fn bytes(&self, _index: usize) -> u64 {
        0
    }

    /// The path of one below the root.
    fn relative(&self, index: usize) -> PathBuf;

    /// Reads one.
    fn load(&self, index: usize) -> Source;

    /// The state of the file of one, if it has one.
    fn identity(&self, _index: usize) -> Option<Identity> {
        None
    }

    /// Whether these are all sources that there are.
    fn is_whole(&self) -> bool {
        true
    }

    /// The number of the source at `relative`, if it is one of these.
    fn find(&self, _relative: &Path) -> Option<usize> {
        None
    }

    /// Reads a source that is not one of these, and that a source may link to nevertheless: one of
    /// another part of the tree. None if there is no such file.
    fn read_other(&self, _relative: &Path) -> Option<Vec<u8>> {
        None
    }

    /// The path as diagnostics show it.
    fn shown(&self, relative: &Path) -> PathBuf;

    /// What was passed over and deserves a word.
    fn skipped(&self) -> &[Skipped] {
        &[]
    }

    /// Folders that hold sources, as routes.
    fn folders(&self) -> HashSet<Route> {
        HashSet::new()
    }

    /// Folders below the root that exist and hold no source themselves, as routes.
    fn bare_folders(&self) -> HashSet<Route> {
        HashSet::new()
    }
}

/// The files of a content tree.
pub struct Tree<'a> {
    /// The content folder, as it was given.
    pub root: &'a Path,
    /// Its files.
    pub found: &'a Found,
}

impl Tree<'_> {
    /// Reads the file that was found, one byte past the limit at most: enough to know that it is
    /// too large. Tells its length and its state before it was read: whoever writes to it from
    /// then on changes that.
    fn read(&self, index: usize) -> io::Result<(Vec<u8>, u64, Option<Identity>)> {
        let now = SystemTime::now();
        let (sources, walked) = (&self.found.sources, self.found.root()?);
        let is_found = |metadata: &Metadata| {
            let opened = Identity::of(metadata);
            let found = sources.identity(index);
            found.is_some_and(|found| found.is_same_file(&opened))
        };
        let (file, metadata) = regular::open_below(walked, &sources.real_path(index), is_found)?;
        let limit = MAX_SOURCE_BYTES as u64 + 1;
        let mut bytes = Vec::with_capacity(metadata.len().min(limit) as usize + 1);
        file.take(limit).read_to_end(&mut bytes)?;
        let settled = Identity::settled(&metadata, now);
        Ok((bytes, metadata.len(), settled))
    }
}

impl Origin for Tree<'_> {
    fn count(&self) -> usize {
        self.found.sources.len()
    }

    fn bytes(&self, index: usize) -> u64 {
        u64::from(self.found.sources.bytes(index))
    }

    fn relative(&self, index: usize) -> PathBuf {
        self.found.sources.path(index)
    }

    fn load(&self, index: usize) -> Source {
        let relative = self.found.sources.path(index);
        let (bytes, length, settled) = match self.read(index) {
            Ok((bytes, length, settled)) => (Ok(bytes), length, settled),
            Err(error) => (Err(error), 0, None),
        };
        Source {
            relative,
            length,
            bytes,
            settled,
        }
    }

    fn identity(&self, index: usize) -> Option<Identity> {
        self.found.sources.identity(index)
    }

    fn find(&self, relative: &Path) -> Option<usize> {
        self.found.sources.find(relative)
    }

    fn read_other(&self, relative: &Path) -> Option<Vec<u8>> {
        let walked = self.found.root().ok()?;
        let (file, metadata) = regular::open_below(walked, relative, |_| true).ok()?;
        if metadata.len() > MAX_SOURCE_BYTES as u64 {
            return None;
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
        let limit = MAX_SOURCE_BYTES as u64;
        file.take(limit).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn shown(&self, relative: &Path) -> PathBuf {
        self.root.join(relative)
    }

    fn skipped(&self) -> &[Skipped] {
        &self.found.skipped
    }

    fn folders(&self) -> HashSet<Route> {
        // Sources of a folder mostly stand side by side, so few are looked at twice.
        let sources = &self.found.sources;
        let mut last = None;
        let folders = (0..sources.len()).filter_map(|at| {
            let folder = sources.folder(at);
            (last.replace(folder) != Some(folder)).then_some(folder)
        });
        folders.filter_map(route_of_folder).collect()
    }

    fn bare_folders(&self) -> HashSet<Route> {
        let holding = self.folders();
        let routes = self.found.folders.iter();
        let routes = routes.filter_map(|folder| route_of_folder(folder));
        routes
            .filter(|route| !route.is_root() && !holding.contains(route))
            .collect()
    }
}

/// The route of the index page of `folder`, a path below the root.
fn route_of_folder(folder: &Path) -> Option<Route> {
    Route::new(&folder.join("index.md"), None).ok()
}

/// Some sources of another origin, in the order of `numbers`, which are their places there.
pub struct Subset<'a> {
    /// The other.
    pub origin: &'a dyn Origin,
    /// The numbers of the sources there.
    pub numbers: &'a [u32],
}

impl Origin for Subset<'_> {
    fn count(&self) -> usize {
        self.numbers.len()
    }

    fn bytes(&self, index: usize) -> u64 {
        self.origin.bytes(self.numbers[index] as usize)
    }

    fn relative(&self, index: usize) -> PathBuf {
        self.origin.relative(self.numbers[index] as usize)
    }

    fn load(&self, index: usize) -> Source {
        self.origin.load(self.numbers[index] as usize)
    }

    fn is_whole(&self) -> bool {
        false
    }

    fn read_other(&self, relative: &Path) -> Option<Vec<u8>> {
        match self.origin.find(relative) {
            Some(index) => self.origin.load(index).bytes.ok(),
            None => self.origin.read_other(relative),
        }
    }

    fn shown(&self, relative: &Path) -> PathBuf {
        self.origin.shown(relative)
    }
}

/// Ranges of the sources of `origin`, bounded in number and bytes.
pub fn ranges(origin: &dyn Origin) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let count = origin.count();
    let most = batch_sources(count);
    let (mut first, mut bytes) = (0, 0);
    for index in 0..count {
        let length = origin.bytes(index);
        let is_full = index - first == most || bytes + length > BATCH_BYTES;
        if index > first && is_full {
            batches.push(first..index);
            (first, bytes) = (index, 0);
        }
        bytes += length;
    }
    if first < count {
        batches.push(first..count);
    }
    batches
}

/// The articles 1 to `count` of a generator.
pub struct Generated<'a> {
    /// Makes them.
    pub generator: &'a Generator,
    /// How many.
    pub count: usize,
}

impl Origin for Generated<'_> {
    fn count(&self) -> usize {
        self.count
    }

    fn relative(&self, index: usize) -> PathBuf {
        self.generator.article(index as u64 + 1).path.into()
    }

    fn load(&self, index: usize) -> Source {
        let article = self.generator.article(index as u64 + 1);
        Source {
            relative: article.path.into(),
            length: article.bytes.len() as u64,
            bytes: Ok(article.bytes),
            settled: None,
        }
    }

    fn shown(&self, relative: &Path) -> PathBuf {
        Path::new("synth").join(relative)
    }
}
