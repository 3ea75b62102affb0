//! What needs no store: reading, rendering, the tables, the order of the modules.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../support/cases.rs"]
mod cases;

mod boundary;
mod content;
mod front_matter;
mod hostile;
mod layering;
mod packed_bytes;
mod render;
mod sample_config;
mod schema;
mod wxr;
mod yaml_lenient;
mod yaml_plain;
