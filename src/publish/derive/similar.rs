//! The similar posts of every page: what fills its hole.

use std::io;
use std::sync::PoisonError;

use rayon::prelude::*;
use serde_json::json;

use super::derivation::Derivation;
use crate::archive::{Scratch, Similar};
use crate::publish::plan::entry::{Entry, FillSpot, Need, Policy};
use crate::publish::reason::Reason;
use crate::publish::survey::batch::SurveyError;
use crate::publish::survey::read::{Again, SourceReader};
use crate::render::{Fill, SimilarPost};
use crate::source::Subset;

/// So many pages are rendered at once that change only since others did.
const TOGETHER: usize = 64;

/// Fills the holes of the pages that are written, and finds those that change since others did.
pub(super) fn fill(with: &Derivation<'_, '_>, entries: &mut [Entry]) -> Result<(), SurveyError> {
    if with.archive.terms.is_none() {
        return Ok(());
    }
    entries
        .par_iter_mut()
        .try_for_each_init(Scratch::default, |scratch, entry| {
            fill_entry(with, entry, scratch)
        })?;
    let again = entries.iter_mut();
    let mut again: Vec<&mut Entry> = again
        .filter(|entry| entry.reason == Some(Reason::Similar))
        .collect();
    again
        .par_chunks_mut(TOGETHER)
        .with_max_len(1)
        .try_for_each(|entries| render_again(with, entries))
}

fn fill_entry(
    with: &Derivation<'_, '_>,
    entry: &mut Entry,
    scratch: &mut Scratch,
) -> io::Result<()> {
    let Some(number) = with.archive.number_of(with.source(entry.source)) else {
        return Ok(());
    };
    let most = with.settings.archive.similar;
    let similar = with.archive.similar(number, most, scratch);
    let hash = with.archive.hash(&similar);
    match (entry.need, with.surveyor.policy) {
        (Need::Write, _) => {}
        (Need::Keep | Need::Refresh, _) if entry.fill == hash => return Ok(()),
        (Need::Keep | Need::Refresh, Policy::Import) => {
            entry.need = Need::Write;
            entry.reason = Some(Reason::Similar);
        }
        // What is stored can be read until an import.
        (Need::Keep | Need::Refresh, Policy::Warm(_)) => {
            entry.need = Need::Wait;
            return Ok(());
        }
        _ => return Ok(()),
    }
    entry.fill = hash;
    entry.fill_at = spool_fill(with, &similar)?;
    Ok(())
}

/// Puts what fills a hole into the spool.
fn spool_fill(with: &Derivation<'_, '_>, similar: &[Similar]) -> io::Result<FillSpot> {
    if similar.is_empty() {
        return Ok(FillSpot::default());
    }
    let Fill { section, json, .. } = made(with, similar)?;
    let offset = match &with.surveyor.spool {
        Some(spool) => spool
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&[section.as_bytes(), json.as_bytes()])?,
        None => 0,
    };
    let bytes = |text: &str| u32::try_from(text.len()).map_err(io::Error::other);
    Ok(FillSpot {
        offset,
        section_bytes: bytes(&section)?,
        json_bytes: bytes(&json)?,
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
