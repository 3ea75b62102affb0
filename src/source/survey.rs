//! The survey: every source once, in parallel batches.
//!
//! 1. Read the files of a batch (bounded in files and bytes).
//! 2. Check each at the boundary; an error never hides the others.
//! 3. Ask the store what it holds for the batch, in one or two round trips.
//! 4. Render what changed, into the spool.
//!
//! Afterwards, over all batches: routes that several sources claim.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use thiserror::Error;

use super::inspect::Inspector;
use super::walk::{Found, SourceFile};
use crate::article::{
    self, Article, Cleaned, Input, MAX_SOURCE_BYTES, Route, Rules, UnknownCount, UnknownFields,
};
use crate::diagnostic::{Diagnostic, RETRY_AFTER_FIX, Severity};
use crate::publish::expiry::Expiry;
use crate::publish::plan::{Entry, Need, Seen, Spot, need};
use crate::publish::spool::Spool;
use crate::publish::time_limit::{TimeLimit, TimedOut};
use crate::render::{self, Digest, Renderer, Stamp};
use crate::store::StoreError;

/// A batch holds at most so many files …
const BATCH_FILES: usize = 64;
/// … and about so many bytes of sources.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;

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
    /// The content folder, as it was given.
    pub root: &'a Path,
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
    /// Folders that hold sources, as routes: `/`, `/redis-caching/`.
    pub folders: HashSet<Route>,
}

#[derive(Default)]
struct Chunk {
    entries: Vec<(usize, Entry)>,
    diagnostics: Vec<Diagnostic>,
    unknown: UnknownCount,
    cleaned: Cleaned,
    /// Sources that are invalid, with the routes that they claim, where that is known.
    invalid: Vec<(usize, Option<Route>)>,
    drafts: u64,
}

struct Loaded {
    index: usize,
    path: Arc<PathBuf>,
    bytes: Vec<u8>,
}

