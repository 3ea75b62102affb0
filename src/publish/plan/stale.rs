//! Archive objects that the store holds and that are not made any more: the list of a value that no article
//! has, the feed of a folder that is gone.

use std::collections::{BTreeSet, HashSet};

use super::entry::{EntryKind, ObjectState};
use super::leftover::Leftover;
use super::scan::{scan_kind, stored_route};
use crate::archive::FilePath;
use crate::article::Route;
use crate::publish::keys::Keys;
use crate::publish::reason::Reason;
use crate::publish::shards::shard::Shard;
use crate::publish::survey::surveyor::Survey;
use crate::store::{Session, StoreError};

/// Finds those that `survey` does not make, as far as they belong to `share`. What names no digest of ours is
/// somebody else's.
///
/// # Errors
/// When the store fails.
pub(crate) fn stale(
    session: &mut Session,
    keys: &Keys,
    survey: &Survey,
    share: Option<Shard>,
) -> Result<Vec<Leftover>, StoreError> {
    let made = survey.entries.iter().chain(&survey.objects);
    let known = made.map(|entry| &entry.route).chain(&survey.elsewhere);
    let known: HashSet<&str> = known.map(Route::as_str).collect();
    let is_own = |route: &Route| share.is_none_or(|shard| shard.takes(route));
    let (mut pages, mut files) = (BTreeSet::new(), BTreeSet::new());
    session.on_each_master(&mut |one| {
        scan_kind(one, &keys.meta_prefix(), &mut |path| {
            let route = stored_route(path).filter(|route| !known.contains(route.as_str()));
            pages.extend(route.filter(is_own));
        })?;
        scan_kind(one, &keys.file_prefix(), &mut |path| {
            let file = FilePath::parse(path).map(|file| file.as_route());
            let file = file.filter(|file| !known.contains(file.as_str()));
            files.extend(file.filter(is_own));
        })
    })?;
    let lists = Leftover::lists(session, keys, &pages)?;
    let ours = |seen: ObjectState| seen.digest().map_or(ObjectState::Absent, |_| seen);
    let files = (EntryKind::File, &files);
    let files = Leftover::singles(session, keys, files, (ours, Reason::List))?;
    Ok(lists.into_iter().chain(files).collect())
}

/// The paths of all files and the routes of all redirects that the store has.
///
/// # Errors
/// When the store fails.
pub(crate) fn scan_singles(
    session: &mut Session,
    keys: &Keys,
) -> Result<[(EntryKind, BTreeSet<Route>); 2], StoreError> {
    let (mut files, mut redirects) = (BTreeSet::new(), BTreeSet::new());
    session.on_each_master(&mut |one| {
        scan_kind(one, &keys.file_prefix(), &mut |path| {
            files.extend(FilePath::parse(path).map(|file| file.as_route()));
        })?;
        scan_kind(one, &keys.redirect_prefix(), &mut |path| {
            redirects.extend(stored_route(path));
        })
    })?;
    Ok([(EntryKind::File, files), (EntryKind::Redirect, redirects)])
}
