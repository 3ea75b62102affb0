//! Loads the sources of a batch, or says why one cannot be loaded.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::batch::{Chunk, UnreadSource};
use super::findings::whole_file;
use crate::article::{MAX_SOURCE_BYTES, Markup};
use crate::diagnostic::{RETRY_AFTER_FIX, Severity};
use crate::source::{Identity, ItemFinding, Origin, SourceState, Unloaded};

/// The code of a source that could not be read as a whole, since it changed: it is neither invalid nor gone.
pub(crate) const CHANGED: &str = "changed";
const SKIPPED: &str = "changed during the run: skipped, and what the store holds of it stays";
const RETRY_AFTER_CHANGE: &str = "safe at any time, best once nobody writes to the file";

/// A source in memory.
pub(crate) struct LoadedSource<'a> {
    pub(crate) unread: &'a UnreadSource,
    pub(crate) relative: PathBuf,
    pub(crate) markup: Markup,
    pub(crate) path: Arc<PathBuf>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) cleaned: OnceLock<String>,
    pub(crate) findings: Vec<ItemFinding>,
    /// Whether it can be known again.
    pub(crate) has_file: bool,
    pub(crate) settled: Option<Identity>,
}

impl LoadedSource<'_> {
    /// What it can be known again by, as one of `origin`; none if it cannot.
    pub(crate) fn state(&self, origin: &dyn Origin) -> Option<SourceState> {
        self.has_file
            .then(|| SourceState::of(self.settled, &self.bytes, origin.has_files()))
    }
}

/// Loads a source; none if that is not possible, which is reported.
pub(crate) fn load<'u>(
    origin: &dyn Origin,
    unread: &'u UnreadSource,
    chunk: &mut Chunk,
) -> Option<LoadedSource<'u>> {
    let index = unread.index;
    let source = origin.load(index);
    let (has_file, settled) = (source.identity.is_some(), source.settled());
    let path = Arc::new(origin.shown_at(index));
    let (message, retry) = match source.bytes {
        Ok(bytes) if bytes.len() <= MAX_SOURCE_BYTES => {
            return Some(LoadedSource {
                unread,
                relative: source.relative,
                markup: source.markup,
                path,
                bytes,
                cleaned: OnceLock::new(),
                findings: source.findings,
                has_file,
                settled,
            });
        }
        Ok(bytes) => {
            let found = source.length.max(bytes.len() as u64);
            let message = format!("expected at most {MAX_SOURCE_BYTES} bytes, found {found}");
            (message, RETRY_AFTER_FIX)
        }
        Err(Unloaded::Unreadable(error)) => {
            let message = format!("expected a file that can be read, found: {error}");
            (message, "once the file can be read")
        }
        Err(Unloaded::Broken(message)) => (message, RETRY_AFTER_FIX),
        Err(Unloaded::Changed) => {
            let mut skipped = [whole_file(
                path,
                CHANGED,
                SKIPPED.to_owned(),
                RETRY_AFTER_CHANGE,
            )];
            skipped[0].severity = Severity::Warning;
            origin.place(index, &mut skipped);
            chunk.diagnostics.extend(skipped);
            chunk.changed.push(index);
            return None;
        }
    };
    let mut finding = [whole_file(path, "source", message, retry)];
    origin.place(index, &mut finding);
    chunk.diagnostics.extend(finding);
    chunk.invalid.push((index, None));
    None
}
