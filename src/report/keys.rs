//! What becomes of keys, for people: the first ones, a table of counts, and why some were left.

use super::Output;
use crate::duration::show_time;
use crate::publish::manifest::{Counts, Fate};
use crate::publish::reason::Reason;
use crate::words::counted;

/// Most keys that are shown all.
const ALL_KEYS: usize = 50;

/// So many are shown of more keys than that.
const FIRST_KEYS: usize = 20;

/// The first keys of a run, a line each, and how many more there are.
#[derive(Default)]
pub(super) struct KeyList {
    /// Whether every key is printed at once instead.
    pub prints_all: bool,
    first: Vec<String>,
    more: u64,
}

impl KeyList {
    /// Adds a key; its line is only made if it will be shown.
    pub(super) fn add(&mut self, output: &mut Output, line: impl FnOnce() -> String) {
        if self.prints_all {
            output.text(line());
        } else if self.first.len() == ALL_KEYS {
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
        let shown = if self.more > 0 { FIRST_KEYS } else { ALL_KEYS };
        let more = self.more + self.first.len().saturating_sub(shown) as u64;
        for line in self.first.into_iter().take(shown) {
            output.text(line);
        }
        if more > 0 {
            let more = counted(more, "more key");
            output.text(format!("  … and {more}{where_they_are}"));
        }
    }
}

/// A key that was written, when it expires, and why, where the action does not say it.
pub(super) fn written(
    action: &str,
    key: &str,
    (expires_at_ms, reason): (Option<i64>, Option<Reason>),
) -> String {
    let expires = expires_at_ms.map_or(String::new(), |at| format!("  expires {}", show_time(at)));
    let reason = reason.filter(|reason| reason.is_telling());
    let reason = reason.map_or(String::new(), |reason| format!("  ({})", reason.word()));
    format!("  {action:8}{key}{expires}{reason}")
}

/// What a run did to how many keys, how many bytes it wrote, and how long it took.
pub(super) fn table(output: &mut Output, counts: &Counts, seconds: f64) {
    let rows = [
        ("created", counts.created, "key"),
        ("updated", counts.updated, "key"),
        ("refreshed", counts.refreshed, "key"),
        ("kept", counts.kept, "key"),
        ("removed", counts.removed, "key"),
        ("invalid", counts.invalid, "article"),
        ("conflicts", counts.conflicts, "key"),
        ("expired", counts.expired, "key"),
        ("withheld", counts.withheld, "key"),
    ];
    for (name, number, unit) in rows {
        if number > 0 {
            output.text(row(name, number, unit));
        }
    }
    if counts.bytes > 0 {
        output.text(format!("  {:10}{:>12}", "bytes", counts.bytes));
    }
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
