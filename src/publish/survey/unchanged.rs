//! The part of the survey that needs no file: what the cache knows is compared with the store.

use std::ops::Range;
use std::path::Path;

use super::batch::{Chunk, Other, Owner, SurveyError, UnreadSource, number};
use super::ownership::{leave, owner_of};
use super::stored::Likely;
use super::surveyor::Surveyor;
use crate::archive::{ArticleIdentity, Draft};
use crate::article::{Follower, Held, Links};
use crate::publish::plan::entry::Entry;
use crate::publish::plan::need::{Need, need};
use crate::publish::plan::stored_article::{ObjectState, StoredArticle};
use crate::source::{Cache, Hit, Known, Origin, Said, SourceState};

/// A source that is meant and did not change.
struct Meant {
    index: usize,
    hit: Hit,
    known: Known,
    links: Links,
    /// What lists say of it.
    listed: Option<Draft>,
    said: Said,
}

/// Puts into `chunk` what is known of the sources of a `batch`. Returns the others, which
/// must be read: unknown ones, and those that are to be rendered.
pub(crate) fn recall(
    surveyor: &Surveyor<'_>,
    cache: &Cache,
    origin: &dyn Origin,
    batch: Range<usize>,
    chunk: &mut Chunk,
) -> Result<Vec<UnreadSource>, SurveyError> {
    let mut unread = Vec::new();
    let mut hits: Vec<Hit> = Vec::with_capacity(batch.len());
    let mut meant: Vec<Meant> = Vec::with_capacity(batch.len());
    let mut elsewhere = Vec::new();
    for index in batch {
        let relative = origin.relative(index);
        match find(cache, origin, (index, &relative)) {
            None => unread.push(UnreadSource { index, asked: None }),
            Some((hit, known, said)) => {
                if let Some(why) = surveyor.held(&known.visibility) {
                    match identity_of(surveyor, cache, (&known, why)) {
                        Some(identity) => {
                            chunk.hold_back(index, why, (&known.route, identity));
                            chunk.say(origin, index, said);
                            hits.push(hit);
                        }
                        None => unread.push(UnreadSource { index, asked: None }),
                    }
                    continue;
                }
                let listed = match &surveyor.listings {
                    Some(listings) => listings.recall(index, cache, &known).map(Some),
                    None => Some(None),
                };
                let Some(listed) = listed else {
                    unread.push(UnreadSource { index, asked: None });
                    continue;
                };
                let Some(links) = links(surveyor, origin, &relative, &known) else {
                    unread.push(UnreadSource { index, asked: None });
                    continue;
                };
                let source = number(index);
                match owner_of(surveyor, &known.route, &relative, None, &mut chunk.busy) {
                    Owner::Own => meant.push(Meant {
                        index,
                        hit,
                        known,
                        links,
                        listed,
                        said,
                    }),
                    Owner::Elsewhere { .. } => {
                        chunk.listed.extend(listed);
                        chunk.links.add(source, &links, false);
                        elsewhere.push((index, known.route, known.digest, known.lifetime));
                        chunk.say(origin, index, said);
                        hits.push(hit);
                    }
                    owner @ Owner::Nobody => {
                        chunk.listed.extend(listed);
                        chunk.links.add(source, &links, false);
                        chunk.others.push(Other {
                            index,
                            route: known.route,
                            owner,
                        });
                        chunk.say(origin, index, said);
                        hits.push(hit);
                    }
                }
            }
        }
    }
    leave(surveyor, elsewhere, Likely::Stored, chunk)?;
    let routes: Vec<_> = meant.iter().map(|one| &one.known.route).collect();
    // Most did not change since they were written, and are there.
    let mut seen = surveyor.inspect(&routes, surveyor.likely)?;
    if surveyor.likely == Likely::Unchanged {
        look_again(surveyor, &meant, &mut seen)?;
    }
    for (one, stored) in meant.into_iter().zip(seen) {
        let Meant {
            index,
            hit,
            known,
            links,
            listed,
            said,
        } = one;
        let need = need_of(surveyor, index, &known, &stored)?;
        if need == Need::Write {
            let asked = Some((known.route, stored));
            unread.push(UnreadSource { index, asked });
            continue;
        }
        hits.push(hit);
        chunk.say(origin, index, said);
        chunk.listed.extend(listed);
        chunk.links.add(number(index), &links, false);
        let entry = entry(surveyor, index, known, need, &stored);
        chunk.entries.push(entry);
    }
    cache.note(&hits, Vec::new());
    unread.sort_unstable_by_key(|unread| unread.index);
    Ok(unread)
}

