//! Bars on stderr, while there is somebody to look at them.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::log;

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
    pub fn bar(&self, name: &'static str, unit: &'static str, total: u64) -> ProgressBar {
        if !self.shown {
            return ProgressBar::hidden();
        }
        let template =
            format!("{{prefix:>8}} [{{bar:30}}] {{pos}}/{{len}} {unit}  {{per_sec}}  {{eta}} left");
        let bar =
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10))
                .with_prefix(name);
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar
    }
}
