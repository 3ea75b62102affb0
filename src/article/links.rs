//! The links of a body: which of them lead to other sources or pages of the archive.
//!
//! A link to a source (`../x/next.md#part`) becomes one to its route, since only that exists on
//! the site. A relative image or file becomes one below `site.assets`, where that is set. Links to
//! pages stay as they are. What leads to a source or a page is handed back, for whoever knows all
//! routes to check.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use pulldown_cmark::{CowStr, Event, Parser, Tag};

use super::Article;
use super::events::{is_reference, may_matter, options};
use super::naming::ENDINGS;
use super::route::Route;
use crate::diagnostic::Span;
use crate::front_matter::position;

/// Most links of one source that are checked; where a page of more leads is its own affair.
const MAX_CHECKED: usize = 1_000;

/// What a path of a URL may have besides letters and digits.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What is done about links that lead nowhere.
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
    /// Where it leads.
    pub to: To,
    /// What stands behind `#`, decoded; none if nothing does.
    pub fragment: Option<String>,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// To a source that is not there, by its path below the content root; empty where it leads out of
    /// that.
    NoSource(PathBuf),
    /// To the page of a route.
    Page(Route),
    /// To a file that is not there, by its path below the content root.
    NoFile(PathBuf),
    /// To a path that can be no route.
    NoRoute(String),
    /// To a heading of its own page.
    Own,
}

/// The links of one article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Those that can be checked, in their order.
    pub checked: Vec<Link>,
    /// Their destinations as written, a line each: enough to find all of this again.
    pub destinations: String,
    /// Hash of the routes of the sources among them, in their order.
    pub routes: u64,
}

/// What a destination means.
#[derive(Debug, PartialEq, Eq)]
enum Meaning<'d> {
    /// A source, as seen from the folder of the linking one, and as seen from the content root.
    Source([Option<PathBuf>; 2]),
    /// A page, by the path of its URL; and the sources that it may be meant to be, by their paths
    /// without an ending: as a browser sees it, and as seen from the linking source. Tools that
    /// serve `/a/b` without a slash at its end have links of the second kind.
    Page(String, [Option<PathBuf>; 2]),
    /// Another file, by its path below the content root, or below the root of the site with a slash
    /// in front; and query and fragment with their marks.
    File(PathBuf, &'d str),
    /// A place on the same page.
    Own,
    /// What the archive does not know.
    Elsewhere,
}

/// Who follows links: a source, with what it can know.
#[derive(Clone, Copy)]
pub struct Follower<'a> {
    /// Its path below the content root.
    pub relative: &'a Path,
    /// Its route.
    pub route: &'a Route,
    /// The sources that there are.
    pub targets: &'a dyn Targets,
}

