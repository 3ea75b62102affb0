//! Articles that have another route than when they were published: their old route redirects to the new one.
//!
//! An old route is one that the store has a page for and no source claims. The article that was there is found
//! again by its `reference`, its `payload.source_id`, or its body, if just one article of the tree has that.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;

use super::entry::{Entry, EntryKind, Spot};
use super::leftover::Leftover;
use super::need::Need;
use super::stored_article::{ObjectState, StoredArticle};
use crate::archive::{ArticleIdentity, Redirect};
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::derive::archive::Archive;
use crate::publish::keys::{Keys, ObjectKind};
use crate::publish::reason::Reason;
use crate::publish::shards::shard::Shard;
use crate::publish::survey::stored::{Inspector, Likely};
use crate::publish::survey::surveyor::Survey;
use crate::spool::FinishedSpool;
use crate::store::{Batch, Reply, Session, StoreError};

/// So many old routes are looked at by one run.
const MOST: usize = 10_000;

/// So many values are read in one round trip.
const TOGETHER: usize = 64;

/// A longer meta object is not read.
const MOST_BYTES: u64 = 256 * 1024;

const DOING: &str = "looking for articles that moved";

/// Articles that moved: new routes by old ones.
pub(crate) type Moved = BTreeMap<Route, Route>;

/// Finds where the articles of `old` are now.
///
/// # Errors
/// When the store or the disk fails.
pub(crate) fn find(
    session: &mut Session,
    keys: &Keys,
    (archive, survey): (&Archive, &Survey),
    old: &[Leftover],
) -> Result<Moved, Failure> {
    let mut moved = Moved::new();
    if old.is_empty() {
        return Ok(moved);
    }
    let new = new_articles(archive, survey).map_err(|error| {
        Failure::state_folder("cannot read what the run kept of articles", &error)
    })?;
    let marks = marks(&new);
    if marks.is_empty() {
        return Ok(moved);
    }
    let old: Vec<&Leftover> = old
        .iter()
        .filter(|one| one.kind == EntryKind::Article && one.stored.meta.bytes() <= MOST_BYTES)
        .take(MOST)
        .collect();
    for some in old.chunks(TOGETHER) {
        let mut batch = Batch::default();
        for one in some {
            batch.push(&[b"GET", keys.meta(&one.route).as_bytes()]);
        }
        let replies = session.run(&batch, DOING);
        let replies = replies.map_err(|error| Failure::before_writing(&error))?;
        for (one, reply) in some.iter().zip(replies) {
            let Reply::Bulk(meta) = reply else {
                continue;
            };
            let Some(known) = ArticleIdentity::of_meta(&meta) else {
                continue;
            };
            let mut places = known.marks();
            let found = places.find_map(|mark| marks.get(&mark).copied().flatten());
            let found = found.filter(|number| new[number].agrees_with(known));
            if let Some(number) = found {
                let route = archive.route(number).clone();
                moved.insert(one.route.clone(), route);
            }
        }
    }
    Ok(moved)
}

/// The articles under routes that the store did not have, by number. Of the articles of other shards nobody
/// knows that; they count if this run read them.
fn new_articles(archive: &Archive, survey: &Survey) -> io::Result<HashMap<u32, ArticleIdentity>> {
    let stored = survey.entries.iter().filter(|entry| entry.stored() > 0);
    let stored: HashSet<&Route> = stored.map(|entry| &entry.route).collect();
    let read = archive.read_articles()?.into_iter();
    let new = read.filter(|(number, _)| !stored.contains(archive.route(*number)));
    Ok(new.collect())
}

/// These articles by what they are known by; nothing where several are known by it.
fn marks(new: &HashMap<u32, ArticleIdentity>) -> HashMap<(u8, u64), Option<u32>> {
    let mut marks = HashMap::new();
    for (number, identity) in new {
        for mark in identity.marks() {
            marks
                .entry(mark)
                .and_modify(|known| *known = None)
                .or_insert(Some(*number));
        }
    }
    marks
}

/// What becomes of redirects that the store has.
#[derive(Default)]
pub(crate) struct StoredRedirects {
    /// Those that lead somewhere else now.
    pub changed: Vec<Entry>,
    /// Those that go.
    pub removed: Vec<Leftover>,
}

/// The redirects of a run that are not made from sources.
pub(crate) struct Redirects<'a> {
    pub session: &'a mut Session,
    pub keys: &'a Keys,
    pub archive: &'a Archive,
    pub moved: &'a Moved,
    /// Routes that sources have without a page now: drafts, and sources that cannot be read.
    pub held: HashSet<&'a Route>,
    /// The routes of those that the store has.
    pub found: &'a BTreeSet<Route>,
    /// Those that are made from sources.
    pub made: &'a [Entry],
    /// Where values are put.
    pub spooled: Option<&'a FinishedSpool>,
    pub share: Option<Shard>,
    /// When those that are made now end, ms since 1970.
    pub until_ms: i64,
}

