//! WordPress exports (WXR 1.0 to 1.2), as articles.
//!
//! 1. `split`: the stream is cut into items; one is held at a time.
//! 2. `xml`: an item → the values of its elements.
//! 3. `item`, `meta`, `php`: these → the fields of front matter.
//! 4. `body`: the body → HTML as WordPress shows it: `paragraphs` (`blocks`, `media`),
//!    `shortcodes`, `links`; `foreign` names what anp does not run,
//!    `restricted` finds what not everybody may see.
//!
//! Items refer to files of the media library that may come before or behind them, so an export is read
//! twice: [`read_attachments`] first, then [`read`].

mod attachments;
mod blocks;
mod body;
mod event;
mod foreign;
mod item;
mod links;
mod media;
mod meta;
mod paragraphs;
mod php;
mod restricted;
mod scan;
mod shortcodes;
mod split;
mod tags;
mod text;
mod xml;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::BufRead;

use memchr::memmem;
use serde_json::Value;

use crate::characters::is_hidden;

pub use attachments::Attachments;
pub use event::{Event, Finding, Item, Stopped, Summary, WxrError, WxrOptions};

use self::split::{Piece, Splitter};
use self::xml::RawItem;

/// Most authors that are remembered, and the longest login and name of one, in bytes.
const MAX_AUTHORS: usize = 20_000;
const MAX_AUTHOR_BYTES: usize = 1000;

/// How often reading goes on inside what a broken item seems to hold.
const MAX_RETRIES: usize = 16;

/// Reads all attachments of an export, whatever the order of its items.
///
/// # Errors
///
/// If the export cannot be read, or not to its end.
pub fn read_attachments(input: impl BufRead) -> Result<Attachments, WxrError> {
    let mut attachments = Attachments::default();
    add_attachments(input, &mut attachments)?;
    Ok(attachments.sorted())
}

/// Adds those of one file of an export in parts. Behind the last one, they are to be
/// [`sorted`](Attachments::sorted).
///
/// # Errors
///
/// As [`read_attachments`].
pub fn add_attachments(input: impl BufRead, attachments: &mut Attachments) -> Result<(), WxrError> {
    let read = each(input, is_attachment, &mut |part| {
        if let Part::Item(item, _) = part
            && item.post_type.text.trim() == "attachment"
        {
            item::remember(&item, attachments);
        }
        Ok::<_, Stopped<Infallible>>(())
    });
    match read {
        Ok(()) => Ok(()),
        Err(Stopped::Export(error)) => Err(error),
        Err(Stopped::Taker(never)) => match never {},
    }
}

/// Reads an export, and hands on one event for each of its items.
///
/// # Errors
///
/// If the export cannot be read, or not to its end, behind the events before; or if `emit` fails.
pub fn read<E>(
    input: impl BufRead,
    options: &WxrOptions<'_>,
    attachments: &Attachments,
    emit: &mut dyn FnMut(Event) -> Result<(), E>,
) -> Result<Summary, Stopped<E>> {
    let mut summary = Summary::default();
    let mut context = item::Context {
        options: *options,
        attachments,
        authors: BTreeMap::new(),
        made: None,
    };
    each(input, |_| true, &mut |part| {
        let event = match part {
            Part::Item(item, findings) => context.event(&item, findings),
            Part::Broken { line, message } => Event::Broken { line, message },
            Part::Author(login, name) => {
                let is_short = login.len() + name.len() <= MAX_AUTHOR_BYTES;
                if is_short && context.authors.len() < MAX_AUTHORS {
                    context.authors.insert(login, name);
                }
                return Ok(());
            }
            Part::Made(text) => {
                context.made = context.made.or_else(|| item::moment(&text));
                return Ok(());
            }
        };
        match &event {
            Event::Article(_) => summary.articles += 1,
            Event::Skipped { .. } => summary.skipped += 1,
            Event::Broken { .. } => summary.broken += 1,
        }
        emit(event).map_err(Stopped::Taker)
    })?;
    Ok(summary)
}

/// Reads a custom field that is a serialised value of PHP; none if it is not meant as one. For the fuzz
/// target.
#[doc(hidden)]
#[must_use]
pub fn php_value(text: &str) -> Option<Result<Value, &'static str>> {
    php::is_serialised(text).then(|| php::read(text).map_err(php::Refused::why))
}

