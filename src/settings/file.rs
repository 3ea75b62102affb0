//! The settings file: the one that is named, or the nearest one from the current folder upwards.
//!
//! One that is only found has to belong to this user or to root, as git asks of a repository
//! (`safe.directory`): a file that somebody else left in a folder above, such as /tmp, would decide
//! where the password of the store is sent to.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, draw};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::private;
use crate::regular;

/// What the file is called where it is looked for.
pub(super) const NAME: &str = "anp.yaml";

/// More than this is not a settings file.
const MOST_BYTES: u64 = 256 * 1024;

/// The name that stands for no settings file.
const NONE: &str = "/dev/null";

/// Reads the file at `path`, which was named.
pub(super) fn named(path: PathBuf) -> Result<(PathBuf, String), Failure> {
    if path == Path::new(NONE) {
        return Ok((path, String::new()));
    }
    let text = regular::open(&path).and_then(|(file, _)| text_of(&file));
    match text {
        Ok(text) => Ok((path, text)),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

/// Reads the nearest file in `folder` or above it; none where there is none.
pub(super) fn find(folder: &Path) -> Result<Option<(PathBuf, String)>, Failure> {
    for folder in folder.ancestors() {
        let path = folder.join(NAME);
        let link = match std::fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let opened = regular::open(&path);
        let (file, metadata) = opened.map_err(|error| unreadable(&path, &error))?;
        let own = rustix::process::geteuid().as_raw();
        // A link decides as much as the file that it leads to.
        for owner in [link.uid(), metadata.uid()] {
            if !is_trusted(owner, own) {
                return Err(of_somebody_else(&path, owner));
            }
        }
        let text = text_of(&file).map_err(|error| unreadable(&path, &error))?;
        return Ok(Some((path, text)));
    }
    Ok(None)
}

fn text_of(file: &std::fs::File) -> io::Result<String> {
    let bytes = regular::read_opened(file, MOST_BYTES)?;
    String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8"))
}

/// A problem in a file of that `kind`.
pub(super) fn problem(kind: &str, diagnostic: &Diagnostic) -> String {
    let text = draw::render(diagnostic, false);
    // Said once, for all of them.
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("= retry: "));
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = text.strip_prefix("error").unwrap_or(&text).trim_end();
    format!("{kind}{text}")
}

fn is_trusted(owner: u32, own: u32) -> bool {
    owner == own || owner == 0
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let what = format!("cannot read the settings file {}: {error}", path.display());
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("as a user who may read it{}", private::sudo_tip(path))
        }
        _ => "after you make the file readable".to_owned(),
    };
    Failure::new(Exit::Config, what).note("retry", format!("{advice}; nothing was written"))
}

fn of_somebody_else(path: &Path, owner: u32) -> Failure {
    let shown = path.display();
    let what = format!("the settings file {shown} belongs to another user (uid {owner})");
    Failure::new(Exit::Config, what)
        .note(
            "expected",
            "a settings file of this user or of root, or one that --config or ANP_CONFIG names",
        )
        .note(
            "retry",
            format!(
                "after you read the file, with --config {shown}; or without any settings file, with \
                 --config {NONE}; nothing was written"
            ),
        )
}

#[cfg(test)]
mod tests {
    use super::is_trusted;

    #[test]
    fn only_files_of_this_user_and_of_root_are_taken_without_being_named() {
        for (owner, own, expected) in [
            (1000, 1000, true),
            (0, 1000, true),
            (0, 0, true),
            (1001, 1000, false),
            (1000, 0, false),
        ] {
            assert_eq!(is_trusted(owner, own), expected, "{owner} {own}");
        }
    }
}
