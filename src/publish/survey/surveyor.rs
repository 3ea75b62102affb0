//! What a survey works with, and what it found.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::batch::{SurveyError, Withdrawn};
use super::findings::CodeCount;
use super::held_back::HeldBack;
use super::listings::Listings;
use super::selection::Selection;
use super::stored::{Inspector, Likely};
use super::targets::{LinkedRoutes, SurveyTargets};
use crate::archive::{Aliases, Catalog, Lists};
use crate::article::{Admits, Cleaned, Held, Lifetime, Route, Rules, Visibility};
use crate::diagnostic::Diagnostic;
use crate::publish::derive::archive::{Archive, ArchiveAgain};
use crate::publish::keys::ObjectKind;
use crate::publish::plan::cause::reason;
use crate::publish::plan::entry::{Entry, EntryKind, Spot};
use crate::publish::plan::expiry::Expiry;
use crate::publish::plan::need::{Filling, Made, Need, Policy};
use crate::publish::plan::stored_article::{ObjectState, StoredArticle};
use crate::publish::reason::Reason;
use crate::publish::shards::shard::Shard;
use crate::render::{Digest, Inputs, Rendered, Renderer, Stamp};
use crate::source::{Cache, Order, Origin, PassedOver, WalkError, goes_on};
use crate::spool::Spool;
use crate::store::StoreError;
use crate::time_limit::TimeLimit;

/// The part of the articles that one process writes.
#[derive(Clone, Copy, Debug)]
pub struct OwnShare {
    /// Which ones.
    pub shard: Shard,
    /// Whether it is to be known of the others, too, if they changed.
    pub counts_changes: bool,
}

/// What a survey works with.
pub struct Surveyor<'a> {
    /// How strict the boundary is.
    pub rules: &'a Rules,
    /// What is published although it is held back by default.
    pub admits: Admits,
    /// Renders what changed.
    pub renderer: &'a Renderer,
    /// What the meta objects say of the run.
    pub stamp: Stamp<'a>,
    /// When objects expire.
    pub expiry: Expiry,
    /// What decides what is written.
    pub policy: Policy,
    /// The articles that are meant; the others only keep the routes they claim.
    pub selection: &'a Selection,
    /// The part of them that this process writes, if that is not all. The others are read and
    /// checked like these, and are neither rendered nor kept.
    pub share: Option<OwnShare>,
    /// What articles are ordered by.
    pub order: Order,
    /// What is known of sources that did not change; without one, each is read.
    pub cache: Option<Cache>,
    /// Takes down what lists say of articles; without one, there are no archive objects.
    pub listings: Option<Listings<'a>>,
    /// What the store most likely holds of unchanged articles.
    pub likely: Likely,
    /// Whether the holes of pages are filled once all articles are known.
    pub fills: bool,
    /// Whether articles have texts.
    pub has_texts: bool,
    /// Whether pages of lists stay as they are, since this survey does not make any.
    pub keeps_lists: bool,
    /// What the run knows of all articles, where this survey is about some of them once more.
    pub again: Option<ArchiveAgain<'a>>,
    /// The store to compare with; without one, everything is rendered and nothing kept.
    pub store: Option<Mutex<Inspector<'a>>>,
    /// Routes of linked sources.
    pub linked: LinkedRoutes,
    /// Whether the survey covers the whole content root.
    pub is_whole: bool,
    /// Where rendered objects go; without one, they are dropped.
    pub spool: Option<Mutex<Spool>>,
    /// Set when somebody asks the run to end.
    pub interrupted: &'a AtomicBool,
    /// Of all findings, only those of this code are held.
    pub code: Option<&'a str>,
    /// Of so many findings of each code, the lines of unchanged sources are read.
    pub lines: usize,
    /// Ends a survey that takes too long.
    pub time_limit: Option<TimeLimit>,
    /// Called with the number of sources done since the last call.
    pub on_progress: &'a (dyn Fn(u64) + Sync),
}

