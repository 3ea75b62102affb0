//! The options of seeded articles, for `anp synth` and for `anp import --synth`.

use crate::cli::Seeded;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::synth::{Generator, NoShare, Options, Share};

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
