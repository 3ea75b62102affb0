//! What is made from many articles, once the survey knows them all: lists, feeds, the sitemap, and what
//! pages show of other articles.
//!
//! Everything is compared with the store before it is rendered, by digests of what decides it, so that a
//! night without changes renders nothing.

pub(crate) mod archive;
mod derivation;
mod files;
mod known_fills;
mod list_pages;
mod llms_txt;
mod objects;
mod redirects;
mod similar;
mod texts;

use std::collections::HashSet;

use super::survey::batch::SurveyError;
use super::survey::surveyor::Survey;
use crate::article::Route;
use crate::publish::plan::entry::Entry;
use archive::Archive;
use files::Files;
use list_pages::ListPages;
use objects::Numbers;

pub(crate) use derivation::Derivation;

/// Takes over which lists and redirects there are.
pub(crate) fn set_lists(archive: &mut Archive, survey: &mut Survey) {
    archive.lists = std::mem::take(&mut survey.lists);
    archive.aliases = std::mem::take(&mut survey.aliases);
    let claimed: HashSet<&Route> = survey.claimed.iter().collect();
    let gone = survey.withdrawn_routes();
    let gone = gone.filter(|route| !claimed.contains(route)).cloned();
    archive.gone = gone.collect();
    if !archive.gone.is_empty() {
        for route in archive.catalog.routes() {
            archive.gone.remove(route);
        }
    }
}

/// Adds archive objects to `objects`, and to the `entries` of articles what their pages show of others.
///
/// # Errors
/// When the store or the disk fails, or the run has to end.
pub(crate) fn derive(
    with: &Derivation<'_, '_>,
    entries: &mut Vec<Entry>,
    objects: &mut Vec<Entry>,
) -> Result<(), SurveyError> {
    if with.surveyor.store.is_none() {
        // Nobody asks what they need.
        return Ok(());
    }
    let lists = with.archive.lists.all.iter();
    let sections = lists.filter_map(|list| list.section);
    let sections: HashSet<u32> = sections
        .map(|section| with.archive.catalog.articles()[section as usize].source)
        .collect();
    // Their pages are pages of lists.
    entries.retain(|entry| !sections.contains(&with.source(entry.source)));
    similar::fill(with, entries)?;
    // A selection of articles is no archive.
    if with.surveyor.selection.is_empty() {
        let mut numbers = Numbers::behind(with.archive.sources);
        let lists = ListPages { with };
        let (lists_made, sections): (Vec<Entry>, Vec<Entry>) = lists
            .entries(&mut numbers)?
            .into_iter()
            .partition(|entry| entry.kind.is_archive());
        entries.extend(sections);
        entries.sort_by_key(|entry| entry.source);
        objects.extend(lists_made);
        objects.extend(Files { with, lists }.entries(&mut numbers)?);
        objects.extend(redirects::entries(with, &mut numbers)?);
    }
    Ok(())
}
