//! The elements whose attributes or content decide which events they become.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Tag, TagEnd};

use super::converter::{Converter, EventSink, Frame, FrameEnd, Made, token_range};
use super::policy::is_sane;
use super::reference::Inside;
use super::tag::{RawTag, read_tag};
use super::token::{Kind, NONE};

/// Opens the heading that starts at `at`. Returns the next token.
pub(super) fn heading<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
    around: Made,
) -> Result<usize, S::Error> {
    let token = converter.tokens[at];
    let tag = read_tag(token.text(converter.html)).map(|(tag, _)| tag);
    let own = |name: &str| tag.as_ref().and_then(|tag| tag.attribute(name));
    let kept = ["title", "lang", "dir"].into_iter();
    let kept = kept.filter_map(|name| Some((name, own(name)?)));
    let kept: Vec<_> = kept.filter(|(name, value)| is_sane(name, value)).collect();
    let mut attrs = Vec::with_capacity(kept.len());
    for (name, value) in kept {
        let value = converter.references.decode(value, Inside::Attribute);
        attrs.push((name.into(), Some(value.into())));
    }
    let id = own("id").filter(|id| !id.is_empty());
    let id = id.map(|id| converter.references.decode(id, Inside::Attribute).into());
    let level = level(token.name);
    let (classes, end) = (Vec::new(), TagEnd::Heading(level));
    let start = Tag::Heading {
        level,
        id,
        classes,
        attrs,
    };
    converter.is_in_heading = true;
    converter.is_heading_empty = true;
    converter.made[at].is_inner = around.is_inner;
    converter.open(at, Event::Start(start), end, token_range(&token))?;
    Ok(at + 1)
}

/// Makes events of an image, if these can tell all of it.
pub(super) fn image<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
) -> Result<bool, S::Error> {
    let token = converter.tokens[at];
    let Some((tag, _)) = read_tag(token.text(converter.html)) else {
        return Ok(false);
    };
    let is_told = |name: &str| tag.attribute(name).is_none();
    let source = converter.attribute(&tag, "src").unwrap_or("".into());
    if !["id", "lang", "dir"].into_iter().all(is_told) || source.is_empty() {
        return Ok(false);
    }
    let range = token_range(&token);
    let image = Tag::Image {
        link_type: LinkType::Inline,
        dest_url: source,
        title: converter.attribute(&tag, "title").unwrap_or("".into()),
        id: sizes(&tag),
    };
    converter.event(Event::Start(image), range.clone())?;
    if let Some(alt) = converter
        .attribute(&tag, "alt")
        .filter(|alt| !alt.is_empty())
    {
        converter.event(Event::Text(alt), range.clone())?;
    }
    converter.event(Event::End(TagEnd::Image), range)?;
    Ok(true)
}

/// Skips an element that browsers do not show. Its tags alone are handed on, so that it is reported.
/// Returns the next token.
pub(super) fn hidden<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
) -> Result<usize, S::Error> {
    let token = converter.tokens[at];
    converter.made[at].is_opaque = true;
    converter.push_raw(at)?;
    match token.partner {
        NONE => Ok(at + 1),
        end if token.flags.is_closed => {
            converter.push_raw(end as usize)?;
            Ok(end as usize + 1)
        }
        end => Ok(end as usize),
    }
}

/// The number of the first item of a list.
pub(super) fn first_number<'a, S: EventSink<'a>>(
    converter: &Converter<'a, '_, S>,
    at: usize,
) -> u64 {
    let tag = read_tag(converter.tokens[at].text(converter.html)).map(|(tag, _)| tag);
    let start = tag.and_then(|tag| tag.attribute("start"));
    let start = start.filter(|start| is_sane("start", start));
    start.and_then(|start| start.parse().ok()).unwrap_or(1)
}

/// Whether `parent` is a list that is an event.
pub(super) fn is_in_list<'a, S: EventSink<'a>>(
    converter: &Converter<'a, '_, S>,
    parent: u32,
) -> bool {
    let parent = parent as usize;
    let made = converter.made.get(parent);
    made.is_some_and(|made| made.is_event) && matches!(converter.tokens[parent].name, "ul" | "ol")
}

/// The text of the element that starts at `at`, if nothing else is in it, and where that text is.
fn text_alone<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
) -> Option<(CowStr<'a>, Range<usize>)> {
    let end = converter.tokens[at].partner as usize;
    if end == at + 1 {
        let start = converter.tokens[at].end as usize;
        return Some(("".into(), start..start));
    }
    let token = converter.tokens[at + 1];
    if end != at + 2 || token.kind != Kind::Text {
        return None;
    }
    let text = converter
        .references
        .decode(token.text(converter.html), Inside::Text);
    Some((text.into(), token_range(&token)))
}

/// Makes an event of code in a line, if there is nothing but text in it. Returns the next token.
pub(super) fn code<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
) -> Result<usize, S::Error> {
    let token = converter.tokens[at];
    let Some((text, _)) = text_alone(converter, at).filter(|(text, _)| !text.is_empty()) else {
        return converter.raw_start(at);
    };
    converter.is_heading_empty = false;
    converter.event(Event::Code(text), token_range(&token))?;
    Ok(token.partner as usize + 1)
}

