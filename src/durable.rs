//! Files that are replaced as a whole: whoever reads one sees the old content or the new,
//! also after a crash.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::private;

/// Replaces the file at `path`, or makes it: temporary file in the same folder → write →
/// fsync → rename → fsync the folder. `mode` are its permissions, whatever the umask is.
///
/// # Errors
/// When the folder cannot be written, the path leads over a link of another user, or something other
/// than a file stands there: a rename would replace even a device. Then nothing is left behind.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    private::check_links(path)?;
    // What a link leads to is replaced, not the link.
    let path = &match path.canonicalize() {
        Ok(path) => path,
        Err(_) if path.is_symlink() => {
            return Err(io::Error::other("it is a symbolic link without a target"));
        }
        Err(_) => path.to_owned(),
    };
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file()
        .set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Replaces the file at `path`, or makes it, by what `fill` writes into the one at `beside`. Not synced: it is
/// for files with a checksum that may be gone after a crash. `beside` is the same for every run, so that
/// runs that are killed do not leave one more each.
///
/// # Errors
/// Those of `fill`, and when the folder cannot be written; the old file is there then.
pub(crate) fn replace_without_sync(
    path: &Path,
    beside: &Path,
    fill: impl FnOnce(File) -> io::Result<()>,
) -> io::Result<()> {
    match std::fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600);
    let written = fill(file.open(beside)?);
    let written = written.and_then(|()| std::fs::rename(beside, path));
    if written.is_err() {
        // The first failure is the one that matters.
        let _ = std::fs::remove_file(beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_made_and_replaced_with_its_mode_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for text in ["first", "second, longer", ""] {
            replace(&path, text.as_bytes(), 0o644).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_link_stays_and_what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("real"), "old").unwrap();
        std::os::unix::fs::symlink(path("real"), path("link")).unwrap();
        replace(&path("link"), b"new", 0o644).unwrap();
        assert_eq!(std::fs::read_to_string(path("real")).unwrap(), "new");
        assert!(path("link").is_symlink());
        std::os::unix::fs::symlink(path("nothing"), path("dangling")).unwrap();
        let error = replace(&path("dangling"), b"new", 0o644).unwrap_err();
        assert_eq!(error.to_string(), "it is a symbolic link without a target");
        std::fs::remove_file(path("dangling")).unwrap();
        std::fs::create_dir(path("folder")).unwrap();
        let error = replace(&path("folder"), b"new", 0o644).unwrap_err();
        assert_eq!(error.to_string(), "not a regular file");
        assert!(replace(&path("no/such/folder"), b"new", 0o644).is_err());
        assert_eq!(names(folder.path()), ["folder", "link", "real"]);
    }
}
