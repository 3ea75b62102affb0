//! A WordPress export: its posts and pages, each as front matter in JSON and a body in HTML, behind what
//! is to be said of it.

use std::io::BufRead;

use serde::{Deserialize, Serialize};

use super::input::drain;
use super::unpacking::{Member, Unpacking};
use crate::article::schema::Field;
use crate::source::unread::WalkError;
use crate::source::wxr::{self, Attachments, Event, Item, Stopped, WxrError, WxrOptions};

/// How the custom fields of an export are read.
#[derive(Clone, Copy, Debug)]
pub struct WordpressFields<'a> {
    /// Prefixes of those that are fields of the front matter; none: those that anp knows.
    pub prefixes: &'a [String],
    /// The fields of the front matter.
    pub known: &'static [Field],
}

/// A finding about an item, and the line of the export that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemFinding {
    /// From 1.
    pub line: u32,
    /// What kind it is.
    pub code: String,
    /// What was found.
    pub message: String,
}

/// Reads all items of an export in so many `parts`, each of which `open` opens twice.
///
/// # Errors
/// When it cannot be read, is no export, or ends before its end.
pub(super) fn read<'r>(
    parts: usize,
    open: &dyn Fn(usize) -> Result<Box<dyn BufRead + 'r>, WalkError>,
    fields: WordpressFields<'_>,
    found: &mut Unpacking<'_>,
) -> Result<(), WalkError> {
    let mut attachments = Attachments::default();
    for part in 0..parts {
        let mut input = open(part)?;
        wxr::add_attachments(&mut input, &mut attachments).map_err(unread)?;
    }
    let attachments = attachments.sorted();
    let known = |name: &str| {
        let mut known = fields.known.iter();
        known
            .find(|field| field.answers_to(name))
            .map(|field| field.name)
    };
    let options = WxrOptions {
        meta_prefixes: fields.prefixes,
        field_of: &known,
    };
    for part in 0..parts {
        found.begin_part();
        let mut take = |event| match event {
            Event::Article(item) => add(*item, found),
            Event::Skipped { what, .. } => {
                found.count(what);
                (found.goes_on)()
            }
            Event::Broken { line, message } => {
                let relative = format!("item-on-line-{line}-of-{part}.md");
                found.add_broken(relative.as_ref(), line, message)
            }
        };
        let mut input = open(part)?;
        match wxr::read(&mut input, &options, &attachments, &mut take) {
            Ok(_) => drain(&mut *input)?,
            Err(Stopped::Export(error)) => return Err(unread(error)),
            Err(Stopped::Taker(error)) => return Err(error),
        }
    }
    Ok(())
}

fn unread(error: WxrError) -> WalkError {
    match error {
        WxrError::Read(error) => WalkError::cut(&error),
        error @ WxrError::CutShort { .. } => WalkError::Broken(error.to_string()),
        error => WalkError::NoSource(error.to_string()),
    }
}

fn add(item: Item, found: &mut Unpacking<'_>) -> Result<(), WalkError> {
    let findings = item.findings.into_iter().map(|finding| ItemFinding {
        line: finding.line,
        code: finding.code.to_owned(),
        message: finding.message,
    });
    let findings: Vec<ItemFinding> = findings.collect();
    let mut bytes = serde_json::to_vec(&findings).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend(serde_json::to_vec(&item.record).unwrap_or_default());
    bytes.push(b'\n');
    bytes.extend_from_slice(item.html.as_bytes());
    // The page has the address that the item names; the path is what it is found by.
    let path = item.path.strip_suffix(".html").unwrap_or(&item.path);
    let relative = format!("{path}.md");
    found.add(Member {
        relative: relative.as_ref(),
        line: item.line,
        bytes: Some(&bytes),
        length: bytes.len() as u64,
        at: 0,
    })
}

/// The findings about an item, and its source.
pub(super) fn split(bytes: &[u8]) -> Option<(Vec<ItemFinding>, &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    let findings = serde_json::from_slice(&bytes[..end]).ok()?;
    Some((findings, &bytes[end + 1..]))
}
