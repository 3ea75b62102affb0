//! What one process does of a run that several shards do together, and where it is told so.

use std::os::unix::ffi::OsStrExt as _;

use super::shard::{self, LONGEST_RUN_ID, MOST_SHARDS, Shard};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hashing::add_part;
use crate::publish::history::runs::is_id;
use crate::settings::Settings;
use crate::store::Place;

/// Set by Kubernetes in each pod of an Indexed Job, so it means nothing alone.
const INDEX: &str = "JOB_COMPLETION_INDEX";
const SHARDS: &str = "ANP_SHARDS";
const RUN_ID: &str = "ANP_RUN_ID";

/// What one process does of a run.
#[derive(Clone, Debug)]
pub struct Share {
    /// Which part of the articles.
    pub shard: Shard,
    /// The run that it does together with the other shards; without one, it is a run of its own.
    pub run: Option<String>,
    /// The options of its command line that decide what is written.
    pub options: String,
}

impl Share {
    /// Digest of what all shards must have in common besides their number: what decides what is
    /// written, with the fingerprint of the renderer.
    #[must_use]
    pub fn digest(
        &self,
        command: &str,
        settings: &Settings,
        renderer: Option<&[u8; 32]>,
    ) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [
            command,
            &settings.digest_of_objects(renderer),
            &settings.address.to_string(),
            &self.options,
        ] {
            add_part(&mut hasher, part.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// The share that `--shard` and `--run-id`, or the variables in their place, ask for, if any does.
///
/// # Errors
/// 2 where flags, or variables, do not go together or a flag is none, 78 where a variable is none or
/// the store cannot be shared.
pub fn choose(
    shard: Option<&str>,
    run_id: Option<&str>,
    env: &dyn Fn(&str) -> Option<String>,
    settings: &Settings,
) -> Result<Option<Share>, Failure> {
    let variable = |name: &str| env(name).filter(|text| !text.is_empty());
    let shard = match shard {
        Some(text) => Some(Shard::parse(text).ok_or_else(|| {
            Failure::usage(format!(
                "--shard: expected I/N with N from 1 to {MOST_SHARDS} and I from 0 to N-1 (for \
                 example 0/4), found '{text}'"
            ))
        })?),
        None => of_variables(variable(INDEX), variable(SHARDS))?,
    };
    let (run, name) = match run_id {
        Some(run) => (Some(run.to_owned()), "--run-id"),
        None => (variable(RUN_ID), RUN_ID),
    };
    let Some(shard) = shard else {
        return match run {
            Some(_) => Err(Failure::usage(format!(
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
            return Err(if run_id.is_some() {
                Failure::usage(what)
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
        options: String::new(),
    }))
}

/// The part of the content root that is meant, as the shards of one run compare it.
pub(crate) fn part_bytes(settings: &Settings) -> Option<&[u8]> {
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
            return Err(Failure::usage(format!(
                "{INDEX} is set, and {SHARDS} is not: it needs the number of shards, or --shard I/N"
            )));
        }
        (None, Some(_)) => {
            return Err(Failure::usage(format!(
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
    Failure::new(Exit::Config, what)
        .note("retry", "after you fix the settings; nothing was written")
}
