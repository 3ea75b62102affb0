//! README, docs/ and deploy/, followed as written.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../support/mod.rs"]
mod support;

mod deploy;
mod packages;
mod readme;
mod terminal;
