//! The similar posts of every page: what fills its hole.

use std::io;

use rayon::prelude::*;
use serde_json::json;

use super::derivation::Derivation;
use super::known_fills::{KnownFills, UNKNOWN};
use crate::archive::{Scratch, Similar};
use crate::publish::plan::entry::{Entry, FillSpot};
use crate::publish::plan::need::{Need, Policy};
use crate::publish::reason::Reason;
use crate::publish::survey::batch::SurveyError;
use crate::publish::survey::read::{Again, SourceReader};
use crate::render::{Fill, SimilarPost};
use crate::source::{Caching, Subset};

/// Of so many entries, what was found is in memory at once.
const FILLED_TOGETHER: usize = 16 * 1024;

/// So many pages are rendered at once that change only since others did.
const TOGETHER: usize = 64;

/// Fills the holes of the pages that are written, and finds those that change since others did.
pub(super) fn fill(with: &Derivation<'_, '_>, entries: &mut [Entry]) -> Result<(), SurveyError> {
    if !with.archive.has_similar() {
        return Ok(());
    }
    let mut known = known(with);
    let mut is_new = false;
    for some in entries.chunks_mut(FILLED_TOGETHER) {
        let fills = known.as_ref().map_or(&[][..], |known| &known.fills);
        let found: Vec<Option<(u32, u64)>> = some
            .par_iter_mut()
            .map_init(Scratch::default, |scratch, entry| {
                fill_entry(with, entry, fills, scratch)
            })
            .collect::<io::Result<_>>()?;
        if let Some(known) = &mut known {
            is_new |= known.learn(found.into_iter().flatten());
        }
    }
    if let Some(known) = known.filter(|_| is_new && with.caching == Caching::Write) {
        // Without it, the next run works a little longer.
        let _ = known.save();
    }
    with.archive.forget_terms();
    let again = entries.iter_mut();
    let mut again: Vec<&mut Entry> = again
        .filter(|entry| entry.reason == Some(Reason::Similar))
        .collect();
    again
        .par_chunks_mut(TOGETHER)
        .with_max_len(1)
        .try_for_each(|entries| render_again(with, entries))
}

/// What the last run knew of the lists of these articles. Of a part of them, nobody keeps anything.
fn known(with: &Derivation<'_, '_>) -> Option<KnownFills> {
    let is_whole = with.numbers.is_none() && with.surveyor.share.is_none();
    if !is_whole || with.caching == Caching::Off {
        return None;
    }
    let decisive = [
        &with.archive.similar_fingerprint[..],
        &with.settings.archive.similar.to_le_bytes(),
    ]
    .concat();
    let (folder, catalog) = (&with.settings.state_dir, &with.archive.catalog);
    Some(KnownFills::read(folder, catalog, &decisive))
}

/// Decides what an entry needs by what fills its page, and returns its number with the hash of that. Of the
/// first articles, what fills them is in `fills`.
fn fill_entry(
    with: &Derivation<'_, '_>,
    entry: &mut Entry,
    fills: &[u64],
    scratch: &mut Scratch,
) -> io::Result<Option<(u32, u64)>> {
    let Some(number) = with.archive.number_of(with.source(entry.source)) else {
        return Ok(None);
    };
    let known = fills.get(number as usize).copied();
    let mut similar = None;
    let mut find = || -> io::Result<Vec<Similar>> {
        let terms = with.archive.terms()?;
        Ok(terms.similar(number, with.settings.archive.similar, scratch))
    };
    let hash = match known.filter(|fill| *fill != UNKNOWN) {
        Some(fill) => fill,
        None => with.archive.hash(similar.insert(find()?)),
    };
    let found = Some((number, hash));
    match (entry.need, with.surveyor.policy) {
        (Need::Write, _) => {}
        (Need::Keep | Need::Refresh, _) if entry.fill == hash => return Ok(found),
        (Need::Keep | Need::Refresh, Policy::Import) => {
            entry.need = Need::Write;
            entry.reason = Some(Reason::Similar);
        }
        // What is stored can be read until an import.
        (Need::Keep | Need::Refresh, Policy::Warm(_)) => {
            entry.need = Need::Wait;
            return Ok(found);
        }
        _ => return Ok(found),
    }
    entry.fill = hash;
    let similar = similar.map_or_else(find, Ok)?;
    entry.fill_at = spool_fill(with, &similar)?;
    Ok(found)
}

/// Puts what fills a hole into the spool.
fn spool_fill(with: &Derivation<'_, '_>, similar: &[Similar]) -> io::Result<FillSpot> {
    if similar.is_empty() {
        return Ok(FillSpot::default());
    }
    let Fill { section, json, .. } = made(with, similar)?;
    let parts = [section.as_bytes(), json.as_bytes()];
    let (offset, [mut section_bytes, json_bytes]) = with.surveyor.append(parts)?;
    if with.surveyor.spool.is_none() {
        // Nobody will compress the page with it: this is about what it adds to that.
        let compression = with.surveyor.renderer.compression();
        section_bytes = compression.part_bytes(section.as_bytes());
    }
    Ok(FillSpot {
        offset,
        section_bytes,
        json_bytes,
    })
}

fn made(with: &Derivation<'_, '_>, similar: &[Similar]) -> io::Result<Fill> {
    let posts = similar.iter().map(|post| {
        let listing = with
            .texts()
            .of(&with.archive.catalog.articles()[post.place as usize])?;
        Ok(SimilarPost {
            route: with.archive.catalog.route(post.place).clone(),
            title: listing.title,
            date: listing.date,
        })
    });
    let posts: Vec<SimilarPost> = posts.collect::<io::Result<_>>()?;
    let section = with.surveyor.renderer.similar_section(&posts);
    let json = posts
        .iter()
        .map(|post| json!({ "route": post.route.as_str(), "title": post.title }));
    let json = serde_json::Value::Array(json.collect());
    Ok(Fill {
        hash: 0,
        section: section.map_err(io::Error::other)?,
        json: json.to_string(),
    })
}

/// Renders the pages of `entries`, whose sources did not change. What changed meanwhile stays as it is
/// until the next run, which finds it changed.
fn render_again(with: &Derivation<'_, '_>, entries: &mut [&mut Entry]) -> Result<(), SurveyError> {
    with.surveyor.goes_on()?;
    let numbers: Vec<u32> = entries.iter().map(|entry| entry.source).collect();
    let subset = Subset {
        origin: with.origin,
        numbers: &numbers,
    };
    let reader = SourceReader {
        surveyor: with.surveyor,
        origin: &subset,
    };
    for (place, entry) in entries.iter_mut().enumerate() {
        match reader.render_again(place)? {
            Some(Again { spot, holes }) => {
                entry.set_spot(spot);
                entry.holes = holes;
            }
            None => {
                entry.need = Need::Wait;
                entry.reason = None;
            }
        }
    }
    Ok(())
}
