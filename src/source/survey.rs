//! The survey: every source once, in parallel batches.
//!
//! 1. Compare with the store what the cache knows of a batch (bounded in files and bytes).
//! 2. Read its other files, and those that the store lacks.
//! 3. Check each at the boundary; an error never hides the others.
//! 4. Ask the store what it holds for them, in one or two round trips.
//! 5. Render what changed, into the spool.
//!
//! Afterwards, over all batches: routes that several sources claim.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use thiserror::Error;

use super::cache::{Cache, Learned};
use super::closing::Gathered;
use super::identity::Identity;
use super::inspect::{Inspector, Likely};
use super::order::{Order, Ranks};
use super::origin::{Origin, ranges};
use super::select::Selection;
use super::whose::{Other, OwnShare, Whose};
use crate::article::{
    self, Article, Cleaned, Input, MAX_SOURCE_BYTES, Route, Rules, UnknownCount, UnknownFields,
};
use crate::diagnostic::{Diagnostic, RETRY_AFTER_FIX, Severity};
use crate::publish::expiry::Expiry;
use crate::publish::plan::{Entry, Need, Policy, Seen, Spot, need};
use crate::publish::spool::Spool;
use crate::publish::time_limit::{TimeLimit, TimedOut};
use crate::render::{self, Digest, Renderer, Stamp};
use crate::store::StoreError;

/// So many sources of a batch are in memory at a time, parsed: a parsed article is several
/// times as large as its file.
const READ_TOGETHER: usize = 64;

/// Why a survey ended early.
#[derive(Debug, Error)]
pub enum SurveyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signal asked the run to end.
    #[error("interrupted by a signal")]
    Interrupted,
    /// The run takes longer than it may.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
    /// The spool could not be written.
    #[error("cannot write the spool of rendered objects: {0}")]
    Spool(#[from] std::io::Error),
}

/// What a survey works with.
pub struct Surveyor<'a> {
    /// How strict the boundary is.
    pub rules: &'a Rules,
    /// Whether drafts are published.
    pub drafts: bool,
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
    /// The store to compare with; without one, everything is rendered and nothing kept.
    pub store: Option<Mutex<Inspector<'a>>>,
    /// Where rendered objects go; without one, they are dropped.
    pub spool: Option<Mutex<Spool>>,
    /// Set when somebody asks the run to end.
    pub interrupted: &'a AtomicBool,
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
    /// Every error and warning, sorted by path and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Fields that the schema does not know, over all sources.
    pub unknown: UnknownCount,
    /// What cleaning removed from texts, over all sources.
    pub cleaned: Cleaned,
    /// Number of sources.
    pub sources: u64,
    /// Number of sources that could not be used.
    pub invalid: u64,
    /// Number of drafts that were left out.
    pub drafts: u64,
    /// Number of files and folders that were passed over for a reason.
    pub skipped: u64,
    /// Number of those that could not be read.
    pub unreadable: u64,
    /// Number of valid articles that are no drafts, meant or not.
    pub valid: u64,
    /// Routes of the valid articles that are meant and belong to other shards.
    pub elsewhere: Vec<Route>,
    /// Number of those that changed, where that is counted.
    pub changed_elsewhere: u64,
    /// Routes of sources that are invalid: what they claim, and what their names say.
    pub claimed: Vec<Route>,
    /// Folders that hold sources, as routes: `/`, `/redis-caching/`.
    pub folders: HashSet<Route>,
    /// Selectors that meant an article.
    pub busy: HashSet<usize>,
}

/// What was found of a batch.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) entries: Vec<Entry>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) unknown: UnknownCount,
    pub(super) cleaned: Cleaned,
    /// Sources that are invalid, with the routes that they claim, where that is known.
    pub(super) invalid: Vec<(usize, Option<Route>)>,
    /// Valid articles that are not written here.
    pub(super) others: Vec<Other>,
    pub(super) busy: HashSet<usize>,
    pub(super) drafts: u64,
}

/// A source of a batch that must be read.
pub(super) struct Unread {
    pub(super) index: usize,
    /// What the store holds under the route that the cache knows, if that was asked.
    pub(super) asked: Option<(Route, Seen, Seen)>,
}

impl Unread {
    /// What the store holds under `route`, if that is what was asked for.
    fn seen(&self, route: &Route) -> Option<(Seen, Seen)> {
        let (asked, page, meta) = self.asked.as_ref()?;
        (asked == route).then_some((*page, *meta))
    }
}

struct Loaded<'a> {
    unread: &'a Unread,
    relative: PathBuf,
    path: Arc<PathBuf>,
    bytes: Vec<u8>,
    settled: Option<Identity>,
}

