//! Archive objects that the store holds and that are not made any more: the list of a value that no article
//! has, the feed of a folder that is gone. So are texts of articles that have none any more.

use std::collections::{BTreeSet, HashSet};

use super::entry::EntryKind;
use super::leftover::Leftover;
use super::scan::{scan_kind, scan_while, stored_route};
use super::stored_article::ObjectState;
use crate::archive::FilePath;
use crate::article::Route;
use crate::publish::keys::{Keys, ObjectKind};
use crate::publish::reason::Reason;
use crate::publish::shards::shard::Shard;
use crate::publish::survey::surveyor::Survey;
use crate::store::{Session, StoreError};

/// What the store has of archive objects besides those that a survey makes.
#[derive(Default)]
pub(crate) struct StoredArchive {
    /// Lists, files and texts that are not made any more.
    pub stale: Vec<Leftover>,
    /// The routes of all redirects.
    pub redirects: BTreeSet<Route>,
}

/// Looks through the store once, for what belongs to `share`. What names no digest of ours belongs to another
/// program, and stays. `has_texts`: articles have texts.
///
/// # Errors
/// When the store fails.
pub(crate) fn stored_archive(
    session: &mut Session,
    keys: &Keys,
    (survey, has_texts): (&Survey, bool),
    share: Option<Shard>,
) -> Result<StoredArchive, StoreError> {
    let entries = survey.entries.iter().map(|entry| &entry.route);
    let pages = entries.chain(&survey.elsewhere).chain(survey.list_routes());
    let made_files = survey.objects.iter();
    let made_files = made_files.filter(|entry| entry.kind == EntryKind::File);
    // The path of a file is the route of no page.
    let known = pages.chain(made_files.map(|entry| &entry.route));
    let known: HashSet<&str> = known.map(Route::as_str).collect();
    let is_own = |route: &Route| share.is_none_or(|shard| shard.takes(route));
    let is_unknown = |route: &Route| !known.contains(route.as_str()) && is_own(route);
    let with_text: HashSet<&str> = match has_texts {
        true => articles(survey).map(Route::as_str).collect(),
        false => HashSet::new(),
    };
    let is_textless = |route: &Route| !with_text.contains(route.as_str()) && is_own(route);
    let (mut lists, mut files, mut redirects) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut texts = BTreeSet::new();
    let (meta, file, redirect, text) = (
        keys.meta_prefix(),
        keys.prefix_of(ObjectKind::File),
        keys.prefix_of(ObjectKind::Redirect),
        keys.prefix_of(ObjectKind::Text),
    );
    // Of the two objects of a list, the meta says what it is.
    let pattern = format!("{}[mfrt]*:/*", keys.prefix());
    session.on_each_master(&mut |one| {
        scan_while(one, &pattern, &mut |key| {
            if let Some(path) = key.strip_prefix(&meta) {
                lists.extend(stored_route(path).filter(is_unknown));
            } else if let Some(path) = key.strip_prefix(&file) {
                let file = FilePath::parse(path).map(|file| file.as_route());
                files.extend(file.filter(is_unknown));
            } else if let Some(path) = key.strip_prefix(&redirect) {
                redirects.extend(stored_route(path).filter(is_own));
            } else if let Some(path) = key.strip_prefix(&text) {
                texts.extend(stored_route(path).filter(is_textless));
            }
            true
        })
        .map(drop)
    })?;
    let lists = Leftover::lists(session, keys, &lists)?;
    let ours = |seen: ObjectState| seen.digest().map_or(ObjectState::Absent, |_| seen);
    let files = (EntryKind::File, &files);
    let files = Leftover::singles(session, keys, files, (ours, Reason::List))?;
    let reason = match has_texts {
        true => {
            keep_with_pages(session, keys, survey, &mut texts)?;
            Reason::List
        }
        false => Reason::Settings,
    };
    let texts = (EntryKind::Text, &texts);
    let texts = Leftover::singles(session, keys, texts, (ours, reason))?;
    Ok(StoredArchive {
        stale: lists.into_iter().chain(files).chain(texts).collect(),
        redirects,
    })
}

/// The routes of the articles that have a text where any has: the front pages of lists have none.
fn articles(survey: &Survey) -> impl Iterator<Item = &Route> {
    let articles = survey.entries.iter();
    let articles = articles.filter(|entry| entry.kind == EntryKind::Article);
    let articles = articles.map(|entry| &entry.route);
    articles.chain(&survey.elsewhere)
}

/// Takes those out of `texts` that stay: the text of an article that this tree does not know stays with its
/// page.
fn keep_with_pages(
    session: &mut Session,
    keys: &Keys,
    survey: &Survey,
    texts: &mut BTreeSet<Route>,
) -> Result<(), StoreError> {
    let sections = survey.entries.iter();
    let sections = sections.filter(|entry| entry.kind == EntryKind::Section);
    let lists = sections.map(|entry| &entry.route);
    let lists: HashSet<&Route> = lists.chain(survey.list_routes()).collect();
    let unknown: Vec<&Route> = texts.iter().filter(|text| !lists.contains(text)).collect();
    let seen = (|seen: ObjectState| seen, Reason::List);
    let stored = Leftover::all(session, keys, (&unknown, false), seen)?;
    for one in stored {
        texts.remove(&one.route);
    }
    Ok(())
}

/// The paths of all files, and the routes of all redirects and texts that the store has.
///
/// # Errors
/// When the store fails.
pub(crate) fn scan_singles(
    session: &mut Session,
    keys: &Keys,
) -> Result<[(EntryKind, BTreeSet<Route>); 3], StoreError> {
    let (mut files, mut redirects) = (BTreeSet::new(), BTreeSet::new());
    let mut texts = BTreeSet::new();
    session.on_each_master(&mut |one| {
        scan_kind(one, &keys.prefix_of(ObjectKind::File), &mut |path| {
            files.extend(FilePath::parse(path).map(|file| file.as_route()));
        })?;
        scan_kind(one, &keys.prefix_of(ObjectKind::Redirect), &mut |path| {
            redirects.extend(stored_route(path));
        })?;
        scan_kind(one, &keys.prefix_of(ObjectKind::Text), &mut |path| {
            texts.extend(stored_route(path));
        })
    })?;
    Ok([
        (EntryKind::File, files),
        (EntryKind::Redirect, redirects),
        (EntryKind::Text, texts),
    ])
}
