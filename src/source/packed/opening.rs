//! Opens a packed source, and finds its sources: by reading it, or by the index of an earlier run.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use super::choice::{Chosen, choose};
use super::index::{self, Context};
use super::input::Form;
use super::reading::{Bytes, Closed, Packed};
use super::unpack::{Opened, Place};
use super::unpacking::Members;
use super::wordpress::WordpressFields;
use super::{STDIN, is_part};
use crate::article::Languages;
use crate::regular;
use crate::source::caching::Caching;
use crate::source::found::{Contents, WalkResult};
use crate::source::identity::Identity;
use crate::source::patterns::Choice;
use crate::source::unread::{GoesOn, WalkError, goes_on};
use crate::spool::FinishedSpool;
use crate::time_limit::TimeLimit;

/// What is shown for the standard input.
const STDIN_SHOWN: &str = "stdin";

/// A packed source that is to be opened.
pub struct Opening<'a> {
    /// The file, or [`STDIN`].
    pub path: &'a Path,
    /// The folder for the bytes of the sources, where they are not in the file as they are, and for the
    /// index.
    pub state_dir: &'a Path,
    /// What use is made of the index.
    pub caching: Caching,
    /// What is read besides, and what is not.
    pub choice: &'a Choice,
    /// Languages that names may end with.
    pub languages: &'a Languages,
    /// How the custom fields of a WordPress export are read.
    pub fields: WordpressFields<'a>,
    /// What of the settings decides what is found.
    pub decisive: &'a [u8],
    /// Set when somebody asks the run to end.
    pub interrupted: &'a AtomicBool,
    /// How long the run may take.
    pub time_limit: Option<TimeLimit>,
}

impl Opening<'_> {
    /// Finds its sources.
    ///
    /// # Errors
    /// When it cannot be read, is damaged or cut short, when the spool cannot be written, and when the
    /// run has to end.
    pub fn run(&self) -> Result<WalkResult, WalkError> {
        let goes_on = || self.goes_on();
        let place = Place {
            fields: self.fields,
            spool_in: self.state_dir,
            goes_on: &goes_on,
        };
        if self.path == Path::new(STDIN) {
            let opened = place.stdin()?;
            let spool = opened.spool.map(Bytes::Spool);
            let bytes = spool.ok_or_else(|| WalkError::Broken("it was not kept".to_owned()))?;
            let shown = vec![STDIN_SHOWN.into()];
            return self.chosen((opened.form, opened.members), shown, bytes, i64::MAX);
        }
        let now = SystemTime::now();
        let files = Files::open(self.path)?;
        let is_settled = files
            .metadata
            .iter()
            .all(|one| Identity::is_settled(one, now));
        let is_of_use = self.caching != Caching::Off && is_settled;
        let context = Context::new(self.path, &files.identities(), self.decisive).ok();
        let context = context.filter(|_| is_of_use);
        let changed_at_ms = files.changed_at_ms();
        if let Some(context) = context
            && let Some((is_in_place, form, members)) = index::read(self.state_dir, context)
        {
            let shown = files.paths.clone();
            let bytes = match is_in_place {
                true => Bytes::File(files.first()?, files.state(is_settled)),
                false => Bytes::Closed(self.closed(&files, &members)),
            };
            return self.chosen((form, members), shown, bytes, changed_at_ms);
        }
        let Opened {
            members,
            form,
            spool,
        } = place.files(&files.files)?;
        if files.identities() != files.identities_now()? {
            let what = "somebody wrote to it while it was read".to_owned();
            return Err(WalkError::Broken(what));
        }
        if let Some(context) = context.filter(|_| self.caching == Caching::Write) {
            // Without it the next run reads the file again.
            let _ = index::write(self.state_dir, context, (spool.is_none(), form, &members));
        }
        let shown = files.paths.clone();
        let bytes = match spool {
            Some(spool) => Bytes::Spool(spool),
            None => Bytes::File(files.first()?, files.state(is_settled)),
        };
        self.chosen((form, members), shown, bytes, changed_at_ms)
    }

    /// The files, to be unpacked if that is needed, and still are in this state.
    fn closed(&self, files: &Files, members: &Members) -> Closed {
        let (path, state_dir) = (self.path.to_owned(), self.state_dir.to_owned());
        let (found, stored) = (files.identities(), members.stored.clone());
        let (prefixes, known) = (self.fields.prefixes.to_vec(), self.fields.known);
        let unpack = move |goes_on: &GoesOn<'_>| -> Result<Option<FinishedSpool>, WalkError> {
            let place = Place {
                fields: WordpressFields {
                    prefixes: &prefixes,
                    known,
                },
                spool_in: &state_dir,
                goes_on,
            };
            let files = Files::open(&path)?;
            if files.identities() != found {
                return Ok(None);
            }
            let opened = place.files(&files.files)?;
            let is_same = opened.members.stored == stored;
            Ok(opened.spool.filter(|_| is_same))
        };
        Closed::new(Box::new(unpack))
    }

    fn chosen(
        &self,
        (form, mut members): (Form, Members),
        shown: Vec<PathBuf>,
        bytes: Bytes,
        changed_at_ms: i64,
    ) -> Result<WalkResult, WalkError> {
        members.sources.sort();
        let Chosen {
            skipped,
            passed_over,
            folders,
        } = choose(&mut members, self.choice)?;
        let packed = Packed {
            shown,
            bytes,
            stored: members.stored,
            parts: members.parts,
            form,
            broken: members.broken,
            others: members.others,
            changed_at_ms,
        };
        Ok(WalkResult::of_packed(
            Contents::Packed(Box::new(packed)),
            (members.sources, skipped, passed_over, folders),
            self.languages,
        ))
    }

    fn goes_on(&self) -> Result<(), WalkError> {
        goes_on(self.interrupted, self.time_limit)
    }
}

/// The files of a packed source, open.
struct Files {
    paths: Vec<PathBuf>,
    files: Vec<File>,
    metadata: Vec<Metadata>,
}

impl Files {
    /// The file at `path`, or the parts in the folder there, by name.
    fn open(path: &Path) -> io::Result<Self> {
        let paths = parts(path)?;
        let opened = paths.iter().map(|path| regular::open(path));
        let opened: Vec<(File, Metadata)> = opened.collect::<io::Result<_>>()?;
        let (files, metadata) = opened.into_iter().unzip();
        Ok(Self {
            paths,
            files,
            metadata,
        })
    }

    fn first(&self) -> io::Result<File> {
        let first = self.files.first().ok_or(io::ErrorKind::NotFound)?;
        first.try_clone()
    }

    /// The state of the first one, if any later write is sure to change it.
    fn state(&self, is_settled: bool) -> Option<Identity> {
        let first = self.metadata.first().filter(|_| is_settled);
        first.map(Identity::of)
    }

    fn identities(&self) -> Vec<Identity> {
        self.metadata.iter().map(Identity::of).collect()
    }

    fn identities_now(&self) -> io::Result<Vec<Identity>> {
        let now = self.files.iter().map(File::metadata);
        now.map(|metadata| Ok(Identity::of(&metadata?))).collect()
    }

    fn changed_at_ms(&self) -> i64 {
        let changed = self.metadata.iter();
        let changed = changed.map(Identity::changed_at_ms);
        changed.max().unwrap_or_default()
    }
}

/// The files of the packed source at `path`: the file itself, or where it is a folder the JSON lines or
/// exports in it.
fn parts(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if is_part(Path::new(&entry.file_name())) && entry.path().is_file() {
            parts.push(path.join(entry.file_name()));
        }
    }
    parts.sort();
    Ok(parts)
}
