//! `--metrics-dir`: what became of a run, where a monitoring system finds it.

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

/// Records the run of `command` that `ended` so, if a folder is set. A file that cannot be
/// written is a warning: what the run did stays done.
pub(crate) fn record(
    settings: &Settings,
    command: &str,
    report: &RunReport,
    ended: &Result<Exit, Failure>,
) {
    let Some(folder) = &settings.metrics_dir else {
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
    let path = folder.join(run.file_name());
    // An unreadable or damaged file is replaced like one of another program.
    let old = regular::read(&path, MOST_BYTES).unwrap_or_default();
    let text = run.exposition(&String::from_utf8_lossy(&old));
    if let Err(error) = durable::replace(&path, text.as_bytes(), MODE) {
        let shown = path.display();
        log::warning(format!("cannot write the metrics file {shown}: {error}"));
    }
}
