//! What the path of a source says of its article (folder, name, date, language), and the route
//! that follows from it.

mod languages;
mod pattern;
mod twins;

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Component, Path};

use self::languages::Language;
use self::pattern::Piece;
use super::dates;
use super::route::{Route, RouteError, Segments, is_transparent, not_unicode, slugify};

pub use self::languages::Languages;
pub use self::pattern::RoutePattern;
pub use self::twins::Twins;

/// Endings of the names of sources, in lower case: those of Jekyll, Hugo, GitHub and MDX.
pub const ENDINGS: [&str; 12] = [
    "md", "markdown", "mdx", "mdown", "mdwn", "mkd", "mkdn", "mkdown", "markdn", "mdtext", "mdtxt",
    "livemd",
];

/// How paths become routes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// The form of routes.
    pub pattern: RoutePattern,
    /// Which endings of names are languages.
    pub languages: Languages,
    /// The sources that keep the date of their name. Derived from the tree, not a setting.
    pub twins: Twins,
}

impl Naming {
    /// The same settings for a tree with these twins.
    #[must_use]
    pub fn with(&self, twins: Twins) -> Self {
        Self {
            twins,
            ..self.clone()
        }
    }

    /// Bytes that differ between settings that give other routes.
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        let parts = std::iter::once(self.pattern.as_str()).chain(self.languages.tags());
        parts
            .flat_map(|part| [part.as_bytes(), b"\0"].concat())
            .collect()
    }
}

/// The path of a source, taken apart.
#[derive(Clone, Debug)]
pub struct SourceName<'p> {
    relative: &'p Path,
    folder: &'p Path,
    /// The name that has the date: of the file, or of the folder that it is the page of.
    dated: &'p str,
    /// The name of the folder, without a date, where the source is the page of a dated one.
    bundle: Option<&'p str>,
    /// The name without ending, language and date.
    stem: &'p str,
    /// Whether it is the page of its folder.
    is_index: bool,
    date: Option<String>,
    language: Option<Language<'p>>,
}

impl<'p> SourceName<'p> {
    /// Takes apart `relative`, a path below the content root.
    ///
    /// # Errors
    /// When the path is not UTF-8.
    pub fn new(relative: &'p Path, languages: &Languages) -> Result<Self, RouteError> {
        let path = relative.to_str().ok_or_else(|| not_unicode(relative))?;
        let name = path.rsplit('/').next().unwrap_or_default();
        let mut stem = match name.rsplit_once('.') {
            Some(("", _)) | None => name,
            Some((stem, _)) => stem,
        };
        let mut language = None;
        if let Some((before, suffix)) = stem.rsplit_once('.')
            && !before.is_empty()
        {
            language = languages.of(suffix, is_index(before));
            if language.is_some() {
                stem = before;
            }
        }
        let folder = relative.parent().unwrap_or(Path::new(""));
        let is_index = is_index(stem);
        let (mut date, mut bundle, mut whole) = (None, None, "");
        if !is_index {
            if let Some((day, rest)) = dated(stem) {
                (date, whole) = (Some(day), stem);
                stem = if rest.is_empty() { stem } else { rest };
            }
        } else if stem == "index" {
            let last = folder.file_name().and_then(|name| name.to_str());
            if let Some((day, rest)) = last.and_then(dated) {
                (date, whole) = (Some(day), last.unwrap_or_default());
                bundle = Some(rest).filter(|rest| !rest.is_empty());
            }
        }
        Ok(Self {
            relative,
            folder,
            dated: whole,
            bundle,
            stem,
            is_index,
            date,
            language,
        })
    }

