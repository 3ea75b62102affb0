//! Routes: the URL path of an article.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::{Component, Path};
use std::sync::{Arc, LazyLock};

use crate::yaml::quoted;

/// The longest segment of a route, in bytes.
pub const MAX_SEGMENT_BYTES: usize = 120;

/// The longest route, in bytes. Its characters need no percent-coding, so the URL that a client
/// sends has as many; fronts answer 414 to longer ones.
pub const MAX_ROUTE_BYTES: usize = 2048;

/// A URL path such as `/redis-caching/scheduled-tasks-028802/`: it begins and ends with
/// `/`, and each segment is one or more of `[a-z0-9-]`.
#[derive(Clone)]
pub struct Route {
    /// The text of this route and of those that it is packed with.
    texts: Arc<str>,
    start: u32,
    bytes: u32,
}

/// Why there is no route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Nothing is left of a segment in `[a-z0-9-]`.
    #[error("expected a name with letters or digits, found {}", quoted(.0))]
    Empty(String),
    /// A segment is too long: its slug.
    #[error("expected a slug of at most {MAX_SEGMENT_BYTES} bytes, found {} of {}", quoted(.0), .0.len())]
    TooLong(String),
    /// All segments together are too long: their bytes.
    #[error("expected a route of at most {MAX_ROUTE_BYTES} bytes, found {0}")]
    TooDeep(usize),
    /// The path is not UTF-8.
    #[error("expected a path in UTF-8, found {}", quoted(.0))]
    NotUnicode(String),
    /// What a person typed is not a route; the second is the route it would slugify to.
    #[error("expected a route such as /a/b/, found {}", quoted(.0))]
    NotARoute(String, Option<String>),
}

impl RouteError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Empty(_) | Self::NotUnicode(_) => Some("rename the file or folder".to_owned()),
            Self::TooLong(_) => Some("shorten it, or set a shorter 'slug'".to_owned()),
            Self::TooDeep(_) => Some("shorten the names of its folders".to_owned()),
            Self::NotARoute(_, guess) => guess
                .as_ref()
                .map(|route| format!("did you mean '{route}'?")),
        }
    }
}

impl Route {
    /// The route that the path `relative` below the content root gives to the page of a folder
    /// (`index.md`, `_index.md`) or to any other article: its folders and the file name without
    /// its ending, each slugified. [`SourceName`] also reads dates and languages in names.
    ///
    /// [`SourceName`]: super::SourceName
    ///
    /// # Errors
    ///
    /// A segment is empty or too long after slugifying, all of them together are too long, or
    /// the path is not UTF-8.
    pub fn of_path(relative: &Path) -> Result<Self, RouteError> {
        let mut route = Segments::new();
        route.push_folders(relative.parent().unwrap_or(Path::new("")))?;
        let stem = relative.file_stem();
        if !stem.is_some_and(|stem| stem == "index" || stem == "_index") {
            let name = stem.and_then(|stem| stem.to_str());
            route.push(name.ok_or_else(|| not_unicode(relative))?)?;
        }
        route.finish()
    }

    /// The route of the page of `folder`, a path below the content root.
    ///
    /// # Errors
    ///
    /// As [`Route::of_path`].
    pub fn of_folder(folder: &Path) -> Result<Self, RouteError> {
        let mut route = Segments::new();
        route.push_folders(folder)?;
        route.finish()
    }

    /// The route a person typed: `/a/b/`, `a/b` or `/`. Segments must already be slugs, so
    /// that a command never acts on another route than the one that was typed.
    ///
    /// # Errors
    ///
    /// A segment is not a slug; the error knows the route it would slugify to.
    pub fn parse(typed: &str) -> Result<Self, RouteError> {
        let segments = || {
            typed
                .trim()
                .split('/')
                .filter(|segment| !segment.is_empty())
        };
        let is_slug =
            |segment: &str| slugify(segment) == segment && segment.len() <= MAX_SEGMENT_BYTES;
        if !typed.trim().is_empty() && segments().all(is_slug) {
            return Ok(Self::whole(&joined(segments().map(str::to_owned))));
        }
        let guess = joined(segments().map(slugify).filter(|slug| !slug.is_empty()));
        Err(RouteError::NotARoute(
            typed.to_owned(),
            (guess != "/").then_some(guess),
        ))
    }

