//! What people and machines see of a run.

pub mod diagnostics;
mod json;
pub mod log;
pub mod metrics;
mod output;
mod progress;

pub use output::{Format, Output};
pub use progress::Progress;
