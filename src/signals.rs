//! SIGINT, SIGTERM and SIGHUP: the first asks a run to end between two batches. A second SIGINT
//! or SIGTERM ends the process at once; a second SIGHUP does nothing, for a terminal that is
//! closed sends it, and so does its shell. Either way every write is covered by a durable intent.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};

use nix::sys::signal::{SigSet, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;
use crate::failure::Failure;

/// A flag that the first of these signals sets. To be called before other threads are started.
///
/// # Errors
/// 78 when the system refuses the handlers.
pub fn watch() -> Result<Arc<AtomicBool>, Failure> {
    watched().map_err(|error| Failure::new(Exit::Config, format!("cannot handle signals: {error}")))
}

fn watched() -> std::io::Result<Arc<AtomicBool>> {
    static ELSEWHERE: Once = Once::new();
    ELSEWHERE.call_once(take_signals_elsewhere);
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset and only sets it.
        let exit = i32::from(Exit::Interrupted.code());
        flag::register_conditional_shutdown(signal, exit, Arc::clone(&interrupted))?;
        flag::register(signal, Arc::clone(&interrupted))?;
    }
    if !is_ignored(SIGHUP) {
        flag::register(SIGHUP, Arc::clone(&interrupted))?;
    }
    Ok(interrupted)
}

/// Has a file that is to grow past the limit of the process (`ulimit -f`) fail as a full disk does,
/// in place of the signal that would end the process with its lock held. To be called first of all.
pub fn outlive_file_limit() {
    // A handler, and not SIG_IGN, which programs that are started would inherit.
    let _ = flag::register(Signal::SIGXFSZ as i32, Arc::default());
}

/// Whether whoever started us has this signal ignored, as `nohup` does with SIGHUP. Only Linux
/// tells; elsewhere it is taken not to be.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    ignored.is_some_and(|set| set >> (signal - 1) & 1 == 1)
}

/// Has the signals delivered to a thread that does nothing else. A thread that waits for its
/// server with a time-out would take one for a connection that is lost (EINTR, signal(7)).
fn take_signals_elsewhere() {
    let idle = || {
        loop {
            std::thread::park();
        }
    };
    let started = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(idle);
    // Threads started from here on inherit it. So would programs: see `store::embedded`.
    if started.is_ok() {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.add(Signal::SIGTERM);
        signals.add(Signal::SIGHUP);
        let _ = signals.thread_block();
    }
}