/// What an unchanged article needs.
fn need_of(
    surveyor: &Surveyor<'_>,
    index: usize,
    known: &Known,
    stored: &StoredArticle,
) -> Result<Need, SurveyError> {
    if surveyor.keeps_lists && stored.meta.is_list() {
        return Ok(Need::Keep);
    }
    let made = surveyor.made(index, known.digest)?;
    let when = (&surveyor.expiry, &known.route);
    Ok(need(surveyor.policy, stored, made, when, known.lifetime))
}

/// Asks for the lengths of what will not stay as it is.
fn look_again(
    surveyor: &Surveyor<'_>,
    meant: &[Meant],
    seen: &mut [StoredArticle],
) -> Result<(), SurveyError> {
    let has_no_length = |seen: &ObjectState| *seen != ObjectState::Absent && seen.bytes() == 0;
    let mut places = Vec::new();
    for (place, one) in meant.iter().enumerate() {
        if !seen[place].objects().any(has_no_length) {
            continue;
        }
        if need_of(surveyor, one.index, &one.known, &seen[place])? != Need::Keep {
            places.push(place);
        }
    }
    let routes: Vec<_> = places
        .iter()
        .map(|place| &meant[*place].known.route)
        .collect();
    let again = surveyor.inspect(&routes, Likely::Stored)?;
    for (place, stored) in places.into_iter().zip(again) {
        seen[place] = stored;
    }
    Ok(())
}

/// What is known of a source, and to be said of it: by the state of its file, or, if that is another, by its
/// bytes.
fn find(
    cache: &Cache,
    origin: &dyn Origin,
    (index, relative): (usize, &Path),
) -> Option<(Hit, Known, Said)> {
    let identity = origin.identity(index)?;
    let found = cache.find(relative, identity).or_else(|| {
        let may_be_same = origin.has_files() && cache.has(relative);
        let source = may_be_same.then(|| origin.load(index))?;
        let settled = source.settled();
        let state = SourceState::of(settled, &source.bytes.ok()?, true);
        cache.find_content(relative, state)
    });
    let (hit, known) = found?;
    Some((hit, known, cache.said(hit)?))
}

/// What an article that is held back is known by, where that is asked; none if its source has to be read for
/// that.
fn identity_of(
    surveyor: &Surveyor<'_>,
    cache: &Cache,
    (known, why): (&Known, Held),
) -> Option<ArticleIdentity> {
    match &surveyor.listings {
        Some(listings) if why == Held::Withdrawn => listings.identity(cache, known),
        _ => Some(ArticleIdentity::default()),
    }
}

/// An unchanged article, which is not rendered.
fn entry(
    surveyor: &Surveyor<'_>,
    index: usize,
    known: Known,
    need: Need,
    stored: &StoredArticle,
) -> Entry {
    let lifetime = known.lifetime;
    let expires_at_ms = surveyor.expiry.of(&known.route, lifetime);
    let mut entry = Entry::new(number(index), known.route, need, stored);
    if need == Need::Refresh {
        entry.reason = surveyor.reason(need, stored, lifetime, None);
    }
    entry.expires_at_ms = expires_at_ms;
    entry.rank = surveyor.order.rank(known.ranks);
    entry.is_noindex = known.visibility.is_noindex;
    entry
}

/// The links of an unchanged source; none if a source that it links to has another route now.
fn links(
    surveyor: &Surveyor<'_>,
    origin: &dyn Origin,
    relative: &Path,
    known: &Known,
) -> Option<Links> {
    if known.links.is_empty() {
        return Some(Links::default());
    }
    let follower = Follower {
        relative,
        route: &known.route,
        targets: &surveyor.targets(origin),
    };
    let links = Links::again(&known.links, &follower);
    (links.routes == known.linked_routes).then_some(links)
}
