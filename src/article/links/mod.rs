//! The links of a body. A link to a source (`../x/next.md#part`) becomes a link to its route, since
//! only that exists on the site. A relative image or file gets a URL below `site.assets`, if that is
//! set. All other links keep their destination. Links within the archive are returned, so that the
//! survey can check them once it knows all routes.

mod html;
mod meaning;
mod places;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pulldown_cmark::CowStr;

pub(super) use self::places::{html_places, places};

use self::html::References;
use self::meaning::{Meaning, fragment, meaning};
use super::Article;
use super::route::Route;

/// Most links of one source that are checked.
const MAX_CHECKED: usize = 1_000;

/// What a path of a URL may have besides letters and digits.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What is done about broken links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkRule {
    /// Nothing.
    Allow,
    /// Each is a warning.
    #[default]
    Warn,
    /// Each is an error.
    Deny,
}

/// Knows the sources that there are.
pub trait Targets {
    /// The route of the source at `path` below the content root; none if there is no such source.
    fn route_of(&self, path: &Path) -> Option<Route>;

    /// The source whose path below the content root is `stem` and an ending, or the index of that
    /// folder.
    fn source_of(&self, stem: &Path) -> Option<PathBuf>;

    /// Whether there is a file at `path` below the content root.
    fn has_file(&self, path: &Path) -> bool;
}

/// A link that can be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its target.
    pub to: To,
    /// The heading that it names behind `#`, decoded; on its own page as [`own_heading`] gives it.
    pub heading: Option<String>,
}

/// The target of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// A source that does not exist, by its path below the content root; empty if the path leaves the
    /// content root.
    NoSource(PathBuf),
    /// The page of a route.
    Page(Route),
    /// A file that does not exist, by its path below the content root.
    NoFile(PathBuf),
    /// A path that is no route.
    NoRoute(String),
    /// A heading of the same page.
    Own,
}

/// The links of one article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// The links that can be checked, in order.
    pub checked: Vec<Link>,
    /// Their destinations as written, one a line. [`Links::again`] reads them.
    pub destinations: String,
    /// Hash of the routes of the linked sources, in order.
    pub routes: u64,
}

/// The source whose links are followed.
#[derive(Clone, Copy)]
pub struct Follower<'a> {
    /// Its path below the content root.
    pub relative: &'a Path,
    /// Its route.
    pub route: &'a Route,
    /// The sources that it can link to.
    pub targets: &'a dyn Targets,
}

impl Follower<'_> {
    fn meaning<'d>(&self, destination: &'d str) -> Meaning<'d> {
        meaning(destination, self.relative, self.route)
    }
}

/// Rewrites the links and images of `article`. `assets` is the base URL of relative images and
/// files, without a slash at its end, or empty. Returns the links, and a hash of all new
/// destinations, if there are any.
pub fn resolve(
    article: &mut Article<'_>,
    relative: &Path,
    targets: &dyn Targets,
    assets: &str,
) -> (Links, Option<[u8; 16]>) {
    if !article.body.has_references {
        return (Links::default(), None);
    }
    let route = article.route.clone();
    let follower = Follower {
        relative,
        route: &route,
        targets,
    };
    let mut tracing = Tracing::default();
    let (mut rewritten, mut any) = (blake3::Hasher::new(), false);
    let mut known: [HashMap<String, Option<String>>; 2] = Default::default();
    let mut lead = |destination: &str, is_image: bool| {
        let known = &mut known[usize::from(is_image)];
        let new = match known.get(destination) {
            Some(new) => new.clone(),
            None => {
                let new = tracing.rewrite(destination, is_image, assets, &follower);
                known.insert(destination.to_owned(), new.clone());
                new
            }
        }?;
        any = true;
        rewritten.update(new.as_bytes()).update(b"\n");
        Some(new)
    };
    for (destination, is_image) in article.body.events.references_mut() {
        if let Some(new) = lead(destination, is_image) {
            *destination = CowStr::from(new);
        }
    }
    let body = &mut article.body;
    let mut references = References::default();
    for html in body.events.raw_html() {
        for reference in references.of(html) {
            let url = reference.destination();
            if let Some(new) = lead(&url, reference.is_image) {
                let rewritten = &mut body.rewritten[usize::from(reference.is_image)];
                let new = new.replace('&', "&amp;");
                rewritten.insert(reference.url.to_owned(), new);
            }
        }
    }
    let mut hash = [0; 16];
    rewritten.finalize_xof().fill(&mut hash);
    (tracing.finish(), any.then_some(hash))
}