/// A part of an export, read.
enum Part {
    Item(Box<RawItem>, Vec<Finding>),
    Broken { line: u32, message: String },
    Author(String, String),
    Made(String),
}

fn is_attachment(bytes: &[u8]) -> bool {
    memmem::find(bytes, b"attachment").is_some()
}

/// Hands on the parts of an export; of items, those that `is_wanted` by their bytes.
fn each<E>(
    input: impl BufRead,
    is_wanted: impl Fn(&[u8]) -> bool,
    take: &mut dyn FnMut(Part) -> Result<(), Stopped<E>>,
) -> Result<(), Stopped<E>> {
    let mut splitter = Splitter::new(input);
    while let Some(piece) = splitter.next().map_err(Stopped::Export)? {
        one(piece, 0, &is_wanted, take)?;
    }
    Ok(())
}

fn one<E>(
    piece: Piece,
    retries: usize,
    is_wanted: &dyn Fn(&[u8]) -> bool,
    take: &mut dyn FnMut(Part) -> Result<(), Stopped<E>>,
) -> Result<(), Stopped<E>> {
    let (line, bytes) = match piece {
        Piece::Item { line, bytes } if is_wanted(&bytes) => (line, bytes),
        Piece::Item { .. } => return Ok(()),
        Piece::Unclosed { line } => {
            let message = "expected </item>, found the next item or the end".to_owned();
            return take(Part::Broken { line, message });
        }
        Piece::TooLong { line } => {
            let limit = split::MAX_ITEM_BYTES;
            let message = format!("expected an item of at most {limit} bytes, found a longer one");
            return take(Part::Broken { line, message });
        }
        Piece::Author { bytes, .. } => {
            let found = xml::author(&String::from_utf8_lossy(&bytes));
            return found.map_or(Ok(()), |(login, name)| take(Part::Author(login, name)));
        }
        Piece::Made { bytes } => {
            let text = String::from_utf8_lossy(&bytes);
            let text = text.split('<').next().unwrap_or_default();
            return take(Part::Made(text.to_owned()));
        }
    };
    let (text, findings) = decode(bytes, line);
    let broken = match xml::item(&text, line) {
        Ok(item) => return take(Part::Item(Box::new(item), findings)),
        Err(broken) => broken,
    };
    let message = match broken.line {
        there if there == line => broken.message,
        there => format!("line {there}: {}", broken.message),
    };
    take(Part::Broken {
        line,
        message: message.replace(is_hidden, " "),
    })?;
    // A CDATA that does not end takes in the next items: they are read again from their first line.
    let Some(start) = next_item(&text).filter(|_| retries < MAX_RETRIES) else {
        return Ok(());
    };
    let lines = memchr::memchr_iter(b'\n', &text.as_bytes()[..start]).count();
    let line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
    let mut splitter = Splitter::of_part(&text.as_bytes()[start..], line);
    while let Some(piece) = splitter.next().map_err(Stopped::Export)? {
        one(piece, retries + 1, is_wanted, take)?;
    }
    Ok(())
}

/// The first `<item>` behind the beginning that begins a line.
fn next_item(text: &str) -> Option<usize> {
    let places = memmem::find_iter(text.as_bytes(), b"<item>").skip(1);
    let mut places = places.filter(|at| text[..*at].trim_end_matches([' ', '\t']).ends_with('\n'));
    places.next()
}

/// The text of an item, with the line ends of XML. What is not UTF-8 is replaced, which is reported.
fn decode(bytes: Vec<u8>, line: u32) -> (String, Vec<Finding>) {
    let mut findings = Vec::new();
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let before = memchr::memchr_iter(b'\n', &bytes[..at]).count();
        let byte = bytes.get(at).copied().unwrap_or_default();
        let message =
            format!("expected UTF-8, found the byte 0x{byte:02x}; such bytes were replaced");
        let line = line.saturating_add(u32::try_from(before).unwrap_or(u32::MAX));
        findings.push(Finding::new(line, "source", message));
        String::from_utf8_lossy(bytes).into_owned()
    });
    match memmem::find(text.as_bytes(), b"\r\n") {
        Some(_) => (text.replace("\r\n", "\n"), findings),
        None => (text, findings),
    }
}
