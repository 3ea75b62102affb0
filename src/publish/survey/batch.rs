//! What the survey finds of a batch of sources, and why it may end early.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use thiserror::Error;

use super::links::FollowedLinks;
use super::slowest::SlowestSources;
use crate::archive::{ArticleIdentity, Draft};
use crate::article::{Cleaned, Held, Route};
use crate::diagnostic::Diagnostic;
use crate::publish::plan::entry::Entry;
use crate::publish::plan::stored_article::StoredArticle;
use crate::render::RenderError;
use crate::source::{Learned, Origin, Said, WalkError};
use crate::store::StoreError;
use crate::time_limit::TimedOut;

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
    /// A page that lists articles could not be made.
    #[error("cannot make the page {0}: {1}")]
    Render(Route, RenderError),
    /// The spool could not be written.
    #[error("cannot write the spool of rendered objects: {0}")]
    Spool(#[from] io::Error),
}

impl From<WalkError> for SurveyError {
    fn from(error: WalkError) -> Self {
        match error {
            WalkError::Interrupted => Self::Interrupted,
            WalkError::TimedOut(late) => Self::TimedOut(late),
            WalkError::Spool(error) | WalkError::Unreadable(error) => Self::Spool(error),
            other => Self::Spool(io::Error::other(other.to_string())),
        }
    }
}

/// A valid article that is not written here, with the route that it claims.
pub(crate) struct Other {
    pub(crate) index: usize,
    pub(crate) route: Route,
    pub(crate) owner: Owner,
}

/// Who writes an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This process.
    Own,
    /// Nobody: it is not meant.
    Nobody,
    /// Another shard.
    Elsewhere {
        /// Whether it is known that it changed.
        is_changed: bool,
    },
}

/// An article that is withdrawn.
#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// Its route.
    pub route: Route,
    /// What it is known by under another route; nothing where the survey makes no archive objects.
    pub identity: ArticleIdentity,
}

/// What was found of a batch.
#[derive(Default)]
pub(crate) struct Chunk {
    pub(crate) entries: Vec<Entry>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Findings of sources that were not read, each with the number of its source: their lines are not known.
    pub(crate) recalled: Vec<(u32, Diagnostic)>,
    pub(crate) cleaned: Cleaned,
    /// Sources that are invalid, with the routes that they claim, where that is known.
    pub(crate) invalid: Vec<(usize, Option<Route>)>,
    /// Valid articles that are not written here.
    pub(crate) others: Vec<Other>,
    pub(crate) busy: HashSet<usize>,
    /// Sources that changed while they were read.
    pub(crate) changed: Vec<usize>,
    /// Valid articles that are not published now.
    pub(crate) held: Vec<(usize, Route, Held)>,
    /// Those of them that are withdrawn.
    pub(crate) withdrawn: Vec<Withdrawn>,
    pub(crate) links: FollowedLinks,
    /// What the cache is to be told of sources that were read.
    pub(crate) learned: Vec<Learned>,
    /// What lists say of valid articles that are not held back.
    pub(crate) listed: Vec<Draft>,
    pub(crate) slowest: SlowestSources,
}

impl Chunk {
    /// Says what an earlier run had to say of the source `index`, which did not change.
    pub(crate) fn say(&mut self, origin: &dyn Origin, index: usize, said: Said) {
        self.cleaned += said.cleaned;
        if said.findings.is_empty() {
            return;
        }
        let path = Arc::new(origin.shown_at(index));
        let mut findings = said.findings;
        for found in &mut findings {
            found.path = Arc::clone(&path);
        }
        origin.place(index, &mut findings);
        let findings = findings.into_iter().map(|found| (number(index), found));
        self.recalled.extend(findings);
    }

    /// Notes that the article of the source `index` is not published now.
    pub(crate) fn hold_back(
        &mut self,
        index: usize,
        why: Held,
        (route, identity): (&Route, ArticleIdentity),
    ) {
        if why == Held::Withdrawn {
            self.withdrawn.push(Withdrawn {
                route: route.clone(),
                identity,
            });
        }
        self.held.push((index, route.clone(), why));
    }
}

/// A source of a batch that must be read.
pub(crate) struct UnreadSource {
    pub(crate) index: usize,
    /// What the store holds under the route that the cache knows, if that was asked.
    pub(crate) asked: Option<(Route, StoredArticle)>,
}

impl UnreadSource {
    /// What the store holds under `route`, if that is what was asked for.
    pub(crate) fn seen(&self, route: &Route) -> Option<StoredArticle> {
        let (asked, stored) = self.asked.as_ref()?;
        (asked == route).then_some(*stored)
    }
}

/// The number of a source, as entries hold it.
pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 4 billion sources: each takes more than a byte")
}
