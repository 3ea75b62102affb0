//! The Lua scripts: compare-and-set in the server, where nothing can come between.

use std::fmt::Write as _;
use std::sync::OnceLock;

use sha1::{Digest as _, Sha1};

use crate::hex;

/// A script, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Reads the whole state of a key.
    Read,
    /// Sets a key, if it is in the expected state. Refused while the server is out of memory.
    Put,
    /// The same, but allowed while the server is out of memory: the way back.
    PutUnderOom,
    /// Moves the expiry of a key, if it is the expected one.
    Expire,
    /// Removes a key, if it is in the expected state.
    Remove,
    /// Takes, renews, releases or breaks the lease.
    Lease,
    /// The same for one shard of a run that several do.
    Shards,
    /// Switches publishing off and on.
    Switch,
}

const STATE: &str = include_str!("scripts/state.lua");

impl Script {
    /// Every script.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Put,
        Self::PutUnderOom,
        Self::Expire,
        Self::Remove,
        Self::Lease,
        Self::Shards,
        Self::Switch,
    ];

    /// The text that the server loads. Its first line declares whether the script may
    /// write, and whether it may write while memory is short (Redis ≥ 7.0).
    #[must_use]
    pub fn source(self) -> &'static str {
        &self.built().0
    }

    /// The SHA-1 that EVALSHA names it by, in hex.
    #[must_use]
    pub fn sha(self) -> &'static str {
        &self.built().1
    }

    fn built(self) -> &'static (String, String) {
        static BUILT: [OnceLock<(String, String)>; 8] = [const { OnceLock::new() }; 8];
        BUILT[self as usize].get_or_init(|| {
            let (flags, state, body) = match self {
                Self::Read => ("no-writes", STATE, include_str!("scripts/read.lua")),
                Self::Put => ("", STATE, include_str!("scripts/put.lua")),
                Self::PutUnderOom => ("allow-oom", STATE, include_str!("scripts/put.lua")),
                Self::Expire => ("allow-oom", STATE, include_str!("scripts/expire.lua")),
                Self::Remove => ("allow-oom", STATE, include_str!("scripts/remove.lua")),
                Self::Lease => ("allow-oom", "", include_str!("scripts/lease.lua")),
                Self::Shards => ("allow-oom", "", include_str!("scripts/shards.lua")),
                Self::Switch => ("allow-oom", "", include_str!("scripts/switch.lua")),
            };
            let mut source = "#!lua".to_owned();
            if !flags.is_empty() {
                let _ = write!(source, " flags={flags}");
            }
            let source = format!("{source}\n{state}{body}");
            let sha = hex::text(&Sha1::digest(source.as_bytes()));
            (source, sha)
        })
    }
}
