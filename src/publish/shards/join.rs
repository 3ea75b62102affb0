//! A run that several shards do together, as one of them sees it.
//!
//! All shards of a run have its id, and share the lock in the store. What else they must have in
//! common (into how many shards the run is divided, where it writes, by which settings and options,
//! but for those that only refuse) is compared through a digest, with the lock while another one is
//! under way, and with the manifests of the state folder in any case ([`super::admission`]). The start of
//! the run is the one of the first shard, so that all of them give an article the same expiry, and a
//! shard that is started again the same as before.

use super::shard::Shard;
use crate::failure::Failure;
use crate::publish::run::folder_lock::is_dead;
use crate::publish::run::lease::{Holder, Lease, LeaseError, OtherLease, ShardClaim};
use crate::publish::run::refusal::{locked, not_leased, other_settings};
use crate::settings::Settings;
use crate::store::Session;

/// Takes the part `part` of the lock at `key` for `holder`. Returns it, and the start of the run.
/// Where another run in shards holds it, whose processes all died in the state folder of `holder`,
/// that one is followed at once.
///
/// # Errors
/// 11 when another run holds the lock, or another process this shard; 78 when the run has other
/// settings.
pub(crate) fn lease(
    session: &mut Session,
    key: &str,
    holder: &Holder,
    part: ShardClaim<'_>,
    settings: &Settings,
) -> Result<(Lease, i64), Failure> {
    let mut join = |dead: &[String]| Lease::join(session, key.to_owned(), holder, part, dead);
    let joined = match join(&[]) {
        Err(LeaseError::Taken(taken)) => match dead_of(&taken, holder, part.shard, settings) {
            Some(dead) => join(&dead),
            None => Err(LeaseError::Taken(taken)),
        },
        joined => joined,
    };
    joined.map_err(|error| {
        let refused = match &error {
            LeaseError::Taken(taken) => refused_by(taken, &holder.run, part),
            _ => None,
        };
        refused.unwrap_or_else(|| not_leased(settings, &settings.prefix, key, &error))
    })
}

/// The tokens of the shards of another run, if all of those under way died in the state folder of
/// `own`. A process holds the file lock of its shard for as long as it lives, and
/// has taken it before its token came into the store.
fn dead_of(
    taken: &OtherLease,
    own: &Holder,
    shard: Shard,
    settings: &Settings,
) -> Option<Vec<String>> {
    let other = taken.holder.as_deref()?;
    let of = other.shards.filter(|_| other.run != own.run)?;
    let live = other.live(taken.now_ms).into_iter();
    live.map(|(index, holder)| {
        let theirs = Shard::new(index, of)?;
        let is_here = holder.folder == own.folder;
        // The lock of a shard of this number is our own.
        let is_dead = || theirs == shard || is_dead(&settings.state_dir, theirs, &other.run);
        (is_here && is_dead()).then(|| holder.token.clone())
    })
    .collect()
}

/// The refusal of `shard` of `run`, where the lock is held by that very run; none where it is held
/// by another one.
fn refused_by(taken: &OtherLease, run: &str, part: ShardClaim<'_>) -> Option<Failure> {
    let ShardClaim { shard, digest } = part;
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
