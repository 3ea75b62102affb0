//! The events of a Markdown body. pulldown-cmark's own take 80 bytes each, since any could be a
//! link with three texts; most are a text of the source or no more than their kind, and take 24
//! here.

use std::ops::{Deref, Range};

use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Tag, TagEnd};

/// The Markdown extensions that are on: tables, footnotes, strikethrough, task lists,
/// and alerts (`> [!NOTE]`).
#[must_use]
pub fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
}

/// pulldown-cmark's events in order.
#[derive(Debug, Default)]
pub struct Events<'a>(Vec<PackedEvent<'a>>);

#[derive(Debug)]
enum PackedEvent<'a> {
    Text(&'a str),
    Code(&'a str),
    Html(&'a str),
    InlineHtml(&'a str),
    SoftBreak,
    HardBreak,
    Rule,
    TaskListMarker(bool),
    Paragraph,
    Heading(HeadingLevel),
    HtmlBlock,
    List(Option<u64>),
    Item,
    TableHead,
    TableRow,
    TableCell,
    Emphasis,
    Strong,
    Strikethrough,
    End(TagEnd),
    /// All others.
    Whole(Box<Event<'a>>),
}

/// One event of [`Events`].
#[derive(Debug)]
pub enum EventRef<'e, 'a> {
    /// As it is kept.
    Kept(&'e Event<'a>),
    /// Unpacked.
    Unpacked(Event<'a>),
}

impl<'a> Deref for EventRef<'_, 'a> {
    type Target = Event<'a>;

    #[inline]
    fn deref(&self) -> &Event<'a> {
        match self {
            Self::Kept(event) => event,
            Self::Unpacked(event) => event,
        }
    }
}

impl<'a> Events<'a> {
    /// Nothing yet, with room for so many.
    #[must_use]
    pub fn with_capacity(events: usize) -> Self {
        Self(Vec::with_capacity(events))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends one.
    #[inline]
    pub fn push(&mut self, event: Event<'a>) {
        self.0.push(pack(event));
    }

    /// The one at `index`, which there must be.
    #[inline]
    #[must_use]
    pub fn at(&self, index: usize) -> EventRef<'_, 'a> {
        unpack(&self.0[index])
    }

    /// Those from `index` on.
    pub fn from(&self, index: usize) -> impl Iterator<Item = EventRef<'_, 'a>> {
        self.0.get(index..).unwrap_or_default().iter().map(unpack)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = EventRef<'_, 'a>> {
        self.from(0)
    }

    /// The labels of the footnotes that are defined.
    pub fn footnotes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|event| match event {
            PackedEvent::Whole(event) => match &**event {
                Event::Start(Tag::FootnoteDefinition(label)) => Some(&**label),
                _ => None,
            },
            _ => None,
        })
    }

    /// Gives an id to the heading that starts at `index`.
    pub(super) fn name_heading(&mut self, index: usize, id: &'a str) {
        let level = match self.0.get(index) {
            Some(PackedEvent::Heading(level)) => *level,
            _ => return,
        };
        self.0[index] = PackedEvent::Whole(Box::new(Event::Start(Tag::Heading {
            level,
            id: Some(CowStr::Borrowed(id)),
            classes: Vec::new(),
            attrs: Vec::new(),
        })));
    }

    /// Prepares the end of a paragraph or item: removes a line end at its end, and then the paragraph if
    /// it is empty. Returns whether it removed the paragraph.
    pub(super) fn end_block(&mut self, end: TagEnd) -> bool {
        if matches!(self.0.last(), Some(PackedEvent::SoftBreak)) {
            self.0.pop();
        }
        let is_empty = matches!(self.0.last(), Some(PackedEvent::Paragraph));
        let goes = is_empty && matches!(end, TagEnd::Paragraph);
        if goes {
            self.0.pop();
        }
        goes
    }

    /// Removes the innermost open list, from its start on.
    pub(super) fn drop_open_list(&mut self) {
        let mut inside = 0;
        let start = self.0.iter().rposition(|event| match event {
            PackedEvent::End(TagEnd::List(_)) => {
                inside += 1;
                false
            }
            PackedEvent::List(_) if inside > 0 => {
                inside -= 1;
                false
            }
            PackedEvent::List(_) => true,
            _ => false,
        });
        self.0.truncate(start.unwrap_or(self.0.len()));
    }

    /// The destinations of links and images, and whether each is an image. Leaves out autolinks
    /// (`<https://…>`).
    pub(super) fn references_mut(&mut self) -> impl Iterator<Item = (&mut CowStr<'a>, bool)> {
        self.0.iter_mut().filter_map(|event| match event {
            PackedEvent::Whole(event) => match &mut **event {
                Event::Start(Tag::Link {
                    dest_url,
                    link_type,
                    ..
                }) if is_reference(*link_type) => Some((dest_url, false)),
                Event::Start(Tag::Image { dest_url, .. }) => Some((dest_url, true)),
                _ => None,
            },
            _ => None,
        })
    }

    /// The pieces of raw HTML.
    pub(super) fn raw_html(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|event| match event {
            PackedEvent::Html(html) | PackedEvent::InlineHtml(html) => Some(*html),
            PackedEvent::Whole(event) => match &**event {
                Event::Html(html) | Event::InlineHtml(html) => Some(html),
                _ => None,
            },
            _ => None,
        })
    }

    /// Takes some out.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        self.0.drain(range);
    }
}

impl<'a> FromIterator<Event<'a>> for Events<'a> {
    fn from_iter<I: IntoIterator<Item = Event<'a>>>(events: I) -> Self {
        Self(events.into_iter().map(pack).collect())
    }
}

