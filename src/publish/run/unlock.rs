//! Breaking the lock that a run left behind.

use super::connection::Connected;
use super::fence;
use super::lease::{Holder, LeaseBreak, OtherLease, break_lease, clear};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::keys::Keys;
use crate::settings::Settings;
use crate::store::{Class, StoreError};

/// What came of it.
pub(crate) struct Unlocked {
    /// Whether the run held the lock.
    pub(crate) was_held: bool,
    /// What the lock said of it.
    pub(crate) holder: Option<Box<Holder>>,
    /// How many of its connections were ended.
    pub(crate) ended: usize,
}

/// Breaks the lock, if `run` holds it, and ends the connections of that run.
///
/// # Errors
/// 11 when another run holds it, 75 when its connections may live.
pub(crate) fn unlock(
    store: &mut Connected,
    settings: &Settings,
    run: &str,
) -> Result<Unlocked, Failure> {
    let session = &mut store.session;
    let key = Keys::new(&settings.prefix).lock();
    let broken = break_lease(session, &key, run).map_err(|error| Failure::perhaps_done(&error))?;
    let (was_held, holder) = match broken {
        LeaseBreak::Done(holder) => (true, holder),
        LeaseBreak::NotHeld => (false, None),
        LeaseBreak::HeldByAnother(taken) => return Err(not_that_run(run, &key, &taken)),
    };
    // Only now: while it had its lock, that run would have connected again.
    let ended = fence::end_run(session, &settings.prefix, settings.address.db, run)
        .map_err(|error| not_fenced(run, &error))?;
    // It runs out by itself within seconds.
    let _ = clear(session, &key, run);
    Ok(Unlocked {
        was_held,
        holder,
        ended,
    })
}

fn not_that_run(run: &str, key: &str, taken: &OtherLease) -> Failure {
    let expected = format!("the lock is held by run {run}");
    let (what, retry) = if taken.holder.is_some() {
        (
            taken.to_string(),
            "with the run that holds it; nothing was changed".to_owned(),
        )
    } else {
        let retry = format!("look at {key}, and delete it once no run is under way");
        (
            format!("{key}: {taken}"),
            format!("{retry}; nothing was changed"),
        )
    };
    Failure::new(Exit::Locked, what)
        .note("expected", expected)
        .note("retry", retry)
}

/// The lock is broken, but what the run had sent before may still be carried out.
fn not_fenced(run: &str, error: &StoreError) -> Failure {
    let what = format!("run {run} no longer holds the lock, but its connections may live: {error}");
    let exit = match error.class {
        Class::Interrupted => Exit::Interrupted,
        _ => Exit::Stopped,
    };
    Failure::new(exit, what)
        .note(
            "expected",
            "a server that answers, and the right to use CLIENT LIST and CLIENT KILL",
        )
        .note(
            "retry",
            "safe: the same command again ends them; so does the next run",
        )
}
