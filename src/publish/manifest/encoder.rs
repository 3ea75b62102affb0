//! From lines to frames: the costly half of writing them, which needs no file.

use std::io;

use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::reader::LARGEST_FRAME;
use super::record::Line;

/// zstd's fastest level: the manifest is written while the store waits.
const LEVEL: i32 = 1;
/// A frame is closed once its lines are this long.
const CUT_FRAME: usize = 64 * 1024 * 1024;

/// Turns lines into frames.
pub struct Encoder {
    compressor: Compressor<'static>,
    lines: Vec<u8>,
}

/// Lines, ready to be written.
#[derive(Default)]
pub struct Frames {
    pub(super) stage: &'static str,
    /// Compressed, each with its BLAKE3.
    pub(super) frames: Vec<(Vec<u8>, blake3::Hash)>,
}

impl Encoder {
    /// # Errors
    /// When zstd lacks the memory.
    pub fn new() -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(Self {
            compressor,
            lines: Vec::new(),
        })
    }

    /// Encodes `lines` as one frame, or as several where one would be larger than the reader
    /// takes.
    ///
    /// # Errors
    /// When a line is too long to be read back.
    pub fn encode(&mut self, lines: &[Line]) -> io::Result<Frames> {
        let mut encoded = Frames {
            stage: match lines.last() {
                Some(Line::Header(_)) => "header",
                Some(Line::Footer(_)) => "footer",
                _ => "intents",
            },
            frames: Vec::new(),
        };
        self.lines.clear();
        for (index, line) in lines.iter().enumerate() {
            serde_json::to_writer(&mut self.lines, line)?;
            self.lines.push(b'\n');
            if self.lines.len() >= CUT_FRAME || index + 1 == lines.len() {
                encoded.frames.push(self.frame()?);
                self.lines.clear();
            }
        }
        Ok(encoded)
    }

    fn frame(&mut self) -> io::Result<(Vec<u8>, blake3::Hash)> {
        if self.lines.len() as u64 > LARGEST_FRAME {
            return Err(io::Error::other("a frame larger than anp reads back"));
        }
        let compressed = self.compressor.compress(&self.lines)?;
        let hash = blake3::hash(&compressed);
        Ok((compressed, hash))
    }
}
