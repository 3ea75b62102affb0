//! The threads that read and render.

use std::io;

use crate::store::StoreError;

/// Does `work` with one thread more than there are cores: while one waits for the store, the
/// others render.
///
/// # Errors
/// When the system refuses the threads.
pub(crate) fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, StoreError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(cores + 1)
        .build()
        .map_err(|error| StoreError::no_thread("reading articles", &io::Error::other(error)))?;
    Ok(pool.install(work))
}
