//! The file of the cache: magic, what else decides, four lengths, records, texts, phrases, listings, checksum.
//! Listings stay on the disk until somebody asks for one.
//!
//! It may be deleted at any time, and any byte of it may be wrong: whatever does not fit is no
//! cache at all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::record::{BYTES, OLD_LISTING, Record};
use super::said::{self, Phrases};
use crate::durable;
use crate::hashing::Hashing;
use crate::regular;

const MAGIC: &[u8; 16] = b"anp cache of src";
const CHECKSUM_BYTES: usize = 32;
const HEAD_BYTES: usize = MAGIC.len() + 32 + 4 * 8;

/// What a file holds: records sorted by key, and the texts that they point to.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) records: Vec<Record>,
    pub(super) texts: Vec<u8>,
    pub(super) phrases: Phrases,
    pub(super) listings: CachedListings,
}

/// Where what lists say of an article is: an offset, and a length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListingSpot {
    /// Offset in the file.
    pub at: u64,
    /// Length in bytes.
    pub bytes: u32,
}

/// What lists say of the articles of a cache: the last part of its file, which was read to its end.
#[derive(Debug, Default)]
pub struct CachedListings {
    file: Option<File>,
    start: u64,
    bytes: u64,
}

impl CachedListings {
    /// What lists say of an article.
    ///
    /// # Errors
    /// When the file cannot be read, or has no such place.
    pub fn read(&self, ListingSpot { at, bytes }: ListingSpot) -> io::Result<Vec<u8>> {
        let end = at.checked_add(bytes.into());
        let file = self.file.as_ref();
        let Some(file) = file.filter(|_| end.is_some_and(|end| end <= self.bytes)) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let mut listing = vec![0; bytes as usize];
        file.read_exact_at(&mut listing, self.start + at)?;
        Ok(listing)
    }
}

/// A record to be written, with its text.
#[derive(Clone, Copy)]
pub(super) struct Kept<'r> {
    pub(super) record: &'r Record,
    pub(super) text: &'r [u8],
    /// Whether its listing is in the file that is replaced.
    pub(super) is_old: bool,
}

impl<'r> Kept<'r> {
    /// What is to be said of its source.
    fn said(&self) -> &'r [u8] {
        let at = self
            .text
            .len()
            .saturating_sub(self.record.said_bytes as usize);
        &self.text[at..]
    }
}

