//! The store against what a run wrote.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::history::open_manifest;
use super::manifest::{Action, Intent, Manifest, Snapshot};
use super::report::Report;
use super::state::{KeyState, same_expiry};
use crate::duration::show_time;
use crate::failure::Failure;
use crate::publish::history::intents::{Void, look_at_each, void};
use crate::publish::run::connection::Connected;
use crate::settings::Settings;
use crate::store::Session;

/// Keys of a run, by how they compare with what it wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As the run wrote them.
    pub same: u64,
    /// Gone, because their time has passed.
    pub expired: u64,
    /// Changed, or gone before their time.
    pub different: u64,
}

/// Compares the store with what the run named `name` wrote: its id, the file of its manifest, or
/// `last`. Returns its id, and how its keys compare.
///
/// # Errors
/// When the manifest or the store cannot be read, or `interrupted` is set.
pub fn verify(
    settings: &Settings,
    name: &str,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
) -> Result<(String, Tally), Failure> {
    let manifest = open_manifest::open(settings, name, report)?;
    let address = open_manifest::address(settings, &manifest)?;
    let void = void(&manifest, interrupted)?;
    let mut store = Connected::open(&address, settings, interrupted)?;
    store.is_that_of(manifest.header())?;
    let slack_ms = address.expiry_slack_ms();
    let tally = compare(&manifest, &void, &mut store.session, slack_ms, report)?;
    Ok((manifest.header().run.clone(), tally))
}

/// Compares every key of the run with what it wrote; expiries may have moved by `slack_ms`.
pub(crate) fn compare(
    manifest: &Manifest,
    void: &Void,
    session: &mut Session,
    slack_ms: i64,
    report: &mut dyn Report,
) -> Result<Tally, Failure> {
    let asked_at_ms = session
        .now_ms()
        .map_err(|error| Failure::before_writing(&error))?;
    let asked = Instant::now();
    let mut tally = Tally::default();
    let doing = "comparing the keys of the run with the store";
    look_at_each(manifest, void, session, doing, &mut |intent, found| {
        let made_expiry = intent.made.as_ref().and_then(Snapshot::gone_at_ms);
        let since_ms = i64::try_from(asked.elapsed().as_millis()).unwrap_or(i64::MAX);
        let now_ms = asked_at_ms.saturating_add(since_ms);
        let difference = difference(&intent, &found, slack_ms, now_ms);
        let difference = difference.filter(|_| !was_right(&intent, &found, slack_ms, now_ms));
        let Some(difference) = difference else {
            tally.same += 1;
            return Ok(());
        };
        if found == KeyState::Absent && made_expiry.is_some_and(|at| at <= now_ms) {
            tally.expired += 1;
            return Ok(());
        }
        tally.different += 1;
        let key = &intent.key;
        report.difference(key, &difference);
        Ok(())
    })?;
    Ok(tally)
}

/// Whether the key is as the last start of a shard found it and left it, since it was right.
pub(crate) fn was_right(intent: &Intent, found: &KeyState, slack_ms: i64, now_ms: i64) -> bool {
    let is_it = |snapshot: &Option<Snapshot>| match (found, snapshot) {
        (KeyState::Absent, None) => true,
        (KeyState::Present(present, content), Some(snapshot)) => match snapshot.present() {
            Ok(Some(recorded)) => recorded.is_value(present, content, slack_ms, now_ms),
            Ok(None) => same_expiry(present.expires_at_ms, snapshot.expires_at, slack_ms),
            Err(_) => false,
        },
        _ => false,
    };
    intent.settled && (is_it(&intent.prior) || intent.also.iter().any(is_it))
}

/// How the key differs from what the run made of it; none if it does not.
pub(crate) fn difference(
    intent: &Intent,
    found: &KeyState,
    slack_ms: i64,
    now_ms: i64,
) -> Option<String> {
    let expiry = |at: Option<i64>| {
        at.map_or("no expiry".to_owned(), |at| {
            format!("expiry {}", show_time(at))
        })
    };
    let made_expiry = intent.made.as_ref().map(|made| made.expires_at);
    match (found, made_expiry) {
        (KeyState::Absent, None) => None,
        (KeyState::Absent, Some(_)) => Some("expected the key, found nothing".to_owned()),
        (_, None) => Some("expected no such key, found one".to_owned()),
        (KeyState::TooLarge, _) => {
            Some("expected what the run wrote, found a larger value".to_owned())
        }
        (KeyState::Present(present, content), Some(at)) => {
            if !same_expiry(present.expires_at_ms, at, slack_ms) {
                let (made, now) = (expiry(at), expiry(present.expires_at_ms));
                if let (Some(at), Some(found_at)) = (at, present.expires_at_ms)
                    && made == now
                {
                    let way = if found_at < at { "earlier" } else { "later" };
                    let ms = found_at.abs_diff(at);
                    return Some(format!("expected {made}, found one {ms} ms {way}"));
                }
                return Some(format!("expected {made}, found {now}"));
            }
            let is_made = || match intent.made_present() {
                Ok(Some(made)) => made.is_value(present, content, slack_ms, now_ms),
                _ => false,
            };
            let same_value = intent.action == Action::Refresh || is_made();
            (!same_value).then(|| "expected the value that the run wrote, found another".to_owned())
        }
    }
}
