//! The survey: every source once, in parallel batches.
//!
//! 1. Compare with the store what the cache knows of a batch (bounded in files and bytes).
//! 2. Read its other files, and those that the store lacks.
//! 3. Check each at the boundary; an error never hides the others.
//! 4. Ask the store what it holds for them, in one or two round trips.
//! 5. Render what changed, into the spool.
//!
//! Afterwards, over all batches: routes that several sources claim.

use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::batch::{Chunk, SurveyError, UnreadSource};
use super::broken::BrokenLinks;
use super::findings::MAX_FINDINGS;
use super::gather::{GatheredSurvey, close};
use super::read::SourceReader;
use super::surveyor::{Survey, Surveyor};
use super::unchanged::recall;
use crate::article::Route;
use crate::source::{Origin, ranges};

/// Surveys `origin`.
///
/// # Errors
/// When the store or the spool fails. A fault of a source is a diagnostic, not an error.
pub(crate) fn survey_all(
    surveyor: &Surveyor<'_>,
    origin: &dyn Origin,
) -> Result<Survey, SurveyError> {
    let found = Mutex::new(GatheredSurvey::new(
        origin,
        surveyor.code,
        surveyor.listings.is_some(),
    ));
    all_of(ranges(origin), |batch| {
        let sources = batch.len() as u64;
        let chunk = surveyor
            .goes_on()
            .and_then(|()| survey_batch(surveyor, origin, batch, &found));
        (surveyor.on_progress)(sources);
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        chunk.map(|chunk| found.add(chunk))
    })?;
    let naming = &surveyor.rules.naming;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.settle(origin, naming);
    refuse_broken_links(surveyor, origin, &mut found);
    let settings = surveyor.listings.as_ref();
    let settings = settings.map(|listings| listings.settings);
    Ok(close(origin, naming, settings, (found, surveyor.lines)))
}

/// Says which links lead nowhere; where that is an error, their sources are invalid. Only what no
/// source claims is nowhere: of an invalid one, or one that changed, the store may hold an earlier
/// page.
fn refuse_broken_links(surveyor: &Surveyor<'_>, origin: &dyn Origin, found: &mut GatheredSurvey) {
    let guesses = found.guesses(origin, &surveyor.rules.naming);
    let guessed = guesses.iter().map(|(route, source)| (route, *source));
    let claims = found.claims().chain(guessed);
    let listings = surveyor.listings.as_ref();
    let others = listings.map(|listings| found.other_routes(listings.settings));
    let others = others.unwrap_or_default();
    let lists = listings.and_then(|listings| listings.settings.lists.as_ref());
    let pages = || {
        lists
            .into_iter()
            .flat_map(|lists| found.numbered_routes(lists))
    };
    let routes = (claims, &others);
    let mut broken = BrokenLinks::find(surveyor, origin, found.links(), routes, pages);
    let refused: Vec<u32> = broken.refused().collect();
    let severity = broken.severity();
    let (findings, beyond) = broken.findings(MAX_FINDINGS);
    found.refuse(findings, (severity, beyond), refused);
}

fn survey_batch(
    surveyor: &Surveyor<'_>,
    origin: &dyn Origin,
    batch: Range<usize>,
    found: &Mutex<GatheredSurvey>,
) -> Result<Chunk, SurveyError> {
    let mut chunk = Chunk::default();
    let unread = match &surveyor.cache {
        Some(cache) => recall(surveyor, cache, origin, batch, &mut chunk)?,
        None => batch
            .map(|index| UnreadSource { index, asked: None })
            .collect(),
    };
    if !unread.is_empty() {
        origin.prepare(&|| surveyor.reads_on())?;
    }
    SourceReader { surveyor, origin }.read(&unread, &mut chunk, found)?;
    Route::pack(&mut chunk.entries, |entry| &mut entry.route);
    Route::pack(&mut chunk.others, |other| &mut other.route);
    Ok(chunk)
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
