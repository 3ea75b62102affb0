//! `--prune`: what the store holds under the folders of the content tree, and the tree no
//! longer has.
//!
//! A stored route is in reach only if a folder of the tree leads to it: its own folder or one
//! above it. The root leads to the routes that stand in it directly, not to everything. So
//! an import of another tree under the same prefix, or of a part of a tree, never prunes
//! what it does not know.

use std::collections::{BTreeSet, HashSet};

use super::plan::Leftover;
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::plan::{Keys, Seen};
use crate::source::Survey;
use crate::store::{OneMaster, Reply, Session, StoreError};

/// What pruning would do.
#[derive(Default)]
pub(super) struct Pruning {
    /// Routes to be removed, sorted.
    pub leftovers: Vec<Leftover>,
    /// Stored routes that no folder of the tree leads to, and that stay.
    pub out_of_reach: u64,
    /// Stored routes that it does lead to.
    pub in_reach: u64,
    /// Why nothing is removed, if that is so.
    pub withheld: Option<String>,
}

/// Finds what to remove.
///
/// # Errors
/// 69 and 77 when the store fails.
pub(super) fn plan(
    survey: &Survey,
    session: &mut Session,
    keys: &Keys,
) -> Result<Pruning, Failure> {
    // What was skipped may stand for an article too.
    let broken = survey.invalid + survey.skipped;
    if broken > 0 {
        return Ok(Pruning {
            withheld: Some(format!(
                "--prune removes nothing while {broken} sources are invalid or unreadable"
            )),
            ..Pruning::default()
        });
    }
    let own = survey.entries.iter().map(|entry| &entry.route);
    let known: HashSet<&Route> = own.chain(&survey.elsewhere).collect();
    let stored = scan(session, keys).map_err(|error| Failure::before_writing(&error))?;
    let mut pruning = Pruning::default();
    let mut candidates = Vec::new();
    for route in &stored {
        if !reaches(&survey.folders, route) {
            pruning.out_of_reach += 1;
            continue;
        }
        pruning.in_reach += 1;
        if !known.contains(route) {
            candidates.push(route);
        }
    }
    // What does not name a digest is none of ours.
    let ours = |seen: Seen| seen.digest().map_or(Seen::Absent, |_| seen);
    pruning.leftovers = Leftover::all(session, keys, &candidates, ours)
        .map_err(|error| Failure::before_writing(&error))?;
    Ok(pruning)
}

/// Whether a folder of the tree leads to `route`.
fn reaches(folders: &HashSet<Route>, route: &Route) -> bool {
    match route.parent() {
        // The index page of a folder stands in the root, but belongs to its folder.
        Some(parent) if parent.is_root() => folders.contains(&parent) || folders.contains(route),
        Some(parent) => std::iter::successors(Some(parent), Route::parent)
            .take_while(|folder| !folder.is_root())
            .any(|folder| folders.contains(&folder)),
        None => folders.contains(route),
    }
}

/// The routes that the store holds a page or a meta object for.
pub(super) fn scan(session: &mut Session, keys: &Keys) -> Result<BTreeSet<Route>, StoreError> {
    let mut routes = BTreeSet::new();
    let mut known = None;
    loop {
        let masters = session.on_each_master(&mut |one| {
            for kind in [keys.page_prefix(), keys.meta_prefix()] {
                scan_kind(one, &kind, &mut routes)?;
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

/// The routes of the keys that begin with `kind`, on one master.
fn scan_kind(
    one: &mut OneMaster<'_>,
    kind: &str,
    routes: &mut BTreeSet<Route>,
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
            let path = key.text().and_then(|key| key.strip_prefix(kind));
            if let Some(path) = path
                && let Ok(route) = Route::parse(path)
                && route.as_str() == path
            {
                routes.insert(route);
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

    use super::{reaches, scan};
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
        let reached = |path: &str| reaches(&folders, &Route::parse(path).unwrap());
        assert!(reached("/redis-caching/old/"));
        assert!(reached("/redis-caching/gone-folder/old/"));
        assert!(reached("/in-the-root/"));
        assert!(reached("/a/deep/x/"));
        assert!(!reached("/other/x/"));
        assert!(!reached("/a/x/"));
        let without_root: HashSet<Route> = [Route::parse("/deploys/").unwrap()].into();
        assert!(reaches(&without_root, &Route::parse("/deploys/").unwrap()));
        assert!(!reaches(&without_root, &Route::parse("/about/").unwrap()));
    }
}
