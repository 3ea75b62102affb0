//! What a run would do to the store: decided for each article from what the store holds,
//! finished before the first write.

use super::expiry::{Below, Expiry};
use crate::article::{Lifetime, Route};
use crate::publish::keys::{Keys, ObjectKind};
use crate::publish::reason::Reason;
use crate::render::{Digest, Inputs, filled_bytes};

/// What the survey saw of one object in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectState {
    /// There is no such key.
    Absent,
    /// There is one.
    Present {
        /// Absolute expiry, ms since 1970.
        expires_at_ms: Option<i64>,
        /// Length of the value; of one that is no string, a guess until [`ObjectState::weigh`].
        bytes: u64,
        /// The digest that the value names; none if it is not one of ours.
        digest: Option<Digest>,
        /// What it says of what it was made from; only of a meta object.
        inputs: Option<Inputs>,
        /// What it says of its base and its fill; only of a meta object that has a fill.
        fill: Option<(Digest, u64)>,
        /// Whether it says that it is of a page of a list; only of a meta object.
        is_list: bool,
        /// Whether it is a string, and no other type.
        is_string: bool,
    },
}

impl ObjectState {
    /// Length of the value, 0 if absent.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Present { bytes, .. } => *bytes,
        }
    }

    /// Whether a value of another type than string stands there.
    #[must_use]
    pub fn is_other_type(&self) -> bool {
        matches!(self, Self::Present { is_string, .. } if !is_string)
    }

    /// Takes what a value of another type really holds from `sizes`.
    pub fn weigh(&mut self, sizes: &mut impl Iterator<Item = u64>) {
        if let Self::Present {
            bytes, is_string, ..
        } = self
            && !*is_string
            && let Some(size) = sizes.next()
        {
            *bytes = size;
        }
    }

    /// The digest, if the key exists and names one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::Absent => None,
            Self::Present { digest, .. } => *digest,
        }
    }

    /// What it was made from, if the key exists and says so.
    #[must_use]
    pub fn inputs(&self) -> Option<&Inputs> {
        match self {
            Self::Absent => None,
            Self::Present { inputs, .. } => inputs.as_ref(),
        }
    }

    /// The digest of the article alone, and the hash of what fills the holes of its page; of a meta object.
    #[must_use]
    pub fn base(&self) -> Option<(Digest, u64)> {
        match self {
            Self::Absent => None,
            Self::Present { digest, fill, .. } => fill.or(digest.map(|digest| (digest, 0))),
        }
    }

    /// Whether it is the meta object of a page of a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Present { is_list: true, .. })
    }

    /// The absolute expiry, if the key exists and has one.
    #[must_use]
    pub fn expires_at_ms(&self) -> Option<i64> {
        match self {
            Self::Absent => None,
            Self::Present { expires_at_ms, .. } => *expires_at_ms,
        }
    }
}

/// What the survey saw of the objects of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredArticle {
    /// Its page; of what has one object alone, that.
    pub page: ObjectState,
    /// Its meta object.
    pub meta: ObjectState,
    /// Its text; none where articles have no texts, and nobody asked for it.
    pub text: Option<ObjectState>,
}

impl StoredArticle {
    /// Nothing of one that has a text, or has none.
    #[must_use]
    pub fn absent(has_text: bool) -> Self {
        Self {
            page: ObjectState::Absent,
            meta: ObjectState::Absent,
            text: has_text.then_some(ObjectState::Absent),
        }
    }

    /// One object, of what has no other.
    #[must_use]
    pub fn single(object: ObjectState) -> Self {
        Self {
            page: object,
            ..Self::absent(false)
        }
    }

    /// Its objects: page, meta, text.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectState> {
        [&self.page, &self.meta].into_iter().chain(&self.text)
    }

    /// The same, with each object seen as `meant` has it.
    #[must_use]
    pub fn map(self, meant: impl Fn(ObjectState) -> ObjectState) -> Self {
        Self {
            page: meant(self.page),
            meta: meant(self.meta),
            text: self.text.map(meant),
        }
    }

    /// Whether a value that is none of ours stands at one of its keys.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        let is_foreign =
            |seen: &ObjectState| *seen != ObjectState::Absent && seen.digest().is_none();
        self.objects().any(is_foreign)
    }
}

/// What an article needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: all objects are there, are these bytes, and live long enough.
    Keep,
    /// All objects get a new expiry.
    Refresh,
    /// All objects are rendered and written.
    Write,
    /// Nothing now: its source changed, and what is stored can be read until an import.
    Wait,
    /// It would be made again, but somebody else's value stands at one of its keys.
    Blocked,
}

