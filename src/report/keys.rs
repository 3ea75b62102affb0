//! What becomes of keys, for people: the first ones, a table of counts, and why some were left.

use super::Output;
use crate::duration::show_time;
use crate::publish::manifest::{Counts, Fate};
use crate::words::counted;

/// So many keys are shown on a terminal.
const FIRST_KEYS: usize = 10;

/// The first keys of a run, a line each, and how many more there are.
#[derive(Default)]
pub(super) struct KeyList {
    first: Vec<String>,
    more: u64,
}

impl KeyList {
    /// Adds a key; its line is only made if it will be shown.
    pub(super) fn add(&mut self, line: impl FnOnce() -> String) {
        if self.first.len() == FIRST_KEYS {
            self.more += 1;
        } else {
            self.first.push(line());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Prints the lines, then how many more keys there are and `where_they_are`.
    pub(super) fn print(self, output: &mut Output, where_they_are: &str) {
        for line in self.first {
            output.text(line);
        }
        if self.more > 0 {
            let more = counted(self.more, "more key");
            output.text(format!("  … and {more}{where_they_are}"));
        }
    }
}

/// A key that was written, and when it expires.
pub(super) fn written(action: &str, key: &str, expires_at_ms: Option<i64>) -> String {
    let expires = expires_at_ms.map_or(String::new(), |at| format!("  expires {}", show_time(at)));
    format!("  {action:8}{key}{expires}")
}

/// What a run did to how many keys, how many bytes it wrote, and how long it took.
pub(super) fn table(output: &mut Output, counts: &Counts, seconds: f64) {
    let rows = [
        ("created", counts.created, "key", true),
        ("updated", counts.updated, "key", true),
        ("refreshed", counts.refreshed, "key", true),
        ("kept", counts.kept, "key", true),
        ("removed", counts.removed, "key", true),
        ("invalid", counts.invalid, "article", true),
        ("conflicts", counts.conflicts, "key", counts.conflicts > 0),
        ("expired", counts.expired, "key", counts.expired > 0),
        ("withheld", counts.withheld, "key", counts.withheld > 0),
    ];
    for (name, number, unit, is_shown) in rows {
        if is_shown {
            output.text(row(name, number, unit));
        }
    }
    output.text(format!("  {:10}{:>12}", "bytes", counts.bytes));
    output.text(format!("  {:10}{seconds:>12.2} s", "time"));
}

/// A row of a table of counts: `  updated              2 keys`.
pub(crate) fn row(label: &str, number: u64, unit: &str) -> String {
    let unit = counted(number, unit);
    let unit = unit.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("  {label:10}{number:>12}{unit}")
}

/// Why a key was not written.
pub(crate) fn why_left(fate: Fate) -> &'static str {
    match fate {
        Fate::Written => "it was written",
        Fate::Conflict => {
            "another client changed it, or anp could not put it back (above 64 MiB, or +hpexpiretime \
             missing): kept as it is"
        }
        Fate::Expired => "its expiry has passed: not written",
        Fate::Withheld => "skipped, because its page was skipped",
        Fate::Already => "already in the wanted state",
    }
}
