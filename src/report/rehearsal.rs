//! What a rehearsal says.

use std::time::Instant;

use serde_json::json;

use super::page::Phases;
use super::{Output, to_ms};
use crate::publish::rehearse::Steps;
use crate::settings::Settings;

/// Prints the steps of a rehearsal.
pub(crate) struct RehearsalSteps {
    pub(crate) output: Output,
    /// Where the time of each step is noted for the page of the rehearsal.
    pub(crate) phases: Option<Phases>,
}

impl Steps for RehearsalSteps {
    fn begin(&mut self, settings: &Settings, scratch: &Settings) {
        self.output.text(format!(
            "rehearsal of import · {}, prefix {} instead of {}",
            settings.address, scratch.prefix, settings.prefix
        ));
        self.output.flush();
    }

    fn step(&mut self, name: &str, started: Instant, result: &str) {
        let took = started.elapsed();
        if let Some(phases) = &self.phases {
            phases.add(name, took);
        }
        let seconds = took.as_secs_f64();
        self.output
            .text(format!("  {name:10}{seconds:>8.2} s  {result}"));
        self.output.json(&json!({
            "type": "step", "step": name, "result": result,
            "seconds": to_ms(seconds),
        }));
        self.output.flush();
    }

    fn end(&mut self, is_as_before: bool, rollback: &str) {
        let text = if is_as_before {
            "all is as before".to_owned()
        } else {
            format!("the store was not fully restored; run the rollback again:\n  {rollback}")
        };
        self.output.text(text);
        self.output.json(&json!({
            "type": "summary", "command": "rehearse", "as_before": is_as_before,
            "rollback": (!is_as_before).then_some(rollback),
        }));
    }
}
