//! The content root, and the part of it that the command line or ANP_CONTENT names.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::keys::Sources;
use super::reader::Reader;
use crate::source::is_packed;

/// The content root.
pub(super) struct Content {
    /// As it was given.
    pub root: PathBuf,
    /// The part of it that the command is about, as a path below it; none: all of it.
    pub part: Option<PathBuf>,
    /// Whether it is the default, and no settings file could have named another.
    pub is_default: bool,
}

/// Reads where the content is.
pub(super) fn read(reader: &mut Reader, sources: &Sources<'_>) -> Content {
    let current_dir = sources.current_dir;
    let configured = reader
        .path("content", current_dir)
        .unwrap_or_else(|| reader.default_content(sources));
    let is_set = reader.file.is_some() || reader.is_given("content");
    let of_variable = reader.content_of_variable();
    let (content, part) = self::content((configured, is_set), of_variable, current_dir);
    let named = reader.named_content();
    let (root, part) = match named {
        None => (content, part),
        named => self::content((content, is_set), named, current_dir),
    };
    Content {
        root,
        part,
        is_default: !is_set && named.is_none(),
    }
}

/// The content root and the part of it that is meant, as a path below it; none: all of it.
///
/// What is `named` inside of the `configured` root is a part of that. Another folder is a root of
/// its own. So is the folder of a file elsewhere, unless the root `is_set`. A symbolic link is
/// judged by where it is, not by where it
/// leads, unless only its target is inside. A packed source is a root wherever it is.
fn content(
    (configured, is_set): (PathBuf, bool),
    named: Option<&str>,
    current_dir: &Path,
) -> (PathBuf, Option<PathBuf>) {
    let Some(named) = named.map(PathBuf::from) else {
        return (configured, None);
    };
    if is_packed(&named) {
        return (named, None);
    }
    let path = current_dir.join(&named);
    let elsewhere = || match (named.parent(), named.file_name()) {
        (Some(folder), Some(name)) if !is_set && path.is_file() => {
            let folder = match folder == Path::new("") {
                true => Path::new("."),
                false => folder,
            };
            (folder.to_owned(), Some(PathBuf::from(name)))
        }
        _ => (named.clone(), None),
    };
    let Ok(root) = current_dir.join(&configured).canonicalize() else {
        return elsewhere();
    };
    let target = path.canonicalize().ok();
    if target.as_ref() == Some(&root) {
        return (named, None);
    }
    let part = [itself(&path), target]
        .into_iter()
        .flatten()
        .find_map(|real| {
            let part = real.strip_prefix(&root).ok()?;
            (part != Path::new("")).then(|| part.to_owned())
        });
    match part {
        Some(part) => (configured, Some(part)),
        None => elsewhere(),
    }
}

/// Where `path` itself is, which may be a symbolic link, or be gone.
fn itself(path: &Path) -> Option<PathBuf> {
    let name: &OsStr = path.file_name()?;
    Some(path.parent()?.canonicalize().ok()?.join(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    use super::content;

    #[test]
    fn what_is_inside_the_configured_root_is_a_part_and_all_else_a_root() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        std::fs::create_dir_all(here.join("content/redis/deep")).unwrap();
        std::fs::create_dir(here.join("content-old")).unwrap();
        std::fs::write(here.join("content/redis/a.md"), "").unwrap();
        symlink("content", here.join("alias")).unwrap();
        symlink("content/redis", here.join("shortcut")).unwrap();
        symlink("a.md", here.join("content/redis/link.md")).unwrap();
        symlink("../content-old", here.join("content/out")).unwrap();
        let of = |configured: &str, named: Option<&str>| {
            content((PathBuf::from(configured), true), named, here)
        };
        let whole = |root: &str| (PathBuf::from(root), None);
        let part = |part: &str| (PathBuf::from("content"), Some(PathBuf::from(part)));

        assert_eq!(of("content", None), whole("content"));
        assert_eq!(of("content", Some("content/")), whole("content/"));
        assert_eq!(of("content", Some("alias")), whole("alias"));
        for (named, expected) in [
            ("content/redis", "redis"),
            ("content/redis/", "redis"),
            ("./content/../content/redis/deep/..", "redis"),
            ("alias/redis/a.md", "redis/a.md"),
            ("content/redis/link.md", "redis/link.md"),
            ("content/redis/gone.md", "redis/gone.md"),
            ("content/out", "out"),
            ("shortcut", "redis"),
        ] {
            assert_eq!(of("content", Some(named)), part(expected), "{named}");
        }
        let absolute = here.join("content/redis");
        let absolute = absolute.to_str().unwrap();
        assert_eq!(of("content", Some(absolute)), part("redis"));
        for named in ["content-old", ".", "nowhere", "nowhere/x", "content/.."] {
            assert_eq!(of("content", Some(named)), whole(named));
        }
        assert_eq!(of("none", Some("content/redis")), whole("content/redis"));
        assert_eq!(of("none", Some("none/x")).0, Path::new("none/x"));
        // A file elsewhere.
        std::fs::write(here.join("content-old/x.md"), "").unwrap();
        std::fs::write(here.join("y.md"), "").unwrap();
        for (named, root, file) in [
            ("content-old/x.md", "content-old", "x.md"),
            ("y.md", ".", "y.md"),
        ] {
            assert_eq!(of("content", Some(named)), whole(named));
            let unset = content((PathBuf::from("content"), false), Some(named), here);
            assert_eq!(unset, (PathBuf::from(root), Some(PathBuf::from(file))));
        }
    }
}
