//! What the destination of a link means, by its form alone.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use crate::article::naming::ENDINGS;
use crate::article::route::Route;

/// What a destination means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'d> {
    /// A source: its path from the folder of the linking source, and from the content root.
    Source([Option<PathBuf>; 2]),
    /// A page: the path of its URL, and the paths without an ending of the sources that it may mean:
    /// from the page, as a browser reads it, and from the folder of the linking source. Tools that
    /// serve `/a/b` without a slash at its end write links of the second kind.
    Page(String, [Option<PathBuf>; 2]),
    /// Another file: its path below the content root, or with a slash in front below the root of the
    /// site; and the query and fragment.
    File(PathBuf, &'d str),
    /// A heading of the same page.
    Own,
    /// Anything outside of the archive.
    Elsewhere,
}

/// The heading that a link names behind `#`, decoded; none for the top of a page.
pub(super) fn fragment(destination: &str) -> Option<String> {
    let (_, fragment) = destination.split_once('#')?;
    let fragment = percent_decode_str(fragment).decode_utf8_lossy();
    let is_top = fragment.is_empty() || fragment.eq_ignore_ascii_case("top");
    // `#:~:text=` marks words, not a heading.
    (!is_top && !fragment.starts_with(":~:")).then(|| fragment.into_owned())
}

/// What `destination` means in the source at `relative`, whose route is `route`.
pub(super) fn meaning<'d>(destination: &'d str, relative: &Path, route: &Route) -> Meaning<'d> {
    let (path, tail) = match destination.find(['?', '#']) {
        Some(at) => destination.split_at(at),
        None => (destination, ""),
    };
    if path.is_empty() {
        return match tail.starts_with('#') && fragment(tail).is_some() {
            true => Meaning::Own,
            false => Meaning::Elsewhere,
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
        // A template tag, which has a finding of its own.
        return Meaning::Elsewhere;
    }
    let folder = relative.parent().unwrap_or(Path::new(""));
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
            let page = page(&path, route);
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

/// The file extension of the last name, in lower case; none for a folder, or a name such as `v1.0`.
fn ending(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let (stem, ending) = name.rsplit_once('.')?;
    let is_ending = (1..=8).contains(&ending.len())
        && ending.bytes().all(|b| b.is_ascii_alphanumeric())
        && ending.bytes().any(|b| b.is_ascii_alphabetic());
    (!stem.is_empty() && is_ending).then(|| ending.to_ascii_lowercase())
}

/// `path` joined to `folder`; none if it leaves the content root.
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

/// The sources that a page may mean, see [`Meaning::Page`].
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
            let from_page = page.trim_start_matches('/').into();
            let from_page = (!is_html).then_some(from_page);
            [from_page, joined(folder, stem)]
        }
    }
}

/// The path of the URL that a browser makes of `path` on the page of `route`.
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
