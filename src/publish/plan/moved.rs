//! Articles that have another route than when they were published: their old route redirects to the new one.
//!
//! An old route is one that the store has a page for and no source claims. The article that was there is found
//! again by its `reference`, its `payload.source_id`, or its body, if just one article of the tree has that. If
//! it is withdrawn under its new route, it is withdrawn under the old one too.

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
use crate::render::Digest;
use crate::spool::FinishedSpool;
use crate::store::{Batch, Reply, Session, StoreError};

/// So many old routes are looked at by one run.
const MOST: usize = 10_000;

/// So many values are read in one round trip.
const TOGETHER: usize = 64;

/// A longer meta object is not read.
const MOST_BYTES: u64 = 256 * 1024;

const DOING: &str = "looking for articles that moved";

/// Articles that moved: new routes by old ones; none for those that are withdrawn.
pub(crate) type Moved = BTreeMap<Route, Option<Route>>;

/// Where the articles of `old` are now, as an earlier run found out that could not remove their pages: it wrote
/// their redirects first. The store has redirects at the routes `found`.
///
/// # Errors
/// When the store fails.
pub(crate) fn announced(
    session: &mut Session,
    keys: &Keys,
    (archive, survey): (&Archive, &Survey),
    old: &[Leftover],
    found: &BTreeSet<Route>,
) -> Result<Moved, Failure> {
    let made = made_routes(&survey.objects);
    let old = old.iter().map(|one| &one.route);
    let old: Vec<&Route> = old
        .filter(|route| found.contains(*route) && !made.contains(route))
        .collect();
    let mut redirects: Vec<(&Route, Option<Route>)> = Vec::new();
    for some in old.chunks(TOGETHER) {
        let read = read(session, keys, some)?.into_iter();
        let ours = read.filter(|(_, seen, redirect)| is_ours(seen, redirect));
        redirects.extend(ours.map(|(route, _, redirect)| (route, redirect.to().cloned())));
    }
    let targets: HashSet<&Route> = redirects.iter().filter_map(|(_, to)| to.as_ref()).collect();
    let articles = archive.article_routes();
    let there: HashSet<&Route> = articles.filter(|route| targets.contains(route)).collect();
    let moved = redirects.iter();
    let moved = moved.filter(|(_, to)| to.as_ref().is_none_or(|to| there.contains(to)));
    Ok(moved
        .map(|(from, to)| ((*from).clone(), to.clone()))
        .collect())
}

/// Whether a run of anp made a redirect. One of another program has other bytes, or never ends.
fn is_ours(seen: &ObjectState, redirect: &Redirect) -> bool {
    let digest = Digest::of_bytes(&redirect.to_json());
    let is_status = matches!(redirect.status(), 301 | 410);
    is_status && seen.digest() == Some(digest) && seen.expires_at_ms().is_some()
}

/// The routes of redirects that are made from sources.
fn made_routes(made: &[Entry]) -> HashSet<&Route> {
    let made = made.iter();
    let made = made.filter(|one| one.kind == EntryKind::Redirect);
    made.map(|entry| &entry.route).collect()
}

/// Finds where the articles of `old` are now. Of those that are withdrawn, the store has the pages of
/// `withdrawn`.
///
/// # Errors
/// When the store or the disk fails.
pub(crate) fn find(
    session: &mut Session,
    keys: &Keys,
    (archive, survey): (&Archive, &Survey),
    (old, withdrawn): (&[Leftover], &[Leftover]),
) -> Result<Moved, Failure> {
    let mut moved = Moved::new();
    if old.is_empty() {
        return Ok(moved);
    }
    let mut new = new_articles(archive, survey).map_err(|error| {
        Failure::state_folder("cannot read what the run kept of articles", &error)
    })?;
    new.extend(withdrawn_articles(survey, withdrawn));
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
            let found = found.map(|at| new[at]);
            let found = found.filter(|new| new.identity.agrees_with(known));
            if let Some(new) = found {
                let route = new.number.map(|number| archive.route(number).clone());
                moved.insert(one.route.clone(), route);
            }
        }
    }
    Ok(moved)
}