/// What a survey found.
#[derive(Debug, Default)]
pub struct Survey {
    /// The valid articles, in the order of their sources' paths.
    pub entries: Vec<Entry>,
    /// Errors and warnings, sorted by path and place: all of them, or [`MAX_FINDINGS`] and examples of
    /// each code.
    ///
    /// [`MAX_FINDINGS`]: super::findings::MAX_FINDINGS
    pub diagnostics: Vec<Diagnostic>,
    /// How many there are of each code, errors first.
    pub codes: Vec<CodeCount>,
    /// What cleaning removed from texts, over all sources.
    pub cleaned: Cleaned,
    /// Number of sources.
    pub sources: u64,
    /// Number of sources that could not be used.
    pub invalid: u64,
    /// Number of sources that changed while they were read, and were skipped for that.
    pub changed: u64,
    /// Valid articles that are not published now.
    pub held_back: HeldBack,
    /// Their routes.
    pub held_routes: Vec<Route>,
    /// Those of them that are withdrawn.
    pub withdrawn: Vec<Withdrawn>,
    /// Number of valid articles that search engines are told to leave out, of those that are meant.
    pub noindex: u64,
    /// Number of files and folders that were passed over for a reason.
    pub skipped: u64,
    /// What may hold articles and is not read.
    pub passed_over: PassedOver,
    /// Number of those that could not be read.
    pub unreadable: u64,
    /// Number of valid articles that are not held back, meant or not.
    pub valid: u64,
    /// Routes of the valid articles that are meant and belong to other shards.
    pub elsewhere: Vec<Route>,
    /// Number of those that changed, where that is counted.
    pub changed_elsewhere: u64,
    /// Routes of sources that are invalid: what they claim, and what their names say.
    pub claimed: Vec<Route>,
    /// Folders that hold sources, as routes: `/`, `/redis-caching/`.
    pub folders: HashSet<Route>,
    /// Folders below the root that exist and hold no source themselves, as routes.
    pub bare_folders: HashSet<Route>,
    /// Archive objects.
    pub objects: Vec<Entry>,
    /// The lists that there are, while the survey runs.
    pub lists: Lists,
    /// Routes that redirect to articles.
    pub aliases: Aliases,
    /// What archive objects are made from, while the survey runs.
    pub catalog: Option<Catalog>,
    /// What the run knows of all articles; none where nothing is made from many.
    pub archive: Option<Archive>,
    /// Selectors that meant an article.
    pub busy: HashSet<usize>,
    /// The sources that took longest to read and render, the slowest first.
    pub slowest: Vec<(PathBuf, Duration)>,
}

impl Survey {
    /// The routes of articles that are withdrawn.
    pub(crate) fn withdrawn_routes(&self) -> impl Iterator<Item = &Route> {
        self.withdrawn.iter().map(|one| &one.route)
    }

    /// The routes of the pages of lists.
    pub(crate) fn list_routes(&self) -> impl Iterator<Item = &Route> {
        let lists = self.objects.iter();
        let lists = lists.filter(|entry| entry.kind == EntryKind::List);
        lists.map(|entry| &entry.route)
    }

    /// Number of sources, files and folders that could not be used.
    #[must_use]
    pub fn unusable(&self) -> u64 {
        self.invalid + self.unreadable
    }
}

