//! Reads the sources of a packed file that was opened, one by one.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::input::Form;
use super::keeper::identity;
use super::lines::{MAX_LINE_BYTES, path_of, record_of};
use super::record::{Fault, Record, column_of};
use super::unpacking::{Members, Stored, hash};
use super::wordpress::{self, ItemFinding};
use crate::article::{MAX_SOURCE_BYTES, Markup};
use crate::diagnostic::{Diagnostic, Place, Span};
use crate::source::identity::Identity;
use crate::source::list::Sources;
use crate::source::unread::{GoesOn, Unloaded, WalkError};
use crate::spool::FinishedSpool;

/// Where the bytes of the sources are.
pub(super) enum Bytes {
    /// In the file itself, which somebody may write to; and its state, where any later write is sure
    /// to change that.
    File(File, Option<Identity>),
    /// In a file of our own.
    Spool(FinishedSpool),
    /// In a file that is unpacked once a source is to be read.
    Closed(Closed),
}

/// Unpacks the file again; none where it is another by now.
pub(super) type Unpack =
    dyn Fn(&GoesOn<'_>) -> Result<Option<FinishedSpool>, WalkError> + Send + Sync;

/// A packed file whose sources are known, and were not unpacked.
pub(super) struct Closed {
    unpack: Box<Unpack>,
    opened: OnceLock<Option<FinishedSpool>>,
    turn: Mutex<()>,
}

impl Closed {
    pub(super) fn new(unpack: Box<Unpack>) -> Self {
        Self {
            unpack,
            opened: OnceLock::new(),
            turn: Mutex::new(()),
        }
    }

    fn open(&self, goes_on: &GoesOn<'_>) -> Result<Option<&FinishedSpool>, WalkError> {
        // One thread unpacks, and the others wait for it.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.opened.get().is_none() {
            let spool = match (self.unpack)(goes_on) {
                Err(WalkError::Broken(_) | WalkError::NoSource(_) | WalkError::Unreadable(_)) => {
                    None
                }
                unpacked => unpacked?,
            };
            let _ = self.opened.set(spool);
        }
        Ok(self.opened.get().and_then(Option::as_ref))
    }
}

/// A packed source that was read.
pub(in crate::source) struct Packed {
    /// The files as people see them.
    pub(super) shown: Vec<PathBuf>,
    /// The key with which each of them begins.
    pub(super) parts: Vec<u32>,
    /// Where the bytes of the sources are.
    pub(super) bytes: Bytes,
    /// Where each source is, in the order of their keys.
    pub(super) stored: Vec<Stored>,
    /// What it is.
    pub(super) form: Form,
    /// What is wrong with some sources, by key.
    pub(super) broken: HashMap<u32, String>,
    /// Hashes of the paths of files that are no sources.
    pub(super) others: HashSet<u64>,
    /// When the file changed last, in ms since 1970.
    pub(in crate::source) changed_at_ms: i64,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Packed").field(&self.shown).finish()
    }
}

/// A source, unpacked.
pub(in crate::source) struct Unpacked {
    pub(in crate::source) bytes: Vec<u8>,
    pub(in crate::source) markup: Option<Markup>,
    pub(in crate::source) findings: Vec<ItemFinding>,
}

impl Packed {
    /// Makes ready for reading, which can take its time.
    pub(in crate::source) fn prepare(&self, goes_on: &GoesOn<'_>) -> Result<(), WalkError> {
        match &self.bytes {
            Bytes::Closed(closed) => closed.open(goes_on).map(drop),
            _ => Ok(()),
        }
    }

    fn stored(&self, sources: &Sources, index: usize) -> Option<&Stored> {
        let key = sources.key(index);
        let at = self.stored.binary_search_by_key(&key, |stored| stored.key);
        self.stored.get(at.ok()?)
    }

    /// The file of the source `key`.
    fn file(&self, key: u32) -> &Path {
        let part = self.parts.partition_point(|first| *first <= key);
        let shown = self.shown.get(part.saturating_sub(1));
        shown.map_or(Path::new(""), PathBuf::as_path)
    }

