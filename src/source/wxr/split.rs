//! Cuts the stream of an export into its items, and holds one of them at a time.
//!
//! It knows of XML only what it takes to see where an item ends: CDATA, comments and the names of tags.
//! So an item that is broken inside does not take the items behind it along.

use std::io::BufRead;

use memchr::memchr;

use super::event::WxrError;
use super::tags::{Name, Tag};

/// The longest item, in bytes: the longest source, and its fields beside it.
pub(super) const MAX_ITEM_BYTES: usize = 4 * 1024 * 1024 + 64 * 1024;

/// The longest of the elements before the items, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The longest tag that is looked at, in bytes.
const MAX_TAG_BYTES: usize = 256;

/// A piece of an export. Lines count from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// From `<item>` to `</item>`.
    Item { line: u32, bytes: Vec<u8> },
    /// An item that the next one, or the end of the channel, interrupts.
    Unclosed { line: u32 },
    /// An item beyond [`MAX_ITEM_BYTES`].
    TooLong { line: u32 },
    /// From `<wp:author>` to `</wp:author>`.
    Author { line: u32, bytes: Vec<u8> },
    /// The text of the channel's `<pubDate>`: when the export was made.
    Made { bytes: Vec<u8> },
}

/// Where the bytes go that are read.
#[derive(Debug, Default)]
struct Sink {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
    /// Whether the first bytes are enough, if they are too many.
    keeps_head: bool,
}

impl Sink {
    /// Of the first bytes.
    fn of_head(limit: usize) -> Self {
        Self {
            limit,
            keeps_head: true,
            ..Self::default()
        }
    }

    fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Takes the bytes. If they are too many, it lets go of all that it has, or keeps the first.
    fn push(&mut self, bytes: &[u8]) {
        if self.is_full || self.limit == 0 {
            return;
        }
        if self.bytes.len() + bytes.len() > self.limit {
            self.is_full = true;
            if self.keeps_head {
                let room = self.limit - self.bytes.len();
                self.bytes.extend_from_slice(&bytes[..room]);
            } else {
                self.bytes = Vec::new();
            }
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

/// Reads pieces, in the order of the file.
#[derive(Debug)]
pub(super) struct Splitter<R> {
    input: R,
    line: u32,
    /// The last bytes read, the very last one behind.
    tail: [u8; 3],
    /// A tag that ended what was before it.
    pending: Option<Tag>,
    is_in_rss: bool,
    /// Whether the channel says that it is an export, and not a feed for readers.
    is_export: bool,
    /// Whether it reads a part of an export that begins with an item, and ends where the bytes end.
    is_part: bool,
}

impl<R: BufRead> Splitter<R> {
    /// Of a whole export.
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            line: 1,
            tail: [0; 3],
            pending: None,
            is_in_rss: false,
            is_export: false,
            is_part: false,
        }
    }

    /// Of items that begin on `line`.
    pub(super) fn of_part(input: R, line: u32) -> Self {
        Self {
            line,
            is_in_rss: true,
            is_export: true,
            is_part: true,
            ..Self::new(input)
        }
    }

    /// The next piece; none behind the end of the export.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, WxrError> {
        loop {
            let tag = match self.pending.take() {
                Some(tag) => tag,
                None => match self.tag(&mut Sink::default())? {
                    Some(tag) => tag,
                    None if self.is_part => return Ok(None),
                    None if self.is_in_rss => return Err(WxrError::CutShort { line: self.line }),
                    None => return Err(WxrError::NotAnExport { line: self.line }),
                },
            };
            if !self.is_in_rss && tag.name != Name::Rss {
                return Err(WxrError::NotAnExport { line: tag.line });
            }
            let piece = match tag.name {
                Name::Rss => {
                    self.is_in_rss = true;
                    continue;
                }
                Name::Version => {
                    self.is_export = true;
                    continue;
                }
                Name::RssEnd | Name::Item if !self.is_export => {
                    return Err(WxrError::NotAnExport { line: tag.line });
                }
                Name::RssEnd => return Ok(None),
                _ if tag.is_empty => continue,
                Name::Item => self.item(tag.line)?,
                Name::Author => {
                    let bytes = self.head(b"<wp:author>", Name::AuthorEnd)?;
                    bytes.map(|bytes| Piece::Author {
                        line: tag.line,
                        bytes,
                    })
                }
                Name::Made => {
                    let bytes = self.head(b"", Name::MadeEnd)?;
                    bytes.map(|bytes| Piece::Made { bytes })
                }
                _ => continue,
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
    }

    fn item(&mut self, line: u32) -> Result<Option<Piece>, WxrError> {
        let mut sink = Sink::new(MAX_ITEM_BYTES);
        sink.push(b"<item>");
        loop {
            let Some(tag) = self.tag(&mut sink)? else {
                // A part ends where an item ends: it never gets here in one that is whole.
                return match self.is_part {
                    true => Ok(Some(Piece::Unclosed { line })),
                    false => Err(WxrError::CutShort { line: self.line }),
                };
            };
            if tag.name == Name::ItemEnd {
                let bytes = sink.bytes;
                return Ok(Some(match sink.is_full {
                    true => Piece::TooLong { line },
                    false => Piece::Item { line, bytes },
                }));
            }
            if tag.ends_item() {
                self.pending = Some(tag);
                return Ok(Some(Piece::Unclosed { line }));
            }
        }
    }

    /// The bytes of an element in the head of the channel, up to and with its end tag. None if it is
    /// too long, or does not end.
    fn head(&mut self, start: &[u8], end: Name) -> Result<Option<Vec<u8>>, WxrError> {
        let mut sink = Sink::new(MAX_HEAD_BYTES);
        sink.push(start);
        loop {
            let Some(tag) = self.tag(&mut sink)? else {
                return Err(WxrError::CutShort { line: self.line });
            };
            if tag.name == end {
                return Ok((!sink.is_full).then_some(sink.bytes));
            }
            if tag.ends_item() {
                self.pending = Some(tag);
                return Ok(None);
            }
        }
    }

    /// Reads up to and with the next tag; none at the end of the input.
    fn tag(&mut self, sink: &mut Sink) -> Result<Option<Tag>, WxrError> {
        loop {
            if !self.text(sink)? {
                return Ok(None);
            }
            let line = self.line;
            let mut opening = Vec::with_capacity(16);
            // Enough of it to tell what it is.
            while let Some(b) = self.byte(sink)? {
                opening.push(b);
                let may_be = |mark: &[u8]| mark.len() > opening.len() && mark.starts_with(&opening);
                if !may_be(b"![CDATA[") && !may_be(b"!--") && !may_be(b"!DOCTYPE") {
                    break;
                }
            }
            let is_whole = match opening.as_slice() {
                b"![CDATA[" => self.until_ending(b"]]>", sink)?,
                b"!--" => self.until_ending(b"-->", sink)?,
                b"!DOCTYPE" => self.document_type(line, sink)?,
                [b'?', ..] => self.instruction(sink)?,
                [.., b'>'] => return Ok(Some(Tag::of(&opening, line, false))),
                _ => {
                    let mut rest = Sink::of_head(MAX_TAG_BYTES);
                    let is_whole = self.until_gt(&mut [sink, &mut rest])?;
                    if is_whole {
                        opening.extend_from_slice(&rest.bytes);
                        let is_empty = self.tail.ends_with(b"/>");
                        return Ok(Some(Tag::of(&opening, line, is_empty)));
                    }
                    false
                }
            };
            if !is_whole {
                return Ok(None);
            }
        }
    }

    /// Reads text up to and with the next `<`. Whether there is one.
    fn text(&mut self, sink: &mut Sink) -> Result<bool, WxrError> {
        if self.is_in_rss {
            return self.until(b'<', &mut [sink]);
        }
        let mut before = Sink::new(MAX_TAG_BYTES);
        let found = self.until(b'<', &mut [&mut before])?;
        let text = before.bytes.strip_suffix(b"<").unwrap_or(&before.bytes);
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        match text {
            [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [.., 0] => Err(WxrError::Encoding {
                found: "UTF-16".to_owned(),
            }),
            text if before.is_full || !text.trim_ascii().is_empty() => {
                Err(WxrError::NotAnExport { line: self.line })
            }
            _ => Ok(found),
        }
    }

    /// Reads a `<!DOCTYPE …>`. No entity is ever expanded, so one that declares some is refused.
    fn document_type(&mut self, line: u32, sink: &mut Sink) -> Result<bool, WxrError> {
        let mut text = Sink::new(MAX_TAG_BYTES);
        let is_whole = self.until_gt(&mut [sink, &mut text])?;
        if text.is_full || text.bytes.contains(&b'[') {
            return Err(WxrError::Entities { line });
        }
        Ok(is_whole)
    }

    /// Reads a `<?…?>`. The first names the encoding.
    fn instruction(&mut self, sink: &mut Sink) -> Result<bool, WxrError> {
        let mut text = Sink::of_head(MAX_TAG_BYTES);
        let is_whole = loop {
            if !self.until_gt(&mut [sink, &mut text])? {
                break false;
            }
            if self.tail.ends_with(b"?>") {
                break true;
            }
        };
        let text = String::from_utf8_lossy(&text.bytes);
        if self.is_in_rss || !text.starts_with("xml") {
            return Ok(is_whole);
        }
        let Some((_, encoding)) = text.split_once("encoding") else {
            return Ok(is_whole);
        };
        let quotes = ['"', '\''];
        let encoding = encoding.split(quotes).nth(1).unwrap_or_default().trim();
        let known = ["utf-8", "utf8", "us-ascii", "ascii"];
        if known.iter().any(|name| encoding.eq_ignore_ascii_case(name)) {
            return Ok(is_whole);
        }
        Err(WxrError::Encoding {
            found: encoding.chars().take(40).collect(),
        })
    }

    /// Reads up to and with `ending`, which ends in `>`. Whether it is there.
    fn until_ending(&mut self, ending: &[u8; 3], sink: &mut Sink) -> Result<bool, WxrError> {
        self.tail = [0; 3];
        loop {
            if !self.until(b'>', &mut [sink])? {
                return Ok(false);
            }
            if self.tail == *ending {
                return Ok(true);
            }
        }
    }

    fn until_gt(&mut self, sinks: &mut [&mut Sink]) -> Result<bool, WxrError> {
        self.until(b'>', sinks)
    }

    /// Reads up to and with the byte `end`. Whether it is there.
    fn until(&mut self, end: u8, sinks: &mut [&mut Sink]) -> Result<bool, WxrError> {
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(WxrError::Read(error)),
            };
            if chunk.is_empty() {
                return Ok(false);
            }
            let found = memchr(end, chunk);
            let read = found.map_or(chunk.len(), |at| at + 1);
            let chunk = &chunk[..read];
            for sink in sinks.iter_mut() {
                sink.push(chunk);
            }
            let lines = memchr::memchr_iter(b'\n', chunk).count();
            self.line = self
                .line
                .saturating_add(lines.try_into().unwrap_or(u32::MAX));
            for b in &chunk[read.saturating_sub(3)..] {
                self.tail = [self.tail[1], self.tail[2], *b];
            }
            self.input.consume(read);
            if found.is_some() {
                return Ok(true);
            }
        }
    }

    /// Reads one byte; none at the end of the input.
    fn byte(&mut self, sink: &mut Sink) -> Result<Option<u8>, WxrError> {
        loop {
            let first = match self.input.fill_buf() {
                Ok(chunk) => chunk.first().copied(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(WxrError::Read(error)),
            };
            if let Some(b) = first {
                sink.push(&[b]);
                self.line = self.line.saturating_add(u32::from(b == b'\n'));
                self.tail = [self.tail[1], self.tail[2], b];
                self.input.consume(1);
            }
            return Ok(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// The pieces in short, read in chunks of `room` bytes.
    fn pieces(text: &str, room: usize) -> Vec<String> {
        let mut splitter = Splitter::new(BufReader::with_capacity(room, text.as_bytes()));
        let mut found = Vec::new();
        loop {
            let piece = match splitter.next() {
                Ok(Some(piece)) => piece,
                Ok(None) => return found,
                Err(error) => {
                    found.push(error.to_string());
                    return found;
                }
            };
            found.push(match piece {
                Piece::Item { line, bytes } => {
                    format!("{line} {}", String::from_utf8(bytes).unwrap())
                }
                Piece::Author { line, bytes } => {
                    format!("{line} author {}", String::from_utf8(bytes).unwrap())
                }
                Piece::Made { bytes } => format!("made {}", String::from_utf8(bytes).unwrap()),
                other => format!("{other:?}"),
            });
        }
    }

    #[test]
    fn items_are_cut_where_they_end_in_chunks_of_any_size() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a <item> --><rss a='>'>\n\
                    <channel LONG><wp:wxr_version>1.2</wp:wxr_version><pubDate>Tue</pubDate><wp:author><a/></wp:author>\n\
                    <item>\n<![CDATA[</item>]] >]]><!-- </item> --></item><item/>\n\
                    <item a=\"b\" >x\n<item>y</item></channel></rss> trailing <item>";
        let text = text.replace("LONG", &"x='y' ".repeat(99));
        for room in [1, 2, 3, 7, 64, 4096] {
            assert_eq!(
                pieces(&text, room),
                [
                    "made Tue</pubDate>",
                    "3 author <wp:author><a/></wp:author>",
                    "4 <item>\n<![CDATA[</item>]] >]]><!-- </item> --></item>",
                    "Unclosed { line: 6 }",
                    "7 <item>y</item>",
                ],
                "{room}"
            );
        }
    }

    #[test]
    fn a_file_that_ends_early_or_is_something_else_is_an_error() {
        for (text, expected) in [
            (
                "",
                "line 1: expected a WordPress export (<rss> with <wp:wxr_version>), found something else",
            ),
            (
                "{}",
                "line 1: expected a WordPress export (<rss> with <wp:wxr_version>), found something else",
            ),
            (
                "\n<html></html>",
                "line 2: expected a WordPress export (<rss> with <wp:wxr_version>), found something else",
            ),
            (
                "<rss>\n<item></item></rss>",
                "line 2: expected a WordPress export (<rss> with <wp:wxr_version>), found something else",
            ),
            (
                "<rss><wp:wxr_version>\n<item>\n<a>",
                "line 3: the export ends before </rss>: it was cut short",
            ),
            (
                "<rss><wp:wxr_version>\n<item></item>\n",
                "line 3: the export ends before </rss>: it was cut short",
            ),
            (
                "<rss><wp:wxr_version>\n<item><![CDATA[</rss>",
                "line 2: the export ends before </rss>: it was cut short",
            ),
            (
                "<!DOCTYPE rss [<!ENTITY a \"b\">]><rss></rss>",
                "line 1: the export declares entities, which anp does not expand: remove the <!DOCTYPE>",
            ),
            (
                "<?xml version='1.0' encoding='ISO-8859-1'?><rss></rss>",
                "expected an export in UTF-8, found ISO-8859-1: convert the file",
            ),
            (
                "\u{0}<\u{0}",
                "expected an export in UTF-8, found UTF-16: convert the file",
            ),
        ] {
            assert_eq!(pieces(text, 5).last().unwrap(), expected, "{text}");
        }
        assert!(pieces("<!DOCTYPE rss><rss><wp:wxr_version></rss>", 5).is_empty());
    }

    #[test]
    fn an_item_beyond_the_limit_is_left_out_and_the_next_is_read() {
        let long = "x".repeat(MAX_ITEM_BYTES);
        let text = format!("<rss><wp:wxr_version/><item>{long}</item>\n<item>y</item></rss>");
        let found = pieces(&text, 8192);
        assert_eq!(found, ["TooLong { line: 1 }", "2 <item>y</item>"]);
    }
}
