//! `--shard` and `--run-id`: which part of the articles a process publishes, and for which run.

use std::os::unix::ffi::OsStrExt as _;

use super::seeded::usage;
use crate::cli::Sharded;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::history::runs::is_id;
use crate::publish::shards::shard;
use crate::publish::shards::shard::{LONGEST_RUN_ID, MOST_SHARDS, Shard};
use crate::publish::shards::share::Share;
use crate::settings::Settings;
use crate::store::Place;

/// Set by Kubernetes in each pod of an Indexed Job, so it means nothing alone.
const INDEX: &str = "JOB_COMPLETION_INDEX";
const SHARDS: &str = "ANP_SHARDS";
const RUN_ID: &str = "ANP_RUN_ID";

/// The share that was asked for, if one was; `options` are what else decides what is written.
///
/// # Errors
/// 2 where flags, or variables, do not go together or a flag is none, 78 where a variable is none or
/// the store cannot be shared.
pub(super) fn share(
    flags: &Sharded,
    settings: &Settings,
    options: String,
) -> Result<Option<Share>, Failure> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let shard = match &flags.shard {
        Some(text) => Some(Shard::parse(text).ok_or_else(|| {
            usage(format!(
                "--shard: expected I/N with N from 1 to {MOST_SHARDS} and I from 0 to N-1 (for \
                 example 0/4), found '{text}'"
            ))
        })?),
        None => of_variables(variable(INDEX), variable(SHARDS))?,
    };
    let (run, name) = match &flags.run_id {
        Some(run) => (Some(run.clone()), "--run-id"),
        None => (variable(RUN_ID), RUN_ID),
    };
    let Some(shard) = shard else {
        return match run {
            Some(_) => Err(usage(format!(
                "{name} names the run that several shards do together: it needs --shard I/N, or \
                 {INDEX} and {SHARDS}"
            ))),
            None => Ok(None),
        };
    };
    if let Some(run) = &run {
        if !shard::is_run_id(run) || is_id(run) {
            let what = format!(
                "{name}: expected 1 to {LONGEST_RUN_ID} of A-Z a-z 0-9 . _ - with no '.' or '-' at \
                 the beginning, neither 'last' nor like the ids that anp makes itself, found '{}'",
                run.escape_debug()
            );
            return Err(if flags.run_id.is_some() {
                usage(what)
            } else {
                config(what)
            });
        }
        if matches!(settings.address.place, Place::Embedded(_)) {
            return Err(config(format!(
                "{name}: the embedded store ends with the shard that started it"
            ))
            .note(
                "expected",
                "a server that all shards reach (--redis), or shards that are runs of their own",
            ));
        }
    }
    Ok(Some(Share {
        shard,
        run,
        options,
    }))
}

/// The part of the content root that is meant, as the shards of one run compare it.
pub(super) fn part_bytes(settings: &Settings) -> Option<&[u8]> {
    settings
        .part
        .as_deref()
        .map(|part| part.as_os_str().as_bytes())
}

fn of_variables(index: Option<String>, shards: Option<String>) -> Result<Option<Shard>, Failure> {
    let (index, shards) = match (index, shards) {
        (None, None) => return Ok(None),
        (Some(index), Some(shards)) => (index, shards),
        (Some(_), None) => {
            return Err(usage(format!(
                "{INDEX} is set, and {SHARDS} is not: it needs the number of shards, or --shard I/N"
            )));
        }
        (None, Some(_)) => {
            return Err(usage(format!(
                "{SHARDS} is set, and {INDEX} is not: it needs the number of this shard, or --shard \
                 I/N"
            )));
        }
    };
    let number = |text: &str| shard::whole(text);
    let of = number(&shards).filter(|of| (1..=MOST_SHARDS).contains(of));
    let of = of.ok_or_else(|| {
        config(format!(
            "{SHARDS}: expected a whole number from 1 to {MOST_SHARDS}, found '{shards}'"
        ))
    })?;
    let shard = number(&index).and_then(|index| Shard::new(index, of));
    shard.map(Some).ok_or_else(|| {
        let most = of - 1;
        config(format!(
            "{INDEX}: expected a whole number from 0 to {most} ({SHARDS} is {of}), found '{index}'"
        ))
    })
}

fn config(what: String) -> Failure {
    Failure::new(Exit::Config, what).note(
        "retry",
        "not before the settings are fixed; nothing was written",
    )
}