    /// The bytes of a source, as they stand in the file; the first ones of what is too long.
    fn raw(&self, stored: &Stored, length: usize) -> Result<Vec<u8>, Unloaded> {
        let length = length.min(MAX_LINE_BYTES);
        let spool = match &self.bytes {
            Bytes::Spool(spool) => spool,
            Bytes::Closed(closed) => {
                let opened = closed.open(&|| Ok(()));
                let unreadable = |error: WalkError| io::Error::other(error.to_string());
                let opened = opened.map_err(|error| Unloaded::Unreadable(unreadable(error)))?;
                opened.ok_or(Unloaded::Changed)?
            }
            Bytes::File(file, _) => {
                let mut bytes = vec![0; length];
                let read = file.read_exact_at(&mut bytes, stored.at);
                return match read {
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        Err(Unloaded::Changed)
                    }
                    read => read.map(|()| bytes).map_err(Unloaded::Unreadable),
                };
            }
        };
        spool.read(stored.at, length).map_err(Unloaded::Unreadable)
    }

    /// Reads a source.
    pub(in crate::source) fn read(
        &self,
        sources: &Sources,
        index: usize,
    ) -> Result<Unpacked, Unloaded> {
        let broken = |fault: Fault| Unloaded::Broken(fault.message);
        let stored = self.stored(sources, index).ok_or(Unloaded::Changed)?;
        if let Some(fault) = self.misfit(stored, sources, index) {
            return Err(broken(fault));
        }
        let bytes = self.raw(stored, sources.bytes(index) as usize)?;
        let is_line = stored.line > 0;
        let is_same = match &self.bytes {
            Bytes::File(file, Some(state)) => {
                let metadata = file.metadata().map_err(Unloaded::Unreadable)?;
                Identity::of(&metadata) == *state
            }
            Bytes::File(_, None) => sources.identity(index) == Some(identity(&bytes, is_line)),
            _ => true,
        };
        if !is_same {
            return Err(Unloaded::Changed);
        }
        let whole = |bytes: Vec<u8>, markup, findings| Unpacked {
            bytes,
            markup,
            findings,
        };
        if !is_line {
            return Ok(whole(bytes, None, Vec::new()));
        }
        if self.form == Form::Wordpress {
            let (findings, source) = wordpress::split(&bytes).ok_or(Unloaded::Changed)?;
            return Ok(whole(source.to_vec(), Some(Markup::Html), findings));
        }
        let record = line_of(&bytes).map_err(broken)?;
        let document = record.document().map_err(broken)?;
        let markup = record.is_html.then_some(Markup::Html);
        Ok(whole(document.into_bytes(), markup, Vec::new()))
    }

    /// Why a source is none, as far as that can be told without reading it.
    fn misfit(&self, stored: &Stored, sources: &Sources, index: usize) -> Option<Fault> {
        if let Some(message) = self.broken.get(&stored.key) {
            let message = message.clone();
            return Some(Fault { message, at: 0 });
        }
        // Of so many broken items that not all messages are held.
        if self.form == Form::Wordpress && sources.bytes(index) == 0 {
            let message = "expected an item that can be read, found a broken one".to_owned();
            return Some(Fault { message, at: 0 });
        }
        let length = sources.bytes(index) as usize;
        let (most, what) = match self.form {
            Form::Lines => (MAX_LINE_BYTES, "a line of "),
            _ => (MAX_SOURCE_BYTES, ""),
        };
        if length > most {
            let message = format!("expected {what}at most {most} bytes, found {length}");
            return Some(Fault { message, at: 0 });
        }
        // Sources with one path stand side by side.
        let beside = [index.checked_sub(1), Some(index + 1)]
            .into_iter()
            .flatten();
        let mut twins =
            beside.filter(|other| *other < sources.len() && sources.are_twins(index, *other));
        let twin = twins.next()?;
        let path = sources.path(index);
        let path = path.display();
        let message = match self.stored(sources, twin) {
            Some(Stored {
                line: line @ 1.., ..
            }) => {
                format!("expected each path once, found '{path}' on line {line} too")
            }
            _ => format!("expected one member of this name, found {path} more than once"),
        };
        Some(Fault { message, at: 0 })
    }

    /// Whether the file has its sources as lines: then it is what has a path for people.
    pub(in crate::source) fn has_lines(&self) -> bool {
        matches!(self.form, Form::Lines | Form::Wordpress)
    }

    /// A source, or something else at `relative`, as people see it.
    pub(in crate::source) fn shown(
        &self,
        source: Option<(&Sources, usize)>,
        relative: &Path,
    ) -> PathBuf {
        let stored = source.and_then(|(sources, index)| self.stored(sources, index));
        let file = self.file(stored.map_or(0, |stored| stored.key));
        let mut shown = file.as_os_str().to_owned();
        match stored {
            Some(stored) if stored.line > 0 => shown.push(format!(":{}", stored.line)),
            _ if relative.as_os_str().is_empty() => {}
            _ => {
                shown.push(":");
                shown.push(relative);
            }
        }
        shown.into()
    }

    /// Gives findings about a source their places in the file.
    pub(in crate::source) fn place(
        &self,
        sources: &Sources,
        index: usize,
        findings: &mut [Diagnostic],
    ) {
        let stored = self.stored(sources, index);
        let Some(stored) = stored.filter(|stored| stored.line > 0 && !findings.is_empty()) else {
            return;
        };
        let path = Arc::new(self.file(stored.key).to_owned());
        let bytes = self.raw(stored, sources.bytes(index) as usize);
        let bytes = bytes.unwrap_or_default();
        if self.form == Form::Wordpress {
            let source = wordpress::split(&bytes).map(|(_, source)| source);
            let fields = source.and_then(|source| source.split(|b| *b == b'\n').next());
            let is_secret = names_secret(&String::from_utf8_lossy(fields.unwrap_or_default()));
            for finding in findings {
                finding.path = Arc::clone(&path);
                let is_shown = !is_secret || finding.place.as_ref().is_some_and(|it| it.line > 1);
                drop_line(&mut finding.message);
                let place = finding.place.as_ref().filter(|_| is_shown);
                finding.place = Some(of_item(place, stored.line));
            }
            return;
        }
        let text = String::from_utf8_lossy(&bytes);
        let misfit = self.misfit(stored, sources, index);
        let read = match misfit {
            Some(fault) => Err(fault),
            None => line_of(&bytes).and_then(|record| record.document().map(|_| record)),
        };
        let line = stored.line;
        let whole = |at: usize| {
            let span = Span {
                line: 1,
                column: column_of(&text, at),
                length: u32::MAX,
            };
            let place = Place::in_text(&text, span);
            Place { line, ..place }
        };
        let is_secret = match &read {
            Ok(record) => names_secret(&record.fields()),
            Err(_) => names_secret(&text),
        };
        for finding in findings {
            finding.path = Arc::clone(&path);
            drop_line(&mut finding.message);
            let (mut placed, is_of_body) = match (&finding.place, &read) {
                (_, Err(fault)) => (whole(fault.at), false),
                // Without a place, its line is not to be shown.
                (None, Ok(_)) => (of_item(None, line), true),
                (Some(place), Ok(record)) => {
                    let column = record.column(place);
                    (moved(place, line, column), place.line > 1)
                }
            };
            if is_secret && !is_of_body {
                placed.text.clear();
            }
            finding.place = Some(placed);
        }
    }

    /// Whether there is a file at `relative`, as far as that can be known.
    pub(in crate::source) fn has_file(&self, relative: &Path) -> bool {
        self.has_lines()
            || self.others.contains(&hash(relative))
            || !Members::knows_all(&self.others)
    }
}

