//! What people and machines read of the findings of a survey.

use serde_json::{Value, json};

use super::log::Level;
use super::{Output, log, passed_over};
use crate::diagnostic::{Severity, draw};
use crate::publish::survey::findings::{Beyond, MAX_FINDINGS};
use crate::publish::survey::surveyor::Survey;
use crate::words::counted;

/// Where people read what [`report`] says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prose {
    /// On stdout: it is the result of the command.
    Stdout,
    /// On stderr, beside the result.
    Stderr,
}

/// Reports every finding: for people, and to `output` as JSON lines.
pub(crate) fn report(survey: &Survey, output: &mut Output, prose: Prose) {
    let tell = |output: &mut Output, level, text: &str, fields: &Value| match prose {
        Prose::Stdout => output.text(text),
        Prose::Stderr => log::entry(level, text, fields),
    };
    for diagnostic in &survey.diagnostics {
        let drawn = draw::render(diagnostic, false);
        let level = match diagnostic.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        };
        let fields = draw::json(diagnostic);
        tell(output, level, &format!("{}\n", drawn.trim_end()), &fields);
        output.json(&fields);
    }
    if survey.beyond.all() > 0 {
        let Beyond { errors, warnings } = survey.beyond;
        let text = format!(
            "{} not shown ({} and {}): a run shows {MAX_FINDINGS} findings, errors first",
            counted(survey.beyond.all(), "further finding"),
            counted(errors, "error"),
            counted(warnings, "warning"),
        );
        let fields =
            json!({ "type": "findings_not_shown", "errors": errors, "warnings": warnings });
        output.json(&fields);
        let fields = json!({ "message": text, "errors": errors, "warnings": warnings });
        tell(output, Level::Warning, &format!("warning: {text}"), &fields);
    }
    for (reason, passed) in survey.passed_over.iter() {
        let text = passed_over::text(reason, passed);
        let fields = passed_over::json(reason, passed);
        output.json(&fields);
        let mut fields = fields;
        fields["message"] = text.clone().into();
        tell(output, Level::Note, &format!("note: {text}"), &fields);
    }
    for line in survey.unknown.lines() {
        let mut fields = json!({
            "type": "unknown_field", "field": line.name, "files": line.files,
            "suggestion": line.suggestion,
        });
        output.json(&fields);
        fields["message"] = line.to_string().into();
        tell(output, Level::Warning, &format!("warning: {line}"), &fields);
    }
    if survey.unknown.more {
        let text = "there are more unknown fields than are named here";
        output.json(&json!({ "type": "unknown_fields_not_shown" }));
        let fields = json!({ "message": text });
        tell(output, Level::Warning, &format!("warning: {text}"), &fields);
    }
    if survey.cleaned.any() {
        let cleaned = survey.cleaned.to_string();
        let text = format!("note: {cleaned}");
        tell(output, Level::Note, &text, &json!({ "message": cleaned }));
    }
}