/// Makes events of a block of code: a `<pre><code>` with text alone, or a `<pre>` that names its
/// language. Returns the next token.
pub(super) fn code_block<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
) -> Result<usize, S::Error> {
    let token = converter.tokens[at];
    let inner = converter.tokens[at + 1];
    let is_wrapped = inner.name == "code"
        && inner.kind == Kind::Start
        && inner.partner.checked_add(1) == Some(token.partner);
    let mut named = language(converter, at);
    let code = if is_wrapped && inner.flags.is_closed && !inner.flags.is_hidden {
        named = named.or_else(|| language(converter, at + 1));
        text_alone(converter, at + 1)
    } else if named.is_some() {
        // The line end after the tag is no part of the text.
        let text = text_alone(converter, at);
        text.map(|(text, range)| (without_first_line_end(text), range))
    } else {
        None
    };
    let Some((code, range)) = code.filter(|_| token.flags.is_closed) else {
        return converter.raw_start(at);
    };
    let kind = match named {
        Some(language) => CodeBlockKind::Fenced(language.into()),
        None => CodeBlockKind::Indented,
    };
    converter.event(Event::Start(Tag::CodeBlock(kind)), token_range(&token))?;
    if !code.is_empty() {
        converter.event(Event::Text(code), range.clone())?;
    }
    converter.event(Event::End(TagEnd::CodeBlock), range)?;
    Ok(token.partner as usize + 1)
}

/// The language that the class of an element names, as `language-rust` or `lang-rust`.
fn language<'a, S: EventSink<'a>>(converter: &Converter<'a, '_, S>, at: usize) -> Option<&'a str> {
    let (tag, _) = read_tag(converter.tokens[at].text(converter.html))?;
    let mut classes = tag.attribute("class")?.split_ascii_whitespace();
    classes.find_map(|class| {
        let name = class.strip_prefix("language-");
        let name = name.or_else(|| class.strip_prefix("lang-"))?;
        (!name.is_empty()).then_some(name)
    })
}

/// Opens a link, as an event if its place and content allow that (`is_link`). Returns the next token.
pub(super) fn link<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
    is_link: bool,
) -> Result<usize, S::Error> {
    let token = converter.tokens[at];
    let Some((tag, _)) = read_tag(token.text(converter.html)) else {
        return converter.raw_start(at);
    };
    let Some(destination) = converter.attribute(&tag, "href") else {
        return anchor(converter, at);
    };
    if token.partner == NONE {
        return anchor(converter, at);
    }
    let is_told = |name: &str| tag.attribute(name).is_none();
    let is_told = ["id", "name", "lang", "dir"].into_iter().all(is_told);
    let range = token_range(&token);
    if is_link && is_told && !destination.is_empty() {
        let start = Tag::Link {
            link_type: LinkType::Inline,
            dest_url: destination,
            title: converter.attribute(&tag, "title").unwrap_or("".into()),
            id: "".into(),
        };
        converter.open(at, Event::Start(start), TagEnd::Link, range)?;
        return Ok(at + 1);
    }
    if !token.flags.is_closed {
        converter.frames.push(Frame {
            end: token.partner,
            is_closed: false,
            what: FrameEnd::RawLink,
            range,
        });
    }
    converter.raw_start(at)
}

/// A link that leads nowhere, or that nothing ends, is a place alone: links in it must stay.
fn anchor<'a, S: EventSink<'a>>(
    converter: &mut Converter<'a, '_, S>,
    at: usize,
) -> Result<usize, S::Error> {
    let range = token_range(&converter.tokens[at]);
    converter.made[at].is_event = converter.around(at).is_event;
    converter.push_raw(at)?;
    converter.end_raw_link(range)?;
    Ok(at + 1)
}

/// Whether the link that starts at `start` was ended at once.
pub(super) fn is_ended_link<'a, S: EventSink<'a>>(
    converter: &Converter<'a, '_, S>,
    start: u32,
) -> bool {
    let token = converter.tokens[start as usize];
    let is_opaque = converter.made[start as usize].is_opaque;
    let has_destination = || {
        let tag = read_tag(token.text(converter.html));
        tag.is_some_and(|(tag, _)| tag.attribute("href").is_some())
    };
    !is_opaque && !has_destination()
}

fn level(name: &str) -> HeadingLevel {
    match name {
        "h1" => HeadingLevel::H1,
        "h2" => HeadingLevel::H2,
        "h3" => HeadingLevel::H3,
        "h4" => HeadingLevel::H4,
        "h5" => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

fn without_first_line_end(text: CowStr<'_>) -> CowStr<'_> {
    let rest = text
        .strip_prefix("\r\n")
        .or_else(|| text.strip_prefix('\n'));
    match rest {
        Some(rest) => rest.to_owned().into(),
        None => text,
    }
}

/// Width and height of an image as [`Tag::Image`] carries them, see [`image_sizes`].
fn sizes(tag: &RawTag<'_>) -> CowStr<'static> {
    let size = |name: &str| {
        let value = tag.attribute(name);
        value.filter(|value| is_sane(name, value)).unwrap_or("")
    };
    let (width, height) = (size("width"), size("height"));
    if width.is_empty() && height.is_empty() {
        return "".into();
    }
    format!("{width}x{height}").into()
}

/// Width and height of an image that was made from HTML, each perhaps empty: its id is `600x400`, `600x`
/// or `x400`. Images of Markdown have an id only if it is that of a reference.
pub(crate) fn image_sizes(kind: LinkType, id: &str) -> Option<(&str, &str)> {
    match kind {
        LinkType::Inline => id.split_once('x'),
        _ => None,
    }
}
