//! The text of an article: its title, its summary and its body as Markdown, for tools that read text.
//!
//! It is made of the HTML of the body, as that stands on the page: written and cleaned, links resolved. So
//! it has nothing that the page does not show, whatever the source was written in. What Markdown has no
//! words for is left out of the markup; its text stays.
//!
//! pulldown-cmark-to-cmark is not used: it holds every event of a block, 100 bytes and more each, and
//! renders a block again until it reads the same. This writes along one pass over the HTML.

mod escape;
mod pieces;
mod span;
mod table;
mod writer;

use std::borrow::Cow;

use self::pieces::{Piece, Pieces, StartTag};
use self::span::Span;
use self::table::Table;
use self::writer::{Gap, Markdown};
use super::digest::{self, Digest};
use super::error::RenderError;
use crate::article::html::reference::{Inside, References};

/// What a text is made from.
pub(super) struct Source<'a> {
    pub(super) title: &'a str,
    pub(super) summary: &'a str,
    /// The HTML of the body.
    pub(super) html: &'a str,
    /// The largest text that is allowed, in bytes.
    pub(super) limit: usize,
}

/// The text of an article, ending in `<!--anp:DIGEST-->` and a line end.
pub(super) fn write(source: &Source<'_>, digest: Digest) -> Result<Vec<u8>, RenderError> {
    let limit = source.limit + 2 * (source.title.len() + source.summary.len());
    let mut out = Markdown::new(limit);
    out.begin_heading(1);
    out.text(source.title);
    out.end_heading();
    out.begin_block(Gap::Blank);
    out.text(source.summary);
    out.end_block(Gap::Blank);
    let mut body = Body {
        out,
        pieces: Pieces::new(source.html),
        references: References::default(),
        lists: Vec::new(),
        table: None,
        is_in_notes: false,
    };
    body.write();
    if body.out.is_full() {
        return Err(RenderError {
            code: "body.size",
            message: format!("expected a text of at most {limit} bytes of Markdown, found more"),
        });
    }
    let mut text = body.out.finish().into_bytes();
    text.push(b'\n');
    digest::seal_text(&mut text, digest);
    Ok(text)
}

/// A list that is open.
struct List {
    /// The number of the next item, of an ordered list.
    number: Option<u64>,
    /// An item of it has a paragraph, which empty lines separate.
    is_loose: bool,
    /// What marks its items: lists that follow each other have different marks.
    mark: char,
}

/// A body that is being written.
struct Body<'h> {
    out: Markdown,
    pieces: Pieces<'h>,
    references: References<'h>,
    lists: Vec<List>,
    table: Option<Table>,
    /// The footnotes have begun.
    is_in_notes: bool,
}

impl<'h> Body<'h> {
    fn write(&mut self) {
        // The mark of the list that ended last, if nothing came after it.
        let mut ended = None;
        while let Some(piece) = self.pieces.next() {
            if self.out.is_full() {
                return;
            }
            match piece {
                Piece::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => {
                    self.out.text(text);
                }
                Piece::Text(text) => {
                    let text = self.decoded(text, Inside::Text);
                    self.out.text(&text);
                    ended = None;
                }
                Piece::Start(tag) => {
                    let before = ended.filter(|_| matches!(tag.name, "ul" | "ol"));
                    self.start(tag, before);
                    ended = ended.filter(|_| tag.name == "div");
                }
                Piece::End(name) => ended = self.end(name).or(ended),
            }
        }
    }

