//! The store against what a run wrote.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::difference::DifferenceKind;
use super::history::open_manifest;
use super::manifest::{Action, Intent, Manifest, Snapshot};
use super::report::Report;
use super::state::{KeyState, same_expiry};
use crate::duration::show_time;
use crate::failure::Failure;
use crate::publish::history::intents::{Void, look_at_each, void};
use crate::publish::history::later_expiries::LaterExpiries;
use crate::publish::history::runs::Runs;
use crate::publish::run::connection::Connected;
use crate::settings::Settings;
use crate::store::Session;

/// Keys of a run, by how they compare with what it wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As the run wrote them.
    pub same: u64,
    /// As the run wrote them, but for an expiry that a later run of anp refreshed.
    pub refreshed: u64,
    /// Gone, because their time has passed.
    pub expired: u64,
    /// As the run wrote them, but for an expiry that no later run in the state folder explains.
    pub expiry: u64,
    /// Changed, or gone before their time.
    pub different: u64,
}

impl Tally {
    /// Keys that are not as anp left them.
    #[must_use]
    pub fn unexplained(&self) -> u64 {
        self.expiry + self.different
    }
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
    let runs = Runs::of(&settings.state_dir);
    let later = LaterExpiries::find(&runs, &manifest, interrupted, report)?;
    let session = &mut store.session;
    let tally = compare(&manifest, &void, session, (&later, slack_ms), report)?;
    Ok((manifest.header().run.clone(), tally))
}

/// Compares every key of the run with what it wrote; expiries may have moved by `slack_ms`, and
/// `later` runs may have refreshed them.
pub(crate) fn compare(
    manifest: &Manifest,
    void: &Void,
    session: &mut Session,
    (later, slack_ms): (&LaterExpiries, i64),
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
        let Some((mut kind, what)) = difference else {
            tally.same += 1;
            return Ok(());
        };
        if found == KeyState::Absent && made_expiry.is_some_and(|at| at <= now_ms) {
            tally.expired += 1;
            return Ok(());
        }
        let key = &intent.key;
        if kind == DifferenceKind::Expiry
            && let KeyState::Present(present, _) = &found
            && later.explain(key, present.expires_at_ms, slack_ms)
        {
            kind = DifferenceKind::Refreshed;
        }
        *match kind {
            DifferenceKind::Refreshed => &mut tally.refreshed,
            DifferenceKind::Expiry => &mut tally.expiry,
            _ => &mut tally.different,
        } += 1;
        report.difference(key, kind, &what);
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
) -> Option<(DifferenceKind, String)> {
    let text = |kind, text: &str| Some((kind, text.to_owned()));
    let made_expiry = intent.made.as_ref().map(|made| made.expires_at);
    match (found, made_expiry) {
        (KeyState::Absent, None) => None,
        (KeyState::Absent, Some(_)) => {
            text(DifferenceKind::Missing, "expected the key, found nothing")
        }
        (_, None) => text(
            DifferenceKind::Unexpected,
            "expected no such key, found one",
        ),
        (KeyState::TooLarge, _) => text(
            DifferenceKind::Value,
            "expected what the run wrote, found a larger value",
        ),
        (KeyState::Present(present, content), Some(at)) => {
            // Its expiry does not matter now.
            let is_made = || match intent.made_present() {
                Ok(Some(mut made)) => {
                    made.expires_at_ms = present.expires_at_ms;
                    made.is_value(present, content, slack_ms, now_ms)
                }
                _ => false,
            };
            if intent.action != Action::Refresh && !is_made() {
                return text(
                    DifferenceKind::Value,
                    "expected the value that the run wrote, found another",
                );
            }
            let is_same = same_expiry(present.expires_at_ms, at, slack_ms);
            (!is_same).then(|| {
                let what = expiry_difference(at, present.expires_at_ms);
                (DifferenceKind::Expiry, what)
            })
        }
    }
}

/// Two expiries that differ, ms since 1970.
fn expiry_difference(made_ms: Option<i64>, found_ms: Option<i64>) -> String {
    let shown = |at: Option<i64>| {
        at.map_or("no expiry".to_owned(), |at| {
            format!("expiry {}", show_time(at))
        })
    };
    let (made, found) = (shown(made_ms), shown(found_ms));
    let found = match (made_ms, found_ms) {
        (Some(made_ms), Some(found_ms)) if made == found => {
            let way = if found_ms < made_ms {
                "earlier"
            } else {
                "later"
            };
            format!("one {} ms {way}", found_ms.abs_diff(made_ms))
        }
        _ => found,
    };
    format!("only the expiry differs: expected {made}, found {found}")
}
