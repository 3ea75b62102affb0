//! Bars on stderr, while there is somebody to look at them.

use std::fmt::Write;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
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

/// `survey ======>      6,400/20,000 articles 9.1k/s 1s left`, or with less room
/// `survey ===>     32% 9.1k/s 1s left`.
fn drawn(name: &'static str, unit: &'static str, total: u64) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(total), target).with_prefix(name);
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {done} {pace}");
    if let Ok(style) = style {
        let style = style
            .with_key(
                "done",
                move |state: &ProgressState, text: &mut dyn Write| {
                    let _ = text.write_str(&done(state.pos(), total, unit, columns()));
                },
            )
            .with_key("pace", |state: &ProgressState, text: &mut dyn Write| {
                let _ = text.write_str(&pace(state.per_sec(), state.eta()));
            });
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// How wide the terminal is now.
fn columns() -> u16 {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    let columns = size.map_or(0, |size| size.ws_col);
    if columns == 0 { 80 } else { columns }
}

/// The steps that are done. A line that is wider than the terminal would be left behind each time
/// that the bar is drawn.
fn done(steps: u64, total: u64, unit: &str, columns: u16) -> String {
    if columns < 72 {
        let percent = u128::from(steps) * 100 / u128::from(total.max(1));
        return format!("{percent:>3}%");
    }
    format!("{}/{} {unit}", HumanCount(steps), HumanCount(total))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{done, pace};

    #[test]
    fn the_steps_have_separators_or_on_a_narrow_terminal_a_percentage() {
        assert_eq!(done(6400, 20_000, "articles", 80), "6,400/20,000 articles");
        assert_eq!(done(6400, 20_000, "articles", 40), " 32%");
        assert_eq!(done(0, 0, "keys", 40), "  0%");
    }

    #[test]
    fn rates_have_three_digits_and_times_two_units() {
        for (rate, seconds, shown) in [
            (0.0, 0, ""),
            (f64::INFINITY, 0, ""),
            (7.4, 8, "7/s 8s left"),
            (999.4, 59, "999/s 59s left"),
            (999.6, 60, "1.0k/s 1m00s left"),
            (9_140.0, 125, "9.1k/s 2m05s left"),
            (99_960.0, 3_600, "100k/s 1h00m left"),
            (2_500_000.0, 7_500, "2.5M/s 2h05m left"),
        ] {
            assert_eq!(pace(rate, Duration::from_secs(seconds)), shown);
        }
    }
}
