//! `anp warm`: what the store lost, and what it is about to lose, is published again; what is
//! still warm stays as it is.

use std::os::unix::ffi::OsStrExt as _;

use serde_json::json;

use super::metrics;
use super::selection::selection;
use super::shard::{part_bytes, share};
use crate::cli;
use crate::cli::{Common, Selectors, Warm};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::pace::Limits;
use crate::publish::articles::Articles;
use crate::publish::job::Job;
use crate::publish::plan::entry::Policy;
use crate::publish::plan::expiry::Below;
use crate::publish::run_report::Outcome;
use crate::publish::survey::content::{Wanted, readable, renderer};
use crate::publish::survey::selection::Selection;
use crate::report::Output;
use crate::settings::Settings;
use crate::source::Order;

pub(super) fn run(common: &Common, arguments: &Warm) -> Result<Exit, Failure> {
    let settings = super::settings(common, arguments.settings())?;
    let settings = Settings {
        // What is missing is written, however much that is, and as slowly as is asked for.
        expect: settings.expect.of_articles_alone(),
        ..settings
    };
    let output = Output::stdout(common.format, true);
    let mut outcome = Outcome::new(output, &settings.prefix);
    let ended = warm(&settings, common, arguments, &mut outcome);
    if !arguments.recorded.dry_run {
        metrics::record(&settings, "warm", &outcome, &ended);
    }
    ended
}

fn warm(
    settings: &Settings,
    common: &Common,
    arguments: &Warm,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    let selection = selection(&arguments.selectors, &settings.content)?;
    let share = share(
        &arguments.sharded,
        settings,
        options(arguments, settings, &selection),
    )?;
    let renderer = renderer(settings)?;
    readable(settings)?;
    let job = Job {
        content: Some(settings.content_shown()),
        renderer: Some(renderer.fingerprint()),
        share,
        limits: Limits {
            rate: arguments.rate,
            max_latency: arguments.max_latency,
        },
        ..Job::new("warm", settings, outcome.started, common.quiet)?
    };
    let below = match arguments.ttl_below {
        cli::Below::Permille(share) => Below::Permille(share),
        cli::Below::Ms(ms) => Below::Ms(ms),
    };
    let order = match arguments.order {
        cli::Order::Path => Order::Path,
        cli::Order::Newest => Order::Newest,
        cli::Order::Popular => Order::Popular,
    };
    let articles = Articles {
        force: arguments.force,
        cache: !arguments.no_cache,
        wanted: Wanted {
            policy: Policy::Warm(below),
            selection: &selection,
            order,
            share: job.share.as_ref().map(|share| share.shard),
            ..Wanted::all()
        },
        ..Articles::of(&job, &renderer)
    };
    job.run(&articles, arguments.recorded.dry_run, outcome)
}

/// What of the command line decides what is written. Files count as they lie below the content
/// folder, which need not be at the same place for all shards.
fn options(arguments: &Warm, settings: &Settings, selection: &Selection) -> String {
    let sources: Vec<&[u8]> = selection
        .sources
        .iter()
        .map(|path| path.as_os_str().as_bytes())
        .collect();
    let ttl_below = match arguments.ttl_below {
        cli::Below::Permille(share) => json!({ "permille": share }),
        cli::Below::Ms(ms) => json!({ "ms": ms }),
    };
    let Selectors { globs, tags, .. } = &arguments.selectors;
    json!({
        "globs": globs, "tags": tags, "sources": sources, "ttl_below": ttl_below,
        "part": part_bytes(settings),
    })
    .to_string()
}
