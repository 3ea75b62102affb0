//! `anp unlock`: breaks the lock that a run left behind.

use serde_json::json;

use crate::cli::{Common, Unlock};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ops::connect::{Connected, host, is_alive};
use crate::ops::fence;
use crate::publish::lease::{Broken, break_lease};
use crate::publish::plan::Keys;
use crate::report::{Output, log};
use crate::store::StoreError;

pub(super) fn run(common: &Common, arguments: &Unlock) -> Result<Exit, Failure> {
    let settings = super::settings(common, Vec::new())?;
    let before = |error: StoreError| Failure::before_writing(&error);
    let mut store = Connected::open(&settings.address, &settings)?;
    let session = &mut store.session;
    let key = Keys::new(&settings.prefix).lock();
    let broken = break_lease(session, &key, &arguments.run).map_err(before)?;
    let mut output = Output::stdout(common.format, false);
    let holder = match broken {
        Broken::Done(holder) => Some(holder),
        Broken::NotHeld => None,
        Broken::HeldByAnother(what) => {
            return Err(Failure::new(Exit::Locked, what)
                .note(
                    "expected",
                    format!("the lock is held by run {}", arguments.run),
                )
                .note("retry", "with the run that holds it; nothing was changed"));
        }
    };
    // What it had sent and the server has not carried out yet must not run later.
    let (prefix, db) = (&settings.prefix, settings.address.db);
    let ended = fence::end_run(session, prefix, db, &arguments.run).map_err(before)?;
    match &holder {
        Some(holder) => {
            output.text(format!("broke the lock of run {}: {holder}", arguments.run));
            if holder.host == host() && is_alive(holder.pid) {
                log::warning(format!(
                    "process {} lives on this host; if it is that run, it stops at its \
                     next batch, and its rollback is safe then",
                    holder.pid
                ));
            }
        }
        None => output.text("nobody holds the lock: nothing to do"),
    }
    output.json(&json!({
        "type": "unlock", "run": arguments.run, "broken": holder.is_some(),
        "connections_ended": ended,
        "owner": holder.as_ref().and_then(|holder| holder.owner.clone()),
        "host": holder.as_ref().map(|holder| &holder.host),
        "pid": holder.as_ref().map(|holder| holder.pid),
    }));
    Ok(Exit::Done)
}
