//! Refuses content without an article, or with too many invalid ones.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::survey::surveyor::Survey;
use crate::settings::Settings;
use crate::words::{counted, with};

/// Refuses what [`report`] has shown: no article at all, or more invalid ones than the
/// settings allow. "Green, but nothing imported" cannot happen.
pub(crate) fn refuse(settings: &Settings, survey: &Survey) -> Result<(), Failure> {
    refuse_nothing(settings, survey)?;
    refuse_invalid(settings, survey)
}

pub(crate) fn refuse_nothing(settings: &Settings, survey: &Survey) -> Result<(), Failure> {
    let refused = |what: String| {
        Err(Failure::new(Exit::Refused, what)
            .note("expected", "at least one article")
            .note("retry", "safe once there is one; nothing was written"))
    };
    if survey.sources == 0 {
        let unreadable = match survey.unreadable {
            0 => String::new(),
            1 => " (1 file or folder cannot be read)".to_owned(),
            some => format!(" ({some} files or folders cannot be read)"),
        };
        let root = settings.sources_shown();
        return refused(format!("no article found in {root}{unreadable}"));
    }
    let root = settings.sources();
    let root = root.display();
    let held = survey.held_back.counts;
    if held.all() == survey.sources {
        let are_drafts = held.drafts == survey.sources;
        let what = match survey.sources {
            1 if are_drafts => format!("the only article in {root} is a draft"),
            some if are_drafts => format!("all {some} articles in {root} are drafts"),
            some => {
                let articles = counted(some, "article");
                format!("no article in {root} is published now: {articles} held back ({held})")
            }
        };
        return refused(what);
    }
    Ok(())
}

/// All articles but those that are held back, and the files that cannot be read.
pub(crate) fn judged_articles(survey: &Survey) -> u64 {
    survey.sources - survey.held_back.counts.all() + survey.unreadable
}

pub(crate) fn refuse_invalid(settings: &Settings, survey: &Survey) -> Result<(), Failure> {
    let invalid = survey.unusable();
    let all = judged_articles(survey);
    let limit = settings.max_invalid;
    let is_exceeded = match survey.unreadable {
        0 => limit.is_exceeded_by_more_than_one(invalid, all),
        // A folder that cannot be read may hold any number of articles.
        _ => limit.is_exceeded(invalid, all),
    };
    if !is_exceeded {
        return Ok(());
    }
    let what = format!(
        "{invalid} of {} {} invalid",
        counted(all, "article"),
        with(invalid, "is", "are")
    );
    Err(Failure::new(Exit::Refused, what)
        .note(
            "expected",
            format!("at most {} (--max-invalid)", settings.max_invalid),
        )
        .note("retry", "after you fix the articles; nothing was written"))
}
