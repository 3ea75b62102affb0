//! More than one server: clusters, sentinels, TLS, shards of a run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../support/mod.rs"]
mod support;

mod cluster;
mod sentinel;
mod shards;
mod tls;
