//! The store's core, run on every server at hand: all actions, foreign values, rollback, lock, switch, rights, memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../support/mod.rs"]
mod support;

mod conflicts;
mod diff;
mod exit_codes;
mod expiring;
mod foreign;
mod listing;
mod lock;
mod memory;
mod prune;
mod purge;
mod reasons;
mod rehearse;
mod repeat;
mod rollback;
mod switch;
mod texts;
mod verify;
mod warm;
mod way_back;
