//! What is said of articles that a generator makes.

use serde_json::json;

use super::{Output, log};
use crate::synth::{Counts, Generator};

/// Says what is to be expected of the articles 1 to `count`.
pub(crate) fn announce(generator: &Generator, count: usize, output: &mut Output) {
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
pub(crate) fn mix(counts: Counts) -> Option<String> {
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
