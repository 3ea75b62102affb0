//! What earlier runs found in sources that did not change since: enough to compare an article
//! with the store without reading its file.
//!
//! What was said of a source is remembered with it: its warnings, without the lines that they show, and
//! what was cleaned. So a run says the same with the cache as without. What rendering finds is not
//! remembered: whatever must be rendered is read. That may be so although the page is in the store: in
//! strict mode, where what a page may not carry is an error. Invalid sources are read by each run.
//!
//! 1. [`Cache::find`]: path and state of the file → what is known, if both are as they were.
//! 2. [`Cache::find_content`]: the same by the bytes of the file, if its state is another.
//! 3. [`Cache::note`]: what was found, and what was read instead and can be remembered.
//! 4. [`Cache::save`]: a new file, if there is anything new. Sources that are gone go with it.

mod file;
mod record;
mod said;

use std::collections::HashSet;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::identity::Identity;
use super::order::Ranks;
use super::packed::STDIN;
use crate::article::{Lifetime, Links, Reading, Route, Rules, Twins, Visibility};
use crate::hashing::add_part;
use crate::render::{Digest, Renderer};
use crate::spool::FinishedSpool;
use file::{Content, Kept};
use record::{MUST_RENDER, OLD_LISTING, Record, facts};
use said::Phrases;

pub use file::{CachedListings, ListingSpot};
pub use said::Said;

/// Counts up with the format of the file, and with what is remembered.
const FORMAT: u32 = 7;

/// What is known of a valid article whose file was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its route.
    pub route: Route,
    /// The digest of its page.
    pub digest: Digest,
    /// How long its objects live.
    pub lifetime: Lifetime,
    /// What it can be ordered by.
    pub ranks: Ranks,
    /// Who may see it, and when.
    pub visibility: Visibility,
    /// The destinations of its links, a line each, as [`Links::destinations`].
    pub links: String,
    /// Hash of the routes of the sources that it links to: where it is another now, the page is.
    pub linked_routes: u64,
    /// Where [`CachedListings::read`] finds what lists say of it; none if that is not known.
    pub listing: Option<ListingSpot>,
}

/// A source that was found: where its record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    at: usize,
    /// The state of its file, if that is another now; zeros where it cannot be known again by that.
    identity: Option<[u8; 16]>,
}

/// What a source can be known again by.
#[derive(Clone, Copy, Debug)]
pub struct SourceState {
    /// The state of its file, if it can be known again by that.
    pub identity: Option<Identity>,
    /// Hash of its bytes.
    pub content: [u8; 16],
}

impl SourceState {
    /// That of a source with these bytes. One that is no file has been told by them already.
    #[must_use]
    pub fn of(identity: Option<Identity>, bytes: &[u8], is_file: bool) -> Self {
        let mut content = UNSETTLED;
        if is_file {
            content.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
        }
        Self { identity, content }
    }

    fn identity(self) -> [u8; 16] {
        self.identity.map_or(UNSETTLED, |identity| identity.0)
    }
}

/// In place of the state of a file that cannot be known again by it.
const UNSETTLED: [u8; 16] = [0; 16];

/// A source that was read and can be remembered.
#[derive(Debug)]
pub struct Learned {
    record: Record,
    /// Its route, where the path alone gives another one, and the destinations of its links.
    text: String,
    said: Said,
}

/// The cache of one content tree.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    context: [u8; 32],
    twins: Twins,
    old: Content,
    new: Mutex<New>,
}

#[derive(Debug, Default)]
struct New {
    /// Which of the old records are still true.
    kept: Vec<bool>,
    records: Vec<Record>,
    texts: Vec<u8>,
    /// The old ones, and what was said since.
    phrases: Phrases,
    forgotten: HashSet<[u8; 16]>,
}