impl Redirects<'_> {
    /// The redirects from the old routes of articles that moved.
    pub(crate) fn of_moved(&mut self) -> Result<Vec<Entry>, Failure> {
        let is_own = |route: &Route| self.share.is_none_or(|shard| shard.takes(route));
        // Where a source asks for the redirect itself, that is made.
        let made = self.made_routes();
        let is_meant = |from: &Route| is_own(from) && !made.contains(from);
        let moved = self.moved.iter().filter(|(from, _)| is_meant(from));
        let moved: Vec<(&Route, &Route)> = moved.collect();
        let mut entries = Vec::new();
        for some in moved.chunks(TOGETHER) {
            let routes: Vec<&Route> = some.iter().map(|(from, _)| *from).collect();
            let mut inspector = Inspector {
                session: self.session,
                keys: self.keys,
            };
            let seen = inspector.inspect_one(ObjectKind::Redirect, &routes, Likely::Absent);
            let seen = seen.map_err(|error| Failure::before_writing(&error))?;
            for ((from, to), seen) in some.iter().zip(seen) {
                entries.push(self.entry(from, to, &seen, self.until_ms)?);
            }
        }
        Ok(entries)
    }

    fn entry(
        &self,
        from: &Route,
        to: &Route,
        seen: &ObjectState,
        until_ms: i64,
    ) -> Result<Entry, Failure> {
        let value = Redirect::moved(to.clone()).to_json();
        let kind = EntryKind::Redirect;
        let stored = StoredArticle::single(*seen);
        let mut entry = Entry::of_archive(kind, (u32::MAX, from.clone()), Need::Write, &stored);
        entry.expires_at_ms = until_ms;
        entry.reason = Some(Reason::Moved);
        let offset = self.spooled.map_or(Ok(0), |spool| spool.append(&value));
        let offset = offset
            .map_err(|error| Failure::state_folder("cannot write the spool of objects", &error))?;
        Ok(entry.at(Spot {
            offset,
            page_bytes: u32::try_from(value.len()).unwrap_or(u32::MAX),
            ..Spot::default()
        }))
    }

    /// What becomes of the redirects that the store has and that no source asks for: those that an article
    /// has replaced go, and those to a route without a page follow its article, or go too.
    pub(crate) fn stored(&mut self) -> Result<StoredRedirects, Failure> {
        let failed = |error: StoreError| Failure::before_writing(&error);
        let found = self.others();
        let mut stored = StoredRedirects::default();
        if found.is_empty() {
            return Ok(stored);
        }
        let pages: HashSet<&Route> = self.archive.routes().collect();
        for some in found.chunks(TOGETHER) {
            let routes: Vec<&Route> = some.iter().collect();
            let mut inspector = Inspector {
                session: self.session,
                keys: self.keys,
            };
            let seen = inspector.inspect_one(ObjectKind::Redirect, &routes, Likely::Stored);
            let seen = seen.map_err(failed)?;
            let mut batch = Batch::default();
            for route in some {
                batch.push(&[
                    b"GETRANGE",
                    self.keys.of(ObjectKind::Redirect, route).as_bytes(),
                    b"0",
                    b"4095",
                ]);
            }
            let values = self.session.run(&batch, DOING).map_err(failed)?;
            for ((route, seen), value) in some.iter().zip(seen).zip(values) {
                let Reply::Bulk(value) = value else {
                    continue;
                };
                let Some(redirect) = Redirect::parse(&value) else {
                    continue;
                };
                match redirect.to() {
                    _ if pages.contains(route) => stored.removed.push(removed(route, seen)),
                    None => {}
                    Some(to) if pages.contains(to) || self.held.contains(to) => {}
                    Some(to) => match self.moved.get(to) {
                        // Of one that never ends, too, the end is that of a new one.
                        Some(new) if new != route => {
                            let until_ms = seen.expires_at_ms().unwrap_or(self.until_ms);
                            stored
                                .changed
                                .push(self.entry(route, new, &seen, until_ms)?);
                        }
                        _ => stored.removed.push(removed(route, seen)),
                    },
                }
            }
        }
        Ok(stored)
    }

    /// The routes of redirects that are made from sources.
    fn made_routes(&self) -> HashSet<&'_ Route> {
        let made = self.made.iter();
        let made = made.filter(|one| one.kind == EntryKind::Redirect);
        made.map(|entry| &entry.route).collect()
    }

    /// The routes of these.
    fn others(&self) -> Vec<Route> {
        let made = self.made_routes();
        let others = self.found.iter();
        let others =
            others.filter(|route| !made.contains(route) && !self.moved.contains_key(route));
        others.cloned().collect()
    }
}

fn removed(route: &Route, seen: ObjectState) -> Leftover {
    Leftover {
        kind: EntryKind::Redirect,
        route: route.clone(),
        stored: StoredArticle::single(seen),
        reason: Reason::Links,
    }
}
