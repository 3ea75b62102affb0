//! The state of turning HTML into events, and how these are handed on.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

use super::reference::{Inside, References};
use super::tag::RawTag;
use super::token::Token;

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

/// What became of the element that a token starts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Made {
    /// It is an event.
    pub(super) is_event: bool,
    /// All in it is raw HTML: text is kept as it stands, or browsers do not show it.
    pub(super) is_opaque: bool,
    /// It stands in a raw element whose headings are none of the article.
    pub(super) is_inner: bool,
}

/// An element that is open and has an end to be written.
pub(super) struct Frame {
    /// The token before which it ends.
    pub(super) end: u32,
    /// Whether that token is its end tag.
    pub(super) is_closed: bool,
    pub(super) what: FrameEnd,
    pub(super) range: Range<usize>,
}

/// How an element ends.
#[derive(Clone, Copy)]
pub(super) enum FrameEnd {
    Event(TagEnd),
    /// A link that another one ends.
    RawLink,
}

/// HTML that is being turned into events.
pub(super) struct Converter<'a, 's, S> {
    pub(super) html: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) made: Vec<Made>,
    pub(super) sink: &'s mut S,
    pub(super) references: References<'a>,
    pub(super) frames: Vec<Frame>,
    /// Headings and paragraphs that are open.
    pub(super) lines: usize,
    /// The range of raw HTML that was not yet handed on.
    pub(super) raw: Option<Range<usize>>,
    /// A block of raw HTML is open.
    pub(super) is_in_block: bool,
    /// A heading is open. Headings do not nest.
    pub(super) is_in_heading: bool,
    /// No text of it came yet.
    pub(super) is_heading_empty: bool,
}

impl<'a, S: EventSink<'a>> Converter<'a, '_, S> {
    /// What became of the element around a token. The body itself is like an event.
    pub(super) fn around(&self, at: usize) -> Made {
        let parent = self.tokens[at].parent as usize;
        self.made.get(parent).copied().unwrap_or(Made {
            is_event: true,
            ..Made::default()
        })
    }

    /// Writes the ends of the elements that end before the token `at`. Whether it was the end tag of one.
    pub(super) fn end_frames(&mut self, at: usize) -> Result<bool, S::Error> {
        let mut is_end_tag = false;
        while let Some(frame) = self.frames.pop_if(|frame| frame.end as usize <= at) {
            is_end_tag |= frame.is_closed && frame.end as usize == at;
            match frame.what {
                FrameEnd::Event(end) => {
                    if matches!(end, TagEnd::Heading(_) | TagEnd::Paragraph) {
                        self.lines -= 1;
                        self.is_in_heading = false;
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

    /// Opens an element that is an event.
    pub(super) fn open(
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

    /// Writes the end of a link that stays raw HTML.
    pub(super) fn end_raw_link(&mut self, range: Range<usize>) -> Result<(), S::Error> {
        self.end_raw()?;
        self.sink.take(Event::InlineHtml("</a>".into()), range)
    }

    /// Hands on a token as raw HTML.
    pub(super) fn push_raw(&mut self, at: usize) -> Result<(), S::Error> {
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

    /// Hands on the raw HTML at hand. More may follow in the same block.
    pub(super) fn flush_raw(&mut self) -> Result<(), S::Error> {
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
    pub(super) fn end_raw(&mut self) -> Result<(), S::Error> {
        let end = self.raw.as_ref().map_or(0, |raw| raw.end);
        self.flush_raw()?;
        if std::mem::take(&mut self.is_in_block) {
            let end = end..end;
            self.sink.take(Event::End(TagEnd::HtmlBlock), end)?;
        }
        Ok(())
    }

    /// Hands on an event that is no raw HTML.
    pub(super) fn event(&mut self, event: Event<'a>, range: Range<usize>) -> Result<(), S::Error> {
        self.end_raw()?;
        self.sink.take(event, range)
    }

    /// A start tag that stays raw HTML.
    pub(super) fn raw_start(&mut self, at: usize) -> Result<usize, S::Error> {
        let name = self.tokens[at].name;
        self.made[at].is_opaque |= name == "pre";
        self.made[at].is_inner |= matches!(
            name,
            "blockquote" | "ul" | "ol" | "dl" | "table" | "details" | "figure"
        );
        self.push_raw(at)?;
        Ok(at + 1)
    }

    /// The value of an attribute, decoded, without white space around it.
    pub(super) fn attribute(&mut self, tag: &RawTag<'a>, name: &str) -> Option<CowStr<'a>> {
        let decoded = self
            .references
            .decode(tag.attribute(name)?, Inside::Attribute);
        Some(match decoded {
            Cow::Borrowed(value) => value.trim().into(),
            Cow::Owned(value) => value.trim().to_owned().into(),
        })
    }
}

/// The bytes of a token.
pub(super) fn token_range(token: &Token) -> Range<usize> {
    token.start as usize..token.end as usize
}
