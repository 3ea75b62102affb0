//! `anp synth`: seeded articles as files.

use std::time::Instant;

use serde_json::json;

use super::outcome::to_ms;
use crate::cli::{Common, Synth};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Output;
use crate::synth::{Counts, Generator, NoShare, Options, Share};

pub(super) fn run(common: &Common, arguments: &Synth) -> Result<Exit, Failure> {
    let started = Instant::now();
    let generator = Generator::new(arguments.seed, options(arguments)?);
    let tree = generator
        .write_tree(&arguments.out, arguments.count)
        .map_err(|error| {
            Failure::new(
                Exit::Manifest,
                format!("cannot write the articles: {error}"),
            )
            .note("expected", "a folder that can be written, with free space")
            .note("retry", "safe, it writes the same files again")
        })?;
    let seconds = started.elapsed().as_secs_f64();
    let out = arguments.out.display();
    let mut output = Output::stdout(common.format, false);
    output.text(format!(
        "{} articles of seed {}, {} bytes, in {out}",
        tree.files, arguments.seed, tree.bytes
    ));
    let Counts {
        valid,
        invalid,
        hostile,
        hostile_refused,
    } = tree.counts;
    let refused = tree.counts.refused();
    if invalid + hostile > 0 {
        output.text(format!(
            "{valid} valid, {invalid} invalid, {hostile} hostile; \
             {refused} must be refused: the invalid ones, and {hostile_refused} of the hostile ones"
        ));
    }
    output.json(&json!({
        "type": "summary", "command": "synth", "articles": tree.files, "seed": arguments.seed,
        "bytes": tree.bytes, "out": arguments.out,
        "seconds": to_ms(seconds),
        "valid": valid, "invalid": invalid, "hostile": hostile,
        "hostile_refused": hostile_refused, "refused": refused,
    }));
    Ok(Exit::Done)
}

fn options(arguments: &Synth) -> Result<Options, Failure> {
    let invalid = share("--invalid", &arguments.invalid)?;
    let hostile = share("--hostile", &arguments.hostile)?;
    if invalid.checked_add(hostile).is_none() {
        let what = format!(
            "--invalid and --hostile: expected at most 100% together, found {invalid} and {hostile}"
        );
        return Err(usage(what));
    }
    Ok(Options {
        body_kb: arguments.body_kb,
        spread: arguments.spread,
        invalid,
        hostile,
        ..Options::default()
    })
}

fn share(flag: &str, text: &str) -> Result<Share, Failure> {
    text.parse()
        .map_err(|error: NoShare| usage(format!("{flag}: expected {error}, found '{text}'")))
}

fn usage(what: String) -> Failure {
    Failure::new(Exit::Usage, what).note(
        "retry",
        "not before the options are fixed; nothing was written",
    )
}
