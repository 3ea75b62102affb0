//! Writing a manifest: a frame is durable when `append` returns.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::encoder::{Encoder, Frames};
use super::frame::{END, Guard};
use super::record::Line;
use crate::failpoint;

/// A manifest that is being written.
///
/// After the first error nothing more is written: what is on the disk after a failed write
/// or sync is unknown, and a second sync that succeeds proves nothing.
pub struct Writer {
    file: File,
    path: PathBuf,
    sequence: u64,
    failed: bool,
    frame: Vec<u8>,
}

impl Writer {
    /// Makes the file at `path`, which must not exist, with `header` as its first frame,
    /// and syncs it and its folder.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn create(path: &Path, header: &Line) -> io::Result<Self> {
        failpoint::at("header", "create")?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut writer = Self {
            file,
            path: path.to_owned(),
            sequence: 0,
            failed: false,
            frame: Vec::new(),
        };
        writer.append(std::slice::from_ref(header))?;
        if let Some(folder) = path.parent() {
            failpoint::at("folder", "sync")?;
            File::open(folder)?.sync_all()?;
            failpoint::at("folder", "synced")?;
        }
        Ok(writer)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `lines`. When it returns, they are durable.
    ///
    /// # Errors
    /// Whatever the file system says; the writer is unusable from then on.
    pub fn append(&mut self, lines: &[Line]) -> io::Result<()> {
        let encoded = Encoder::new().and_then(|mut encoder| encoder.encode(lines));
        self.failed |= encoded.is_err();
        self.append_frames(&encoded?)
    }

    /// Appends what was encoded, and syncs each frame before it writes the next one: the reader
    /// relies on it. When it returns, all is durable.
    ///
    /// # Errors
    /// Whatever the file system says; the writer is unusable from then on.
    pub fn append_frames(&mut self, encoded: &Frames) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write of the manifest failed"));
        }
        let mut frames = encoded.frames.iter();
        let result =
            frames.try_for_each(|(bytes, hash)| self.write_frame(encoded.stage, bytes, hash));
        self.failed = result.is_err();
        result
    }

    fn write_frame(
        &mut self,
        stage: &str,
        compressed: &[u8],
        hash: &blake3::Hash,
    ) -> io::Result<()> {
        let guard = Guard {
            sequence: self.sequence,
            length: compressed.len() as u64,
            hash: *hash.as_bytes(),
        };
        self.frame.clear();
        self.frame.extend_from_slice(&guard.encode());
        self.frame.extend_from_slice(compressed);
        self.frame.extend_from_slice(&END);
        failpoint::at(stage, "write")?;
        failpoint::torn(stage, &mut self.file, &self.frame)?;
        self.file.write_all(&self.frame)?;
        failpoint::at(stage, "written")?;
        self.file.sync_data()?;
        failpoint::at(stage, "synced")?;
        self.sequence += 1;
        Ok(())
    }
}
