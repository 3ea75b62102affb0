//! Reading the file of a manifest: whole, torn or damaged, decided before any of it is used.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::frame::{END, GUARD, Guard};
use super::lines::{FrameLines, LARGEST_COMPRESSED};
use super::record::{FORMAT, Footer, Header, Line, Status};
use crate::regular;

/// A page of the page cache: what a file system writes is whole pages of this, or multiples of it.
const PAGE: u64 = 4096;

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
    /// Every line, where damage is skipped and listed: see [`Lost`].
    Rest,
}

/// A part of a manifest that cannot be read, found with [`Verify::Rest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The file.
    pub path: PathBuf,
    /// Its first byte; the same as `to` where frames are missing.
    pub from: u64,
    /// The byte behind its last one.
    pub to: u64,
    /// Why it cannot be read.
    pub what: String,
}

impl Lost {
    /// All of the file that `damage` is about.
    pub(crate) fn whole(damage: &Damage) -> Option<Self> {
        let (path, what) = match damage {
            Damage::Damaged { path, what, .. } | Damage::Missing { path, what } => (path, what),
            Damage::Io { .. } | Damage::NoHeader { .. } => return None,
        };
        let length = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        Some(Self {
            path: path.clone(),
            from: 0,
            to: length,
            what: what.clone(),
        })
    }
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
        self.data()
            .saturating_add(self.guard.length)
            .saturating_add(END.len() as u64)
    }
}

/// One file, whose frames are known to be whole. It is open only while it is read: a run may have
/// thousands.
pub(crate) struct ManifestFile {
    path: PathBuf,
    opened: FileIdentity,
    spans: Vec<Span>,
    header: Header,
    footer: Option<Footer>,
    torn_at: Option<u64>,
    lost: Vec<Lost>,
}

/// What tells a file that is opened again from another one of its name.
#[derive(Clone, Copy)]
struct FileIdentity {
    device: u64,
    inode: u64,
    length: u64,
}

impl FileIdentity {
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
    let guard = scan.guard(0)?.ok_or_else(no_header)?;
    let span = Span { offset: 0, guard };
    if span.end() > scan.length {
        return Err(no_header());
    }
    scan.header(span)
}

impl ManifestFile {
    /// Opens the file and decides what of it can be used.
    ///
    /// # Errors
    /// See [`Damage`].
    pub(crate) fn open(path: &Path, verify: Verify) -> Result<Self, Damage> {
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
        let FrameIndex {
            mut spans,
            torn_at,
            mut lost,
        } = scan.frames(verify)?;
        let Some(&first) = spans.first() else {
            return Err(match lost.into_iter().next() {
                Some(Lost { from, what, .. }) => scan.damaged(from, &what),
                None => Damage::NoHeader {
                    path: path.to_owned(),
                },
            });
        };
        let header = scan.header(first)?;
        if verify == Verify::Rest {
            let behind = spans.split_off(1);
            for span in behind {
                match scan.read_through(span) {
                    Ok(()) => spans.push(span),
                    Err(Damage::Damaged { what, .. }) => lost.push(scan.lost(span, what)),
                    Err(damage) => return Err(damage),
                }
            }
            lost.sort_by_key(|lost| lost.from);
        }
        let last = spans.last().copied().unwrap_or(first);
        let footer = match scan.last_line(last)? {
            Some(Line::Footer(footer)) => Some(footer),
            _ => None,
        };
        Ok(Self {
            path: path.to_owned(),
            spans,
            header,
            footer,
            torn_at,
            lost,
            opened: FileIdentity::of(&metadata),
        })
    }

    /// The first line.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The last line, if the run ended by itself.
    pub(crate) fn footer(&self) -> Option<&Footer> {
        self.footer.as_ref()
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file was cut because it was torn there.
    pub(crate) fn torn_at(&self) -> Option<u64> {
        self.torn_at
    }

    /// What of the file cannot be read, in order; nothing unless it was opened with
    /// [`Verify::Rest`].
    pub(crate) fn lost(&self) -> &[Lost] {
        &self.lost
    }

    /// Number of whole frames, the header's included.
    pub(crate) fn frames(&self) -> usize {
        self.spans.len()
    }

    /// Whether it did all that it was to do.
    pub(crate) fn is_finished(&self) -> bool {
        let status = self.footer.as_ref().map(|footer| footer.status);
        matches!(status, Some(Status::Done | Status::Partial))
    }

    /// Whether a key may have been written: without a clean end, every intent counts.
    pub(crate) fn wrote(&self) -> bool {
        match &self.footer {
            Some(footer) if footer.status != Status::Stopped => footer.counts.written() > 0,
            _ => self.has_intents(),
        }
    }

    /// Whether it announces a write. What cannot be read may be one.
    pub(crate) fn has_intents(&self) -> bool {
        !self.lost.is_empty()
            || self.batches().any(|batch| {
                batch.map_or(true, |lines| {
                    lines.iter().any(|line| matches!(line, Line::Intent(_)))
                })
            })
    }

    /// The lines of each frame behind the header, in order: those of one frame at a time, and of a
    /// large one a part at a time, so that no file decides how much memory they take.
    pub(crate) fn batches(&self) -> Batches<'_> {
        Batches {
            part: self,
            left: self.spans[1..].iter(),
            file: None,
            lines: None,
        }
    }
}

