//! Reads a packed source from its start to its end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::input::{BUFFER_BYTES, Form, Input, drain, is_zip};
use super::unpacking::{Members, Unpacking};
use super::wordpress::{self, WordpressFields};
use super::{lines, tar, zip};
use crate::source::unread::{GoesOn, WalkError};
use crate::spool::{FinishedSpool, Spool};

/// How long the standard input is waited for before somebody looks whether the run goes on.
const LOOK_EVERY: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// A packed source that was read to its end.
pub(super) struct Opened {
    pub(super) members: Members,
    pub(super) form: Form,
    /// The bytes of the sources; none where they are in the file as they are.
    pub(super) spool: Option<FinishedSpool>,
}

/// Where a source is unpacked.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    /// How the custom fields of an export are read.
    pub(super) fields: WordpressFields<'p>,
    /// The folder for spools.
    pub(super) spool_in: &'p Path,
    /// Says whether the run goes on.
    pub(super) goes_on: &'p GoesOn<'p>,
}

impl Place<'_> {
    /// Reads one file, or the parts of one source in several files.
    ///
    /// # Errors
    /// When one cannot be read, is damaged or cut short, when the spool cannot be written, and when the
    /// run has to end.
    pub(super) fn files(self, files: &[File]) -> Result<Opened, WalkError> {
        let unpacked = match files {
            [file] if is_zip(file)? => self.zip(file),
            files => self.parts(files),
        };
        // Whatever a reader made of it: the run was to end.
        unpacked.map_err(|error| (self.goes_on)().err().unwrap_or(error))
    }

    fn zip(self, file: &File) -> Result<Opened, WalkError> {
        let mut unpacking = Unpacking::new(Some(self.spool()?), self.goes_on);
        unpacking.begin_part();
        zip::read(file.try_clone()?, &mut unpacking)?;
        finish(unpacking, Form::Zip)
    }

    fn parts(self, files: &[File]) -> Result<Opened, WalkError> {
        let opened = |part: usize| {
            let file = files.get(part);
            let file = file.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            let whole = Positioned { file, at: 0 };
            opened(Checked {
                inner: whole,
                goes_on: self.goes_on,
            })
        };
        let first = opened(0)?;
        let is_in_place = files.len() == 1 && first.is_plain && first.form != Form::Wordpress;
        let spool = match is_in_place {
            true => None,
            false => Some(self.spool()?),
        };
        let mut unpacking = Unpacking::new(spool, self.goes_on);
        let form = first.form;
        drop(first);
        if form == Form::Wordpress {
            let reader = |part| opened(part).map(|input| input.reader);
            wordpress::read(files.len(), &reader, self.fields, &mut unpacking)?;
            return finish(unpacking, form);
        }
        for part in 0..files.len() {
            let input = opened(part)?;
            if input.form != form {
                let what = "found files of several kinds in one folder".to_owned();
                return Err(WalkError::NoSource(what));
            }
            whole(input, &mut unpacking)?;
        }
        finish(unpacking, form)
    }

    /// Reads the standard input.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub(super) fn stdin(self) -> Result<Opened, WalkError> {
        if io::stdin().is_terminal() {
            let what = "found a terminal, and no program that writes";
            return Err(WalkError::NoSource(what.to_owned()));
        }
        let unpacked = self.pipe(&io::stdin());
        unpacked.map_err(|error| (self.goes_on)().err().unwrap_or(error))
    }

    fn pipe(self, pipe: &impl AsFd) -> Result<Opened, WalkError> {
        let mut input = opened(Patient {
            inner: pipe.as_fd(),
            goes_on: self.goes_on,
        })?;
        let mut unpacking = Unpacking::new(Some(self.spool()?), self.goes_on);
        let form = input.form;
        if form == Form::Wordpress {
            // It is read twice.
            let kept = self.keep(&mut *input.reader)?;
            let reader = |_| -> Result<Box<dyn BufRead + '_>, WalkError> {
                Ok(Box::new(BufReader::with_capacity(
                    BUFFER_BYTES,
                    kept.reader(),
                )))
            };
            wordpress::read(1, &reader, self.fields, &mut unpacking)?;
        } else {
            whole(input, &mut unpacking)?;
        }
        finish(unpacking, form)
    }

    /// Keeps all of `reader`.
    fn keep(self, reader: &mut dyn BufRead) -> Result<FinishedSpool, WalkError> {
        let mut kept = self.spool()?;
        loop {
            let bytes = reader.fill_buf().map_err(|error| WalkError::cut(&error))?;
            if bytes.is_empty() {
                return kept.finish().map_err(WalkError::Spool);
            }
            kept.append(&[bytes]).map_err(WalkError::Spool)?;
            let length = bytes.len();
            reader.consume(length);
        }
    }

    /// A spool; in the temporary folder where there is no state folder, which a check does not need.
    fn spool(self) -> Result<Spool, WalkError> {
        let spool = Spool::create(self.spool_in).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem => Spool::create(&std::env::temp_dir()),
            _ => Err(error),
        });
        spool.map_err(WalkError::Spool)
    }
}

fn opened<'r>(raw: impl Read + 'r) -> Result<Input<'r>, WalkError> {
    let input = Input::open(raw).map_err(|error| WalkError::cut(&error))?;
    input.map_err(WalkError::NoSource)
}

/// Reads JSON lines or a tar archive.
fn whole(mut input: Input<'_>, unpacking: &mut Unpacking<'_>) -> Result<(), WalkError> {
    unpacking.begin_part();
    let reader = &mut *input.reader;
    match input.form {
        Form::Lines => lines::read(reader, unpacking)?,
        Form::Tar => tar::read(&mut *reader, unpacking)?,
        Form::Zip | Form::Wordpress => {
            let what = "found a zip archive, which can only be read from one file";
            return Err(WalkError::NoSource(what.to_owned()));
        }
    }
    drain(reader)
}

fn finish(unpacking: Unpacking<'_>, form: Form) -> Result<Opened, WalkError> {
    let (members, spool) = unpacking.finish()?;
    let spool = spool.map(Spool::finish).transpose();
    Ok(Opened {
        members,
        form,
        spool: spool.map_err(WalkError::Spool)?,
    })
}

/// A file from its start, also while others read it.
struct Positioned<'f> {
    file: &'f File,
    at: u64,
}

impl Read for Positioned<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

/// A reader that ends with the run.
struct Checked<'p, R> {
    inner: R,
    goes_on: &'p GoesOn<'p>,
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.goes_on)().map_err(|error| io::Error::other(error.to_string()))?;
        self.inner.read(buffer)
    }
}

/// The standard input, which can keep a run waiting for as long as that may last.
struct Patient<'p, F> {
    inner: F,
    goes_on: &'p GoesOn<'p>,
}

impl<F: AsFd> Read for Patient<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let goes_on = (self.goes_on)();
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
