//! Broken links, found once all routes are known.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::guard::guarded;
use super::links::{FollowedLinks, MAX_NAMED, finding, hash, quoted, severity};
use super::routes::nearest;
use super::surveyor::Surveyor;
use crate::article;
use crate::article::{Follower, Input, Link, LinkRule, Links, Route, To};
use crate::diagnostic::{Diagnostic, Severity};
use crate::render;
use crate::source::Origin;

/// Most comparisons of routes in a run for the help lines of broken links.
const MAX_COMPARED: usize = 1_000_000;

/// The links that are broken.
pub(crate) struct BrokenLinks<'r, 's> {
    surveyor: &'r Surveyor<'s>,
    origin: &'r dyn Origin,
    /// Hash and source of every route that a source claims.
    pages: HashMap<u64, u32>,
    /// Hashes of routes of lists, their pages, and aliases.
    others: HashSet<u64>,
    /// Headings that do not exist: hashes of route and heading.
    headings: HashSet<(u64, u64)>,
    /// Number of broken links by source.
    sources: BTreeMap<u32, u64>,
    /// The same routes, for help lines.
    routes: Vec<&'r Route>,
    /// Comparisons left of [`MAX_COMPARED`].
    left: usize,
}

impl<'r, 's> BrokenLinks<'r, 's> {
    /// Finds the broken ones of `links`. `claims` are all routes with their sources, `others` those that have
    /// none, and `pages` those of numbered pages of lists, which are very many.
    pub(crate) fn find<P: Iterator<Item = Route>>(
        surveyor: &'r Surveyor<'s>,
        origin: &'r dyn Origin,
        links: &FollowedLinks,
        (claims, others): (impl Iterator<Item = (&'r Route, u32)>, &HashSet<Route>),
        pages: impl FnOnce() -> P,
    ) -> Self {
        let mut broken = Self {
            surveyor,
            origin,
            pages: HashMap::new(),
            others: HashSet::new(),
            headings: HashSet::new(),
            sources: BTreeMap::new(),
            routes: Vec::new(),
            left: MAX_COMPARED,
        };
        if links.is_empty() || surveyor.rules.links == LinkRule::Allow {
            return broken;
        }
        broken.others = others.iter().map(|route| hash(route.as_str())).collect();
        for (route, source) in claims {
            broken.pages.insert(hash(route.as_str()), source);
            broken.routes.push(route);
        }
        let linked = links.pages.iter().map(|(page, _)| *page);
        let unknown: HashSet<u64> = linked.filter(|page| !broken.has_page(*page)).collect();
        if !unknown.is_empty() {
            let pages = pages().map(|route| hash(route.as_str()));
            broken
                .others
                .extend(pages.filter(|page| unknown.contains(page)));
        }
        for source in &links.lost {
            *broken.sources.entry(*source).or_default() += 1;
        }
        for (page, source) in &links.pages {
            if !broken.has_page(*page) {
                *broken.sources.entry(*source).or_default() += 1;
            }
        }
        broken.find_headings(links);
        broken
    }

    /// Whether a page exists, as far as this survey can tell: the root is often served by something
    /// else, and a survey of a part does not know the other pages.
    fn has_page(&self, page: u64) -> bool {
        let is_there = self.pages.contains_key(&page) || self.others.contains(&page);
        !self.surveyor.is_whole || page == hash("/") || is_there
    }

    fn find_headings(&mut self, links: &FollowedLinks) {
        let mut known: HashMap<u64, Option<HashSet<u64>>> = HashMap::new();
        for &(page, heading, source) in &links.headings {
            let Some(&target) = self.pages.get(&page) else {
                continue;
            };
            if !links.read.contains(&source) && !links.read.contains(&target) {
                // Neither changed since this was looked at.
                continue;
            }
            let there = match known.entry(page) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(self.headings_of(target)),
            };
            if there
                .as_ref()
                .is_some_and(|there| !there.contains(&heading))
            {
                self.headings.insert((page, heading));
                if let Some(cache) = &self.surveyor.cache {
                    // The next run looks at this one again, whether it changed or not.
                    cache.forget(&self.origin.relative(source as usize));
                }
                *self.sources.entry(source).or_default() += 1;
            }
        }
    }

    /// Hashes of the anchors of an article; none if it cannot be read.
    fn headings_of(&self, source: u32) -> Option<HashSet<u64>> {
        let source = self.origin.load(source as usize);
        let bytes = source.bytes.ok()?;
        let input = Input {
            path: Arc::new(source.relative.clone()),
            relative: &source.relative,
            markup: source.markup,
            bytes: &bytes,
            cleaned: &OnceLock::new(),
        };
        let anchors = guarded("render", || {
            let article = article::read(&input, self.surveyor.rules).article?;
            Some(render::anchors(&article))
        });
        let anchors = anchors.ok()??;
        Some(anchors.iter().map(|anchor| hash(anchor)).collect())
    }

    /// Numbers of the sources that have broken links, where these are errors.
    pub(crate) fn refused(&self) -> impl Iterator<Item = u32> {
        let is_error = self.severity() == Severity::Error;
        self.sources.keys().copied().filter(move |_| is_error)
    }

    pub(crate) fn severity(&self) -> Severity {
        severity(self.surveyor.rules)
    }

    /// The findings about them, about `most` at most, and the number of links and files beyond.
    pub(crate) fn findings(&mut self, most: usize) -> (Vec<Diagnostic>, [u64; 2]) {
        let (mut found, mut beyond) = (Vec::new(), [0, 0]);
        for (source, count) in std::mem::take(&mut self.sources) {
            if found.len() >= most {
                beyond = [beyond[0] + count, beyond[1] + 1];
                continue;
            }
            found.extend(self.findings_of(source));
        }
        (found, beyond)
    }

    fn findings_of(&mut self, source: u32) -> Vec<Diagnostic> {
        let number = source as usize;
        let source = self.origin.load(number);
        let Ok(bytes) = source.bytes else {
            return Vec::new();
        };
        let path = Arc::new(self.origin.shown_at(number));
        let rules = self.surveyor.rules;
        let read = || article::read_route(&source.relative, &bytes, rules);
        let route = guarded("read", read);
        let Some(route) = route.ok().flatten() else {
            return Vec::new();
        };
        let targets = self.surveyor.targets(self.origin);
        let follower = Follower {
            relative: &source.relative,
            route: &route,
            targets: &targets,
        };
        let follow = |destination: &str| {
            let links = Links::again(destination, &follower);
            links.checked.into_iter().next()
        };
        let is_broken = |destination: &str| {
            let link = follow(destination);
            link.is_some_and(|link| self.is_broken(&link))
        };
        let places = article::link_places(&bytes, source.markup, MAX_NAMED, is_broken);
        let mut found = Vec::with_capacity(places.len());
        for (destination, place) in places {
            let Some(link) = follow(&destination) else {
                continue;
            };
            let about = self.describe(&link);
            found.push(finding(rules, &path, place, about));
        }
        self.origin.place(number, &mut found);
        found
    }

    fn is_broken(&self, link: &Link) -> bool {
        match &link.to {
            To::NoSource(_) | To::NoFile(_) | To::NoRoute(_) => true,
            To::Own => false,
            To::Page(route) => {
                let page = hash(route.as_str());
                let heading = link.heading.as_deref().map(hash);
                !self.has_page(page)
                    || heading.is_some_and(|heading| self.headings.contains(&(page, heading)))
            }
        }
    }

    /// Message and help.
    fn describe(&mut self, link: &Link) -> (String, Option<String>) {
        match (&link.to, &link.heading) {
            (To::NoSource(path), _) if path.as_os_str().is_empty() => {
                let message =
                    "expected a source inside the content root, found a path that leaves it";
                (message.to_owned(), None)
            }
            (To::NoSource(path), _) => {
                let path = path.to_string_lossy();
                let guess = self.nearest(Route::of_path(Path::new(&*path)).ok());
                let guess = guess.and_then(|route| self.pages.get(&hash(route.as_str())));
                let guess = guess.map(|source| self.origin.relative(*source as usize));
                (
                    format!("expected a link to a source, found no {}", quoted(&path)),
                    guess.map(|path| format!("did you mean {}?", quoted(&path.to_string_lossy()))),
                )
            }
            (To::NoFile(path), _) => {
                let path = quoted(&path.to_string_lossy());
                (format!("expected a link to a file, found no {path}"), None)
            }
            (To::Page(route), Some(heading)) if self.has_page(hash(route.as_str())) => (
                format!(
                    "expected a heading {} on {route}, found none",
                    quoted(heading)
                ),
                None,
            ),
            (To::Page(route), _) => {
                let guess = self.nearest(Some(route.clone()));
                (
                    format!("expected a link to a page, found no article at {route}"),
                    guess.map(|route| format!("did you mean '{route}'?")),
                )
            }
            (To::NoRoute(path), _) => {
                let stem = path.trim_end_matches(".html").trim_end_matches(".htm");
                let guess =
                    self.nearest(Route::of_path(Path::new(stem.trim_start_matches('/'))).ok());
                (
                    format!(
                        "expected a link to a page, found no article at {}",
                        quoted(path)
                    ),
                    guess.map(|route| format!("did you mean '{route}'?")),
                )
            }
            (To::Own, _) => (String::new(), None),
        }
    }

    /// The route that is most like `wanted`, while comparisons are left.
    fn nearest(&mut self, wanted: Option<Route>) -> Option<&'r Route> {
        self.left = self.left.checked_sub(self.routes.len())?;
        nearest(&wanted?, self.routes.iter().copied(), 1).pop()
    }
}
