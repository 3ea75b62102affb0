//! `anp synth`, and what seeded articles are like.

use std::path::PathBuf;

use clap::Args;

/// What seeded articles are like.
#[derive(Debug, Args)]
pub struct Seeded {
    /// Article N of the same seed is the same bytes everywhere [default: 28802]
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Mean size of the Markdown bodies, in KiB [default: 2]
    #[arg(long, value_name = "KIB", value_parser = clap::value_parser!(u32).range(1..=512))]
    pub body_kb: Option<u32>,
    /// How widely their sizes spread: the standard deviation of ln(size) in hundredths; 0 makes
    /// them alike, with 100 one in a hundred has ten times the median [default: 40]
    #[arg(long, value_name = "HUNDREDTHS", value_parser = clap::value_parser!(u32).range(0..=150))]
    pub spread: Option<u32>,
    /// How many articles are broken, so that they must be refused: a percentage with at most
    /// two decimals [default: 0%]
    #[arg(long, value_name = "P%")]
    pub invalid: Option<String>,
    /// How many articles mean harm, so that they must be refused or come out harmless
    /// [default: 0%]
    #[arg(long, value_name = "P%")]
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
    /// How many articles
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub count: u64,
    /// What they are like.
    #[command(flatten)]
    pub seeded: Seeded,
    /// The folder to write to; files of the same names are overwritten, others stay
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}
