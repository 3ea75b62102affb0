//! The lines of one frame, read one at a time: what a file holds never decides how much memory its
//! reader takes. A frame of a few KB may say that it is gigabytes.

use std::io::{self, BufRead as _, BufReader, Cursor, Read as _, Take};

use zstd::stream::read::Decoder;

use super::record::Line;
use crate::publish::one_line;
use crate::publish::state::LARGEST_PRIOR_BYTES;

const MIB: u64 = 1024 * 1024;

/// A frame is closed before its lines would be longer than this, unless it holds one line alone.
pub(super) const LARGEST_FRAME: u64 = 64 * MIB;

/// The longest line: an intent that keeps a prior value of 64 MiB. A quarter of its characters may
/// be escaped (`is_readable`), each with six for one, which makes it 2.25 times as long; base64
/// makes it 1.34 times as long, which leaves room for 100,000 fields of a hash that expire. The rest
/// of an intent is shorter than 1 MiB.
pub(super) const LARGEST_LINE: u64 = LARGEST_PRIOR_BYTES as u64 / 4 * 9 + MIB;

/// The shortest line: a record without anything but its type.
const SHORTEST_LINE: usize = br#"{"type":"header"}"#.len();

/// The longest header and the longest footer.
pub(super) const LARGEST_END: u64 = MIB;

/// The largest frame that any version wrote: 0.1.0 closed one behind the line with which it grew
/// past 64 MiB.
const LARGEST_EVER: u64 = LARGEST_FRAME + LARGEST_LINE;

/// What such a frame may take once it is compressed (`ZSTD_compressBound`).
pub(super) const LARGEST_COMPRESSED: u64 = LARGEST_EVER + LARGEST_EVER / 128 + 64 * 1024;

/// The largest window, as a power of two, that a frame may ask for. The level that anp uses needs
/// 2^19 bytes.
const WINDOW_LOG: u32 = 23;

/// The longest key. A route is far shorter.
const LARGEST_KEY: usize = 16 * 1024;

/// The lines of a frame that are still to be read.
pub(super) struct FrameLines {
    reader: BufReader<Take<Decoder<'static, Cursor<Vec<u8>>>>>,
    line: Vec<u8>,
}

impl FrameLines {
    /// The lines of the compressed frame `data`.
    ///
    /// # Errors
    /// When it tells no size, or one that anp never writes.
    pub(super) fn of(data: Vec<u8>) -> Result<Self, String> {
        let size = zstd::zstd_safe::get_frame_content_size(&data);
        if !matches!(size, Ok(Some(0..=LARGEST_EVER))) {
            return Err("the frame does not tell a size that anp writes".to_owned());
        }
        let decoder = || {
            let mut decoder = Decoder::with_buffer(Cursor::new(data))?.single_frame();
            decoder.window_log_max(WINDOW_LOG)?;
            Ok::<_, io::Error>(decoder)
        };
        let decoder = decoder().map_err(|error| undecodable(&error))?;
        Ok(Self {
            reader: BufReader::with_capacity(64 * 1024, decoder.take(LARGEST_EVER)),
            line: Vec::new(),
        })
    }

    /// The next line, with its length.
    ///
    /// # Errors
    /// When it is no line that anp writes.
    pub(super) fn next(&mut self) -> Result<Option<(Line, usize)>, String> {
        self.next_within(LARGEST_LINE)
    }

    /// The next line, which can be a header or a footer.
    ///
    /// # Errors
    /// When it is no line that anp writes.
    pub(super) fn next_end(&mut self) -> Result<Option<Line>, String> {
        let next = self.next_within(LARGEST_END)?;
        Ok(next.map(|(line, _)| line))
    }

    /// The last line; none if it is too long for a footer.
    ///
    /// # Errors
    /// When it is no line that anp writes.
    pub(super) fn last_end(mut self) -> Result<Option<Line>, String> {
        let mut last = Vec::new();
        while self.read(LARGEST_END)? {
            if self.line.len() as u64 > LARGEST_END {
                self.skip_line()?;
                last.clear();
            } else {
                self.check_is_long_enough()?;
                std::mem::swap(&mut last, &mut self.line);
            }
        }
        let is_any = !last.is_empty();
        is_any.then(|| parse(&last)).transpose()
    }