    /// The name without ending, language and date.
    pub(super) fn stem(&self) -> &'p str {
        self.stem
    }

    /// Whether it is the page of its folder.
    #[must_use]
    pub fn is_index(&self) -> bool {
        self.is_index
    }

    /// The date in its name, as `2020-01-02`.
    #[must_use]
    pub fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// A hash that is the same for sources whose names differ only in the date; none if the name has no
    /// date, or nothing else.
    #[must_use]
    pub fn undated(&self) -> Option<u64> {
        let title = if self.is_index {
            self.bundle?
        } else {
            self.stem
        };
        if self.date.is_none() || title == self.dated {
            return None;
        }
        let folder = match self.bundle {
            Some(_) => self.folder.parent(),
            None => Some(self.folder),
        };
        let mut hasher = DefaultHasher::new();
        (folder, self.language(), slugify(title)).hash(&mut hasher);
        Some(hasher.finish())
    }

    /// The language of the article as a tag of BCP 47 (`pt-BR`), if its name says one other than the
    /// site's.
    #[must_use]
    pub fn language(&self) -> Option<String> {
        let language = self.language.filter(|language| !language.is_site)?;
        let parts = language.suffix.split(['-', '_']).enumerate();
        let parts = parts.map(|(at, part)| match part.len() {
            2 if at > 0 => part.to_ascii_uppercase(),
            4 if at > 0 => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
            _ => part.to_ascii_lowercase(),
        });
        Some(parts.collect::<Vec<_>>().join("-"))
    }

    /// Whether its name says that it is in the language of the site, as articles are by default.
    #[must_use]
    pub fn is_in_site_language(&self) -> bool {
        self.language.is_some_and(|language| language.is_site)
    }

    /// Whether it is in a folder of drafts, as Jekyll has them.
    #[must_use]
    pub fn is_draft(&self) -> bool {
        self.folders()
            .any(|folder| folder.eq_ignore_ascii_case("_drafts"))
    }

    /// The names of its folders, as they are.
    pub(super) fn folders(&self) -> impl Iterator<Item = &'p str> {
        folder_names(self.folder)
    }

    /// The names of the folders that its route has.
    pub(super) fn route_folders(&self) -> impl Iterator<Item = &'p str> {
        let outer = match self.bundle {
            Some(_) => self.folder.parent().unwrap_or(Path::new("")),
            None => self.folder,
        };
        let names = folder_names(outer).filter(|name| !is_transparent(name));
        names.chain(self.bundle)
    }

    /// The route by `naming`, with the `slug` and the `date` (`2020-01-02…`) that its fields say.
    ///
    /// # Errors
    /// When a segment is empty or too long, or all of them together are.
    pub fn route(
        &self,
        naming: &Naming,
        slug: Option<&str>,
        date: Option<&str>,
    ) -> Result<Route, RouteError> {
        let pattern = &naming.pattern;
        if self.date.is_some() && !pattern.needs_date() && naming.twins.contains(self.relative) {
            let whole = self.dated;
            let twin = Self {
                bundle: self.bundle.map(|_| whole),
                stem: if self.is_index { self.stem } else { whole },
                ..self.clone()
            };
            return twin.by_pattern(pattern, slug, date);
        }
        self.by_pattern(pattern, slug, date)
    }

    fn by_pattern(
        &self,
        pattern: &RoutePattern,
        slug: Option<&str>,
        date: Option<&str>,
    ) -> Result<Route, RouteError> {
        let mut route = Segments::new();
        if let Some(language) = self.language.filter(|language| !language.is_site) {
            route.push(language.suffix)?;
        }
        if let Some(slug) = slug.filter(|slug| slug.starts_with('/')) {
            route.push_all(slug.split('/').filter(|part| !part.is_empty()))?;
            return route.finish();
        }
        let slug = slug.filter(|_| !self.is_index);
        let date = date.or(self.date()).and_then(|date| date.get(..10));
        if self.is_index || pattern.is_plain() || pattern.needs_date() && date.is_none() {
            route.push_all(self.route_folders())?;
            if !self.is_index {
                self.push_last(&mut route, slug)?;
            }
            return route.finish();
        }
        let date = date.unwrap_or_default();
        for segment in pattern.segments() {
            match segment.as_slice() {
                [Piece::Dir] => route.push_all(self.route_folders())?,
                [Piece::Slug] => self.push_last(&mut route, slug)?,
                pieces => {
                    let text = |piece: &Piece| match piece {
                        Piece::Text(text) => Cow::Owned(text.clone()),
                        Piece::Section => {
                            Cow::Borrowed(self.route_folders().next().unwrap_or_default())
                        }
                        Piece::Year => Cow::Borrowed(date.get(..4).unwrap_or_default()),
                        Piece::Month => Cow::Borrowed(date.get(5..7).unwrap_or_default()),
                        Piece::Day => Cow::Borrowed(date.get(8..10).unwrap_or_default()),
                        Piece::Dir | Piece::Slug => Cow::Borrowed(""),
                    };
                    let text: String = pieces.iter().map(text).collect();
                    // An article in the root has no section.
                    if !text.is_empty() {
                        route.push(&text)?;
                    }
                }
            }
        }
        route.finish()
    }

    fn push_last(&self, route: &mut Segments, slug: Option<&str>) -> Result<(), RouteError> {
        match slug {
            Some(slug) => route.push_all(slug.split('/').filter(|part| !part.is_empty())),
            None => route.push(self.stem),
        }
    }
}

