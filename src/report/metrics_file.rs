//! `--metrics-file`: what became of a run, where a monitoring system finds it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::metrics::LastRun;
use super::{RunReport, log};
use crate::durable;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::regular;
use crate::settings::Settings;

/// More than this is no file of ours.
const MOST_BYTES: u64 = 1024 * 1024;
/// Readable by node_exporter, which runs as another user.
const MODE: u32 = 0o644;
/// How often the lock of the folder is tried.
const LOCK_TRIES: u32 = 500;
/// The wait between two tries.
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// Records the run of `command` that `ended` so, if a file is set. A file that cannot be
/// written is a warning: what the run did stays done.
pub(crate) fn record(
    settings: &Settings,
    command: &str,
    report: &RunReport,
    ended: &Result<Exit, Failure>,
) {
    let Some(path) = &settings.metrics_file else {
        return;
    };
    let exit = match ended {
        Ok(exit) => *exit,
        Err(failure) => failure.exit,
    };
    let counts = &report.counts;
    let run = LastRun {
        command,
        prefix: &report.prefix,
        ended_at_ms: jiff::Timestamp::now().as_millisecond(),
        seconds: report.started.elapsed().as_secs_f64(),
        exit: exit.code(),
        succeeded: matches!(exit, Exit::Done | Exit::Partial),
        keys: &[
            ("created", counts.created),
            ("updated", counts.updated),
            ("refreshed", counts.refreshed),
            ("removed", counts.removed),
            ("kept", counts.kept),
            ("expired", counts.expired),
            ("withheld", counts.withheld),
        ],
        invalid: counts.invalid,
        conflicts: counts.conflicts,
        bytes: counts.bytes,
    };
    let replaced = lock_folder(path).and_then(|_lock| {
        // One that cannot be read is replaced like one of somebody else. A damaged line is no
        // reason to forget the others.
        let old = regular::read(path, MOST_BYTES).unwrap_or_default();
        let old = String::from_utf8_lossy(&old);
        durable::replace(path, run.exposition(&old).as_bytes(), MODE)
    });
    if let Err(error) = replaced {
        let shown = path.display();
        log::warning(format!("cannot write the metrics file {shown}: {error}"));
    }
}

/// Takes the lock of the folder of `path`, for as long as it takes to read and replace the file: of
/// two processes that record a run at the same time, neither loses what the other wrote.
///
/// Without a file system that has locks, there is none. Where another process keeps the lock, the
/// file stays as it is: an old sample raises an alarm, a wrong one hides it.
fn lock_folder(path: &Path) -> io::Result<File> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = File::open(folder.unwrap_or(Path::new(".")))?;
    for _ in 0..LOCK_TRIES {
        match folder.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_WAIT),
            _ => return Ok(folder),
        }
    }
    Err(io::Error::other("another process keeps its folder locked"))
}
