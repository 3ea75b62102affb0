//! The small files of a content root that say what of it is read: `.anpignore`, `_config.yml`.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::AtFlags;

use crate::regular;

/// Where they are read from.
pub(super) trait SmallFiles {
    /// The bytes of the file at `relative` below the root, at most `most_bytes`.
    ///
    /// # Errors
    /// `NotFound` where there is none, and whatever the system says, also for a larger one.
    fn small_file(&self, relative: &Path, most_bytes: u64) -> io::Result<Vec<u8>>;
}

/// A folder.
impl SmallFiles for File {
    fn small_file(&self, relative: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
        let opened = regular::open_below(self, relative, |_| true);
        let read = opened.and_then(|(file, _)| regular::read_opened(&file, most_bytes));
        // A folder that cannot be read has none: of that, the walk speaks.
        let is_there = || rustix::fs::statat(self, relative, AtFlags::SYMLINK_NOFOLLOW).is_ok();
        read.map_err(|error| {
            if is_there() {
                error
            } else {
                io::ErrorKind::NotFound.into()
            }
        })
    }
}
