//! What is made from many articles, once the survey knows them all: lists, feeds, the sitemap, and what
//! pages show of other articles.
//!
//! Everything is compared with the store before it is rendered, by digests of what decides it, so that a
//! night without changes renders nothing.

pub(crate) mod archive;
mod files;
mod list_pages;
mod objects;
mod redirects;
mod similar;
mod texts;

use std::collections::HashSet;

use super::survey::batch::SurveyError;
use super::survey::surveyor::{Survey, Surveyor};
use crate::archive::Lists;
use crate::article::Route;
use crate::publish::plan::entry::Entry;
use crate::settings::Settings;
use crate::source::Origin;

use objects::Numbers;
use texts::Texts;

use archive::Archive;

/// What archive objects are made with.
pub(crate) struct Derivation<'d, 's> {
    pub surveyor: &'d Surveyor<'s>,
    pub origin: &'d dyn Origin,
    pub settings: &'d Settings,
    pub archive: &'d Archive,
    /// The sources of `origin` and the archive objects that are meant, by number; none: all.
    pub numbers: Option<&'d [u32]>,
}

/// Decides which lists and redirects there are. Pages of folders that have a list become pages of lists.
pub(crate) fn set_lists(archive: &mut Archive, settings: &Settings, survey: &mut Survey) {
    let claimed: HashSet<&Route> = survey.claimed.iter().collect();
    let is_claimed = |route: &Route| claimed.contains(route);
    archive.lists = match &settings.archive.lists {
        Some(settings) => Lists::of(&archive.catalog, settings, is_claimed),
        None => Lists::default(),
    };
    survey.lists_taken.clone_from(&archive.lists.taken);
    archive.aliases = std::mem::take(&mut survey.aliases);
    let articles: HashSet<&Route> = archive.catalog.routes().iter().collect();
    let is_free = |route: &&Route| !articles.contains(route) && !claimed.contains(route);
    let gone = survey.withdrawn.iter().filter(is_free).cloned();
    archive.gone = gone.collect();
}

impl Derivation<'_, '_> {
    /// Adds archive objects to `objects`, and to the `entries` of articles what their pages show of others.
    ///
    /// # Errors
    /// When the store or the disk fails, or the run has to end.
    pub(crate) fn add_to(
        &self,
        entries: &mut Vec<Entry>,
        objects: &mut Vec<Entry>,
    ) -> Result<(), SurveyError> {
        let lists = self.archive.lists.all.iter();
        let sections = lists.filter_map(|list| list.section);
        let made: HashSet<u32> = sections
            .map(|section| self.archive.catalog.articles()[section as usize].source)
            .collect();
        entries.retain(|entry| !made.contains(&self.source(entry.source)));
        self.fill(entries)?;
        // A selection of articles is no archive.
        if self.surveyor.selection.is_empty() {
            objects.extend(self.objects()?);
        }
        Ok(())
    }

    /// All archive objects that this process writes, in the order in which they are written.
    fn objects(&self) -> Result<Vec<Entry>, SurveyError> {
        let mut numbers = Numbers::behind(self.archive.sources);
        let mut objects = self.list_pages(&mut numbers)?;
        objects.extend(self.files(&mut numbers)?);
        objects.extend(self.redirects(&mut numbers)?);
        Ok(objects)
    }

    fn texts(&self) -> Texts<'_> {
        self.archive.texts()
    }

    /// The number of a source, of which `origin` may have some alone.
    fn source(&self, number: u32) -> u32 {
        let numbers = self.numbers;
        numbers.map_or(number, |numbers| numbers[number as usize])
    }

    /// Whether this process writes what is at `route`.
    fn is_own(&self, route: &Route) -> bool {
        let share = self.surveyor.share;
        share.is_none_or(|share| share.shard.takes(route))
    }
}
