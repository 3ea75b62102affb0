//! The last run of a command as a Prometheus text file, for the textfile collector of
//! node_exporter.
//!
//! The format is version 0.0.4 of
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;

/// What the file tells of one run.
#[derive(Clone, Copy, Debug)]
pub struct LastRun<'a> {
    /// `import`, `warm`, `purge` or `rollback`.
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
    /// The name of the file of this command and prefix. No two of them share one.
    pub(super) fn file_name(&self) -> String {
        format!("{}_{}.prom", self.prefix, self.command)
    }

    /// The new text of a file that holds `old`. A run without success keeps the time of the last
    /// success from there.
    #[must_use]
    pub fn exposition(&self, old: &str) -> String {
        let own = labels(self.command, self.prefix);
        let ended = seconds(self.ended_at_ms);
        let success = if self.succeeded {
            &ended
        } else {
            last_success(old, &own).unwrap_or("0")
        };
        let keys = self.keys.iter();
        let keys = keys.map(|(action, count)| (format!(",action=\"{action}\""), count.to_string()));
        let one = |value: String| vec![(String::new(), value)];
        let families = [
            (
                SUCCESS,
                "When a run last ended with exit code 0 or 3, 0 if none did.",
                one(success.to_owned()),
            ),
            (
                "anp_last_run_timestamp_seconds",
                "When the last run ended.",
                one(ended.clone()),
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

/// When a run with these labels last succeeded, as an earlier file tells.
fn last_success<'t>(old: &'t str, labels: &str) -> Option<&'t str> {
    let series = format!("{SUCCESS}{{{labels}}} ");
    let mut values = old.lines().filter_map(|line| line.strip_prefix(&series));
    values.find(|value| value.parse().is_ok_and(f64::is_finite))
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
    fn each_command_and_prefix_has_a_file() {
        let name = |command, prefix| {
            let run = LastRun {
                command,
                prefix,
                ..RUN
            };
            run.file_name()
        };
        assert_eq!(name("import", "anp"), "anp_import.prom");
        assert_eq!(name("rollback", "blog:en"), "blog:en_rollback.prom");
    }

    #[test]
    fn only_a_sound_sample_of_the_command_and_prefix_is_a_last_success() {
        let failed = LastRun {
            succeeded: false,
            ..RUN
        };
        let foreign = "\
anp_last_success_timestamp_seconds 5
anp_last_success_timestamp_seconds{command=\"import\",prefix=\"anp2\"} 5
anp_last_success_timestamp_seconds{command=\"warm\",prefix=\"anp\"} 5
anp_last_success_timestamp_seconds{command=\"import\",prefix=\"anp\"} five
anp_last_success_timestamp_seconds{command=\"import\",prefix=\"anp\"} 5 1795503615005
anp_last_success_timestamp_seconds{command=\"import\",prefix=\"anp\"} NaN
\u{0}\u{1}{{{{\"\"\"\"
";
        assert_eq!(failed.exposition(foreign), failed.exposition(""));
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
