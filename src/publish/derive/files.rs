//! Feeds and the sitemap.

use super::Derivation;
use super::objects::Numbers;
use crate::publish::plan::entry::Entry;
use crate::publish::survey::batch::SurveyError;

impl Derivation<'_, '_> {
    /// All files.
    pub(super) fn files(&self, _number: &mut Numbers) -> Result<Vec<Entry>, SurveyError> {
        Ok(Vec::new())
    }
}
