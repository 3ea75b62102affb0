//! The options of seeded articles, for `anp synth` and for `anp import --synth`.

use serde_json::json;

use crate::cli::Seeded;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{Output, log};
use crate::synth::{Counts, Generator, NoShare, Options, Share};

/// What is taken without `--seed`.
const SEED: u64 = 28_802;

/// The generator of the articles that are asked for.
///
/// # Errors
/// 2 when a share is none, or both are more than all.
pub(super) fn generator(seeded: &Seeded) -> Result<Generator, Failure> {
    let invalid = share("--invalid", seeded.invalid.as_deref())?;
    let hostile = share("--hostile", seeded.hostile.as_deref())?;
    if invalid.checked_add(hostile).is_none() {
        let what = format!(
            "--invalid and --hostile: expected at most 100% together, found {invalid} and {hostile}"
        );
        return Err(usage(what));
    }
    let default = Options::default();
    let options = Options {
        body_kb: seeded.body_kb.unwrap_or(default.body_kb),
        spread: seeded.spread.unwrap_or(default.spread),
        invalid,
        hostile,
        ..default
    };
    Ok(Generator::new(seeded.seed.unwrap_or(SEED), options))
}

fn share(flag: &str, text: Option<&str>) -> Result<Share, Failure> {
    let Some(text) = text else {
        return Ok(Share::NONE);
    };
    text.parse()
        .map_err(|error: NoShare| usage(format!("{flag}: expected {error}, found '{text}'")))
}

/// The refusal of options that make no sense.
pub(super) fn usage(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, what).note(
        "retry",
        "not before the options are fixed; nothing was written",
    )
}

/// Says what is to be expected of the articles 1 to `count`.
pub(super) fn announce(generator: &Generator, count: usize, output: &mut Output) {
    let mut counts = Counts::default();
    for n in 1..=count as u64 {
        counts.count(generator.kind(n));
    }
    if let Some(mix) = mix(counts) {
        log::note(mix);
    }
    output.json(&json!({
        "type": "synth", "articles": count, "seed": generator.seed(), "valid": counts.valid,
        "invalid": counts.invalid, "hostile": counts.hostile,
        "hostile_refused": counts.hostile_refused, "refused": counts.refused(),
    }));
}

/// How many articles are what, where they are not all valid.
pub(super) fn mix(counts: Counts) -> Option<String> {
    let Counts {
        valid,
        invalid,
        hostile,
        hostile_refused,
    } = counts;
    let refused = counts.refused();
    (invalid + hostile > 0).then(|| {
        format!(
            "{valid} valid, {invalid} invalid, {hostile} hostile; {refused} must be refused: the \
             invalid ones, and {hostile_refused} of the hostile ones"
        )
    })
}
