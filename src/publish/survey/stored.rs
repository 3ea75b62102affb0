//! What the store holds for the articles of a batch, in one or two round trips.

use crate::article::Route;
use crate::publish::keys::{Keys, ObjectKind};
use crate::publish::plan::stored_article::{ObjectState, StoredArticle};
use crate::render::{self, Digest, Inputs};
use crate::store::{Batch, Reply, Session, StoreError};

/// What a value of another type than string is taken to hold until it is asked.
const FOREIGN_BYTES: u64 = 1024 * 1024;

/// A redirect is compared as a whole; of a longer value, so many bytes are read.
const REDIRECT_BYTES: usize = 4096;

const DOING: &str = "comparing the articles with the store";

/// What PEXPIRETIME answers for a key that is not there (redis.io/commands/pexpiretime).
const ABSENT: i64 = -2;

/// What most keys of a batch are expected to be. It decides how often is asked, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likely {
    /// Not there, as in a first import: for what is there, it is asked twice.
    Absent,
    /// There: everything is asked at once.
    Stored,
    /// There, as anp made it: the same without lengths, which nobody needs of what stays as it is. They are 0
    /// then.
    Unchanged,
}

/// Asks the store what it holds for a batch of routes.
pub struct Inspector<'a> {
    /// The store.
    pub session: &'a mut Session,
    keys: &'a Keys,
    /// Where values most likely have their digest: those that were seen last had it there.
    end: End,
}

/// The end of a value at which its digest is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The first bytes, of a value in gzip.
    First,
    /// The last bytes, of a plain value.
    Last,
}

impl End {
    fn other(self) -> Self {
        match self {
            Self::First => Self::Last,
            Self::Last => Self::First,
        }
    }
}

impl<'a> Inspector<'a> {
    /// Asks `session`, which has keys named like `keys`.
    #[must_use]
    pub fn new(session: &'a mut Session, keys: &'a Keys) -> Self {
        Self {
            session,
            keys,
            end: End::Last,
        }
    }

