//! The spool: an unlinked file that holds rendered objects between survey and apply, so
//! that memory holds no bodies and what was rendered is what is written.

use std::fs::File;
use std::io;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::failpoint;

/// A run leaves this much of the disk free, for what everybody else writes.
pub const KEEP_FREE_BYTES: u64 = 1024 * 1024;
/// How often the free space is looked at, in bytes written; more often where little is left.
const LOOK_EVERY_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes that are handed to the system at once.
const BUFFER_BYTES: usize = 1024 * 1024;

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
            file: io::BufWriter::with_capacity(BUFFER_BYTES, file),
            length: 0,
            look_at: 0,
        })
    }

    /// Appends the `parts` one behind the other and returns the offset of the first.
    ///
    /// # Errors
    /// Whatever the file system says, and `StorageFull` before the disk is full.
    pub fn append(&mut self, parts: &[&[u8]]) -> io::Result<u64> {
        let end = self.length + parts.iter().map(|part| part.len() as u64).sum::<u64>();
        if end > self.look_at {
            let stat = rustix::fs::fstatvfs(self.file.get_ref())?;
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            // What is in the buffer takes its place soon.
            let buffered = self.file.buffer().len() as u64;
            let more = until_next_look(end - self.length + buffered, free, self.length)?;
            self.look_at = end + more;
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
    pub fn finish(self) -> io::Result<FinishedSpool> {
        failpoint::at("spool", "finish")?;
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(FinishedSpool { file })
    }
}

/// How many bytes may follow the next `bytes` before the free space is looked at again, while `free`
/// bytes are left on the disk and `written` bytes are spooled.
fn until_next_look(bytes: u64, free: u64, written: u64) -> io::Result<u64> {
    if let Some(spare) = free.checked_sub(bytes + KEEP_FREE_BYTES) {
        return Ok((spare / 2).min(LOOK_EVERY_BYTES));
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1024 * 1024);
    Err(io::Error::new(
        io::ErrorKind::StorageFull,
        format!(
            "it needs more than {:.1} MiB, and {:.1} MiB are left on the disk of the state folder, of \
             which {:.0} MiB stay free",
            mib(written + bytes),
            mib(free),
            mib(KEEP_FREE_BYTES)
        ),
    ))
}

/// A finished spool.
#[derive(Debug)]
pub struct FinishedSpool {
    file: File,
}

/// All bytes of a spool, from its start.
#[derive(Debug)]
pub struct SpoolReader<'s> {
    file: &'s File,
    at: u64,
}

impl io::Read for SpoolReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        failpoint::at("spool", "read")?;
        let length = self.file.read_at(buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

impl FinishedSpool {
    /// All bytes, from the start.
    #[must_use]
    pub fn reader(&self) -> SpoolReader<'_> {
        SpoolReader {
            file: &self.file,
            at: 0,
        }
    }

    /// The file, to be read from its start by another process.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn file_from_start(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(file)
    }

    /// Appends what was made since, and returns its offset.
    ///
    /// # Errors
    /// Whatever the file system says, and `StorageFull` before the disk is full.
    pub fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let offset = self.file.metadata()?.len();
        let stat = rustix::fs::fstatvfs(&self.file)?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        let _ = until_next_look(bytes.len() as u64, free, offset)?;
        failpoint::at("spool", "write")?;
        self.file.write_all_at(bytes, offset)?;
        Ok(offset)
    }

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
    use super::{KEEP_FREE_BYTES, LOOK_EVERY_BYTES, until_next_look};

    #[test]
    fn the_free_disk_is_looked_at_more_often_the_less_is_left() {
        let free = |bytes: u64| until_next_look(1000, KEEP_FREE_BYTES + bytes, 0).ok();
        assert_eq!(free(1 << 30), Some(LOOK_EVERY_BYTES));
        assert_eq!(free(21_000), Some(10_000));
        assert_eq!(free(1000), Some(0));
        assert_eq!(free(999), None);
        let error = until_next_look(1 << 20, 1 << 20, 5 << 20).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        let said = "it needs more than 6.0 MiB, and 1.0 MiB are left on the disk of the state folder, \
                    of which 1 MiB stay free";
        assert_eq!(error.to_string(), said);
    }
}
