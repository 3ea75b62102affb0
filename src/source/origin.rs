//! Where sources come from: a content tree, in a folder or packed, or a generator of articles.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::io::Read as _;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use thiserror::Error;

use super::identity::Identity;
use super::packed::reading::{Packed, Unfit, Unpacked};
use super::packed::wordpress::ItemFinding;
use super::passed_over::PassedOver;
use super::unread::{Skipped, WalkError};
use super::walk::WalkResult;
use crate::article::{MAX_SOURCE_BYTES, Markup, Naming, Route, SourceName, Twins};
use crate::diagnostic::Diagnostic;
use crate::regular;
use crate::synth::Generator;

/// A file is read so many times at most, until nobody writes to it meanwhile.
const READINGS: usize = 2;

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
    /// What its body is written in.
    pub markup: Markup,
    /// Length in bytes; `bytes` end after the limit.
    pub length: u64,
    /// What it holds, or why that is not known.
    pub bytes: Result<Vec<u8>, Unloaded>,
    /// What its reader has to say of it.
    pub findings: Vec<ItemFinding>,
    /// The state of the file that `bytes` are of.
    pub identity: Option<Identity>,
    /// Whether the file can be known again by that.
    pub is_settled: bool,
}

/// Why it is not known what a source holds.
#[derive(Debug, Error)]
pub enum Unloaded {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// Somebody wrote to it each time that it was read, or since it was found.
    #[error("somebody writes to it")]
    Changed,
    /// It is no source: what was expected, and what was found.
    #[error("{0}")]
    Broken(String),
}

impl Source {
    fn unloaded(relative: PathBuf, why: Unloaded) -> Self {
        Self {
            relative,
            length: 0,
            bytes: Err(why),
            markup: Markup::default(),
            findings: Vec::new(),
            identity: None,
            is_settled: false,
        }
    }

    /// The state of the file that the bytes are of, if it can be known again by that.
    #[must_use]
    pub fn settled(&self) -> Option<Identity> {
        self.identity.filter(|_| self.is_settled)
    }
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

    /// Makes ready for reading, where that takes its time; `goes_on` says whether the run does.
    ///
    /// # Errors
    /// When the run has to end, and when there is no room for what is to be read.
    fn prepare(&self, _goes_on: &dyn Fn() -> Result<(), WalkError>) -> Result<(), WalkError> {
        Ok(())
    }

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

    /// Whether there is a file at `relative`, a source or any other.
    fn has_file(&self, _relative: &Path) -> bool {
        false
    }

    /// The path as diagnostics show it.
    fn shown(&self, relative: &Path) -> PathBuf;

    /// The source of this number as people see it: its path, or file and line.
    fn shown_at(&self, index: usize) -> PathBuf {
        self.shown(&self.relative(index))
    }

    /// Gives findings about a source their places in the file that people know.
    fn place(&self, _index: usize, _findings: &mut [Diagnostic]) {}

    /// Whether all sources are in one file, and have its path.
    fn is_one_file(&self) -> bool {
        false
    }

    /// What was passed over and deserves a word.
    fn skipped(&self) -> &[Skipped] {
        &[]
    }

    /// The sources that keep the date of their name.
    fn twins(&self) -> Twins {
        Twins::default()
    }

    /// What may hold articles and is not read.
    fn passed_over(&self) -> PassedOver {
        PassedOver::default()
    }

    /// Folders that hold sources, as routes.
    fn folders(&self, _naming: &Naming) -> HashSet<Route> {
        HashSet::new()
    }

    /// Folders below the root that exist and hold no source themselves, as routes.
    fn bare_folders(&self) -> HashSet<Route> {
        HashSet::new()
    }
}

/// What was read of a file.
struct Read {
    bytes: Vec<u8>,
    length: u64,
    identity: Identity,
    is_settled: bool,
}

/// The files of a content tree, or what is packed into one file.
pub struct Tree<'a> {
    /// The content folder or file, as it was given.
    pub root: &'a Path,
    /// Its files.
    pub found: &'a WalkResult,
}

