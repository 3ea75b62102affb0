//! `anp synth`: seeded articles as files, or packed into one.

use std::time::Instant;

use serde_json::json;

use crate::cli::{Common, Synth};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::survey::pool::in_pool;
use crate::report::seeded::mix;
use crate::report::{Output, to_ms};
use crate::synth::{Counts, Form, write_packed, write_tree};
use crate::words::counted;

pub(super) fn run(common: &Common, arguments: &Synth) -> Result<Exit, Failure> {
    let started = Instant::now();
    let generator = super::inputs::seeded(&arguments.seeded).generator()?;
    let seed = generator.seed();
    if Form::is_missing(&arguments.out) && !arguments.out.is_dir() {
        let what = format!("--out: anp does not write {}", arguments.out.display());
        return Err(Failure::usage(what).note(
            "expected",
            "a folder, or a file that ends in .jsonl, .tar or .xml, perhaps with .gz or .zst behind it",
        ));
    }
    let form = Form::of(&arguments.out).filter(|_| !arguments.out.is_dir());
    let write = || match form {
        Some(form) => write_packed(&generator, &arguments.out, form, arguments.count),
        None => write_tree(&generator, &arguments.out, arguments.count),
    };
    let tree = in_pool(write)
        .map_err(|error| Failure::before_writing(&error))?
        .map_err(|error| {
            Failure::new(
                Exit::Manifest,
                format!("cannot write the articles: {error}"),
            )
            .note(
                "expected",
                "a folder or file that can be written, with free space",
            )
            .note("retry", "safe, it writes the same files again")
        })?;
    let seconds = started.elapsed().as_secs_f64();
    let out = arguments.out.display();
    let mut output = Output::stdout(common.format);
    output.text(format!(
        "{} of seed {seed}, {}, in {out}",
        counted(tree.files, "article"),
        counted(tree.bytes, "byte")
    ));
    if let Some(mix) = mix(tree.counts) {
        output.text(mix);
    }
    let Counts {
        valid,
        invalid,
        hostile,
        hostile_refused,
    } = tree.counts;
    let refused = tree.counts.refused();
    output.json(&json!({
        "type": "summary", "command": "synth", "articles": tree.files, "seed": seed,
        "bytes": tree.bytes, "out": arguments.out,
        "seconds": to_ms(seconds),
        "valid": valid, "invalid": invalid, "hostile": hostile,
        "hostile_refused": hostile_refused, "refused": refused,
    }));
    Ok(Exit::Done)
}
