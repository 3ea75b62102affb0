//! HTML → the events that Markdown makes too, so that headings, paragraphs, images, links and code of
//! an HTML body are handled as those of Markdown.
//!
//! An element becomes events where these say the same: its end is known, nothing but parts of a line is
//! in a line, and it has no attribute that events cannot carry. All else is handed on as raw HTML, in
//! pieces of the source, for the renderer to rewrite and to clean.

use std::borrow::Cow;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::converter::{Converter, EventSink, Made, token_range};
use super::elements;
use super::pairs::{is_heading, pair};
use super::policy::is_block;
use super::reference::{Inside, References};
use super::token::{Kind, NONE, Token, is_space, tokens};

/// Hands the events of `html` to `sink`.
pub(crate) fn events<'a, S: EventSink<'a>>(html: &'a str, sink: &mut S) -> Result<(), S::Error> {
    let mut tokens = tokens(html);
    pair(html, &mut tokens);
    let mut converter = Converter {
        html,
        made: vec![Made::default(); tokens.len()],
        tokens,
        sink,
        references: References::default(),
        frames: Vec::new(),
        lines: 0,
        raw: None,
        is_in_block: false,
        is_in_heading: false,
        is_heading_empty: false,
    };
    let mut at = 0;
    while at < converter.tokens.len() {
        at = token(&mut converter, at)?;
    }
    converter.end_frames(at)?;
    converter.end_raw()
}

/// Handles the token at `at`. Returns the next one.
fn token<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
) -> Result<usize, S::Error> {
    if converter.end_frames(at)? {
        return Ok(at + 1);
    }
    let token = converter.tokens[at];
    let around = converter.around(at);
    converter.made[at] = Made {
        is_event: false,
        ..around
    };
    match token.kind {
        Kind::Text => text(converter, at, around)?,
        Kind::Start => return start(converter, at, around),
        Kind::Void if around.is_opaque || token.flags.is_hidden => converter.push_raw(at)?,
        Kind::Void => void(converter, at, around)?,
        // An end tag without a start says nothing.
        Kind::End if token.partner == NONE => {}
        Kind::End if token.name == "a" && elements::is_ended_link(converter, token.partner) => {}
        Kind::Comment if converter.lines > 0 || around.is_event => {}
        Kind::End | Kind::Comment | Kind::Opaque => converter.push_raw(at)?,
    }
    Ok(at + 1)
}

fn text<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
    around: Made,
) -> Result<(), S::Error> {
    let token = converter.tokens[at];
    if around.is_opaque || converter.lines == 0 && !around.is_event {
        if !token.is_blank(converter.html) {
            converter.sink.note_text();
        }
        return converter.push_raw(at);
    }
    if converter.lines == 0 && token.is_blank(converter.html) && is_beside_block(converter, at) {
        return Ok(());
    }
    let text = converter
        .references
        .decode(token.text(converter.html), Inside::Text);
    let text = match converter.is_in_heading {
        true => folded(converter, text),
        false => text,
    };
    if text.is_empty() {
        return Ok(());
    }
    converter.event(Event::Text(text.into()), token_range(&token))
}

/// Whether a block begins or ends before or after the token.
fn is_beside_block<'a, S: EventSink<'a>>(converter: &Converter<'a, '_, S>, at: usize) -> bool {
    let is_edge = |token: Option<&Token>| {
        token.is_none_or(|token| {
            let is_tag = matches!(token.kind, Kind::Start | Kind::End | Kind::Void);
            is_tag && is_block(token.name)
        })
    };
    is_edge(converter.tokens.get(at + 1))
        || is_edge(at.checked_sub(1).map(|at| &converter.tokens[at]))
}

/// The text of a heading with single spaces, as browsers show it: its id is made from that.
fn folded<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    text: Cow<'a, str>,
) -> Cow<'a, str> {
    let is_white = |c: char| u8::try_from(c).is_ok_and(|byte| is_space(&byte));
    let starts = std::mem::replace(&mut converter.is_heading_empty, false);
    let folds = text.contains(|c| c != ' ' && is_white(c)) || text.contains("  ");
    if !(folds || starts && text.starts_with(' ')) {
        converter.is_heading_empty = starts && text.is_empty();
        return text;
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        let is_first = folded.is_empty() && starts;
        if !is_white(c) {
            folded.push(c);
        } else if !is_first && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    converter.is_heading_empty = starts && folded.is_empty();
    Cow::Owned(folded)
}

fn void<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
    around: Made,
) -> Result<(), S::Error> {
    let token = converter.tokens[at];
    let range = token_range(&token);
    let is_in_text = converter.lines > 0 || around.is_event;
    let is_bare = !token.flags.has_attributes;
    match token.name {
        "br" if is_bare && is_in_text => converter.event(Event::HardBreak, range),
        "hr" if is_bare && converter.lines == 0 => converter.event(Event::Rule, range),
        "img" if elements::image(converter, at)? => Ok(()),
        _ => converter.push_raw(at),
    }
}

/// Handles the start tag at `at`. Returns the next token.
fn start<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
    around: Made,
) -> Result<usize, S::Error> {
    let token = converter.tokens[at];
    if around.is_opaque {
        converter.push_raw(at)?;
        return Ok(at + 1);
    }
    if token.flags.is_hidden {
        return elements::hidden(converter, at);
    }
    if is_heading(token.name) && converter.lines == 0 {
        return elements::heading(converter, at, around);
    }
    let range = token_range(&token);
    let is_in_text = converter.lines > 0 || around.is_event;
    let has_end = token.partner != NONE;
    let is_bare = !token.flags.has_attributes;
    let is_link = is_in_text && has_end && !token.flags.has_block;
    let is_part = is_link && token.flags.is_closed;
    let is_block = converter.lines == 0 && has_end && is_bare;
    let (start, end) = match token.name {
        "p" if is_block && !token.flags.has_block => (Tag::Paragraph, TagEnd::Paragraph),
        "blockquote" if is_block => (Tag::BlockQuote(None), TagEnd::BlockQuote(None)),
        "ul" if is_block && !token.flags.is_mixed => (Tag::List(None), TagEnd::List(false)),
        "ol" if is_block && !token.flags.is_mixed => (
            Tag::List(Some(elements::first_number(converter, at))),
            TagEnd::List(true),
        ),
        "li" if has_end && elements::is_in_list(converter, token.parent) => {
            (Tag::Item, TagEnd::Item)
        }
        "em" if is_part => (Tag::Emphasis, TagEnd::Emphasis),
        "strong" if is_part => (Tag::Strong, TagEnd::Strong),
        "del" if is_part && is_bare => (Tag::Strikethrough, TagEnd::Strikethrough),
        "sup" if is_part && is_bare => (Tag::Superscript, TagEnd::Superscript),
        "sub" if is_part && is_bare => (Tag::Subscript, TagEnd::Subscript),
        "code" if is_part => return elements::code(converter, at),
        "pre" if is_block => return elements::code_block(converter, at),
        "a" => return elements::link(converter, at, is_link),
        _ => return converter.raw_start(at),
    };
    converter.open(at, Event::Start(start), end, range)?;
    Ok(at + 1)
}
