//! What is open while a body is written: Markdown blocks, and raw tags inside them.
//!
//! The invariant: what is written is a tree as the HTML parser itself would build it.
//! Every raw tag is closed inside the Markdown element it was opened in; a tag that would
//! close others by itself (`<li>` a `<li>`, a block a `<p>`) finds them closed; one that
//! cannot stand where it is (a block in a line of text, a cell outside a row) is not
//! written. So the parser has nothing to repair, and repairing is what costs: it copies
//! formatting elements into every block after the one they were left open in.

use super::headings::Levels;

/// How deep lists, quotes and raw tags may nest. Browsers flatten at 512.
pub(super) const MAX_DEPTH: usize = 100;

/// What a Markdown element may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A block: itself no part of a line, holding blocks.
    Blocks,
    /// A block that holds a line of text: paragraph, heading.
    Line,
    /// A part of a line.
    Phrase,
    /// A link: a part of a line, in which no other may stand.
    Link,
}

enum Open {
    /// A Markdown element: raw end tags do not reach past it.
    Markdown(Content),
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

    /// Whether a link is open, Markdown or raw. HTML has no links inside links.
    pub(super) fn is_in_link(&self) -> bool {
        self.open.iter().any(|open| {
            matches!(
                open,
                Open::Markdown(Content::Link) | Open::Raw { name: "a", .. }
            )
        })
    }

    /// A Markdown element starts.
    pub(super) fn open_markdown(&mut self, out: &mut String, content: Content) {
        if matches!(content, Content::Blocks | Content::Line) {
            self.start_block(out);
        }
        self.open.push(Open::Markdown(content));
    }

    /// A Markdown element ends: writes the end tags of the raw elements inside it.
    pub(super) fn close_markdown(&mut self, out: &mut String) {
        while let Some(Open::Raw { end, .. }) = self.open.pop() {
            out.push_str(end);
        }
    }

    /// A block starts: a raw paragraph that is still open ends before it.
    pub(super) fn start_block(&mut self, out: &mut String) {
        self.close_nearest(out, &["p"], &["table", "td", "th", "caption"]);
    }

    /// A raw element starts. Returns the name to write in its start tag, or `None` if it
    /// cannot stand here; what must come before that tag is appended to `out`.
    pub(super) fn open_raw(
        &mut self,
        out: &mut String,
        name: &'static str,
        is_void: bool,
    ) -> Option<&'static str> {
        if is_block(name) {
            if matches!(
                self.markdown(),
                Some(Content::Line | Content::Phrase | Content::Link)
            ) {
                return None;
            }
            self.start_block(out);
        }
        match name {
            "a" if self.is_in_link() => return None,
            "li" => self.close_nearest(out, &["li"], LIST_STOPS),
            "dt" | "dd" => self.close_nearest(out, &["dt", "dd"], LIST_STOPS),
            "rt" | "rp" => self.close_nearest(out, &["rt", "rp"], &["ruby"]),
            "td" | "th" => self.close_nearest(out, &["td", "th"], &["tr", "table"]),
            "tr" => self.close_nearest(out, &["tr", "caption"], &["table"]),
            "thead" | "tbody" | "tfoot" => {
                self.close_nearest(out, &["thead", "tbody", "tfoot"], &["table"]);
                self.close_nearest(out, &["tr", "caption"], &["table"]);
            }
            _ => {}
        }
        let may_stand = match (self.top_raw(), name) {
            (top, "td" | "th") => top == "tr",
            (top, "tr") => ["table", "thead", "tbody", "tfoot"].contains(&top),
            (top, "caption" | "thead" | "tbody" | "tfoot") => top == "table",
            ("table" | "thead" | "tbody" | "tfoot" | "tr", _) => false,
            _ => true,
        };
        if !may_stand {
            return None;
        }
        if is_void {
            return Some(name);
        }
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
        Some(written)
    }

    /// A raw end tag: closes the element and what is open inside it. False if there is no
    /// such element in the Markdown element at hand.
    pub(super) fn close_raw(&mut self, out: &mut String, name: &str) -> bool {
        let before = self.open.len();
        self.close_nearest(out, &[name], &[]);
        self.open.len() < before
    }

    /// The body ends.
    pub(super) fn close_all(&mut self, out: &mut String) {
        while !self.open.is_empty() {
            self.close_markdown(out);
        }
    }

    /// Closes the nearest raw element called one of `names`, with all inside it, unless
    /// one of `stops` or a Markdown element lies between.
    fn close_nearest(&mut self, out: &mut String, names: &[&str], stops: &[&str]) {
        let mut from = self.open.len();
        while let Some(Open::Raw { name, .. }) = from.checked_sub(1).map(|at| &self.open[at]) {
            from -= 1;
            if names.contains(name) {
                for open in self.open.drain(from..).rev() {
                    if let Open::Raw { end, .. } = open {
                        out.push_str(end);
                    }
                }
                return;
            }
            if stops.contains(name) {
                return;
            }
        }
    }

    /// What the innermost Markdown element may contain.
    fn markdown(&self) -> Option<Content> {
        self.open.iter().rev().find_map(|open| match open {
            Open::Markdown(content) => Some(*content),
            Open::Raw { .. } => None,
        })
    }

    /// The innermost open element if that is a raw one, else nothing.
    fn top_raw(&self) -> &'static str {
        match self.open.last() {
            Some(Open::Raw { name, .. }) => name,
            _ => "",
        }
    }
}

/// Elements beyond which no item of a list ends (HTML §13.2.6.4.7, "A start tag whose tag
/// name is li": special elements except `div` and `p`).
const LIST_STOPS: &[&str] = &[
    "ul",
    "ol",
    "dl",
    "table",
    "td",
    "th",
    "caption",
    "blockquote",
    "details",
    "summary",
    "figure",
    "figcaption",
    "pre",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
];

/// Elements that cannot be part of a line of text.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "blockquote"
            | "caption"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "figcaption"
            | "figure"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "hr"
            | "li"
            | "ol"
            | "p"
            | "pre"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
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
