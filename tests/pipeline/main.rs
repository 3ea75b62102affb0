//! The way of a run from its sources to its end, with everything around it failing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../support/mod.rs"]
mod support;

mod archive;
mod bounds;
mod changing;
mod command_line;
mod disk_errors;
mod embedded;

mod expect;
mod failpoints;
mod faults;
mod from_rust;
mod held;
mod inputs;
mod interrupt;
mod keep_runs;
mod links;
mod log_format;
mod manifest;
mod meta_box;
mod metrics;
mod model;
mod names;
mod packed;
mod part;
mod refusals;
mod report_page;
mod runs;
mod scene;
mod seeding;
mod settings;
mod synth;
mod torture;
mod unchanged;
mod walk;