    fn decoded(&mut self, text: &'h str, inside: Inside) -> Cow<'h, str> {
        self.references.decode(text, inside)
    }

    fn attribute(&mut self, tag: StartTag<'h>, name: &str) -> String {
        let value = tag.attribute(name).unwrap_or_default();
        self.decoded(value, Inside::Attribute).into_owned()
    }

    /// What is left of the element `name`, as plain text.
    fn inner_text(&mut self, name: &str) -> String {
        let mut text = String::new();
        let references = &mut self.references;
        self.pieces.pass_over(name, |piece| match piece {
            Piece::Text(part) => text.push_str(&references.decode(part, Inside::Text)),
            Piece::Start(tag) if tag.name == "br" => text.push('\n'),
            _ => {}
        });
        text
    }

    fn start(&mut self, tag: StartTag<'h>, list_before: Option<char>) {
        match tag.name {
            "p" | "blockquote" | "ul" | "ol" | "li" | "pre" | "hr" | "dl" | "dt" | "dd" | "h2"
            | "h3" | "h4" | "h5" | "h6" | "div" | "section" | "figure" | "figcaption"
            | "details" | "summary" | "caption" => self.start_block(tag, list_before),
            "table" | "tr" | "td" | "th" => self.start_of_table(tag),
            _ => self.start_in_line(tag),
        }
    }

    fn start_block(&mut self, tag: StartTag<'h>, list_before: Option<char>) {
        match tag.name {
            "p" if tag.is_of_class("kind") => {
                let kind = self.inner_text("p");
                self.out.alert(&kind);
            }
            "p" => {
                if let Some(list) = self.lists.last_mut() {
                    list.is_loose = true;
                }
                self.out.begin_block(Gap::Blank);
            }
            "h2" if self.is_in_notes && tag.attribute("id") == Some("fn") => {
                self.pieces.pass_over("h2", |_| {});
            }
            "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.out.begin_heading(tag.name.as_bytes()[1] - b'0');
            }
            "blockquote" => self.out.begin_quote(),
            "ul" | "ol" => self.start_list(tag, list_before),
            "li" => self.start_item(tag),
            "dt" => self.out.begin_term(),
            "dd" => self.out.begin_definition(),
            "pre" => {
                let language = self.language();
                let code = self.inner_text("pre");
                self.out.code_block(&code, &language);
            }
            "hr" => {
                self.out.begin_block(Gap::Blank);
                self.out.rule();
            }
            "section" if tag.is_of_class("notes") => {
                self.is_in_notes = true;
                self.out.begin_block(Gap::Blank);
            }
            _ => self.out.begin_block(Gap::Blank),
        }
    }

    /// The language of the block of code that begins here.
    fn language(&self) -> String {
        let language = match { self.pieces }.next() {
            Some(Piece::Start(code)) if code.name == "code" => code.attribute("class"),
            _ => None,
        };
        let language = language.and_then(|class| class.strip_prefix("language-"));
        language.unwrap_or_default().to_owned()
    }

    fn start_list(&mut self, tag: StartTag<'h>, list_before: Option<char>) {
        let is_ordered = tag.name == "ol";
        let start = tag.attribute("start");
        let start = start.and_then(|start| start.parse().ok()).unwrap_or(1);
        let [mark, other] = if is_ordered { ['.', ')'] } else { ['-', '*'] };
        // Only these can follow the text of an item at once.
        let follows = !is_ordered || start == 1;
        let gap = match self.lists.is_empty() || !follows {
            true => Gap::Blank,
            false => Gap::Line,
        };
        self.out.begin_block(gap);
        self.lists.push(List {
            number: is_ordered.then_some(start),
            is_loose: false,
            mark: if list_before == Some(mark) {
                other
            } else {
                mark
            },
        });
    }

    fn start_item(&mut self, tag: StartTag<'h>) {
        // CommonMark 0.31.2, section 5.2: a number has nine digits at most.
        const LAST: u64 = 999_999_999;
        let note = tag.attribute("id").and_then(|id| id.strip_prefix("fn-"));
        if let Some(note) = note.filter(|_| self.is_in_notes && self.lists.len() == 1) {
            return self.out.begin_item(format!("[^{note}]: "), 4);
        }
        let marker = match self.lists.last_mut() {
            None => "- ".to_owned(),
            Some(list) => match &mut list.number {
                None => format!("{} ", list.mark),
                Some(number) => {
                    let marker = format!("{}{} ", (*number).min(LAST), list.mark);
                    *number += 1;
                    marker
                }
            },
        };
        let indent = marker.len();
        self.out.begin_item(marker, indent);
    }

    fn start_of_table(&mut self, tag: StartTag<'h>) {
        match (&mut self.table, tag.name) {
            (Some(table), "table") => {
                table.begin_inner();
                self.out.begin_block(Gap::Blank);
            }
            (None, "table") => {
                self.out.begin_block(Gap::Blank);
                self.table = Some(Table::before(self.pieces));
            }
            (Some(table), "td" | "th") => {
                let alignment = tag.attribute("class").unwrap_or_default();
                table.begin_cell(&mut self.out, alignment, table::span(tag));
            }
            _ => {}
        }
    }

