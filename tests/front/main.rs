//! What readers see: the preview, nginx, and the probe that asks them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../support/mod.rs"]
mod support;

mod archive;
mod edge;
mod nginx;
mod probe;
mod serve;