/// An article that an old page may be of.
#[derive(Clone, Copy)]
struct NewArticle {
    /// Its number; none if it is withdrawn.
    number: Option<u32>,
    identity: ArticleIdentity,
}

/// The articles under routes that the store did not have. Of the articles of other shards nobody knows that;
/// they count if this run read them.
fn new_articles(archive: &Archive, survey: &Survey) -> io::Result<Vec<NewArticle>> {
    let stored = survey.entries.iter().filter(|entry| entry.stored() > 0);
    let stored: HashSet<&Route> = stored.map(|entry| &entry.route).collect();
    let read = archive.read_articles()?.into_iter();
    let new = read.filter(|(number, _)| !stored.contains(archive.route(*number)));
    let new = new.map(|(number, identity)| NewArticle {
        number: Some(number),
        identity,
    });
    Ok(new.collect())
}

/// The articles that are withdrawn. The body tells only of those that are withdrawn since the last run: another
/// article may have had the same.
fn withdrawn_articles<'s>(
    survey: &'s Survey,
    stored: &'s [Leftover],
) -> impl Iterator<Item = NewArticle> {
    let objects = survey.objects.iter();
    let answered = objects.filter(|one| one.kind == EntryKind::Redirect && one.stored() > 0);
    let known = answered.map(|one| &one.route);
    let known: HashSet<&Route> = known.chain(stored.iter().map(|one| &one.route)).collect();
    survey.withdrawn.iter().map(move |one| NewArticle {
        number: None,
        identity: ArticleIdentity {
            body: match known.contains(&one.route) {
                true => 0,
                false => one.identity.body,
            },
            ..one.identity
        },
    })
}

/// The places of these articles by what they are known by; nothing where several are known by it, unless all of
/// them are withdrawn.
fn marks(new: &[NewArticle]) -> HashMap<(u8, u64), Option<usize>> {
    let mut marks: HashMap<(u8, u64), Option<usize>> = HashMap::new();
    for (at, one) in new.iter().enumerate() {
        for mark in one.identity.marks() {
            let known = marks.entry(mark).or_insert(Some(at));
            let same = known
                .filter(|known| *known == at || (new[*known].number, one.number) == (None, None));
            *known = same;
        }
    }
    marks
}