impl Surveyor<'_> {
    /// Surveys `origin`.
    ///
    /// # Errors
    /// When the store or the spool fails. Whatever is wrong with a source is a diagnostic.
    pub fn run(&self, origin: &dyn Origin) -> Result<Survey, SurveyError> {
        let failed = AtomicBool::new(false);
        let found = Mutex::new(Gathered::of(origin.count()));
        let ended: Vec<Result<(), SurveyError>> = ranges(origin)
            .into_par_iter()
            // Each batch can be taken over by an idle thread. Without this, rayon hands out runs
            // of batches, and the last run of a large tree keeps one thread busy alone.
            .with_max_len(1)
            .map(|batch| {
                let sources = batch.len() as u64;
                if failed.load(Ordering::Relaxed) {
                    // Another batch met the error that ends the survey.
                    return Ok(());
                }
                let chunk = self.goes_on().and_then(|()| self.chunk(origin, batch));
                failed.fetch_or(chunk.is_err(), Ordering::Relaxed);
                (self.on_progress)(sources);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                chunk.map(|chunk| found.add(chunk))
            })
            .collect();
        ended.into_iter().collect::<Result<(), _>>()?;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(self.close(origin, found))
    }

    fn goes_on(&self) -> Result<(), SurveyError> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(SurveyError::Interrupted);
        }
        Ok(self.time_limit.map_or(Ok(()), |limit| limit.check())?)
    }

    fn chunk(&self, origin: &dyn Origin, batch: Range<usize>) -> Result<Chunk, SurveyError> {
        let mut chunk = Chunk::default();
        let unread = match &self.cache {
            Some(cache) => self.recall(cache, origin, batch, &mut chunk)?,
            None => batch.map(|index| Unread { index, asked: None }).collect(),
        };
        for some in unread.chunks(READ_TOGETHER) {
            self.read(origin, some, &mut chunk)?;
        }
        Route::pack(&mut chunk.entries, |entry| &mut entry.route);
        Route::pack(&mut chunk.others, |other| &mut other.route);
        Ok(chunk)
    }

    fn read(
        &self,
        origin: &dyn Origin,
        unread: &[Unread],
        chunk: &mut Chunk,
    ) -> Result<(), SurveyError> {
        let mut loaded = Vec::with_capacity(unread.len());
        for one in unread {
            let index = one.index;
            let source = origin.load(index);
            let path = Arc::new(origin.shown(&source.relative));
            match source.bytes {
                Ok(bytes) if bytes.len() > MAX_SOURCE_BYTES => {
                    let found = source.length.max(bytes.len() as u64);
                    let message =
                        format!("expected at most {MAX_SOURCE_BYTES} bytes, found {found}");
                    chunk
                        .diagnostics
                        .push(whole_file(path, "source", message, RETRY_AFTER_FIX));
                    chunk.invalid.push((index, None));
                }
                Ok(bytes) => loaded.push(Loaded {
                    unread: one,
                    relative: source.relative,
                    path,
                    bytes,
                    settled: source.settled,
                }),
                Err(error) => {
                    let message = format!("expected a file that can be read, found: {error}");
                    let retry = "once the file can be read";
                    chunk
                        .diagnostics
                        .push(whole_file(path, "source", message, retry));
                    chunk.invalid.push((index, None));
                }
            }
        }
        let mut valid: Vec<(&Loaded<'_>, Article<'_>, Digest)> = Vec::new();
        let mut elsewhere = Vec::new();
        let mut learned = Vec::new();
        for source in &loaded {
            let reading = article::read(
                &Input {
                    path: Arc::clone(&source.path),
                    relative: &source.relative,
                    bytes: &source.bytes,
                },
                self.rules,
            );
            let digest = reading
                .article
                .as_ref()
                .map(|article| self.renderer.digest(&source.bytes, &article.route));
            if self.cache.is_some()
                && let (Some(identity), Some(digest)) = (source.settled, digest)
            {
                learned.extend(Learned::from(&reading, &source.relative, identity, digest));
            }
            chunk.diagnostics.extend(reading.diagnostics);
            if !self.unknown_are_errors() {
                chunk.unknown.add(&reading.unknown_fields);
            }
            chunk.cleaned += reading.cleaned;
            match reading.article.zip(digest) {
                Some((article, _)) if article.draft() && !self.drafts => chunk.drafts += 1,
                Some((article, digest)) => {
                    let (metadata, path) = (Some(&article.metadata), &source.relative);
                    let index = source.unread.index;
                    match self.whose(&article.route, path, metadata, &mut chunk.busy) {
                        Whose::Own => valid.push((source, article, digest)),
                        Whose::Elsewhere { .. } => {
                            let ttl_ms = article.ttl_ms();
                            elsewhere.push((index, article.route, digest, ttl_ms));
                        }
                        whose @ Whose::Nobody => chunk.others.push(Other {
                            index,
                            route: article.route,
                            whose,
                        }),
                    }
                }
                None => {
                    // A guess is no claim that could make another source invalid.
                    let claimed = reading.route.filter(|_| !reading.route_guessed);
                    chunk.invalid.push((source.unread.index, claimed));
                }
            }
        }
        if let Some(cache) = &self.cache {
            cache.note(&[], learned);
        }
        self.leave(elsewhere, Likely::Absent, chunk)?;
        let routes = valid
            .iter()
            .map(|(source, article, _)| (source, &article.route));
        let open = routes.filter(|(source, route)| source.unread.seen(route).is_none());
        let open: Vec<&Route> = open.map(|(_, route)| route).collect();
        let mut answers = self.inspect(&open, Likely::Absent)?.into_iter();
        for (source, article, digest) in valid {
            let seen = source.unread.seen(&article.route);
            let absent = (Seen::Absent, Seen::Absent);
            let (page, meta) = seen.or_else(|| answers.next()).unwrap_or(absent);
            let ttl = article.ttl_ms();
            let when = (&self.expiry, &article.route);
            let need = need(self.policy, (&page, &meta), digest, when, ttl);
            let rank = self.order.rank(Ranks::of(&article));
            let mut spot = Spot::default();
            if need == Need::Write {
                match self.renderer.render(&article, digest, &self.stamp) {
                    Ok(rendered) => {
                        let removed = self.removed(&rendered.removed, &source.path);
                        let refused = removed.iter().any(|d| d.severity == Severity::Error);
                        chunk.diagnostics.extend(removed);
                        if refused {
                            chunk
                                .invalid
                                .push((source.unread.index, Some(article.route)));
                            continue;
                        }
                        spot = self.spool(&rendered.page, &rendered.meta)?;
                    }
                    Err(error) => {
                        let path = Arc::clone(&source.path);
                        let message = error.to_string();
                        chunk.diagnostics.push(whole_file(
                            path,
                            error.code,
                            message,
                            RETRY_AFTER_FIX,
                        ));
                        chunk
                            .invalid
                            .push((source.unread.index, Some(article.route)));
                        continue;
                    }
                }
            }
            let expires_at_ms = self.expiry.of(&article.route, ttl);
            let source = number(source.unread.index);
            let mut entry = Entry::new(source, article.route, need, (&page, &meta));
            entry.expires_at_ms = expires_at_ms;
            entry.rank = rank;
            chunk.entries.push(entry.at(spot));
        }
        Ok(())
    }

    /// Then each is an error of its file, and no warning over all files besides.
    fn unknown_are_errors(&self) -> bool {
        self.rules.strict || self.rules.unknown_fields == UnknownFields::Deny
    }

    /// What rendering left out, as a warning, or as an error where warnings are errors.
    fn removed(&self, removed: &render::Removed, path: &Arc<PathBuf>) -> Vec<Diagnostic> {
        let counts = [
            (
                removed.urls,
                "links and images with http, https, mailto or relative URLs",
                "URLs",
            ),
            (removed.tags, "raw HTML that pages may carry", "tags"),
        ];
        let some = counts.into_iter().filter(|(count, _, _)| *count > 0);
        some.map(|(count, expected, what)| {
            let message = format!("expected {expected}, removed {count} other {what}");
            let mut diagnostic =
                whole_file(Arc::clone(path), "body.html", message, RETRY_AFTER_FIX);
            if !self.rules.strict {
                diagnostic.severity = Severity::Warning;
            }
            diagnostic
        })
        .collect()
    }

    pub(super) fn inspect(
        &self,
        routes: &[&Route],
        likely: Likely,
    ) -> Result<Vec<(Seen, Seen)>, StoreError> {
        match &self.store {
            Some(inspector) if !routes.is_empty() => inspector
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .inspect(routes, likely),
            _ => Ok(vec![(Seen::Absent, Seen::Absent); routes.len()]),
        }
    }

    fn spool(&self, page: &[u8], meta: &[u8]) -> std::io::Result<Spot> {
        let offset = match &self.spool {
            Some(spool) => spool
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .append(&[page, meta])?,
            None => 0,
        };
        let bytes = |object: &[u8]| {
            u32::try_from(object.len()).map_err(|_| std::io::Error::other("an object of 4 GiB"))
        };
        Ok(Spot {
            offset,
            page_bytes: bytes(page)?,
            meta_bytes: bytes(meta)?,
        })
    }
}

/// The number of a source, as entries hold it.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 4 billion sources: each takes more than a byte")
}

pub(super) fn whole_file(
    path: Arc<PathBuf>,
    code: &str,
    message: String,
    retry: &'static str,
) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: code.to_owned(),
        message,
        path,
        place: None,
        help: None,
        retry,
    }
}