/// Rewrites the links and images of `article`. `assets` is the base URL of relative images and
/// files, without a slash at its end, or empty. Returns its links, and a hash of all that was
/// rewritten, if something was.
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
    for html in body.events.raw_html() {
        for reference in references(html) {
            // Of all references in HTML, this is the one that addresses have.
            let url = reference.url.replace("&amp;", "&");
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
    /// The links that [`Links::destinations`] were made of, as they lead now.
    #[must_use]
    pub fn again(destinations: &str, follower: &Follower<'_>) -> Self {
        let mut tracing = Tracing::default();
        for destination in destinations.lines() {
            tracing.follow(destination, meaning(destination, follower), follower);
        }
        tracing.finish()
    }
}

/// The links that were followed so far.
#[derive(Default)]
struct Tracing {
    links: Links,
    routes: blake3::Hasher,
}

impl Tracing {
    /// What a destination becomes, if that is another; takes the link down.
    fn rewrite(
        &mut self,
        destination: &str,
        is_image: bool,
        assets: &str,
        follower: &Follower<'_>,
    ) -> Option<String> {
        match meaning(destination, follower) {
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

    /// Takes down one link. Returns the route of the source that it leads to.
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
            // Looking for what it may mean costs more than other links do.
            return None;
        }
        let (to, target) = lead(meaning, follower);
        let to = to?;
        if let Some(route) = &target {
            self.routes.update(route.as_str().as_bytes());
        }
        if self.links.checked.len() < MAX_CHECKED {
            let mut fragment = fragment(destination);
            if to == To::Own {
                // On its own page a link finds its heading in whatever case.
                fragment = fragment
                    .map(|fragment| fragment.trim_start_matches("user-content-").to_lowercase());
            }
            self.links.checked.push(Link { to, fragment });
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

/// Where a meaning leads, if that can be checked, and the route of the source if it is one.
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
        // What a site serves from its root mostly is in another folder.
        Meaning::File(path, _) if path.is_relative() && !follower.targets.has_file(&path) => {
            (Some(To::NoFile(path)), None)
        }
        Meaning::File(..) | Meaning::Elsewhere => (None, None),
    }
}

/// The heading that a link leads to: what stands behind `#`, decoded; none for the top of a page.
#[must_use]
pub fn fragment(destination: &str) -> Option<String> {
    let (_, fragment) = destination.split_once('#')?;
    let fragment = percent_decode_str(fragment).decode_utf8_lossy();
    let is_top = fragment.is_empty() || fragment.eq_ignore_ascii_case("top");
    // `#:~:text=` marks words, not a heading.
    (!is_top && !fragment.starts_with(":~:")).then(|| fragment.into_owned())
}

fn meaning<'d>(destination: &'d str, follower: &Follower<'_>) -> Meaning<'d> {
    let (path, tail) = match destination.find(['?', '#']) {
        Some(at) => destination.split_at(at),
        None => (destination, ""),
    };
    if path.is_empty() {
        return match tail.strip_prefix('#') {
            Some(_) if fragment(tail).is_some() => Meaning::Own,
            _ => Meaning::Elsewhere,
        };
    }
    let first = path.split('/').next().unwrap_or_default();
    if first.contains(':') || path.starts_with("//") || path.contains('\\') {
        return Meaning::Elsewhere;
    }
    let Ok(path) = percent_decode_str(path).decode_utf8() else {
        return Meaning::Elsewhere;
    };
    if path.chars().any(char::is_control) || path.contains(['{', '}']) {
        // Templates of another program, which are a finding of their own.
        return Meaning::Elsewhere;
    }
    let folder = follower.relative.parent().unwrap_or(Path::new(""));
    let ending = ending(&path);
    let ending = ending.as_deref();
    match ending {
        Some(ending) if ENDINGS.contains(&ending) => {
            // `@/` is Zola's name of the content root.
            let of_root = path.strip_prefix("@/").or_else(|| path.strip_prefix('/'));
            let near = of_root.is_none().then(|| joined(folder, &path));
            let from_root = joined(Path::new(""), of_root.unwrap_or(&path));
            let near = near.flatten();
            let far = from_root.filter(|place| Some(place) != near.as_ref());
            Meaning::Source([near, far])
        }
        None | Some("html" | "htm") => {
            let page = page(&path, follower.route);
            let stems = stems(&path, ending.is_some(), &page, folder);
            Meaning::Page(page, stems)
        }
        Some(_) => {
            let place = match path.strip_prefix('/') {
                Some(path) => joined(Path::new("/"), path),
                None => joined(folder, &path),
            };
            place.map_or(Meaning::Elsewhere, |place| Meaning::File(place, tail))
        }
    }
}

/// What stands behind the dot of the last name, in lower case; none for a folder, or where that is
/// no ending of a file: `v1.0`, `e.g. this`.
fn ending(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let (stem, ending) = name.rsplit_once('.')?;
    let is_ending = (1..=8).contains(&ending.len())
        && ending.bytes().all(|b| b.is_ascii_alphanumeric())
        && ending.bytes().any(|b| b.is_ascii_alphabetic());
    (!stem.is_empty() && is_ending).then(|| ending.to_ascii_lowercase())
}

/// `path` as seen from `folder`; none if it leads out of the content root.
fn joined(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut whole = folder.to_owned();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                if !whole.pop() {
                    return None;
                }
            }
            name => whole.push(name),
        }
    }
    Some(whole)
}