/// See [`ManifestFile::batches`]. The file is open until its last line was read, or this is dropped.
pub(crate) struct Batches<'a> {
    part: &'a ManifestFile,
    left: std::slice::Iter<'a, Span>,
    file: Option<File>,
    /// The frame that is being read.
    lines: Option<(Span, FrameLines)>,
}

/// So many lines are handed on together, or fewer with so many bytes: a batch of a run is smaller.
const LINES_TOGETHER: usize = 4096;
const BYTES_TOGETHER: usize = 8 * 1024 * 1024;

impl Batches<'_> {
    fn read(&mut self) -> Result<Option<Vec<Line>>, Damage> {
        loop {
            if let Some((span, frame)) = &mut self.lines {
                let mut lines = Vec::new();
                let mut bytes = 0;
                while lines.len() < LINES_TOGETHER && bytes < BYTES_TOGETHER {
                    let read = frame.next();
                    let read = read.map_err(|what| Damage::Damaged {
                        path: self.part.path.clone(),
                        offset: span.data(),
                        what,
                    })?;
                    let Some((line, length)) = read else { break };
                    lines.push(line);
                    bytes += length;
                }
                if !lines.is_empty() {
                    return Ok(Some(lines));
                }
                self.lines = None;
            }
            let Some(&span) = self.left.next() else {
                return Ok(None);
            };
            let file = match self.file.take() {
                Some(file) => file,
                None => self.part.opened.again(&self.part.path)?,
            };
            let scan = Scan {
                file: &file,
                path: &self.part.path,
                length: 0,
                zeros_from: 0,
            };
            self.lines = Some((span, scan.lines(span)?));
            self.file = Some(file);
        }
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Vec<Line>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read();
        if read.is_err() {
            self.left = [].iter();
            self.lines = None;
        }
        read.transpose()
    }
}

struct Scan<'a> {
    file: &'a File,
    path: &'a Path,
    length: u64,
    /// Offset from which on every byte is zero; `length` if the last byte is not.
    zeros_from: u64,
}

/// What a file consists of.
#[derive(Default)]
struct FrameIndex {
    spans: Vec<Span>,
    torn_at: Option<u64>,
    lost: Vec<Lost>,
}

/// What stands at one place of a file.
enum FramePlace {
    /// A frame.
    Frame(Span),
    /// The last frame, not all of which reached the disk: none of it was done, if the machine died
    /// while the run wrote it.
    Torn,
    /// Something else.
    Damaged {
        /// Where, exactly.
        at: u64,
        what: String,
        /// Where the next frame may begin, if its guard tells.
        next: Option<u64>,
    },
}

