//! What people and machines see of a probe.

use serde_json::{Value, json};

use super::task::Task;
use crate::duration::show as show_duration;
use crate::probe::{
    CHECKS, Check, FILE, GONE, MISSING, Measured, REDIRECT, Target, Verdict, bars, show,
};
use crate::report::{Output, log};
use crate::words::counted;

/// So many routes are named of those that fail in the same check.
const NAMED: usize = 3;

/// The counts of one check.
#[derive(Default)]
struct Row {
    ok: u64,
    failed: u64,
    /// The first few routes that failed, and what was found.
    named: Vec<(String, String)>,
    /// How many routes, and why not the last of them.
    not_offered: (u64, String),
    not_run: u64,
}

/// What came of the checks.
pub(super) struct Report {
    rows: Vec<(Check, Row)>,
    /// Routes that the store holds, and so were compared.
    pub(super) compared: u64,
    /// Routes that it does not hold.
    pub(super) gone: u64,
    /// Files and redirects that it holds.
    pub(super) files: u64,
    pub(super) redirects: u64,
    load_failed: u64,
    load_unsent: u64,
}

impl Default for Report {
    fn default() -> Self {
        let checks = CHECKS.into_iter().chain([FILE, REDIRECT, GONE, MISSING]);
        Self {
            rows: checks.map(|check| (check, Row::default())).collect(),
            compared: 0,
            gone: 0,
            files: 0,
            redirects: 0,
            load_failed: 0,
            load_unsent: 0,
        }
    }
}

pub(super) fn is_failed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed(_))
}

impl Report {
    /// Counts a verdict, and says it to machines.
    pub(super) fn add(
        &mut self,
        output: &mut Output,
        check: &Check,
        route: &str,
        verdict: Verdict,
    ) {
        let (ok, result, found) = match &verdict {
            Verdict::Ok => (Some(true), "ok", None),
            Verdict::Failed(found) => (Some(false), "failed", Some(found)),
            Verdict::NotOffered(why) => (None, "not_offered", Some(why)),
            Verdict::NotRun => (None, "not_run", None),
        };
        output.json(&json!({
            "type": "check", "route": route, "check": check.name, "ok": ok, "result": result,
            "expected": check.expects, "found": found,
        }));
        let known = self
            .rows
            .iter_mut()
            .find(|(known, _)| known.name == check.name);
        let Some((_, row)) = known else { return };
        match verdict {
            Verdict::Ok => row.ok += 1,
            Verdict::Failed(found) => {
                row.failed += 1;
                if row.named.len() < NAMED {
                    row.named.push((route.to_owned(), found));
                }
            }
            Verdict::NotOffered(why) => row.not_offered = (row.not_offered.0 + 1, why),
            Verdict::NotRun => row.not_run += 1,
        }
    }

    /// Whether something was compared, and nothing failed.
    pub(super) fn is_good(&self) -> bool {
        self.failures().is_empty()
    }

