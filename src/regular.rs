//! Opens regular files, and nothing else: a FIFO or a device must not block a run.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens a regular file for reading. It is judged once it is open: what was one a moment ago may
/// be a FIFO by now.
///
/// # Errors
/// Whatever the system says, and anything but a regular file.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    judged(file)
}

/// Opens the regular file at `relative` below `folder`, and follows no symbolic link on the way:
/// a link that replaced a file or folder a moment ago is an error. Where the system has no single
/// call for that (`openat2`, Linux 5.6), the file must also be the one that `is_expected`.
///
/// # Errors
/// As [`open`], and when a symbolic link or another file is found.
pub fn open_below(
    folder: &File,
    relative: &Path,
    is_expected: impl Fn(&Metadata) -> bool,
) -> io::Result<(File, Metadata)> {
    match in_one_call(folder.as_fd(), relative) {
        Some(opened) => judged(opened?.into()),
        None => opened_part_by_part(folder, relative, is_expected),
    }
}

fn opened_part_by_part(
    folder: &File,
    relative: &Path,
    is_expected: impl Fn(&Metadata) -> bool,
) -> io::Result<(File, Metadata)> {
    let opened = part_by_part(folder.as_fd(), relative).map_err(explained)?;
    let (file, metadata) = judged(opened.into())?;
    if !is_expected(&metadata) {
        return Err(io::Error::other(REPLACED));
    }
    Ok((file, metadata))
}

const REPLACED: &str = "it was replaced after anp listed its folder";

fn judged(file: File) -> io::Result<(File, Metadata)> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok((file, metadata))
}

/// Reads a regular file of at most `most_bytes` bytes.
///
/// # Errors
/// As [`open`], and for a larger file.
pub fn read(path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    let (file, _) = open(path)?;
    read_opened(&file, most_bytes)
}

/// The same for a file that is open already.
///
/// # Errors
/// Whatever the system says, and for a larger file.
pub fn read_opened(file: &File, most_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more tells a file that is too large, also one that grows meanwhile.
    file.take(most_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most_bytes {
        let what = format!("larger than {} KiB", most_bytes / 1024);
        return Err(io::Error::other(what));
    }
    Ok(bytes)
}

/// A path without links was given, so a link is a replacement.
fn explained(error: Errno) -> io::Error {
    match error {
        Errno::LOOP | Errno::XDEV | Errno::NOTDIR => io::Error::other(REPLACED),
        error => error.into(),
    }
}

/// None where the system cannot do that.
#[cfg(target_os = "linux")]
fn in_one_call(folder: BorrowedFd<'_>, relative: &Path) -> Option<io::Result<OwnedFd>> {
    use rustix::fs::{ResolveFlags, openat2};

    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // EAGAIN: something was renamed meanwhile, anywhere (openat2(2)).
    for _ in 0..100 {
        match openat2(folder, relative, FLAGS, Mode::empty(), beneath) {
            Err(Errno::AGAIN) => {}
            // An old kernel, or a container that does not allow the call.
            Err(Errno::NOSYS | Errno::PERM) => return None,
            opened => return Some(opened.map_err(explained)),
        }
    }
    None
}

#[cfg(not(target_os = "linux"))]
fn in_one_call(_: BorrowedFd<'_>, _: &Path) -> Option<io::Result<OwnedFd>> {
    None
}

/// The same with one call a part of the path.
fn part_by_part(folder: BorrowedFd<'_>, relative: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = FLAGS | OFlags::NOFOLLOW;
    let mut inner: Option<OwnedFd> = None;
    let mut parts = relative.components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else {
            return Err(Errno::XDEV);
        };
        let is_last = parts.peek().is_none();
        let flags = if is_last {
            flags
        } else {
            flags | OFlags::DIRECTORY
        };
        let outer = inner.as_ref().map_or(folder, OwnedFd::as_fd);
        inner = Some(rustix::fs::openat(outer, name, flags, Mode::empty())?);
    }
    inner.ok_or(Errno::NOENT)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{open_below, opened_part_by_part};

    #[test]
    fn promise_8_no_way_of_opening_a_file_below_a_folder_follows_a_link_or_waits() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("a.md"), "secret").unwrap();
        let tree = tempfile::tempdir().unwrap();
        let at = |name: &str| tree.path().join(name);
        std::fs::create_dir_all(at("b/c")).unwrap();
        std::fs::write(at("b/c/a.md"), "text").unwrap();
        symlink(outside.path().join("a.md"), at("b/out.md")).unwrap();
        symlink("c/a.md", at("b/in.md")).unwrap();
        symlink(outside.path(), at("b/out")).unwrap();
        symlink("/proc/self/root/etc/hostname", at("magic.md")).unwrap();
        let mut mkfifo = std::process::Command::new("mkfifo");
        let made = mkfifo.arg(at("pipe.md")).status();
        assert!(made.unwrap().success());

        let folder = File::open(tree.path()).unwrap();
        let one_call = |path: &str| open_below(&folder, Path::new(path), |_| true);
        let parts = |path: &str| opened_part_by_part(&folder, Path::new(path), |_| true);
        for open in [&one_call as &dyn Fn(&str) -> _, &parts] {
            let mut text = String::new();
            let (mut file, metadata) = open("b/c/a.md").unwrap();
            file.read_to_string(&mut text).unwrap();
            assert_eq!((text.as_str(), metadata.len()), ("text", 4));
            for path in ["b/out.md", "b/in.md", "b/out/a.md", "magic.md"] {
                let error = open(path).unwrap_err().to_string();
                assert_eq!(
                    error, "it was replaced after anp listed its folder",
                    "{path}"
                );
            }
            assert_eq!(
                open("pipe.md").unwrap_err().to_string(),
                "not a regular file"
            );
            for path in ["../x", "/etc/hostname", "", "b/none.md"] {
                assert!(open(path).is_err(), "{path}");
            }
        }
    }

    #[test]
    fn where_no_call_promises_it_the_file_must_be_the_one_that_is_expected() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::write(tree.path().join("a.md"), "text").unwrap();
        let folder = File::open(tree.path()).unwrap();
        let opened = opened_part_by_part(&folder, Path::new("a.md"), |_| false);
        let error = opened.unwrap_err().to_string();
        assert_eq!(error, "it was replaced after anp listed its folder");
    }
}