/// The route that follows from the path `relative` alone.
///
/// # Errors
/// As [`SourceName::new`] and [`SourceName::route`].
pub fn route_of_name(relative: &Path, naming: &Naming) -> Result<Route, RouteError> {
    SourceName::new(relative, &naming.languages)?.route(naming, None, None)
}

fn folder_names(folder: &Path) -> impl Iterator<Item = &str> {
    folder.components().filter_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    })
}

/// Whether a name without its ending is that of the page of its folder.
fn is_index(stem: &str) -> bool {
    stem == "index" || stem == "_index" || stem.eq_ignore_ascii_case("readme")
}

/// The day `YYYY-MM-DD` that a name begins with, and what follows behind a hyphen.
fn dated(name: &str) -> Option<(String, &str)> {
    if !name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut parts = name.splitn(4, '-');
    let mut part = |lengths: &[usize]| {
        let part = parts.next()?;
        let is_number = part.bytes().all(|b| b.is_ascii_digit());
        (is_number && lengths.contains(&part.len())).then_some(part)
    };
    let (year, month, day) = (part(&[4])?, part(&[1, 2])?, part(&[1, 2])?);
    let rest = parts.next().unwrap_or_default();
    let day = dates::plain(&format!("{year}-{month:0>2}-{day:0>2}"))?;
    Some((day, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(pattern: &str, site: &str, listed: &[&str]) -> Naming {
        let listed: Vec<String> = listed.iter().map(|tag| (*tag).to_owned()).collect();
        Naming {
            pattern: RoutePattern::parse(pattern).unwrap(),
            languages: Languages::new(site, &listed),
            twins: Twins::default(),
        }
    }

    /// The route of a path; behind it, in brackets, what else its name says.
    fn of(path: &str, naming: &Naming) -> String {
        let name = SourceName::new(Path::new(path), &naming.languages).unwrap();
        let route = name.route(naming, None, None);
        let mut said = route.map_or_else(|error| error.to_string(), |route| route.to_string());
        for one in [name.date.clone(), name.language()].into_iter().flatten() {
            said = format!("{said} [{one}]");
        }
        said
    }

    #[test]
    fn names_say_date_language_and_folder() {
        let default = naming(RoutePattern::DEFAULT, "en", &[]);
        for (path, said) in [
            ("a/b.md", "/a/b/"),
            ("Redis Caching/Über uns.md", "/redis-caching/uber-uns/"),
            ("a/v1.2.md", "/a/v1-2/"),
            ("index.md", "/"),
            ("a/index.markdown", "/a/"),
            ("a/README.md", "/a/"),
            ("a/readme.MD", "/a/"),
            // Collections of Jekyll.
            ("_posts/2020-01-02-hello.md", "/hello/ [2020-01-02]"),
            ("blog/_posts/2020-1-2-hello.md", "/blog/hello/ [2020-01-02]"),
            ("_docs/a.md", "/docs/a/"),
            // Dates: whole ones alone.
            ("2020-01-02-a-b.md", "/a-b/ [2020-01-02]"),
            ("2020-01-02.md", "/2020-01-02/ [2020-01-02]"),
            ("2020-01-02-.md", "/2020-01-02/ [2020-01-02]"),
            ("2020-05-my-post.md", "/2020-05-my-post/"),
            ("2020-13-01-a.md", "/2020-13-01-a/"),
            ("2020-02-30-a.md", "/2020-02-30-a/"),
            ("20200102-a.md", "/20200102-a/"),
            ("2020-01-02a.md", "/2020-01-02a/"),
            ("blog/2020-01-02-a/index.md", "/blog/a/ [2020-01-02]"),
            ("blog/2020-01-02/index.md", "/blog/2020-01-02/ [2020-01-02]"),
            ("blog/2020-01-02-a/_index.md", "/blog/2020-01-02-a/"),
            ("blog/2020-01-02-a/b.md", "/blog/2020-01-02-a/b/"),
            // Languages.
            ("index.fr.md", "/fr/ [fr]"),
            ("post/index.fr.md", "/fr/post/ [fr]"),
            ("_index.de.md", "/de/ [de]"),
            ("README.zh-CN.md", "/zh-cn/ [zh-CN]"),
            ("index.pl.md", "/pl/ [pl]"),
            ("about.fr.md", "/fr/about/ [fr]"),
            ("a/b.pt_br.md", "/pt-br/a/b/ [pt-BR]"),
            ("a/b.zh-hans.md", "/zh-hans/a/b/ [zh-Hans]"),
            ("a/b.es-419.md", "/es-419/a/b/ [es-419]"),
            ("2020-01-02-a.fr.md", "/fr/a/ [2020-01-02] [fr]"),
            ("about.en.md", "/about/"),
            ("fr/about.md", "/fr/about/"),
            // No languages.
            ("node.js.md", "/node-js/"),
            ("v1.io.md", "/v1-io/"),
            ("setup.pl.md", "/setup-pl/"),
            ("about.us.md", "/about-us/"),
            ("notes.md.md", "/notes-md/"),
            ("a.x-y.md", "/a-x-y/"),
            (".fr.md", "/fr/"),
        ] {
            assert_eq!(of(path, &default), said, "{path}");
        }
        let listed = naming(RoutePattern::DEFAULT, "de-AT", &["de", "pl"]);
        for (path, said) in [
            ("a.de.md", "/a/"),
            ("a.de-at.md", "/a/"),
            ("a.pl.md", "/pl/a/ [pl]"),
            ("a.fr.md", "/a-fr/"),
            ("index.fr.md", "/index-fr/"),
        ] {
            assert_eq!(of(path, &listed), said, "{path}");
        }
    }

    #[test]
    fn patterns_place_an_article_by_date_and_section() {
        let dated = naming("/{year}/{month}-{day}/{slug}", "en", &[]);
        for (path, said) in [
            ("blog/2020-01-02-a.md", "/2020/01-02/a/ [2020-01-02]"),
            (
                "blog/2020-01-02-a.fr.md",
                "/fr/2020/01-02/a/ [2020-01-02] [fr]",
            ),
            ("blog/a.md", "/blog/a/"),
            ("blog/index.md", "/blog/"),
        ] {
            assert_eq!(of(path, &dated), said, "{path}");
        }
        let name = |path: &'static str| SourceName::new(Path::new(path), &dated.languages).unwrap();
        let route = |slug, date| name("b/2020-01-02-a.md").route(&dated, slug, date).unwrap();
        assert_eq!(
            route(None, Some("2021-03-04T10:00:00Z")).as_str(),
            "/2021/03-04/a/"
        );
        assert_eq!(route(Some("x/y"), None).as_str(), "/2020/01-02/x/y/");
        assert_eq!(route(Some("/x/y"), None).as_str(), "/x/y/");
        assert_eq!(route(Some("/"), None).as_str(), "/");
        let section = naming("/articles/in-{section}/{slug}/", "en", &[]);
        assert_eq!(of("a/b/c.md", &section), "/articles/in-a/c/");
        let section = naming("/{section}/{slug}/", "en", &[]);
        assert_eq!(of("c.md", &section), "/c/");
        assert_eq!(of("a/b/c.md", &section), "/a/c/");
    }

    #[test]
    fn twins_keep_their_dates() {
        let paths = [
            "a/2020-01-09-x.md",
            "a/2020-01-09-y/index.md",
            "2020-01-02.md",
        ];
        let twins = || Twins::new(paths.map(Path::new));
        let plain = naming(RoutePattern::DEFAULT, "en", &[]).with(twins());
        for (path, route) in [
            ("a/2020-01-09-x.md", "/a/2020-01-09-x/ [2020-01-09]"),
            ("a/2020-01-09-y/index.md", "/a/2020-01-09-y/ [2020-01-09]"),
            ("a/2020-01-02-x.md", "/a/x/ [2020-01-02]"),
            ("2020-01-02.md", "/2020-01-02/ [2020-01-02]"),
        ] {
            assert_eq!(of(path, &plain), route, "{path}");
        }
        let dated = naming("/{year}/{month}/{day}/{slug}/", "en", &[]).with(twins());
        assert_eq!(of(paths[0], &dated), "/2020/01/09/x/ [2020-01-09]");
        let key = |path: &str| {
            let name = SourceName::new(Path::new(path), &plain.languages).unwrap();
            name.undated()
        };
        assert_eq!(key("a/2020-01-09-X y.md"), key("a/2019-1-9-x-y/index.md"));
        for other in [
            "a/2020-01-09-x.md",
            "2020-01-09-x-y.md",
            "a/2020-01-09-x-y.fr.md",
        ] {
            assert_ne!(key("a/2020-01-09-X y.md"), key(other), "{other}");
        }
        for path in ["a/x.md", "a/2020-01-09.md", "a/2020-01-09/index.md"] {
            assert_eq!(key(path), None, "{path}");
        }
    }
}