impl Cache {
    /// The cache at `path` of what `renderer` and `rules` make of the files below `root`, about
    /// `sources` of them: all of them, or what is known of the others stays. `lists` decides what lists say
    /// of them. Without a file that is whole and was written for just this, it is empty.
    ///
    /// # Errors
    /// When `root` is no folder that can be found.
    pub fn open(
        path: PathBuf,
        root: &Path,
        (sources, are_all): (usize, bool),
        (rules, lists): (&Rules, &[u8]),
        renderer: &Renderer,
    ) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        // The standard input is nowhere, and is known by its name alone.
        let root = match root == Path::new(STDIN) {
            true => root.to_owned(),
            false => root.canonicalize()?,
        };
        for part in [
            &FORMAT.to_le_bytes()[..],
            &program(),
            &renderer.fingerprint(),
            &rules.identity(),
            lists,
            root.as_os_str().as_bytes(),
        ] {
            add_part(&mut hasher, part);
        }
        let context = *hasher.finalize().as_bytes();
        let old = file::read(&path, &context).ok().flatten();
        let mut old = old.unwrap_or_default();
        let new = New {
            kept: vec![!are_all; old.records.len()],
            phrases: std::mem::take(&mut old.phrases),
            // Growing would copy all of it. What is not used costs no memory.
            records: Vec::with_capacity(sources),
            ..New::default()
        };
        Ok(Self {
            path,
            context,
            twins: rules.naming.twins.clone(),
            old,
            new: Mutex::new(new),
        })
    }

    /// What is known of the file at `relative`, if it is still the same, and if that is all that
    /// there is to say of it.
    #[must_use]
    pub fn find(&self, relative: &Path, identity: Identity) -> Option<(Hit, Known)> {
        let at = self.at(&key(relative, &self.twins))?;
        let is_same = self.old.records[at].identity == identity.0;
        let known = is_same.then(|| self.known(at, relative))??;
        let identity = None;
        Some((Hit { at, identity }, known))
    }

    /// Whether anything is known of the file at `relative`, which may be the same although its state is
    /// another.
    #[must_use]
    pub fn has(&self, relative: &Path) -> bool {
        self.at(&key(relative, &self.twins)).is_some()
    }

    /// The same as [`Self::find`], of a file that was read.
    #[must_use]
    pub fn find_content(&self, relative: &Path, state: SourceState) -> Option<(Hit, Known)> {
        let at = self.at(&key(relative, &self.twins))?;
        let is_same = self.old.records[at].content == state.content;
        let known = is_same.then(|| self.known(at, relative))??;
        let identity = Some(state.identity());
        Some((Hit { at, identity }, known))
    }

    /// What is to be said of a source that was found; none where that cannot be told.
    #[must_use]
    pub fn said(&self, hit: Hit) -> Option<Said> {
        let record = &self.old.records[hit.at];
        if record.said_bytes == 0 {
            return Some(Said::default());
        }
        let text = text_of(record, &self.old.texts)?;
        let said = &text[text.len() - record.said_bytes as usize..];
        let new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        Said::read(said, &new.phrases)
    }

    fn known(&self, at: usize, relative: &Path) -> Option<Known> {
        let record = &self.old.records[at];
        if record.is(MUST_RENDER) {
            return None;
        }
        Some(Known {
            route: self.route(record, relative)?,
            digest: record.digest,
            lifetime: Lifetime {
                ttl_ms: (record.ttl_ms > 0).then_some(record.ttl_ms),
                until_ms: record.until_ms,
            },
            ranks: Ranks {
                newest: record.newest,
                popular: record.popular,
            },
            visibility: record.visibility(),
            links: self.links(record)?,
            linked_routes: record.linked_routes,
            listing: (record.listing_bytes > 0).then_some(ListingSpot {
                at: record.listing_at,
                bytes: record.listing_bytes,
            }),
        })
    }

    /// What lists say of the articles that are found.
    #[must_use]
    pub fn listings(&self) -> &CachedListings {
        &self.old.listings
    }

    /// The same, without what else is known.
    #[must_use]
    pub fn into_listings(self) -> CachedListings {
        self.old.listings
    }

    fn route(&self, record: &Record, relative: &Path) -> Option<Route> {
        if record.route_bytes == 0 {
            return Route::of_path(relative).ok();
        }
        let text = text_of(record, &self.old.texts)?;
        let route = text.get(..usize::from(record.route_bytes))?;
        Route::parse(std::str::from_utf8(route).ok()?).ok()
    }

    fn links(&self, record: &Record) -> Option<String> {
        if record.links_bytes == 0 {
            return Some(String::new());
        }
        let text = text_of(record, &self.old.texts)?;
        let start = usize::from(record.route_bytes);
        let links = text.get(start..start + record.links_bytes as usize)?;
        String::from_utf8(links.to_vec()).ok()
    }

    /// Takes down what a batch found: records that are still true, and new ones.
    pub fn note(&self, hits: &[Hit], learned: Vec<Learned>) {
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        for hit in hits {
            let old = &self.old.records[hit.at];
            match hit.identity.filter(|identity| *identity != old.identity) {
                None => new.kept[hit.at] = true,
                Some(identity) => {
                    new.kept[hit.at] = false;
                    let text = text_of(old, &self.old.texts).unwrap_or_default();
                    let facts = old.facts | OLD_LISTING;
                    let renewed = Record {
                        identity,
                        facts,
                        ..*old
                    };
                    new.push(renewed, text);
                }
            }
        }
        for Learned {
            mut record,
            text,
            said,
        } in learned
        {
            let Some(said) = said.to_bytes(&mut new.phrases) else {
                continue;
            };
            let Ok(said_bytes) = u32::try_from(said.len()) else {
                continue;
            };
            record.said_bytes = said_bytes;
            let text = [text.into_bytes(), said].concat();
            if let Some(at) = self.holds(&record, &text) {
                // It was read since it is to be written, not since it changed.
                new.kept[at] = true;
                continue;
            }
            if let Some(at) = self.at(&record.key) {
                new.kept[at] = false;
            }
            new.push(record, &text);
        }
    }

    /// Forgets the file at `relative`: what was found of it is to be found again by the next run.
    pub fn forget(&self, relative: &Path) {
        let key = key(relative, &self.twins);
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = self.at(&key) {
            new.kept[at] = false;
        }
        new.forgotten.insert(key);
    }

    /// Where the file holds just this, if it does.
    fn holds(&self, record: &Record, text: &[u8]) -> Option<usize> {
        let at = self.at(&record.key)?;
        let old = &self.old.records[at];
        let of_old = text_of(old, &self.old.texts)?;
        let same = Record {
            text_at: old.text_at,
            listing_at: old.listing_at,
            ..*record
        };
        (same == *old && text == of_old).then_some(at)
    }

    fn at(&self, key: &[u8; 16]) -> Option<usize> {
        let records = &self.old.records;
        records.binary_search_by(|record| record.key.cmp(key)).ok()
    }

    /// Writes what was noted, if that is not what the file holds already. Meanwhile it is in a file
    /// whose name ends with `ending`, of which each process that may write has its own. `listings` are
    /// those of sources that were read.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is there then.
    pub fn save(&self, ending: &str, listings: Option<&FinishedSpool>) -> io::Result<()> {
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        if new.records.is_empty() && new.kept.iter().all(|kept| *kept) {
            return Ok(());
        }
        new.records.sort_unstable_by_key(|record| record.key);
        let old = self.old.records.iter().zip(&new.kept);
        let old = old.filter_map(|(record, kept)| {
            let text = text_of(record, &self.old.texts);
            text.filter(|_| *kept).map(|text| Kept {
                record,
                text,
                is_old: true,
            })
        });
        let fresh = new.records.iter();
        let fresh = fresh.filter(|record| !new.forgotten.contains(&record.key));
        let fresh = fresh.filter_map(|record| {
            Some(Kept {
                record,
                text: text_of(record, &new.texts)?,
                is_old: record.is(OLD_LISTING),
            })
        });
        let beside = self.path.with_extension(ending);
        let paths = (&*self.path, &*beside);
        let sorted = merged(old, fresh);
        file::write(paths, &self.context, (sorted, &new.phrases), &|kept| {
            let (at, bytes) = (kept.record.listing_at, kept.record.listing_bytes);
            match listings {
                _ if kept.is_old => self.old.listings.read(ListingSpot { at, bytes }),
                Some(listings) => listings.read(at, bytes as usize),
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        })
    }
}