    /// The route of the folder that contains this one; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let route = self.as_str();
        let end = route.strip_suffix('/')?.rfind('/')?;
        Some(Self::whole(&route[..=end]))
    }

    /// The routes of the folders that contain this one, the nearest first, without the root.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        fn above<'r>(route: &&'r str) -> Option<&'r str> {
            let end = route.strip_suffix('/')?.rfind('/')?;
            (end > 0).then(|| &route[..=end])
        }
        std::iter::successors(above(&self.as_str()), above)
    }

    /// `/`.
    #[must_use]
    pub fn root() -> Self {
        static ROOT: LazyLock<Route> = LazyLock::new(|| Route::whole("/"));
        ROOT.clone()
    }

    /// The path of a file, which has the form of a route but for the ending of its name. The caller has
    /// checked it.
    pub(crate) fn of_file(path: &str) -> Self {
        Self::whole(path)
    }

    /// The last segment; nothing of `/`.
    #[must_use]
    pub fn last_segment(&self) -> &str {
        let segments = self.as_str().trim_end_matches('/');
        segments.rsplit('/').next().unwrap_or_default()
    }

    /// Whether this is `/`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.as_str() == "/"
    }

    /// The path, for example `/a/b/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.texts[self.start as usize..][..self.bytes as usize]
    }

    /// Moves the texts of the routes of `these` into one piece of memory. Otherwise the routes that a run
    /// keeps would lie between the many short texts that it drops, and the allocator would search ever
    /// longer for room.
    pub fn pack<T>(these: &mut [T], route: impl Fn(&mut T) -> &mut Self) {
        let mut texts = String::with_capacity(these.len() * 64);
        for one in &mut *these {
            texts.push_str(route(one).as_str());
        }
        if u32::try_from(texts.len()).is_err() {
            return;
        }
        let (texts, mut start) = (Arc::<str>::from(texts), 0);
        for one in these {
            let route = route(one);
            (route.texts, route.start) = (Arc::clone(&texts), start);
            start += route.bytes;
        }
    }

    fn whole(text: &str) -> Self {
        Self {
            texts: Arc::from(text),
            start: 0,
            bytes: u32::try_from(text.len()).expect("a path has less than 4 GiB"),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.as_str()).finish()
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl PartialOrd for Route {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Route {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// A route that is being put together.
pub(super) struct Segments(String);

impl Segments {
    pub(super) fn new() -> Self {
        let mut route = String::with_capacity(64);
        route.push('/');
        Self(route)
    }

    /// Adds a segment: the slug of `name`.
    pub(super) fn push(&mut self, name: &str) -> Result<(), RouteError> {
        let slug = slugify(name);
        if slug.is_empty() {
            return Err(RouteError::Empty(name.to_owned()));
        }
        if slug.len() > MAX_SEGMENT_BYTES {
            return Err(RouteError::TooLong(slug));
        }
        self.0.push_str(&slug);
        self.0.push('/');
        Ok(())
    }

    pub(super) fn push_all<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), RouteError> {
        names.into_iter().try_for_each(|name| self.push(name))
    }

    fn push_folders(&mut self, folder: &Path) -> Result<(), RouteError> {
        for component in folder.components() {
            if let Component::Normal(name) = component {
                let name = name.to_str().ok_or_else(|| not_unicode(folder))?;
                if !is_transparent(name) {
                    self.push(name)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Route, RouteError> {
        if self.0.len() > MAX_ROUTE_BYTES {
            return Err(RouteError::TooDeep(self.0.len()));
        }
        Ok(Route::whole(&self.0))
    }
}

/// Whether a folder of this name has no segment in routes: posts and drafts of Jekyll.
pub(super) fn is_transparent(name: &str) -> bool {
    name.starts_with('_') && (name == "_posts" || name.eq_ignore_ascii_case("_drafts"))
}

/// The text in `[a-z0-9-]`: other scripts become their ASCII reading, everything else a
/// hyphen; no hyphen at the ends and no two in a row. Empty if nothing is left.
#[must_use]
pub fn slugify(text: &str) -> String {
    if !text.is_ascii() {
        return slugify(&deunicode::deunicode(text));
    }
    let mut slug = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() {
            slug.push(b.to_ascii_lowercase() as char);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    if slug.ends_with('-') {
        slug.pop();
    }
    slug
}

fn joined(segments: impl Iterator<Item = String>) -> String {
    let mut route = "/".to_owned();
    for segment in segments {
        route.push_str(&segment);
        route.push('/');
    }
    route
}

pub(super) fn not_unicode(path: &Path) -> RouteError {
    RouteError::NotUnicode(path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn route(path: &str) -> Result<String, String> {
        Route::of_path(Path::new(path))
            .map(|route| route.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_route_is_the_folders_and_the_name() {
        assert_eq!(route("a.md").unwrap(), "/a/");
        assert_eq!(
            route("Redis Caching/Über uns.md").unwrap(),
            "/redis-caching/uber-uns/"
        );
        assert_eq!(route("a/v1.2.md").unwrap(), "/a/v1-2/");
        assert_eq!(route("北京.md").unwrap(), "/bei-jing/");
    }

    #[test]
    fn an_index_is_its_folder() {
        assert_eq!(route("index.md").unwrap(), "/");
        assert_eq!(route("_index.md").unwrap(), "/");
        assert_eq!(
            Route::of_folder(Path::new("a/_posts")).unwrap().as_str(),
            "/a/"
        );
        assert_eq!(route("a/index.markdown").unwrap(), "/a/");
    }

    #[test]
    fn a_segment_without_letters_or_digits_has_no_route() {
        assert_eq!(
            route("a/!!!.md").unwrap_err(),
            "expected a name with letters or digits, found '!!!'"
        );
        assert!(route("---/a.md").is_err());
    }

    #[test]
    fn segments_end_at_120_bytes() {
        assert!(route(&format!("{}.md", "a".repeat(120))).is_ok());
        assert!(route(&format!("{}.md", "a".repeat(121))).is_err());
        assert!(route(&format!("{}/a.md", "a".repeat(121))).is_err());
    }

    #[test]
    fn routes_end_at_2048_bytes() {
        let folders = format!("{}/", "a".repeat(99)).repeat(20);
        assert_eq!(
            route(&format!("{folders}{}.md", "b".repeat(46)))
                .unwrap()
                .len(),
            2048
        );
        let name = "b".repeat(47);
        assert_eq!(
            route(&format!("{folders}{name}.md")).unwrap_err(),
            "expected a route of at most 2048 bytes, found 2049"
        );
        // What an older version published can still be named.
        assert!(Route::parse(&format!("/{folders}{name}/")).is_ok());
    }

    #[test]
    fn typed_routes_are_taken_exactly() {
        for (typed, want) in [
            ("/a/b/", "/a/b/"),
            ("a/b", "/a/b/"),
            ("a/b/", "/a/b/"),
            ("/", "/"),
            (" /a ", "/a/"),
        ] {
            assert_eq!(Route::parse(typed).unwrap().as_str(), want);
        }
        let error = Route::parse("/A b/c").unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected a route such as /a/b/, found '/A b/c'"
        );
        assert_eq!(error.help().unwrap(), "did you mean '/a-b/c/'?");
        assert!(Route::parse("").is_err());
        assert!(Route::parse("/../x").is_err());
    }

    #[test]
    fn packed_routes_stay_what_they_were() {
        let typed = ["/", "/a/b/", "/a/", "/c/d/e/"];
        let parsed = || typed.map(|typed| Route::parse(typed).unwrap());
        let mut packed = parsed();
        Route::pack(&mut packed, |route| route);
        assert_eq!(packed, parsed());
        assert!(
            packed
                .iter()
                .all(|route| Arc::ptr_eq(&route.texts, &packed[0].texts))
        );
        packed[1] = packed[3].parent().unwrap();
        Route::pack(&mut packed, |route| route);
        assert_eq!(
            packed.each_ref().map(Route::as_str),
            ["/", "/c/d/", "/a/", "/c/d/e/"]
        );
    }

    proptest! {
        #[test]
        fn slugs_stay_in_their_alphabet_and_are_stable(text in any::<String>()) {
            let slug = slugify(&text);
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
            prop_assert_eq!(slugify(&slug), slug);
        }
    }
}