impl Links {
    /// Follows [`Links::destinations`] again: routes may have changed since.
    #[must_use]
    pub fn again(destinations: &str, follower: &Follower<'_>) -> Self {
        let mut tracing = Tracing::default();
        for destination in destinations.lines() {
            tracing.follow(destination, follower.meaning(destination), follower);
        }
        tracing.finish()
    }
}

/// Collects the links of one article.
#[derive(Default)]
struct Tracing {
    links: Links,
    routes: blake3::Hasher,
}

impl Tracing {
    /// The new destination of a link, if it changes. Adds the link to the others.
    fn rewrite(
        &mut self,
        destination: &str,
        is_image: bool,
        assets: &str,
        follower: &Follower<'_>,
    ) -> Option<String> {
        match follower.meaning(destination) {
            Meaning::File(path, tail) => {
                let new = format!("{assets}/{}{tail}", encoded(&path));
                self.follow(destination, Meaning::File(path, ""), follower);
                (!assets.is_empty()).then_some(new)
            }
            _ if is_image => None,
            meaning => {
                let route = self.follow(destination, meaning, follower)?;
                let tail = destination.find(['?', '#']);
                let tail = tail.map_or("", |at| &destination[at..]);
                Some(format!("{route}{tail}"))
            }
        }
    }

    /// Adds a link. Returns the route of the source that it names, if it names one.
    fn follow(
        &mut self,
        destination: &str,
        meaning: Meaning<'_>,
        follower: &Follower<'_>,
    ) -> Option<Route> {
        if meaning == Meaning::Elsewhere {
            return None;
        }
        let is_page = matches!(meaning, Meaning::Page(..));
        if is_page && self.links.checked.len() >= MAX_CHECKED {
            // Looking for the source that it may name costs more than any other link.
            return None;
        }
        let (to, target) = lead(meaning, follower);
        let to = to?;
        if let Some(route) = &target {
            self.routes.update(route.as_str().as_bytes());
        }
        if self.links.checked.len() < MAX_CHECKED {
            let heading = match to {
                To::Own => own_heading(destination),
                _ => fragment(destination),
            };
            self.links.checked.push(Link { to, heading });
            self.links.destinations.push_str(destination);
            self.links.destinations.push('\n');
        }
        target
    }

    fn finish(mut self) -> Links {
        let mut hash = [0; 8];
        self.routes.finalize_xof().fill(&mut hash);
        self.links.routes = u64::from_le_bytes(hash);
        self.links
    }
}

/// The heading that a link within its page names. Such links work in upper and lower case, and with
/// the prefix that GitHub writes.
#[must_use]
pub fn own_heading(destination: &str) -> Option<String> {
    let heading = destination
        .starts_with('#')
        .then(|| fragment(destination))??;
    Some(heading.trim_start_matches("user-content-").to_lowercase())
}

/// The target of a meaning, if it can be checked, and its route if it is a source.
fn lead(meaning: Meaning<'_>, follower: &Follower<'_>) -> (Option<To>, Option<Route>) {
    match meaning {
        Meaning::Source(places) => {
            let mut places = places.into_iter().flatten();
            let Some(first) = places.next() else {
                return (Some(To::NoSource(PathBuf::new())), None);
            };
            let targets = follower.targets;
            let other = || places.next().and_then(|place| targets.route_of(&place));
            let found = targets.route_of(&first).or_else(other);
            let to = found.clone().map_or(To::NoSource(first), To::Page);
            (Some(to), found)
        }
        Meaning::Page(path, stems) => {
            let targets = follower.targets;
            let [seen_by_browsers, seen_by_source] = stems.map(|stem| targets.source_of(&stem?));
            let meant = match seen_by_browsers {
                Some(_) => None,
                None => seen_by_source.and_then(|source| targets.route_of(&source)),
            };
            if let Some(route) = meant {
                return (Some(To::Page(route.clone())), Some(route));
            }
            let to = Route::parse(&path).map_or(To::NoRoute(path), To::Page);
            (Some(to), None)
        }
        Meaning::Own => (Some(To::Own), None),
        // Files of `/` are often in a folder of their own, such as static/.
        Meaning::File(path, _) if path.is_relative() && !follower.targets.has_file(&path) => {
            (Some(To::NoFile(path)), None)
        }
        Meaning::File(..) | Meaning::Elsewhere => (None, None),
    }
}

fn encoded(path: &Path) -> String {
    let path = path.to_string_lossy();
    utf8_percent_encode(path.trim_start_matches('/'), IN_PATHS).to_string()
}