    /// What the store holds for each of `routes`: page and meta, and the text where they have one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn inspect(
        &mut self,
        (routes, has_text): (&[&Route], bool),
        likely: Likely,
    ) -> Result<Vec<StoredArticle>, StoreError> {
        let kinds = match has_text {
            true => &[ObjectKind::Page, ObjectKind::Meta, ObjectKind::Text][..],
            false => &[ObjectKind::Page, ObjectKind::Meta],
        };
        let mut keys = Vec::with_capacity(routes.len() * kinds.len());
        for route in routes {
            keys.extend(kinds.iter().map(|kind| (self.keys.of(*kind, route), *kind)));
        }
        let seen = self.look(&keys, likely)?;
        let articles = seen.chunks_exact(kinds.len()).map(|seen| StoredArticle {
            page: seen[0],
            meta: seen[1],
            text: seen.get(2).copied(),
        });
        Ok(articles.collect())
    }

    /// What the store holds of the objects of this kind at `routes`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn inspect_one(
        &mut self,
        kind: ObjectKind,
        routes: &[&Route],
        likely: Likely,
    ) -> Result<Vec<ObjectState>, StoreError> {
        let keys = routes.iter().map(|route| (self.keys.of(kind, route), kind));
        self.look(&keys.collect::<Vec<_>>(), likely)
    }

    fn look(
        &mut self,
        keys: &[(String, ObjectKind)],
        likely: Likely,
    ) -> Result<Vec<ObjectState>, StoreError> {
        let mut seen = match likely {
            Likely::Absent => self.expiry_first(keys),
            Likely::Stored => self.all_at_once(keys, true),
            Likely::Unchanged => self.without_lengths(keys),
        }?;
        self.look_at_other_end(keys, &mut seen)?;
        Ok(seen)
    }

    /// The lengths are asked of what names no digest.
    fn without_lengths(
        &mut self,
        keys: &[(String, ObjectKind)],
    ) -> Result<Vec<ObjectState>, StoreError> {
        let mut seen = self.all_at_once(keys, false)?;
        let is_open = |seen: &ObjectState| *seen != ObjectState::Absent && seen.digest().is_none();
        let places = (0..keys.len()).filter(|place| is_open(&seen[*place]));
        let places: Vec<usize> = places.collect();
        if !places.is_empty() {
            let open = places.iter().map(|place| keys[*place].clone());
            let open = self.all_at_once(&open.collect::<Vec<_>>(), true)?;
            for (place, state) in places.into_iter().zip(open) {
                seen[place] = state;
            }
        }
        Ok(seen)
    }

    /// Asks for the other end of the values that named no digest at the first.
    fn look_at_other_end(
        &mut self,
        keys: &[(String, ObjectKind)],
        seen: &mut [ObjectState],
    ) -> Result<(), StoreError> {
        let end = self.end.other();
        let unnamed = |(object, seen): (ObjectKind, &ObjectState)| {
            has_two_ends(object)
                && seen.bytes() > 0
                && !seen.is_other_type()
                && seen.digest().is_none()
        };
        let places = 0..keys.len();
        let places: Vec<usize> = places
            .filter(|place| unnamed((keys[*place].1, &seen[*place])))
            .collect();
        if places.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        for place in &places {
            let (key, object) = &keys[*place];
            ask_part(&mut batch, key, part(*object, end));
        }
        let replies = self.session.run(&batch, DOING)?;
        let mut found = 0;
        for (place, reply) in places.iter().zip(replies) {
            if let Reply::Bulk(part) = reply
                && let Some(named) = digest((keys[*place].1, end), &part, seen[*place].bytes())
                && let ObjectState::Present {
                    digest, is_gzip, ..
                } = &mut seen[*place]
            {
                (*digest, *is_gzip) = (Some(named), end == End::First);
                found += 1;
            }
        }
        let of_two_ends = keys.iter().filter(|(_, object)| has_two_ends(*object));
        if 2 * found > of_two_ends.count() {
            self.end = end;
        }
        Ok(())
    }

    /// The expiry alone tells that a key is absent.
    fn expiry_first(
        &mut self,
        keys: &[(String, ObjectKind)],
    ) -> Result<Vec<ObjectState>, StoreError> {
        let mut batch = Batch::default();
        for (key, _) in keys {
            ask_expiry(&mut batch, key);
        }
        let replies = self.session.run(&batch, DOING)?;
        let expiries: Vec<i64> = replies.into_iter().map(expiry).collect::<Result<_, _>>()?;
        batch.clear();
        for ((key, object), at) in keys.iter().zip(&expiries) {
            if *at != ABSENT {
                ask_content(&mut batch, key, (*object, self.end), true);
            }
        }
        let mut replies = if batch.is_empty() {
            Vec::new().into_iter()
        } else {
            self.session.run(&batch, DOING)?.into_iter()
        };
        let seen = keys.iter().zip(expiries).map(|((_, object), at)| {
            if at == ABSENT {
                return Ok(ObjectState::Absent);
            }
            look((*object, self.end), at, &mut replies, true)
        });
        seen.collect()
    }

    fn all_at_once(
        &mut self,
        keys: &[(String, ObjectKind)],
        with_lengths: bool,
    ) -> Result<Vec<ObjectState>, StoreError> {
        let mut batch = Batch::default();
        for (key, object) in keys {
            ask_expiry(&mut batch, key);
            ask_content(&mut batch, key, (*object, self.end), with_lengths);
        }
        let mut replies = self.session.run(&batch, DOING)?.into_iter();
        let seen = keys.iter().map(|(_, object)| {
            let at = expiry(replies.next().unwrap_or(Reply::Nil))?;
            let seen = look((*object, self.end), at, &mut replies, with_lengths)?;
            Ok(if at == ABSENT {
                ObjectState::Absent
            } else {
                seen
            })
        });
        seen.collect()
    }
}

fn ask_expiry(batch: &mut Batch, key: &str) {
    batch.push(&[b"PEXPIRETIME", key.as_bytes()]);
}

/// Whether values of this kind may be in gzip.
fn has_two_ends(object: ObjectKind) -> bool {
    matches!(
        object,
        ObjectKind::Page | ObjectKind::File | ObjectKind::Text
    )
}