impl New {
    /// Takes a record with its text, unless there are 4 GiB of texts.
    fn push(&mut self, record: Record, text: &[u8]) {
        if let Ok(text_at) = u32::try_from(self.texts.len()) {
            self.texts.extend_from_slice(text);
            self.records.push(Record { text_at, ..record });
        }
    }
}

impl Learned {
    /// What can be remembered of the source at `relative`, which was read in this `state`, has these
    /// `links`, makes a page of `digest`, and is at `listing` for lists; nothing if it is invalid, or if what
    /// is to be said of it may be mended without it.
    #[must_use]
    pub fn from(
        reading: &Reading<'_>,
        (relative, twins): (&Path, &Twins),
        state: SourceState,
        (links, digest): (&Links, Digest),
        listing: ListingSpot,
    ) -> Option<Self> {
        let article = reading.article.as_ref()?;
        let said = Said::of(&reading.diagnostics, reading.cleaned)?;
        let ranks = Ranks::of(article);
        let of_path = Route::of_path(relative);
        let is_of_path = of_path.as_ref() == Ok(&article.route);
        let route = if is_of_path {
            ""
        } else {
            article.route.as_str()
        };
        Some(Self {
            record: Record {
                key: key(relative, twins),
                identity: state.identity(),
                content: state.content,
                said_bytes: 0,
                digest,
                ttl_ms: article.lifetime().ttl_ms.unwrap_or(0),
                newest: ranks.newest,
                popular: ranks.popular,
                linked_routes: links.routes,
                text_at: 0,
                links_bytes: u32::try_from(links.destinations.len()).ok()?,
                route_bytes: u16::try_from(route.len()).ok()?,
                from_ms: article.visibility.from_ms,
                until_ms: article.visibility.until_ms,
                listing_at: listing.at,
                listing_bytes: listing.bytes,
                facts: facts(&article.visibility),
            },
            text: format!("{route}{}", links.destinations),
            said,
        })
    }

