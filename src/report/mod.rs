//! What people and machines see of a run.

mod arguments;
mod articles;
pub(crate) mod check;
pub mod colour;
pub(crate) mod diff;
mod diff_text;
pub(crate) mod findings;
pub(crate) mod held;
pub(crate) mod in_force;
mod json;
mod keys;
pub mod log;
mod lost;
pub(crate) mod ls;
pub mod metrics;
pub(crate) mod metrics_file;
mod notifications;
pub(crate) mod one_run;
mod output;
pub(crate) mod page;
mod passed_over;
mod progress;
mod rehearsal;
pub(crate) mod run;
pub(crate) mod runs;
mod sarif;
pub(crate) mod seeded;
pub(crate) mod similar;
pub(crate) mod status;
mod stderr;
pub(crate) mod stored_route;
mod table;
pub(crate) mod unlock;
mod visible;

pub use output::{Format, Output};
pub(crate) use page::RunPage;
pub use progress::Progress;
pub(crate) use rehearsal::RehearsalSteps;
pub(crate) use run::RunReport;
pub(crate) use stderr::Stderr;

/// Seconds to the millisecond, as machine output has them.
pub(crate) fn to_ms(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
