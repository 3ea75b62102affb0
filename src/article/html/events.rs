//! HTML → the events that Markdown makes too, so that headings, paragraphs, images, links and code of
//! an HTML body are handled as those of Markdown.
//!
//! An element becomes events where these say the same: its end is known, nothing but parts of a line is
//! in a line, and it has no attribute that events cannot carry. All else is handed on as raw HTML, in
//! pieces of the source, for the renderer to rewrite and to clean.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Tag, TagEnd};

use super::pairs::{is_heading, pair};
use super::policy::is_sane;
use super::reference::{Inside, References};
use super::tag::{RawTag, read_tag};
use super::token::{Kind, NONE, Token, is_space, tokens};

/// Takes events.
pub(crate) trait EventSink<'a> {
    type Error;

    /// Takes an event that stands at `range`.
    fn take(&mut self, event: Event<'a>, range: Range<usize>) -> Result<(), Self::Error>;

    /// Takes the start of a heading that stands in a raw list, quote, table or the like.
    fn take_inner_heading(
        &mut self,
        event: Event<'a>,
        range: Range<usize>,
    ) -> Result<(), Self::Error>;

    /// Text to read is in the next piece of raw HTML.
    fn note_text(&mut self);
}

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
        is_heading_empty: false,
    };
    let mut at = 0;
    while at < converter.tokens.len() {
        at = converter.token(at)?;
    }
    converter.end_frames(at)?;
    converter.end_raw()
}

/// What became of the element that a token starts.
#[derive(Clone, Copy, Debug, Default)]
struct Made {
    /// It is an event.
    is_event: bool,
    /// All in it is raw HTML: text is kept as it stands, or browsers do not show it.
    is_opaque: bool,
    /// It stands in a raw element whose headings are none of the article.
    is_inner: bool,
}

/// An element that is open and has an end to be written.
struct Frame {
    /// The token before which it ends.
    end: u32,
    /// Whether that token is its end tag.
    is_closed: bool,
    what: FrameEnd,
    range: Range<usize>,
}

/// How an element ends.
#[derive(Clone, Copy)]
enum FrameEnd {
    Event(TagEnd),
    /// A link that another one ends.
    RawLink,
}

struct Converter<'a, 's, S> {
    html: &'a str,
    tokens: Vec<Token>,
    made: Vec<Made>,
    sink: &'s mut S,
    references: References<'a>,
    frames: Vec<Frame>,
    /// Headings and paragraphs that are open.
    lines: usize,
    /// The range of raw HTML that was not yet handed on.
    raw: Option<Range<usize>>,
    /// A block of raw HTML is open.
    is_in_block: bool,
    /// A heading is open, and no text of it came yet.
    is_heading_empty: bool,
}

impl<'a, S: EventSink<'a>> Converter<'a, '_, S> {
    /// Handles the token at `at`. Returns the next one.
    fn token(&mut self, at: usize) -> Result<usize, S::Error> {
        if self.end_frames(at)? {
            return Ok(at + 1);
        }
        let token = self.tokens[at];
        let around = self.around(at);
        self.made[at] = Made {
            is_event: false,
            ..around
        };
        match token.kind {
            Kind::Text => self.text(at, around)?,
            Kind::Start => return self.start(at, around),
            Kind::Void if around.is_opaque || token.flags.is_hidden => self.push_raw(at)?,
            Kind::Void => self.void(at, around)?,
            // An end tag without a start says nothing.
            Kind::End if token.partner == NONE => {}
            Kind::End if token.name == "a" && self.is_ended_link(token.partner) => {}
            Kind::Comment if self.lines > 0 || around.is_event => {}
            Kind::End | Kind::Comment | Kind::Opaque => self.push_raw(at)?,
        }
        Ok(at + 1)
    }

    /// What became of the element around a token. The body itself is like an event.
    fn around(&self, at: usize) -> Made {
        let parent = self.tokens[at].parent as usize;
        self.made.get(parent).copied().unwrap_or(Made {
            is_event: true,
            ..Made::default()
        })
    }

