//! Where sources come from: a content tree, a part of other sources, or a generator of articles.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::packed::wordpress::ItemFinding;
use super::passed_over::PassedOver;
use super::unread::{GoesOn, Skipped, Unloaded, WalkError};
use crate::article::{Markup, Naming, Route, Twins};
use crate::diagnostic::Diagnostic;
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

impl Source {
    pub(super) fn unloaded(relative: PathBuf, why: Unloaded) -> Self {
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
    fn prepare(&self, _goes_on: &GoesOn<'_>) -> Result<(), WalkError> {
        Ok(())
    }

    /// Reads one.
    fn load(&self, index: usize) -> Source;

    /// The state of the file of one, if it has one.
    fn identity(&self, _index: usize) -> Option<Identity> {
        None
    }

    /// Whether each is a file of its own, which may be the same although its state is another.
    fn has_files(&self) -> bool {
        false
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

    fn prepare(&self, goes_on: &GoesOn<'_>) -> Result<(), WalkError> {
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
