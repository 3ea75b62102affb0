//! The file beside a manifest that says that the caches are not yet purged of what the run changed:
//! `RUN.notify.json`.
//!
//! It is durable before the run writes its first key, and is removed when all is sent: a run that dies at
//! any moment leaves it. The run, and later the process that sends it, holds the lock of the file, which the
//! system drops when the process dies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::runs::Runs;
use crate::failpoint;
use crate::publish::run::state_files::{not_durable, open};

/// The ending of its name, where a manifest has `.jsonl.zst`.
const ENDING: &str = ".notify.json";
const MANIFEST_ENDING: &str = ".jsonl.zst";
/// A longer file is none of anp's.
const LARGEST: u64 = 1024 * 1024;

/// What became of the notification so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// The caches that are purged, and the program if that ended well.
    #[serde(default)]
    pub done: BTreeSet<String>,
    /// The others, each with what went wrong at the last attempt.
    #[serde(default)]
    pub failed: BTreeMap<String, String>,
}

/// A notification that is owed, and locked: no other process sends it meanwhile.
#[derive(Debug)]
pub struct OwedNotification {
    manifest: PathBuf,
    file: File,
}

impl OwedNotification {
    /// Says durably that the run of `manifest` owes one, and holds it.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn create(manifest: &Path) -> io::Result<Self> {
        let path = path_of(manifest);
        let folder = path.parent().unwrap_or(Path::new("."));
        failpoint::at("notify", "create")?;
        // It gets its name once it is locked: no other process may take it for that of a dead run.
        let file = tempfile::NamedTempFile::new_in(folder)?;
        file.as_file().try_lock().map_err(io::Error::from)?;
        let file = file.persist_noclobber(&path)?;
        let mut owed = Self {
            manifest: manifest.to_owned(),
            file,
        };
        owed.keep(&Attempts::default())?;
        File::open(folder)?.sync_all().map_err(not_durable)?;
        failpoint::at("notify", "created")?;
        Ok(owed)
    }

    /// Takes hold of what the run of `manifest` owes.
    ///
    /// # Errors
    /// `NotFound` if it owes nothing, `WouldBlock` if the run is under way or another process sends it,
    /// and whatever else the file system says.
    pub fn take(manifest: &Path) -> io::Result<Self> {
        let path = path_of(manifest);
        // Opening would make it.
        path.symlink_metadata()?;
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Another process may have sent and removed it since it was opened.
        let there = path.symlink_metadata()?;
        if there.ino() != file.metadata()?.ino() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self {
            manifest: manifest.to_owned(),
            file,
        })
    }

    /// The manifest of its run.
    #[must_use]
    pub fn manifest(&self) -> &Path {
        &self.manifest
    }

    /// What became of it so far. If that cannot be read, everything is sent again.
    #[must_use]
    pub fn attempts(&mut self) -> Attempts {
        let mut bytes = Vec::new();
        let read = self
            .file
            .rewind()
            .and_then(|()| (&mut self.file).take(LARGEST).read_to_end(&mut bytes));
        match read {
            Ok(_) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(_) => Attempts::default(),
        }
    }

    /// Keeps what became of it.
    ///
    /// # Errors
    /// Whatever the file system says; everything is sent again then.
    pub fn keep(&mut self, attempts: &Attempts) -> io::Result<()> {
        failpoint::at("notify", "keep")?;
        let mut text = serde_json::to_vec(attempts)?;
        text.push(b'\n');
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(&text)?;
        self.file.sync_all()
    }

    /// Nothing is owed any more.
    ///
    /// # Errors
    /// Whatever the file system says; everything is sent again then.
    pub fn settle(self) -> io::Result<()> {
        failpoint::at("notify", "settle")?;
        std::fs::remove_file(path_of(&self.manifest))
    }

    /// Whether the run of `manifest` owes one.
    #[must_use]
    pub fn is_owed(manifest: &Path) -> bool {
        path_of(manifest).symlink_metadata().is_ok()
    }

    /// The manifests in the folder of `runs` whose runs owe one, the oldest first.
    ///
    /// # Errors
    /// Whatever the file system says of the folder.
    pub fn all(runs: &Runs) -> io::Result<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(runs.folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            if let Some(run) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) {
                found.push(runs.folder().join(format!("{run}{MANIFEST_ENDING}")));
            }
        }
        found.sort();
        Ok(found)
    }
}

fn path_of(manifest: &Path) -> PathBuf {
    let name = manifest.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(MANIFEST_ENDING).unwrap_or(&name);
    manifest.with_file_name(format!("{stem}{ENDING}"))
}
