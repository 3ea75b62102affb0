//! A tar archive: its members are the files of a content tree.
//!
//! The crate reads headers and finds members. Names and extended headers are read here, since the
//! crate holds as much of them as the archive says.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use tar::{Archive, Entry, EntryType, PaxExtensions};

use super::member_path::below;
use super::unpacking::{Member, Unpacking};
use crate::article::MAX_SOURCE_BYTES;
use crate::source::unread::WalkError;

/// Most bytes of an extended header: names, and attributes that nobody asked for.
const MOST_EXTENDED: u64 = 1024 * 1024;

/// Reads all members of `input`.
///
/// # Errors
/// When it cannot be read, is damaged, or ends before the archive does.
pub(super) fn read(input: impl Read, found: &mut Unpacking<'_>) -> Result<(), WalkError> {
    let is_at_end = Cell::new(false);
    let mut archive = Archive::new(Watched {
        inner: input,
        is_at_end: &is_at_end,
    });
    let mut name = None;
    // The crate has other words for an archive that ends too soon.
    let cut = |error: io::Error| match is_at_end.get() {
        true => WalkError::cut(&io::ErrorKind::UnexpectedEof.into()),
        false => WalkError::cut(&error),
    };
    let entries = archive
        .entries()
        .map_err(|error| WalkError::cut(&error))?
        .raw(true);
    for entry in entries {
        (found.goes_on)()?;
        let mut entry = entry.map_err(cut)?;
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let mut bytes = extended(&mut entry)?;
                bytes.truncate(bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len()));
                name = Some(bytes);
            }
            EntryType::XHeader => name = path_of(&extended(&mut entry)?)?.or(name),
            EntryType::GNULongLink | EntryType::XGlobalHeader => {
                extended(&mut entry)?;
            }
            kind => {
                let own = name.take();
                let path = own.unwrap_or_else(|| entry.path_bytes().into_owned());
                take(kind, &path, &mut entry, found)?;
            }
        }
    }
    // An archive ends with a block of zeros: without it, the writer stopped before the end.
    if is_at_end.get() {
        return Err(WalkError::Broken(
            "it ends before the end of the archive".to_owned(),
        ));
    }
    refuse_more(archive.into_inner())
}

/// Takes one member.
fn take(
    kind: EntryType,
    path: &[u8],
    entry: &mut Entry<'_, impl Read>,
    found: &mut Unpacking<'_>,
) -> Result<(), WalkError> {
    let relative = match below(path) {
        Ok(relative) => relative,
        Err(why) => {
            found.skip(Path::new(OsStr::from_bytes(path)), why, true);
            return Ok(());
        }
    };
    let skipped = match kind {
        EntryType::Regular | EntryType::Continuous if relative.as_os_str().is_empty() => {
            return Ok(());
        }
        EntryType::Regular | EntryType::Continuous => return file(&relative, entry, found),
        EntryType::Directory => return found.add_folder(relative),
        EntryType::Symlink => (
            "a symbolic link, which anp does not follow in archives",
            false,
        ),
        EntryType::Link => ("a hard link, which anp does not follow in archives", false),
        EntryType::Fifo => ("a FIFO, no file", true),
        EntryType::Char | EntryType::Block => ("a device, no file", true),
        EntryType::GNUSparse => ("a sparse file, which anp does not read in archives", true),
        _ => ("a member of an unknown kind", true),
    };
    found.skip(&relative, skipped.0, skipped.1);
    Ok(())
}

fn file(
    relative: &Path,
    entry: &mut Entry<'_, impl Read>,
    found: &mut Unpacking<'_>,
) -> Result<(), WalkError> {
    let (length, at) = (entry.size(), entry.raw_file_position());
    let is_read = found.wants(relative) && length <= MAX_SOURCE_BYTES as u64;
    let mut bytes = Vec::new();
    if is_read {
        bytes.reserve_exact(length as usize);
        entry
            .read_to_end(&mut bytes)
            .map_err(|error| WalkError::cut(&error))?;
        if bytes.len() as u64 != length {
            return Err(WalkError::cut(&io::ErrorKind::UnexpectedEof.into()));
        }
    }
    found.add(Member {
        relative,
        line: 0,
        bytes: is_read.then_some(&*bytes),
        length,
        at,
    })
}

/// The bytes of an extended header.
fn extended(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, WalkError> {
    if entry.size() > MOST_EXTENDED {
        let what = format!("an extended header has {} bytes", entry.size());
        return Err(WalkError::Broken(what));
    }
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .map_err(|error| WalkError::cut(&error))?;
    Ok(bytes)
}

/// The path that an extended header gives to the next member.
fn path_of(extended: &[u8]) -> Result<Option<Vec<u8>>, WalkError> {
    let mut path = None;
    for extension in PaxExtensions::new(extended) {
        let extension = extension.map_err(|error| WalkError::cut(&error))?;
        match extension.key_bytes() {
            b"path" => path = Some(extension.value_bytes().to_vec()),
            // The header says 0 then, or less: what follows would not be a header.
            b"size" => {
                let what = "a member has more than 8 GiB".to_owned();
                return Err(WalkError::Broken(what));
            }
            _ => {}
        }
    }
    Ok(path)
}

/// Refuses what follows the end of an archive: most likely a second one.
fn refuse_more(mut rest: impl Read) -> Result<(), WalkError> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = rest
            .read(&mut buffer)
            .map_err(|error| WalkError::cut(&error))?;
        if length == 0 {
            return Ok(());
        }
        if buffer[..length].iter().any(|b| *b != 0) {
            let what = "more follows behind the end of the archive, perhaps a second one";
            return Err(WalkError::Broken(what.to_owned()));
        }
    }
}

/// A reader that notes whether it came to its end.
struct Watched<'w, R> {
    inner: R,
    is_at_end: &'w Cell<bool>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.is_at_end.set(length == 0 && !buffer.is_empty());
        Ok(length)
    }
}
