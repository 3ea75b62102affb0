//! The routes of a content tree, and which of them a selection means.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::batch::SurveyError;
use super::guard::guarded;
use super::large;
use super::selection::Selection;
use crate::article;
use crate::article::{Input, MAX_SOURCE_BYTES, Route, Rules, UnknownFields, route_of_name};
use crate::source::{Origin, is_article};

/// The routes of a content tree.
#[derive(Debug, Default)]
pub struct NamedRoutes {
    /// Those that are meant.
    pub selected: BTreeSet<Route>,
    /// All of them.
    pub all: BTreeSet<Route>,
    /// Selectors that mean no article, as they were given.
    pub idle: Vec<String>,
    /// Files that are asked for and gone, as they were given, with the route of their name.
    pub gone: Vec<(String, Route)>,
    /// Files of which it cannot be told whether a tag means them.
    pub untold: Vec<PathBuf>,
    /// Number of files and folders that the walk could not read.
    pub unreadable: usize,
}

/// Reads `origin` for its routes alone: also those of drafts and of invalid articles, where
/// the file says what it claims. Strictness does not count. A file that is asked for and no longer
/// exists may have had the route of its name.
///
/// # Errors
/// When a signal asked the run to end.
pub fn routes(
    origin: &dyn Origin,
    selection: &Selection,
    rules: &Rules,
    interrupted: &AtomicBool,
) -> Result<NamedRoutes, SurveyError> {
    let rules = Rules {
        strict: false,
        unknown_fields: UnknownFields::default(),
        naming: rules.naming.with(origin.twins()),
        ..rules.clone()
    };
    let read_one = |index: usize| -> Result<Read, SurveyError> {
        if interrupted.load(Ordering::Relaxed) {
            return Err(SurveyError::Interrupted);
        }
        let source = origin.load(index);
        let bytes = match source.bytes {
            Ok(bytes) if bytes.len() <= MAX_SOURCE_BYTES => bytes,
            _ => Vec::new(),
        };
        let input = Input {
            path: Arc::new(origin.shown_at(index)),
            relative: &source.relative,
            markup: source.markup,
            bytes: &bytes,
            cleaned: &OnceLock::new(),
        };
        let judge = || {
            // Of a file that cannot be read nothing is known.
            let reading = guarded("read", || article::read(&input, &rules)).unwrap_or_default();
            let metadata = reading.article.as_ref().map(|article| &article.metadata);
            let route = reading.article.as_ref().map(|article| &article.route);
            let claim = route.or(reading.route.as_ref()).map(|route| {
                let takers = selection.takers(route, &source.relative, metadata);
                (route.clone(), takers)
            });
            let is_meant = claim.as_ref().is_some_and(|(_, takers)| !takers.is_empty());
            let is_untold = metadata.is_none() && !selection.tags.is_empty() && !is_meant;
            let untold = is_untold.then(|| origin.shown_at(index));
            Read { claim, untold }
        };
        Ok(if large::is_large(&bytes) {
            large::alone(judge)
        } else {
            judge()
        })
    };
    let read: Vec<_> = (0..origin.count()).into_par_iter().map(read_one).collect();
    let mut named = NamedRoutes::default();
    let mut busy: HashSet<usize> = HashSet::new();
    for found in read {
        let Read { claim, untold } = found?;
        named.untold.extend(untold);
        if let Some((route, takers)) = claim {
            if !takers.is_empty() {
                named.selected.insert(route.clone());
            }
            busy.extend(takers);
            named.all.insert(route);
        }
    }
    let before_sources = selection.globs.len() + selection.tags.len();
    for (index, source) in selection.sources.iter().enumerate() {
        let is_gone = is_article(source)
            && !busy.contains(&(before_sources + index))
            && !origin.has_file(source);
        if is_gone && let Ok(route) = route_of_name(source, &rules.naming) {
            busy.insert(before_sources + index);
            named.gone.push((source.display().to_string(), route));
        }
    }
    named.idle = selection.idle(&busy);
    Ok(named)
}

/// The routes that the sources of `origin` claim, also broken ones, as far as that can be told.
///
/// # Errors
/// When a signal asked the run to end.
pub fn claimed(
    origin: &dyn Origin,
    rules: &Rules,
    interrupted: &AtomicBool,
) -> Result<HashSet<Route>, SurveyError> {
    let rules = Rules {
        naming: rules.naming.with(origin.twins()),
        ..rules.clone()
    };
    let claim = |index: usize| {
        if interrupted.load(Ordering::Relaxed) {
            return Some(Err(SurveyError::Interrupted));
        }
        let source = origin.load(index);
        let bytes = source.bytes.unwrap_or_default();
        let read = || article::read_claim(&source.relative, &bytes, &rules);
        let claimed = guarded("read", read);
        claimed.ok().flatten().map(Ok)
    };
    (0..origin.count())
        .into_par_iter()
        .filter_map(claim)
        .collect()
}

/// What one file says of itself.
pub(crate) struct Read {
    /// Its route, and the selectors that mean it.
    claim: Option<(Route, Vec<usize>)>,
    untold: Option<PathBuf>,
}

/// The routes of `known` that look most like `wanted`, the most alike first.
#[must_use]
pub fn nearest<'a>(
    wanted: &Route,
    known: impl IntoIterator<Item = &'a Route>,
    most: usize,
) -> Vec<&'a Route> {
    let mut scored: Vec<(f64, &Route)> = known
        .into_iter()
        .map(|route| {
            let alike = strsim::jaro_winkler(last(wanted), last(route)) * 2.0
                + strsim::jaro_winkler(wanted.as_str(), route.as_str());
            (alike, route)
        })
        // Less alike than this helps nobody.
        .filter(|(alike, _)| *alike > 2.4)
        .collect();
    scored.sort_by(|(a, one), (b, other)| b.total_cmp(a).then(one.cmp(other)));
    scored
        .into_iter()
        .take(most)
        .map(|(_, route)| route)
        .collect()
}

/// The last segment.
pub(crate) fn last(route: &Route) -> &str {
    let whole = route.as_str().trim_end_matches('/');
    whole.rsplit('/').next().unwrap_or_default()
}
