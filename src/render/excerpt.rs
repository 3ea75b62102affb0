//! The beginning of an article, where its summary is asked for.

use pulldown_cmark::{Event, Tag, TagEnd};

use crate::article::{Article, Events};

/// The longest summary that lists show, in characters.
const MAX_SUMMARY: usize = 600;

/// What lists and feeds say of an article: its summary, or the beginning of its text.
#[must_use]
pub fn summary(article: &Article<'_>) -> String {
    let metadata = &article.metadata;
    let said = metadata.text("summary").or(metadata.text("description"));
    match said {
        Some(text) => cut(text, MAX_SUMMARY),
        None => excerpt(&article.body.events),
    }
}

/// The beginning of the first paragraph, for articles without a summary.
pub(super) fn excerpt(events: &Events<'_>) -> String {
    const CHARACTERS: usize = 160;
    let mut excerpt = String::new();
    let mut in_paragraph = false;
    for event in events.iter() {
        match &*event {
            Event::Start(Tag::Paragraph) => in_paragraph = true,
            Event::End(TagEnd::Paragraph) if !excerpt.trim().is_empty() => break,
            Event::End(TagEnd::Paragraph) => in_paragraph = false,
            Event::Text(text) | Event::Code(text) if in_paragraph => excerpt.push_str(text),
            Event::SoftBreak | Event::HardBreak if in_paragraph => excerpt.push(' '),
            _ => {}
        }
        if excerpt.len() > CHARACTERS * 4 {
            break;
        }
    }
    cut(excerpt.trim(), CHARACTERS)
}

/// `text`, or whole words of it and an ellipsis where it has more than so many characters.
fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some((end, _)) => {
            let end = text[..end].rfind(' ').unwrap_or(end);
            format!("{}…", text[..end].trim_end())
        }
    }
}