    fn start_in_line(&mut self, tag: StartTag<'h>) {
        match tag.name {
            "em" | "i" => self.out.begin_span(Span::Marked("*")),
            "strong" | "b" => self.out.begin_span(Span::Marked("**")),
            "del" | "s" => self.out.begin_span(Span::Marked("~~")),
            "code" | "kbd" | "samp" => {
                let code = self.inner_text(tag.name);
                self.out.code(&code);
            }
            "a" => self.start_link(tag),
            "img" => {
                let [source, alt, title] =
                    ["src", "alt", "title"].map(|name| self.attribute(tag, name));
                match source.is_empty() {
                    // The sanitiser took its URL.
                    true => self.out.text(&alt),
                    false => self.out.image(&source, &alt, &title),
                }
            }
            "br" => self.out.hard_break(),
            "q" => self.out.text("\""),
            // A power must not read as a digit of its base.
            "sup" if !self.is_before_note() => self.out.text("^"),
            "span" if tag.is_of_class("task") => {
                let is_done = self.inner_text("span") == "☑";
                self.out.mark(if is_done { "[x]" } else { "[ ]" });
            }
            _ => {}
        }
    }

    /// Whether the reference to a footnote comes next.
    fn is_before_note(&self) -> bool {
        matches!(
            { self.pieces }.next(),
            Some(Piece::Start(tag)) if tag.attribute("role") == Some("doc-noteref")
        )
    }

    /// Whether a link shows its address and no more.
    fn is_bare(&self, tag: StartTag<'h>) -> bool {
        let destination = tag.attribute("href").unwrap_or_default();
        let mut next = self.pieces;
        let is_address = destination.starts_with("https://") || destination.starts_with("http://");
        is_address
            && !destination.contains(['&', '|', '\\', ' '])
            && tag.attribute("title").is_none()
            && next.next() == Some(Piece::Text(destination))
            && next.next() == Some(Piece::End("a"))
    }

    fn start_link(&mut self, tag: StartTag<'h>) {
        match tag.attribute("role") {
            Some("doc-noteref") => {
                let number = self.inner_text("a");
                self.out.mark(&format!("[^{number}]"));
            }
            Some("doc-backlink") => self.pieces.pass_over("a", |_| {}),
            _ if self.is_bare(tag) => {
                let address = self.inner_text("a");
                self.out.mark(&format!("<{address}>"));
            }
            _ => {
                let [destination, title] = ["href", "title"].map(|name| self.attribute(tag, name));
                // Without a destination it is a place alone.
                let span = match destination.is_empty() {
                    true => Span::Marked(""),
                    false => Span::Link { destination, title },
                };
                self.out.begin_span(span);
            }
        }
    }

    /// Ends an element. Returns the mark of a list that ended.
    fn end(&mut self, name: &str) -> Option<char> {
        match name {
            "em" | "i" | "strong" | "b" | "del" | "s" | "a" => self.out.end_span(),
            "q" => self.out.text("\""),
            "h2" | "h3" | "h4" | "h5" | "h6" => self.out.end_heading(),
            "blockquote" => self.out.end_container(Gap::Blank),
            "ul" | "ol" => {
                self.out.end_block(Gap::Blank);
                return self.lists.pop().map(|list| list.mark);
            }
            "li" => {
                let list = self.lists.last();
                let is_loose = list.is_none_or(|list| list.is_loose);
                self.out
                    .end_container(if is_loose { Gap::Blank } else { Gap::Line });
            }
            "dt" => self.out.end_term(),
            "dd" => self.out.end_definition(),
            "tr" => {
                if let Some(table) = &mut self.table {
                    table.end_row(&mut self.out);
                }
            }
            "td" | "th" => {
                if let Some(table) = &mut self.table {
                    table.end_cell(&mut self.out);
                }
            }
            "table" => {
                if self.table.as_mut().is_none_or(Table::end) {
                    self.table = None;
                }
                self.out.end_block(Gap::Blank);
            }
            "p" | "dl" | "div" | "section" | "figure" | "figcaption" | "details" | "summary"
            | "caption" => self.out.end_block(Gap::Blank),
            _ => {}
        }
        None
    }
}
