//! From the path of a request to the route or file that it asks for.

use percent_encoding::percent_decode_str;

use crate::archive::FilePath;
use crate::article::{MAX_ROUTE_BYTES, Route};

/// The longest path, in bytes as they are sent, without the query.
pub(super) const MAX_BYTES: usize = MAX_ROUTE_BYTES;

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RequestedPath {
    /// The page of this route.
    Route(Route),
    /// The same, without the `/` at its end.
    Unslashed(Route),
    /// The file at this path.
    File(FilePath),
    /// Nothing that a store can hold.
    Nothing,
}

/// Reads a path as it was sent. It is decoded once; what then is neither a route nor a file in every byte
/// never reaches the store, nor a header of the answer.
pub(super) fn asked(path: &str) -> RequestedPath {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let file = std::str::from_utf8(&decoded).ok().and_then(FilePath::parse);
    if let Some(file) = file {
        return RequestedPath::File(file);
    }
    let is_plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-/".contains(b);
    if !decoded.starts_with(b"/") || !decoded.iter().all(is_plain) {
        return RequestedPath::Nothing;
    }
    let typed = String::from_utf8_lossy(&decoded);
    // Two slashes are another URL; a person who types a route is forgiven, a browser is not.
    if typed.contains("//") {
        return RequestedPath::Nothing;
    }
    match Route::parse(&typed) {
        Ok(route) if typed.ends_with('/') => RequestedPath::Route(route),
        Ok(route) => RequestedPath::Unslashed(route),
        Err(_) => RequestedPath::Nothing,
    }
}

/// The path for people: decoded, whatever it holds.
pub(super) fn shown(path: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let text = String::from_utf8_lossy(&decoded);
    text.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::{RequestedPath, asked, shown};
    use crate::archive::FilePath;
    use crate::article::Route;

    fn route(path: &str) -> Option<String> {
        match asked(path) {
            RequestedPath::Route(route) => Some(route.to_string()),
            _ => None,
        }
    }

    #[test]
    fn a_route_is_its_path_decoded_once() {
        assert_eq!(route("/").as_deref(), Some("/"));
        assert_eq!(route("/a/b-2/").as_deref(), Some("/a/b-2/"));
        assert_eq!(route("/%61/b%2D2%2f").as_deref(), Some("/a/b-2/"));
        assert_eq!(route("/%2561/"), None, "not decoded twice");
    }

    #[test]
    fn without_the_slash_it_is_known_which_page_was_meant() {
        let meant = Route::parse("/a/b/").unwrap();
        assert_eq!(asked("/a/b"), RequestedPath::Unslashed(meant.clone()));
        assert_eq!(asked("/a%2fb"), RequestedPath::Unslashed(meant));
    }

    #[test]
    fn a_name_with_an_ending_of_files_is_a_file() {
        for (path, file) in [
            ("/feed.xml", "/feed.xml"),
            ("/%61%2Fllms%2etxt", "/a/llms.txt"),
        ] {
            let file = FilePath::parse(file).unwrap();
            assert_eq!(asked(path), RequestedPath::File(file));
        }
    }

    #[test]
    fn what_is_no_route_asks_for_nothing() {
        let long = format!("/{}/", "a".repeat(200));
        for path in [
            "",
            "*",
            "a/",
            "//",
            "//evil.example/",
            "/a//b/",
            "/../etc/passwd",
            "/a/../b/",
            "/./",
            "/%2e%2e/",
            "/A/",
            "/a_b/",
            "/a.html",
            "/a.xml/",
            "/A.xml",
            "//a.xml",
            "/../a.xml",
            "/a.xml%00",
            "/a%0d%0a.xml",
            "/%2561.xml",
            "/a%00/",
            "/a%0d%0aX-Injected:%201/",
            "/a%0a",
            "/%ff%fe/",
            "/é/",
            "/%C3%A9/",
            "/a b/",
            "/a%20b/",
            "/%zz/",
            "/%",
            "/a\\b/",
            "/-a/",
            "/a--b/",
            "/a:b/",
            "/*/",
            long.as_str(),
        ] {
            assert_eq!(asked(path), RequestedPath::Nothing, "{path:?}");
        }
    }

    #[test]
    fn what_is_shown_of_a_path_holds_no_control_characters() {
        assert_eq!(
            shown("/a%0d%0ab%00/<i>%ff"),
            "/a\u{fffd}\u{fffd}b\u{fffd}/<i>\u{fffd}"
        );
    }
}
