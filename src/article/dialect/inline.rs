//! Follows the events of the parser for syntax of other dialects within a line: turns bare URLs into
//! links, applies attribute lists, and records what anp does not run.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};

use super::attributes::Attributes;
use super::autolink;
use super::candidates::{Candidate, Candidates, What};
use super::foreign::ForeignSyntax;

/// A receiver of events.
pub(crate) trait Sink<'a> {
    type Error;

    /// Takes an event that stands at `range`.
    fn push(&mut self, event: Event<'a>, range: Range<usize>) -> Result<(), Self::Error>;

    /// Whether a heading is open.
    fn is_in_heading(&self) -> bool;

    /// Gives an id to the heading that is open, or to the last one.
    fn name_heading(&mut self, id: &'a str);

    /// Where the last heading ends in the Markdown, if at most the start of a paragraph came since.
    fn heading_before(&self) -> Option<usize>;

    /// Leaves out the open list, which is the placeholder of a table of contents.
    fn drop_list(&mut self);
}

/// Text that may span several events and is handled as one piece.
struct Capture<'a> {
    range: Range<usize>,
    /// The link that it becomes; `None` if it is left out.
    link: Option<autolink::Kind>,
    text: Cow<'a, str>,
    /// Up to here the Markdown is in `text`.
    from: usize,
}

impl Capture<'_> {
    /// Appends `text`, which is at `range`. In a link, marks of emphasis before it are text too.
    fn extend(&mut self, markdown: &str, text: &str, range: Range<usize>) {
        let marks = markdown.get(self.from..range.start).unwrap_or_default();
        if self.link.is_some() && !(marks.is_empty() && text.is_empty()) {
            let whole = self.text.to_mut();
            whole.push_str(marks);
            whole.push_str(text);
        }
        self.from = range.end;
    }
}

/// Follows the events of one body.
pub(crate) struct Inline<'a> {
    markdown: &'a str,
    candidates: Candidates<'a>,
    /// Events that end up to this byte need no attention.
    next: usize,
    capture: Option<Capture<'a>>,
    /// Up to here, text is in a link, an image or foreign syntax: bare links in it stay text.
    no_links_until: usize,
    /// The next line end is left out.
    drops_break: bool,
    pub(crate) foreign: ForeignSyntax,
}

impl<'a> Inline<'a> {
    pub(crate) fn new(markdown: &'a str, is_mdx: bool, foreign: ForeignSyntax) -> Self {
        let mut inline = Self {
            markdown,
            candidates: Candidates::new(markdown, is_mdx),
            next: 0,
            capture: None,
            no_links_until: 0,
            drops_break: false,
            foreign,
        };
        inline.look_ahead();
        inline
    }

    /// Whether an event that ends at `end` goes to [`Inline::take`]; all others go to the sink.
    #[inline]
    pub(crate) fn concerns(&self, end: usize) -> bool {
        end > self.next
    }

    fn look_ahead(&mut self) {
        let next = self
            .candidates
            .peek()
            .map(|candidate| candidate.range.start);
        let is_open = self.capture.is_some() || self.drops_break;
        self.next = if is_open {
            0
        } else {
            next.unwrap_or(usize::MAX)
        };
    }

