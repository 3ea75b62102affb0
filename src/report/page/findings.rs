//! The findings of a run by code, with examples.

use serde::Serialize;

use super::chart::grouped;
use crate::diagnostic::draw;
use crate::publish::survey::surveyor::Survey;

/// So many findings of each code are drawn.
pub(super) const EXAMPLES: usize = 3;

/// So many codes are shown.
const MOST_CODES: usize = 50;

/// What was found of one code.
#[derive(Debug, Serialize)]
pub(super) struct FindingGroup {
    pub severity: &'static str,
    pub code: String,
    pub findings: String,
    pub files: String,
    pub examples: Vec<String>,
}

/// The findings of a survey, errors first.
pub(super) fn groups(survey: &Survey) -> Vec<FindingGroup> {
    let codes = survey.codes.iter().take(MOST_CODES);
    codes
        .map(|count| {
            let of_code = survey
                .diagnostics
                .iter()
                .filter(|found| found.severity == count.severity && found.code == count.code);
            let examples = of_code.take(EXAMPLES);
            FindingGroup {
                severity: count.severity.word(),
                code: count.code.clone(),
                findings: grouped(count.findings),
                files: grouped(count.files),
                examples: examples.map(|found| draw::render(found, false)).collect(),
            }
        })
        .collect()
}