/// See [`Meaning::Page`]. A path from the root that ends as a page does is no other place.
fn stems(path: &str, is_html: bool, page: &str, folder: &Path) -> [Option<PathBuf>; 2] {
    let stem = match is_html {
        true => path.rsplit_once('.').map_or(path, |(stem, _)| stem),
        false => path,
    };
    let stem = stem.strip_suffix("/index").unwrap_or(stem);
    match stem.strip_prefix('/') {
        Some(stem) if is_html => [None, joined(Path::new(""), stem)],
        Some(_) => [None, None],
        None => {
            let seen_by_browsers = page.trim_start_matches('/').into();
            let seen_by_browsers = (!is_html).then_some(seen_by_browsers);
            [seen_by_browsers, joined(folder, stem)]
        }
    }
}

/// The path of the URL that `path` leads to from `route`. Browsers stop at the root.
fn page(path: &str, route: &Route) -> String {
    let start = if path.starts_with('/') {
        ""
    } else {
        route.as_str()
    };
    let mut names: Vec<&str> = Vec::new();
    for name in start.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    if matches!(names.last(), Some(&("index.html" | "index.htm"))) {
        names.pop();
    }
    format!("/{}", names.join("/"))
}

fn encoded(path: &Path) -> String {
    let path = path.to_string_lossy();
    utf8_percent_encode(path.trim_start_matches('/'), IN_PATHS).to_string()
}

/// A URL in raw HTML, as written.
struct HtmlReference<'h> {
    url: &'h str,
    is_image: bool,
    /// Where it stands in the HTML, in bytes.
    at: usize,
}

/// The values of `href` and `src` in raw HTML. What only looks like one does no harm: nothing is
/// written in its place.
fn references(html: &str) -> impl Iterator<Item = HtmlReference<'_>> {
    html.match_indices('=').filter_map(|(at, _)| {
        let before = html[..at].trim_ascii_end().as_bytes();
        let name = before.len().checked_sub(4)?;
        let (before, name) = before.split_at(name);
        let is_link = name.eq_ignore_ascii_case(b"href");
        let name_is_src = name[1..].eq_ignore_ascii_case(b"src");
        let is_image = !is_link && name_is_src && name[0].is_ascii_whitespace();
        let is_attribute = is_image || before.last().is_some_and(u8::is_ascii_whitespace);
        if !is_attribute || !(is_link || is_image) {
            return None;
        }
        let value = html[at + 1..].trim_ascii_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let url = match quote {
            Some(quote) => value[1..].split(quote).next()?,
            None => value.split([' ', '\t', '\n', '\r', '>']).next()?,
        };
        let start = html.len() - value.len() + usize::from(quote.is_some());
        let may_matter = !url.is_empty() && may_matter(url);
        may_matter.then_some(HtmlReference {
            url,
            is_image,
            at: start,
        })
    })
}

/// Where the links and images of a Markdown body stand whose destination, as written, `is_meant`,
/// up to `most` of them. Its first line is `first_line`.
pub(super) fn places(
    markdown: &str,
    first_line: u32,
    most: usize,
    mut is_meant: impl FnMut(&str) -> bool,
) -> Vec<(String, Span)> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    for (event, range) in Parser::new_ext(markdown, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                ..
            }) if is_reference(link_type) && is_meant(&dest_url) => {
                found.push((dest_url.into_string(), range));
            }
            Event::Start(Tag::Image { dest_url, .. }) if is_meant(&dest_url) => {
                found.push((dest_url.into_string(), range));
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                for reference in references(&html) {
                    let url = reference.url.replace("&amp;", "&");
                    if is_meant(&url) {
                        let at = range.start + reference.at;
                        found.push((url, at..at + reference.url.len()));
                    }
                }
            }
            _ => {}
        }
        if found.len() >= most {
            break;
        }
    }
    found.truncate(most);
    let placed = found.into_iter().map(|(destination, range)| {
        let mut span = position(markdown, range.start, first_line);
        let text = markdown.get(range).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        span.length = u32::try_from(line.chars().count()).unwrap_or(u32::MAX);
        (destination, span)
    });
    placed.collect()
}