    /// Writes the ends of the elements that end before the token `at`. Whether it was the end tag of one.
    fn end_frames(&mut self, at: usize) -> Result<bool, S::Error> {
        let mut is_end_tag = false;
        while let Some(frame) = self.frames.pop_if(|frame| frame.end as usize <= at) {
            is_end_tag |= frame.is_closed;
            match frame.what {
                FrameEnd::Event(end) => {
                    if matches!(end, TagEnd::Heading(_) | TagEnd::Paragraph) {
                        self.lines -= 1;
                    }
                    let tag_end = self.tokens.get(at).map_or(self.html.len(), |token| {
                        (if frame.is_closed {
                            token.end
                        } else {
                            token.start
                        }) as usize
                    });
                    self.event(Event::End(end), frame.range.start..tag_end)?;
                }
                FrameEnd::RawLink => self.end_raw_link(frame.range)?,
            }
        }
        Ok(is_end_tag)
    }

    fn text(&mut self, at: usize, around: Made) -> Result<(), S::Error> {
        let token = self.tokens[at];
        if around.is_opaque || self.lines == 0 && !around.is_event {
            if !token.is_blank(self.html) {
                self.sink.note_text();
            }
            return self.push_raw(at);
        }
        if self.lines == 0 && token.is_blank(self.html) && self.is_beside_block(at) {
            return Ok(());
        }
        let text = self.references.decode(token.text(self.html), Inside::Text);
        let text = match self.is_in_heading() {
            true => self.folded(text),
            false => text,
        };
        if text.is_empty() {
            return Ok(());
        }
        self.event(Event::Text(text.into()), token_range(&token))
    }

    /// Whether a block begins or ends before or after the token.
    fn is_beside_block(&self, at: usize) -> bool {
        let is_edge = |token: Option<&Token>| {
            token.is_none_or(|token| {
                let is_tag = matches!(token.kind, Kind::Start | Kind::End | Kind::Void);
                is_tag && super::policy::is_block(token.name)
            })
        };
        is_edge(self.tokens.get(at + 1)) || is_edge(at.checked_sub(1).map(|at| &self.tokens[at]))
    }

    fn is_in_heading(&self) -> bool {
        let mut frames = self.frames.iter().rev();
        self.lines > 0
            && frames.any(|frame| matches!(frame.what, FrameEnd::Event(TagEnd::Heading(_))))
    }

