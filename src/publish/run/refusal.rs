//! What is said to whoever comes second.

use super::command_line::{command_for_store, resume_line, shell_word};
use super::lease::LeaseError;
use super::switch::{Paused, Switch};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::manifest::Damage;
use crate::settings::Settings;

/// The failure of whoever comes second.
#[must_use]
pub fn locked(what: String, retry: &str) -> Failure {
    Failure::new(Exit::Locked, what)
        .note("expected", "one writing run at a time")
        .note("retry", format!("safe {retry}; nothing was written"))
}

/// The failure of a run that does not get the lease at `key`.
pub(crate) fn not_leased(
    settings: &Settings,
    prefix: &str,
    key: &str,
    error: &LeaseError,
) -> Failure {
    let taken = match error {
        LeaseError::Store(error) => return Failure::before_writing(error),
        LeaseError::Gone => return locked(error.to_string(), "once that run has ended"),
        LeaseError::Taken(taken) => taken,
    };
    // What others wrote there is no word of a command.
    let holder = taken.holder.as_ref();
    let Some(holder) = holder.filter(|holder| is_run_like(&holder.run)) else {
        return Failure::new(Exit::Locked, format!("{key}: {taken}"))
            .note("expected", "no such key, or the lease of a run of anp")
            .note(
                "retry",
                format!(
                    "safe once {key} is looked at and deleted, or has run out; nothing was written"
                ),
            );
    };
    let unlock = format!("unlock {}", shell_word(&holder.run));
    let unlock = command_for_store(settings, prefix, &unlock);
    locked(taken.to_string(), "once that run has ended")
        .note("unlock", format!("if that run is dead: {unlock}"))
}

/// Whether it may be the id of a run.
fn is_run_like(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    (1..=64).contains(&text.len()) && text.chars().all(fits)
}

/// The failure of a manifest that cannot be used.
#[must_use]
pub fn unusable(damage: &Damage) -> Failure {
    let exit = match damage {
        Damage::Io { .. } => Exit::Manifest,
        Damage::NoHeader { .. } => Exit::Partial,
        Damage::Damaged { .. } | Damage::Missing { .. } => Exit::Refused,
    };
    let failure = Failure::new(exit, damage.to_string())
        .note("expected", "the manifest as anp wrote it")
        .note("retry", "safe, nothing was written");
    match damage {
        Damage::Damaged { .. } | Damage::Missing { .. } => failure.note(
            "without a copy",
            "'anp rollback RUN --skip-damaged' undoes what can be read, and names what is lost",
        ),
        Damage::Io { .. } | Damage::NoHeader { .. } => failure,
    }
}

/// The failure of a run that may not publish.
#[must_use]
pub fn switched_off(settings: &Settings, switch: &Switch, paused: &Paused) -> Failure {
    let what = format!(
        "{}, prefix {}, is {paused}",
        settings.address, switch.prefix
    );
    Failure::new(Exit::Paused, what)
        .note("expected", "a store that is not switched off")
        .note("retry", "safe after the resume line; nothing was written")
        .note("resume", resume_line(settings, switch))
}

/// Refuses to publish where the settings say so; no store is asked.
pub(crate) fn refuse(settings: &Settings) -> Result<(), Failure> {
    match &settings.paused {
        None => Ok(()),
        Some(reason) => Err(Failure::new(
            Exit::Paused,
            format!("switched off by ANP_PAUSED or 'paused' in anp.yaml: {reason}"),
        )
        .note("expected", "neither of them is set")
        .note("retry", "once it is taken away; nothing was written")),
    }
}

pub(crate) fn other_settings(run: &str) -> Failure {
    let what = format!("run {run} was begun by a shard with other settings or options");
    Failure::new(Exit::Config, what)
        .note(
            "expected",
            "the same command, settings, options and store for all shards of a run, or a --run-id \
             that no run has",
        )
        .note("retry", "after you change that; nothing was written")
}