/// The first and the last of the bytes that hold the digest, at this end of those that have two.
fn part(object: ObjectKind, end: End) -> (isize, isize) {
    let last = |bytes: usize| (-bytes.cast_signed(), -1);
    let first = |bytes: usize| (0, bytes.cast_signed() - 1);
    match (object, end) {
        (ObjectKind::Meta, _) => first(render::META_FILL_BYTES),
        (ObjectKind::Redirect, _) => first(REDIRECT_BYTES),
        (_, End::First) => first(render::GZIP_HEAD_BYTES),
        (ObjectKind::Page, End::Last) => last(render::PAGE_TAIL_BYTES),
        (_, End::Last) => last(render::FILE_TAIL_BYTES),
    }
}

/// The digest in that part of a value of so many `bytes`.
fn digest((object, end): (ObjectKind, End), part: &[u8], bytes: u64) -> Option<Digest> {
    match (object, end) {
        (ObjectKind::Meta, _) => render::meta_digest(part),
        (ObjectKind::Redirect, _) => Some(Digest::of_bytes(part)),
        // A value of another length was cut or extended.
        (_, End::First) => render::gzip_head(part)
            .filter(|(_, length)| *length == bytes)
            .map(|(digest, _)| digest),
        (ObjectKind::Page, End::Last) => render::page_digest(part),
        (_, End::Last) => render::file_digest(part),
    }
}

/// Whether the length is asked for in any case: a value in gzip says how long it is.
fn needs_length((object, end): (ObjectKind, End)) -> bool {
    end == End::First && has_two_ends(object)
}

/// Asks for the length, and for the bytes that hold the digest, and of a meta object the inputs.
fn ask_content(batch: &mut Batch, key: &str, (object, end): (ObjectKind, End), with_length: bool) {
    if with_length || needs_length((object, end)) {
        batch.push(&[b"STRLEN", key.as_bytes()]);
    }
    ask_part(batch, key, part(object, end));
}

fn ask_part(batch: &mut Batch, key: &str, (from, to): (isize, isize)) {
    let key = key.as_bytes();
    batch.push(&[
        b"GETRANGE",
        key,
        from.to_string().as_bytes(),
        to.to_string().as_bytes(),
    ]);
}

fn expiry(reply: Reply) -> Result<i64, StoreError> {
    match reply {
        Reply::Int(at) => Ok(at),
        other => other.fail(DOING),
    }
}

/// What a key holds that exists and expires at `expiry`, by the next of `replies`: its length, if that was asked
/// for, and a part of it.
fn look(
    (object, end): (ObjectKind, End),
    expiry: i64,
    replies: &mut impl Iterator<Item = Reply>,
    with_length: bool,
) -> Result<ObjectState, StoreError> {
    let mut next = || replies.next().unwrap_or(Reply::Nil);
    let length = match with_length || needs_length((object, end)) {
        true => next(),
        false => Reply::Int(0),
    };
    let part = next();
    let expires_at_ms = (expiry >= 0).then_some(expiry);
    let (length, part) = match (length, part) {
        (Reply::Int(length), Reply::Bulk(part)) => (length, part),
        // A foreign type: an update whose prior state is kept by DUMP.
        (Reply::Error { code, .. }, _) | (_, Reply::Error { code, .. }) if code == "WRONGTYPE" => {
            return Ok(ObjectState::Present {
                expires_at_ms,
                bytes: FOREIGN_BYTES,
                digest: None,
                inputs: None,
                fill: None,
                is_gzip: false,
                is_list: false,
                is_string: false,
            });
        }
        (error @ Reply::Error { .. }, _) | (_, error) => return error.fail(DOING),
    };
    let is_meta = object == ObjectKind::Meta;
    let digest = digest((object, end), &part, length.unsigned_abs());
    Ok(ObjectState::Present {
        expires_at_ms,
        bytes: length.unsigned_abs(),
        digest,
        is_gzip: digest.is_some() && end == End::First && has_two_ends(object),
        inputs: is_meta.then(|| Inputs::read(&part)).flatten(),
        fill: is_meta.then(|| render::meta_fill(&part)).flatten(),
        is_list: is_meta && render::is_list(&part),
        is_string: true,
    })
}
