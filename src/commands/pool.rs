//! The threads that read and render.

use crate::exit::Exit;
use crate::failure::Failure;

/// Does `work` with one thread more than there are cores: while one waits for the store, the
/// others render.
///
/// # Errors
/// When the system refuses the threads.
pub(super) fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(cores + 1)
        .build()
        .map_err(|error| {
            let what = format!("cannot start {} threads: {error}", cores + 1);
            Failure::new(Exit::Unavailable, what)
                .note(
                    "expected",
                    "a limit of processes with room for them (ulimit -u, TasksMax, pids of the \
                     container)",
                )
                .note(
                    "retry",
                    "safe once the limit is raised; nothing was written",
                )
        })?;
    Ok(pool.install(work))
}
