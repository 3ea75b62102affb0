//! What people and machines read of the findings of a survey.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::log::Level;
use super::output::Format;
use super::{Output, colour, log, passed_over, sarif};
use crate::diagnostic::{Diagnostic, Severity, draw};
use crate::publish::survey::findings::{CodeCount, MAX_FINDINGS, is_of};
use crate::publish::survey::surveyor::Survey;
use crate::words::{counted, with};

/// Findings of each code that people see in full; the others are counted.
pub(crate) const SHOWN: usize = 3;

/// Files with an error that a quiet command names.
const QUIET_FILES: usize = 50;

/// Where people read what [`report`] says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prose {
    /// On stdout: it is the result of the command.
    Stdout,
    /// On stderr, beside the result.
    Stderr,
}

/// How findings are shown.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub format: Format,
    pub prose: Prose,
    /// Only findings of this code are shown, each of them in full.
    pub code: Option<&'a str>,
    /// People get only the lines of a format that they asked for.
    pub is_quiet: bool,
    /// The command that checks the same sources.
    pub check: &'a str,
}

impl<'a> Look<'a> {
    /// That of a command with a result of its own on stdout.
    pub(crate) fn beside_result(format: Format, is_quiet: bool, check: &'a str) -> Self {
        Self {
            format,
            prose: Prose::Stderr,
            code: None,
            is_quiet,
            check,
        }
    }

    fn tell(&self, output: &mut Output, level: Level, text: &str, fields: &Value) {
        let is_json = self.prose == Prose::Stderr && log::is_json();
        if self.is_quiet && !is_json {
            return;
        }
        self.print(output, level, text, fields);
    }

    /// Prints a finding with the line of its file.
    fn draw(&self, output: &mut Output, found: &Diagnostic) {
        match self.prose {
            _ if self.is_quiet => {}
            Prose::Stdout => output.drawn(&draw::render(found, colour::on_stdout())),
            Prose::Stderr => log::drawn(&draw::render(found, colour::on_stderr())),
        }
    }

    fn print(&self, output: &mut Output, level: Level, text: &str, fields: &Value) {
        match self.prose {
            Prose::Stdout => output.text(text),
            Prose::Stderr => log::entry(level, text, fields),
        }
    }

    fn is_meant(&self, count: &CodeCount) -> bool {
        self.code.is_none_or(|code| is_of(&count.code, code))
    }
}

/// Reports every finding: for people, and to `output` as JSON lines.
pub(crate) fn report(survey: &Survey, output: &mut Output, look: Look<'_>) {
    for found in &survey.diagnostics {
        output.json(&draw::json(found));
    }
    for count in &survey.codes {
        output.json(&json!({
            "type": "code", "severity": count.severity.word(), "code": count.code,
            "findings": count.findings, "files": count.files,
        }));
    }
    match look.format {
        _ if look.prose == Prose::Stderr && log::is_json() => {
            for found in &survey.diagnostics {
                log::entry(level(found.severity), "", &draw::json(found));
            }
        }
        Format::Json if look.prose == Prose::Stdout => {}
        Format::Concise => each(survey, output, look, draw::line),
        Format::Github => each(survey, output, look, draw::github),
        Format::Sarif => output.raw(sarif::document(&survey.diagnostics).as_bytes()),
        Format::Text | Format::Json => grouped(survey, output, look),
    }
    report_unshown(survey, output, look);
    for (reason, passed) in survey.passed_over.iter() {
        let text = passed_over::text(reason, passed);
        let mut fields = passed_over::json(reason, passed);
        output.json(&fields);
        fields["message"] = text.clone().into();
        look.tell(output, Level::Note, &format!("note: {text}"), &fields);
    }
    if survey.cleaned.any() {
        let cleaned = survey.cleaned.to_string();
        let text = format!("note: {cleaned}");
        look.tell(output, Level::Note, &text, &json!({ "message": cleaned }));
    }
}

fn level(severity: Severity) -> Level {
    match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
    }
}

/// One line for each finding, by path.
fn each(survey: &Survey, output: &mut Output, look: Look<'_>, line: fn(&Diagnostic) -> String) {
    for found in &survey.diagnostics {
        look.print(output, level(found.severity), &line(found), &Value::Null);
    }
}