/// The article that a line is.
fn line_of(bytes: &[u8]) -> Result<Record<'_>, Fault> {
    let record = record_of(bytes)?;
    path_of(&record)?;
    Ok(record)
}

/// Whether a line of fields may have a password in it. All fields are on one line, which findings about
/// any of them would show.
fn names_secret(fields: &str) -> bool {
    let fields = fields.to_ascii_lowercase();
    ["pass", "secret"].iter().any(|part| fields.contains(part))
}

/// Takes away the line in the source, where the line of the file is known.
fn drop_line(message: &mut String) {
    if let Some(rest) = message.strip_prefix("line 1: ") {
        *message = rest.to_owned();
    }
}

/// The place of a finding about the item of a line: what it is about begins the shown text, since its
/// column in the export is not known. A finding of the reader has its line already.
fn of_item(place: Option<&Place>, line: u32) -> Place {
    let nothing = Place {
        line,
        column: 1,
        length: 1,
        text: String::new(),
        window_start: 1,
    };
    match place {
        None => nothing,
        Some(place) if place.text.is_empty() => place.clone(),
        Some(place) => {
            let before = place.column.saturating_sub(place.window_start) as usize;
            Place {
                length: place.length,
                text: place.text.chars().skip(before).collect(),
                ..nothing
            }
        }
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
