//! The lease: the key `PREFIX:lock` says which run may write, and expires by itself.
//!
//! Each batch renews it in the round trip before its writes, so a run that lost it notices
//! before it writes again.
//!
//! Where several shards do one run, they share the key: it names the run, into how many shards it
//! is divided and a digest of what all of them must have in common, and holds a token and a
//! deadline for each shard that is under way. It goes with the last of them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::publish::one_line;
use crate::publish::shards::shard::Shard;
use crate::store::{Batch, Reply, Script, Session, StoreError};

/// How long a lease lasts without being renewed.
pub const LENGTH: Duration = Duration::from_secs(30);

/// What the lock says of its holder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// Different for each run, so that a lease is never mistaken for a later one. Of a run in
    /// shards each shard has its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// The run.
    pub run: String,
    /// Who is responsible for it.
    pub owner: Option<String>,
    /// The host it runs on.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// Its state folder there.
    pub state_dir: String,
    /// Which folder that is, whatever its path is: a run that holds the file lock of the same
    /// folder knows that this one is dead.
    #[serde(default)]
    pub folder: String,
    /// When it began, by the server's clock, ms since 1970.
    #[serde(default)]
    pub since: i64,
    /// Into how many shards it is divided, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
    /// Digest of what all shards must have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// The shards that are under way, by their index.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shard: BTreeMap<String, ShardHolder>,
}

/// Who does one shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShardHolder {
    /// Different for each start of a shard.
    pub token: String,
    /// The host it runs on.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// Its state folder there.
    pub state_dir: String,
    /// Which folder that is.
    #[serde(default)]
    pub folder: String,
    /// When its lease runs out, by the server's clock, ms since 1970.
    #[serde(default)]
    pub until: i64,
}

impl Holder {
    /// The index of each shard whose lease stands at `now_ms`, in order, with who does it.
    #[must_use]
    pub fn live(&self, now_ms: i64) -> BTreeMap<u32, &ShardHolder> {
        let live = self.shard.iter().filter(|(_, shard)| shard.until > now_ms);
        live.filter_map(|(index, shard)| Some((index.parse().ok()?, shard)))
            .collect()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = one_line(self.owner.as_deref().unwrap_or("not named"));
        let newest = self.shard.values().max_by_key(|shard| shard.until);
        let (host, pid, state_dir) = match newest {
            Some(shard) => (&shard.host, shard.pid, &shard.state_dir),
            None => (&self.host, self.pid, &self.state_dir),
        };
        write!(
            f,
            "owner {owner}, host {}, pid {pid}, state folder {}",
            one_line(host),
            one_line(state_dir)
        )
    }
}

/// What came of breaking a lease.
#[derive(Debug)]
pub enum LeaseBreak {
    /// It is broken; what it said of the run that held it, if that could be read, with its shards
    /// that were under way.
    Done(Option<Box<Holder>>),
    /// There was none.
    NotHeld,
    /// Another run, or something else, holds it.
    HeldByAnother(Box<OtherLease>),
}

/// So many shards are named in one message.
const MOST_NAMED: usize = 16;

/// How long the mark of a broken lease stands, unless it is cleared.
const MARK_MS: &[u8] = b"5000";

/// Breaks the lease at `key`, if `run` holds it. A mark stands in its place, so that nobody has
/// the lock until the connections of that run are ended: then it is for [`clear`].
///
/// # Errors
/// When the store fails.
pub fn break_lease(session: &mut Session, key: &str, run: &str) -> Result<LeaseBreak, StoreError> {
    let doing = "breaking the lock";
    let batch = about(key, run, b"break");
    let answer = session.run_or(&batch, &|| batch.clone(), doing)?;
    let parts = match answer.replies.into_iter().next() {
        Some(Reply::Array(parts)) => parts,
        other => return other.unwrap_or(Reply::Nil).fail(doing),
    };
    match parts.first().and_then(Reply::text) {
        // Asked a second time, because the first answer was lost: that one had broken it.
        Some("gone") if answer.resent => Ok(LeaseBreak::Done(None)),
        Some("gone") => Ok(LeaseBreak::NotHeld),
        Some("broken") => {
            let mut taken = OtherLease::read(&parts);
            if let Some(holder) = &mut taken.holder {
                holder.shard.retain(|_, shard| shard.until > taken.now_ms);
            }
            Ok(LeaseBreak::Done(taken.holder))
        }
        Some("taken") => Ok(LeaseBreak::HeldByAnother(Box::new(OtherLease::read(
            &parts,
        )))),
        _ => Reply::Array(parts).fail(doing),
    }
}

