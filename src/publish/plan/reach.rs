//! Which stored routes a survey can speak of.
//!
//! A stored route is in reach only if its folder, or one above it, holds a source. The root
//! counts for the routes directly below it alone, and so does a folder that exists without a
//! source: two trees under one prefix may share the folders above their articles. So an import
//! of another tree under the same prefix, or of a part of a tree, never prunes what it does not
//! know.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::AtomicBool;

use super::entry::EntryKind;
use super::leftover::Leftover;
use super::stored_article::ObjectState;
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::keys::Keys;
use crate::publish::reason::Reason;
use crate::publish::report::Report;
use crate::publish::survey::content::{stopped, walked};
use crate::publish::survey::routes;
use crate::publish::survey::surveyor::Survey;
use crate::settings::Settings;
use crate::source::{Caching, Tree};
use crate::store::Session;
use crate::time_limit::TimeLimit;
use crate::words::{counted, listed, with};

/// So many routes are named for people.
pub(crate) const NAMED: usize = 3;

/// Stored routes that may be of another tree: counted, and the first ones named.
#[derive(Default)]
pub(crate) struct OutOfReach {
    below_root: FirstRoutes,
    in_folders: FirstRoutes,
    hasher: RandomState,
}

/// Another tree may be large: of its routes, hashes are enough to count them.
#[derive(Default)]
pub(crate) struct FirstRoutes {
    hashes: HashSet<u64>,
    first: BTreeSet<Route>,
}

impl OutOfReach {
    /// Adds a route, which may have been added before.
    pub(crate) fn add(&mut self, route: Route) {
        let routes = match route.parent() {
            Some(folder) if !folder.is_root() => &mut self.in_folders,
            _ => &mut self.below_root,
        };
        routes.hashes.insert(self.hasher.hash_one(route.as_str()));
        routes.first.insert(route);
        if routes.first.len() > NAMED {
            routes.first.pop_last();
        }
    }

    /// Names the first of them, and says how to remove them.
    pub(crate) fn report(&self, report: &mut dyn Report) {
        for note in self.notes() {
            report.note(&note);
        }
    }

    fn notes(&self) -> Vec<String> {
        let places = [
            (
                &self.below_root,
                "directly below /, and the content root itself holds no article",
            ),
            (
                &self.in_folders,
                "in folders that the content tree does not have",
            ),
        ];
        let notes = places.into_iter().filter_map(|(routes, place)| {
            let first = routes.first.first()?;
            let number = routes.hashes.len() as u64;
            let names = routes.first.iter().map(ToString::to_string);
            Some(format!(
                "{} {} {place}: {}. Another tree may have published {them}, so --prune leaves \
                 {them}; to remove {}: anp purge {first}",
                counted(number, "published page"),
                with(number, "is", "are"),
                listed(names, routes.hashes.len()),
                with(number, "it", "one"),
                them = with(number, "it", "them"),
            ))
        });
        notes.collect()
    }
}

/// What a survey can speak of: the articles of the content tree, or of a part of it.
pub(crate) struct Scope<'a> {
    pub settings: &'a Settings,
    pub survey: &'a Survey,
    /// Archive objects that the store holds and that are not made any more.
    pub stale: &'a [Leftover],
    pub interrupted: &'a AtomicBool,
    pub time_limit: Option<TimeLimit>,
}

impl Scope<'_> {
    /// Whether pages out of reach are looked at, too: an article of this tree may have moved away from there.
    pub(crate) fn looks_far(&self) -> bool {
        self.settings.archive.redirects.is_some() && self.settings.part.is_none()
    }

    /// The routes of pages of lists, also of those that go.
    pub(crate) fn list_routes(&self) -> impl Iterator<Item = &Route> {
        let stale = self.stale.iter();
        let stale = stale.filter(|leftover| leftover.kind == EntryKind::List);
        let stale = stale.map(|leftover| &leftover.route);
        self.survey.list_routes().chain(stale)
    }

    /// Whether the survey would know `route` if its source were still there.
    pub(crate) fn reaches(&self, route: &Route) -> bool {
        let is_in_part = match &self.settings.part {
            None => true,
            // The page of the folder itself may come from a file beside it.
            Some(part) => Route::of_folder(part).is_ok_and(|folder| {
                let (route, folder) = (route.as_str(), folder.as_str());
                route != folder && route.starts_with(folder) && self.settings.sources().is_dir()
            }),
        };
        is_in_part && reaches(&self.survey.folders, &self.survey.bare_folders, route)
    }

    /// Takes from `routes` those of sources that are not in the part that was surveyed: two
    /// folders may have one route. Returns whether all of them could be read.
    pub(crate) fn drop_claimed(&self, routes: &mut BTreeSet<Route>) -> Result<bool, Failure> {
        let Some(part) = self.settings.part.as_deref().filter(|_| !routes.is_empty()) else {
            return Ok(true);
        };
        let everything = Settings {
            part: None,
            ..self.settings.clone()
        };
        let mut found = walked(&everything, self.interrupted, self.time_limit, Caching::Off)?;
        // Whatever folder it is in: its front matter may give it any route.
        let may_claim = |index: usize| !found.sources.path(index).starts_with(part);
        let may_claim: Vec<bool> = (0..found.sources.len()).map(may_claim).collect();
        found.sources.retain(|index| may_claim[index]);
        let tree = Tree {
            root: &self.settings.content,
            found: &found,
        };
        let rules = &self.settings.rules;
        let claimed = routes::claimed(&tree, rules, self.interrupted);
        let claimed = claimed.map_err(|error| stopped(&error))?;
        routes.retain(|route| !claimed.contains(route));
        Ok(found.skipped.iter().all(|skipped| !skipped.unreadable))
    }
}