impl Surveyor<'_> {
    /// Puts byte strings into the spool, and returns the offset of the first and all lengths. Without a
    /// spool they are dropped.
    ///
    /// # Errors
    /// When the disk does not take them, or one has 4 GiB.
    pub(crate) fn append<const N: usize>(&self, parts: [&[u8]; N]) -> io::Result<(u64, [u32; N])> {
        let offset = match &self.spool {
            Some(spool) => spool
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .append(&parts)?,
            None => 0,
        };
        let mut bytes = [0; N];
        for (bytes, part) in bytes.iter_mut().zip(parts) {
            let length = u32::try_from(part.len());
            *bytes = length.map_err(|_| io::Error::other("an object of 4 GiB"))?;
        }
        Ok((offset, bytes))
    }

    /// Puts an object into the spool as it is stored, and its meta object if it has one.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub(crate) fn spool_object(&self, object: &[u8], meta: &[u8]) -> io::Result<Spot> {
        let object = self.renderer.compression().store(object);
        let (offset, [page_bytes, meta_bytes]) = self.append([&object, meta])?;
        Ok(Spot {
            offset,
            page_bytes,
            meta_bytes,
            ..Spot::default()
        })
    }

    /// Puts the objects of an article into the spool as they are stored. A page that is to be filled is
    /// compressed after that; where there is no spool, the forecast takes it as if it were filled.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub(crate) fn spool_article(&self, rendered: &Rendered) -> io::Result<Spot> {
        let compression = self.renderer.compression();
        let text = compression.store(rendered.text.as_deref().unwrap_or_default());
        let page = match self.fills && self.spool.is_some() {
            true => Cow::Borrowed(&rendered.page[..]),
            false => compression.store(&rendered.page),
        };
        let objects = [&page[..], &rendered.meta, &text];
        let (offset, [page_bytes, meta_bytes, text_bytes]) = self.append(objects)?;
        Ok(Spot {
            offset,
            page_bytes,
            meta_bytes,
            text_bytes,
        })
    }

    /// Why an article is not published by this run, if it is not.
    pub(crate) fn held(&self, visibility: &Visibility) -> Option<Held> {
        visibility.held(self.expiry.start_ms, self.admits)
    }

    /// What the page of the source `index` is made from, whose article has this `base`.
    ///
    /// # Errors
    /// When the disk does not give what fills it.
    pub(crate) fn made(&self, index: usize, base: Digest) -> io::Result<Made> {
        let fill = match (&self.again, self.fills) {
            (Some(again), true) => Filling::Known(again.fill_of(index)?),
            (None, true) => Filling::Later,
            (_, false) => Filling::Known(0),
        };
        Ok(Made { base, fill })
    }

    /// Why the run changes an article of which the store holds these objects.
    pub(crate) fn reason(
        &self,
        need: Need,
        stored: &StoredArticle,
        lifetime: Lifetime,
        inputs: Option<&Inputs>,
    ) -> Option<Reason> {
        let is_short = |seen: &ObjectState| match self.policy {
            // It refreshes nothing else.
            Policy::Warm(_) | Policy::Again => true,
            Policy::Import => self.expiry.is_short(seen.expires_at_ms(), lifetime),
        };
        reason((self.policy, need), stored, is_short, inputs)
    }

    /// # Errors
    /// When somebody asked the run to end, or it takes too long.
    pub(crate) fn goes_on(&self) -> Result<(), SurveyError> {
        Ok(self.reads_on()?)
    }

    /// The same for who reads files.
    ///
    /// # Errors
    /// As [`goes_on`](Self::goes_on).
    pub(crate) fn reads_on(&self) -> Result<(), WalkError> {
        goes_on(self.interrupted, self.time_limit)
    }

    /// Finds the sources of `origin` that links name.
    pub(crate) fn targets<'s>(&'s self, origin: &'s dyn Origin) -> SurveyTargets<'s> {
        SurveyTargets {
            rules: self.rules,
            cache: self.cache.as_ref(),
            linked: &self.linked,
            origin,
            is_whole: self.is_whole,
        }
    }

    /// What the store holds of the objects of one kind, which it has most likely.
    pub(crate) fn inspect_one(
        &self,
        kind: ObjectKind,
        routes: &[&Route],
    ) -> Result<Vec<ObjectState>, StoreError> {
        match &self.store {
            Some(inspector) if !routes.is_empty() => inspector
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .inspect_one(kind, routes, Likely::Stored),
            _ => Ok(vec![ObjectState::Absent; routes.len()]),
        }
    }

    /// What the store holds of articles.
    pub(crate) fn inspect(
        &self,
        routes: &[&Route],
        likely: Likely,
    ) -> Result<Vec<StoredArticle>, StoreError> {
        self.inspect_pages((routes, self.has_texts), likely)
    }

    /// The same, of pages of which some kinds have no text.
    pub(crate) fn inspect_pages(
        &self,
        (routes, has_text): (&[&Route], bool),
        likely: Likely,
    ) -> Result<Vec<StoredArticle>, StoreError> {
        match &self.store {
            Some(inspector) if !routes.is_empty() => inspector
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .inspect((routes, has_text), likely),
            _ => Ok(vec![StoredArticle::absent(has_text); routes.len()]),
        }
    }
}