#[inline]
fn pack(event: Event<'_>) -> PackedEvent<'_> {
    match event {
        Event::Text(CowStr::Borrowed(text)) => PackedEvent::Text(text),
        Event::Code(CowStr::Borrowed(code)) => PackedEvent::Code(code),
        Event::Html(CowStr::Borrowed(html)) => PackedEvent::Html(html),
        Event::InlineHtml(CowStr::Borrowed(html)) => PackedEvent::InlineHtml(html),
        Event::SoftBreak => PackedEvent::SoftBreak,
        Event::HardBreak => PackedEvent::HardBreak,
        Event::Rule => PackedEvent::Rule,
        Event::TaskListMarker(done) => PackedEvent::TaskListMarker(done),
        Event::Start(Tag::Paragraph) => PackedEvent::Paragraph,
        Event::Start(Tag::Heading {
            level,
            id: None,
            ref classes,
            ref attrs,
        }) if classes.is_empty() && attrs.is_empty() => PackedEvent::Heading(level),
        Event::Start(Tag::HtmlBlock) => PackedEvent::HtmlBlock,
        Event::Start(Tag::List(first)) => PackedEvent::List(first),
        Event::Start(Tag::Item) => PackedEvent::Item,
        Event::Start(Tag::TableHead) => PackedEvent::TableHead,
        Event::Start(Tag::TableRow) => PackedEvent::TableRow,
        Event::Start(Tag::TableCell) => PackedEvent::TableCell,
        Event::Start(Tag::Emphasis) => PackedEvent::Emphasis,
        Event::Start(Tag::Strong) => PackedEvent::Strong,
        Event::Start(Tag::Strikethrough) => PackedEvent::Strikethrough,
        Event::End(tag) => PackedEvent::End(tag),
        other => PackedEvent::Whole(Box::new(other)),
    }
}

#[inline]
fn unpack<'e, 'a>(event: &'e PackedEvent<'a>) -> EventRef<'e, 'a> {
    EventRef::Unpacked(match *event {
        PackedEvent::Text(text) => Event::Text(CowStr::Borrowed(text)),
        PackedEvent::Code(code) => Event::Code(CowStr::Borrowed(code)),
        PackedEvent::Html(html) => Event::Html(CowStr::Borrowed(html)),
        PackedEvent::InlineHtml(html) => Event::InlineHtml(CowStr::Borrowed(html)),
        PackedEvent::SoftBreak => Event::SoftBreak,
        PackedEvent::HardBreak => Event::HardBreak,
        PackedEvent::Rule => Event::Rule,
        PackedEvent::TaskListMarker(done) => Event::TaskListMarker(done),
        PackedEvent::Paragraph => Event::Start(Tag::Paragraph),
        PackedEvent::Heading(level) => Event::Start(Tag::Heading {
            level,
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        PackedEvent::HtmlBlock => Event::Start(Tag::HtmlBlock),
        PackedEvent::List(first) => Event::Start(Tag::List(first)),
        PackedEvent::Item => Event::Start(Tag::Item),
        PackedEvent::TableHead => Event::Start(Tag::TableHead),
        PackedEvent::TableRow => Event::Start(Tag::TableRow),
        PackedEvent::TableCell => Event::Start(Tag::TableCell),
        PackedEvent::Emphasis => Event::Start(Tag::Emphasis),
        PackedEvent::Strong => Event::Start(Tag::Strong),
        PackedEvent::Strikethrough => Event::Start(Tag::Strikethrough),
        PackedEvent::End(tag) => Event::End(tag),
        PackedEvent::Whole(ref event) => return EventRef::Kept(event),
    })
}

/// Whether a link of this form can refer to a source or page; others are absolute.
pub(super) fn is_reference(link: LinkType) -> bool {
    !matches!(link, LinkType::Autolink | LinkType::Email)
}

/// Whether a destination may need to be rewritten or checked. Most are absolute and do not.
pub(super) fn may_matter(destination: &str) -> bool {
    !destination.starts_with("http")
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Parser};

    use super::{Events, PackedEvent};
    use crate::article::markdown_options;

    #[test]
    fn events_come_back_as_they_were_and_are_small() {
        let markdown = concat!(
            include_str!("../../tests/library/render/full.md"),
            "\n\n# a\n\n- [x] *b* **c** ~~d~~ `e` &amp; \\* f  \ng\n\n3. h\n\n<p>i</p>\n\n> [!NOTE]\n> j\n\n***\n",
            "k[^l] <b>m</b> [n](o \"p\") ![q](r)\n\n[^l]: s\n\n|t|u|\n|-|:-|\n|v|w|\n"
        );
        let expected: Vec<Event<'_>> = Parser::new_ext(markdown, markdown_options()).collect();
        let events: Events<'_> = expected.iter().cloned().collect();
        let found: Vec<Event<'_>> = events.iter().map(|event| event.clone()).collect();
        assert_eq!(found, expected);
        assert_eq!(events.footnotes().last(), Some("l"));
        let of_text = expected
            .iter()
            .filter(|event| matches!(event, Event::Text(_)));
        assert!(of_text.count() > 20);
        assert_eq!(size_of::<PackedEvent<'_>>(), 24);
    }
}
