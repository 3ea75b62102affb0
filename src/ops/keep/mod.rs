//! Old manifests are removed when a run has ended well (`keep_runs`).

mod decide;

use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::history::Record;
use super::runs::Runs;
use crate::failpoint;
use crate::publish::manifest::{Manifest, Verify};
use crate::settings::KeepRuns;
use decide::{Kept, Now, superfluous};

/// What was removed.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Number of manifests.
    pub removed: u64,
    /// Why one could not be removed; those after it were left.
    pub problem: Option<String>,
}

/// Removes the manifests that are not needed any more. Only the holder of the folder's lock
/// may call it, when the footer of `current` is durable.
#[must_use]
pub fn prune(runs: &Runs, keep: KeepRuns, server_ms: i64, current: &str) -> Pruned {
    let mut pruned = Pruned::default();
    let now = Now {
        server_ms,
        local_ms: ms(SystemTime::now()),
    };
    let all = match candidates(runs, keep, now) {
        Ok(all) => all,
        Err(error) => {
            pruned.problem = Some(format!("cannot list the runs: {error}"));
            return pruned;
        }
    };
    // Oldest first, and none after one that stays: a rollback never goes before its run.
    for record in superfluous(&all, keep, now, current) {
        let file = runs.file(&record.run);
        let removed = failpoint::at("prune", "remove").and_then(|()| std::fs::remove_file(&file));
        match removed {
            Ok(()) => pruned.removed += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let shown = file.display();
                pruned.problem = Some(format!("cannot remove the old manifest {shown}: {error}"));
                break;
            }
        }
    }
    pruned
}

/// Every manifest; none if names and dates alone tell that all are kept, so that a usual
/// night opens no file.
fn candidates(runs: &Runs, keep: KeepRuns, now: Now) -> io::Result<Vec<Kept>> {
    let ids = runs.ids()?;
    let beyond = ids
        .len()
        .saturating_sub(usize::try_from(keep.count).unwrap_or(usize::MAX));
    let age_ms = i64::try_from(keep.age_ms).unwrap_or(i64::MAX);
    let is_old = |id: &String| {
        let changed_at = changed_at(&runs.file(id));
        changed_at.is_some_and(|at| now.local_ms.saturating_sub(at) >= age_ms)
    };
    if !ids[..beyond].iter().any(is_old) {
        return Ok(Vec::new());
    }
    let open = |id: &String| {
        let file = runs.file(id);
        let changed_at = changed_at(&file)?;
        let manifest = Manifest::open(&file, Verify::Ends).ok()?;
        let record = Record::of(&manifest);
        (record.run == *id).then_some(Kept { record, changed_at })
    };
    Ok(ids.iter().filter_map(open).collect())
}

/// When a plain file was last written; none for anything else.
fn changed_at(file: &Path) -> Option<i64> {
    let metadata = std::fs::symlink_metadata(file).ok()?;
    metadata
        .is_file()
        .then(|| metadata.modified().ok().map(ms))?
}

fn ms(at: SystemTime) -> i64 {
    match at.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(_) => 0,
    }
}
