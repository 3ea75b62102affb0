//! Which state of which file: two are equal only if nothing was written in between.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// For so long a file must have been left alone before it is trusted. Two writes within one
/// tick of the file system's clock leave the same times behind, and FAT ticks every 2 s.
const SETTLED: Duration = Duration::from_secs(2);

/// 64 bits of BLAKE3 over device and inode, then 64 bits over these, size, time of the last write
/// and time of the last change. The time of the last change is the one that nobody can set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity(pub(crate) [u8; 16]);

impl Identity {
    /// The state that `metadata` tells of, whether that can be trusted or not.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let mut identity = [0; 16];
        let (file, state) = identity.split_at_mut(8);
        let mut hasher = blake3::Hasher::new();
        for number in [metadata.dev(), metadata.ino()] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.finalize_xof().fill(file);
        hasher.update(&metadata.size().to_le_bytes());
        for number in [
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
        ] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.finalize_xof().fill(state);
        Self(identity)
    }

    /// When the inode changed last, in ms since 1970: no copy keeps that of the original.
    #[must_use]
    pub fn changed_at_ms(metadata: &Metadata) -> i64 {
        metadata.ctime() * 1000 + metadata.ctime_nsec() / 1_000_000
    }

    /// Whether nothing was written between `before` and `after`, which are of one open file.
    #[must_use]
    pub fn is_same_state(before: &Metadata, after: &Metadata) -> bool {
        let state = |metadata: &Metadata| {
            (
                metadata.size(),
                (metadata.mtime(), metadata.mtime_nsec()),
                (metadata.ctime(), metadata.ctime_nsec()),
            )
        };
        state(before) == state(after)
    }

    /// Whether both are states of one file: the same device and inode.
    #[must_use]
    pub fn is_same_file(&self, other: &Self) -> bool {
        self.0[..8] == other.0[..8]
    }

    /// Whether any later write is sure to change the state that `metadata` tells of. `now` must
    /// have been taken before `metadata`. A file from the future is not trusted: a clock was
    /// set back, and may come by that time again.
    #[must_use]
    pub fn is_settled(metadata: &Metadata, now: SystemTime) -> bool {
        let since = now.checked_sub(SETTLED);
        let since = since.and_then(|since| since.duration_since(SystemTime::UNIX_EPOCH).ok());
        let Some(since) = since else {
            return false;
        };
        let is_before = |seconds: i64, nanos: i64| {
            let time = u64::try_from(seconds).ok().zip(u32::try_from(nanos).ok());
            time.is_none_or(|(seconds, nanos)| Duration::new(seconds, nanos) < since)
        };
        let written = is_before(metadata.mtime(), metadata.mtime_nsec());
        let changed = is_before(metadata.ctime(), metadata.ctime_nsec());
        written && changed
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn only_a_file_that_was_left_alone_for_two_seconds_is_settled() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let metadata = file.as_file().metadata().unwrap();
        let changed = UNIX_EPOCH
            + Duration::new(
                metadata.ctime().unsigned_abs(),
                metadata.ctime_nsec() as u32,
            );
        let settled = |now| Identity::is_settled(&metadata, now);
        assert!(!settled(changed));
        assert!(!settled(changed + SETTLED));
        assert!(settled(changed + SETTLED + Duration::from_nanos(1)));
        // The clock was set back after the file was written.
        assert!(!settled(changed - Duration::from_secs(3600)));
        assert!(!settled(UNIX_EPOCH));
    }

    #[test]
    fn a_file_stays_the_same_file_when_its_state_changes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let of = |path: &std::path::Path| Identity::of(&path.metadata().unwrap());
        let before = of(file.path());
        std::fs::write(file.path(), "text").unwrap();
        let after = of(file.path());
        assert!(before != after && before.is_same_file(&after));
        let other = tempfile::NamedTempFile::new().unwrap();
        assert!(!before.is_same_file(&of(other.path())));
    }

    #[test]
    fn a_time_of_writing_in_the_future_is_not_settled() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let now = SystemTime::now() + Duration::from_secs(60);
        let far = now + Duration::from_secs(60);
        file.as_file().set_modified(far).unwrap();
        let metadata = file.as_file().metadata().unwrap();
        assert!(!Identity::is_settled(&metadata, now));
    }
}
