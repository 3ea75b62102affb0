//! How much of the local disk a run needs, besides what it has used so far.

use std::io;
use std::path::Path;

pub use crate::spool::KEEP_FREE_BYTES;

/// The record of a key besides its name and its value, before it is compressed.
const INTENT_BYTES: u64 = 512;

/// The bytes that a manifest takes on the disk at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ManifestBytes(u64);

impl ManifestBytes {
    /// A key with a name of `name` bytes is recorded, with its prior value of `prior` bytes.
    pub fn add(&mut self, name: u64, prior: u64) {
        // What zstd makes of a value is never much more than the value, base64 or not.
        let record = INTENT_BYTES + 2 * name + prior + prior / 16;
        self.0 = self.0.saturating_add(record);
    }

    /// All of it.
    #[must_use]
    pub fn total(self) -> u64 {
        self.0
    }
}

/// The bytes that are free on the disk of `folder`, or of the nearest folder above that is there.
///
/// # Errors
/// Whatever the file system says.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let mut folder = folder;
    let stat = loop {
        match rustix::fs::statvfs(folder) {
            Ok(stat) => break stat,
            Err(error) => match (folder.parent(), error) {
                (Some(parent), rustix::io::Errno::NOENT) if parent != Path::new("") => {
                    folder = parent;
                }
                (_, rustix::io::Errno::NOENT) => break rustix::fs::statvfs(".")?,
                _ => return Err(error.into()),
            },
        }
    };
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::{ManifestBytes, free_bytes};

    #[test]
    fn a_manifest_holds_names_and_prior_values() {
        let mut bytes = ManifestBytes::default();
        bytes.add(30, 0);
        assert_eq!(bytes.total(), 572);
        bytes.add(30, 16_000);
        assert_eq!(bytes.total(), 572 + 572 + 17_000);
    }

    #[test]
    fn a_folder_that_is_yet_to_be_made_lies_on_the_disk_of_those_above() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("not/there/yet");
        assert!(free_bytes(&deep).unwrap() > 0);
        assert!(free_bytes(std::path::Path::new("not-there")).unwrap() > 0);
    }
}
