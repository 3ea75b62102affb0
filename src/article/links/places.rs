//! The places of links, found by a second parse: events do not keep them.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use super::html::References;
use crate::article::events::{is_reference, options};
use crate::article::html::reference::{self, Inside};
use crate::article::html::tag::read_tag;
use crate::article::html::token::tokens;
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
    placed(markdown, first_line, found)
}

/// The same for a body of HTML.
pub(in crate::article) fn html_places(
    html: &str,
    first_line: u32,
    most: usize,
    mut is_meant: impl FnMut(&str) -> bool,
) -> Vec<(String, Span)> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    let mut characters = reference::References::default();
    for token in tokens(html) {
        let attribute = match token.name {
            "a" => "href",
            "img" => "src",
            _ => continue,
        };
        let text = token.text(html);
        let Some((tag, _)) = read_tag(text).filter(|(tag, _)| !tag.closes) else {
            continue;
        };
        let Some(value) = tag.attribute(attribute) else {
            continue;
        };
        // Links that are events are decoded, those in raw HTML as [`Reference::destination`] does it.
        let decoded = characters.decode(value, Inside::Attribute);
        let urls = [decoded.trim().to_owned(), value.replace("&amp;", "&")];
        if let Some(url) = urls.into_iter().find(|url| is_meant(url)) {
            let at = token.start as usize + value.as_ptr().addr() - text.as_ptr().addr();
            found.push((url, at..at + value.len()));
        }
        if found.len() >= most {
            break;
        }
    }
    placed(html, first_line, found)
}

/// Destinations with the places of their ranges in `body`.
fn placed(body: &str, first_line: u32, found: Vec<(String, Range<usize>)>) -> Vec<(String, Span)> {
    let placed = found.into_iter().map(|(destination, range)| {
        let mut span = position(body, range.start, first_line);
        let text = body.get(range).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        span.length = u32::try_from(line.chars().count()).unwrap_or(u32::MAX);
        (destination, span)
    });
    placed.collect()
}