impl Tree<'_> {
    /// The routes of the folders that hold sources.
    fn holding(&self) -> HashSet<Route> {
        // Sources of a folder mostly stand side by side, so few are looked at twice.
        let sources = &self.found.sources;
        let mut last = None;
        let folders = (0..sources.len()).filter_map(|at| {
            let folder = sources.folder(at);
            (last.replace(folder) != Some(folder)).then_some(folder)
        });
        folders
            .filter_map(|folder| Route::of_folder(folder).ok())
            .collect()
    }

    /// The same of a packed source.
    fn unpack(&self, packed: &Packed, index: usize) -> Source {
        let sources = &self.found.sources;
        let (relative, identity) = (sources.path(index), sources.identity(index));
        let read = packed.read(sources, index);
        let Unpacked {
            bytes,
            markup,
            findings,
        } = match read {
            Ok(unpacked) => unpacked,
            Err(unfit) => {
                let why = match unfit {
                    Unfit::Broken(what) => Unloaded::Broken(what),
                    Unfit::Changed => Unloaded::Changed,
                    Unfit::Unreadable(error) => Unloaded::Unreadable(error),
                };
                return Source::unloaded(relative, why);
            }
        };
        Source {
            length: bytes.len() as u64,
            bytes: Ok(bytes),
            markup: markup.unwrap_or_else(|| Markup::of_path(&relative)),
            relative,
            findings,
            identity,
            is_settled: true,
        }
    }

    /// When the file of a source changed last, in ms since 1970.
    #[must_use]
    pub fn changed_at_ms(&self, index: usize) -> Option<i64> {
        if let Some(packed) = self.found.packed() {
            return Some(packed.changed_at_ms);
        }
        // When its inode changed last: no copy keeps that of the original.
        let metadata = self.root.join(self.relative(index)).metadata().ok()?;
        Some(metadata.ctime() * 1000 + metadata.ctime_nsec() / 1_000_000)
    }

    /// Reads the file that was found, once more if somebody writes to it meanwhile.
    fn read(&self, index: usize) -> Result<Read, Unloaded> {
        for _ in 0..READINGS {
            if let Some(read) = self.read_once(index)? {
                return Ok(read);
            }
        }
        Err(Unloaded::Changed)
    }

    /// Reads the file that was found, one byte past the limit at most: enough to know that it is
    /// too large. Tells its length and its state before it was read; none if that is another
    /// afterwards.
    fn read_once(&self, index: usize) -> io::Result<Option<Read>> {
        let now = SystemTime::now();
        let (sources, walked) = (&self.found.sources, self.found.folder()?);
        let is_found = |metadata: &Metadata| {
            let opened = Identity::of(metadata);
            let found = sources.identity(index);
            found.is_some_and(|found| found.is_same_file(&opened))
        };
        let (mut file, metadata) =
            regular::open_below(walked, &sources.real_path(index), is_found)?;
        let limit = MAX_SOURCE_BYTES as u64 + 1;
        let mut bytes = Vec::with_capacity(metadata.len().min(limit) as usize + 1);
        (&mut file).take(limit).read_to_end(&mut bytes)?;
        let is_whole = Identity::is_same_state(&metadata, &file.metadata()?);
        Ok(is_whole.then(|| Read {
            bytes,
            length: metadata.len(),
            identity: Identity::of(&metadata),
            is_settled: Identity::is_settled(&metadata, now),
        }))
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

    fn prepare(&self, goes_on: &dyn Fn() -> Result<(), WalkError>) -> Result<(), WalkError> {
        self.found
            .packed()
            .map_or(Ok(()), |packed| packed.prepare(goes_on))
    }

    fn load(&self, index: usize) -> Source {
        if let Some(packed) = self.found.packed() {
            return self.unpack(packed, index);
        }
        let relative = self.found.sources.path(index);
        match self.read(index) {
            Ok(read) => Source {
                length: read.length,
                bytes: Ok(read.bytes),
                markup: Markup::of_path(&relative),
                findings: Vec::new(),
                identity: Some(read.identity),
                is_settled: read.is_settled,
                relative,
            },
            Err(why) => Source::unloaded(relative, why),
        }
    }

    fn identity(&self, index: usize) -> Option<Identity> {
        self.found.sources.identity(index)
    }

    fn find(&self, relative: &Path) -> Option<usize> {
        self.found.sources.find(relative)
    }

    fn read_other(&self, relative: &Path) -> Option<Vec<u8>> {
        let walked = self.found.folder().ok()?;
        let (file, _) = regular::open_below(walked, relative, |_| true).ok()?;
        regular::read_opened(&file, MAX_SOURCE_BYTES as u64).ok()
    }

    fn has_file(&self, relative: &Path) -> bool {
        match self.found.packed() {
            Some(packed) => self.find(relative).is_some() || packed.has_file(relative),
            None => self.root.join(relative).is_file(),
        }
    }

    fn shown(&self, relative: &Path) -> PathBuf {
        match self.found.packed() {
            Some(packed) => {
                let source = self
                    .find(relative)
                    .map(|index| (&self.found.sources, index));
                packed.shown(source, relative)
            }
            None => self.root.join(relative),
        }
    }

    fn shown_at(&self, index: usize) -> PathBuf {
        let sources = &self.found.sources;
        match self.found.packed() {
            Some(packed) => packed.shown(Some((sources, index)), &sources.path(index)),
            None => self.root.join(sources.path(index)),
        }
    }

    fn place(&self, index: usize, findings: &mut [Diagnostic]) {
        if let Some(packed) = self.found.packed().filter(|packed| packed.has_lines()) {
            packed.place(&self.found.sources, index, findings);
        }
    }

    fn is_one_file(&self) -> bool {
        self.found.packed().is_some_and(Packed::has_lines)
    }

    fn skipped(&self) -> &[Skipped] {
        &self.found.skipped
    }

    fn twins(&self) -> Twins {
        Twins::new(self.found.twins.iter().map(PathBuf::as_path))
    }

    fn passed_over(&self) -> PassedOver {
        self.found.passed_over.clone()
    }

    fn folders(&self, naming: &Naming) -> HashSet<Route> {
        let mut folders = self.holding();
        let sources = &self.found.sources;
        // Few names end with a language, and all of these have two dots.
        let dots = |at: &usize| sources.name(*at).as_bytes().iter().filter(|b| **b == b'.');
        for at in (0..sources.len()).filter(|at| dots(at).count() > 1) {
            let path = sources.path(at);
            let name = SourceName::new(&path, &naming.languages);
            if let Ok(name) = name
                && let Some(language) = name.language()
            {
                let folder = Path::new(&language).join(sources.folder(at));
                folders.extend(Route::of_folder(&folder));
            }
        }
        folders
    }

    fn bare_folders(&self) -> HashSet<Route> {
        let holding = self.holding();
        let routes = self.found.folders.iter();
        let routes = routes.filter_map(|folder| Route::of_folder(folder).ok());
        routes
            .filter(|route| !route.is_root() && !holding.contains(route))
            .collect()
    }
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

    fn prepare(&self, goes_on: &dyn Fn() -> Result<(), WalkError>) -> Result<(), WalkError> {
        self.origin.prepare(goes_on)
    }

    /// Reads one, which was read before by this run: it must be as it was found.
    fn load(&self, index: usize) -> Source {
        let number = self.numbers[index] as usize;
        let mut source = self.origin.load(number);
        let found = self.origin.identity(number);
        if source.bytes.is_ok() && source.identity != found {
            source.bytes = Err(Unloaded::Changed);
        }
        source
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

    fn has_file(&self, relative: &Path) -> bool {
        self.origin.has_file(relative)
    }

    fn shown(&self, relative: &Path) -> PathBuf {
        self.origin.shown(relative)
    }

    fn shown_at(&self, index: usize) -> PathBuf {
        self.origin.shown_at(self.numbers[index] as usize)
    }

    fn place(&self, index: usize, findings: &mut [Diagnostic]) {
        self.origin.place(self.numbers[index] as usize, findings);
    }

    fn is_one_file(&self) -> bool {
        self.origin.is_one_file()
    }

    fn twins(&self) -> Twins {
        self.origin.twins()
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
        let relative = PathBuf::from(article.path);
        Source {
            markup: Markup::of_path(&relative),
            relative,
            length: article.bytes.len() as u64,
            bytes: Ok(article.bytes),
            findings: Vec::new(),
            identity: None,
            is_settled: false,
        }
    }

    fn shown(&self, relative: &Path) -> PathBuf {
        Path::new("synth").join(relative)
    }
}