    fn next_within(&mut self, most: u64) -> Result<Option<(Line, usize)>, String> {
        if !self.read(most)? {
            return Ok(None);
        }
        let length = self.line.len();
        if length as u64 > most {
            return Err("a line is longer than anp writes".to_owned());
        }
        self.check_is_long_enough()?;
        Ok(Some((parse(&self.line)?, length)))
    }

    /// Nobody reads through a frame of hundreds of MiB of empty lines.
    fn check_is_long_enough(&self) -> Result<(), String> {
        if self.line.len() < SHORTEST_LINE {
            return Err("a line is shorter than anp writes".to_owned());
        }
        Ok(())
    }

    /// Reads a line, or of a longer one `most` bytes and one more. False at the end of the frame.
    fn read(&mut self, most: u64) -> Result<bool, String> {
        const STEP: usize = 64 * 1024;
        self.line.clear();
        let mut left = most as usize + 1;
        while left > 0 && !self.line.ends_with(b"\n") {
            let step = left.min(STEP);
            if self.line.capacity() - self.line.len() < step {
                // Doubled, the memory of a line of 145 MiB would be 256 MiB. What is not read needs none.
                let more = step.max(self.line.len() / 8).min(left);
                self.line.reserve_exact(more);
            }
            let mut bounded = (&mut self.reader).take(step as u64);
            match bounded.read_until(b'\n', &mut self.line) {
                Ok(0) => break,
                Ok(read) => left -= read,
                Err(error) => return Err(undecodable(&error)),
            }
        }
        Ok(!self.line.is_empty())
    }

    /// Passes over what is left of a line.
    fn skip_line(&mut self) -> Result<(), String> {
        while !self.line.ends_with(b"\n") && self.read(LARGEST_END)? {}
        Ok(())
    }
}

fn undecodable(error: &io::Error) -> String {
    format!("the frame does not decompress: {error}")
}

fn parse(line: &[u8]) -> Result<Line, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| {
        // It may quote the line.
        one_line(&format!("a line is not a record: {error}"))
    })?;
    let key = match &line {
        Line::Intent(intent) => &intent.key,
        Line::Outcome(outcome) => &outcome.key,
        Line::Header(_) | Line::Footer(_) => return Ok(line),
    };
    // Keys are printed: they must not pass for other lines. Routes are ASCII.
    if key.len() > LARGEST_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a line names a key that anp never writes".to_owned());
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::LARGEST_LINE;
    use crate::publish::manifest::{Action, Intent, Line, Snapshot};
    use crate::publish::reason::Reason;
    use crate::publish::state::{Content, LARGEST_PRIOR_BYTES, Present};

    #[test]
    fn the_longest_line_has_room_for_the_largest_value_in_its_longest_form() {
        let present = Present::string(b"", Some(i64::MAX));
        // In JSON a control character takes six bytes, and base64 four for three.
        let value = "\u{1}aaa".repeat(16 * 1024);
        for content in [
            Content::Value(value.clone().into_bytes()),
            Content::Value(vec![0xff; value.len()]),
            Content::Dump(vec![0; value.len()]),
        ] {
            let intent = Line::Intent(Intent {
                key: "k".repeat(super::LARGEST_KEY),
                action: Action::Update,
                reason: Some(Reason::Template),
                prior: Some(Snapshot::whole(&present, content)),
                made: Some(Snapshot::of(&present, usize::MAX)),
                also: Vec::new(),
                settled: false,
                absent_at: Some(i64::MAX),
                again: true,
                of_archive: true,
            });
            let line = serde_json::to_vec(&intent).unwrap().len();
            // What stands around the value is the same for a larger one.
            let around = line.saturating_sub(value.len() / 4 * 9) as u64;
            let largest = LARGEST_PRIOR_BYTES as u64 / 4 * 9 + around;
            assert!(largest <= LARGEST_LINE, "{line}");
        }
    }
}
