//! `anp warm`.

use super::inputs::{chosen_share, selectors};
use super::reported::Reported;
use crate::cli;
use crate::cli::{Common, Warm as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::pace::Limits;
use crate::publish::warm::{Warm, warm};
use crate::source::Order;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = super::inputs::settings(common, arguments.settings())?;
    let reported = Reported {
        common,
        settings: &settings,
        command: "warm",
        is_dry: arguments.recorded.dry_run,
        keys: arguments.recorded.keys,
        content: arguments.content.content.as_deref(),
        page: arguments.recorded.page.report.as_deref(),
    };
    reported.run(|interrupted, report| {
        let options = Warm {
            selectors: selectors(&arguments.selectors),
            ttl_below: arguments.ttl_below,
            order: match arguments.order {
                cli::Order::Path => Order::Path,
                cli::Order::Newest => Order::Newest,
                cli::Order::Popular => Order::Popular,
            },
            limits: Limits {
                rate: arguments.rate,
                max_latency: arguments.max_latency,
            },
            reads_all: arguments.no_cache,
            force: arguments.force,
            dry_run: arguments.recorded.dry_run,
            share: chosen_share(&arguments.sharded, &settings)?,
        };
        Ok(warm(&settings, &options, interrupted, report)?.exit)
    })
}