    /// The text of a heading with single spaces, as browsers show it: its id is made from that.
    fn folded(&mut self, text: Cow<'a, str>) -> Cow<'a, str> {
        let is_white = |c: char| u8::try_from(c).is_ok_and(|byte| is_space(&byte));
        let starts = std::mem::replace(&mut self.is_heading_empty, false);
        let folds = text.contains(|c| c != ' ' && is_white(c)) || text.contains("  ");
        if !(folds || starts && text.starts_with(' ')) {
            self.is_heading_empty = starts && text.is_empty();
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
        self.is_heading_empty = starts && folded.is_empty();
        Cow::Owned(folded)
    }

    fn void(&mut self, at: usize, around: Made) -> Result<(), S::Error> {
        let token = self.tokens[at];
        let range = token_range(&token);
        let is_in_text = self.lines > 0 || around.is_event;
        let is_bare = !token.flags.has_attributes;
        match token.name {
            "br" if is_bare && is_in_text => self.event(Event::HardBreak, range),
            "hr" if is_bare && self.lines == 0 => self.event(Event::Rule, range),
            "img" if self.image(at)? => Ok(()),
            _ => self.push_raw(at),
        }
    }

    /// Makes events of an image, if these can tell all of it.
    fn image(&mut self, at: usize) -> Result<bool, S::Error> {
        let token = self.tokens[at];
        let Some((tag, _)) = read_tag(token.text(self.html)) else {
            return Ok(false);
        };
        let is_told = |name: &str| tag.attribute(name).is_none();
        let source = self.attribute(&tag, "src").unwrap_or("".into());
        if !["id", "lang", "dir"].into_iter().all(is_told) || source.is_empty() {
            return Ok(false);
        }
        let range = token_range(&token);
        let image = Tag::Image {
            link_type: LinkType::Inline,
            dest_url: source,
            title: self.attribute(&tag, "title").unwrap_or("".into()),
            id: sizes(&tag),
        };
        self.event(Event::Start(image), range.clone())?;
        if let Some(alt) = self.attribute(&tag, "alt").filter(|alt| !alt.is_empty()) {
            self.event(Event::Text(alt), range.clone())?;
        }
        self.event(Event::End(TagEnd::Image), range)?;
        Ok(true)
    }

    /// The value of an attribute, decoded, without white space around it.
    fn attribute(&mut self, tag: &RawTag<'a>, name: &str) -> Option<CowStr<'a>> {
        let decoded = self
            .references
            .decode(tag.attribute(name)?, Inside::Attribute);
        Some(match decoded {
            Cow::Borrowed(value) => value.trim().into(),
            Cow::Owned(value) => value.trim().to_owned().into(),
        })
    }

    /// Handles the start tag at `at`. Returns the next token.
    fn start(&mut self, at: usize, around: Made) -> Result<usize, S::Error> {
        let token = self.tokens[at];
        if around.is_opaque {
            self.push_raw(at)?;
            return Ok(at + 1);
        }
        if token.flags.is_hidden {
            return self.hidden(at);
        }
        if is_heading(token.name) && self.lines == 0 {
            return self.heading(at, around);
        }
        let range = token_range(&token);
        let is_in_text = self.lines > 0 || around.is_event;
        let has_end = token.partner != NONE;
        let is_bare = !token.flags.has_attributes;
        let is_part = is_in_text && token.flags.is_closed && !token.flags.has_block;
        let is_block = self.lines == 0 && has_end && is_bare;
        let (start, end) = match token.name {
            "p" if is_block && !token.flags.has_block => (Tag::Paragraph, TagEnd::Paragraph),
            "blockquote" if is_block => (Tag::BlockQuote(None), TagEnd::BlockQuote(None)),
            "ul" if is_block && !token.flags.is_mixed => (Tag::List(None), TagEnd::List(false)),
            "ol" if is_block && !token.flags.is_mixed => {
                (Tag::List(Some(self.first_number(at))), TagEnd::List(true))
            }
            "li" if has_end && self.is_in_list(token.parent) => (Tag::Item, TagEnd::Item),
            "em" if is_part => (Tag::Emphasis, TagEnd::Emphasis),
            "strong" if is_part => (Tag::Strong, TagEnd::Strong),
            "del" if is_part && is_bare => (Tag::Strikethrough, TagEnd::Strikethrough),
            "sup" if is_part && is_bare => (Tag::Superscript, TagEnd::Superscript),
            "sub" if is_part && is_bare => (Tag::Subscript, TagEnd::Subscript),
            "code" if is_part => return self.code(at),
            "pre" if is_block => return self.code_block(at),
            "a" => {
                return self.link(
                    at,
                    is_part || is_in_text && has_end && !token.flags.has_block,
                );
            }
            _ => return self.raw_start(at),
        };
        self.open(at, Event::Start(start), end, range)?;
        Ok(at + 1)
    }

    /// Opens an element that is an event.
    fn open(
        &mut self,
        at: usize,
        start: Event<'a>,
        end: TagEnd,
        range: Range<usize>,
    ) -> Result<(), S::Error> {
        let token = self.tokens[at];
        let is_inner = self.made[at].is_inner;
        self.made[at].is_event = true;
        if matches!(end, TagEnd::Heading(_) | TagEnd::Paragraph) {
            self.lines += 1;
        }
        self.frames.push(Frame {
            end: token.partner,
            is_closed: token.flags.is_closed,
            what: FrameEnd::Event(end),
            range: range.clone(),
        });
        if is_inner && matches!(end, TagEnd::Heading(_)) {
            self.end_raw()?;
            return self.sink.take_inner_heading(start, range);
        }
        self.event(start, range)
    }

    /// A start tag that stays raw HTML.
    fn raw_start(&mut self, at: usize) -> Result<usize, S::Error> {
        let name = self.tokens[at].name;
        self.made[at].is_opaque |= name == "pre";
        self.made[at].is_inner |= matches!(
            name,
            "blockquote" | "ul" | "ol" | "dl" | "table" | "details" | "figure"
        );
        self.push_raw(at)?;
        Ok(at + 1)
    }

    /// An element that browsers do not show: its tags alone are handed on, so that it is reported.
    fn hidden(&mut self, at: usize) -> Result<usize, S::Error> {
        let token = self.tokens[at];
        self.made[at].is_opaque = true;
        self.push_raw(at)?;
        match token.partner {
            NONE => Ok(at + 1),
            end if token.flags.is_closed => {
                self.push_raw(end as usize)?;
                Ok(end as usize + 1)
            }
            end => Ok(end as usize),
        }
    }

    fn heading(&mut self, at: usize, around: Made) -> Result<usize, S::Error> {
        let token = self.tokens[at];
        let tag = read_tag(token.text(self.html)).map(|(tag, _)| tag);
        let own = |name: &str| tag.as_ref().and_then(|tag| tag.attribute(name));
        let kept = ["title", "lang", "dir"].into_iter();
        let kept = kept.filter_map(|name| Some((name, own(name)?)));
        let kept: Vec<_> = kept.filter(|(name, value)| is_sane(name, value)).collect();
        let mut attrs = Vec::with_capacity(kept.len());
        for (name, value) in kept {
            let value = self.references.decode(value, Inside::Attribute);
            attrs.push((name.into(), Some(value.into())));
        }
        let id = own("id").filter(|id| !id.is_empty());
        let id = id.map(|id| self.references.decode(id, Inside::Attribute).into());
        let level = level(token.name);
        let (classes, end) = (Vec::new(), TagEnd::Heading(level));
        let start = Tag::Heading {
            level,
            id,
            classes,
            attrs,
        };
        self.is_heading_empty = true;
        self.made[at].is_inner = around.is_inner;
        self.open(at, Event::Start(start), end, token_range(&token))?;
        Ok(at + 1)
    }

    fn first_number(&self, at: usize) -> u64 {
        let tag = read_tag(self.tokens[at].text(self.html)).map(|(tag, _)| tag);
        let start = tag.and_then(|tag| tag.attribute("start"));
        let start = start.filter(|start| is_sane("start", start));
        start.and_then(|start| start.parse().ok()).unwrap_or(1)
    }

    fn is_in_list(&self, parent: u32) -> bool {
        let parent = parent as usize;
        let made = self.made.get(parent);
        made.is_some_and(|made| made.is_event) && matches!(self.tokens[parent].name, "ul" | "ol")
    }

    /// The text of the element that starts at `at`, if nothing else is in it, and where that text is.
    fn text_alone(&mut self, at: usize) -> Option<(CowStr<'a>, Range<usize>)> {
        let end = self.tokens[at].partner as usize;
        if end == at + 1 {
            let start = self.tokens[at].end as usize;
            return Some(("".into(), start..start));
        }
        let token = self.tokens[at + 1];
        if end != at + 2 || token.kind != Kind::Text {
            return None;
        }
        let text = self.references.decode(token.text(self.html), Inside::Text);
        Some((text.into(), token_range(&token)))
    }

    fn code(&mut self, at: usize) -> Result<usize, S::Error> {
        let token = self.tokens[at];
        let Some((text, _)) = self.text_alone(at).filter(|(text, _)| !text.is_empty()) else {
            return self.raw_start(at);
        };
        self.is_heading_empty = false;
        self.event(Event::Code(text), token_range(&token))?;
        Ok(token.partner as usize + 1)
    }

    /// `<pre><code>` with text alone is a block of code, and so is a `<pre>` that names its language.
    fn code_block(&mut self, at: usize) -> Result<usize, S::Error> {
        let token = self.tokens[at];
        let inner = self.tokens[at + 1];
        let is_wrapped = inner.name == "code"
            && inner.kind == Kind::Start
            && inner.partner.checked_add(1) == Some(token.partner);
        let mut language = self.language(at);
        let code = if is_wrapped && inner.flags.is_closed && !inner.flags.is_hidden {
            language = language.or_else(|| self.language(at + 1));
            self.text_alone(at + 1)
        } else if language.is_some() {
            // The line end after the tag is no part of the text.
            let text = self.text_alone(at);
            text.map(|(text, range)| (without_first_line_end(text), range))
        } else {
            None
        };
        let Some((code, range)) = code.filter(|_| token.flags.is_closed) else {
            return self.raw_start(at);
        };
        let kind = match language {
            Some(language) => CodeBlockKind::Fenced(language.into()),
            None => CodeBlockKind::Indented,
        };
        self.event(Event::Start(Tag::CodeBlock(kind)), token_range(&token))?;
        if !code.is_empty() {
            self.event(Event::Text(code), range.clone())?;
        }
        self.event(Event::End(TagEnd::CodeBlock), range)?;
        Ok(token.partner as usize + 1)
    }

    /// The language that the class of an element names, as `language-rust` or `lang-rust`.
    fn language(&self, at: usize) -> Option<&'a str> {
        let (tag, _) = read_tag(self.tokens[at].text(self.html))?;
        let mut classes = tag.attribute("class")?.split_ascii_whitespace();
        classes.find_map(|class| {
            let name = class.strip_prefix("language-");
            let name = name.or_else(|| class.strip_prefix("lang-"))?;
            (!name.is_empty()).then_some(name)
        })
    }

    fn link(&mut self, at: usize, is_part: bool) -> Result<usize, S::Error> {
        let token = self.tokens[at];
        let Some((tag, _)) = read_tag(token.text(self.html)) else {
            return self.raw_start(at);
        };
        let Some(destination) = self.attribute(&tag, "href") else {
            return self.anchor(at);
        };
        if token.partner == NONE {
            return self.anchor(at);
        }
        let is_told = |name: &str| tag.attribute(name).is_none();
        let is_told = ["id", "name", "lang", "dir"].into_iter().all(is_told);
        let range = token_range(&token);
        if is_part && is_told && !destination.is_empty() {
            let start = Tag::Link {
                link_type: LinkType::Inline,
                dest_url: destination,
                title: self.attribute(&tag, "title").unwrap_or("".into()),
                id: "".into(),
            };
            self.open(at, Event::Start(start), TagEnd::Link, range)?;
            return Ok(at + 1);
        }
        if !token.flags.is_closed {
            self.frames.push(Frame {
                end: token.partner,
                is_closed: false,
                what: FrameEnd::RawLink,
                range,
            });
        }
        self.raw_start(at)
    }

    /// A link that leads nowhere, or that nothing ends, is a place alone: links in it must stay.
    fn anchor(&mut self, at: usize) -> Result<usize, S::Error> {
        let range = token_range(&self.tokens[at]);
        self.made[at].is_event = self.around(at).is_event;
        self.push_raw(at)?;
        self.end_raw_link(range)?;
        Ok(at + 1)
    }

    /// Whether the link that starts at `start` was ended at once.
    fn is_ended_link(&self, start: u32) -> bool {
        let token = self.tokens[start as usize];
        let is_opaque = self.made[start as usize].is_opaque;
        let has_destination = || {
            let tag = read_tag(token.text(self.html));
            tag.is_some_and(|(tag, _)| tag.attribute("href").is_some())
        };
        !is_opaque && !has_destination()
    }

    fn end_raw_link(&mut self, range: Range<usize>) -> Result<(), S::Error> {
        self.end_raw()?;
        self.sink.take(Event::InlineHtml("</a>".into()), range)
    }

    /// Hands on a token as raw HTML.
    fn push_raw(&mut self, at: usize) -> Result<(), S::Error> {
        let range = token_range(&self.tokens[at]);
        if self.lines > 0 {
            self.end_raw()?;
            let html = &self.html[range.clone()];
            return self.sink.take(Event::InlineHtml(html.into()), range);
        }
        match &mut self.raw {
            Some(raw) if raw.end == range.start => raw.end = range.end,
            _ => {
                self.flush_raw()?;
                self.raw = Some(range);
            }
        }
        Ok(())
    }

    fn flush_raw(&mut self) -> Result<(), S::Error> {
        let Some(range) = self.raw.take() else {
            return Ok(());
        };
        if !self.is_in_block {
            self.is_in_block = true;
            let start = Event::Start(Tag::HtmlBlock);
            self.sink.take(start, range.clone())?;
        }
        let html = &self.html[range.clone()];
        self.sink.take(Event::Html(html.into()), range)
    }

    /// Ends the block of raw HTML that is open.
    fn end_raw(&mut self) -> Result<(), S::Error> {
        let end = self.raw.as_ref().map_or(0, |raw| raw.end);
        self.flush_raw()?;
        if std::mem::take(&mut self.is_in_block) {
            let end = end..end;
            self.sink.take(Event::End(TagEnd::HtmlBlock), end)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'a>, range: Range<usize>) -> Result<(), S::Error> {
        self.end_raw()?;
        self.sink.take(event, range)
    }
}

fn token_range(token: &Token) -> Range<usize> {
    token.start as usize..token.end as usize
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
