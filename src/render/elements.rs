//! The start tags that depend on more than the kind of their event.

use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, LinkType, TagEnd,
};

use super::escape;
use super::markdown::Writer;
use super::nesting::heading_tags;
use super::url::{self, Use};

impl Writer<'_, '_> {
    pub(super) fn start_heading(&mut self, at: usize, level: HeadingLevel) {
        let level = self.nesting.levels.next(level as u8);
        self.heading = level;
        let mut text = String::new();
        for event in self.events.from(at + 1) {
            match &*event {
                Event::End(TagEnd::Heading(_)) => break,
                Event::Text(part) | Event::Code(part) => text.push_str(part),
                Event::SoftBreak | Event::HardBreak => text.push(' '),
                _ => {}
            }
        }
        self.out.push('<');
        self.out.push_str(heading_tags(level).0);
        self.out.push_str(" id=\"h-");
        self.out.push_str(&self.ids.next(&text));
        self.out.push_str("\">");
    }

    pub(super) fn start_quote(&mut self, kind: Option<BlockQuoteKind>) {
        self.out.push_str(match kind {
            None => "<blockquote>\n",
            Some(BlockQuoteKind::Note) => {
                "<blockquote class=\"alert\"><p class=\"kind\">Note</p>\n"
            }
            Some(BlockQuoteKind::Tip) => "<blockquote class=\"alert\"><p class=\"kind\">Tip</p>\n",
            Some(BlockQuoteKind::Important) => {
                "<blockquote class=\"alert\"><p class=\"kind\">Important</p>\n"
            }
            Some(BlockQuoteKind::Warning) => {
                "<blockquote class=\"alert\"><p class=\"kind\">Warning</p>\n"
            }
            Some(BlockQuoteKind::Caution) => {
                "<blockquote class=\"alert\"><p class=\"kind\">Caution</p>\n"
            }
        });
    }

    pub(super) fn start_code(&mut self, kind: &CodeBlockKind<'_>) {
        // Focusable, so that a keyboard can scroll it sideways.
        self.out.push_str("<pre tabindex=\"0\"><code");
        if let CodeBlockKind::Fenced(info) = kind {
            let language = info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
            let is_name =
                |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'#' | b'.' | b'-' | b'_');
            if (1..=32).contains(&language.len()) && language.bytes().all(is_name) {
                self.out.push_str(" class=\"language-");
                self.out.push_str(language);
                self.out.push('"');
            }
        }
        self.out.push('>');
    }

    pub(super) fn start_cell(&mut self) {
        self.out.push_str(if self.in_table_head {
            "<th scope=\"col\""
        } else {
            "<td"
        });
        match self.alignments.get(self.column) {
            Some(Alignment::Center) => self.out.push_str(" class=\"mid\""),
            Some(Alignment::Right) => self.out.push_str(" class=\"end\""),
            Some(Alignment::Left | Alignment::None) | None => {}
        }
        self.out.push('>');
    }

    pub(super) fn start_link(
        &mut self,
        kind: LinkType,
        destination: &str,
        title: &str,
        in_link: bool,
    ) {
        let is_email = matches!(kind, LinkType::Email) && !destination.starts_with("mailto:");
        let is_allowed = is_email || url::is_allowed(destination, Use::Link);
        if !is_allowed {
            self.removed.urls += 1;
        }
        self.link_written = is_allowed && !in_link;
        if !self.link_written {
            return;
        }
        self.out.push_str("<a href=\"");
        if is_email {
            self.out.push_str("mailto:");
        }
        match destination.strip_prefix('#') {
            // Headings have their ids behind a prefix.
            Some(id) if !id.is_empty() && !id.starts_with("h-") => {
                self.out.push_str("#h-");
                url::write(&mut self.out, id);
            }
            _ => url::write(&mut self.out, destination),
        }
        self.out.push('"');
        self.title(title);
        self.out.push('>');
    }

    /// Writes a `title` attribute, unless it is empty.
    pub(super) fn title(&mut self, title: &str) {
        if !title.is_empty() {
            self.out.push_str(" title=\"");
            escape::attribute(&mut self.out, title);
            self.out.push('"');
        }
    }
}
