//! Opens regular files, and nothing else: a FIFO or a device must not block a run.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
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
