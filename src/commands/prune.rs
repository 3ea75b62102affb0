//! `--prune`: what the store holds under the folders of the content tree, and the tree no
//! longer has.
//!
//! A stored route is in reach only if its folder, or one above it, holds a source. The root
//! counts for the routes directly below it alone, and so does a folder that exists without a
//! source: two trees under one prefix may share the folders above their articles. So an import
//! of another tree under the same prefix, or of a part of a tree, never prunes what it does not
//! know.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::AtomicBool;

use super::plan::Leftover;
use super::survey::{stopped, walked};
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::plan::{Keys, Seen};
use crate::publish::time_limit::TimeLimit;
use crate::report::log;
use crate::settings::Settings;
use crate::source::{self, Selection, Survey, Tree};
use crate::store::{OneMaster, Reply, Session, StoreError};
use crate::words::{counted, listed, with};

/// What pruning would do.
#[derive(Default)]
pub(super) struct Pruning {
    /// Routes to be removed, sorted.
    pub leftovers: Vec<Leftover>,
    /// Stored routes that are not in reach, and stay.
    pub out_of_reach: OutOfReach,
    /// Number of stored routes in reach.
    pub in_reach: u64,
    /// Why nothing is removed, if that is so.
    pub withheld: Option<String>,
}

/// So many routes are named for people.
pub(super) const NAMED: usize = 3;

/// Stored routes that may be of another tree: counted, and the first ones named.
#[derive(Default)]
pub(super) struct OutOfReach {
    below_root: FirstRoutes,
    in_folders: FirstRoutes,
    hasher: RandomState,
}

/// Another tree may be large: of its routes, hashes are enough to count them.
#[derive(Default)]
struct FirstRoutes {
    hashes: HashSet<u64>,
    first: BTreeSet<Route>,
}