impl Scan<'_> {
    fn damaged(&self, offset: u64, what: &str) -> Damage {
        Damage::Damaged {
            path: self.path.to_owned(),
            offset,
            what: what.to_owned(),
        }
    }

    fn lost(&self, span: Span, what: String) -> Lost {
        Lost {
            path: self.path.to_owned(),
            from: span.offset,
            to: span.end(),
            what,
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

    /// The guard at `offset`, if one stands there whole.
    fn guard(&self, offset: u64) -> Result<Option<Guard>, Damage> {
        let mut bytes = [0; GUARD];
        bytes.copy_from_slice(&self.read(offset, GUARD)?);
        Ok(Guard::decode(&bytes))
    }

    /// The whole frames, and where the file is torn, if it is; with [`Verify::Rest`] also what is
    /// damaged.
    fn frames(&self, verify: Verify) -> Result<FrameIndex, Damage> {
        let mut frames = FrameIndex::default();
        let mut offset = 0;
        let mut expected = 0;
        while offset < self.length {
            // The first and the last frame are always checked.
            let check_all = verify != Verify::Ends || frames.spans.is_empty();
            match self.place(offset, check_all)? {
                FramePlace::Frame(span) => {
                    let found = span.guard.sequence;
                    if found != expected {
                        let what = format!("expected frame {expected}, found frame {found}");
                        if verify != Verify::Rest {
                            return Err(self.damaged(offset, &what));
                        }
                        let mut lost = self.lost(span, what);
                        if found > expected {
                            // Frames are missing before it, and it is one all the same.
                            lost.to = lost.from;
                        }
                        frames.lost.push(lost);
                    }
                    offset = span.end();
                    if found >= expected {
                        expected = found.saturating_add(1);
                        frames.spans.push(span);
                    }
                }
                FramePlace::Torn => {
                    frames.torn_at = Some(offset);
                    return Ok(frames);
                }
                FramePlace::Damaged { at, what, next } => {
                    if verify != Verify::Rest {
                        return Err(self.damaged(at, &what));
                    }
                    let next = match next {
                        Some(next) => next,
                        None => self.next_guard(offset + 1)?.unwrap_or(self.length),
                    };
                    frames.lost.push(Lost {
                        path: self.path.to_owned(),
                        from: offset,
                        to: next,
                        what,
                    });
                    // What is lost may be as many frames as there are missing before the next one.
                    if let Some(guard) = self.guard_if_any(next)? {
                        expected = expected.max(guard.sequence);
                    }
                    offset = next;
                }
            }
        }
        Ok(frames)
    }

    /// What stands at `offset`. The content of a frame is checked with `check`, and that of the last
    /// one always.
    fn place(&self, offset: u64, check: bool) -> Result<FramePlace, Damage> {
        let left = self.length - offset;
        if self.zeros_from <= offset {
            return Ok(FramePlace::Torn);
        }
        let begun = self.zeros_from - offset;
        if left < GUARD as u64 {
            let start = self.read(offset, begun as usize)?;
            return Ok(if Guard::may_begin_with(&start) {
                FramePlace::Torn
            } else {
                FramePlace::Damaged {
                    at: offset,
                    what: "expected the beginning of a frame".to_owned(),
                    next: Some(self.length),
                }
            });
        }
        let Some(guard) = self.guard(offset)? else {
            let start = self.read(offset, begun.min(GUARD as u64) as usize)?;
            let is_begun = begun < GUARD as u64 && Guard::may_begin_with(&start);
            if is_begun || self.is_hole_in_last_guard(offset, &start)? {
                return Ok(FramePlace::Torn);
            }
            return Ok(FramePlace::Damaged {
                at: offset,
                what: "frame header checksum mismatch".to_owned(),
                next: None,
            });
        };
        let span = Span { offset, guard };
        if span.end() > self.length {
            return Ok(FramePlace::Torn);
        }
        let is_last = self.zeros_from <= span.end();
        if (check || is_last) && !self.is_whole(span)? {
            let has_zeros_to_the_end = self.zeros_from < span.end();
            // A frame is synced before the next one is begun, so only the last one can lack pages.
            // They reach the disk in any order: one in the middle may be missing as well.
            if span.end() == self.length
                && (has_zeros_to_the_end || self.has_hole(span.data(), span.end())?)
            {
                return Ok(FramePlace::Torn);
            }
            return Ok(FramePlace::Damaged {
                at: span.data(),
                what: "the frame does not match its BLAKE3".to_owned(),
                next: Some(if has_zeros_to_the_end {
                    self.length
                } else {
                    span.end()
                }),
            });
        }
        Ok(FramePlace::Frame(span))
    }

    /// Whether the guard at `offset`, which begins with `start`, is of the last frame and lies in a
    /// page that did not reach the disk. A frame with anything behind it was synced.
    fn is_hole_in_last_guard(&self, offset: u64, start: &[u8]) -> Result<bool, Damage> {
        // The page before may hold the beginning of the guard.
        let page_end = (offset / PAGE + 1) * PAGE;
        let in_first = self.is_zero(offset, page_end)?;
        let in_second = page_end < offset + GUARD as u64
            && Guard::may_begin_with(&start[..start.len().min((page_end - offset) as usize)])
            && self.is_zero(page_end, page_end + PAGE)?;
        Ok((in_first || in_second) && self.is_last(offset)?)
    }

    /// Whether the frame at `offset`, whose guard cannot be read, is the last one: no guard stands
    /// behind it, and no frame ends before the end of the file.
    fn is_last(&self, offset: u64) -> Result<bool, Damage> {
        let end = self.find(offset, END.len(), |bytes| bytes == END)?;
        let is_end_of_file = end.is_none_or(|end| end + END.len() as u64 == self.length);
        Ok(is_end_of_file && self.next_guard(offset + 1)?.is_none())
    }

    /// Whether a whole page in `from..to` is nothing but zeros.
    fn has_hole(&self, from: u64, to: u64) -> Result<bool, Damage> {
        let mut page = from.div_ceil(PAGE) * PAGE;
        while page + PAGE <= to {
            if self.is_zero(page, page + PAGE)? {
                return Ok(true);
            }
            page += PAGE;
        }
        Ok(false)
    }

    /// Whether all bytes in `from..to` are zeros, as far as the file goes.
    fn is_zero(&self, from: u64, to: u64) -> Result<bool, Damage> {
        let bytes = self.read(from, (to.min(self.length) - from) as usize)?;
        Ok(bytes.iter().all(|byte| *byte == 0))
    }

    /// The guard at `offset`, if there is room for one and it stands there whole.
    fn guard_if_any(&self, offset: u64) -> Result<Option<Guard>, Damage> {
        if self.length.saturating_sub(offset) < GUARD as u64 {
            return Ok(None);
        }
        self.guard(offset)
    }

    /// Where the next whole guard from `from` on begins.
    fn next_guard(&self, from: u64) -> Result<Option<u64>, Damage> {
        self.find(from, GUARD, |bytes| {
            Guard::may_begin_with(&bytes[..8])
                && bytes.try_into().ok().and_then(Guard::decode).is_some()
        })
    }

    /// Where the first `size` bytes from `from` on begin that are the wanted ones.
    fn find(
        &self,
        from: u64,
        size: usize,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<u64>, Damage> {
        const CHUNK: u64 = 64 * 1024;
        let mut start = from;
        while self.length.saturating_sub(start) >= size as u64 {
            let length = CHUNK.min(self.length - start);
            let bytes = self.read(start, length as usize)?;
            if let Some(at) = bytes.windows(size).position(&is_wanted) {
                return Ok(Some(start + at as u64));
            }
            // They may lie across the end of this chunk.
            start += length - (size as u64 - 1);
        }
        Ok(None)
    }

    fn is_whole(&self, span: Span) -> Result<bool, Damage> {
        const CHUNK: u64 = 256 * 1024;
        let mut hasher = blake3::Hasher::new();
        let mut at = span.data();
        let end = at + span.guard.length;
        while at < end {
            let length = CHUNK.min(end - at);
            hasher.update(&self.read(at, length as usize)?);
            at += length;
        }
        let mark = self.read(end, END.len())?;
        Ok(*hasher.finalize().as_bytes() == span.guard.hash && mark == END)
    }

    /// The lines of a frame, which matches its guard.
    fn lines(&self, span: Span) -> Result<FrameLines, Damage> {
        if span.guard.length > LARGEST_COMPRESSED {
            return Err(self.damaged(span.data(), "the frame is larger than anp writes"));
        }
        let data = self.read(span.data(), span.guard.length as usize)?;
        if *blake3::hash(&data).as_bytes() != span.guard.hash {
            return Err(self.damaged(span.data(), "the frame does not match its BLAKE3"));
        }
        FrameLines::of(data).map_err(|what| self.damaged(span.data(), &what))
    }

    /// Reads every line of a frame.
    fn read_through(&self, span: Span) -> Result<(), Damage> {
        let mut lines = self.lines(span)?;
        let failed = |what: String| self.damaged(span.data(), &what);
        while lines.next().map_err(failed)?.is_some() {}
        Ok(())
    }

    /// The header, which is alone in the first frame.
    fn header(&self, span: Span) -> Result<Header, Damage> {
        let failed = |what: String| self.damaged(0, &what);
        let expected = "expected one header line in the first frame";
        let mut lines = self.lines(span)?;
        let Some(Line::Header(header)) = lines.next_end().map_err(failed)? else {
            return Err(self.damaged(0, expected));
        };
        if header.format != FORMAT {
            return Err(self.damaged(
                0,
                &format!(
                    "it has format {}, and this anp reads format {FORMAT}",
                    header.format
                ),
            ));
        }
        if lines.next_end().map_err(failed)?.is_some() {
            return Err(self.damaged(0, expected));
        }
        header.check().map_err(failed)?;
        Ok(header)
    }

    /// The last line of a frame, if it can be a footer.
    fn last_line(&self, span: Span) -> Result<Option<Line>, Damage> {
        let last = self.lines(span)?.last_end();
        last.map_err(|what| self.damaged(span.data(), &what))
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
