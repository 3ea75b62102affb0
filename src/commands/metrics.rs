//! `--metrics-file`: what became of a run, where a monitoring system finds it.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use super::outcome::Outcome;
use crate::durable;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::log;
use crate::report::metrics::LastRun;
use crate::settings::Settings;

/// More than this is no file of ours.
const MOST_BYTES: u64 = 1024 * 1024;
/// Readable by node_exporter, which runs as another user.
const MODE: u32 = 0o644;

/// Records the run of `command` that `ended` so, if a file is set. A file that cannot be
/// written is a warning: what the run did stays done.
pub(super) fn record(
    settings: &Settings,
    command: &str,
    outcome: &Outcome,
    ended: &Result<Exit, Failure>,
) {
    let Some(path) = &settings.metrics_file else {
        return;
    };
    let exit = match ended {
        Ok(exit) => *exit,
        Err(failure) => failure.exit,
    };
    let counts = &outcome.counts;
    let run = LastRun {
        command,
        prefix: &outcome.prefix,
        ended_at_ms: jiff::Timestamp::now().as_millisecond(),
        seconds: outcome.started.elapsed().as_secs_f64(),
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
    // One that cannot be read is replaced like one of somebody else.
    let replaced = alone(path).and_then(|_lock| {
        let old = read(path).unwrap_or_default();
        durable::replace(path, run.exposition(&old).as_bytes(), MODE)
    });
    if let Err(error) = replaced {
        let shown = path.display();
        log::warning(format!("cannot write the metrics file {shown}: {error}"));
    }
}

/// Keeps other processes of anp that record a run of theirs in the same folder waiting, for as
/// long as it takes to read and replace a file. A lock that cannot be had is done without: what
/// would be lost is one sample.
fn alone(path: &Path) -> io::Result<File> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = File::open(folder.unwrap_or(Path::new(".")))?;
    for _ in 0..200 {
        match folder.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            _ => break,
        }
    }
    Ok(folder)
}

fn read(path: &Path) -> io::Result<String> {
    // Opening a FIFO would wait for its writer.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    // A damaged line is no reason to forget the others.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
