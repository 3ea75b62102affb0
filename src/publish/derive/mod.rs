//! What is made from many articles, once the survey knows them all: lists, feeds, the sitemap, and what
//! pages show of other articles.
//!
//! Everything is compared with the store before it is rendered, by digests of what decides it, so that a
//! night without changes renders nothing.

mod files;
mod list_pages;
mod objects;
mod texts;

use std::collections::HashSet;

use super::survey::batch::SurveyError;
use super::survey::surveyor::{Survey, Surveyor};
use crate::archive::{ArchiveSettings, Catalog, Lists};
use crate::article::Route;
use crate::settings::Settings;
use crate::source::Origin;

pub(crate) use texts::Texts;

/// What archive objects are made with.
pub(crate) struct Derivation<'d, 's> {
    pub surveyor: &'d Surveyor<'s>,
    pub origin: &'d dyn Origin,
    pub settings: &'d Settings,
    pub catalog: &'d Catalog,
    pub texts: &'d Texts<'d>,
}

impl Derivation<'_, '_> {
    /// Adds to `survey` what archive objects need.
    ///
    /// # Errors
    /// When the store or the disk fails, or the run has to end.
    pub(crate) fn add_to(&self, survey: &mut Survey) -> Result<(), SurveyError> {
        let lists = self.lists(survey);
        let made: HashSet<u32> = lists
            .all
            .iter()
            .filter_map(|list| list.section)
            .map(|section| self.catalog.articles()[section as usize].source)
            .collect();
        // Their pages are pages of lists.
        survey.entries.retain(|entry| !made.contains(&entry.source));
        survey.objects.extend(self.list_pages(&lists)?);
        survey.objects.extend(self.files(&lists)?);
        survey.lists_taken.clone_from(&lists.taken);
        let first = self.origin.count();
        for (entry, number) in survey.objects.iter_mut().zip(first..) {
            entry.source = u32::try_from(number).unwrap_or(u32::MAX);
        }
        Ok(())
    }

    fn lists(&self, survey: &Survey) -> Lists {
        let claimed: HashSet<&Route> = survey.claimed.iter().collect();
        match &self.archive().lists {
            Some(settings) => Lists::of(self.catalog, settings, |route| claimed.contains(route)),
            None => Lists::default(),
        }
    }

    fn archive(&self) -> &ArchiveSettings {
        &self.settings.archive
    }

    /// Whether this process writes what is at `route`.
    fn is_own(&self, route: &Route) -> bool {
        let share = self.surveyor.share;
        share.is_none_or(|share| share.shard.takes(route))
    }
}
