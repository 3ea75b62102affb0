//! From lines to frames: the costly half of writing them, which needs no file.

use std::io;

use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::lines::{LARGEST_END, LARGEST_FRAME, LARGEST_LINE};
use super::record::Line;

/// zstd's fastest level: the manifest is written while the store waits.
const LEVEL: i32 = 1;

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

    /// Encodes `lines` as one frame, or as several where one would be larger than 64 MiB.
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
        for line in lines {
            let start = self.lines.len();
            serde_json::to_writer(&mut self.lines, line)?;
            self.lines.push(b'\n');
            let most = match line {
                Line::Header(_) | Line::Footer(_) => LARGEST_END,
                Line::Intent(_) | Line::Outcome(_) => LARGEST_LINE,
            };
            if (self.lines.len() - start) as u64 > most {
                return Err(io::Error::other("a line longer than anp reads back"));
            }
            if self.lines.len() as u64 > LARGEST_FRAME && start > 0 {
                let line = self.lines.split_off(start);
                encoded.frames.push(self.frame()?);
                self.lines = line;
            }
        }
        if !self.lines.is_empty() {
            encoded.frames.push(self.frame()?);
        }
        Ok(encoded)
    }

    fn frame(&mut self) -> io::Result<(Vec<u8>, blake3::Hash)> {
        let compressed = self.compressor.compress(&self.lines)?;
        let hash = blake3::hash(&compressed);
        Ok((compressed, hash))
    }
}
