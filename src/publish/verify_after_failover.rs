//! A server that was started again in mid-run, or gave its place to another, may have lost what
//! it had acknowledged: the lease comes back with an older snapshot, and so do the keys.

use std::sync::atomic::AtomicBool;

use super::manifest::{Manifest, Verify};
use super::run::Run;
use super::verify::compare;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::progress::Progress;
use crate::publish::apply::stop::Stop;
use crate::publish::history::intents::void;
use crate::publish::history::later_expiries::LaterExpiries;
use crate::store::Class;

/// Compares every key that the run wrote with the store, if another server answers at its end
/// than at its beginning, and again if that happens meanwhile. A server that no longer answers
/// may have lost everything.
///
/// # Errors
/// `Lost` when a key is not as the run wrote it, or cannot be looked at.
pub(crate) fn recheck(
    run: &mut Run,
    progress: &mut Progress,
    interrupted: &AtomicBool,
) -> Result<(), Stop> {
    while progress.touched && is_replaced(run)? {
        let outcomes = std::mem::take(&mut progress.outcomes);
        run.manifest.append(&outcomes).map_err(Stop::Manifest)?;
        let different = different(run, interrupted).map_err(|failure| {
            if failure.exit == Exit::Interrupted {
                return Stop::Interrupted;
            }
            let why = failure.what;
            Stop::Lost(format!(
                "the server was started again or replaced in mid-run, and then: {why}"
            ))
        })?;
        if different > 0 {
            return Err(Stop::Lost(format!(
                "the server was started again or replaced in mid-run, and {different} of the keys \
                 that the run wrote are not as it wrote them"
            )));
        }
    }
    Ok(())
}

fn is_replaced(run: &mut Run) -> Result<bool, Stop> {
    run.server_was_replaced()
        .map_err(|error| match error.class {
            Class::Interrupted => Stop::Store(error),
            _ => Stop::Lost(format!("everything was written, but then: {error}")),
        })
}

fn different(run: &mut Run, interrupted: &AtomicBool) -> Result<u64, Failure> {
    let manifest = Manifest::open(run.manifest.path(), Verify::All)
        .map_err(|damage| crate::publish::history::open_manifest::unusable(&damage))?;
    let void = void(&manifest, interrupted)?;
    let slack_ms = run.store.connector.address.expiry_slack_ms();
    let later = LaterExpiries::default();
    let session = &mut run.store.session;
    let tally = compare(&manifest, &void, session, (&later, slack_ms), &mut ())?;
    Ok(tally.unexplained())
}
