//! What a run would do to the store: decided for each article from what the store holds,
//! finished before the first write.

use super::need::Need;
use super::stored_article::{ObjectState, StoredArticle};
use crate::article::Route;
use crate::publish::keys::{Keys, ObjectKind};
use crate::publish::reason::Reason;
use crate::render::filled_bytes;

/// Rendered bytes in the spool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spot {
    /// Offset of the page; meta and text follow it.
    pub offset: u64,
    /// Length of the page in bytes.
    pub page_bytes: u32,
    /// Length of the meta in bytes.
    pub meta_bytes: u32,
    /// Length of the text in bytes.
    pub text_bytes: u32,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// An article: its page, its meta object, and perhaps its text.
    Article,
    /// An article that is the page of a folder, and so the front page of its list.
    Section,
    /// A page of a list: page and meta object.
    List,
    /// A file such as a feed.
    File,
    /// A redirect.
    Redirect,
    /// The text of an article that has none any more.
    Text,
}

impl EntryKind {
    /// The objects that it can have. Articles have a text only on request.
    #[must_use]
    pub fn objects(self) -> &'static [ObjectKind] {
        match self {
            Self::Article => &[ObjectKind::Page, ObjectKind::Meta, ObjectKind::Text],
            Self::Section | Self::List => &[ObjectKind::Page, ObjectKind::Meta],
            Self::Text => &[ObjectKind::Text],
            Self::File => &[ObjectKind::File],
            Self::Redirect => &[ObjectKind::Redirect],
        }
    }

    /// The word that lists use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Article | Self::Section => "article",
            Self::List => "list",
            Self::File => "file",
            Self::Redirect => "redirect",
            Self::Text => "text",
        }
    }

    /// Whether it is made from many articles alone.
    #[must_use]
    pub fn is_archive(self) -> bool {
        !matches!(self, Self::Article | Self::Section)
    }
}

/// What is put into the holes of a page, in the spool: the section as HTML, and the same as JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct FillSpot {
    /// Offset of the section; the JSON follows it.
    pub offset: u64,
    /// Length of the section in bytes.
    pub section_bytes: u32,
    /// Length of the JSON in bytes.
    pub json_bytes: u32,
}

/// One article of the plan, or an archive object.
///
/// A run holds one of each article, so it is kept small: 128 bytes and its route.
#[derive(Debug)]
pub struct Entry {
    /// What it is about.
    pub kind: EntryKind,
    /// Hash of what fills the holes of its page: what the store has, until that is derived.
    pub fill: u64,
    /// Where that is in the spool, if the page is written.
    pub fill_at: FillSpot,
    /// Its route.
    pub route: Route,
    /// The absolute expiry that its objects get, ms since 1970.
    pub expires_at_ms: i64,
    /// What articles are ordered by, where they are not left in the order of their paths:
    /// the largest is written first.
    pub rank: i64,
    /// The place of its source in the order of paths.
    pub source: u32,
    /// What it needs.
    pub need: Need,
    /// Why it is touched, if it is.
    pub reason: Option<Reason>,
    /// Whether search engines are told to leave it out.
    pub is_noindex: bool,
    /// How many holes its page has.
    pub holes: u32,
    spot: Spot,
    /// Of page, meta and text, as PEXPIRETIME tells it: ms since 1970, `NEVER` or `ABSENT`.
    expiries: [i64; OBJECTS],
    /// Of page, meta and text. More than 4 GiB are taken for 4 GiB: batches are cut by it.
    bytes: [u32; OBJECTS],
    /// A bit for each of page, meta and text.
    other_types: u8,
    /// Whether it has a text.
    has_text: bool,
    /// Whether what fills its page is in what is spooled.
    is_filled: bool,
}

/// So many objects an article has at most.
const OBJECTS: usize = 3;

const NEVER: i64 = -1;
const ABSENT: i64 = -2;

/// What an entry still knows of an object that the survey saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prior {
    /// Whether there was no such key.
    pub is_absent: bool,
    /// Absolute expiry, ms since 1970.
    pub expires_at_ms: Option<i64>,
    /// Length of the value in bytes, 0 if absent.
    pub bytes: u32,
    /// Whether the value has another type than string.
    pub is_other_type: bool,
}

