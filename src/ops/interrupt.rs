//! SIGINT and SIGTERM: the first asks a run to end between two batches, the second ends the
//! process at once. Either way every write is covered by a durable intent.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// A flag that the first of these signals sets.
///
/// # Errors
/// When the system refuses the handlers.
pub fn watch() -> io::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset and only sets it.
        let exit = i32::from(Exit::Interrupted.code());
        flag::register_conditional_shutdown(signal, exit, Arc::clone(&interrupted))?;
        flag::register(signal, Arc::clone(&interrupted))?;
    }
    Ok(interrupted)
}