/// Reads the file at `path`, if it was written where `context` decided too.
pub(super) fn read(path: &Path, context: &[u8; 32]) -> io::Result<Option<Content>> {
    let (file, metadata) = regular::open(path)?;
    let mut input = Hashing::new(BufReader::with_capacity(256 * 1024, file));
    let mut head = [0; HEAD_BYTES];
    input.read_exact(&mut head)?;
    let (magic, rest) = head.split_at(MAGIC.len());
    let (found, lengths) = rest.split_at(32);
    let length = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&lengths[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    let (count, text_bytes, phrase_bytes) = (length(0), length(8), length(16));
    let listing_bytes = length(24);
    // Nothing is allocated for lengths that the file does not have.
    let whole = count
        .checked_mul(BYTES as u64)
        .and_then(|bytes| bytes.checked_add(text_bytes))
        .and_then(|bytes| bytes.checked_add(phrase_bytes))
        .and_then(|bytes| bytes.checked_add(listing_bytes))
        .and_then(|bytes| bytes.checked_add((HEAD_BYTES + CHECKSUM_BYTES) as u64));
    if magic != MAGIC || found != context || whole != Some(metadata.len()) {
        return Ok(None);
    }
    let mut records = Vec::with_capacity(count as usize);
    let mut record = [0; BYTES];
    for _ in 0..count {
        input.read_exact(&mut record)?;
        records.push(Record::from_bytes(&record));
    }
    let mut texts = vec![0; text_bytes as usize];
    input.read_exact(&mut texts)?;
    let mut phrases = vec![0; phrase_bytes as usize];
    input.read_exact(&mut phrases)?;
    io::copy(&mut Read::take(&mut input, listing_bytes), &mut io::sink())?;
    let (mut inner, sum) = input.finish();
    let mut checksum = [0; CHECKSUM_BYTES];
    inner.read_exact(&mut checksum)?;
    let end = metadata.len() - CHECKSUM_BYTES as u64;
    let listings = CachedListings {
        file: (listing_bytes > 0).then(|| inner.into_inner()),
        start: end - listing_bytes,
        bytes: listing_bytes,
    };
    if checksum != sum {
        return Ok(None);
    }
    Ok(Some(Content {
        records,
        texts,
        phrases: Phrases::from_bytes(&phrases)?,
        listings,
    }))
}

/// Replaces the file at `path` by records `sorted` by key, each with its text, with those of `phrases` that
/// its findings have, and with what `listing` knows of it, by way of the one at `beside`. Not synced: what a
/// crash leaves of it fails its checksum, and the next run reads the sources again.
pub(super) fn write<'r>(
    (path, beside): (&Path, &Path),
    context: &[u8; 32],
    sorted: (impl Iterator<Item = Kept<'r>> + Clone, &Phrases),
    listing: &dyn Fn(&Kept<'_>) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    durable::replace_without_sync(path, beside, |file| fill(file, context, sorted, listing))
}

fn fill<'r>(
    file: File,
    context: &[u8; 32],
    (sorted, phrases): (impl Iterator<Item = Kept<'r>> + Clone, &Phrases),
    listing: &dyn Fn(&Kept<'_>) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    let mut output = Hashing::new(BufWriter::with_capacity(256 * 1024, file));
    let (mut count, mut text_bytes, mut listing_bytes) = (0, 0, 0);
    // Phrases that nobody has any more are left out.
    let (mut used, mut numbers) = (Phrases::default(), HashMap::new());
    for kept in sorted.clone() {
        for old in said::phrases_of(kept.said()) {
            if let Entry::Vacant(number) = numbers.entry(old) {
                let phrase = phrases.get(old).cloned();
                let new = phrase.and_then(|phrase| used.number(phrase));
                number.insert(new.ok_or(io::ErrorKind::InvalidData)?);
            }
        }
        count += 1;
        text_bytes += kept.text.len() as u64;
        listing_bytes += u64::from(kept.record.listing_bytes);
    }
    output.write_all(MAGIC)?;
    output.write_all(context)?;
    output.write_all(&u64::to_le_bytes(count))?;
    let used = used.to_bytes()?;
    output.write_all(&u64::to_le_bytes(text_bytes))?;
    output.write_all(&u64::to_le_bytes(used.len() as u64))?;
    output.write_all(&u64::to_le_bytes(listing_bytes))?;
    let (mut text_at, mut listing_at) = (0_u32, 0_u64);
    for Kept { record, text, .. } in sorted.clone() {
        let record = Record {
            text_at,
            listing_at,
            facts: record.facts & !OLD_LISTING,
            ..*record
        };
        listing_at += u64::from(record.listing_bytes);
        output.write_all(&record.to_bytes())?;
        text_at = u32::try_from(text.len())
            .ok()
            .and_then(|bytes| text_at.checked_add(bytes))
            .ok_or_else(|| io::Error::other("more than 4 GiB of texts"))?;
    }
    let number = |old: u32| numbers.get(&old).copied();
    for kept in sorted.clone() {
        let (text, said) = kept.text.split_at(kept.text.len() - kept.said().len());
        output.write_all(text)?;
        said::renumber(said, &number, &mut output)?;
    }
    output.write_all(&used)?;
    for kept in sorted.filter(|kept| kept.record.listing_bytes > 0) {
        let bytes = listing(&kept)?;
        if bytes.len() != kept.record.listing_bytes as usize {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        output.write_all(&bytes)?;
    }
    let (mut inner, sum) = output.finish();
    inner.write_all(&sum)?;
    inner.flush()
}