    /// What failed, as the last line says it.
    fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        if self.compared == 0 {
            let none = "nothing was compared, for the store holds none of the pages";
            failures.push(none.to_owned());
        }
        let checks = self.count(|row| row.failed);
        if checks > 0 {
            failures.push(format!("{} failed", counted(checks, "check")));
        }
        if self.load_failed > 0 {
            let requests = counted(self.load_failed, "request");
            failures.push(format!("{requests} of the measurement failed"));
        }
        if self.load_unsent > 0 {
            let requests = counted(self.load_unsent, "request");
            failures.push(format!("{requests} of the measurement not sent"));
        }
        failures
    }

    fn count(&self, of: fn(&Row) -> u64) -> u64 {
        self.rows.iter().map(|(_, row)| of(row)).sum()
    }

    /// The table and the failures, for people.
    pub(super) fn show(&self, output: &mut Output, target: &Target, task: &Task) {
        let of = match (&task.run, task.sampled_of) {
            (Some(run), _) => format!(" of run {run}"),
            (None, Some((all, true))) => format!(" of {all} in the store"),
            (None, Some((all, false))) => format!(" of more than {all} in the store"),
            (None, None) => String::new(),
        };
        let mut further = String::new();
        if self.gone > 0 {
            further += &format!(", {} gone from the store", self.gone);
        }
        for (count, name) in [(self.files, "file"), (self.redirects, "redirect")] {
            if count > 0 {
                further += &format!(", {}", counted(count, name));
            }
        }
        output.text(format!(
            "{target} against {}, prefix {}\n{}{of}{further}\n",
            task.address,
            task.prefix,
            counted(task.routes.len() as u64, "route"),
        ));
        output.text(format!(
            "  {:<15}{:>10}{:>9}{:>14}",
            "check", "routes ok", "failed", "not offered"
        ));
        for (check, row) in &self.rows {
            let counts = [
                (GONE, self.gone),
                (FILE, self.files),
                (REDIRECT, self.redirects),
            ];
            if counts
                .iter()
                .any(|(rare, count)| rare.name == check.name && *count == 0)
            {
                continue;
            }
            let failed = row.failed;
            let mark = if failed > 0 { "  <" } else { "" };
            output.text(format!(
                "  {:<15}{:>10}{failed:>9}{:>14}{mark}",
                check.name, row.ok, row.not_offered.0
            ));
        }
        for (check, row) in &self.rows {
            show_failures(output, check, row);
        }
        self.not_checked(output);
    }

    fn not_checked(&self, output: &mut Output) {
        let not_offered: Vec<String> = self
            .rows
            .iter()
            .filter(|(_, row)| row.not_offered.0 > 0)
            .map(|(check, row)| format!("  {:<15}{}", check.name, row.not_offered.1))
            .collect();
        if !not_offered.is_empty() {
            output.text("\nnot offered");
            for line in not_offered {
                output.wrapped(&line, 15);
            }
        }
        let not_run = self.count(|row| row.not_run);
        if not_run > 0 {
            let were = if not_run == 1 { "was" } else { "were" };
            output.text("");
            let count = counted(not_run, "check");
            let why = "for want of an answer that failed another check";
            output.wrapped(&format!("{count} {were} not made, {why}"), 2);
        }
    }

    /// The response times.
    pub(super) fn measured(&mut self, output: &mut Output, measured: &Measured) {
        self.load_failed = measured.failed();
        self.load_unsent = measured.unsent;
        let load = measured.load();
        output.json(&json!({
            "type": "latency", "rate": load.rate, "concurrency": load.concurrency,
            "seconds": load.duration.as_secs_f64(), "due": measured.due,
            "answered": measured.answered, "unsent": measured.unsent,
            "errors": measured.failed(), "error_kinds": measured.errors,
            "achieved_rate": measured.achieved(), "kept_rate": measured.kept_rate(),
            "response_us": percentiles(&measured.response),
            "service_us": percentiles(&measured.service),
        }));
        output.text(format!(
            "\nresponse times: {} requests a second for {}, over {}",
            load.rate,
            show_duration(load.duration.as_millis() as u64),
            counted(load.concurrency.into(), "connection"),
        ));
        let counts = format!(
            "{} due, {} answered, {}, {} not sent; {:.1} answered a second",
            measured.due,
            measured.answered,
            counted(measured.failed(), "error"),
            measured.unsent,
            measured.achieved()
        );
        output.wrapped(&counts, 2);
        output.text("");
        output.text(format!(
            "  {:<15}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "", "median", "90th", "99th", "99.9th", "max"
        ));
        for (name, times) in [
            ("response time", &measured.response),
            ("service time", &measured.service),
        ] {
            let cells = QUANTILES.map(|(_, quantile)| {
                let shown = time_at(times, quantile).map_or_else(|| "-".to_owned(), show);
                format!("{shown:>10}")
            });
            output.text(format!("  {name:<15}{}", cells.concat()));
        }
        let rows = bars(&measured.response, is_utf8());
        if !rows.is_empty() {
            output.text("");
        }
        for row in rows {
            output.text(row);
        }
        output.text("\nresponse time: since it was due; service time: since it was sent");
        for (what, count) in &measured.errors {
            output.wrapped(
                &format!("failed: {}: {what}", counted(*count, "request")),
                2,
            );
        }
        if measured.unsent > 0 {
            let why = "the time was over; they count with how long they had waited";
            let line = format!("not sent: {}: {why}", counted(measured.unsent, "request"));
            output.wrapped(&line, 2);
        }
        if !measured.kept_rate() {
            log::warning(format!(
                "the front did not keep the rate: {} requests a second were due, {:.1} answered",
                load.rate,
                measured.achieved()
            ));
        }
    }

    /// The last line.
    pub(super) fn summary(&self, output: &mut Output, target: &Target, task: &Task) {
        output.json(&json!({
            "type": "summary", "command": "probe", "url": target.to_string(),
            "store": task.address.to_string(), "prefix": task.prefix, "run": task.run,
            "routes": task.routes.len(), "gone": self.gone,
            "files": self.files, "redirects": self.redirects,
            "ok": self.count(|row| row.ok), "failed": self.count(|row| row.failed),
            "not_offered": self.count(|row| row.not_offered.0),
            "not_run": self.count(|row| row.not_run),
            "load_errors": self.load_failed, "load_unsent": self.load_unsent,
        }));
        let failures = self.failures();
        output.text("");
        if failures.is_empty() {
            output.text("no check failed");
        } else {
            output.wrapped(&failures.join("; "), 2);
        }
    }
}

/// The routes that failed in one check: the first few, and how many more.
fn show_failures(output: &mut Output, check: &Check, row: &Row) {
    if row.failed == 0 {
        return;
    }
    output.text("");
    let expected = format!("failed: {}: expected {}", check.name, check.expects);
    output.wrapped(&expected, 2);
    for (route, found) in &row.named {
        output.wrapped(&format!("  {route}: found {found}"), 2);
    }
    let more = row.failed - row.named.len() as u64;
    if more > 0 {
        output.text(format!("  … and {}", counted(more, "more route")));
    }
}

const QUANTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p999", 0.999),
    ("max", 1.0),
];

/// In µs; none where there are no times.
fn time_at(times: &hdrhistogram::Histogram<u64>, quantile: f64) -> Option<u64> {
    (!times.is_empty()).then(|| times.value_at_quantile(quantile))
}

fn percentiles(times: &hdrhistogram::Histogram<u64>) -> Value {
    let all = QUANTILES.map(|(name, quantile)| (name.to_owned(), time_at(times, quantile).into()));
    Value::Object(all.into_iter().collect())
}

/// Whether the locale says that bars may be drawn with more than ASCII.
fn is_utf8() -> bool {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = named
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
