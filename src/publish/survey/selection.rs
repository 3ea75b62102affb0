//! Which articles a command is about: each selector names some, together they name all of
//! these.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::archive::FilePath;
use crate::article::schema::{Field, Kind};
use crate::article::{Metadata, Route, Value};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::Settings;

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
    /// Reads `FIELD=VALUE` of one of these fields.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str, fields: &'static [Field]) -> Result<Self, String> {
        let lists = || {
            fields
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
            Value::Number(_) | Value::Decimal(_) | Value::Flag(_) | Value::Pairs(_) => false,
        }
    }
}

impl Tag {
    /// The same for the metadata of a meta object.
    #[must_use]
    pub fn matches_json(&self, metadata: &serde_json::Value) -> bool {
        metadata
            .get(self.field)
            .is_some_and(|value| self.is_in_json(value))
    }

    fn is_in_json(&self, value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::String(text) => plain(text) == self.value,
            serde_json::Value::Array(items) => items.iter().any(|item| self.is_in_json(item)),
            serde_json::Value::Object(members) => members.iter().any(|(name, member)| {
                matches!(name.as_str(), "name" | "source") && self.is_in_json(member)
            }),
            _ => false,
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

    /// Whether its patterns of routes mean `route`: without any, every route is meant.
    #[must_use]
    pub fn fits(&self, route: &Route) -> bool {
        self.globs.is_empty() || self.globs.iter().any(|glob| glob.matches(route))
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

    /// All selectors, as they were given.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
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

/// What names articles, as it is typed.
#[derive(Clone, Debug, Default)]
pub struct Selectors {
    /// Patterns of routes.
    pub globs: Vec<String>,
    /// Values of list fields: `FIELD=VALUE`.
    pub tags: Vec<String>,
    /// Files below the content folder.
    pub sources: Vec<PathBuf>,
}

/// A route from the command line.
///
/// # Errors
/// 2 when it is none.
pub(crate) fn typed_route(typed: &str) -> Result<Route, Failure> {
    Route::parse(typed).map_err(|error| {
        let failure = Failure::new(Exit::Usage, error.to_string());
        match error.help() {
            Some(help) => failure.note("help", help),
            None => failure,
        }
    })
}

/// What a command line names in the store: a route, or the path of a file in the form of one.
#[derive(Clone, Debug)]
pub(crate) struct TypedPath {
    pub route: Route,
    pub is_file: bool,
}

/// A route or the path of a file from the command line: what ends like a file is one.
///
/// # Errors
/// 2 when it is neither.
pub(crate) fn typed_path(typed: &str) -> Result<TypedPath, Failure> {
    let path = typed.trim();
    let file = match path.starts_with('/') {
        true => FilePath::parse(path),
        false => FilePath::parse(&format!("/{path}")),
    };
    Ok(match file {
        Some(file) => TypedPath {
            route: file.as_route(),
            is_file: true,
        },
        None => TypedPath {
            route: typed_route(typed)?,
            is_file: false,
        },
    })
}

/// The selection below the content folder, by the fields of the settings.
///
/// # Errors
/// 2 when a pattern or a tag is none, or a file lies outside of it.
pub(crate) fn parsed(selectors: &Selectors, settings: &Settings) -> Result<Selection, Failure> {
    let (root, fields) = (&settings.content, settings.rules.schema.fields());
    let refused = |option: &str, error: String| {
        Failure::new(Exit::Usage, format!("--{option}: {error}"))
            .note("retry", "with another one; nothing was written")
    };
    let globs: Result<Vec<RouteGlob>, Failure> = selectors
        .globs
        .iter()
        .map(|text| RouteGlob::parse(text).map_err(|error| refused("glob", error)))
        .collect();
    let tags: Result<Vec<Tag>, Failure> = selectors
        .tags
        .iter()
        .map(|text| Tag::parse(text, fields).map_err(|error| refused("tag", error)))
        .collect();
    let sources: Result<Vec<PathBuf>, Failure> = selectors
        .sources
        .iter()
        .map(|path| match settings.is_packed() {
            true => packed(root, path),
            false => below(root, path),
        })
        .collect();
    Ok(Selection {
        globs: globs?,
        tags: tags?,
        sources: sources?,
    })
}

/// The path of a member of the packed source `root`, as findings show it or without the file before it.
fn packed(root: &Path, path: &Path) -> Result<PathBuf, Failure> {
    let text = path.to_string_lossy();
    let prefix = format!("{}:", root.display());
    let inner = Path::new(text.strip_prefix(&prefix).unwrap_or(&text));
    let is_below = inner
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let member = is_below.then(|| inner.to_owned());
    member.ok_or_else(|| {
        let what = format!("--source: {text} is no path of an article");
        Failure::new(Exit::Usage, what)
            .note("expected", format!("a path within {}", root.display()))
            .note("retry", "with such a path; nothing was written")
    })
}

/// The path below `root` of a file that may be gone.
fn below(root: &Path, path: &Path) -> Result<PathBuf, Failure> {
    let real = |path: &Path| {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // The folder may be reached by a link, and the file may be gone: as far as it is there.
        let there = whole.ancestors().find_map(|folder| {
            let rest = whole.strip_prefix(folder).ok()?;
            Some(folder.canonicalize().ok()?.join(rest))
        });
        there.unwrap_or(whole)
    };
    let relative = real(path).strip_prefix(real(root)).map(Path::to_owned);
    relative.map_err(|_| {
        let what = format!(
            "--source: {} is not below the content folder",
            path.display()
        );
        Failure::new(Exit::Usage, what)
            .note("expected", format!("a file below {}", root.display()))
            .note("retry", "with such a file; nothing was written")
    })
}

#[cfg(test)]
mod tests {
    use super::{RouteGlob, Tag};
    use crate::article::Route;
    use crate::article::schema::TABLE;
    use crate::publish::survey::routes::nearest;

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
        let value = |text: &str| Tag::parse(text, TABLE).unwrap().value;
        assert_eq!(value("Stack=Redis  Caching"), value("stack=redis-caching"));
        assert_ne!(value("tags=c++"), value("tags=C#"));
        for text in ["stack", "stack=", "title=a", "=a", "stack= - "] {
            let error = Tag::parse(text, TABLE).unwrap_err();
            assert!(error.contains(" stack, tools, "), "{error}");
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
