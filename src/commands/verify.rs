//! `anp verify`: the store against what a run wrote.

use std::collections::HashSet;

use serde_json::json;

use super::undone::{self, look_at_each, untouched};
use crate::cli::{Common, Verify};
use crate::duration::show_time;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ops::connect::Connected;
use crate::publish::manifest::{Action, Intent, Manifest};
use crate::publish::state::{Found, State};
use crate::report::Output;
use crate::store::Session;

/// Keys of a run, by how they compare with what it wrote.
#[derive(Default)]
pub(super) struct Tally {
    pub same: u64,
    pub expired: u64,
    pub different: u64,
}

pub(super) fn run(common: &Common, arguments: &Verify) -> Result<Exit, Failure> {
    let settings = super::settings(common, Vec::new())?;
    let manifest = undone::open(&settings, &arguments.run)?;
    let address = undone::address(&settings, &manifest)?;
    let untouched = untouched(&manifest)?;
    let mut store = Connected::open(&address, &settings)?;
    let mut output = Output::stdout(common.format, false);
    let tally = compare(&manifest, &untouched, &mut store.session, &mut output)?;
    let run = &manifest.header().run;
    output.text(format!(
        "run {run}: {} keys as it wrote them, {} expired since, {} different",
        tally.same, tally.expired, tally.different
    ));
    output.json(&json!({
        "type": "summary", "command": "verify", "run": run, "same": tally.same,
        "expired": tally.expired, "different": tally.different,
    }));
    Ok(if tally.different == 0 {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// Compares every key of the run with what it wrote.
pub(super) fn compare(
    manifest: &Manifest,
    untouched: &HashSet<String>,
    session: &mut Session,
    output: &mut Output,
) -> Result<Tally, Failure> {
    let now_ms = session
        .now_ms()
        .map_err(|error| Failure::before_writing(&error))?;
    let mut tally = Tally::default();
    let doing = "comparing the keys of the run with the store";
    look_at_each(manifest, untouched, session, doing, &mut |intent, found| {
        let made_expiry = intent.made.as_ref().and_then(|made| made.expires_at);
        let Some(difference) = difference(&intent, &found) else {
            tally.same += 1;
            return Ok(());
        };
        if found == Found::Absent && made_expiry.is_some_and(|at| at <= now_ms) {
            tally.expired += 1;
            return Ok(());
        }
        tally.different += 1;
        let key = &intent.key;
        output.text(format!("{key}: {difference}"));
        output.json(&json!({ "type": "difference", "key": key, "what": difference }));
        Ok(())
    })?;
    Ok(tally)
}

/// How the key differs from what the run made of it; none if it does not.
fn difference(intent: &Intent, found: &Found) -> Option<String> {
    let expiry = |at: Option<i64>| {
        at.map_or("no expiry".to_owned(), |at| {
            format!("expiry {}", show_time(at))
        })
    };
    let made_expiry = intent.made.as_ref().map(|made| made.expires_at);
    match (found, made_expiry) {
        (Found::Absent, None) => None,
        (Found::Absent, Some(_)) => Some("expected the key, found nothing".to_owned()),
        (_, None) => Some("expected no such key, found one".to_owned()),
        (Found::TooLarge, _) => {
            Some("expected what the run wrote, found a larger value".to_owned())
        }
        (Found::Whole(present, _), Some(at)) => {
            if present.expires_at_ms != at {
                let (made, now) = (expiry(at), expiry(present.expires_at_ms));
                return Some(format!("expected {made}, found {now}"));
            }
            let same_value = intent.action == Action::Refresh
                || intent.made_state() == Ok(Some(State::Present(present.clone())));
            (!same_value).then(|| "expected the value that the run wrote, found another".to_owned())
        }
    }
}
