//! The last run of each command as a Prometheus text file, for the textfile collector of
//! node_exporter.
//!
//! The format is version 0.0.4 of
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What the file tells of one run.
#[derive(Clone, Copy, Debug)]
pub struct LastRun<'a> {
    /// `import` or `rollback`.
    pub command: &'a str,
    /// The prefix of the keys it wrote.
    pub prefix: &'a str,
    /// When it ended, ms since 1970.
    pub ended_at_ms: i64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The code it exited with.
    pub exit: u8,
    /// Whether that is a success.
    pub succeeded: bool,
    /// Keys by what was done to them.
    pub keys: &'a [(&'a str, u64)],
    /// Articles that were invalid.
    pub invalid: u64,
    /// Keys that somebody else had changed.
    pub conflicts: u64,
    /// Bytes of the values that were written.
    pub bytes: u64,
}

const SUCCESS: &str = "anp_last_success_timestamp_seconds";

impl LastRun<'_> {
    /// The new text of a file that holds `old`. What it tells of other commands and prefixes
    /// stays, and the time of the last success where this run is none; what is not of these
    /// metrics goes.
    #[must_use]
    pub fn exposition(&self, old: &str) -> String {
        let own = labels(self.command, self.prefix);
        let ended = seconds(self.ended_at_ms);
        let success = if self.succeeded {
            ended.clone()
        } else {
            let series = format!("{SUCCESS}{{{own}}}");
            let before = samples(old, SUCCESS).remove(series.as_str());
            before.unwrap_or("0").to_owned()
        };
        let keys = self.keys.iter();
        let keys = keys.map(|(action, count)| (format!(",action=\"{action}\""), count.to_string()));
        let one = |value: String| vec![(String::new(), value)];
        let families = [
            (
                SUCCESS,
                "When a run last ended with exit code 0 or 3, 0 if none did.",
                one(success),
            ),
            (
                "anp_last_run_timestamp_seconds",
                "When the last run ended.",
                one(ended),
            ),
            (
                "anp_last_run_exit_code",
                "The code the last run exited with.",
                one(self.exit.to_string()),
            ),
            (
                "anp_last_run_duration_seconds",
                "How long the last run took.",
                one(format!("{:.3}", self.seconds)),
            ),
            (
                "anp_last_run_keys",
                "Keys of the last run by what was done to them.",
                keys.collect(),
            ),
            (
                "anp_last_run_invalid_articles",
                "Articles that the last run found invalid.",
                one(self.invalid.to_string()),
            ),
            (
                "anp_last_run_conflicts",
                "Keys that the last run left because somebody else had changed them.",
                one(self.conflicts.to_string()),
            ),
            (
                "anp_last_run_written_bytes",
                "Bytes of the values that the last run wrote.",
                one(self.bytes.to_string()),
            ),
        ];
        let mut out = String::new();
        for (name, help, values) in families {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (series, value) in samples(old, name) {
                if !series[name.len() + 1..].starts_with(&own) {
                    let _ = writeln!(out, "{series} {value}");
                }
            }
            for (more, value) in values {
                let _ = writeln!(out, "{name}{{{own}{more}}} {value}");
            }
        }
        out
    }
}

fn labels(command: &str, prefix: &str) -> String {
    let prefix = prefix
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("command=\"{command}\",prefix=\"{prefix}\"")
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}

/// The samples of the metric `name` in `text`, each series once: series → value.
fn samples<'t>(text: &'t str, name: &str) -> BTreeMap<&'t str, &'t str> {
    let is_ours = |line: &&str| line.strip_prefix(name).is_some_and(is_labels_and_value);
    let lines = text.lines().filter(is_ours);
    lines.filter_map(|line| line.rsplit_once(' ')).collect()
}