/// Clears what breaking the lease of `run` left.
///
/// # Errors
/// When the store fails; the mark then runs out by itself.
pub fn clear(session: &mut Session, key: &str, run: &str) -> Result<(), StoreError> {
    let batch = about(key, run, b"clear");
    session.run(&batch, "breaking the lock").map(drop)
}

fn about(key: &str, run: &str, what: &[u8]) -> Batch {
    let mut batch = Batch::default();
    let arguments: [&[u8]; 4] = [run.as_bytes(), MARK_MS, what, b""];
    batch.script(Script::Lease, key.as_bytes(), &arguments);
    batch
}

/// Why there is no lease.
#[derive(Debug, Error)]
pub enum LeaseError {
    /// Another run holds it.
    #[error("{0}")]
    Taken(Box<OtherLease>),
    /// The lock is gone: it ran out, or somebody deleted it.
    #[error("the lease ran out or was deleted: this run may no longer write")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The lease of another run.
#[derive(Clone, Debug)]
pub struct OtherLease {
    /// The other run, if the lock says.
    pub holder: Option<Box<Holder>>,
    /// Milliseconds until its lease runs out, unless it is renewed; negative if never.
    pub left_ms: i64,
    /// The server's clock, ms since 1970.
    pub now_ms: i64,
}

impl OtherLease {
    fn read(parts: &[Reply]) -> Self {
        let number = |index: usize| match parts.get(index) {
            Some(Reply::Int(number)) => *number,
            _ => 0,
        };
        let holder = parts.get(1).and_then(Reply::text);
        Self {
            holder: holder.and_then(|text| serde_json::from_str(text).ok()),
            left_ms: number(2),
            now_ms: number(3),
        }
    }
}

impl fmt::Display for OtherLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Some(holder) => {
                write!(f, "run {} holds the lock", one_line(&holder.run))?;
                if let Some(of) = holder.shards {
                    let live = holder.live(self.now_ms).into_keys().take(MOST_NAMED);
                    let live: Vec<String> = live.map(|index| index.to_string()).collect();
                    write!(f, " (of its {of} shards: {})", live.join(", "))?;
                }
                write!(f, ": {holder}")?;
                if holder.since > 0 && self.now_ms >= holder.since {
                    write!(f, ", since {} s", (self.now_ms - holder.since) / 1000)?;
                }
            }
            None => f.write_str("the lock is held, and what it says is no lease of anp")?,
        }
        match self.left_ms {
            ..0 => f.write_str("; it never runs out by itself"),
            left => write!(
                f,
                "; unless it is renewed, it runs out in {} s",
                (left + 999) / 1000
            ),
        }
    }
}

/// A lease that this run took.
#[derive(Clone, Debug)]
pub struct Lease {
    key: String,
    script: Script,
    /// What the script is told, but for what it is to do.
    arguments: Vec<String>,
}

/// What a shard has in common with the others of its run.
#[derive(Clone, Copy, Debug)]
pub struct ShardClaim<'a> {
    /// Which shard it is.
    pub shard: Shard,
    /// Digest of everything that decides what the shards together write.
    pub digest: &'a str,
}

impl Lease {
    /// Takes the lock `key` for `holder`. A lease from the same state folder is taken over: the
    /// caller holds the file lock of that folder, so its run is dead.
    ///
    /// # Errors
    /// `Taken` when another run holds it.
    pub fn take(session: &mut Session, key: String, holder: &Holder) -> Result<Self, LeaseError> {
        let value = serde_json::to_string(holder).map_err(not_encoded)?;
        let lease = Self {
            key,
            script: Script::Lease,
            arguments: vec![value, LENGTH.as_millis().to_string(), holder.folder.clone()],
        };
        lease.took(session)?;
        Ok(lease)
    }

