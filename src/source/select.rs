//! Which articles a command is about: each selector names some, together they name all of
//! these.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use glob::{MatchOptions, Pattern};
use rayon::prelude::*;

use super::large;
use super::origin::Origin;
use super::read::guarded;
use super::survey::SurveyError;
use crate::article::schema::{Kind, TABLE};
use crate::article::{self, Input, MAX_SOURCE_BYTES, Metadata, Route, Rules, Value};

/// `*` stays within a segment, `**` does not.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// A pattern of routes: `/redis-caching/**`, `/*/ttl-jitter/`.
#[derive(Clone, Debug)]
pub struct RouteGlob {
    text: String,
    patterns: Vec<Pattern>,
}

impl RouteGlob {
    /// Reads a pattern. The slash at its end, if any, means nothing; what ends with `/**` means
    /// the folder too.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected a pattern of routes such as /redis-caching/** or /*/ttl-jitter/";
        if !text.starts_with('/') {
            return Err(format!("{expected}, found '{text}'"));
        }
        let trimmed = text.trim_end_matches('/');
        let folder = trimmed.strip_suffix("/**");
        let forms = [Some(trimmed), folder].into_iter().flatten();
        let patterns: Result<Vec<Pattern>, _> = forms.map(Pattern::new).collect();
        let patterns = patterns.map_err(|error| {
            let why = error.msg;
            format!("{expected}, found '{text}': {why}")
        })?;
        Ok(Self {
            text: text.to_owned(),
            patterns,
        })
    }

    /// Whether `route` is meant.
    #[must_use]
    pub fn matches(&self, route: &Route) -> bool {
        let path = route.as_str().trim_end_matches('/');
        self.patterns
            .iter()
            .any(|pattern| pattern.matches_with(path, OPTIONS))
    }
}

impl std::fmt::Display for RouteGlob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A value in a list field: `stack=redis-caching`. `Redis Caching` is meant too, `C#` by `c++`
/// is not.
#[derive(Clone, Debug)]
pub struct Tag {
    field: &'static str,
    value: String,
    text: String,
}

/// In lower case, with a hyphen for each run of spaces, hyphens and underscores.
fn plain(text: &str) -> String {
    let words = text.split([' ', '-', '_']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

impl Tag {
    /// Reads `FIELD=VALUE`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lists = || {
            TABLE
                .iter()
                .filter(|field| matches!(field.kind, Kind::List { .. }))
        };
        let read = || {
            let (name, value) = text.split_once('=')?;
            let name = name.trim().to_lowercase().replace(['-', ' '], "_");
            let field = lists().find(|field| field.name == name)?;
            let value = plain(value.trim());
            (!value.is_empty()).then_some((field.name, value))
        };
        let Some((field, value)) = read() else {
            let names: Vec<&str> = lists().map(|field| field.name).collect();
            return Err(format!(
                "expected FIELD=VALUE with a list field ({}), found '{text}'",
                names.join(", ")
            ));
        };
        Ok(Self {
            field,
            value,
            text: text.to_owned(),
        })
    }

    fn matches(&self, metadata: &Metadata) -> bool {
        metadata
            .get(self.field)
            .is_some_and(|value| self.is_in(value))
    }

    fn is_in(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) => plain(text) == self.value,
            Value::List(items) => items.iter().any(|item| self.is_in(item)),
            // The name of an entity, the host of an image source.
            Value::Group(members) => members.iter().any(|(name, member)| {
                matches!(name.as_str(), "name" | "source") && self.is_in(member)
            }),
            Value::Number(_) | Value::Flag(_) => false,
        }
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Articles whose route fits.
    pub globs: Vec<RouteGlob>,
    /// Articles with such a value.
    pub tags: Vec<Tag>,
    /// Files, as paths below the content folder.
    pub sources: Vec<PathBuf>,
}

impl Selection {
    /// Whether nothing was asked for: then every article is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.globs.is_empty() && self.tags.is_empty() && self.sources.is_empty()
    }

    /// The selectors that mean an article, by their index: globs, then tags, then sources. It is
    /// known by its route, its file, and its metadata, where that could be read.
    #[must_use]
    pub fn takers(
        &self,
        route: &Route,
        relative: &Path,
        metadata: Option<&Metadata>,
    ) -> Vec<usize> {
        let globs = self.globs.iter().map(|glob| glob.matches(route));
        let tags = self
            .tags
            .iter()
            .map(|tag| metadata.is_some_and(|metadata| tag.matches(metadata)));
        let sources = self.sources.iter().map(|source| source == relative);
        let all = globs.chain(tags).chain(sources).enumerate();
        all.filter_map(|(index, takes)| takes.then_some(index))
            .collect()
    }

    /// The selectors that are not among the `busy` ones, as they were given.
    #[must_use]
    pub fn idle(&self, busy: &HashSet<usize>) -> Vec<String> {
        let names = self.names().into_iter().enumerate();
        names
            .filter_map(|(index, name)| (!busy.contains(&index)).then_some(name))
            .collect()
    }

    fn names(&self) -> Vec<String> {
        let globs = self.globs.iter().map(|glob| format!("--glob {glob}"));
        let tags = self.tags.iter().map(|tag| format!("--tag {tag}"));
        let sources = self.sources.iter();
        let sources = sources.map(|path| {
            let is_root = path.as_os_str().is_empty();
            let path = if is_root { Path::new(".") } else { path };
            format!("--source {}", path.display())
        });
        globs.chain(tags).chain(sources).collect()
    }
}

