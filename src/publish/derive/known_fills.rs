//! What filled pages in the last run, kept in the state folder: the list of an article depends on older ones
//! alone, so up to the first article that changed all lists are as they were.
//!
//! The file may be deleted at any time, and any byte of it may be wrong: what does not fit is none at all.

use std::fs::OpenOptions;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::archive::{Catalog, Listed};
use crate::regular;

/// Counts up whenever the same articles would have other lists.
const FORMAT: u32 = 1;

const NAME: &str = "similar.cache";
const MAGIC: &[u8; 16] = b"anp similar fill";
const HEAD_BYTES: usize = MAGIC.len() + 32 + 32;

/// Bytes of an article: hashes of it and all older ones, and of what fills its page.
const RECORD_BYTES: usize = 16;

/// More than this is no such file: fifty million articles have less.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

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
        let old = known.records().unwrap_or_default();
        let old = old.chunks_exact(RECORD_BYTES).map(|record| {
            let (chain, fill) = record.split_at(8);
            (number(chain), number(fill))
        });
        let same = old.zip(&known.chain);
        let same = same.take_while(|((old, _), new)| old == *new);
        known.fills = same.map(|((_, fill), _)| fill).collect();
        known.fills.resize(known.chain.len(), UNKNOWN);
        known
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

    fn records(&self) -> Option<Vec<u8>> {
        let bytes = regular::read(&self.path, MOST_BYTES).ok()?;
        let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(&self.context)?;
        let (sum, records) = rest.split_at_checked(32)?;
        (blake3::hash(records).as_bytes() == sum).then(|| records.to_vec())
    }

    /// Writes what is known now. Not synced: what a crash leaves of it fails its checksum.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn save(&self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + RECORD_BYTES * self.chain.len());
        for (chain, fill) in self.chain.iter().zip(&self.fills) {
            bytes.extend_from_slice(&chain.to_le_bytes());
            bytes.extend_from_slice(&fill.to_le_bytes());
        }
        let sum = blake3::hash(&bytes);
        let head = [MAGIC, &self.context[..], sum.as_bytes()].concat();
        bytes.splice(..0, head);
        // Always the same name, so that runs that are killed do not leave one more each.
        let beside = self.path.with_file_name(format!("{NAME}.new"));
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&bytes)?;
        std::fs::rename(&beside, &self.path)
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
        hasher.update(&last.to_le_bytes());
        hasher.update(catalog.route(place).as_str().as_bytes());
        hasher.update(&listed.titled.to_le_bytes());
        hasher.update(&[u8::from(catalog.is_listed(place))]);
        for term in catalog.terms_of(listed) {
            hasher.update(&term.to_le_bytes());
        }
        last = number(&hasher.finalize().as_bytes()[..8]);
        last
    });
    chain.collect()
}
