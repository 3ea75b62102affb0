//! Old manifests are removed when a run has ended well (`keep_runs`).

mod rules;

use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rules::{Now, RetainedRun, superfluous};

use super::owed_notification::OwedNotification;
use super::records::Record;
use super::runs::{ListedRun, Runs};
use crate::failpoint;
use crate::publish::manifest::Verify;
use crate::settings::KeepRuns;

/// What was removed.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Number of manifests.
    pub removed: u64,
    /// Why one could not be removed; those after it were left.
    pub problem: Option<String>,
}

/// Removes the manifests that are not needed any more. Only the holder of the folder's lock, or
/// of a share in it and of [`crate::publish::run::folder_lock::Tidying`], may call it, when the footer of `current` is
/// durable. Other shards of `current` may be under way: their files are those of `current`.
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
            pruned.problem = Some(format!(
                "cannot list the runs in {}: {error}",
                runs.folder().display()
            ));
            return pruned;
        }
    };
    // Oldest first, and none after one that stays: a rollback never goes before its run.
    let kept: Vec<RetainedRun> = all.iter().map(|(_, kept)| kept.clone()).collect();
    for record in superfluous(&kept, keep, now, current) {
        let files = all.iter().find(|(listed, _)| listed.id == record.run);
        // The last start of a shard first: a later one without the ones before it is damage.
        for file in files
            .iter()
            .flat_map(|(listed, _)| listed.files.iter().rev())
        {
            let removed =
                failpoint::at("prune", "remove").and_then(|()| std::fs::remove_file(file));
            match removed {
                Ok(()) => pruned.removed += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let shown = file.display();
                    pruned.problem =
                        Some(format!("cannot remove the old manifest {shown}: {error}"));
                    return pruned;
                }
            }
        }
    }
    pruned
}

/// Every run with its files; none if names and dates alone tell that all are kept, so that a usual
/// night opens no file. The files of a run in shards are kept, or go, together.
fn candidates(runs: &Runs, keep: KeepRuns, now: Now) -> io::Result<Vec<(ListedRun, RetainedRun)>> {
    let list = runs.list()?;
    let beyond = list
        .len()
        .saturating_sub(usize::try_from(keep.count).unwrap_or(usize::MAX));
    let age_ms = i64::try_from(keep.age_ms).unwrap_or(i64::MAX);
    let is_old = |listed: &ListedRun| {
        let changed_at = last_changed(listed);
        changed_at.is_some_and(|at| now.local_ms.saturating_sub(at) >= age_ms)
    };
    if !list[..beyond].iter().any(is_old) {
        return Ok(Vec::new());
    }
    let open = |listed: ListedRun| {
        let changed_at = last_changed(&listed)?;
        let manifest = listed.open(Verify::Ends).ok()?;
        let record = Record::of(&manifest);
        let owes = listed
            .files
            .iter()
            .any(|file| OwedNotification::is_owed(file));
        let kept = RetainedRun {
            record,
            changed_at,
            owes,
        };
        (kept.record.run == listed.id).then_some((listed, kept))
    };
    Ok(list.into_iter().filter_map(open).collect())
}

/// When the files of a run were last written; none if one of them is no plain file.
fn last_changed(listed: &ListedRun) -> Option<i64> {
    let dates: Option<Vec<i64>> = listed.files.iter().map(|file| changed_at(file)).collect();
    dates?.into_iter().max()
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
