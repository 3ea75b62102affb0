//! Finds the sources that other sources link to, and their routes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::guard::guarded;
use crate::article;
use crate::article::{ENDINGS, Route, Rules, Targets, route_of_name};
use crate::source::{Cache, Origin};

/// The sources of a survey that links can name.
pub(crate) struct SurveyTargets<'r> {
    pub(crate) rules: &'r Rules,
    pub(crate) cache: Option<&'r Cache>,
    pub(crate) linked: &'r LinkedRoutes,
    pub(crate) origin: &'r dyn Origin,
    /// Whether the survey covers the whole content root.
    pub(crate) is_whole: bool,
}

/// Routes of linked sources that the cache does not know, each read once.
#[derive(Default)]
pub(crate) struct LinkedRoutes(Mutex<HashMap<PathBuf, Option<Route>>>);

impl Targets for SurveyTargets<'_> {
    fn route_of(&self, path: &Path) -> Option<Route> {
        let index = self.origin.find(path);
        let known = index
            .and_then(|index| self.origin.identity(index))
            .zip(self.cache)
            .and_then(|(identity, cache)| cache.find(path, identity));
        if let Some((_, known)) = known {
            return Some(known.route);
        }
        let linked = &self.linked.0;
        let held = linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = held.get(path) {
            return route.clone();
        }
        drop(held);
        // Two threads may read one source: that is cheaper than to wait for each other.
        let route = self.read(path, index);
        let mut held = linked.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(path.to_owned(), route.clone());
        route
    }

    fn source_of(&self, stem: &Path) -> Option<PathBuf> {
        let name = stem.file_name();
        let files = name.into_iter().flat_map(|name| {
            ENDINGS.iter().map(move |ending| {
                let mut name = name.to_owned();
                name.push(".");
                name.push(ending);
                stem.with_file_name(name)
            })
        });
        let indexes = ["index.md", "_index.md", "README.md", "index.mdx"];
        let indexes = indexes.iter().map(|name| stem.join(name));
        let is_there = |path: &PathBuf| {
            self.origin.find(path).is_some() || !self.is_whole && self.origin.has_file(path)
        };
        files.chain(indexes).find(is_there)
    }

    fn has_file(&self, path: &Path) -> bool {
        self.origin.has_file(path)
    }
}

impl SurveyTargets<'_> {
    fn read(&self, path: &Path, index: Option<usize>) -> Option<Route> {
        let bytes = match index {
            // Nobody knows more than its name of a source that cannot be read now.
            Some(index) => match self.origin.load(index).bytes {
                Ok(bytes) => bytes,
                Err(_) => return route_of_name(path, &self.rules.naming).ok(),
            },
            None => self.origin.read_other(path)?,
        };
        let read = || article::read_route(path, &bytes, self.rules);
        guarded("read", read).ok()?
    }
}
