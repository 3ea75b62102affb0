//! Reading the file of a manifest: whole, torn or damaged, decided before any of it is used.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::frame::{END, GUARD, Guard};
use super::record::{FORMAT, Footer, Header, Line, Status};
use crate::regular;

/// A frame that was decompressed may not be larger than this: a batch is far smaller, and
/// a damaged or hostile file must not fill the memory.
pub(super) const LARGEST_FRAME: u64 = 512 * 1024 * 1024;

/// Why a manifest cannot be used. Nothing is written when it is one of these.
#[derive(Debug, Error)]
pub enum Damage {
    /// The file cannot be read.
    #[error("cannot read the manifest {path}: {error}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It ends before its header is whole, so the run wrote nothing to the store.
    #[error(
        "the manifest {path} ends before its header is whole: that run wrote nothing to the store",
        path = path.display()
    )]
    NoHeader {
        /// The file.
        path: PathBuf,
    },
    /// It is not what was written.
    #[error(
        "the manifest {path} is damaged at byte {offset}: {what}; nothing was written, \
         restore the file from a copy",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, in bytes from the start of the file.
        offset: u64,
        /// What was expected there.
        what: String,
    },
    /// One of the files of a run is not there.
    #[error(
        "the manifest {path} is missing: {what}; nothing was written, restore the file from a copy",
        path = path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// What tells that there was one.
        what: String,
    },
}

/// How much of the file is checked when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Every byte.
    All,
    /// The guards, and the first and the last frame: enough for a list of runs.
    Ends,
}

#[derive(Clone, Copy)]
struct Span {
    offset: u64,
    guard: Guard,
}

impl Span {
    fn data(self) -> u64 {
        self.offset + GUARD as u64
    }

    fn end(self) -> u64 {
        self.data() + self.guard.length + END.len() as u64
    }
}

/// One file, whose frames are known to be whole. It is open only while it is read: a run may have
/// thousands.
pub(super) struct Part {
    path: PathBuf,
    opened: Opened,
    spans: Vec<Span>,
    header: Header,
    footer: Option<Footer>,
    torn_at: Option<u64>,
}

/// What tells a file that is opened again from another one of its name.
#[derive(Clone, Copy)]
struct Opened {
    device: u64,
    inode: u64,
    length: u64,
}

impl Opened {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
        }
    }

    /// Opens it again. It may have grown: a manifest does.
    fn again(self, path: &Path) -> Result<File, Damage> {
        let io = |error: io::Error| Damage::Io {
            path: path.to_owned(),
            error,
        };
        let (file, metadata) = regular::open(path).map_err(io)?;
        let now = Self::of(&metadata);
        let is_same = (now.device, now.inode) == (self.device, self.inode);
        if is_same && now.length >= self.length {
            Ok(file)
        } else {
            Err(io(io::Error::other("it was replaced while it was read")))
        }
    }
}

/// The header of the file at `path`, without a look at the rest.
///
/// # Errors
/// See [`Damage`].
pub fn header_of(path: &Path) -> Result<Header, Damage> {
    let io = |error: io::Error| Damage::Io {
        path: path.to_owned(),
        error,
    };
    let (file, metadata) = regular::open(path).map_err(io)?;
    let no_header = || Damage::NoHeader {
        path: path.to_owned(),
    };
    if metadata.len() < GUARD as u64 {
        return Err(no_header());
    }
    let scan = Scan {
        file: &file,
        path,
        length: metadata.len(),
        zeros_from: metadata.len(),
    };
    let mut bytes = [0; GUARD];
    bytes.copy_from_slice(&scan.read(0, GUARD)?);
    let guard = Guard::decode(&bytes).ok_or_else(no_header)?;
    let span = Span { offset: 0, guard };
    if guard.length > scan.length || span.end() > scan.length {
        return Err(no_header());
    }
    match scan.lines(span)?.pop() {
        Some(Line::Header(header)) if header.format == FORMAT => Ok(header),
        _ => Err(scan.damaged(0, "expected a header line in the first frame")),
    }
}

impl Part {
    /// Opens the file and decides what of it can be used.
    ///
    /// # Errors
    /// See [`Damage`].
    pub(super) fn open(path: &Path, verify: Verify) -> Result<Self, Damage> {
        let io = |error: io::Error| Damage::Io {
            path: path.to_owned(),
            error,
        };
        let (file, metadata) = regular::open(path).map_err(io)?;
        let length = metadata.len();
        let scan = Scan {
            file: &file,
            path,
            length,
            zeros_from: trailing_zeros(&file, length).map_err(io)?,
        };
        let (spans, torn_at) = scan.spans(verify)?;
        let (Some(&first), Some(&last)) = (spans.first(), spans.last()) else {
            return Err(Damage::NoHeader {
                path: path.to_owned(),
            });
        };
        let mut lines = scan.lines(first)?.into_iter();
        let header = match (lines.next(), lines.next()) {
            (Some(Line::Header(header)), None) if header.format == FORMAT => header,
            (Some(Line::Header(header)), None) => {
                let what = format!(
                    "it has format {}, and this anp reads format {FORMAT}",
                    header.format
                );
                return Err(scan.damaged(0, &what));
            }
            _ => return Err(scan.damaged(0, "expected one header line in the first frame")),
        };
        let footer = match scan.lines(last)?.pop() {
            Some(Line::Footer(footer)) => Some(footer),
            _ => None,
        };
        Ok(Self {
            path: path.to_owned(),
            spans,
            header,
            footer,
            torn_at,
            opened: Opened::of(&metadata),
        })
    }

