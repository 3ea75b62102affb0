//! The file lock on the state folder: one writing command a folder.
//!
//! The system drops it when its holder dies, however it dies. Whoever holds it knows that
//! a lease from this very folder ([`super::folder_id`]) belongs to a dead process. The file says who holds it,
//! for whoever finds it held; that is for people, and decides nothing.
//!
//! Shards that do one run together share the lock of the folder, so that whatever wants it alone
//! waits for all of them, and each holds a lock of its own, `lock.I-of-N`: whoever holds that one
//! knows the same of the lease of this shard. Between runs it is the lease that decides.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fmt, io};

use serde::{Deserialize, Serialize};

use super::folder_id::identity;
use super::state_files::{lock_within, open, unsupported};
use crate::failpoint;
use crate::publish::shards::shard::Shard;

/// Who holds the lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FolderHolder {
    /// The run, once it has an id.
    pub run: Option<String>,
    /// Who is responsible for it.
    pub owner: Option<String>,
    /// The host it runs on.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// When it took the lock, by its own clock, seconds since 1970.
    pub since: u64,
}

impl fmt::Display for FolderHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.run.as_deref().unwrap_or("without an id yet");
        let owner = self.owner.as_deref().unwrap_or("not named");
        let age = now().saturating_sub(self.since);
        write!(
            f,
            "run {run}: owner {owner}, host {}, pid {}, since {age} s",
            self.host, self.pid
        )
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Held for as long as it lives.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
    /// The lock of the shard, where the one of the folder is shared.
    shard: Option<File>,
    holder: FolderHolder,
    identity: String,
}

/// The right to remove old manifests.
#[derive(Debug)]
pub struct CleanupLock(#[expect(dead_code, reason = "held, not read")] Option<File>);

/// Why the lock was not taken.
#[derive(Debug)]
pub enum FolderLockError {
    /// Another process has it, which may have said who it is.
    Held(Option<FolderHolder>),
    /// Whatever the file system says.
    Io(io::Error),
}

impl FolderLock {
    /// Takes the lock of `state_dir` for `owner`.
    ///
    /// # Errors
    /// See [`FolderLockError`].
    pub fn take(state_dir: &Path, owner: Option<&str>) -> Result<Self, FolderLockError> {
        let file = open(&state_dir.join(NAME)).map_err(FolderLockError::Io)?;
        lockable()?;
        taken(file.try_lock(), || who_has_folder(state_dir))?;
        let lock = Self {
            identity: identity(state_dir, &file).map_err(FolderLockError::Io)?,
            file,
            shard: None,
            holder: FolderHolder::of(None, owner),
        };
        lock.say(&lock.holder).map_err(FolderLockError::Io)?;
        Ok(lock)
    }

    /// Takes a share of the lock of `state_dir` for `owner`, and all of the lock of `shard`, which
    /// does `run` together with others.
    ///
    /// # Errors
    /// See [`FolderLockError`].
    pub fn share(
        state_dir: &Path,
        owner: Option<&str>,
        shard: Shard,
        run: &str,
    ) -> Result<Self, FolderLockError> {
        let file = open(&state_dir.join(NAME)).map_err(FolderLockError::Io)?;
        lockable()?;
        taken(file.try_lock_shared(), || who_has_folder(state_dir))?;
        let path = state_dir.join(format!("{NAME}.{}", shard.in_file_name()));
        let own = open(&path).map_err(FolderLockError::Io)?;
        // Others take it for a moment, to see whether it is free ([`is_dead`]).
        let moment = Duration::from_millis(50);
        taken(lock_within(&own, moment), || who_has(&[path]))?;
        let lock = Self {
            identity: identity(state_dir, &file).map_err(FolderLockError::Io)?,
            file,
            shard: Some(own),
            holder: FolderHolder::of(Some(run), owner),
        };
        lock.say(&lock.holder).map_err(FolderLockError::Io)?;
        Ok(lock)
    }

    /// Which folder it is the lock of: a lease that names the same is from this very folder.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The right to remove old manifests of `state_dir`, for as long as it lives; none while another
    /// shard does that. Whoever has the folder alone needs no further lock.
    ///
    /// It is a lock of its own: if this one were no longer shared meanwhile, a shard that begins
    /// just then would be kept out.
    #[must_use]
    pub fn tidying(&self, state_dir: &Path) -> Option<CleanupLock> {
        if self.shard.is_none() {
            return Some(CleanupLock(None));
        }
        let file = open(&state_dir.join(format!("{NAME}.tidying"))).ok()?;
        file.try_lock().ok()?;
        Some(CleanupLock(Some(file)))
    }

    /// Says which run it is.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn name(&self, run: &str) -> io::Result<()> {
        self.say(&FolderHolder {
            run: Some(run.to_owned()),
            ..self.holder.clone()
        })
    }

    /// In one write, with a check: a reader may find a part of the old line behind one of the new.
    fn say(&self, holder: &FolderHolder) -> io::Result<()> {
        let text = serde_json::to_string(holder)?;
        let line = format!("{text} {}\n", check(&text));
        let line = line.as_bytes();
        // Of several shards, the one that began last is named where the folder is held.
        for mut file in std::iter::once(&self.file).chain(&self.shard) {
            file.rewind()?;
            file.write_all(line)?;
            file.set_len(line.len() as u64)?;
        }
        Ok(())
    }
}

