//! The file lock on the state folder: one writing command a folder.
//!
//! The system drops it when its holder dies, however it dies. Whoever holds it knows that
//! a lease naming this host and folder belongs to a dead process. The file says who holds it,
//! for whoever finds it held; that is for people, and decides nothing.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

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
    holder: FolderHolder,
}

/// Why the lock was not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// Another process has it, which may have said who it is.
    Held(Option<FolderHolder>),
    /// Whatever the file system says.
    Io(io::Error),
}

impl FolderLock {
    /// Takes the lock of `state_dir` for `owner`.
    ///
    /// # Errors
    /// See [`NotTaken`].
    pub fn take(state_dir: &Path, owner: Option<&str>) -> Result<Self, NotTaken> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(state_dir.join("lock"))
            .map_err(NotTaken::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotTaken::Held(who(&mut file))),
            Err(TryLockError::Error(error)) => return Err(NotTaken::Io(error)),
        }
        let lock = Self {
            file,
            holder: FolderHolder {
                run: None,
                owner: owner.map(str::to_owned),
                host: super::connect::host(),
                pid: std::process::id(),
                since: now(),
            },
        };
        lock.say(&lock.holder).map_err(NotTaken::Io)?;
        Ok(lock)
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
        let mut file = &self.file;
        file.rewind()?;
        file.write_all(line)?;
        file.set_len(line.len() as u64)
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

/// Who holds the lock, as soon as that process has said so.
fn who(file: &mut File) -> Option<FolderHolder> {
    for _ in 0..20 {
        let mut text = String::new();
        let read = file
            .rewind()
            .and_then(|()| file.take(4096).read_to_string(&mut text));
        let line = text.lines().next().filter(|_| read.is_ok());
        match line.and_then(parse) {
            // What a dead holder had said is of no use; the living one is about to speak.
            Some(holder) if is_plausible(&holder) => return Some(holder),
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    None
}

/// Whether the process named may be the one that holds the lock.
fn is_plausible(holder: &FolderHolder) -> bool {
    holder.host != super::connect::host() || super::connect::is_alive(holder.pid)
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
