//! Redirects from the aliases of articles, and what was withdrawn.

use super::derivation::Derivation;
use super::objects::{self, Numbers, Wanted};
use crate::archive::Redirect;
use crate::article::Route;
use crate::publish::plan::entry::{Entry, EntryKind};
use crate::publish::survey::batch::SurveyError;
use crate::render::Digest;

/// The redirects that sources ask for.
pub(super) fn entries(
    with: &Derivation<'_, '_>,
    number: &mut Numbers,
) -> Result<Vec<Entry>, SurveyError> {
    if with.settings.archive.redirects.is_none() {
        return Ok(Vec::new());
    }
    let (aliases, gone) = (&with.archive.aliases.routes, &with.archive.gone);
    let moved = aliases.iter().map(|(from, number)| {
        let to = with.archive.catalog.route(*number).clone();
        (from, Redirect::moved(to))
    });
    let gone = gone.iter().filter(|route| !aliases.contains_key(route));
    let gone = gone.map(|route| (route, Redirect::gone()));
    let wanted = moved.chain(gone).filter(|(from, _)| is_free(with, from));
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
    objects::entries(with, wanted, |one| Ok((one.of.clone(), Vec::new())))
}

/// Whether a redirect may stand at `route`: this process writes it, and no page is there.
fn is_free(with: &Derivation<'_, '_>, route: &Route) -> bool {
    with.is_own(route) && with.archive.lists.owner(route).is_none()
}
