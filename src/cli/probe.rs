//! `anp probe`: its arguments.

use std::time::Duration;

use clap::Args;

use super::values::latency;
use crate::duration;

/// The highest rate: a probe is no attack.
const MOST_A_SECOND: u32 = 10_000;

/// `anp probe`.
#[derive(Debug, Args)]
pub struct Probe {
    /// Address that the routes are below: https://example.org/archive/
    pub url: String,
    /// Check these routes
    ///
    /// May be given several times, or with commas.
    #[arg(long, help_heading = "Selection", value_name = "ROUTE", value_delimiter = ',', conflicts_with_all = ["sample", "run"])]
    pub routes: Vec<String>,
    /// Check N routes of the store or the run [default: 20, or all of --run]
    ///
    /// They are spread evenly, and the same ones each time.
    #[arg(long, help_heading = "Selection", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub sample: Option<u32>,
    /// Check routes of this run: its id, the file of its manifest, or 'last'
    ///
    /// [default: the pages that the store holds; if it holds none, those of the last run that wrote one]
    #[arg(long, help_heading = "Selection", value_name = "RUN")]
    pub run: Option<String>,
    /// Cookie of a visitor who is logged in
    #[arg(
        long,
        value_name = "NAME=VALUE",
        default_value = "wordpress_logged_in_anp-probe=1"
    )]
    pub login_cookie: String,
    /// Connections to measure with
    #[arg(long, help_heading = "Load", value_name = "C", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=256))]
    pub concurrency: u32,
    /// Highest number of requests a second
    ///
    /// It holds for the checks, and for all connections of the measurement. At most 10000/s.
    #[arg(long, help_heading = "Load", value_name = "N/s", default_value = "50/s", value_parser = requests)]
    pub rate: u32,
    /// How long to measure; 0 measures nothing
    #[arg(long, help_heading = "Load", value_name = "DURATION", default_value = "5s", value_parser = measured)]
    pub duration: Duration,
    /// How long one answer may take, until its last byte
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = latency)]
    pub timeout: Duration,
}

/// `50/s`, or `50`.
fn requests(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let rate = number.parse().ok();
    rate.filter(|rate| (1..=MOST_A_SECOND).contains(rate))
        .ok_or_else(|| format!("expected 1 to {MOST_A_SECOND} requests a second, such as 50/s"))
}

/// `0`, or a duration of at most an hour.
fn measured(text: &str) -> Result<Duration, String> {
    const LONGEST_MS: u64 = 3_600_000;
    let ms = if text == "0" {
        Some(0)
    } else {
        duration::parse_ms(text)
    };
    let ms = ms.filter(|ms| *ms <= LONGEST_MS);
    ms.map(Duration::from_millis)
        .ok_or_else(|| "expected 0, or a duration of at most 1h, such as 5s".to_owned())
}
