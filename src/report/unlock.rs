//! What `anp unlock` prints.

use std::fmt;

use serde_json::{Value, json};

use super::{Output, log};
use crate::publish::one_line;
use crate::publish::run::lease::Holder;
use crate::publish::run::process::{host, is_alive};
use crate::publish::run::unlock::Unlocked;
use crate::settings::Settings;

/// Prints what came of breaking the lock of `run`.
pub(crate) fn show(unlocked: &Unlocked, settings: &Settings, run: &str, output: &mut Output) {
    let Unlocked {
        was_held,
        holder,
        ended,
    } = unlocked;
    let (was_held, ended) = (*was_held, *ended);
    let at_work = holder.as_deref().map_or(Vec::new(), at_work);
    if was_held {
        output.text(format!(
            "broke the lock of run {run}{}",
            who(holder.as_deref())
        ));
        for one in at_work.iter().filter(|one| one.shard.is_some()) {
            output.text(format!("  {one}"));
        }
    } else {
        let what = match ended {
            0 => "nothing to do".to_owned(),
            1 => format!("ended 1 connection of run {run}"),
            ended => format!("ended {ended} connections of run {run}"),
        };
        output.text(format!(
            "nobody holds the lock of {}, prefix {}: {what}",
            settings.address, settings.prefix
        ));
    }
    for one in &at_work {
        if one.host == host() && is_alive(one.pid) {
            let of = one
                .shard
                .map_or(String::new(), |shard| format!(" (shard {shard})"));
            log::warning(format!(
                "process {}{of} lives on this host; if it is that run, it stops at its next batch, \
                 and its rollback is safe then",
                one.pid
            ));
        }
    }
    output.json(&json!({
        "type": "unlock", "run": run, "broken": was_held,
        "connections_ended": ended,
        "owner": holder.as_ref().and_then(|holder| holder.owner.clone()),
        "host": holder.as_ref().map(|holder| &holder.host),
        "pid": holder.as_ref().map(|holder| holder.pid),
        "shards": shards(&at_work),
    }));
}

/// A process that held the lock, or its part of it.
struct AtWork<'a> {
    shard: Option<u32>,
    host: &'a str,
    pid: u32,
    state_dir: &'a str,
}

impl fmt::Display for AtWork<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(shard) = self.shard {
            write!(f, "shard {shard}: ")?;
        }
        let (host, state_dir) = (one_line(self.host), one_line(self.state_dir));
        write!(f, "host {host}, pid {}, state folder {state_dir}", self.pid)
    }
}

/// Each shard that was under way, or the process of a whole run.
fn at_work(holder: &Holder) -> Vec<AtWork<'_>> {
    if holder.shards.is_none() {
        return vec![AtWork {
            shard: None,
            host: &holder.host,
            pid: holder.pid,
            state_dir: &holder.state_dir,
        }];
    }
    let live = holder.live(i64::MIN).into_iter();
    live.map(|(index, shard)| AtWork {
        shard: Some(index),
        host: &shard.host,
        pid: shard.pid,
        state_dir: &shard.state_dir,
    })
    .collect()
}

/// What the lock said of its holder; of a run in shards, each of them is told by itself.
fn who(holder: Option<&Holder>) -> String {
    match holder {
        None => String::new(),
        Some(holder) if holder.shards.is_none() => format!(": {holder}"),
        Some(holder) => {
            let owner = one_line(holder.owner.as_deref().unwrap_or("not named"));
            format!(": owner {owner}")
        }
    }
}

fn shards(at_work: &[AtWork<'_>]) -> Vec<Value> {
    let shards = at_work.iter().filter(|one| one.shard.is_some());
    shards
        .map(|one| json!({ "shard": one.shard, "host": one.host, "pid": one.pid }))
        .collect()
}
