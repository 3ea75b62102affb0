//! `anp unlock`: breaks the lock that a run left behind.

use serde_json::json;

use crate::cli::{Common, Unlock};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ops::connect::{Connected, host, is_alive};
use crate::ops::fence;
use crate::publish::lease::{Broken, Taken, break_lease, clear};
use crate::publish::plan::Keys;
use crate::report::{Output, log};
use crate::store::StoreError;

pub(super) fn run(common: &Common, arguments: &Unlock) -> Result<Exit, Failure> {
    let settings = super::settings(common, Vec::new())?;
    let mut store = Connected::open(&settings.address, &settings)?;
    let session = &mut store.session;
    let run = &arguments.run;
    let key = Keys::new(&settings.prefix).lock();
    let broken = break_lease(session, &key, run).map_err(|error| Failure::perhaps_done(&error))?;
    let (was_held, holder) = match broken {
        Broken::Done(holder) => (true, holder),
        Broken::NotHeld => (false, None),
        Broken::HeldByAnother(taken) => return Err(not_that_run(run, &key, &taken)),
    };
    // Only now: while it had its lock, that run would have connected again.
    let ended = fence::end_run(session, &settings.prefix, settings.address.db, run)
        .map_err(|error| not_fenced(run, &error))?;
    // It runs out by itself within seconds.
    let _ = clear(session, &key, run);
    let mut output = Output::stdout(common.format, false);
    if was_held {
        let who = holder.as_ref().map(|holder| format!(": {holder}"));
        output.text(format!(
            "broke the lock of run {run}{}",
            who.unwrap_or_default()
        ));
    } else {
        output.text("nobody holds the lock: nothing to do");
    }
    if let Some(holder) = &holder
        && holder.host == host()
        && is_alive(holder.pid)
    {
        log::warning(format!(
            "process {} lives on this host; if it is that run, it stops at its next batch, and \
             its rollback is safe then",
            holder.pid
        ));
    }
    output.json(&json!({
        "type": "unlock", "run": run, "broken": was_held,
        "connections_ended": ended,
        "owner": holder.as_ref().and_then(|holder| holder.owner.clone()),
        "host": holder.as_ref().map(|holder| &holder.host),
        "pid": holder.as_ref().map(|holder| holder.pid),
    }));
    Ok(Exit::Done)
}

fn not_that_run(run: &str, key: &str, taken: &Taken) -> Failure {
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
    Failure::new(Exit::Stopped, what)
        .note(
            "expected",
            "a server that answers, and the right to use CLIENT LIST and CLIENT KILL",
        )
        .note(
            "retry",
            "safe: the same command again ends them; so does the next run",
        )
}
