//! The title: the field, or the first level-1 heading.

use super::MAX_TITLE;
use super::body::Parsed;
use super::findings::Findings;
use super::metadata::Metadata;
use super::text::clean;
use crate::diagnostic::Span;

/// The title; a heading that becomes it leaves the body. `position` gives the place of an
/// offset into the body.
pub(super) fn find(
    metadata: &Metadata,
    parsed: &mut Parsed<'_>,
    position: impl Fn(usize) -> Span,
    findings: &mut Findings<'_>,
) -> Option<String> {
    if let Some(title) = metadata.text("title") {
        return Some(title.to_owned());
    }
    if findings.mentions("title") {
        // The field is there, but wrong, which has been reported.
        return None;
    }
    let Some((text, offset)) = parsed.take_heading() else {
        let message = "expected a title in the front matter or a level-1 heading, found neither";
        findings.error("title", None, message.to_owned(), None);
        return None;
    };
    let title = clean(text, &mut findings.cleaned);
    let count = title.chars().count();
    if !(1..=MAX_TITLE).contains(&count) {
        let message =
            format!("expected a heading of 1 to {MAX_TITLE} characters as title, found {count}");
        findings.error("title", Some(position(offset)), message, None);
        return None;
    }
    Some(title)
}
