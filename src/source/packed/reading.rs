//! Reads the sources of a packed file that was opened, one by one.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lines::MAX_LINE_BYTES;
use super::record::{Fault, Record, column_of};
use super::unpacking::{Stored, hash, identity};
use crate::article::Markup;
use crate::diagnostic::{Diagnostic, Place, Span};
use crate::source::identity::Identity;
use crate::spool::FinishedSpool;

/// Where the bytes of the sources are.
#[derive(Debug)]
pub(super) enum Bytes {
    /// In the file itself, which somebody may write to.
    File(File),
    /// In a file of our own.
    Spool(FinishedSpool),
}

/// A packed source that was read.
#[derive(Debug)]
pub(in crate::source) struct Packed {
    /// The file as people see it.
    pub(super) shown: PathBuf,
    /// Where the bytes of the sources are.
    pub(super) bytes: Bytes,
    /// Where each source is, in the order of their keys.
    pub(super) stored: Vec<Stored>,
    /// What is wrong with some of them, by key.
    pub(super) faults: HashMap<u32, Fault>,
    /// Hashes of the paths of files that are no sources; none where there are no files.
    pub(super) others: Option<HashSet<u64>>,
    /// When the file changed last, in ms since 1970.
    pub(in crate::source) changed_at_ms: i64,
}

/// A source, unpacked.
pub(in crate::source) struct Unpacked {
    pub(in crate::source) bytes: Vec<u8>,
    pub(in crate::source) markup: Option<Markup>,
}

/// Why a source cannot be unpacked.
pub(in crate::source) enum Unfit {
    /// It is not as it should be.
    Broken(String),
    /// The file changed meanwhile.
    Changed,
    Unreadable(io::Error),
}

impl Packed {
    fn stored(&self, key: u32) -> Option<&Stored> {
        let at = self.stored.binary_search_by_key(&key, |stored| stored.key);
        self.stored.get(at.ok()?)
    }

    /// The bytes of the source `key`, as they stand in the file.
    fn raw(&self, stored: &Stored, length: usize) -> io::Result<Vec<u8>> {
        match &self.bytes {
            Bytes::Spool(spool) => spool.read(stored.at, length),
            Bytes::File(file) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, stored.at)?;
                Ok(bytes)
            }
        }
    }

    /// Reads the source `key` of `length` bytes, which was found in the state `found`.
    pub(in crate::source) fn read(
        &self,
        key: u32,
        length: usize,
        found: Option<Identity>,
    ) -> Result<Unpacked, Unfit> {
        if let Some(fault) = self.faults.get(&key) {
            return Err(Unfit::Broken(fault.message.clone()));
        }
        let stored = self.stored(key).ok_or(Unfit::Changed)?;
        let bytes = self.raw(stored, length).map_err(Unfit::Unreadable)?;
        let is_line = stored.line > 0;
        if matches!(self.bytes, Bytes::File(_)) && found != Some(identity(&bytes, is_line)) {
            return Err(Unfit::Changed);
        }
        if !is_line {
            return Ok(Unpacked {
                bytes,
                markup: None,
            });
        }
        let broken = |fault: Fault| Unfit::Broken(fault.message);
        let text = std::str::from_utf8(&bytes).map_err(|_| Unfit::Changed)?;
        let record = Record::read(text).map_err(broken)?;
        let document = record.document().map_err(broken)?;
        Ok(Unpacked {
            bytes: document.into_bytes(),
            markup: record.is_html.then_some(Markup::Html),
        })
    }

    /// Whether the file has its sources as lines: then it is what has a path for people.
    pub(in crate::source) fn has_lines(&self) -> bool {
        self.others.is_none()
    }

    /// The source `key` at `relative` as people see it.
    pub(in crate::source) fn shown(&self, key: Option<u32>, relative: &Path) -> PathBuf {
        let mut shown = self.shown.clone().into_os_string();
        match key.and_then(|key| self.stored(key)) {
            Some(stored) if stored.line > 0 => shown.push(format!(":{}", stored.line)),
            _ if relative.as_os_str().is_empty() => {}
            _ => {
                shown.push(":");
                shown.push(relative);
            }
        }
        shown.into()
    }

    /// Gives a finding about the source `key` its place in the file.
    pub(in crate::source) fn place(&self, key: u32, length: usize, finding: &mut Diagnostic) {
        let Some(stored) = self.stored(key).filter(|stored| stored.line > 0) else {
            return;
        };
        finding.path = Arc::new(self.shown.clone());
        // A line that is too long may be of any length.
        let bytes = self.raw(stored, length.min(MAX_LINE_BYTES));
        let bytes = bytes.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let line = stored.line;
        let whole = |column| {
            let span = Span {
                line: 1,
                column,
                length: u32::MAX,
            };
            let place = Place::in_text(&text, span);
            Place { line, ..place }
        };
        let place = match (&finding.place, self.faults.get(&key)) {
            (_, Some(fault)) => whole(column_of(&text, fault.at)),
            (None, None) => whole(1),
            (Some(place), None) => match Record::read(&text) {
                Ok(record) => moved(place, line, record.column(place)),
                Err(fault) => whole(column_of(&text, fault.at)),
            },
        };
        finding.place = Some(place);
    }

    /// Whether there is a file at `relative`, as far as that can be known.
    pub(in crate::source) fn has_file(&self, relative: &Path) -> bool {
        let others = self.others.as_ref();
        others.is_none_or(|others| others.contains(&hash(relative)))
    }
}

/// A place with another line and column, and the same text and mark.
fn moved(place: &Place, line: u32, column: u32) -> Place {
    let into = place.column.saturating_sub(place.window_start);
    Place {
        line,
        column,
        window_start: column.saturating_sub(into).max(1),
        ..place.clone()
    }
}