/// By which rule it is decided what an article needs.
#[derive(Clone, Copy, Debug)]
pub enum Policy {
    /// The store is to hold what the content tree has.
    Import,
    /// The store is to hold what is missing in it, for long enough: with less than this left,
    /// objects are refreshed.
    Warm(Below),
    /// What expired while the run worked is made again, of the source that it was made of.
    Again,
}

/// What a page is made from: the digest of its article, and what fills its holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The digest of the article alone.
    pub base: Digest,
    /// What fills the holes.
    pub fill: Filling,
}

/// What fills the holes of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// What is derived once all articles are known, and compared then.
    Later,
    /// What has this hash; 0: nothing.
    Known(u64),
}

impl Made {
    /// Whether page and meta are this page.
    fn is(self, seen: &StoredArticle) -> bool {
        let StoredArticle { page, meta, .. } = seen;
        match self.fill {
            Filling::Known(hash) => {
                let digest = Some(self.base.filled(hash));
                page.digest() == digest && meta.digest() == digest
            }
            Filling::Later => {
                let base = meta.base().map(|(base, _)| base);
                page.digest() == meta.digest() && base == Some(self.base)
            }
        }
    }

    /// Whether the text, if there is to be one, is of this page. It shows nothing of other articles.
    fn has_text(self, seen: &StoredArticle) -> bool {
        let text = seen.text.as_ref();
        text.is_none_or(|text| text.digest() == Some(self.base))
    }
}

/// Decides what the article whose page is `made` like this needs.
#[must_use]
pub fn need(
    policy: Policy,
    seen: &StoredArticle,
    made: Made,
    (expiry, route): (&Expiry, &Route),
    lifetime: Lifetime,
) -> Need {
    match policy {
        Policy::Import => import_need(seen, made, expiry, lifetime),
        Policy::Again => need_again(seen, made),
        Policy::Warm(below) => warm_need(seen, made, &|seen| {
            expiry.has_less_than(below, seen.expires_at_ms(), route, lifetime)
        }),
    }
}

fn import_need(seen: &StoredArticle, made: Made, expiry: &Expiry, lifetime: Lifetime) -> Need {
    if !(made.is(seen) && made.has_text(seen)) {
        return Need::Write;
    }
    let mut objects = seen.objects();
    if objects.any(|seen| expiry.is_off(seen.expires_at_ms(), lifetime)) {
        Need::Refresh
    } else {
        Need::Keep
    }
}

/// An object that is gone is made again, with its companions, so that all are of one source
/// and expire together. What is no object of ours stays, and so do the others then, also
/// where one is gone. A text that is gone waits with a page that waits: articles that never had one
/// get it from an import.
fn warm_need(seen: &StoredArticle, made: Made, is_short: &dyn Fn(&ObjectState) -> bool) -> Need {
    let is_absent = |seen: &ObjectState| *seen == ObjectState::Absent;
    if seen.is_foreign() {
        let is_gone = seen.objects().any(is_absent);
        return if is_gone { Need::Blocked } else { Need::Keep };
    }
    if is_absent(&seen.page) || is_absent(&seen.meta) {
        return Need::Write;
    }
    if !made.is(seen) {
        return Need::Wait;
    }
    if seen.text.as_ref().is_some_and(is_absent) {
        return Need::Write;
    }
    if !made.has_text(seen) {
        return Need::Wait;
    }
    if seen.objects().any(is_short) {
        Need::Refresh
    } else {
        Need::Keep
    }
}

/// An object that expired meanwhile is made again, with its companions. What somebody else put in
/// the place of one stays; so does an object whose source changed since it was made.
fn need_again(seen: &StoredArticle, made: Made) -> Need {
    let is_absent = |seen: &ObjectState| *seen == ObjectState::Absent;
    let digest = match made.fill {
        Filling::Known(hash) => Some(made.base.filled(hash)),
        Filling::Later => None,
    };
    let is_other = |seen: &ObjectState, digest| !is_absent(seen) && seen.digest() != digest;
    let is_other_text = |text| is_other(text, Some(made.base));
    if !seen.objects().any(is_absent) {
        Need::Keep
    } else if seen.is_foreign() {
        Need::Blocked
    } else if is_other(&seen.page, digest)
        || is_other(&seen.meta, digest)
        || seen.text.as_ref().is_some_and(is_other_text)
    {
        Need::Wait
    } else {
        Need::Write
    }
}

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Whether a value of another type than string stands there.
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

    /// Lengths of the objects that are written.
    fn bytes_written(&self) -> [u32; OBJECTS] {
        let Some(spot) = self.spot() else {
            return [0; OBJECTS];
        };
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
