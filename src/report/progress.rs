//! Bars on stderr, while there is somebody to look at them.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::json;

use super::{log, to_ms};
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
        StageBar {
            bar: match self.shown {
                true => drawn(name, unit, total),
                false => ProgressBar::hidden(),
            },
            name,
            unit,
            steps: AtomicU64::new(0),
            started: Instant::now(),
        }
    }
}

/// `  survey ━━━━━━━  6,400/20,000 articles  9.1k/s  1s left`. On a narrow terminal the bar shrinks,
/// and what does not fit is cut at the right.
fn drawn(name: &'static str, unit: &'static str, total: u64) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(total), target).with_prefix(name);
    let template = format!("{{prefix}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit} {{pace}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        let style = style.with_key(
            "pace",
            |state: &ProgressState, text: &mut dyn std::fmt::Write| {
                let _ = text.write_str(&pace(state.per_sec(), state.eta()));
            },
        );
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// Rate and time left, once there is something to tell them by.
fn pace(per_second: f64, left: Duration) -> String {
    let mut text = String::new();
    if per_second >= 0.5 && per_second.is_finite() {
        let (value, unit) = match per_second {
            rate if rate < 999.5 => (rate, ""),
            rate if rate < 999_500.0 => (rate / 1e3, "k"),
            rate => (rate / 1e6, "M"),
        };
        let decimals = usize::from(!unit.is_empty() && value < 99.95);
        let _ = write!(text, "{value:.decimals$}{unit}/s {} left", shown(left));
    }
    text
}

/// `8s`, `2m05s` or `1h04m`.
fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// The bar of one stage, which goes with it.
pub struct StageBar {
    bar: ProgressBar,
    name: &'static str,
    unit: &'static str,
    steps: AtomicU64,
    started: Instant,
}

impl Bar for StageBar {
    fn advance(&self, steps: u64) {
        self.steps.fetch_add(steps, Ordering::Relaxed);
        self.bar.inc(steps);
    }
}

impl Drop for StageBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        let seconds = self.started.elapsed().as_secs_f64();
        let Self { name, unit, .. } = self;
        let steps = self.steps.load(Ordering::Relaxed);
        log::detail(
            &format!("stage {name}: {steps} {unit} in {seconds:.2} s"),
            json!({ "stage": name, "unit": unit, "steps": steps, "seconds": to_ms(seconds) }),
        );
    }
}
