//! The links and images of raw HTML.

use std::borrow::Cow;
use std::ops::Range;

use crate::article::events::may_matter;

/// A URL in raw HTML.
pub(super) struct Reference<'h> {
    /// The URL as written.
    pub(super) url: &'h str,
    pub(super) is_image: bool,
    /// Its offset in the HTML, in bytes.
    pub(super) at: usize,
}

impl Reference<'_> {
    /// The URL with `&` for `&amp;`, the one character reference that is common in URLs.
    pub(super) fn destination(&self) -> Cow<'_, str> {
        match self.url.contains("&amp;") {
            true => self.url.replace("&amp;", "&").into(),
            false => self.url.into(),
        }
    }
}

/// Reads the values of `href` and `src` outside of comments, from one piece of HTML to the next. It
/// may also find text that only looks like an attribute: the renderer never asks for that.
#[derive(Default)]
pub(super) struct References {
    in_comment: bool,
}

impl References {
    /// The references of the next piece of HTML.
    pub(super) fn of<'h>(&mut self, html: &'h str) -> Vec<Reference<'h>> {
        let mut found = Vec::new();
        let mut start = 0;
        while let Some(rest) = html.get(start..).filter(|rest| !rest.is_empty()) {
            let mark = if self.in_comment { "-->" } else { "<!--" };
            let end = rest.find(mark).map_or(html.len(), |at| start + at);
            if !self.in_comment {
                found.extend(attributes(html, start..end));
            }
            self.in_comment ^= end < html.len();
            // `<!-->` is a whole comment.
            start = match mark {
                "<!--" => end + 2,
                _ => end + mark.len(),
            };
        }
        found
    }
}

/// The values of `href` and `src` whose `=` is in `range`.
fn attributes(html: &str, range: Range<usize>) -> impl Iterator<Item = Reference<'_>> {
    let first = range.start;
    let equals = html[range].match_indices('=');
    equals.filter_map(move |(at, _)| attribute(html, first + at))
}

/// The reference whose `=` is at `at`.
fn attribute(html: &str, at: usize) -> Option<Reference<'_>> {
    let before = html[..at].trim_ascii_end().as_bytes();
    let (before, name) = before.split_at(before.len().checked_sub(4)?);
    let is_link = name.eq_ignore_ascii_case(b"href");
    let is_src = name[1..].eq_ignore_ascii_case(b"src");
    let is_image = is_src && name[0].is_ascii_whitespace();
    let begins = is_image || before.last().is_some_and(u8::is_ascii_whitespace);
    if !begins || !(is_link || is_image) {
        return None;
    }
    let value = html[at + 1..].trim_ascii_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let url = match quote {
        Some(quote) => value[1..].split(quote).next()?,
        None => value.split([' ', '\t', '\n', '\r', '>']).next()?,
    };
    (!url.is_empty() && may_matter(url)).then(|| Reference {
        url,
        is_image,
        at: html.len() - value.len() + usize::from(quote.is_some()),
    })
}