impl OutOfReach {
    /// Adds a route, which may have been added before.
    pub(super) fn add(&mut self, route: Route) {
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
    pub(super) fn report(&self) {
        for note in self.notes() {
            log::note(note);
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
pub(super) struct Scope<'a> {
    pub settings: &'a Settings,
    pub survey: &'a Survey,
    pub interrupted: &'a AtomicBool,
    pub time_limit: Option<TimeLimit>,
}

impl Pruning {
    /// Finds what to remove.
    ///
    /// # Errors
    /// 65 and 130 when the run has to end, 69 and 77 when the store fails.
    pub(super) fn plan(
        scope: &Scope<'_>,
        session: &mut Session,
        keys: &Keys,
    ) -> Result<Self, Failure> {
        let survey = scope.survey;
        let withheld = |why: String| Self {
            withheld: Some(format!("--prune removes nothing while {why}")),
            ..Self::default()
        };
        // What was skipped may stand for an article too.
        let broken = survey.invalid + survey.skipped;
        if broken > 0 {
            return Ok(withheld(format!(
                "{} {} invalid, unreadable or skipped",
                counted(broken, "source"),
                with(broken, "is", "are")
            )));
        }
        let own = survey.entries.iter().map(|entry| &entry.route);
        let known: HashSet<&Route> = own.chain(&survey.elsewhere).collect();
        let stored = scan(session, keys).map_err(|error| Failure::before_writing(&error))?;
        let mut pruning = Self::default();
        let mut candidates = BTreeSet::new();
        for route in stored {
            if !scope.reaches(&route) {
                // Of what is outside of a part, nothing is said.
                if scope.settings.part.is_none() {
                    pruning.out_of_reach.add(route);
                }
                continue;
            }
            pruning.in_reach += 1;
            if !known.contains(&route) {
                candidates.insert(route);
            }
        }
        if !scope.drop_claimed(&mut candidates)? {
            return Ok(withheld(
                "files or folders of the content root cannot be read".to_owned(),
            ));
        }
        pruning.leftovers = ours(session, keys, &candidates)?;
        Ok(pruning)
    }
}

/// Those of `routes` that the store holds objects of ours for: others name no digest.
pub(super) fn ours(
    session: &mut Session,
    keys: &Keys,
    routes: &BTreeSet<Route>,
) -> Result<Vec<Leftover>, Failure> {
    let routes: Vec<&Route> = routes.iter().collect();
    let ours = |seen: Seen| seen.digest().map_or(Seen::Absent, |_| seen);
    Leftover::all(session, keys, &routes, ours).map_err(|error| Failure::before_writing(&error))
}

impl Scope<'_> {
    /// Whether the survey would know `route` if its source were still there.
    pub(super) fn reaches(&self, route: &Route) -> bool {
        let is_in_part = match &self.settings.part {
            None => true,
            // The page of the folder itself may come from a file beside it.
            Some(part) => Route::new(&part.join("index.md"), None).is_ok_and(|folder| {
                let (route, folder) = (route.as_str(), folder.as_str());
                route != folder && route.starts_with(folder) && self.settings.sources().is_dir()
            }),
        };
        is_in_part && reaches(&self.survey.folders, &self.survey.bare_folders, route)
    }

    /// Takes from `routes` those of sources that are not in the part that was surveyed: two
    /// folders may have one route. Returns whether all of them could be read.
    pub(super) fn drop_claimed(&self, routes: &mut BTreeSet<Route>) -> Result<bool, Failure> {
        let Some(part) = self.settings.part.as_deref().filter(|_| !routes.is_empty()) else {
            return Ok(true);
        };
        let everything = Settings {
            part: None,
            ..self.settings.clone()
        };
        let mut found = walked(&everything, self.interrupted, self.time_limit)?;
        let folders: HashSet<Route> = routes.iter().filter_map(Route::parent).collect();
        let may_claim = |index: usize| {
            let folder = found.sources.folder(index);
            // The index page of a folder has the route of the folder.
            let route = Route::new(&folder.join("index.md"), None);
            !found.sources.path(index).starts_with(part)
                && route.is_ok_and(|route| folders.contains(&route) || routes.contains(&route))
        };
        let may_claim: Vec<bool> = (0..found.sources.len()).map(may_claim).collect();
        found.sources.retain(|index| may_claim[index]);
        let tree = Tree {
            root: &self.settings.content,
            found: &found,
        };
        let claimed = source::routes(&tree, &Selection::default(), self.interrupted);
        let claimed = claimed.map_err(|error| stopped(&error))?.all;
        routes.retain(|route| !claimed.contains(route));
        Ok(found.skipped.iter().all(|skipped| !skipped.unreadable))
    }
}

/// Whether `route` is in reach of the `folders` that hold sources, and of the `bare` ones that exist
/// without.
fn reaches(folders: &HashSet<Route>, bare: &HashSet<Route>, route: &Route) -> bool {
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

/// The routes that the store holds a page or a meta object for.
pub(super) fn scan(session: &mut Session, keys: &Keys) -> Result<BTreeSet<Route>, StoreError> {
    let mut routes = BTreeSet::new();
    let mut known = None;
    loop {
        let masters = session.on_each_master(&mut |one| {
            for kind in [keys.page_prefix(), keys.meta_prefix()] {
                scan_kind(one, &kind, &mut |path| {
                    routes.extend(stored_route(path));
                })?;
            }
            Ok(())
        })?;
        // A slot may have moved from a master that was still to be asked to one that had been.
        if masters.len() == 1 || known == Some(routes.len()) {
            return Ok(routes);
        }
        known = Some(routes.len());
    }
}

/// The route of a key with this path behind its kind, if it is one of ours.
pub(super) fn stored_route(path: &str) -> Option<Route> {
    let route = Route::parse(path).ok()?;
    (route.as_str() == path).then_some(route)
}

/// Hands what follows `kind` in the keys that begin with it, on one master, to `each`: some of
/// them more than once.
pub(super) fn scan_kind(
    one: &mut OneMaster<'_>,
    kind: &str,
    each: &mut dyn FnMut(&str),
) -> Result<(), StoreError> {
    let doing = "looking for stored articles (SCAN)";
    let pattern = format!("{kind}/*");
    let mut cursor = "0".to_owned();
    loop {
        let command: [&[u8]; 6] = [
            b"SCAN",
            cursor.as_bytes(),
            b"MATCH",
            pattern.as_bytes(),
            b"COUNT",
            b"1000",
        ];
        one.goes_on(doing)?;
        let reply = one.command(&command, doing)?;
        let Reply::Array(parts) = &reply else {
            return reply.fail(doing);
        };
        let (Some(next), Some(Reply::Array(found))) =
            (parts.first().and_then(Reply::text), parts.get(1))
        else {
            return reply.fail(doing);
        };
        for key in found {
            if let Some(path) = key.text().and_then(|key| key.strip_prefix(kind)) {
                each(path);
            }
        }
        cursor = next.to_owned();
        if cursor == "0" {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::{OutOfReach, reaches, scan};
    use crate::article::Route;
    use crate::publish::plan::Keys;
    use crate::store::{Batch, Interrupt, Master, Patience, Reply, Session, Store, StoreError};

    /// Two masters, and a slot that moves to the first while the second is looked through.
    struct Moving {
        scans: usize,
    }

    impl Store for Moving {
        fn send(&mut self, _: &Batch) -> Result<Vec<Reply>, StoreError> {
            unreachable!()
        }

        fn masters(&self) -> Vec<Master> {
            let master = |name: &str| Master {
                name: name.to_owned(),
                share: 0.5,
                is_used: true,
            };
            vec![master("a"), master("b")]
        }

        fn send_to(&mut self, master: usize, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
            self.scans += 1;
            let is_page = String::from_utf8_lossy(batch.bytes()).contains("anp:page:");
            let has_moved = self.scans > 2;
            let keys = match master {
                0 if has_moved && is_page => vec![Reply::Bulk(b"anp:page:/moved/".to_vec())],
                _ => Vec::new(),
            };
            let end = Reply::Bulk(b"0".to_vec());
            Ok(vec![Reply::Array(vec![end, Reply::Array(keys)])])
        }
    }

    #[test]
    fn what_moves_while_masters_are_looked_through_is_found_all_the_same() {
        let patience = Patience {
            timeout: Duration::from_secs(1),
            deadline: Duration::ZERO,
        };
        let mut session = Session::new(Box::new(Moving { scans: 0 }), patience, Interrupt::never());
        let found = scan(&mut session, &Keys::new("anp")).unwrap();
        let found: Vec<&str> = found.iter().map(Route::as_str).collect();
        assert_eq!(found, ["/moved/"]);
    }

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
