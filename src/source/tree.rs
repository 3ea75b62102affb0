//! The sources of a content tree, in a folder or packed.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::found::WalkResult;
use super::identity::Identity;
use super::origin::{Origin, Source};
use super::packed::reading::{Packed, Unpacked};
use super::passed_over::PassedOver;
use super::unread::{GoesOn, Skipped, Unloaded, WalkError};
use crate::article::{MAX_SOURCE_BYTES, Markup, Naming, Route, SourceName, Twins};
use crate::diagnostic::Diagnostic;
use crate::regular;

/// A file is read so many times at most, until nobody writes to it meanwhile.
const READINGS: usize = 2;

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
            Err(why) => return Source::unloaded(relative, why),
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
        let metadata = self.root.join(self.relative(index)).metadata().ok()?;
        Some(Identity::changed_at_ms(&metadata))
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

    fn prepare(&self, goes_on: &GoesOn<'_>) -> Result<(), WalkError> {
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

    fn has_files(&self) -> bool {
        self.found.packed().is_none()
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
