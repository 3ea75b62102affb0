//! The names of keys, from every master, within bounds.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::Pipeline;
use tokio::time::Instant;

use super::link::{Link, Wait};
use crate::store::{Reply, StoreError};

/// What limits a scan.
#[derive(Clone, Copy, Debug)]
pub struct ScanBounds {
    /// At most so many keys of each master are returned.
    pub most: usize,
    /// After this time it ends with what it has.
    pub time: Duration,
}

/// The keys that were found.
#[derive(Debug, Default)]
pub struct ScannedKeys {
    /// What follows the prefix in each of them.
    pub names: BTreeSet<String>,
    /// Whether these are all.
    pub is_whole: bool,
}

const DOING: &str = "listing the stored articles (SCAN)";

/// Scans the keys of `links` that begin with `prefix`.
pub(super) async fn scan(
    links: &[&Link],
    prefix: &str,
    bounds: ScanBounds,
    timeout: Duration,
) -> Result<ScannedKeys, StoreError> {
    let mut found = ScannedKeys {
        is_whole: true,
        ..ScannedKeys::default()
    };
    let end = Instant::now() + bounds.time;
    for link in links {
        let most = found.names.len().saturating_add(bounds.most);
        found.is_whole &= scan_master(link, prefix, (most, end), timeout, &mut found.names).await?;
    }
    Ok(found)
}

/// Adds the keys of one master to `names`, until there are `most` or it is `end`; says whether these
/// are all of it.
async fn scan_master(
    link: &Link,
    prefix: &str,
    (most, end): (usize, Instant),
    timeout: Duration,
    names: &mut BTreeSet<String>,
) -> Result<bool, StoreError> {
    let pattern = format!("{prefix}*");
    let mut cursor = "0".to_owned();
    loop {
        let mut pipeline = Pipeline::with_capacity(1);
        pipeline.ignore_errors();
        pipeline
            .cmd("SCAN")
            .arg(&cursor)
            .arg(&["MATCH", &pattern, "COUNT", "1000"]);
        let wait = Wait {
            until: Instant::now() + timeout,
            whole: timeout,
        };
        let reply = link.send(&pipeline, DOING, wait).await?.pop();
        let reply = reply.unwrap_or(Reply::Nil);
        if let Reply::Error { code, detail } = &reply {
            return Err(StoreError::from_reply(DOING, code, detail));
        }
        let Reply::Array(parts) = &reply else {
            return reply.fail(DOING);
        };
        let (Some(next), Some(Reply::Array(keys))) =
            (parts.first().and_then(Reply::text), parts.get(1))
        else {
            return reply.fail(DOING);
        };
        let own = keys.iter().filter_map(Reply::text);
        names.extend(own.filter_map(|key| key.strip_prefix(prefix).map(str::to_owned)));
        next.clone_into(&mut cursor);
        if cursor == "0" {
            return Ok(true);
        }
        if names.len() >= most || Instant::now() >= end {
            return Ok(false);
        }
    }
}
