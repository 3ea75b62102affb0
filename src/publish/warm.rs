//! Warming: what the store lost, and what it is about to lose, is published again; what is still
//! warm stays as it is.

use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::apply::pace::Limits;
use super::articles::Articles;
use super::job::Job;
use super::outcome::Outcome;
use super::plan::expiry::Below;
use super::plan::need::Policy;
use super::report::Report;
use super::shards::share::{Share, part_bytes};
use super::survey::content::{SurveyScope, readable, renderer};
use super::survey::selection::{Selection, Selectors, parsed};
use crate::failure::Failure;
use crate::settings::Settings;
use crate::source::Order;

/// How the store is warmed.
#[derive(Clone, Debug)]
pub struct Warm {
    /// Only these articles; all, where nothing is named.
    pub selectors: Selectors,
    /// What has less than this left is refreshed.
    pub ttl_below: Below,
    /// What is written first.
    pub order: Order,
    /// How fast.
    pub limits: Limits,
    /// Whether every file is read, also those that did not change since the last run.
    pub reads_all: bool,
    /// Whether to begin without room.
    pub force: bool,
    /// Whether it stops just before its first write.
    pub dry_run: bool,
    /// The part of the articles that it is about, if that is not all.
    pub share: Option<Share>,
}

/// Publishes what is missing in the store, or about to expire. Ends when `interrupted` is set.
///
/// # Errors
/// With the exit code that says what was written: see [`crate::exit::Exit`].
pub fn warm(
    settings: &Settings,
    warm: &Warm,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
) -> Result<Outcome, Failure> {
    let settings = &Settings {
        // What is missing is written, however much that is, and as slowly as is asked for.
        expect: settings.expect.of_articles_alone(),
        ..settings.clone()
    };
    let selection = parsed(&warm.selectors, settings)?;
    let options = shared_options(warm, settings, &selection);
    let renderer = renderer(settings)?;
    readable(settings)?;
    let job = Job {
        content: Some(settings.content_shown()),
        renderer: Some(renderer.fingerprint()),
        share: warm.share.clone().map(|share| Share { options, ..share }),
        limits: warm.limits,
        ..Job::new("warm", settings, interrupted)
    };
    let articles = Articles {
        force: warm.force,
        cache: !warm.reads_all,
        wanted: SurveyScope {
            policy: Policy::Warm(warm.ttl_below),
            selection: &selection,
            order: warm.order,
            share: job.share.as_ref().map(|share| share.shard),
            ..SurveyScope::all()
        },
        ..Articles::of(&job, &renderer)
    };
    job.run_and_notify(&articles, warm.dry_run, report)
}

/// What of the options decides what is written. Files count as they lie below the content folder,
/// which need not be at the same place for all shards.
fn shared_options(warm: &Warm, settings: &Settings, selection: &Selection) -> String {
    let sources: Vec<&[u8]> = selection
        .sources
        .iter()
        .map(|path| path.as_os_str().as_bytes())
        .collect();
    let ttl_below = match warm.ttl_below {
        Below::Permille(share) => json!({ "permille": share }),
        Below::Ms(ms) => json!({ "ms": ms }),
    };
    let Selectors { globs, tags, .. } = &warm.selectors;
    json!({
        "globs": globs, "tags": tags, "sources": sources, "ttl_below": ttl_below,
        "part": part_bytes(settings),
    })
    .to_string()
}