impl Entry {
    /// The article of `source` under `route`, of which the survey saw these objects.
    #[must_use]
    pub fn new(source: u32, route: Route, need: Need, stored: &StoredArticle) -> Self {
        let StoredArticle { page, meta, text } = stored;
        let has_text = text.is_some();
        let objects = [page, meta, &text.unwrap_or(ObjectState::Absent)];
        let expiry = |seen: &ObjectState| match seen {
            ObjectState::Absent => ABSENT,
            ObjectState::Present { expires_at_ms, .. } => expires_at_ms.unwrap_or(NEVER),
        };
        Self {
            kind: EntryKind::Article,
            fill: meta.base().map_or(0, |(_, fill)| fill),
            fill_at: FillSpot::default(),
            holes: 0,
            route,
            expires_at_ms: 0,
            rank: 0,
            source,
            need,
            reason: None,
            is_noindex: false,
            spot: Spot::default(),
            expiries: objects.map(expiry),
            bytes: objects.map(|seen| capped(seen.bytes())),
            other_types: (objects.iter().enumerate())
                .map(|(place, seen)| u8::from(seen.is_other_type()) << place)
                .sum(),
            has_text,
            is_filled: false,
        }
    }

    /// The archive object of this kind at `route`, of which the survey saw this.
    #[must_use]
    pub fn of_archive(
        kind: EntryKind,
        (source, route): (u32, Route),
        need: Need,
        stored: &StoredArticle,
    ) -> Self {
        Self {
            kind,
            fill: 0,
            ..Self::new(source, route, need, stored)
        }
    }

    /// The same, with its rendered objects.
    #[must_use]
    pub fn at(self, spot: Spot) -> Self {
        Self { spot, ..self }
    }

    /// Takes note of where its rendered objects are.
    pub fn set_spot(&mut self, spot: Spot) {
        self.spot = spot;
    }

    /// Takes note of where its rendered objects are, now that its page is filled.
    pub fn set_filled(&mut self, spot: Spot) {
        self.spot = spot;
        self.is_filled = true;
    }

    /// Whether its page, if it is one of an article, is yet to be filled.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.is_filled && (self.fill != 0 || self.holes > 0)
    }

    /// Whether it is touched at all.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        matches!(self.need, Need::Write | Need::Refresh)
    }

    /// Its rendered objects, where it needs a write.
    #[must_use]
    pub fn spot(&self) -> Option<Spot> {
        (self.need == Need::Write).then_some(self.spot)
    }

    /// Its objects, each with its key, with what the survey saw of it, and with the length in bytes of what
    /// is written, 0 if nothing is.
    pub fn objects(&self, keys: &Keys) -> impl Iterator<Item = (ObjectKind, String, Prior, u32)> {
        let bytes = self.bytes_written();
        let kinds = self.kinds().iter().enumerate();
        kinds.map(move |(at, kind)| {
            let key = keys.of(*kind, &self.route);
            (*kind, key, self.prior(at), bytes[at])
        })
    }

    /// The objects that it has.
    #[must_use]
    pub fn kinds(&self) -> &'static [ObjectKind] {
        let all = self.kind.objects();
        match self.has_text {
            true => all,
            false => &all[..all.len().min(OBJECTS - 1)],
        }
    }

    /// Lengths of the objects that are written: page, meta and text.
    #[must_use]
    pub fn bytes_written(&self) -> [u32; OBJECTS] {
        let Some(spot) = self.spot() else {
            return [0; OBJECTS];
        };
        if !self.is_open() {
            return [spot.page_bytes, spot.meta_bytes, spot.text_bytes];
        }
        let fill = (self.fill_at.section_bytes, self.fill_at.json_bytes);
        let bytes = (spot.page_bytes, spot.meta_bytes);
        let (page, meta) = filled_bytes(bytes, self.holes, fill);
        [page, meta, spot.text_bytes]
    }

    /// How many of its objects the store has.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.expiries.iter().filter(|at| **at != ABSENT).count() as u64
    }

    /// What the store holds of its objects, in bytes.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.bytes.iter().copied().map(u64::from).sum()
    }

    /// Takes what its values of other types really hold from `sizes`, the page first.
    pub fn weigh(&mut self, sizes: &mut impl Iterator<Item = u64>) {
        for (object, bytes) in self.bytes.iter_mut().enumerate() {
            if self.other_types >> object & 1 == 1
                && let Some(size) = sizes.next()
            {
                *bytes = capped(size);
            }
        }
    }

    /// When the first of its objects expires, ms since 1970; the largest number if none does.
    #[must_use]
    pub fn first_expiry_ms(&self) -> i64 {
        let some = self.expiries.iter().filter(|at| **at >= 0);
        some.min().copied().unwrap_or(i64::MAX)
    }

    /// What the survey saw of an object: 0 is the page, 1 the meta, 2 the text.
    #[must_use]
    pub fn prior(&self, object: usize) -> Prior {
        let expiry = self.expiries[object];
        Prior {
            is_absent: expiry == ABSENT,
            expires_at_ms: (expiry >= 0).then_some(expiry),
            bytes: self.bytes[object],
            is_other_type: self.other_types >> object & 1 == 1,
        }
    }
}

fn capped(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::Entry;

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry>(), 144);
    }
}
