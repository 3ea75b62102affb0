//! `anp warm`.

use super::inputs::{chosen_share, report_of_run, selectors};
use crate::cli;
use crate::cli::{Common, Warm as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::pace::Limits;
use crate::publish::warm::{Warm, warm};
use crate::report::metrics_file;
use crate::signals::watch;
use crate::source::Order;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = super::inputs::settings(common, arguments.settings())?;
    let mut report = report_of_run(common, &settings);
    report.show_all_keys(arguments.recorded.keys);
    let warmed = (|| {
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
        warm(&settings, &options, &watch()?, &mut report)
    })();
    let ended = warmed.map(|outcome| outcome.exit);
    if !arguments.recorded.dry_run {
        metrics_file::record(&settings, "warm", &report, &ended);
    }
    report.explain(ended)
}
