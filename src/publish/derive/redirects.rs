//! Redirects from the aliases of articles, and what was withdrawn.

use super::Derivation;
use super::objects::{Numbers, Wanted};
use crate::archive::Redirect;
use crate::article::Route;
use crate::publish::plan::entry::{Entry, EntryKind};
use crate::publish::survey::batch::SurveyError;
use crate::render::Digest;

impl Derivation<'_, '_> {
    /// The redirects that sources ask for.
    pub(super) fn redirects(&self, number: &mut Numbers) -> Result<Vec<Entry>, SurveyError> {
        if self.settings.archive.redirects.is_none() {
            return Ok(Vec::new());
        }
        let (aliases, gone) = (&self.archive.aliases.routes, &self.archive.gone);
        let moved = aliases.iter().map(|(from, number)| {
            let to = self.archive.catalog.route(*number).clone();
            (from, Redirect::moved(to))
        });
        let gone = gone.iter().filter(|route| !aliases.contains_key(route));
        let gone = gone.map(|route| (route, Redirect::gone()));
        let wanted = moved.chain(gone).filter(|(from, _)| self.is_free(from));
        let wanted = wanted.map(|(from, redirect)| {
            let value = redirect.to_json();
            Wanted {
                number: number.next(),
                kind: EntryKind::Redirect,
                route: from.clone(),
                digest: Digest::of_bytes(&value),
                of: value,
            }
        });
        let wanted = wanted.collect();
        self.entries(wanted, |one| Ok((one.of.clone(), Vec::new())))
    }

    /// Whether a redirect may stand at `route`: this process writes it, and no page is there.
    fn is_free(&self, route: &Route) -> bool {
        self.is_own(route) && self.archive.lists.find(route).is_none()
    }
}