/// Those of `routes` that the store holds objects of ours for: others name no digest.
pub(crate) fn ours(
    session: &mut Session,
    keys: &Keys,
    routes: &BTreeSet<Route>,
) -> Result<Vec<Leftover>, Failure> {
    let routes: Vec<&Route> = routes.iter().collect();
    let ours = |seen: ObjectState| seen.digest().map_or(ObjectState::Absent, |_| seen);
    let ours = (ours, Reason::Pruned);
    Leftover::whole(session, keys, &routes, ours).map_err(|error| Failure::before_writing(&error))
}

/// Whether `route` is in reach of the `folders` that hold sources, and of the `bare` ones that exist
/// without.
pub(crate) fn reaches(folders: &HashSet<Route>, bare: &HashSet<Route>, route: &Route) -> bool {
    // The index page of a folder has the route of the folder.
    if folders.contains(route) || bare.contains(route) {
        return true;
    }
    let Some(parent) = route.parent() else {
        return false;
    };
    if parent.is_root() || bare.contains(&parent) {
        return folders.contains(&parent) || bare.contains(&parent);
    }
    std::iter::successors(Some(parent), Route::parent)
        .take_while(|folder| !folder.is_root())
        .any(|folder| folders.contains(&folder))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{OutOfReach, reaches};
    use crate::article::Route;

    #[test]
    fn only_folders_of_the_tree_lead_to_a_route() {
        let folders: HashSet<Route> = ["/", "/redis-caching/", "/a/deep/"]
            .map(|path| Route::parse(path).unwrap())
            .into();
        let bare: HashSet<Route> = ["/bare/", "/a/"]
            .map(|path| Route::parse(path).unwrap())
            .into();
        let reached = |path: &str| reaches(&folders, &bare, &Route::parse(path).unwrap());
        assert!(reached("/redis-caching/old/"));
        assert!(reached("/redis-caching/gone-folder/old/"));
        assert!(reached("/in-the-root/"));
        assert!(reached("/a/deep/x/"));
        assert!(!reached("/other/x/"));
        assert!(reached("/bare/x/"));
        // Another tree may have folders there.
        assert!(!reached("/bare/gone-folder/x/"));
        assert!(reached("/a/x/"));
        assert!(!reached("/a/other/x/"));
        let without_root: HashSet<Route> = [Route::parse("/deploys/").unwrap()].into();
        let reached =
            |path: &str| reaches(&without_root, &HashSet::new(), &Route::parse(path).unwrap());
        assert!(reached("/deploys/"));
        assert!(!reached("/about/"));
    }

    #[test]
    fn what_is_out_of_reach_is_named_with_the_way_to_remove_it() {
        let mut routes = OutOfReach::default();
        assert!(routes.notes().is_empty());
        for path in ["/a/5/", "/a/1/", "/about/", "/a/4/", "/a/1/", "/a/2/"] {
            routes.add(Route::parse(path).unwrap());
        }
        assert_eq!(
            routes.notes(),
            [
                "1 published page is directly below /, and the content root itself holds no article: \
                 /about/. Another tree may have published it, so --prune leaves it; to remove it: \
                 anp purge /about/",
                "4 published pages are in folders that the content tree does not have: /a/1/, /a/2/, \
                 /a/4/ and 1 more. Another tree may have published them, so --prune leaves them; to \
                 remove one: anp purge /a/1/",
            ]
        );
    }
}
