//! Paths of files: what an archive serves that is not an HTML page.

use std::fmt;

use crate::article::{MAX_ROUTE_BYTES, Route};

/// The URL path of a file, such as `/sitemap.xml` or `/folder/feed.json`: folders as in a [`Route`],
/// then a name of `[a-z0-9-]` and one of the endings `xml`, `json`, `txt` and `md`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

impl FilePath {
    /// Reads a path, taken exactly as it is: what needs decoding or cleaning is none.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (stem, ending) = path.rsplit_once('.')?;
        // Folders and name follow the rules of a route, which ends with a slash.
        let route = format!("{stem}/");
        let is_path = media_type(ending, "").is_some()
            && path.len() <= MAX_ROUTE_BYTES
            && route != "/"
            && Route::parse(&route).is_ok_and(|parsed| parsed.as_str() == route);
        is_path.then(|| Self(path.to_owned()))
    }

    /// The file `name` in the folder of `folder`: `feed.xml` in `/a/` is `/a/feed.xml`.
    #[must_use]
    pub fn in_folder(folder: &Route, name: &str) -> Option<Self> {
        Self::parse(&format!("{folder}{name}"))
    }

    /// The path, for example `/a/feed.xml`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path in the form of a route, as plans hold it.
    #[must_use]
    pub fn as_route(&self) -> Route {
        Route::of_file(&self.0)
    }

    /// Its `Content-Type`. deploy/nginx/anp.lua has the same table.
    #[must_use]
    pub fn content_type(&self) -> String {
        let name = self.0.rsplit('/').next().unwrap_or_default();
        let (stem, ending) = name.rsplit_once('.').unwrap_or_default();
        // `parse` takes no other endings.
        let media_type = media_type(ending, stem).unwrap_or("application/octet-stream");
        format!("{media_type}; charset=utf-8")
    }
}

/// The media type of the file `stem`.`ending`; none if no file may have this ending.
fn media_type(ending: &str, stem: &str) -> Option<&'static str> {
    Some(match (ending, stem) {
        ("xml", "feed") => "application/atom+xml",
        ("xml", _) => "application/xml",
        ("json", "feed") => "application/feed+json",
        ("json", _) => "application/json",
        ("txt", _) => "text/plain",
        ("md", _) => "text/markdown",
        _ => return None,
    })
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::FilePath;
    use crate::article::Route;

    #[test]
    fn the_content_type_follows_from_the_name() {
        for (path, media_type) in [
            ("/feed.xml", "application/atom+xml"),
            ("/a/b-2/feed.xml", "application/atom+xml"),
            ("/feed.json", "application/feed+json"),
            ("/sitemap.xml", "application/xml"),
            ("/sitemap-2024-05.xml", "application/xml"),
            ("/a-feed.xml", "application/xml"),
            ("/a/data.json", "application/json"),
            ("/robots.txt", "text/plain"),
            ("/llms.txt", "text/plain"),
            ("/llms.md", "text/markdown"),
        ] {
            let file = FilePath::parse(path).unwrap();
            assert_eq!(file.as_str(), path);
            assert_eq!(file.content_type(), format!("{media_type}; charset=utf-8"));
        }
    }

    #[test]
    fn what_is_not_exactly_a_path_of_a_file_is_none() {
        let long = format!("/{}a.xml", "a/".repeat(1022));
        assert_eq!(long.len(), 2050);
        for path in [
            "",
            "/",
            ".xml",
            "/.xml",
            "/a/.xml",
            "feed.xml",
            "//feed.xml",
            "//evil/feed.xml",
            "/a//feed.xml",
            "/a/../feed.xml",
            "/feed.XML",
            "/Feed.xml",
            "/feed.html",
            "/feed.xml/",
            "/feed.xml.gz",
            "/feed.2.xml",
            "/feed",
            "/feed.",
            "/-feed.xml",
            "/a_b.xml",
            " /feed.xml",
            "/feed.xml ",
            "/feed .xml",
            "/feed.xml\r\nX: y",
            "/fee\0d.xml",
            "/é.xml",
            &long,
        ] {
            assert_eq!(FilePath::parse(path), None, "{path:?}");
        }
    }

    #[test]
    fn a_file_lies_in_a_folder() {
        let file = |folder: &str, name: &str| {
            let file = FilePath::in_folder(&Route::parse(folder).unwrap(), name);
            file.map(|file| file.to_string())
        };
        assert_eq!(file("/", "feed.xml").as_deref(), Some("/feed.xml"));
        assert_eq!(file("/a/b/", "feed.xml").as_deref(), Some("/a/b/feed.xml"));
        assert_eq!(file("/a/", "../feed.xml"), None);
    }
}
