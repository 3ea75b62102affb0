//! The places of links, found by a second parse: events do not keep them.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use super::html::References;
use crate::article::events::{is_reference, options};
use crate::diagnostic::Span;
use crate::front_matter::position;

/// The links and images of a Markdown body whose destination `is_meant`, with their places: up to
/// `most` of them. The body begins on line `first_line`.
pub(in crate::article) fn places(
    markdown: &str,
    first_line: u32,
    most: usize,
    mut is_meant: impl FnMut(&str) -> bool,
) -> Vec<(String, Span)> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    let mut references = References::default();
    for (event, range) in Parser::new_ext(markdown, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                ..
            }) if is_reference(link_type) && is_meant(&dest_url) => {
                found.push((dest_url.into_string(), range));
            }
            Event::Start(Tag::Image { dest_url, .. }) if is_meant(&dest_url) => {
                found.push((dest_url.into_string(), range));
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                for reference in references.of(&html) {
                    let url = reference.destination();
                    if is_meant(&url) {
                        let at = range.start + reference.at;
                        found.push((url.into_owned(), at..at + reference.url.len()));
                    }
                }
            }
            _ => {}
        }
        if found.len() >= most {
            break;
        }
    }
    found.truncate(most);
    let placed = found.into_iter().map(|(destination, range)| {
        let mut span = position(markdown, range.start, first_line);
        let text = markdown.get(range).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        span.length = u32::try_from(line.chars().count()).unwrap_or(u32::MAX);
        (destination, span)
    });
    placed.collect()
}