    /// Takes an event that stands at `range`.
    pub(crate) fn take<S: Sink<'a>>(
        &mut self,
        event: Event<'a>,
        range: Range<usize>,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let taken = self.judge(event, range, sink);
        self.look_ahead();
        taken
    }

    fn judge<S: Sink<'a>>(
        &mut self,
        event: Event<'a>,
        range: Range<usize>,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let Some(event) = self.continue_capture(event, &range, sink)? else {
            return Ok(());
        };
        self.pass(range.start);
        let drops_break = std::mem::take(&mut self.drops_break);
        match event {
            Event::SoftBreak if drops_break => return Ok(()),
            Event::Text(text) => return self.text(text, range, sink),
            Event::Start(Tag::CodeBlock(_)) | Event::Code(_) => self.candidates.skip_to(range.end),
            Event::Start(Tag::HtmlBlock) | Event::Html(_) | Event::InlineHtml(_) => {
                self.pass_html(&range);
            }
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => {
                self.no_links_until = self.no_links_until.max(range.end);
            }
            Event::Start(Tag::TableRow) if self.is_attributes_alone(&range) => {
                self.candidates.skip_to(range.end);
                self.start_capture(range, None);
                return Ok(());
            }
            _ => {}
        }
        sink.push(event, range)
    }

    /// Passes the candidates before `start`: they are not in a text, but in the destination of a link,
    /// for example.
    fn pass(&mut self, start: usize) {
        while let Some(candidate) = self.candidates.peek()
            && candidate.range.start < start
        {
            self.note_and_skip();
        }
    }

    /// Records the next candidate if it is foreign, and skips it.
    fn note_and_skip(&mut self) {
        let Some(Candidate { range, what }) = self.candidates.peek().cloned() else {
            return;
        };
        if let What::Foreign(kind, name) = what {
            let text = &self.markdown[range.clone()];
            self.foreign.add(kind, name, text, range.start);
            self.no_links_until = self.no_links_until.max(range.end);
        }
        self.candidates.skip_to(match what {
            What::Foreign(..) | What::Closing | What::Control => range.end,
            _ => range.start + 1,
        });
    }

    /// Records foreign syntax in raw HTML, unless a page does not show it: in a comment or code.
    fn pass_html(&mut self, range: &Range<usize>) {
        let html = &self.markdown[range.clone()];
        let hides = |start: &str| {
            let found = html.get(..start.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(start))
        };
        let is_hidden = ["<!--", "<script", "<style"].into_iter().any(hides);
        while let Some(candidate) = self.candidates.peek()
            && candidate.range.start < range.end
        {
            if is_hidden {
                self.candidates.skip_to(range.end);
            } else {
                self.note_and_skip();
            }
        }
    }

    /// Whether a table row is really the attribute list of kramdown below the table.
    fn is_attributes_alone(&self, range: &Range<usize>) -> bool {
        let next = self.candidates.peek();
        next.is_some_and(|next| {
            matches!(next.what, What::Attributes(_))
                && self.markdown[range.clone()].trim() == &self.markdown[next.range.clone()]
        })
    }

    /// Sends a text to the sink, with the candidates in it replaced.
    fn text<S: Sink<'a>>(
        &mut self,
        text: CowStr<'a>,
        range: Range<usize>,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        // A character reference, which cannot be split.
        let CowStr::Borrowed(slice) = text else {
            return sink.push(Event::Text(text), range);
        };
        if slice.len() != range.len() {
            return sink.push(Event::Text(text), range);
        }
        let mut from = range.start;
        while let Some(candidate) = self.candidates.peek()
            && candidate.range.start < range.end
        {
            let Candidate { range: found, what } = candidate.clone();
            let start = found.start.max(from);
            let before = &self.markdown[from..start];
            match what {
                What::Link(kind) if start >= self.no_links_until => {
                    push_text(before, from, sink)?;
                    self.start_capture(found.clone(), Some(kind));
                }
                What::Control => {
                    push_text(before, from, sink)?;
                    self.start_capture(found.clone(), None);
                }
                What::Attributes(attributes) => {
                    self.take_attributes(attributes, before, from, &found, sink)?;
                }
                What::HeadingAttributes(attributes)
                    if sink.is_in_heading() && self.ends_line(found.end) =>
                {
                    self.take_attributes(attributes, before, from, &found, sink)?;
                }
                _ => {
                    self.note_and_skip();
                    continue;
                }
            }
            from = found.end.min(range.end);
            self.candidates.skip_to(found.end);
            if let Some(capture) = &mut self.capture {
                capture.text = Cow::Borrowed(&self.markdown[start..from]);
                capture.from = from;
                if found.end > range.end {
                    return Ok(());
                }
                self.finish_capture(sink)?;
            }
        }
        push_text(&self.markdown[from..range.end], from, sink)
    }

    /// Leaves out an attribute list and applies it.
    fn take_attributes<S: Sink<'a>>(
        &mut self,
        attributes: Attributes<'a>,
        before: &'a str,
        from: usize,
        found: &Range<usize>,
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let ends_line = self.ends_line(found.end);
        let before = if ends_line { before.trim_end() } else { before };
        push_text(before, from, sink)?;
        if sink.is_in_heading() && ends_line {
            if let Some(id) = attributes.id {
                sink.name_heading(id);
            }
        } else {
            let after_heading = sink.heading_before().is_some_and(|end| {
                let between = &self.markdown[end.min(found.start)..found.start];
                between.trim().is_empty() && between.matches('\n').count() <= 1
            });
            if attributes.is_toc {
                sink.drop_list();
            } else if let Some(id) = attributes.id {
                if after_heading {
                    sink.name_heading(id);
                } else {
                    let anchor = format!("<a id=\"{id}\"></a>");
                    sink.push(Event::InlineHtml(anchor.into()), found.clone())?;
                }
            }
            let line = self.markdown[..found.start].trim_end_matches([' ', '\t', '>']);
            self.drops_break =
                before.trim().is_empty() && (line.is_empty() || line.ends_with('\n'));
        }
        self.start_capture(found.clone(), None);
        Ok(())
    }

    /// Whether the rest of the line at `at` has only the closing marks of a heading or table row.
    fn ends_line(&self, at: usize) -> bool {
        let rest = self.markdown[at..].trim_start_matches([' ', '\t', '#', '|']);
        rest.is_empty() || rest.starts_with(['\n', '\r'])
    }

    fn start_capture(&mut self, range: Range<usize>, link: Option<autolink::Kind>) {
        self.capture = Some(Capture {
            from: range.start,
            text: Cow::Borrowed(""),
            range,
            link,
        });
    }

    /// Adds an event to the capture. Returns the event if it does not belong to it.
    fn continue_capture<S: Sink<'a>>(
        &mut self,
        event: Event<'a>,
        range: &Range<usize>,
        sink: &mut S,
    ) -> Result<Option<Event<'a>>, S::Error> {
        let Some(capture) = &mut self.capture else {
            return Ok(Some(event));
        };
        let end = capture.range.end;
        let is_within = range.end <= end && range.start >= capture.range.start;
        let is_link = capture.link.is_some();
        match &event {
            _ if range.start >= end && (is_link || !is_within) => {
                capture.extend(self.markdown, "", end..end);
            }
            Event::Text(text) if is_within => {
                capture.extend(self.markdown, text, range.clone());
                return Ok(None);
            }
            Event::Text(CowStr::Borrowed(text))
                if text.len() == range.len() && range.start < end =>
            {
                let (inside, rest) = text.split_at(end - range.start);
                capture.extend(self.markdown, inside, range.start..end);
                self.finish_capture(sink)?;
                self.candidates.skip_to(end);
                self.text(CowStr::Borrowed(rest), end..range.end, sink)?;
                return Ok(None);
            }
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough)
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough)
                if is_within =>
            {
                return Ok(None);
            }
            _ if !is_link && is_within => return Ok(None),
            _ => {}
        }
        self.finish_capture(sink)?;
        Ok(Some(event))
    }

    /// Sends the captured text to the sink if it is a link.
    fn finish_capture<S: Sink<'a>>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        let Some(Capture {
            range, link, text, ..
        }) = self.capture.take()
        else {
            return Ok(());
        };
        let Some(kind) = link else { return Ok(()) };
        let length = match kind {
            autolink::Kind::Address => text.len(),
            _ => autolink::trimmed(&text).len(),
        };
        let (text, rest) = match text {
            Cow::Borrowed(text) => {
                let (text, rest) = text.split_at(length);
                (CowStr::Borrowed(text), rest.to_owned())
            }
            Cow::Owned(mut text) => {
                let rest = text.split_off(length);
                (text.into(), rest)
            }
        };
        let (link_type, dest_url) = match kind {
            autolink::Kind::Url => (LinkType::Autolink, text.clone()),
            autolink::Kind::Host => (LinkType::Autolink, format!("http://{text}").into()),
            autolink::Kind::Address => (LinkType::Email, text.clone()),
        };
        let tag = Tag::Link {
            link_type,
            dest_url,
            title: CowStr::Borrowed(""),
            id: CowStr::Borrowed(""),
        };
        sink.push(Event::Start(tag), range.clone())?;
        sink.push(Event::Text(text), range.clone())?;
        sink.push(Event::End(TagEnd::Link), range.clone())?;
        if rest.is_empty() {
            return Ok(());
        }
        sink.push(Event::Text(rest.into()), range)
    }
}

fn push_text<'a, S: Sink<'a>>(text: &'a str, offset: usize, sink: &mut S) -> Result<(), S::Error> {
    if text.is_empty() {
        return Ok(());
    }
    let range = offset..offset + text.len();
    sink.push(Event::Text(CowStr::Borrowed(text)), range)
}
