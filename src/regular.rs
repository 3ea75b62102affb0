//! Opens regular files, and nothing else: a FIFO or a device must not block a run.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens a regular file for reading. It is judged once it is open: what was one a moment ago may
/// be a FIFO by now.
///
/// # Errors
/// Whatever the system says, and anything that is no regular file.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblock.cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    Ok((file, metadata))
}

/// Reads a regular file of at most `most_bytes` bytes.
///
/// # Errors
/// As [`open`], and for a larger file.
pub fn read(path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    let (file, _) = open(path)?;
    read_opened(&file, most_bytes)
}

/// The same for a file that is open already.
///
/// # Errors
/// Whatever the system says, and for a larger file.
pub fn read_opened(file: &File, most_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more tells a file that is too large, also one that grows meanwhile.
    file.take(most_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most_bytes {
        let what = format!("larger than {} KiB", most_bytes / 1024);
        return Err(io::Error::other(what));
    }
    Ok(bytes)
}
