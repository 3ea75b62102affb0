//! The title: the field, or the first level-1 heading.

use super::MAX_TITLE;
use super::body::{Parsed, TitleHeading};
use super::findings::Findings;
use super::metadata::Metadata;
use super::text::clean;

/// The title; a heading at the start that becomes it leaves the body.
pub(super) fn find(
    metadata: &Metadata,
    parsed: &mut Parsed<'_>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    if let Some(title) = metadata.text("title") {
        return Some(title.to_owned());
    }
    if findings.mentions("title") {
        // The field is there, but wrong, which has been reported.
        return None;
    }
    let heading = parsed.take_heading();
    let Some(TitleHeading {
        text,
        offset,
        stays,
    }) = heading
    else {
        let message = "expected a title in the front matter or a level-1 heading, found neither";
        findings.error("title", None, message.to_owned(), None);
        return None;
    };
    let title = clean(text, &mut findings.cleaned);
    let count = title.chars().count();
    if !(1..=MAX_TITLE).contains(&count) {
        let message =
            format!("expected a heading of 1 to {MAX_TITLE} characters as title, found {count}");
        findings.error("title", Some(parsed.body.place_of(offset)), message, None);
        return None;
    }
    if stays {
        let message = "expected a title in the front matter, or a level-1 heading before any text; \
                       took this heading, which stays in the article";
        let help = "add the field 'title'".to_owned();
        findings.warning(
            "title",
            Some(parsed.body.place_of(offset)),
            message.to_owned(),
            Some(help),
        );
    }
    Some(title)
}
