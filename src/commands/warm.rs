//! `anp warm`: what the store lost, and what it is about to lose, is published again; what is
//! still warm stays as it is.

use super::articles::Articles;
use super::job::Job;
use super::metrics;
use super::outcome::Outcome;
use super::selection::selection;
use super::shard::share;
use super::survey::{Wanted, readable, renderer};
use crate::cli::{self, Common, Warm};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::pace::Limits;
use crate::publish::plan::{Below, Policy};
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
    let (selectors, below) = (&arguments.selectors, &arguments.ttl_below);
    let options = format!("{selectors:?} {below:?} of {:?}", settings.part);
    let share = share(&arguments.sharded, settings, options)?;
    let renderer = renderer(settings)?;
    readable(settings)?;
    let selection = selection(&arguments.selectors, &settings.content)?;
    let job = Job {
        content: Some(settings.content_shown()),
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
