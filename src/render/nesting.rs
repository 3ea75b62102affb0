//! What is open while a body is written: Markdown blocks, and raw tags inside them.
//!
//! The invariant: at the end of a Markdown block every raw tag that was opened in it is
//! closed, so the text that is written is always balanced, and no deeper than
//! [`MAX_DEPTH`].

use super::headings::Levels;

/// How deep lists, quotes and raw tags may nest. Browsers flatten at 512.
pub(super) const MAX_DEPTH: usize = 100;

enum Open {
    /// A Markdown element: raw end tags do not reach past it.
    Markdown,
    /// A raw element: the name its author gave, and the end tags to write.
    Raw {
        name: &'static str,
        end: &'static str,
    },
}

/// The stack of what is open.
#[derive(Default)]
pub(super) struct Nesting {
    open: Vec<Open>,
    /// The levels of all headings so far, Markdown and raw alike.
    pub(super) levels: Levels,
}

impl Nesting {
    /// Whether the body nests deeper than it may.
    pub(super) fn is_too_deep(&self) -> bool {
        self.open.len() > MAX_DEPTH
    }

    /// A Markdown element starts.
    pub(super) fn open_markdown(&mut self) {
        self.open.push(Open::Markdown);
    }

    /// A Markdown element ends: writes the end tags of the raw elements inside it.
    pub(super) fn close_markdown(&mut self, out: &mut String) {
        while let Some(Open::Raw { end, .. }) = self.open.pop() {
            out.push_str(end);
        }
    }

    /// A raw element starts. Returns the name to write in its start tag; what must stand
    /// before that tag is appended to `out`.
    pub(super) fn open_raw(&mut self, out: &mut String, name: &'static str) -> &'static str {
        let (written, end) = match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = self.levels.next(name.as_bytes()[1] - b'0');
                heading_tags(level)
            }
            "table" => {
                out.push_str(SCROLL_REGION);
                out.push_str(" aria-label=\"Table\">");
                ("table", "</table></div>")
            }
            _ => (name, end_tag(name)),
        };
        self.open.push(Open::Raw { name, end });
        written
    }

    /// A raw end tag: closes the element and what is open inside it. False if there is no
    /// such element in the Markdown block at hand.
    pub(super) fn close_raw(&mut self, out: &mut String, name: &str) -> bool {
        let found = self
            .open
            .iter()
            .rev()
            .map_while(|open| match open {
                Open::Markdown => None,
                Open::Raw { name, .. } => Some(*name),
            })
            .position(|open| open == name);
        let Some(inside) = found else {
            return false;
        };
        for _ in 0..=inside {
            if let Some(Open::Raw { end, .. }) = self.open.pop() {
                out.push_str(end);
            }
        }
        true
    }

    /// The body ends.
    pub(super) fn close_all(&mut self, out: &mut String) {
        while !self.open.is_empty() {
            self.close_markdown(out);
        }
    }
}

/// The start of a container that scrolls sideways, for what may be wider than a phone.
/// An `aria-label` and `>` must follow.
pub(super) const SCROLL_REGION: &str = "<div class=\"scroll\" role=\"region\" tabindex=\"0\"";

/// Name and end tag of a heading of `level`.
pub(super) fn heading_tags(level: u8) -> (&'static str, &'static str) {
    match level {
        ..=2 => ("h2", "</h2>\n"),
        3 => ("h3", "</h3>\n"),
        4 => ("h4", "</h4>\n"),
        5 => ("h5", "</h5>\n"),
        _ => ("h6", "</h6>\n"),
    }
}

/// The end tag of every element that raw HTML may open.
macro_rules! end_tags {
    ($name:expr, $($known:literal)*) => {
        match $name { $($known => concat!("</", $known, ">"),)* _ => "" }
    };
}

fn end_tag(name: &str) -> &'static str {
    end_tags!(name,
        "a" "abbr" "b" "bdi" "blockquote" "caption" "cite" "code" "dd" "del" "details" "dfn" "div" "dl" "dt"
        "em" "figcaption" "figure" "i" "ins" "kbd" "li" "mark" "ol" "p" "pre" "q" "rp" "rt" "ruby" "s" "samp"
        "small" "span" "strong" "sub" "summary" "sup" "tbody" "td" "tfoot" "th" "thead" "time" "tr" "u"
        "ul" "var")
}
