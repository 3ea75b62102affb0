//! A check: the survey alone, which needs no store.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::gates::invalid;
use super::report::Report;
use super::survey::content::{Corpus, SurveyPurpose, SurveyScope, renderer, survey};
use super::survey::surveyor::Survey;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::source::Caching;

/// Reads, validates and renders every article of the content tree. What is wrong with them is in
/// the survey; [`refuse`] says whether an import would be refused over it. Of all findings, the survey
/// has only those of `code`, if it is given; it counts all.
///
/// # Errors
/// When the content tree cannot be read, or `interrupted` is set.
pub fn check(
    settings: &Settings,
    code: Option<&str>,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
) -> Result<Survey, Failure> {
    let renderer = renderer(settings)?;
    let purpose = SurveyPurpose {
        lengths: false,
        store: None,
        spool_in: None,
        interrupted,
        time_limit: None,
        wanted: SurveyScope::all(),
        code,
        run: "check",
        // There is no server whose clock would count.
        started_at: jiff::Timestamp::now().as_millisecond(),
        // It renders every article, and so reads every file.
        cache: Caching::Off,
    };
    let corpus = Corpus::find(
        settings,
        &purpose.wanted,
        interrupted,
        None,
        purpose.cache,
        report,
    )?;
    let (survey, _) = survey(settings, &renderer, purpose, &corpus, report)?;
    Ok(survey)
}

/// Refuses a survey as an import would: no article at all, or more invalid ones than the settings
/// allow.
///
/// # Errors
/// 65, with what was expected.
pub fn refuse(settings: &Settings, survey: &Survey) -> Result<(), Failure> {
    invalid::refuse(settings, survey)
}
