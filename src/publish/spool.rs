//! The spool: an unlinked file that holds rendered objects between survey and apply, so
//! that memory holds no bodies and what was rendered is what is written.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::failpoint;

/// The spool leaves this much of the disk free, for the manifest and for everybody else.
const KEEP_FREE_BYTES: u64 = 64 * 1024 * 1024;
/// How often the free space is looked at, in bytes written.
const LOOK_EVERY_BYTES: u64 = 16 * 1024 * 1024;

/// Rendered objects on the disk. The system frees the space when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct Spool {
    file: io::BufWriter<File>,
    length: u64,
    look_at: u64,
}

impl Spool {
    /// Makes a spool in `folder`.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn create(folder: &Path) -> io::Result<Self> {
        failpoint::at("spool", "create")?;
        let file = tempfile::tempfile_in(folder)?;
        Ok(Self {
            file: io::BufWriter::with_capacity(1024 * 1024, file),
            length: 0,
            look_at: 0,
        })
    }

    /// Appends the `parts` one behind the other and returns the offset of the first.
    ///
    /// # Errors
    /// Whatever the file system says, and `StorageFull` before the disk is full.
    pub fn append(&mut self, parts: &[&[u8]]) -> io::Result<u64> {
        if self.length >= self.look_at {
            let stat = rustix::fs::fstatvfs(self.file.get_ref())?;
            leave_some(stat.f_bavail * stat.f_frsize)?;
            self.look_at = self.length + LOOK_EVERY_BYTES;
        }
        failpoint::at("spool", "write")?;
        let offset = self.length;
        for part in parts {
            self.file.write_all(part)?;
            self.length += part.len() as u64;
        }
        Ok(offset)
    }

    /// Ends the writing; from here on the spool is read.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn finish(self) -> io::Result<Spooled> {
        failpoint::at("spool", "finish")?;
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(Spooled { file })
    }
}

/// Refuses to write on while only `free` bytes are left on the disk.
fn leave_some(free: u64) -> io::Result<()> {
    if free >= KEEP_FREE_BYTES + LOOK_EVERY_BYTES {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::StorageFull,
        format!(
            "{} MiB are left on the disk of the state folder",
            free >> 20
        ),
    ))
}

/// A finished spool.
#[derive(Debug)]
pub struct Spooled {
    file: File,
}

impl Spooled {
    /// The `length` bytes at `offset`.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        failpoint::at("spool", "read")?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{KEEP_FREE_BYTES, leave_some};

    #[test]
    fn the_last_of_the_disk_is_left_to_the_manifest() {
        let error = leave_some(KEEP_FREE_BYTES).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(
            error.to_string(),
            "64 MiB are left on the disk of the state folder"
        );
        assert!(leave_some(KEEP_FREE_BYTES * 2).is_ok());
    }
}