/// Whether it is `{command="…",prefix="…"} 1`, perhaps with an action, as this writes it.
fn is_labels_and_value(text: &str) -> bool {
    let label = |text: &mut &str, name: &str| {
        let value = text.strip_prefix(name)?.strip_prefix("=\"")?;
        let (value, rest) = value.split_once('"')?;
        *text = rest;
        (!value.contains('\\') && !value.contains(char::is_control)).then_some(())
    };
    let read = |mut text: &str| {
        label(&mut text, "{command")?;
        label(&mut text, ",prefix")?;
        if text.starts_with(',') {
            label(&mut text, ",action")?;
        }
        let value: f64 = text.strip_prefix("} ")?.parse().ok()?;
        value.is_finite().then_some(())
    };
    read(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: LastRun<'_> = LastRun {
        command: "import",
        prefix: "anp",
        ended_at_ms: 1_795_503_615_005,
        seconds: 1.5,
        exit: 0,
        succeeded: true,
        keys: &[("created", 3), ("kept", 4)],
        invalid: 1,
        conflicts: 2,
        bytes: 345,
    };

    /// The lines that are no comments.
    fn told(text: &str) -> Vec<&str> {
        text.lines().filter(|line| !line.starts_with('#')).collect()
    }

    #[test]
    fn a_run_is_told_with_help_and_type() {
        let text = RUN.exposition("");
        assert!(text.starts_with(
            "# HELP anp_last_success_timestamp_seconds When a run last ended with exit code 0 or \
             3, 0 if none did.\n\
             # TYPE anp_last_success_timestamp_seconds gauge\n\
             anp_last_success_timestamp_seconds{command=\"import\",prefix=\"anp\"} \
             1795503615.005\n"
        ));
        let shown: Vec<String> = told(&text)
            .iter()
            .map(|line| line.replace("command=\"import\",prefix=\"anp\"", "…"))
            .collect();
        assert_eq!(
            shown[1..],
            [
                "anp_last_run_timestamp_seconds{…} 1795503615.005",
                "anp_last_run_exit_code{…} 0",
                "anp_last_run_duration_seconds{…} 1.500",
                "anp_last_run_keys{…,action=\"created\"} 3",
                "anp_last_run_keys{…,action=\"kept\"} 4",
                "anp_last_run_invalid_articles{…} 1",
                "anp_last_run_conflicts{…} 2",
                "anp_last_run_written_bytes{…} 345",
            ]
        );
    }

    #[test]
    fn a_failure_keeps_the_time_of_the_last_success_and_a_success_sets_it() {
        let failed = LastRun {
            ended_at_ms: 1_795_600_000_000,
            exit: 69,
            succeeded: false,
            ..RUN
        };
        let success = |text: &str| told(text)[0].rsplit_once(' ').unwrap().1.to_owned();
        assert_eq!(success(&failed.exposition("")), "0");
        let after = failed.exposition(&RUN.exposition(""));
        assert_eq!(success(&after), "1795503615.005");
        assert_eq!(success(&failed.exposition(&after)), "1795503615.005");
        let again = LastRun {
            ended_at_ms: 1_795_700_000_000,
            ..RUN
        };
        assert_eq!(success(&again.exposition(&after)), "1795700000.000");
    }

    #[test]
    fn other_commands_and_prefixes_stay_each_series_once() {
        let rollback = LastRun {
            command: "rollback",
            keys: &[("removed", 7)],
            ..RUN
        };
        // A prefix that begins with the other.
        let load = LastRun {
            prefix: "anp2",
            ..RUN
        };
        let text = rollback.exposition(&load.exposition(&RUN.exposition("")));
        let again = RUN.exposition(&text);
        let sorted = |text: &str| {
            let mut lines: Vec<String> = told(text).iter().map(ToString::to_string).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&again), sorted(&text));
        assert_eq!(sorted(&again).len(), 9 + 9 + 8);
        let mut series = sorted(&again);
        series.dedup_by_key(|line| line.rsplit_once(' ').unwrap().0.to_owned());
        assert_eq!(series.len(), 26);
        // Each family in one piece, with one head.
        assert_eq!(again.matches("# TYPE").count(), 8);
    }

    #[test]
    fn what_is_not_of_these_metrics_goes() {
        let foreign = "\
up 1
anp_last_run_exit_code 5
anp_last_run_exit_code{prefix=\"a\",command=\"b\"} 5
anp_last_run_exit_code{command=\"a\",prefix=\"b\"} five
anp_last_run_exit_code{command=\"a\",prefix=\"b\"} 5 1795503615005
anp_last_run_exit_code{command=\"a\",prefix=\"b\\\"} 5
anp_last_run_exit_code{command=\"a\",prefix=\"b\",action=\"c\",more=\"d\"} 5
anp_last_run_exit_code{command=\"a\",prefix=\"b\"} NaN
\u{0}\u{1}{{{{\"\"\"\"
";
        assert_eq!(RUN.exposition(foreign), RUN.exposition(""));
    }

    #[test]
    fn a_prefix_from_a_file_cannot_break_the_format() {
        let odd = LastRun {
            prefix: "a\"} 1\nb\\",
            ..RUN
        };
        let text = odd.exposition("");
        assert_eq!(text.lines().count(), 8 * 2 + 9, "{text}");
        assert!(text.contains(r#"prefix="a\"} 1\nb\\"} 0"#), "{text}");
    }
}
