//! For commands that say nothing on stdout while the library works.

use super::{Progress, log};
use crate::publish::report::{Bar, Report};

/// Warnings and notes on stderr, with bars.
pub(crate) struct Stderr(pub(crate) Progress);

impl Report for Stderr {
    fn warning(&mut self, message: &str) {
        log::warning(message);
    }

    fn note(&mut self, message: &str) {
        log::note(message);
    }

    fn say(&mut self, message: &str) {
        log::say(message);
    }

    fn bar(&mut self, stage: &'static str, unit: &'static str, total: u64) -> Box<dyn Bar> {
        Box::new(self.0.bar(stage, unit, total))
    }
}
