//! What filled pages in the last run, kept in the state folder: the list of an article depends on older ones
//! alone, so up to the first article that changed all lists are as they were.
//!
//! The file may be deleted at any time, and any byte of it may be wrong: what does not fit is none at all.

use std::io;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::archive::{Catalog, Listed};
use crate::durable;
use crate::hashing::{Hashing, short_hash};
use crate::regular;

/// Counts up whenever the same articles would have other lists.
const FORMAT: u32 = 2;

const NAME: &str = "similar.cache";
const MAGIC: &[u8; 16] = b"anp similar fill";
const HEAD_BYTES: usize = MAGIC.len() + 32;
const CHECKSUM_BYTES: usize = 32;

/// Bytes of an article: hashes of it and all older ones, and of what fills its page.
const RECORD_BYTES: usize = 16;

/// So many records may the file have besides two for each article.
const MORE_RECORDS: usize = 100_000;

/// What fills a page that nobody asked about.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// Hashes of what fills the pages of the articles, the oldest first.
#[derive(Debug)]
pub(super) struct KnownFills {
    path: PathBuf,
    context: [u8; 32],
    /// For each article, the hash of what decides its list: it and all older ones.
    chain: Vec<u64>,
    /// What fills its page, or [`UNKNOWN`].
    pub(super) fills: Vec<u64>,
}

impl KnownFills {
    /// What is known in the state folder `folder` of the articles of `catalog`; `decisive`: what else decides
    /// lists.
    pub(super) fn read(folder: &Path, catalog: &Catalog, decisive: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&FORMAT.to_le_bytes());
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        hasher.update(decisive);
        let mut known = Self {
            path: folder.join(NAME),
            context: *hasher.finalize().as_bytes(),
            chain: chain(catalog),
            fills: Vec::new(),
        };
        known.fills = known.read_fills().unwrap_or_default();
        known.fills.resize(known.chain.len(), UNKNOWN);
        known
    }

    /// What the file has of the articles up to the first that is another now, or that it does not have.
    fn read_fills(&self) -> io::Result<Vec<u64>> {
        let (file, metadata) = regular::open(&self.path)?;
        let damaged = || io::Error::from(io::ErrorKind::InvalidData);
        let records = (metadata.len() as usize).checked_sub(HEAD_BYTES + CHECKSUM_BYTES);
        let records = records.ok_or_else(damaged)? / RECORD_BYTES;
        // A far longer file would only take time to read, and everything in it can be computed again.
        if records > 2 * self.chain.len() + MORE_RECORDS {
            return Err(damaged());
        }
        let mut input = Hashing::new(BufReader::new(file));
        let mut head = [0; HEAD_BYTES];
        input.read_exact(&mut head)?;
        if head != self.head() {
            return Err(damaged());
        }
        let mut fills = Vec::with_capacity(records.min(self.chain.len()));
        let mut is_same = true;
        for place in 0..records {
            let mut record = [0; RECORD_BYTES];
            input.read_exact(&mut record)?;
            let (chain, fill) = record.split_at(8);
            is_same &= self.chain.get(place) == Some(&number(chain));
            if is_same {
                fills.push(number(fill));
            }
        }
        let (mut input, sum) = input.finish();
        let mut found = [0; CHECKSUM_BYTES];
        input.read_exact(&mut found)?;
        match found == sum {
            true => Ok(fills),
            false => Err(damaged()),
        }
    }

    fn head(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[..MAGIC.len()].copy_from_slice(MAGIC);
        head[MAGIC.len()..].copy_from_slice(&self.context);
        head
    }

    /// Takes what was found of articles, by their numbers. Returns whether any of it is new.
    pub(super) fn learn(&mut self, found: impl Iterator<Item = (u32, u64)>) -> bool {
        let mut is_new = false;
        for (place, fill) in found {
            let known = &mut self.fills[place as usize];
            is_new |= std::mem::replace(known, fill) != fill;
        }
        is_new
    }

    /// Writes what is known now. Not synced: what a crash leaves of it fails its checksum.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn save(&self) -> io::Result<()> {
        let beside = self.path.with_file_name(format!("{NAME}.new"));
        durable::replace_without_sync(&self.path, &beside, |file| {
            let mut output = Hashing::new(BufWriter::new(file));
            output.write_all(&self.head())?;
            for (chain, fill) in self.chain.iter().zip(&self.fills) {
                output.write_all(&chain.to_le_bytes())?;
                output.write_all(&fill.to_le_bytes())?;
            }
            let (mut output, sum) = output.finish();
            output.write_all(&sum)?;
            output.flush()
        })
    }
}

fn number(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(bytes);
    u64::from_le_bytes(number)
}

/// For each article the hash of all that decides its list, older articles included.
fn chain(catalog: &Catalog) -> Vec<u64> {
    let mut last = 0_u64;
    let articles = (0..).zip(catalog.articles());
    let chain = articles.map(|(place, listed): (u32, &Listed)| {
        let mut hasher = blake3::Hasher::new();
        for number in [last, listed.titled, listed.about] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(&[u8::from(catalog.is_listed(place))]);
        hasher.update(listed.route.as_str().as_bytes());
        last = short_hash(&hasher);
        last
    });
    chain.collect()
}