    /// The same, of a source that is read and rendered by each run, since that makes it invalid.
    #[must_use]
    pub fn that_must_render(mut self) -> Self {
        self.record.facts |= MUST_RENDER;
        self
    }
}

/// Both in the order of their keys, of which each has its own already.
fn merged<'r>(
    old: impl Iterator<Item = Kept<'r>> + Clone,
    new: impl Iterator<Item = Kept<'r>> + Clone,
) -> impl Iterator<Item = Kept<'r>> + Clone {
    let (mut old, mut new) = (old.peekable(), new.peekable());
    std::iter::from_fn(move || match (old.peek(), new.peek()) {
        (Some(a), Some(b)) if b.record.key < a.record.key => new.next(),
        (Some(_), _) => old.next(),
        (None, _) => new.next(),
    })
}

/// What tells this program from another: its version, and size and time of its file, since
/// builds of one version may judge the same article otherwise.
fn program() -> Vec<u8> {
    let file = std::env::current_exe().and_then(std::fs::metadata);
    let build = file.map_or_else(
        |_| "unknown".to_owned(),
        |file| format!("{} {} {}", file.size(), file.mtime(), file.mtime_nsec()),
    );
    format!("{} {build}", env!("CARGO_PKG_VERSION")).into_bytes()
}

/// Another file beside it can make a source one of the `twins`, and so give it another route.
fn key(relative: &Path, twins: &Twins) -> [u8; 16] {
    let mut key = [0; 16];
    let mut hasher = blake3::Hasher::new();
    hasher.update(relative.as_os_str().as_bytes());
    if twins.contains(relative) {
        hasher.update(b"/");
    }
    hasher.finalize_xof().fill(&mut key);
    key
}

/// The text of `record`.
fn text_of<'r>(record: &Record, texts: &'r [u8]) -> Option<&'r [u8]> {
    let at = record.text_at as usize;
    let bytes =
        usize::from(record.route_bytes) + record.links_bytes as usize + record.said_bytes as usize;
    match bytes {
        0 => Some(&[]),
        bytes => texts.get(at..at + bytes),
    }
}
