//! What people and machines see of a run.

pub mod diagnostics;
mod output;
mod progress;

pub use output::{Format, Output, note};
pub use progress::Progress;