/// The findings by code, errors first: the first of each code in full, then how many more there are;
/// last a table of the codes, if there are several.
fn grouped(survey: &Survey, output: &mut Output, look: Look<'_>) {
    let most = if look.code.is_some() {
        usize::MAX
    } else {
        SHOWN
    };
    for count in survey.codes.iter().filter(|count| look.is_meant(count)) {
        let is_one =
            |found: &&Diagnostic| found.severity == count.severity && found.code == count.code;
        let shown = survey.diagnostics.iter().filter(is_one).take(most);
        let (mut findings, mut files) = (0, HashSet::new());
        for found in shown {
            findings += 1;
            files.insert(&found.path);
            look.draw(output, found);
        }
        let more = count.findings - findings;
        if more > 0 && look.code.is_none() {
            let text = format!(
                "… and {more} more {} ({} in all); to list them: {} --code {}\n",
                with(more, "like this", "like these"),
                counted(count.files, "file"),
                look.check,
                count.code
            );
            look.tell(output, level(count.severity), &text, &Value::Null);
        }
    }
    if look.code.is_none() && survey.codes.len() > 1 {
        let text = table(&survey.codes);
        look.tell(output, Level::Warning, &text, &Value::Null);
    }
}

/// How many findings there are of each code, and in how many files.
fn table(codes: &[CodeCount]) -> String {
    let longest = codes.iter().map(|count| count.code.chars().count()).max();
    let width = longest.unwrap_or_default().max(4);
    let mut text = format!("         {:width$}  findings     files\n", "code");
    for count in codes {
        let severity = count.severity.word();
        let CodeCount {
            code,
            findings,
            files,
            ..
        } = count;
        text += &format!("{severity:7}  {code:width$}  {findings:>8}  {files:>8}\n");
    }
    text
}

/// Says how many findings the survey counted and does not have.
fn report_unshown(survey: &Survey, output: &mut Output, look: Look<'_>) {
    let unshown = |severity| {
        let all = survey
            .codes
            .iter()
            .filter(|count| count.severity == severity && look.is_meant(count));
        let held = survey
            .diagnostics
            .iter()
            .filter(|found| found.severity == severity);
        let all: u64 = all.map(|count| count.findings).sum();
        all.saturating_sub(held.count() as u64)
    };
    let (errors, warnings) = (unshown(Severity::Error), unshown(Severity::Warning));
    if errors + warnings == 0 {
        return;
    }
    let mut fields =
        json!({ "type": "findings_not_shown", "errors": errors, "warnings": warnings });
    output.json(&fields);
    let is_grouped = matches!(look.format, Format::Text | Format::Json) && look.code.is_none();
    if is_grouped && !log::is_json() {
        // Each group says how many more there are.
        return;
    }
    let text = format!(
        "{} not listed ({} and {}): a run lists {MAX_FINDINGS} findings, errors first",
        counted(errors + warnings, "further finding"),
        counted(errors, "error"),
        counted(warnings, "warning"),
    );
    fields["message"] = text.clone().into();
    look.tell(output, Level::Warning, &format!("warning: {text}"), &fields);
}

/// The files that could not be used, a line each with their first error, for a quiet command.
pub(crate) fn bad_files(survey: &Survey, check: &str) -> Vec<String> {
    let mut last = None;
    let errors = survey
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let first = errors.filter(|found| last.replace(&found.path) != Some(&found.path));
    let mut lines: Vec<String> = first.take(QUIET_FILES).map(draw::line).collect();
    let all = survey.unusable();
    let more = all.saturating_sub(lines.len() as u64);
    if more > 0 && !lines.is_empty() {
        lines.push(format!("… and {}: {check}", counted(more, "more file")));
    }
    lines
}

/// Says that no finding has `code`, and which codes there are.
pub(crate) fn warn_of_unknown_code(survey: &Survey, code: &str, output: &mut Output) {
    if survey.codes.iter().any(|count| is_of(&count.code, code)) {
        return;
    }
    let codes: Vec<&str> = survey
        .codes
        .iter()
        .map(|count| count.code.as_str())
        .collect();
    let codes = if codes.is_empty() {
        "no findings".to_owned()
    } else {
        codes.join(", ")
    };
    output.text(format!("no finding has the code '{code}' (found: {codes})"));
}