impl Surveyor<'_> {
    /// Surveys `found`.
    ///
    /// # Errors
    /// When the store or the spool fails. Whatever is wrong with a source is a diagnostic.
    pub fn run(&self, found: &Found) -> Result<Survey, SurveyError> {
        let failed = AtomicBool::new(false);
        let chunks: Vec<Result<Chunk, SurveyError>> = batches(&found.sources)
            .into_par_iter()
            .map(|(first, sources)| {
                if failed.load(Ordering::Relaxed) {
                    // Another batch met the error that ends the survey.
                    return Ok(Chunk::default());
                }
                let chunk = self.goes_on().and_then(|()| self.chunk(first, sources));
                failed.fetch_or(chunk.is_err(), Ordering::Relaxed);
                (self.on_progress)(sources.len() as u64);
                chunk
            })
            .collect();
        let mut survey = Survey {
            sources: found.sources.len() as u64,
            skipped: found.skipped.len() as u64,
            ..Survey::default()
        };
        let mut claims: Vec<(Route, usize)> = Vec::new();
        let mut entries: Vec<(usize, Entry)> = Vec::new();
        let mut invalid: HashSet<usize> = HashSet::new();
        for chunk in chunks {
            let chunk = chunk?;
            survey.diagnostics.extend(chunk.diagnostics);
            survey.unknown.merge(&chunk.unknown);
            survey.cleaned += chunk.cleaned;
            survey.drafts += chunk.drafts;
            for (index, route) in chunk.invalid {
                invalid.insert(index);
                claims.extend(route.map(|route| (route, index)));
            }
            claims.extend(
                chunk
                    .entries
                    .iter()
                    .map(|(index, entry)| (entry.route.clone(), *index)),
            );
            entries.extend(chunk.entries);
        }
        self.refuse_collisions(&mut claims, &found.sources, &mut survey, &mut invalid);
        survey.entries = entries
            .into_iter()
            .filter(|(index, _)| !invalid.contains(index))
            .map(|(_, entry)| entry)
            .collect();
        survey.invalid = invalid.len() as u64;
        self.report_skipped(found, &mut survey);
        survey.folders = found
            .sources
            .iter()
            .filter_map(|source| Route::new(&source.relative.with_file_name("index.md"), None).ok())
            .collect();
        survey.diagnostics.sort_by(|a, b| {
            let place = |d: &Diagnostic| d.place.as_ref().map(|place| (place.line, place.column));
            (&a.path, place(a)).cmp(&(&b.path, place(b)))
        });
        Ok(survey)
    }

    fn goes_on(&self) -> Result<(), SurveyError> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(SurveyError::Interrupted);
        }
        Ok(self.time_limit.map_or(Ok(()), |limit| limit.check())?)
    }

    fn chunk(&self, first: usize, sources: &[SourceFile]) -> Result<Chunk, SurveyError> {
        let mut chunk = Chunk::default();
        let mut loaded = Vec::with_capacity(sources.len());
        for (offset, source) in sources.iter().enumerate() {
            let path = Arc::new(self.root.join(&source.relative));
            match read(&path) {
                Ok(bytes) if bytes.len() > MAX_SOURCE_BYTES => {
                    let found = source.bytes.max(bytes.len() as u64);
                    let message =
                        format!("expected at most {MAX_SOURCE_BYTES} bytes, found {found}");
                    chunk
                        .diagnostics
                        .push(whole_file(path, "source", message, RETRY_AFTER_FIX));
                    chunk.invalid.push((first + offset, None));
                }
                Ok(bytes) => loaded.push(Loaded {
                    index: first + offset,
                    path,
                    bytes,
                }),
                Err(error) => {
                    let message = format!("expected a file that can be read, found: {error}");
                    let retry = "once the file can be read";
                    chunk
                        .diagnostics
                        .push(whole_file(path, "source", message, retry));
                    chunk.invalid.push((first + offset, None));
                }
            }
        }
        let mut valid: Vec<(&Loaded, Article<'_>, Digest)> = Vec::new();
        for source in &loaded {
            let reading = article::read(
                &Input {
                    path: Arc::clone(&source.path),
                    relative: &sources[source.index - first].relative,
                    bytes: &source.bytes,
                },
                self.rules,
            );
            chunk.diagnostics.extend(reading.diagnostics);
            if !self.unknown_are_errors() {
                chunk.unknown.add(&reading.unknown_fields);
            }
            chunk.cleaned += reading.cleaned;
            match reading.article {
                Some(article) if article.draft() && !self.drafts => chunk.drafts += 1,
                Some(article) => {
                    let digest = self.renderer.digest(&source.bytes, &article.route);
                    valid.push((source, article, digest));
                }
                None => {
                    // A guess is no claim that could make another source invalid.
                    let claimed = reading.route.filter(|_| !reading.route_guessed);
                    chunk.invalid.push((source.index, claimed));
                }
            }
        }
        let seen = self.inspect(&valid)?;
        for ((source, article, digest), (page, meta)) in valid.into_iter().zip(seen) {
            let ttl = article.ttl_ms();
            let need = need(&page, &meta, digest, &self.expiry, ttl);
            let spot = if need == Need::Write {
                match self.renderer.render(&article, digest, &self.stamp) {
                    Ok(rendered) => {
                        let removed = self.removed(&rendered.removed, &source.path);
                        let refused = removed.iter().any(|d| d.severity == Severity::Error);
                        chunk.diagnostics.extend(removed);
                        if refused {
                            chunk.invalid.push((source.index, Some(article.route)));
                            continue;
                        }
                        Some(self.spool(&rendered.page, &rendered.meta)?)
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
                        chunk.invalid.push((source.index, Some(article.route)));
                        continue;
                    }
                }
            } else {
                None
            };
            let expires_at_ms = self.expiry.of(&article.route, ttl);
            let entry = Entry {
                route: article.route,
                need,
                expires_at_ms,
                page,
                meta,
                spot,
            };
            chunk.entries.push((source.index, entry));
        }
        Ok(chunk)
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

    fn inspect(
        &self,
        valid: &[(&Loaded, Article<'_>, Digest)],
    ) -> Result<Vec<(Seen, Seen)>, StoreError> {
        match &self.store {
            Some(inspector) if !valid.is_empty() => {
                let routes: Vec<&Route> = valid.iter().map(|(_, a, _)| &a.route).collect();
                inspector
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .inspect(&routes)
            }
            _ => Ok(vec![(Seen::Absent, Seen::Absent); valid.len()]),
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
        Ok(Spot {
            offset,
            page_bytes: page.len(),
            meta_bytes: meta.len(),
        })
    }

    /// Makes every source invalid whose route another source claims too. `claims` ends up
    /// sorted.
    fn refuse_collisions(
        &self,
        claims: &mut [(Route, usize)],
        sources: &[SourceFile],
        survey: &mut Survey,
        invalid: &mut HashSet<usize>,
    ) {
        claims.sort();
        for same in claims.chunk_by(|(a, _), (b, _)| a == b) {
            if same.len() < 2 {
                continue;
            }
            for (route, index) in same {
                let others: Vec<String> = same
                    .iter()
                    .filter(|(_, other)| other != index)
                    .map(|(_, other)| {
                        let path = self.root.join(&sources[*other].relative);
                        path.display().to_string()
                    })
                    .collect();
                let message = format!(
                    "expected a route of its own, found {route} claimed by {} too",
                    others.join(", ")
                );
                let path = Arc::new(self.root.join(&sources[*index].relative));
                survey
                    .diagnostics
                    .push(whole_file(path, "route", message, RETRY_AFTER_FIX));
                invalid.insert(*index);
            }
        }
    }

    fn report_skipped(&self, found: &Found, survey: &mut Survey) {
        for skipped in &found.skipped {
            let path = Arc::new(self.root.join(&skipped.relative));
            let message = format!("skipped: {}", skipped.reason);
            let mut diagnostic = whole_file(
                path,
                "source",
                message,
                "once it is a file inside the folder",
            );
            if skipped.unreadable {
                diagnostic.retry = "once it can be read";
                survey.unreadable += 1;
            } else {
                diagnostic.severity = Severity::Warning;
            }
            survey.diagnostics.push(diagnostic);
        }
    }
}

fn whole_file(path: Arc<PathBuf>, code: &str, message: String, retry: &'static str) -> Diagnostic {
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

/// Splits `sources` into batches, each with the index of its first source.
fn batches(sources: &[SourceFile]) -> Vec<(usize, &[SourceFile])> {
    let mut batches = Vec::new();
    let mut first = 0;
    let mut bytes = 0;
    for (index, source) in sources.iter().enumerate() {
        if index > first && (index - first == BATCH_FILES || bytes + source.bytes > BATCH_BYTES) {
            batches.push((first, &sources[first..index]));
            (first, bytes) = (index, 0);
        }
        bytes += source.bytes;
    }
    if first < sources.len() {
        batches.push((first, &sources[first..]));
    }
    batches
}

/// Reads a file, one byte past the limit at most: enough to know that it is too large.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // What was a file during the walk may be a FIFO by now, and must not block the run.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblock.cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(std::io::Error::other("it is no regular file any more"));
    }
    let limit = MAX_SOURCE_BYTES as u64 + 1;
    let mut bytes = Vec::with_capacity(metadata.len().min(limit) as usize + 1);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
