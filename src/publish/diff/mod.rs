//! What an import would change, or what a run changed, article by article, with both versions of each
//! object. Archive objects are named. Nothing is written, and of the values only those of a few articles are
//! held at a time.

pub(crate) mod of_import;
pub(crate) mod of_run;
mod stored;

use glob::Pattern;

use super::survey::selection::{RouteGlob, Selection, typed_route};
use crate::failure::Failure;
use crate::publish::manifest::Action;
use crate::publish::plan::entry::EntryKind;
use crate::publish::reason::Reason;

/// A longer value is not compared, in bytes.
pub(crate) const MOST_BYTES: usize = 2 * 1024 * 1024;

/// So many articles are read together: of each four values of at most [`MOST_BYTES`].
const TOGETHER: usize = 8;

/// Which differences are looked for, and how many are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Only the articles of these routes, or patterns of routes; all, where none is given.
    pub routes: Vec<String>,
    /// At most so many articles are shown, and archive objects named. The others are counted.
    pub limit: Option<u64>,
    /// The import would be one with `--prune`.
    pub prunes: bool,
}

impl Scope {
    /// The articles that are meant.
    fn selection(&self) -> Result<Selection, Failure> {
        let glob = |text: &String| {
            let pattern = match text.contains(['*', '?', '[']) {
                true => text.clone(),
                false => Pattern::escape(typed_route(text)?.as_str()),
            };
            RouteGlob::parse(&pattern).map_err(Failure::usage)
        };
        let globs: Result<Vec<RouteGlob>, Failure> = self.routes.iter().map(glob).collect();
        Ok(Selection {
            globs: globs?,
            ..Selection::default()
        })
    }

    fn is_shown(&self, totals: &Totals) -> bool {
        self.limit.is_none_or(|limit| totals.shown < limit)
    }

    fn is_named(&self, totals: &Totals) -> bool {
        self.limit.is_none_or(|limit| totals.named < limit)
    }
}

/// Who is told what differs.
pub(crate) trait DiffSink {
    /// An article.
    fn article(&mut self, article: &ArticleDiff);
    /// An archive object.
    fn archive_object(&mut self, _object: &ArchiveChange) {}
}

/// An archive object that changes.
#[derive(Clone, Debug)]
pub(crate) struct ArchiveChange {
    pub kind: EntryKind,
    /// Its route, or the path of a file.
    pub route: String,
    pub action: Action,
    pub reason: Option<Reason>,
}

/// One side of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// There is no such key.
    Absent,
    /// The bytes of a string.
    Value(Vec<u8>),
    /// A value of another type than string.
    OtherType,
    /// More bytes than are compared.
    TooLarge,
    /// The bytes that the run wrote are no longer in the store.
    MovedOn,
}

/// Both versions of an object.
#[derive(Clone, Debug)]
pub(crate) struct ObjectDiff {
    /// Its key.
    pub key: String,
    /// Whether it is the page, and not the meta.
    pub is_page: bool,
    pub old: Side,
    pub new: Side,
}

/// Both versions of the objects of an article that change.
#[derive(Clone, Debug)]
pub(crate) struct ArticleDiff {
    pub route: String,
    pub action: Action,
    pub reason: Option<Reason>,
    pub objects: Vec<ObjectDiff>,
}

/// How many articles differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Articles that change.
    pub changed: u64,
    /// Those that were shown.
    pub shown: u64,
    /// Archive objects that change.
    pub archive: u64,
    /// Those that were named.
    pub named: u64,
    /// Articles of which the expiry alone changes.
    pub refreshed: u64,
    /// Sources that cannot be used, of which nothing is known.
    pub invalid: u64,
}
