//! Opens a packed source, and finds its sources: by reading it, or by the index of an earlier run.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::STDIN;
use super::choice::{Chosen, choose};
use super::index::{self, Context};
use super::input::Form;
use super::reading::{Bytes, Closed, GoesOn, Packed};
use super::unpack::{self, Opened};
use super::unpacking::Members;
use super::wordpress::WordpressFields;
use crate::article::Languages;
use crate::regular;
use crate::source::caching::Caching;
use crate::source::identity::Identity;
use crate::source::patterns::Choice;
use crate::source::unread::WalkError;
use crate::source::walk::{Contents, WalkResult};
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
        if self.path == Path::new(STDIN) {
            let opened = unpack::stdin(self.fields, self.state_dir, &|| self.goes_on())?;
            let Opened {
                members,
                form,
                spool,
            } = opened;
            let spool = spool.map(Bytes::Spool);
            let bytes = spool.ok_or_else(|| WalkError::Broken("it was not kept".to_owned()))?;
            return self.chosen(members, form, bytes, i64::MAX);
        }
        let now = SystemTime::now();
        let (file, metadata) = regular::open(self.path)?;
        let changed_at_ms = metadata.ctime() * 1000 + metadata.ctime_nsec() / 1_000_000;
        let context = self.context(&metadata, now);
        if let Some(context) = context
            && let Some((is_in_place, form, members)) = index::read(self.state_dir, context)
        {
            let bytes = match is_in_place {
                true => Bytes::File(file),
                false => Bytes::Closed(self.closed(&metadata, &members)),
            };
            return self.chosen(members, form, bytes, changed_at_ms);
        }
        let opened = unpack::file(&file, self.fields, self.state_dir, &|| self.goes_on())?;
        let Opened {
            members,
            form,
            spool,
        } = opened;
        if Identity::of(&file.metadata()?) != Identity::of(&metadata) {
            let what = "somebody wrote to it while it was read".to_owned();
            return Err(WalkError::Broken(what));
        }
        if let Some(context) = context.filter(|_| self.caching == Caching::Write) {
            // Without it the next run reads the file again.
            let _ = index::write(self.state_dir, context, (spool.is_none(), form, &members));
        }
        let bytes = spool.map_or(Bytes::File(file), Bytes::Spool);
        self.chosen(members, form, bytes, changed_at_ms)
    }

    /// By which the index is known; none where it is of no use.
    fn context(&self, metadata: &Metadata, now: SystemTime) -> Option<Context> {
        let is_of_use = self.caching != Caching::Off && Identity::is_settled(metadata, now);
        is_of_use.then(|| Context::new(self.path, Identity::of(metadata), self.decisive).ok())?
    }

    /// The file, to be unpacked if that is needed, and still is in this state.
    fn closed(&self, metadata: &Metadata, members: &Members) -> Closed {
        let (path, state_dir) = (self.path.to_owned(), self.state_dir.to_owned());
        let (found, stored) = (Identity::of(metadata), members.stored.clone());
        let (prefixes, known) = (self.fields.prefixes.to_vec(), self.fields.known);
        let unpack = move |goes_on: &GoesOn<'_>| -> Result<Option<FinishedSpool>, WalkError> {
            let fields = WordpressFields {
                prefixes: &prefixes,
                known,
            };
            let (file, metadata) = regular::open(&path)?;
            if Identity::of(&metadata) != found {
                return Ok(None);
            }
            let opened = unpack::file(&file, fields, &state_dir, goes_on)?;
            let is_same = opened.members.stored == stored;
            Ok(opened.spool.filter(|_| is_same))
        };
        Closed::new(Box::new(unpack))
    }

    fn chosen(
        &self,
        mut members: Members,
        form: Form,
        bytes: Bytes,
        changed_at_ms: i64,
    ) -> Result<WalkResult, WalkError> {
        let Chosen {
            skipped,
            passed_over,
            folders,
        } = choose(&mut members, self.choice)?;
        members.sources.sort();
        let is_stdin = self.path == Path::new(STDIN);
        let packed = Packed {
            shown: if is_stdin {
                Path::new(STDIN_SHOWN)
            } else {
                self.path
            }
            .to_owned(),
            bytes,
            stored: members.stored,
            form,
            broken: members.broken,
            others: members.others,
            changed_at_ms,
        };
        Ok(WalkResult::of_packed(
            Contents::Packed(packed),
            (members.sources, skipped, passed_over, folders),
            self.languages,
        ))
    }

    fn goes_on(&self) -> Result<(), WalkError> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(WalkError::Interrupted);
        }
        Ok(self.time_limit.map_or(Ok(()), |limit| limit.check())?)
    }
}
