//! The product, callable without a command line: publishes articles to the store, and undoes it.
//!
//! The functions: [`import()`], [`warm()`], [`purge()`], [`rollback()`], [`verify()`], [`rehearse()`],
//! [`check()`], [`ls()`] and [`status()`]. Each takes settings, its own options, a flag that ends it
//! between two batches, and a [`Report`] that is told what happens; none of them prints.
//!
//! The parts, in the order in which a run goes through them:
//!
//! 1. [`survey`]: reads, validates and renders all sources, and compares them with the store.
//! 2. [`plan`]: what a run would do to each key, finished before its first write.
//! 3. [`gates`]: what refuses a plan: expectations, memory, disk, rights.
//! 4. [`run`]: an execution that may write: lock, lease, fence, manifest.
//! 5. [`apply`]: carries a plan out, in bounded batches: look, intent, compare-and-set.
//! 6. [`manifest`] and [`history`]: the durable record of a run, and what all of them tell.
//! 7. `notify`: what is done after a run: caches are purged, a program is told.
//! 8. [`shards`]: all about runs that several processes do together.

pub mod apply;
pub(crate) mod articles;
pub(crate) mod check;
pub(crate) mod derive;
pub(crate) mod diff;
pub(crate) mod difference;
pub(crate) mod expired;
pub(crate) mod gates;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod job;
pub mod keys;
pub mod ls;
pub mod manifest;
pub(crate) mod notify;
pub(crate) mod outcome;
pub mod plan;
pub(crate) mod purge;
pub mod reason;
pub(crate) mod rehearse;
pub(crate) mod removals;
pub(crate) mod report;
pub(crate) mod rollback;
pub mod run;
pub(crate) mod seeded;
pub mod shards;
pub(crate) mod similar;
pub mod state;
pub mod status;
pub(crate) mod stored_route;
pub(crate) mod survey;
pub(crate) mod verify;
pub(crate) mod verify_after_failover;
pub(crate) mod warm;
pub(crate) mod work;

pub use check::check;
pub use difference::DifferenceKind;
pub use import::{Import, import};
pub use ls::{Ls, ls};
pub use notify::{Notify, notify};
pub use outcome::Outcome;
pub use purge::{Purge, purge};
pub use rehearse::rehearse;
pub use report::Report;
pub use rollback::{Rollback, rollback};
pub use status::{Status, status};
pub use verify::verify;
pub use warm::{Warm, warm};

use crate::characters::is_hidden;

/// Text that stood in the store, as one line of a message: it must not pass for lines of ours.
#[must_use]
pub fn one_line(text: &str) -> String {
    one_line_within(text, 300)
}

/// The same with at most `longest` characters.
#[must_use]
pub fn one_line_within(text: &str, longest: usize) -> String {
    let line = text
        .split(char::is_whitespace)
        .filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    line.chars()
        .filter(|c| !is_hidden(*c))
        .take(longest)
        .collect()
}