    /// Takes a part of the lock `key` for the shard of `holder`, whose `since` is taken for the
    /// start of the run where it is the first of its shards. Returns the lease and the start of
    /// the run. The lease of a dead shard is taken over as [`Self::take`] does it: the caller
    /// holds the file lock of that shard. So is the lock of another run in shards, if each token of
    /// it is one of the `dead`.
    ///
    /// # Errors
    /// `Taken` when another run holds the lock, or another process this shard of the run; also
    /// when the run is divided otherwise, or has other settings.
    pub fn join(
        session: &mut Session,
        key: String,
        holder: &Holder,
        part: ShardClaim<'_>,
        dead: &[String],
    ) -> Result<(Self, i64), LeaseError> {
        let entry = ShardHolder {
            token: holder.token.clone(),
            host: holder.host.clone(),
            pid: holder.pid,
            state_dir: holder.state_dir.clone(),
            folder: holder.folder.clone(),
            until: 0,
        };
        let lock = Holder {
            token: String::new(),
            shards: Some(part.shard.of),
            settings: Some(part.digest.to_owned()),
            ..holder.clone()
        };
        let saying = serde_json::json!({ "entry": entry, "lock": lock });
        let lease = Self {
            key,
            script: Script::Shards,
            arguments: vec![
                holder.run.clone(),
                part.shard.of.to_string(),
                part.digest.to_owned(),
                part.shard.index.to_string(),
                holder.token.clone(),
                LENGTH.as_millis().to_string(),
                holder.folder.clone(),
                saying.to_string(),
                serde_json::json!(dead).to_string(),
            ],
        };
        let reply = lease.took(session)?;
        match reply.get(1) {
            Some(Reply::Int(since)) => Ok((lease, *since)),
            _ => Ok(Reply::Array(reply).fail("taking the lock")?),
        }
    }

    /// Takes it, and returns the answer.
    fn took(&self, session: &mut Session) -> Result<Vec<Reply>, LeaseError> {
        let mut batch = Batch::default();
        self.push(&mut batch, "take");
        let reply = session.run(&batch, "taking the lock")?.pop();
        Self::held(reply.unwrap_or(Reply::Nil))
    }

    /// Appends the command that keeps the lease; its reply is for [`Lease::check`].
    ///
    /// Where the lock is gone it is taken again: a server that evicts takes keys that expire
    /// first. Whoever takes the lock meanwhile, or breaks it, ends the connections of this run
    /// before anything else, so over a connection that lives nobody did.
    pub fn push_keeping(&self, batch: &mut Batch) {
        self.push(batch, "keep");
    }

    /// Keeps the lease, in a round trip of its own.
    ///
    /// # Errors
    /// When another run has the lock.
    pub fn keep(&self, session: &mut Session) -> Result<(), LeaseError> {
        self.ask(session, "keep")
    }

    /// Renews the lease over a connection that is new: where the lock is gone, another run may
    /// have had it.
    ///
    /// # Errors
    /// When the lease is no longer ours.
    pub fn renew(&self, session: &mut Session) -> Result<(), LeaseError> {
        self.ask(session, "renew")
    }

    fn ask(&self, session: &mut Session, what: &str) -> Result<(), LeaseError> {
        let mut batch = Batch::default();
        self.push(&mut batch, what);
        let reply = session.run(&batch, "renewing the lock")?.pop();
        Self::check(reply.unwrap_or(Reply::Nil))
    }

    fn push(&self, batch: &mut Batch, what: &str) {
        let mut arguments: Vec<&[u8]> = self.arguments.iter().map(String::as_bytes).collect();
        // The one script has it behind the lease and its length, the other at the beginning.
        let place = if self.script == Script::Lease { 2 } else { 0 };
        arguments.insert(place, what.as_bytes());
        batch.script(self.script, self.key.as_bytes(), &arguments);
    }

    /// Reads the reply to a renewal.
    ///
    /// # Errors
    /// When the lease is no longer ours.
    pub fn check(reply: Reply) -> Result<(), LeaseError> {
        Self::held(reply).map(drop)
    }

    fn held(reply: Reply) -> Result<Vec<Reply>, LeaseError> {
        let doing = "renewing the lock";
        let Reply::Array(parts) = reply else {
            return Ok(reply.fail(doing)?);
        };
        match parts.first().and_then(Reply::text) {
            Some("held") => Ok(parts),
            Some("gone") => Err(LeaseError::Gone),
            Some("taken") => Err(LeaseError::Taken(Box::new(OtherLease::read(&parts)))),
            _ => Ok(Reply::Array(parts).fail(doing)?),
        }
    }

    /// Gives the lock back, if it is still ours; of a run in shards, the part of this one.
    ///
    /// # Errors
    /// When the store fails; the lease then runs out by itself.
    pub fn release(self, session: &mut Session) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        self.push(&mut batch, "release");
        session.run(&batch, "giving the lock back").map(drop)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err calls it")]
fn not_encoded(error: serde_json::Error) -> StoreError {
    StoreError::new(
        crate::store::Class::Stop,
        "taking the lock",
        error.to_string(),
    )
}
