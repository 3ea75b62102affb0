//! Archive objects against the store: which are written, refreshed or kept.

use std::io;

use rayon::prelude::*;

use super::derivation::Derivation;
use crate::article::{Lifetime, Route};
use crate::publish::keys::ObjectKind;
use crate::publish::plan::entry::{Entry, EntryKind};
use crate::publish::plan::need::{Filling, Made, Need, need};
use crate::publish::plan::stored_article::StoredArticle;
use crate::publish::reason::Reason;
use crate::publish::survey::batch::SurveyError;
use crate::publish::survey::stored::Likely;
use crate::render::{Compression, Digest};

/// So many objects are compared in one round trip, and held in memory once they are rendered.
const TOGETHER: usize = 256;

/// Counts archive objects: each has a number behind those of the sources.
pub(super) struct Numbers(u32);

impl Numbers {
    /// The numbers behind those of so many sources.
    pub(super) fn behind(sources: usize) -> Self {
        Self(u32::try_from(sources).unwrap_or(u32::MAX))
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u32 {
        let next = self.0;
        self.0 = self.0.saturating_add(1);
        next
    }
}

/// An archive object as it is to be.
pub(super) struct Wanted<T> {
    /// Its number.
    pub number: u32,
    pub kind: EntryKind,
    pub route: Route,
    /// What decides it.
    pub digest: Digest,
    /// What it is made from.
    pub of: T,
}

/// How archive objects live: as long as articles that do not say how long.
const LIFETIME: Lifetime = Lifetime {
    ttl_ms: None,
    until_ms: i64::MAX,
};

/// Compares what is `wanted` and meant with the store, and renders with `make` what is to be written: its page, and
/// its meta object if it has one.
pub(super) fn entries<T: Sync>(
    with: &Derivation<'_, '_>,
    mut wanted: Vec<Wanted<T>>,
    make: impl Fn(&Wanted<T>) -> Result<(Vec<u8>, Vec<u8>), SurveyError> + Sync,
) -> Result<Vec<Entry>, SurveyError> {
    if let Some(numbers) = with.numbers {
        wanted.retain(|one| numbers.contains(&one.number));
    }
    let mut entries = Vec::with_capacity(wanted.len());
    for some in wanted.chunks(TOGETHER) {
        with.surveyor.goes_on()?;
        let states = seen(with, some)?;
        let needs = some
            .iter()
            .zip(&states)
            .map(|(one, seen)| need_of(with, one, seen));
        let needs: Vec<Need> = needs.collect();
        let made: Vec<_> = some
            .par_iter()
            .zip(&needs)
            .map(|(one, need)| match need {
                Need::Write => make(one).map(Some),
                _ => Ok(None),
            })
            .collect::<Result<_, _>>()?;
        for (((one, seen), need), made) in some.iter().zip(states).zip(needs).zip(made) {
            entries.push(entry(with, one, &seen, need, made)?);
        }
    }
    Ok(entries)
}

fn seen<T>(
    with: &Derivation<'_, '_>,
    some: &[Wanted<T>],
) -> Result<Vec<StoredArticle>, SurveyError> {
    let routes: Vec<&Route> = some.iter().map(|one| &one.route).collect();
    let kind = some.first().map(|one| one.kind);
    let single = match kind {
        Some(EntryKind::File) => ObjectKind::File,
        Some(EntryKind::Redirect) => ObjectKind::Redirect,
        _ => return Ok((with.surveyor).inspect_pages((&routes, false), Likely::Stored)?),
    };
    let states = with.surveyor.inspect_one(single, &routes)?;
    Ok(states.into_iter().map(StoredArticle::single).collect())
}

fn need_of<T>(with: &Derivation<'_, '_>, one: &Wanted<T>, stored: &StoredArticle) -> Need {
    let made = Made {
        base: one.digest,
        fill: Filling::Known(0),
    };
    let stored = compared(one, stored);
    let when = (&with.surveyor.expiry, &one.route);
    need(with.surveyor.policy, &stored, made, when, LIFETIME)
}

/// What an object is compared by: what has one alone, by that.
fn compared<T>(one: &Wanted<T>, stored: &StoredArticle) -> StoredArticle {
    match one.kind.objects() {
        [_] => StoredArticle {
            meta: stored.page,
            ..*stored
        },
        _ => *stored,
    }
}

fn entry<T>(
    with: &Derivation<'_, '_>,
    one: &Wanted<T>,
    stored: &StoredArticle,
    need: Need,
    made: Option<(Vec<u8>, Vec<u8>)>,
) -> io::Result<Entry> {
    let route = one.route.clone();
    let place = with.numbers.and_then(|numbers| {
        let place = numbers.iter().position(|number| *number == one.number);
        place.and_then(|place| u32::try_from(place).ok())
    });
    let source = place.unwrap_or(one.number);
    let mut entry = Entry::of_archive(one.kind, (source, route), need, stored);
    entry.expires_at_ms = with.surveyor.expiry.of(&one.route, LIFETIME);
    let compared = compared(one, stored);
    let reason = with.surveyor.reason(need, &compared, LIFETIME, None);
    let was_gzip = stored.page.is_gzip();
    let is_gzip = with.surveyor.renderer.compression() == Compression::Gzip;
    entry.reason = match reason {
        Some(Reason::Changed) => Some(match one.kind {
            EntryKind::Redirect => Reason::Links,
            _ if was_gzip != is_gzip => Reason::Settings,
            _ => Reason::List,
        }),
        reason => reason,
    };
    Ok(match made {
        Some((page, meta)) => entry.at(with.surveyor.spool_object(&page, &meta)?),
        None => entry,
    })
}