/// Whether the process that did `shard` of `run` in `state_dir` is dead: nobody holds the lock of
/// that shard, or a process that does another run has taken it since.
#[must_use]
pub fn is_dead(state_dir: &Path, shard: Shard, run: &str) -> bool {
    let path = state_dir.join(format!("{NAME}.{}", shard.in_file_name()));
    // For a moment: whoever begins just then tries again.
    let is_free = File::open(&path).is_ok_and(|file| file.try_lock_shared().is_ok());
    is_free || who_has(&[path]).is_some_and(|holder| holder.run.as_deref() != Some(run))
}

/// The lock of a folder; those of shards have more behind it.
const NAME: &str = "lock";

/// The point `state.lock` of tests.
fn lockable() -> Result<(), FolderLockError> {
    taken(
        failpoint::at("state", "lock").map_err(TryLockError::Error),
        || None,
    )
}

fn taken(
    tried: Result<(), TryLockError>,
    who: impl FnOnce() -> Option<FolderHolder>,
) -> Result<(), FolderLockError> {
    match tried {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(FolderLockError::Held(who())),
        Err(TryLockError::Error(error)) => Err(FolderLockError::Io(unsupported(
            "its files cannot be locked (flock)",
            error,
        ))),
    }
}

impl FolderHolder {
    /// This process.
    fn of(run: Option<&str>, owner: Option<&str>) -> Self {
        Self {
            run: run.map(str::to_owned),
            owner: owner.map(str::to_owned),
            host: super::process::host(),
            pid: std::process::id(),
            since: now(),
        }
    }
}

/// What tells a line that was read whole.
fn check(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

fn parse(line: &str) -> Option<FolderHolder> {
    let (text, found) = line.rsplit_once(' ')?;
    (found == check(text)).then(|| serde_json::from_str(text).ok())?
}

/// Who holds the folder: a whole run, or one of the shards that share it.
fn who_has_folder(state_dir: &Path) -> Option<FolderHolder> {
    let mut files = vec![state_dir.join(NAME)];
    let entries = std::fs::read_dir(state_dir).into_iter().flatten().flatten();
    files.extend(entries.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        let shard = name.and_then(|name| name.strip_prefix(NAME)?.strip_prefix('.'));
        shard.and_then(Shard::of_file_name).is_some()
    }));
    who_has(&files)
}

/// Who holds one of these locks, as soon as that process has said so.
fn who_has(files: &[PathBuf]) -> Option<FolderHolder> {
    for _ in 0..20 {
        for file in files {
            let mut text = String::new();
            let read = File::open(file).and_then(|file| file.take(4096).read_to_string(&mut text));
            let line = text.lines().next().filter(|_| read.is_ok());
            match line.and_then(parse) {
                // What a dead holder had said is of no use; the living one is about to speak.
                Some(holder) if is_plausible(&holder) => return Some(holder),
                _ => {}
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Whether the process named may be the one that holds the lock.
fn is_plausible(holder: &FolderHolder) -> bool {
    holder.host != super::process::host() || super::process::is_alive(holder.pid)
}

#[cfg(test)]
mod tests {
    use super::{FolderHolder, check, parse};

    #[test]
    fn a_line_that_is_half_old_and_half_new_says_nothing() {
        let line = |run: &str| {
            let holder = FolderHolder {
                run: Some(run.to_owned()),
                owner: None,
                host: "h".to_owned(),
                pid: 1,
                since: 0,
            };
            let text = serde_json::to_string(&holder).unwrap();
            format!("{text} {}", check(&text))
        };
        let (old, new) = (line("aaaa"), line("bbbb"));
        assert_eq!(parse(&new).unwrap().run.as_deref(), Some("bbbb"));
        for cut in 1..new.len() {
            let mixed = format!("{}{}", &new[..cut], &old[cut..]);
            let holder = parse(&mixed);
            assert!(holder.is_none() || mixed == old || mixed == new, "{mixed}");
        }
    }
}
