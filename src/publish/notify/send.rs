//! Sends what one run owes: purges all caches at a time, and then runs the program.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::changed::Changed;
use crate::edge::{After, Purge, PurgeTarget, Purged, Requests, Site, changes, run_command};

/// What stands for the program among the names of the caches.
pub(super) const COMMAND: &str = "command";
/// After a signal, a request that is under way is waited for no longer.
const GRACE: Duration = Duration::from_millis(200);

/// The caches of the settings, each with a name that no other has.
pub(super) fn named(after: &After) -> Vec<(String, &PurgeTarget)> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let name = |target| {
        let name = format!("{target}");
        let count = known.entry(name.clone()).or_default();
        *count += 1;
        match *count {
            1 => name,
            count => format!("{name} ({count})"),
        }
    };
    let names: Vec<String> = after.purge.iter().map(name).collect();
    names.into_iter().zip(&after.purge).collect()
}

/// Purges the `targets`, all at a time, and returns what came of each.
pub(super) fn purge(
    targets: Vec<(String, &PurgeTarget)>,
    site: &Site,
    changed: &Changed,
    interrupted: &Arc<AtomicBool>,
) -> Vec<(String, Purged)> {
    let (sender, receiver) = channel();
    let mut waiting = Vec::new();
    let mut ended = Vec::new();
    for (name, target) in targets {
        let (target, site, changed) = (target.clone(), site.clone(), changed.clone());
        let (stop, sender) = (Arc::clone(interrupted), sender.clone());
        let own = name.clone();
        let work = move || {
            let purge = Purge {
                requests: Requests {
                    target: &target,
                    site: &site,
                },
                count: changed.count,
            };
            let read = changes(changed.lines.reader());
            let purged = purge.send(read, &|name| std::env::var(name).ok(), &stop);
            // Nobody waits for it any more if this fails.
            let _ = sender.send((own, purged));
        };
        match std::thread::Builder::new().spawn(work) {
            Ok(_) => waiting.push(name),
            Err(error) => ended.push((name, failed(&format!("cannot start a thread: {error}")))),
        }
    }
    drop(sender);
    receive(&receiver, waiting, interrupted, &mut ended);
    ended
}

/// Waits for all of `waiting`, or after a signal a moment only: a request may take long.
fn receive(
    receiver: &Receiver<(String, Purged)>,
    mut waiting: Vec<String>,
    interrupted: &AtomicBool,
    ended: &mut Vec<(String, Purged)>,
) {
    let mut until = None;
    while !waiting.is_empty() {
        match receiver.recv_timeout(Duration::from_millis(20)) {
            Ok((name, purged)) => {
                waiting.retain(|waiting| *waiting != name);
                ended.push((name, purged));
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if interrupted.load(Ordering::Relaxed) => {
                let until = *until.get_or_insert_with(|| Instant::now() + GRACE);
                if Instant::now() >= until {
                    break;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    for name in waiting {
        let what = match interrupted.load(Ordering::Relaxed) {
            true => "interrupted by a signal",
            false => "a bug in anp ended the purge",
        };
        ended.push((name, failed(what)));
    }
}

fn failed(what: &str) -> Purged {
    Purged {
        problem: Some(what.to_owned()),
        ..Purged::default()
    }
}

/// Runs the program with what changed.
pub(super) fn command(
    after: &After,
    run: &str,
    changed: &Changed,
    interrupted: &AtomicBool,
) -> Result<(), String> {
    let stdin = changed.lines.file_from_start();
    let stdin = stdin.map_err(|error| format!("cannot read what changed: {error}"))?;
    run_command(&after.command, stdin, run, after.timeout, interrupted)
}