/// Why the old page of an article goes that is at `to` now; none if it is withdrawn.
pub(crate) fn reason(to: Option<&Route>) -> Reason {
    to.map_or(Reason::Withdrawn, |_| Reason::Moved)
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

impl<'a> Redirects<'a> {
    /// The redirects from the old routes of articles that moved.
    pub(crate) fn of_moved(&mut self) -> Result<Vec<Entry>, Failure> {
        let is_own = |route: &Route| self.share.is_none_or(|shard| shard.takes(route));
        // Where a source asks for the redirect itself, that is made.
        let made = made_routes(self.made);
        let is_meant = |from: &Route| is_own(from) && !made.contains(from);
        let moved = self.moved.iter().filter(|(from, _)| is_meant(from));
        let moved: Vec<(&Route, &Option<Route>)> = moved.collect();
        let mut entries = Vec::new();
        for some in moved.chunks(TOGETHER) {
            let routes: Vec<&Route> = some.iter().map(|(from, _)| *from).collect();
            let mut inspector = Inspector::new(self.session, self.keys);
            let seen = inspector.inspect_one(ObjectKind::Redirect, &routes, Likely::Absent);
            let seen = seen.map_err(|error| Failure::before_writing(&error))?;
            for ((from, to), seen) in some.iter().zip(seen) {
                entries.push(self.entry(from, to.as_ref(), &seen, self.until_ms)?);
            }
        }
        Ok(entries)
    }

    fn entry(
        &self,
        from: &Route,
        to: Option<&Route>,
        seen: &ObjectState,
        until_ms: i64,
    ) -> Result<Entry, Failure> {
        let redirect = to.map_or_else(Redirect::gone, |to| Redirect::moved(to.clone()));
        let value = redirect.to_json();
        let kind = EntryKind::Redirect;
        let stored = StoredArticle::single(*seen);
        let mut entry = Entry::of_archive(kind, (u32::MAX, from.clone()), Need::Write, &stored);
        entry.expires_at_ms = until_ms;
        entry.reason = Some(reason(to));
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
        let found = self.others();
        let mut stored = StoredRedirects::default();
        if found.is_empty() {
            return Ok(stored);
        }
        let pages: HashSet<&Route> = self.archive.routes().collect();
        for some in found.chunks(TOGETHER) {
            let read = read(self.session, self.keys, some)?;
            for (route, seen, redirect) in read {
                match redirect.to() {
                    _ if pages.contains(route) => {
                        stored.removed.push(removed(route, seen, Reason::Links));
                    }
                    None => {}
                    Some(to) if pages.contains(to) || self.held.contains(to) => {}
                    Some(to) => match self.moved.get(to) {
                        // Of one that never ends, too, the end is that of a new one.
                        Some(new) if new.as_ref() != Some(route) => {
                            let until_ms = seen.expires_at_ms().unwrap_or(self.until_ms);
                            let entry = self.entry(route, new.as_ref(), &seen, until_ms)?;
                            stored.changed.push(entry);
                        }
                        _ => stored.removed.push(removed(route, seen, Reason::Links)),
                    },
                }
            }
        }
        Ok(stored)
    }

    /// The routes of these.
    fn others(&self) -> Vec<&'a Route> {
        let made = made_routes(self.made);
        let others = self.found.iter();
        let others =
            others.filter(|route| !made.contains(route) && !self.moved.contains_key(route));
        others.collect()
    }
}

/// Those of the redirects at `found` routes that runs of anp made, where no redirects are made any more.
///
/// # Errors
/// When the store fails.
pub(crate) fn unmade(
    session: &mut Session,
    keys: &Keys,
    found: &BTreeSet<Route>,
) -> Result<Vec<Leftover>, Failure> {
    let found: Vec<&Route> = found.iter().collect();
    let mut unmade = Vec::new();
    for some in found.chunks(TOGETHER) {
        let read = read(session, keys, some)?.into_iter();
        let ours = read.filter(|(_, seen, redirect)| is_ours(seen, redirect));
        unmade.extend(ours.map(|(route, seen, _)| removed(route, seen, Reason::Pruned)));
    }
    Ok(unmade)
}

/// The redirects that the store has at these routes, each with its state. What is no redirect is left out.
///
/// # Errors
/// When the store fails.
pub(crate) fn read<'r>(
    session: &mut Session,
    keys: &Keys,
    routes: &[&'r Route],
) -> Result<Vec<(&'r Route, ObjectState, Redirect)>, Failure> {
    if routes.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |error: StoreError| Failure::before_writing(&error);
    let kind = ObjectKind::Redirect;
    let seen = Inspector::new(session, keys).inspect_one(kind, routes, Likely::Stored);
    let seen = seen.map_err(failed)?;
    let mut batch = Batch::default();
    for route in routes {
        batch.push(&[b"GETRANGE", keys.of(kind, route).as_bytes(), b"0", b"4095"]);
    }
    let values = session.run(&batch, DOING).map_err(failed)?;
    let read = routes.iter().zip(seen).zip(values);
    let read = read.filter_map(|((route, seen), value)| match value {
        Reply::Bulk(value) => Some((*route, seen, Redirect::parse(&value)?)),
        _ => None,
    });
    Ok(read.collect())
}

fn removed(route: &Route, seen: ObjectState, reason: Reason) -> Leftover {
    Leftover {
        kind: EntryKind::Redirect,
        route: route.clone(),
        stored: StoredArticle::single(seen),
        reason,
    }
}
