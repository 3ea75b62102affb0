//! A run that several shards do together, as one of them sees it.
//!
//! All shards of a run have its id, and share the lock in the store. What else they must have in
//! common (into how many shards the run is divided, where it writes, by which settings and options)
//! is compared through a digest, with the lock while another one is under way, and with the
//! manifests of the state folder in any case. The start of the run is the one of the first shard,
//! so that all of them give an article the same expiry, and a shard that is started again the same
//! as before.

use super::history::{Record, rollback_of};
use super::refusal::{locked, not_leased};
use super::runs::Runs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::lease::{Holder, Lease, LeaseError, Part, Taken};
use crate::publish::manifest::{Header, Verify, header_of};
use crate::publish::shard::Shard;
use crate::settings::Settings;
use crate::store::Session;

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
    /// Digest of what all shards must have in common besides their number.
    #[must_use]
    pub fn digest(&self, command: &str, settings: &Settings) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [
            command,
            &settings.digest(),
            &settings.address.to_string(),
            &self.options,
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Takes the part `part` of the lock at `key` for `holder`. Returns it, and the start of the run.
///
/// # Errors
/// 11 when another run holds the lock, or another process this shard; 78 when the run has other
/// settings.
pub(super) fn lease(
    session: &mut Session,
    key: &str,
    holder: &Holder,
    part: Part<'_>,
    settings: &Settings,
) -> Result<(Lease, i64), Failure> {
    Lease::join(session, key.to_owned(), holder, part).map_err(|error| {
        let refused = match &error {
            LeaseError::Taken(taken) => refused_by(taken, &holder.run, part),
            _ => None,
        };
        refused.unwrap_or_else(|| not_leased(settings, &settings.prefix, key, &error))
    })
}

/// Fits `header` in among the manifests of the run: its start, and how often this shard was
/// started. To be called by who holds the lease of the shard.
///
/// # Errors
/// 78 when the run is divided otherwise or has other settings, 65 when it was rolled back, 74
/// when the folder cannot be read.
pub(super) fn fit_in(runs: &Runs, header: &mut Header) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::state_folder("cannot list the runs", &error);
    let Some(known) = runs.find(&header.run).map_err(failed)? else {
        return Ok(());
    };
    let run = header.run.clone();
    // What cannot be read now is what `rollback` and `runs` complain of.
    let siblings = known.files.iter().filter_map(|file| header_of(file).ok());
    for sibling in siblings {
        if let (Some(theirs), Some(own)) = (sibling.shard, header.shard)
            && theirs.of != own.of
        {
            return Err(divided_otherwise(&run, own, theirs.of));
        }
        if sibling.settings_digest != header.settings_digest {
            return Err(other_settings(&run));
        }
        header.started_at = header.started_at.min(sibling.started_at);
    }
    let later = runs.list().map_err(failed)?.into_iter();
    let later = later.filter(|listed| listed.order > known.order);
    let store = (&header.server, header.db, &header.prefix);
    let records: Vec<Record> = later
        .filter_map(|listed| Some(Record::of(&listed.open(Verify::Ends).ok()?)))
        .filter(
            |Record {
                 store: (server, db, prefix),
                 ..
             }| (server, *db, prefix) == store,
        )
        .collect();
    if let Some(rollback) = rollback_of(&records, &run) {
        return Err(rolled_back(&run, rollback));
    }
    if let Some(shard) = header.shard {
        header.attempt = Some(Runs::last_attempt(&known, shard) + 1);
    }
    Ok(())
}

fn divided_otherwise(run: &str, own: Shard, of: u32) -> Failure {
    let what = format!("run {run} is divided into {of} shards, and this is shard {own}");
    Failure::new(Exit::Config, what)
        .note(
            "expected",
            format!("a shard of {of}, or a --run-id that no run has"),
        )
        .note("retry", "not before that is changed; nothing was written")
}

fn other_settings(run: &str) -> Failure {
    let what = format!("run {run} was begun by a shard with other settings or options");
    Failure::new(Exit::Config, what)
        .note(
            "expected",
            "the same command, settings, options and store for all shards of a run, or a --run-id \
             that no run has",
        )
        .note("retry", "not before that is changed; nothing was written")
}

fn rolled_back(run: &str, rollback: &str) -> Failure {
    let what = format!("run {run} was rolled back by {rollback}: no shard of it may write again");
    Failure::new(Exit::Refused, what)
        .note("expected", "a run that was not rolled back")
        .note(
            "retry",
            "not with this run; with a --run-id that no run has; nothing was written",
        )
}

/// The refusal of `shard` of `run`, where the lock is held by that very run; none where it is held
/// by another one.
fn refused_by(taken: &Taken, run: &str, part: Part<'_>) -> Option<Failure> {
    let Part { shard, digest } = part;
    let holder: &Holder = taken.holder.as_deref()?;
    if holder.run != run {
        return None;
    }
    let of = holder.shards?;
    if of == shard.of && holder.settings.as_deref() != Some(digest) {
        return Some(other_settings(run));
    }
    let what = if of == shard.of {
        let live = holder.live(taken.now_ms);
        let who = live.get(&shard.index);
        let who = who.map(|who| format!(": host {}, pid {}", one_word(&who.host), who.pid));
        format!(
            "shard {shard} of run {run} is under way{}",
            who.unwrap_or_default()
        )
    } else {
        format!("this is shard {shard}, and {taken}")
    };
    Some(locked(what, "once that has ended, or 30 s after it died"))
}

/// The name of a host that stood in the store, if it is one.
fn one_word(host: &str) -> &str {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if host.chars().all(fits) { host } else { "?" }
}
