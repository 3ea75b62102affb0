//! Opens a packed source: reads it to its end, and finds its sources.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::choice::{Chosen, choose};
use super::input::{Form, Input, is_zip};
use super::reading::{Bytes, Packed};
use super::record::Fault;
use super::unpacking::{Stored, Unpacking};
use super::{STDIN, lines, tar, zip};
use crate::article::Languages;
use crate::regular;
use crate::source::patterns::Choice;
use crate::source::unread::WalkError;
use crate::source::walk::{Contents, WalkResult};
use crate::spool::Spool;
use crate::time_limit::TimeLimit;

/// What is shown for the standard input.
const STDIN_SHOWN: &str = "stdin";

/// How long the standard input is waited for before somebody looks whether the run goes on.
const LOOK_EVERY: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// A packed source that is to be opened.
pub struct Opening<'a> {
    /// The file, or [`STDIN`].
    pub path: &'a Path,
    /// The folder for the bytes of the sources, where they are not in the file as they are.
    pub spool_in: &'a Path,
    /// What is read besides, and what is not.
    pub choice: &'a Choice,
    /// Languages that names may end with.
    pub languages: &'a Languages,
    /// Set when somebody asks the run to end.
    pub interrupted: &'a AtomicBool,
    /// How long the run may take.
    pub time_limit: Option<TimeLimit>,
}

impl Opening<'_> {
    /// Reads it to its end.
    ///
    /// # Errors
    /// When it cannot be read, is damaged or cut short, when the spool cannot be written, and when the
    /// run has to end.
    pub fn run(&self) -> Result<WalkResult, WalkError> {
        let opened = if self.path == Path::new(STDIN) {
            let stdin = io::stdin();
            self.unpack(
                None,
                Patient {
                    inner: stdin.as_fd(),
                    opening: self,
                },
            )
        } else {
            let (file, metadata) = regular::open(self.path)?;
            let changed_at_ms = metadata.ctime() * 1000 + metadata.ctime_nsec() / 1_000_000;
            self.unpack(Some(&(file.try_clone()?, changed_at_ms)), file)
        };
        // Whatever a reader made of it: the run was to end.
        opened.map_err(|error| self.goes_on().err().unwrap_or(error))
    }

    fn unpack(&self, file: Option<&(File, i64)>, raw: impl Read) -> Result<WalkResult, WalkError> {
        let goes_on = || self.goes_on();
        if let Some((file, changed_at_ms)) = file
            && is_zip(file)?
        {
            let mut found = Unpacking::new(Some(self.spool()?), &goes_on);
            zip::read(file.try_clone()?, &mut found)?;
            return self.finish(found, Form::Zip, None, *changed_at_ms);
        }
        let input = Input::open(raw)?.map_err(WalkError::NoSource)?;
        let in_place = file.filter(|_| input.is_plain);
        let spool = match in_place {
            None => Some(self.spool()?),
            Some(_) => None,
        };
        let mut found = Unpacking::new(spool, &goes_on);
        let mut reader = input.reader;
        match input.form {
            Form::Lines => lines::read(&mut *reader, &mut found)?,
            Form::Tar => tar::read(&mut *reader, &mut found)?,
            Form::Zip => {
                let what = "found a zip archive, which can only be read from a file";
                return Err(WalkError::NoSource(what.to_owned()));
            }
            Form::Wordpress => return Err(WalkError::NoSource("found XML".to_owned())),
        }
        drain(&mut *reader)?;
        drop(reader);
        let changed_at_ms = file.map_or(i64::MAX, |(_, changed)| *changed);
        let in_place = in_place.map(|(file, _)| file.try_clone()).transpose()?;
        self.finish(found, input.form, in_place, changed_at_ms)
    }

    /// A spool. Whoever only looks needs no state folder.
    fn spool(&self) -> Result<Spool, WalkError> {
        let spool = Spool::create(self.spool_in).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Spool::create(&std::env::temp_dir()),
            _ => Err(error),
        });
        spool.map_err(WalkError::Spool)
    }

    fn finish(
        &self,
        mut found: Unpacking<'_>,
        form: Form,
        in_place: Option<File>,
        changed_at_ms: i64,
    ) -> Result<WalkResult, WalkError> {
        let Chosen {
            skipped,
            passed_over,
            folders,
        } = choose(&mut found, self.choice);
        found.sources.sort();
        refuse_twins(&mut found);
        let bytes = match (found.spool, in_place) {
            (Some(spool), _) => Bytes::Spool(spool.finish().map_err(WalkError::Spool)?),
            (None, Some(file)) => Bytes::File(file),
            (None, None) => return Err(io::Error::other("nothing was opened").into()),
        };
        let is_stdin = self.path == Path::new(STDIN);
        let packed = Packed {
            shown: if is_stdin {
                STDIN_SHOWN.into()
            } else {
                self.path.to_owned()
            },
            bytes,
            stored: found.stored,
            faults: found.faults,
            others: (form != Form::Lines && form != Form::Wordpress).then_some(found.others),
            changed_at_ms,
        };
        Ok(WalkResult::of_packed(
            Contents::Packed(packed),
            (found.sources, skipped, passed_over, folders),
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

/// Refuses sources with one path.
fn refuse_twins(found: &mut Unpacking<'_>) {
    let sources = &found.sources;
    let line = |stored: &[Stored], key: u32| {
        let at = stored.binary_search_by_key(&key, |stored| stored.key).ok();
        at.map_or(0, |at| stored[at].line)
    };
    for after in 1..sources.len() {
        if sources.path(after) != sources.path(after - 1) {
            continue;
        }
        let keys = [after - 1, after].map(|index| sources.key(index));
        for (own, other) in [(keys[0], keys[1]), (keys[1], keys[0])] {
            let path = sources.path(after);
            let path = path.display();
            let message = match line(&found.stored, other) {
                0 => format!("expected one member of this name, found {path} more than once"),
                line => format!("expected each path once, found '{path}' on line {line} too"),
            };
            found.faults.entry(own).or_insert(Fault { message, at: 0 });
        }
    }
}

/// Reads to the end: only there a checksum tells that all is as it was.
fn drain(reader: &mut dyn BufRead) -> Result<(), WalkError> {
    loop {
        let length = reader
            .fill_buf()
            .map_err(|error| WalkError::cut(&error))?
            .len();
        if length == 0 {
            return Ok(());
        }
        reader.consume(length);
    }
}

/// The standard input, which can keep a run waiting for as long as that may last.
struct Patient<'p, 'a, F> {
    inner: F,
    opening: &'p Opening<'a>,
}

impl<F: AsFd> Read for Patient<'_, '_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let goes_on = self.opening.goes_on();
            goes_on.map_err(|error| io::Error::other(error.to_string()))?;
            let mut polled = [PollFd::new(&self.inner, PollFlags::IN)];
            match poll(&mut polled, Some(&LOOK_EVERY)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(rustix::io::read(&self.inner, buffer)?),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
