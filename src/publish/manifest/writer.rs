//! Writing a manifest: a frame is durable when `append` returns.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::frame::{END, Guard};
use super::record::Line;
use crate::failpoint;

/// zstd's fastest level: the manifest is written while the store waits.
const LEVEL: i32 = 1;
/// A frame is closed once its lines are this long.
const CUT_FRAME: usize = 64 * 1024 * 1024;

/// A manifest that is being written.
///
/// After the first error nothing more is written: what is on the disk after a failed write
/// or sync is unknown, and a second sync that succeeds proves nothing.
pub struct Writer {
    file: File,
    path: PathBuf,
    compressor: Compressor<'static>,
    sequence: u64,
    failed: bool,
    lines: Vec<u8>,
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
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        let mut writer = Self {
            file,
            path: path.to_owned(),
            compressor,
            sequence: 0,
            failed: false,
            lines: Vec::new(),
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

    /// Appends `lines` as one frame. When it returns, they are durable.
    ///
    /// # Errors
    /// Whatever the file system says; the writer is unusable from then on.
    pub fn append(&mut self, lines: &[Line]) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write of the manifest failed"));
        }
        let result = self.write_frames(lines);
        self.failed = result.is_err();
        result
    }

    /// Cuts early enough that no frame is larger than the reader takes.
    fn write_frames(&mut self, lines: &[Line]) -> io::Result<()> {
        let stage = match lines.last() {
            Some(Line::Header(_)) => "header",
            Some(Line::Footer(_)) => "footer",
            _ => "intents",
        };
        self.lines.clear();
        for (index, line) in lines.iter().enumerate() {
            serde_json::to_writer(&mut self.lines, line)?;
            self.lines.push(b'\n');
            if self.lines.len() >= CUT_FRAME && index + 1 < lines.len() {
                self.write_frame(stage)?;
                self.lines.clear();
            }
        }
        self.write_frame(stage)
    }

    fn write_frame(&mut self, stage: &str) -> io::Result<()> {
        if self.lines.len() as u64 > super::reader::LARGEST_FRAME {
            return Err(io::Error::other("a frame larger than anp reads back"));
        }
        let compressed = self.compressor.compress(&self.lines)?;
        let guard = Guard {
            sequence: self.sequence,
            length: compressed.len() as u64,
            hash: *blake3::hash(&compressed).as_bytes(),
        };
        self.frame.clear();
        self.frame.extend_from_slice(&guard.encode());
        self.frame.extend_from_slice(&compressed);
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
