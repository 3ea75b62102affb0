//! The lease: the key `PREFIX:lock` says which run may write, and expires by itself.
//!
//! Each batch renews it in the round trip before its writes, so a run that lost it notices
//! before it writes again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

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
}

/// Why there is no lease.
#[derive(Debug, Error)]
pub enum LeaseError {
    /// Another run holds it.
    #[error("{}", describe(.holder.as_deref(), *.left_ms))]
    Taken {
        /// The other run, if the lock says.
        holder: Option<Box<Holder>>,
        /// Milliseconds until its lease runs out, unless it is renewed; negative if never.
        left_ms: i64,
    },
    /// The lock is gone: it ran out, or somebody deleted it.
    #[error("the lease ran out or was deleted: this run may no longer write")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn describe(holder: Option<&Holder>, left_ms: i64) -> String {
    let left = match left_ms {
        ..0 => "it never runs out by itself: delete the key once no run is under way".to_owned(),
        _ => {
            let seconds = (left_ms + 999) / 1000;
            format!("unless it is renewed, it runs out in {seconds} s")
        }
    };
    match holder {
        Some(holder) => format!(
            "run {} holds the lock (host {}, pid {}, owner {}); {left}",
            holder.run,
            holder.host,
            holder.pid,
            holder.owner.as_deref().unwrap_or("not named"),
        ),
        None => format!("the lock is held, and does not say by which run; {left}"),
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

    /// Appends the command that renews the lease; its reply is for [`Lease::check`].
    pub fn push_renewal(&self, batch: &mut Batch) {
        self.push(batch, "renew");
    }

    /// Renews the lease, in a round trip of its own.
    ///
    /// # Errors
    /// When the lease is no longer ours.
    pub fn renew(&self, session: &mut Session) -> Result<(), LeaseError> {
        let mut batch = Batch::default();
        self.push_renewal(&mut batch);
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
            Some("taken") => {
                let holder = parts.get(1).and_then(Reply::text);
                Err(LeaseError::Taken {
                    holder: holder.and_then(|text| serde_json::from_str(text).ok()),
                    left_ms: match parts.get(2) {
                        Some(Reply::Int(left)) => *left,
                        _ => 0,
                    },
                })
            }
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
