//! Finding the sources of a content tree, and nothing else: no file outside the root, no
//! loop, no FIFO, no device.

use std::fs::FileType;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::identity::Identity;
use super::list::Sources;

/// Something that was passed over, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Path below the root.
    pub relative: PathBuf,
    /// Why: `a symbolic link that leads out of the content folder`.
    pub reason: String,
    /// Whether something that may hold articles could not be read.
    pub unreadable: bool,
}

/// What a walk found, both lists sorted by path.
#[derive(Debug, Default)]
pub struct Found {
    /// The sources.
    pub sources: Sources,
    /// What was passed over and deserves a word. Hidden files, files with a leading
    /// underscore and files that are no Markdown are passed over in silence.
    pub skipped: Vec<Skipped>,
}

/// Walks `root`, which must be a folder.
///
/// # Errors
/// When `root` itself cannot be read as a folder; all else is in [`Found::skipped`].
pub fn walk(root: &Path) -> std::io::Result<Found> {
    let real_root = root.canonicalize()?;
    std::fs::read_dir(&real_root)?;
    let mut found = Found::default();
    let mut walker = WalkDir::new(root)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = walker.next() {
        let entry = match entry {
            Ok(entry) if entry.depth() == 0 => continue,
            Ok(entry) => entry,
            Err(error) => {
                found.skipped.extend(skipped_by(root, &error));
                continue;
            }
        };
        let is_folder = entry.file_type().is_dir();
        let reason = if is_passed_over(&entry) {
            if is_folder {
                walker.skip_current_dir();
            }
            continue;
        } else if entry.path_is_symlink() && leads_out(&entry, &real_root) {
            if is_folder {
                walker.skip_current_dir();
            }
            "a symbolic link that leads out of the content folder"
        } else if is_folder {
            continue;
        } else if let Some(kind) = special(entry.file_type()) {
            kind
        } else {
            // Of what a link leads to, as it is read.
            let metadata = entry.metadata().ok();
            let bytes = metadata.as_ref().map_or(0, std::fs::Metadata::len);
            let identity = metadata.as_ref().map(Identity::of);
            found
                .sources
                .push(&below(root, entry.path()), bytes, identity)?;
            continue;
        };
        found.skipped.push(Skipped {
            relative: below(root, entry.path()),
            reason: reason.to_owned(),
            unreadable: false,
        });
    }
    // The walk goes folder by folder; reports go by path.
    found.sources.sort();
    found.skipped.sort_by(|a, b| a.relative.cmp(&b.relative));
    Ok(found)
}

fn below(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

/// Hidden, private, or no Markdown.
fn is_passed_over(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    if name.starts_with('.') || (name.starts_with('_') && name != "_index.md") {
        return true;
    }
    let is_markdown = name.ends_with(".md") || name.ends_with(".markdown");
    !entry.file_type().is_dir() && !is_markdown
}

fn leads_out(entry: &DirEntry, real_root: &Path) -> bool {
    !entry
        .path()
        .canonicalize()
        .is_ok_and(|real| real.starts_with(real_root))
}

fn special(file_type: FileType) -> Option<&'static str> {
    if file_type.is_file() {
        None
    } else if file_type.is_fifo() {
        Some("a FIFO, no file")
    } else if file_type.is_socket() {
        Some("a socket, no file")
    } else {
        Some("a device, no file")
    }
}

fn skipped_by(root: &Path, error: &walkdir::Error) -> Option<Skipped> {
    let path = error.path()?;
    let relative = below(root, path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') {
        return None;
    }
    let kind = error.io_error().map(std::io::Error::kind);
    let (reason, unreadable) = if error.loop_ancestor().is_some() {
        ("a symbolic link that leads in a circle".to_owned(), false)
    } else if path.is_symlink() {
        let why = if kind == Some(std::io::ErrorKind::NotFound) {
            "a symbolic link that leads nowhere"
        } else {
            "a symbolic link that cannot be followed"
        };
        (why.to_owned(), false)
    } else {
        let why = error
            .io_error()
            .map_or_else(|| error.to_string(), ToString::to_string);
        (format!("cannot be read: {why}"), true)
    };
    Some(Skipped {
        relative,
        reason,
        unreadable,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    use super::walk;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "text").unwrap();
    }

    #[test]
    fn finds_markdown_inside_the_root_and_says_why_it_skips_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("content");
        for name in [
            "a.md",
            "b/c.markdown",
            "b/_index.md",
            "b/_draft.md",
            ".git/x.md",
            "_private/y.md",
            "b/notes.txt",
        ] {
            touch(&root.join(name));
        }
        touch(&folder.path().join("secret.md"));
        touch(&folder.path().join("outside/deep.md"));
        symlink(folder.path().join("secret.md"), root.join("out.md")).unwrap();
        symlink(folder.path().join("outside"), root.join("outdir")).unwrap();
        symlink("..", root.join("b/circle")).unwrap();
        symlink("nowhere", root.join("broken.md")).unwrap();
        symlink("a.md", root.join("inside.md")).unwrap();
        let fifo = root.join("pipe.md");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket.md")).unwrap();

        let found = walk(&root).unwrap();
        let sources: Vec<_> = found.sources.paths().collect();
        let expected = ["a.md", "b/_index.md", "b/c.markdown", "inside.md"];
        assert_eq!(sources, expected.map(PathBuf::from));
        let skipped: Vec<_> = found
            .skipped
            .iter()
            .map(|skipped| (skipped.relative.to_str().unwrap(), skipped.reason.as_str()))
            .collect();
        assert_eq!(
            skipped,
            [
                ("b/circle", "a symbolic link that leads in a circle"),
                ("broken.md", "a symbolic link that leads nowhere"),
                (
                    "out.md",
                    "a symbolic link that leads out of the content folder"
                ),
                (
                    "outdir",
                    "a symbolic link that leads out of the content folder"
                ),
                ("pipe.md", "a FIFO, no file"),
                ("socket.md", "a socket, no file"),
            ]
        );
        assert!(found.skipped.iter().all(|skipped| !skipped.unreadable));
    }
}
