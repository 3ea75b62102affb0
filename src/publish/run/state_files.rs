//! Files of the state folder that processes lock, and what its file system has to do.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Takes all of a lock that others hold for a moment only, within `time`.
pub(crate) fn lock_within(file: &File, time: Duration) -> Result<(), TryLockError> {
    let until = Instant::now() + time;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < until => {}
            tried => return tried,
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Opens a file of the state folder, or makes it. Follows no link: anp would write to its target,
/// which may be any file of this user.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let name = || path.file_name().unwrap_or_default().display().to_string();
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(io::Error::other(format!("its file '{}' is a link", name())));
        }
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!(
            "its file '{}' is not a regular file",
            name()
        )));
    }
    Ok(file)
}

/// An error of a file system that does not do `what`, with that reason; any other as it is.
pub(crate) fn unsupported(what: &str, error: io::Error) -> io::Error {
    let lacks = [Errno::INVAL, Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP];
    let is_lacking = |errno: &Errno| Some(errno.raw_os_error()) == error.raw_os_error();
    if lacks.iter().any(is_lacking) {
        return io::Error::new(io::ErrorKind::Unsupported, format!("{what}: {error}"));
    }
    error
}

/// A folder that cannot be synced: with the reason, where its file system never does that.
pub(crate) fn not_durable(error: io::Error) -> io::Error {
    unsupported("its folders cannot be made durable (fsync)", error)
}