/// The routes of a content tree.
#[derive(Debug, Default)]
pub struct Named {
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
/// the file says what it claims. A file that is asked for and not there any more may have had
/// the route of its name.
///
/// # Errors
/// When a signal asked the run to end.
pub fn routes(
    origin: &dyn Origin,
    selection: &Selection,
    interrupted: &AtomicBool,
) -> Result<Named, SurveyError> {
    let rules = Rules::default();
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
            path: Arc::new(origin.shown(&source.relative)),
            relative: &source.relative,
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
            let untold = is_untold.then(|| origin.shown(&source.relative));
            Read { claim, untold }
        };
        Ok(if large::is_large(&bytes) {
            large::alone(judge)
        } else {
            judge()
        })
    };
    let read: Vec<_> = (0..origin.count()).into_par_iter().map(read_one).collect();
    let mut named = Named::default();
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
        let ending = source.extension().and_then(|ending| ending.to_str());
        let is_gone = matches!(ending, Some("md" | "markdown"))
            && !busy.contains(&(before_sources + index))
            && !origin.shown(source).exists();
        if is_gone && let Ok(route) = Route::new(source, None) {
            busy.insert(before_sources + index);
            named.gone.push((source.display().to_string(), route));
        }
    }
    named.idle = selection.idle(&busy);
    Ok(named)
}

/// What one file says of itself.
struct Read {
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
fn last(route: &Route) -> &str {
    let whole = route.as_str().trim_end_matches('/');
    whole.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{RouteGlob, Tag, nearest};
    use crate::article::Route;

    fn route(path: &str) -> Route {
        Route::parse(path).unwrap()
    }

    #[test]
    fn a_glob_means_whole_segments() {
        for (glob, meant, not_meant) in [
            (
                "/a/**",
                &["/a/", "/a/b/", "/a/b/c/"][..],
                &["/", "/ab/", "/b/a/"][..],
            ),
            ("/a/*", &["/a/b/"], &["/a/", "/a/b/c/"]),
            ("/a/*/", &["/a/b/"], &["/a/", "/a/b/c/"]),
            (
                "/*/ttl-*/",
                &["/x/ttl-jitter/"],
                &["/ttl-jitter/", "/x/y/ttl-a/"],
            ),
            (
                "/**/ttl-*",
                &["/x/ttl-a/", "/x/y/ttl-a/", "/ttl-a/"],
                &["/x/a/"],
            ),
            ("/**", &["/", "/a/", "/a/b/c/"], &[]),
            ("/", &["/"], &["/a/"]),
            ("/a[bc]/", &["/ab/", "/ac/"], &["/ad/"]),
        ] {
            let read = RouteGlob::parse(glob).unwrap();
            for path in meant {
                assert!(read.matches(&route(path)), "{glob} means {path}");
            }
            for path in not_meant {
                assert!(!read.matches(&route(path)), "{glob} does not mean {path}");
            }
        }
        for text in ["", "a/**", "/a/***", "/[a"] {
            assert!(RouteGlob::parse(text).unwrap_err().starts_with("expected"));
        }
    }

    #[test]
    fn a_tag_names_a_list_field() {
        let value = |text: &str| Tag::parse(text).unwrap().value;
        assert_eq!(value("Stack=Redis  Caching"), value("stack=redis-caching"));
        assert_ne!(value("tags=c++"), value("tags=C#"));
        for text in ["stack", "stack=", "title=a", "=a", "stack= - "] {
            let error = Tag::parse(text).unwrap_err();
            assert!(error.contains("(stack, tools, "), "{error}");
        }
    }

    #[test]
    fn the_nearest_routes_come_first_and_others_do_not_come() {
        let known = [
            "/redis/ttl-jitter/",
            "/redis/ttl-jitters/",
            "/deploys/canary/",
        ]
        .map(route);
        let found = nearest(&route("/redis/tll-jitter/"), &known, 3);
        assert_eq!(found, [&known[0], &known[1]]);
        // In another folder.
        assert_eq!(nearest(&route("/ttl-jitter/"), &known, 1), [&known[0]]);
    }
}
