//! Bars on stderr, while there is somebody to look at them.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::log;
use crate::publish::report::Bar;

/// Makes the bars of a command.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    shown: bool,
}

impl Progress {
    /// Shown if stderr is a terminal for people, and nobody asked for quiet.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self {
            shown: !quiet && !log::is_json() && std::io::stderr().is_terminal(),
        }
    }

    /// A bar of `total` steps with rate and time left.
    #[must_use]
    pub fn bar(&self, name: &'static str, unit: &'static str, total: u64) -> StageBar {
        if !self.shown {
            return StageBar(ProgressBar::hidden());
        }
        let template =
            format!("{{prefix:>8}} [{{bar:30}}] {{pos}}/{{len}} {unit}  {{per_sec}}  {{eta}} left");
        let bar =
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10))
                .with_prefix(name);
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        StageBar(bar)
    }
}

/// The bar of one stage, which goes with it.
pub struct StageBar(ProgressBar);

impl Bar for StageBar {
    fn advance(&self, steps: u64) {
        self.0.inc(steps);
    }
}

impl Drop for StageBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
