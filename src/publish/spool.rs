//! The spool: an unlinked file that holds rendered objects between survey and apply, so
//! that memory holds no bodies and what was rendered is what is written.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

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
            let free = stat.f_bavail * stat.f_frsize;
            if free < KEEP_FREE_BYTES + LOOK_EVERY_BYTES {
                return Err(io::Error::new(
                    io::ErrorKind::StorageFull,
                    format!("{} MiB are left on the disk of the state folder", free >> 20),
                ));
            }
            self.look_at = self.length + LOOK_EVERY_BYTES;
        }
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
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Spooled { file })
    }
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
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}
