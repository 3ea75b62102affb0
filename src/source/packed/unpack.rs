//! Reads a packed source from its start to its end.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::input::{Form, Input, is_zip};
use super::reading::GoesOn;
use super::unpacking::{Members, Unpacking};
use super::wordpress::{self, WordpressFields};
use super::{lines, tar, zip};
use crate::source::unread::WalkError;
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

/// Reads a file. What it keeps goes to a spool in `spool_in`.
///
/// # Errors
/// When it cannot be read, is damaged or cut short, when the spool cannot be written, and when the run
/// has to end.
pub(super) fn file(
    file: &File,
    fields: WordpressFields<'_>,
    spool_in: &Path,
    goes_on: &GoesOn<'_>,
) -> Result<Opened, WalkError> {
    let unpacked = if is_zip(file)? {
        let mut unpacking = Unpacking::new(Some(spool(spool_in)?), goes_on);
        zip::read(file.try_clone()?, &mut unpacking).and_then(|()| finish(unpacking, Form::Zip))
    } else {
        let whole = || Positioned { file, at: 0 };
        let checked = Checked {
            inner: whole(),
            goes_on,
        };
        stream(checked, Some(&whole), fields, (spool_in, goes_on))
    };
    // Whatever a reader made of it: the run was to end.
    unpacked.map_err(|error| goes_on().err().unwrap_or(error))
}

/// Reads the standard input.
///
/// # Errors
/// As [`file`].
pub(super) fn stdin(
    fields: WordpressFields<'_>,
    spool_in: &Path,
    goes_on: &GoesOn<'_>,
) -> Result<Opened, WalkError> {
    let stdin = io::stdin();
    let patient = Patient {
        inner: stdin.as_fd(),
        goes_on,
    };
    let unpacked = stream(patient, None, fields, (spool_in, goes_on));
    unpacked.map_err(|error| goes_on().err().unwrap_or(error))
}

/// Reads `raw`, which may be a file that can be read `again`.
fn stream<'f>(
    raw: impl Read,
    again: Option<&dyn Fn() -> Positioned<'f>>,
    fields: WordpressFields<'_>,
    (spool_in, goes_on): (&Path, &GoesOn<'_>),
) -> Result<Opened, WalkError> {
    let input = Input::open(raw).map_err(|error| WalkError::cut(&error))?;
    let input = input.map_err(WalkError::NoSource)?;
    let again = again.filter(|_| input.is_plain);
    let spooled = match again {
        Some(_) if input.form != Form::Wordpress => None,
        _ => Some(spool(spool_in)?),
    };
    let mut unpacking = Unpacking::new(spooled, goes_on);
    let mut reader = input.reader;
    match input.form {
        Form::Lines => lines::read(&mut *reader, &mut unpacking)?,
        Form::Tar => tar::read(&mut *reader, &mut unpacking)?,
        Form::Zip => {
            let what = "found a zip archive, which can only be read from a file";
            return Err(WalkError::NoSource(what.to_owned()));
        }
        // It is read twice.
        Form::Wordpress => match again {
            Some(again) => wordpress::read(
                &|| Checked {
                    inner: again(),
                    goes_on,
                },
                fields,
                &mut unpacking,
            )?,
            None => {
                let kept = keep(&mut *reader, spool_in)?;
                let again = || Checked {
                    inner: kept.reader(),
                    goes_on,
                };
                wordpress::read(&again, fields, &mut unpacking)?;
            }
        },
    }
    if again.is_none() || input.form != Form::Wordpress {
        drain(&mut *reader)?;
    }
    finish(unpacking, input.form)
}

/// Keeps all of `reader`.
fn keep(reader: &mut dyn BufRead, spool_in: &Path) -> Result<FinishedSpool, WalkError> {
    let mut kept = spool(spool_in)?;
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

/// A spool. Whoever only looks needs no state folder.
fn spool(folder: &Path) -> Result<Spool, WalkError> {
    let spool = Spool::create(folder).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Spool::create(&std::env::temp_dir()),
        _ => Err(error),
    });
    spool.map_err(WalkError::Spool)
}

fn finish(unpacking: Unpacking<'_>, form: Form) -> Result<Opened, WalkError> {
    let spool = unpacking.spool.map(Spool::finish).transpose();
    Ok(Opened {
        members: unpacking.found,
        form,
        spool: spool.map_err(WalkError::Spool)?,
    })
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

/// A file from its start, whoever else reads it.
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
