//! The title: the field, or the first level-1 heading.

use super::MAX_TITLE;
use pulldown_cmark::Event;

use super::body::{Body, Parsed, TitleHeading};
use super::findings::Findings;
use super::markup::Markup;
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
    let heading = parsed
        .take_heading()
        .or_else(|| find_html_heading(&parsed.body));
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

/// The longest raw heading that is looked at, in bytes.
const HTML_HEADING_BYTES: usize = 2048;

/// The first `<h1>` of raw HTML that has text.
fn find_html_heading(body: &Body<'_>) -> Option<TitleHeading> {
    if body.markup == Markup::Html {
        // All its headings are events, except those that nobody sees.
        return None;
    }
    body.events.iter().find_map(|event| {
        let (Event::Html(html) | Event::InlineHtml(html)) = &*event else {
            return None;
        };
        let at = find_ignoring_case(html, "<h1")?;
        let offset = body.offset_of(html)? + at;
        let mut end = body.markdown.len().min(offset + HTML_HEADING_BYTES);
        while !body.markdown.is_char_boundary(end) {
            end -= 1;
        }
        let heading = &body.markdown[offset..end];
        let heading = &heading[..find_ignoring_case(heading, "</h1")?];
        let text = text_of(heading);
        let stays = true;
        (!text.trim().is_empty()).then_some(TitleHeading {
            text,
            offset,
            stays,
        })
    })
}

fn find_ignoring_case(text: &str, tag: &str) -> Option<usize> {
    let mut windows = text.as_bytes().windows(tag.len());
    windows.position(|window| window.eq_ignore_ascii_case(tag.as_bytes()))
}

/// The text of HTML, without its tags.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let references = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    references
        .iter()
        .fold(text, |text, (reference, c)| text.replace(reference, c))
}
