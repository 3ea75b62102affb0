//! Seeded articles in place of a content tree: for load tests.

use serde_json::json;

use crate::failure::Failure;
use crate::synth::{Generator, NoShare, Options, Share};

/// What is taken without a seed.
const SEED: u64 = 28_802;

/// Options of seeded articles; each has a default.
#[derive(Clone, Debug, Default)]
pub struct Seeded {
    /// The seed.
    pub seed: Option<u64>,
    /// Mean size of the Markdown bodies, in KiB.
    pub body_kb: Option<u32>,
    /// How widely their sizes spread, in hundredths.
    pub spread: Option<u32>,
    /// How many are broken: a percentage.
    pub invalid: Option<String>,
    /// How many mean harm: a percentage.
    pub hostile: Option<String>,
}

impl Seeded {
    /// The generator of these articles.
    ///
    /// # Errors
    /// 2 when a share is none, or both are more than all.
    pub fn generator(&self) -> Result<Generator, Failure> {
        let invalid = share("--invalid", self.invalid.as_deref())?;
        let hostile = share("--hostile", self.hostile.as_deref())?;
        if invalid.checked_add(hostile).is_none() {
            let what = format!(
                "--invalid and --hostile: expected at most 100% together, found {invalid} and \
                 {hostile}"
            );
            return Err(Failure::usage(what));
        }
        let default = Options::default();
        let options = Options {
            body_kb: self.body_kb.unwrap_or(default.body_kb),
            spread: self.spread.unwrap_or(default.spread),
            invalid,
            hostile,
            ..default
        };
        Ok(Generator::new(self.seed.unwrap_or(SEED), options))
    }

    /// What the shards of a run compare, of `count` articles.
    pub(crate) fn shared(&self, count: u32) -> String {
        let Self {
            seed,
            body_kb,
            spread,
            invalid,
            hostile,
        } = self;
        let options = json!({
            "synth": count, "seed": seed, "body_kb": body_kb, "spread": spread, "invalid": invalid,
            "hostile": hostile,
        });
        options.to_string()
    }
}

fn share(flag: &str, text: Option<&str>) -> Result<Share, Failure> {
    let Some(text) = text else {
        return Ok(Share::NONE);
    };
    text.parse().map_err(|error: NoShare| {
        Failure::usage(format!("{flag}: expected {error}, found '{text}'"))
    })
}