    /// The first line.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The last line, if the run ended by itself.
    pub(super) fn footer(&self) -> Option<&Footer> {
        self.footer.as_ref()
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file was cut because it was torn there.
    pub(super) fn torn_at(&self) -> Option<u64> {
        self.torn_at
    }

    /// Number of whole frames, the header's included.
    pub(super) fn frames(&self) -> usize {
        self.spans.len()
    }

    /// Whether it did all that it was to do.
    pub(super) fn is_finished(&self) -> bool {
        let status = self.footer.as_ref().map(|footer| footer.status);
        matches!(status, Some(Status::Done | Status::Partial))
    }

    /// Whether a key may have been written: without a clean end, every intent counts.
    pub(super) fn wrote(&self) -> bool {
        match &self.footer {
            Some(footer) if footer.status != Status::Stopped => footer.counts.written() > 0,
            _ => self.has_intents(),
        }
    }

    /// Whether it announces a write. What cannot be read may be one.
    pub(super) fn has_intents(&self) -> bool {
        self.batches().any(|batch| {
            batch.map_or(true, |lines| {
                lines.iter().any(|line| matches!(line, Line::Intent(_)))
            })
        })
    }

    /// The lines of each frame behind the header, one frame at a time, in order.
    pub(super) fn batches(&self) -> impl Iterator<Item = Result<Vec<Line>, Damage>> + '_ {
        // Open until the last line was read, or the iterator is dropped.
        let mut open: Option<File> = None;
        self.spans[1..].iter().map(move |&span| {
            let file = match open.take() {
                Some(file) => file,
                None => self.opened.again(&self.path)?,
            };
            let scan = Scan {
                file: &file,
                path: &self.path,
                length: 0,
                zeros_from: 0,
            };
            let lines = scan.lines(span);
            open = Some(file);
            lines
        })
    }
}

struct Scan<'a> {
    file: &'a File,
    path: &'a Path,
    length: u64,
    /// Offset from which on every byte is zero; `length` if the last byte is not.
    zeros_from: u64,
}

impl Scan<'_> {
    fn damaged(&self, offset: u64, what: &str) -> Damage {
        Damage::Damaged {
            path: self.path.to_owned(),
            offset,
            what: what.to_owned(),
        }
    }

    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Damage> {
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(Damage::Io {
                path: self.path.to_owned(),
                error,
            }),
        }
    }

    /// The whole frames, and where the file is torn, if it is.
    fn spans(&self, verify: Verify) -> Result<(Vec<Span>, Option<u64>), Damage> {
        let mut spans: Vec<Span> = Vec::new();
        let mut offset = 0;
        while offset < self.length {
            let left = self.length - offset;
            if self.zeros_from <= offset {
                return Ok((spans, Some(offset)));
            }
            if left < GUARD as u64 {
                let begun = (self.zeros_from - offset) as usize;
                let start = self.read(offset, begun)?;
                if Guard::may_begin_with(&start) {
                    return Ok((spans, Some(offset)));
                }
                return Err(self.damaged(offset, "expected the beginning of a frame"));
            }
            let mut bytes = [0; GUARD];
            bytes.copy_from_slice(&self.read(offset, GUARD)?);
            let Some(guard) = Guard::decode(&bytes) else {
                let begun = self.zeros_from - offset;
                if begun < GUARD as u64 && Guard::may_begin_with(&bytes[..begun as usize]) {
                    return Ok((spans, Some(offset)));
                }
                return Err(self.damaged(offset, "the guard of a frame does not match itself"));
            };
            if guard.sequence != spans.len() as u64 {
                let what = format!(
                    "expected frame {}, found frame {}",
                    spans.len(),
                    guard.sequence
                );
                return Err(self.damaged(offset, &what));
            }
            let span = Span { offset, guard };
            if guard.length > self.length || span.end() > self.length {
                return Ok((spans, Some(offset)));
            }
            let torn_by_zeros = self.zeros_from < span.end();
            let checked =
                verify == Verify::All || spans.is_empty() || self.zeros_from <= span.end();
            if checked && !self.is_whole(span)? {
                if torn_by_zeros {
                    return Ok((spans, Some(offset)));
                }
                return Err(self.damaged(span.data(), "the frame does not match its BLAKE3"));
            }
            offset = span.end();
            spans.push(span);
        }
        Ok((spans, None))
    }

    fn is_whole(&self, span: Span) -> Result<bool, Damage> {
        let data = self.read(span.data(), span.guard.length as usize)?;
        let end = self.read(span.end() - END.len() as u64, END.len())?;
        Ok(*blake3::hash(&data).as_bytes() == span.guard.hash && end == END)
    }

    fn lines(&self, span: Span) -> Result<Vec<Line>, Damage> {
        let wrong = |error: String| self.damaged(span.data(), &error);
        let data = self.read(span.data(), span.guard.length as usize)?;
        if *blake3::hash(&data).as_bytes() != span.guard.hash {
            return Err(wrong("the frame does not match its BLAKE3".to_owned()));
        }
        let size = zstd::zstd_safe::get_frame_content_size(&data)
            .ok()
            .flatten()
            .filter(|size| *size <= LARGEST_FRAME)
            .ok_or_else(|| wrong("the frame does not tell a size that anp writes".to_owned()))?;
        let text = zstd::bulk::decompress(&data, size as usize)
            .map_err(|error| wrong(format!("the frame does not decompress: {error}")))?;
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| {
                serde_json::from_slice(line)
                    .map_err(|error| wrong(format!("a line is not a record: {error}")))
            })
            .collect()
    }
}

/// Offset from which on every byte of the file is zero.
fn trailing_zeros(file: &File, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut chunk = vec![0; 64 * 1024];
    while end > 0 {
        let size = end.min(chunk.len() as u64) as usize;
        let start = end - size as u64;
        file.read_exact_at(&mut chunk[..size], start)?;
        if let Some(at) = chunk[..size].iter().rposition(|byte| *byte != 0) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
