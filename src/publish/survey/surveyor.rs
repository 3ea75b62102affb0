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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::batch::{Chunk, SurveyError, Unread};
use super::findings::Beyond;
use super::gather::Gathered;
use super::ownership::OwnShare;
use super::selection::Selection;
use super::stored::{Inspector, Likely};
use crate::article::{Cleaned, Route, Rules, UnknownCount};
use crate::diagnostic::Diagnostic;
use crate::publish::plan::entry::{Entry, Policy, Seen};
use crate::publish::plan::expiry::Expiry;
use crate::publish::spool::Spool;
use crate::render::{Renderer, Stamp};
use crate::source::{Cache, Order, Origin, ranges};
use crate::store::StoreError;
use crate::time_limit::TimeLimit;

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
    /// Errors and warnings, sorted by path and place: all of them, or [`MAX_FINDINGS`].
    ///
    /// [`MAX_FINDINGS`]: super::findings::MAX_FINDINGS
    pub diagnostics: Vec<Diagnostic>,
    /// How many there were besides.
    pub beyond: Beyond,
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
    /// Folders below the root that exist and hold no source themselves, as routes.
    pub bare_folders: HashSet<Route>,
    /// Selectors that meant an article.
    pub busy: HashSet<usize>,
}

impl Surveyor<'_> {
    /// Surveys `origin`.
    ///
    /// # Errors
    /// When the store or the spool fails. Whatever is wrong with a source is a diagnostic.
    pub fn run(&self, origin: &dyn Origin) -> Result<Survey, SurveyError> {
        let found = Mutex::new(Gathered::of(origin.count()));
        all_of(ranges(origin), |batch| {
            let sources = batch.len() as u64;
            let chunk = self
                .goes_on()
                .and_then(|()| self.chunk(origin, batch, &found));
            (self.on_progress)(sources);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            chunk.map(|chunk| found.add(chunk))
        })?;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(self.close(origin, found))
    }

    /// # Errors
    /// When somebody asked the run to end, or it takes too long.
    pub(crate) fn goes_on(&self) -> Result<(), SurveyError> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(SurveyError::Interrupted);
        }
        Ok(self.time_limit.map_or(Ok(()), |limit| limit.check())?)
    }

    fn chunk(
        &self,
        origin: &dyn Origin,
        batch: Range<usize>,
        found: &Mutex<Gathered>,
    ) -> Result<Chunk, SurveyError> {
        let mut chunk = Chunk::default();
        let unread = match &self.cache {
            Some(cache) => self.recall(cache, origin, batch, &mut chunk)?,
            None => batch.map(|index| Unread { index, asked: None }).collect(),
        };
        self.read(origin, &unread, &mut chunk, found)?;
        Route::pack(&mut chunk.entries, |entry| &mut entry.route);
        Route::pack(&mut chunk.others, |other| &mut other.route);
        Ok(chunk)
    }

    pub(crate) fn inspect(
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
}

/// Does `work` on every batch, on all cores, until one fails. The error is that of the batch that
/// failed first: what the others meet after that is mostly its consequence.
fn all_of<E: Send + Sync>(
    batches: Vec<Range<usize>>,
    work: impl Fn(Range<usize>) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let first = OnceLock::new();
    // Each batch can be taken over by an idle thread. Without the limit, rayon hands out runs of
    // batches, and the last run of a large tree keeps one thread busy alone.
    let batches = batches.into_par_iter().with_max_len(1);
    batches.for_each(|batch| {
        if first.get().is_none()
            && let Err(error) = work(batch)
        {
            // Of two at once either may be the first.
            let _ = first.set(error);
        }
    });
    first.into_inner().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::sync::{Mutex, PoisonError};

    use super::all_of;

    #[test]
    fn the_error_is_that_of_the_batch_that_failed_first() {
        let (failed, fails) = mpsc::channel();
        let fails = Mutex::new(fails);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
        let ended = pool.unwrap().install(|| {
            all_of(vec![0..1, 1..2], |batch| {
                if batch.start == 0 {
                    // Fails because the other has failed.
                    let fails = fails.lock().unwrap_or_else(PoisonError::into_inner);
                    return Err(fails.recv().unwrap());
                }
                let failed = failed.clone();
                std::thread::spawn(move || {
                    // Told only once this one's error has been noted.
                    std::thread::sleep(std::time::Duration::from_millis(200));
                    failed.send("a consequence")
                });
                Err("the cause")
            })
        });
        assert_eq!(ended, Err("the cause"));
    }
}
