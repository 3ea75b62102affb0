//! `anp synth`, and what seeded articles are like.

use std::path::PathBuf;

use clap::Args;

/// What seeded articles are like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load test")]
pub struct Seeded {
    /// Seed of the articles [default: 28802]
    ///
    /// Article N of one seed has the same bytes everywhere.
    #[arg(long, value_name = "SEED", hide_short_help = true)]
    pub seed: Option<u64>,
    /// Mean size of the Markdown bodies, in KiB [default: 2]
    #[arg(long, value_name = "KIB", value_parser = clap::value_parser!(u32).range(1..=512))]
    #[arg(hide_short_help = true)]
    pub body_kb: Option<u32>,
    /// How widely their sizes spread, in hundredths [default: 40]
    ///
    /// The standard deviation of ln(size). With 0 all sizes are alike; with 100 one article in a
    /// hundred has ten times the median.
    #[arg(long, value_name = "HUNDREDTHS", value_parser = clap::value_parser!(u32).range(0..=150))]
    #[arg(hide_short_help = true)]
    pub spread: Option<u32>,
    /// Share of broken articles, which anp must refuse [default: 0%]
    ///
    /// A percentage with at most two decimals.
    #[arg(long, value_name = "P%", hide_short_help = true)]
    pub invalid: Option<String>,
    /// Share of hostile articles, which anp must refuse or make harmless [default: 0%]
    ///
    /// A percentage with at most two decimals.
    #[arg(long, value_name = "P%", hide_short_help = true)]
    pub hostile: Option<String>,
}

impl Seeded {
    /// The first of these options that was given.
    #[must_use]
    pub fn any(&self) -> Option<&'static str> {
        let given = [
            ("--seed", self.seed.is_some()),
            ("--body-kb", self.body_kb.is_some()),
            ("--spread", self.spread.is_some()),
            ("--invalid", self.invalid.is_some()),
            ("--hostile", self.hostile.is_some()),
        ];
        let first = given.into_iter().find(|(_, given)| *given);
        first.map(|(name, _)| name)
    }
}

/// `anp synth`.
#[derive(Debug, Args)]
pub struct Synth {
    /// Number of articles
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub count: u64,
    /// What they are like.
    #[command(flatten)]
    pub seeded: Seeded,
    /// Folder to write to, or FILE.jsonl, FILE.tar, FILE.tar.zst, FILE.xml, …
    ///
    /// Files of the same names are overwritten, others stay.
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
}
