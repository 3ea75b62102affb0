//! Reads a packed source from its start to its end.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::input::{Form, Input, is_zip};
use super::reading::GoesOn;
use super::unpacking::{Members, Unpacking};
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
    pub(super) is_archive: bool,
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
    spool_in: &Path,
    goes_on: &GoesOn<'_>,
) -> Result<Opened, WalkError> {
    let unpacked = if is_zip(file)? {
        let mut unpacking = Unpacking::new(Some(spool(spool_in)?), goes_on);
        zip::read(file.try_clone()?, &mut unpacking).and_then(|()| finish(unpacking, Form::Zip))
    } else {
        stream(file.try_clone()?, true, spool_in, goes_on)
    };
    // Whatever a reader made of it: the run was to end.
    unpacked.map_err(|error| goes_on().err().unwrap_or(error))
}

/// Reads the standard input.
///
/// # Errors
/// As [`file`].
pub(super) fn stdin(spool_in: &Path, goes_on: &GoesOn<'_>) -> Result<Opened, WalkError> {
    let stdin = io::stdin();
    let patient = Patient {
        inner: stdin.as_fd(),
        goes_on,
    };
    let unpacked = stream(patient, false, spool_in, goes_on);
    unpacked.map_err(|error| goes_on().err().unwrap_or(error))
}

/// Reads `raw`, which may be a file that can be read again.
fn stream(
    raw: impl Read,
    is_file: bool,
    spool_in: &Path,
    goes_on: &GoesOn<'_>,
) -> Result<Opened, WalkError> {
    let input = Input::open(raw).map_err(|error| WalkError::cut(&error))?;
    let input = input.map_err(WalkError::NoSource)?;
    let spool = match is_file && input.is_plain {
        true => None,
        false => Some(spool(spool_in)?),
    };
    let mut unpacking = Unpacking::new(spool, goes_on);
    let mut reader = input.reader;
    match input.form {
        Form::Lines => lines::read(&mut *reader, &mut unpacking)?,
        Form::Tar => tar::read(&mut *reader, &mut unpacking)?,
        Form::Zip => {
            let what = "found a zip archive, which can only be read from a file";
            return Err(WalkError::NoSource(what.to_owned()));
        }
        Form::Wordpress => return Err(WalkError::NoSource("found XML".to_owned())),
    }
    drain(&mut *reader)?;
    finish(unpacking, input.form)
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
        is_archive: matches!(form, Form::Tar | Form::Zip),
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
