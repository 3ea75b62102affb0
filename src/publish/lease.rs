//! The lease: the key `PREFIX:lock` says which run may write, and expires by itself.
//!
//! Each batch renews it in the round trip before its writes, so a run that lost it notices
//! before it writes again.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::one_line;
use crate::store::{Batch, Reply, Script, Session, StoreError};

/// How long a lease lasts without being renewed.
pub const LENGTH: Duration = Duration::from_secs(30);

/// What the lock says of its holder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// Different for each run, so that a lease is never mistaken for a later one.
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
    /// When it began, by the server's clock, ms since 1970.
    #[serde(default)]
    pub since: i64,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = one_line(self.owner.as_deref().unwrap_or("not named"));
        write!(
            f,
            "owner {owner}, host {}, pid {}, state folder {}",
            one_line(&self.host),
            self.pid,
            one_line(&self.state_dir)
        )
    }
}

/// What came of breaking a lease.
#[derive(Debug)]
pub enum Broken {
    /// It is broken; what it said of the run that held it, if that could be read.
    Done(Option<Box<Holder>>),
    /// There was none.
    NotHeld,
    /// Another run, or something else, holds it.
    HeldByAnother(Box<Taken>),
}

/// How long the mark of a broken lease stands, unless it is cleared.
const MARK_MS: &[u8] = b"5000";

/// Breaks the lease at `key`, if `run` holds it. A mark stands in its place, so that nobody has
/// the lock until the connections of that run are ended: then it is for [`clear`].
///
/// # Errors
/// When the store fails.
pub fn break_lease(session: &mut Session, key: &str, run: &str) -> Result<Broken, StoreError> {
    let doing = "breaking the lock";
    let batch = about(key, run, b"break");
    let answer = session.run_or(&batch, &|| batch.clone(), doing)?;
    let parts = match answer.replies.into_iter().next() {
        Some(Reply::Array(parts)) => parts,
        other => return other.unwrap_or(Reply::Nil).fail(doing),
    };
    match parts.first().and_then(Reply::text) {
        // Asked a second time, because the first answer was lost: that one had broken it.
        Some("gone") if answer.resent => Ok(Broken::Done(None)),
        Some("gone") => Ok(Broken::NotHeld),
        Some("broken") => Ok(Broken::Done(Taken::read(&parts).holder)),
        Some("taken") => Ok(Broken::HeldByAnother(Box::new(Taken::read(&parts)))),
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
    let arguments: [&[u8]; 5] = [run.as_bytes(), MARK_MS, what, b"", b""];
    batch.script(Script::Lease, key.as_bytes(), &arguments);
    batch
}

/// Why there is no lease.
#[derive(Debug, Error)]
pub enum LeaseError {
    /// Another run holds it.
    #[error("{0}")]
    Taken(Box<Taken>),
    /// The lock is gone: it ran out, or somebody deleted it.
    #[error("the lease ran out or was deleted: this run may no longer write")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The lease of another run.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The other run, if the lock says.
    pub holder: Option<Box<Holder>>,
    /// Milliseconds until its lease runs out, unless it is renewed; negative if never.
    pub left_ms: i64,
    /// The server's clock, ms since 1970.
    pub now_ms: i64,
}

impl Taken {
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

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Some(holder) => {
                write!(f, "run {} holds the lock: {holder}", one_line(&holder.run))?;
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
    value: String,
    host: String,
    state_dir: String,
}

impl Lease {
    /// Takes the lock `key` for `holder`. A lease that names the same host and state folder
    /// is taken over: the caller holds the file lock of that folder, so its run is dead.
    ///
    /// # Errors
    /// `Taken` when another run holds it.
    pub fn take(session: &mut Session, key: String, holder: &Holder) -> Result<Self, LeaseError> {
        let doing = "taking the lock";
        let value = serde_json::to_string(holder).map_err(|error| {
            StoreError::new(crate::store::Class::Stop, doing, error.to_string())
        })?;
        let lease = Self {
            key,
            value,
            host: holder.host.clone(),
            state_dir: holder.state_dir.clone(),
        };
        let mut batch = Batch::default();
        lease.push(&mut batch, "take");
        let reply = session.run(&batch, doing)?.pop();
        Self::check(reply.unwrap_or(Reply::Nil))?;
        Ok(lease)
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
        let length = LENGTH.as_millis().to_string();
        let arguments: [&[u8]; 5] = [
            self.value.as_bytes(),
            length.as_bytes(),
            what.as_bytes(),
            self.host.as_bytes(),
            self.state_dir.as_bytes(),
        ];
        batch.script(Script::Lease, self.key.as_bytes(), &arguments);
    }

    /// Reads the reply to a renewal.
    ///
    /// # Errors
    /// When the lease is no longer ours.
    pub fn check(reply: Reply) -> Result<(), LeaseError> {
        let doing = "renewing the lock";
        let Reply::Array(parts) = reply else {
            return Ok(reply.fail(doing)?);
        };
        match parts.first().and_then(Reply::text) {
            Some("held") => Ok(()),
            Some("gone") => Err(LeaseError::Gone),
            Some("taken") => Err(LeaseError::Taken(Box::new(Taken::read(&parts)))),
            _ => Ok(Reply::Array(parts).fail(doing)?),
        }
    }

    /// Gives the lock back, if it is still ours.
    ///
    /// # Errors
    /// When the store fails; the lease then runs out by itself.
    pub fn release(self, session: &mut Session) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        self.push(&mut batch, "release");
        session.run(&batch, "giving the lock back").map(drop)
    }
}
