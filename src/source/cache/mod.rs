//! What earlier runs found in sources that did not change since: enough to compare an article
//! with the store without reading its file.
//!
//! A source is remembered only if nothing is to be said of it: it is valid, without warnings,
//! without unknown fields, and nothing in it was cleaned. So a run says the same with the cache as
//! without. What rendering finds is not remembered: whatever must be rendered is read. That may be
//! so although the page is in the store: in strict mode, where what a page may not carry is an error.
//!
//! 1. [`Cache::find`]: path and state of the file → what is known, if both are as they were.
//! 2. [`Cache::note`]: what was found, and what was read instead and can be remembered.
//! 3. [`Cache::save`]: a new file, if there is anything new. Sources that are gone go with it.

mod file;
mod record;

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
use record::{MUST_RENDER, Record, facts};

/// Counts up with the format of the file, and with what is remembered.
const FORMAT: u32 = 6;

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
    /// Where [`Cache::listing`] finds what lists say of it; none if that is not known.
    pub listing: Option<ListingSpot>,
}

/// Where what lists say of an article is: an offset, and a length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListingSpot {
    /// Offset in the file.
    pub at: u64,
    /// Length in bytes.
    pub bytes: u32,
}

/// A source that was found: where its record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit(usize);

/// A source that was read and can be remembered.
#[derive(Debug)]
pub struct Learned {
    record: Record,
    /// Its route, where the path alone gives another one, and the destinations of its links.
    text: String,
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
        let old = old.unwrap_or_default();
        let new = New {
            kept: vec![!are_all; old.records.len()],
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
        let record = &self.old.records[at];
        if record.identity != identity.0 || record.is(MUST_RENDER) {
            return None;
        }
        let known = Known {
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
        };
        Some((Hit(at), known))
    }

    /// What lists say of an article that was found.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn listing(&self, spot: ListingSpot) -> io::Result<Vec<u8>> {
        self.old.listing(spot.at, spot.bytes)
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
        let links = text.get(usize::from(record.route_bytes)..)?;
        String::from_utf8(links.to_vec()).ok()
    }

    /// Takes down what a batch found: records that are still true, and new ones.
    pub fn note(&self, hits: &[Hit], learned: Vec<Learned>) {
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        for hit in hits {
            new.kept[hit.0] = true;
        }
        for Learned { mut record, text } in learned {
            if let Some(at) = self.holds(&record, text.as_bytes()) {
                // It was read since it is to be written, not since it changed.
                new.kept[at] = true;
                continue;
            }
            if let Some(at) = self.at(&record.key) {
                new.kept[at] = false;
            }
            let Ok(at) = u32::try_from(new.texts.len()) else {
                continue;
            };
            record.text_at = at;
            new.texts.extend_from_slice(text.as_bytes());
            new.records.push(record);
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
                is_old: false,
            })
        });
        let beside = self.path.with_extension(ending);
        let paths = (&*self.path, &*beside);
        file::write(paths, &self.context, merged(old, fresh), &|kept| {
            let (at, bytes) = (kept.record.listing_at, kept.record.listing_bytes);
            match listings {
                _ if kept.is_old => self.old.listing(at, bytes),
                Some(listings) => listings.read(at, bytes as usize),
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        })
    }
}

impl Learned {
    /// What can be remembered of the source at `relative`, which was read in the state
    /// `identity`, has these `links`, makes a page of `digest`, and is at `listing` for lists; nothing if
    /// anything is to be said of it.
    #[must_use]
    pub fn from(
        reading: &Reading<'_>,
        (relative, twins): (&Path, &Twins),
        identity: Identity,
        (links, digest): (&Links, Digest),
        listing: ListingSpot,
    ) -> Option<Self> {
        let article = reading.article.as_ref()?;
        let is_clean = reading.diagnostics.is_empty() && !reading.cleaned.any();
        if !is_clean {
            return None;
        }
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
                identity: identity.0,
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
    let bytes = usize::from(record.route_bytes) + record.links_bytes as usize;
    match bytes {
        0 => Some(&[]),
        bytes => texts.get(at..at + bytes),
    }
}
