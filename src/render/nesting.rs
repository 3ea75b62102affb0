//! What is open while a body is written: Markdown blocks, and raw tags inside them.
//!
//! The invariant: what is written is a tree as the HTML parser itself would build it.
//! Every raw tag is closed inside the Markdown element it was opened in; a tag that would
//! close others by itself (`<li>` a `<li>`, a block a `<p>`) finds them closed; one that
//! cannot stand where it is (a block in a line of text, a cell outside a row) is not
//! written; content of a raw table that is in none of its cells is written before the
//! table, where the parser would move it. So the parser has nothing to repair, and
//! repairing is what costs: it copies formatting elements into every block after the one
//! they were left open in, and for everything that it moves out of a table it looks for
//! the table among all siblings.

use super::headings::Levels;
use crate::article::html::policy::is_block;

/// How deep raw tags may nest.
pub(super) const MAX_TAGS_DEPTH: usize = 100;

/// How deep the elements of Markdown may nest: lists and quotes 64 deep, a list and its
/// item being two elements, in them emphasis and links 64 deep, and the line that these
/// are part of. Browsers flatten at 512.
const MAX_MARKDOWN_DEPTH: usize = 64 * 2 + 64 + 2;

/// What a Markdown element may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A block: itself no part of a line, holding blocks.
    Blocks,
    /// The same, an item of a list.
    Item,
    /// The same, a definition of a term.
    Definition,
    /// A block that holds a line of text: paragraph, heading.
    Line,
    /// A part of a line.
    Phrase,
    /// A link: a part of a line, in which no other may stand.
    Link,
}

enum Open {
    /// A Markdown element: raw end tags do not reach past it.
    Markdown {
        content: Content,
        /// Whether it is written before the raw table that it stands in.
        hoisted: bool,
    },
    /// A raw element: the name its author gave, and the end tags to write.
    Raw {
        name: &'static str,
        end: &'static str,
        /// For a hidden element: where its output begins, which is removed at its end.
        hidden_from: Option<usize>,
    },
}

/// The stack of what is open.
#[derive(Default)]
pub(super) struct Nesting {
    open: Vec<Open>,
    /// How many of them are raw.
    raw: usize,
    /// For each open raw table, what is written before it. While something is hoisted out
    /// of the innermost, that table waits here instead.
    tables: Vec<String>,
    /// How many of the raw elements are hidden.
    hidden: usize,
    /// The levels before the outermost hidden element.
    levels_before: Levels,
    /// The levels of all headings so far, Markdown and raw alike.
    pub(super) levels: Levels,
}

impl Nesting {
    /// Whether the body nests deeper than it may.
    pub(super) fn is_too_deep(&self) -> bool {
        // Each table may have a `<tbody>` that its author did not write.
        self.raw > MAX_TAGS_DEPTH + self.tables.len()
            || self.open.len() - self.raw > MAX_MARKDOWN_DEPTH
    }

    /// Bytes written that are not in the writer's own buffer.
    pub(super) fn bytes(&self) -> usize {
        self.tables.iter().map(String::len).sum()
    }

    /// Whether a link is open, Markdown or raw. HTML has no links inside links.
    pub(super) fn is_in_link(&self) -> bool {
        self.open.iter().any(|open| {
            matches!(
                open,
                Open::Markdown {
                    content: Content::Link,
                    ..
                } | Open::Raw { name: "a", .. }
            )
        })
    }

    /// Whether what comes now stands in an element that its author hides: nothing of it is written,
    /// listed or linked.
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden > 0
    }

    /// A Markdown element starts.
    pub(super) fn open_markdown(&mut self, out: &mut String, content: Content) {
        if !matches!(content, Content::Phrase | Content::Link) {
            self.start_block(out);
        }
        let hoisted = self.hoist(out);
        self.open.push(Open::Markdown { content, hoisted });
    }

    /// A Markdown element ends: writes the end tags of the raw elements inside it. Returns
    /// what [`Nesting::lower`] is to be told once the end tag of the element is written.
    #[must_use]
    pub(super) fn close_markdown(&mut self, out: &mut String) -> bool {
        loop {
            match self.open.pop() {
                Some(Open::Raw {
                    end, hidden_from, ..
                }) => self.close(out, end, hidden_from),
                Some(Open::Markdown { hoisted, .. }) => return hoisted,
                None => return false,
            }
        }
    }

    /// Something is to be written that is no part of a table. Where a raw table is open, and
    /// none of its cells, `out` is what stands before that table from here on.
    #[must_use]
    pub(super) fn hoist(&mut self, out: &mut String) -> bool {
        let hoists =
            self.hidden == 0 && !self.tables.is_empty() && TABLE_PARTS.contains(&self.top_raw());
        self.lower(out, hoists);
        hoists
    }

    /// It is written. If it was `hoisted`, `out` is the table again.
    pub(super) fn lower(&mut self, out: &mut String, hoisted: bool) {
        if let Some(other) = self.tables.last_mut().filter(|_| hoisted) {
            std::mem::swap(out, other);
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
            "li" if self.is_directly_in(Content::Item) => return None,
            "dt" | "dd" if self.is_directly_in(Content::Definition) => return None,
            "li" => self.close_nearest(out, &["li"], LIST_STOPS),
            "dt" | "dd" => self.close_nearest(out, &["dt", "dd"], LIST_STOPS),
            "rt" | "rp" => self.close_nearest(out, &["rt", "rp"], &["ruby"]),
            "td" | "th" => self.close_nearest(out, &["td", "th"], &["tr", "table"]),
            "tr" => {
                self.close_nearest(out, &["tr", "caption"], &["table"]);
                self.open_table_body(out);
            }
            "caption" if TABLE_BODIES.contains(&self.top_raw()) => {
                self.close_nearest(out, TABLE_BODIES, &[]);
            }
            "thead" | "tbody" | "tfoot" => {
                self.close_nearest(out, TABLE_BODIES, &["table"]);
                self.close_nearest(out, &["tr", "caption"], &["table"]);
            }
            _ => {}
        }
        let may_stand = match (self.top_raw(), name) {
            (top, "td" | "th") => top == "tr",
            (top, "tr") => TABLE_BODIES.contains(&top),
            (top, "caption" | "thead" | "tbody" | "tfoot") => top == "table",
            (top, _) if TABLE_PARTS.contains(&top) => false,
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
                self.tables.push(std::mem::take(out));
                out.push_str(SCROLL_REGION);
                out.push_str(" aria-label=\"Table\">");
                ("table", TABLE_END)
            }
            _ => (name, end_tag(name)),
        };
        self.push_raw(name, end, None);
        Some(written)
    }

    /// Opens a hidden raw element. Its end removes everything that was written since.
    pub(super) fn open_hidden(&mut self, out: &mut String, name: &'static str) {
        if self.hidden == 0 {
            self.levels_before = self.levels.clone();
        }
        let opened = match name {
            "table" => None,
            _ => self.open_raw(out, name, false),
        };
        if opened.is_some() {
            self.open.pop();
            self.raw -= 1;
        }
        self.push_raw(name, "", Some(out.len()));
        self.hidden += 1;
    }

    fn push_raw(&mut self, name: &'static str, end: &'static str, hidden_from: Option<usize>) {
        self.open.push(Open::Raw {
            name,
            end,
            hidden_from,
        });
        self.raw += 1;
    }

    /// A row starts: the parser would open a `<tbody>` for one that stands in the table itself.
    fn open_table_body(&mut self, out: &mut String) {
        if self.top_raw() == "table" {
            out.push_str("<tbody>");
            let (name, end) = ("tbody", end_tag("tbody"));
            self.push_raw(name, end, None);
        }
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
            let hoisted = self.close_markdown(out);
            self.lower(out, hoisted);
        }
    }

    /// Closes the nearest raw element called one of `names`, with all inside it, unless
    /// one of `stops` or a Markdown element lies between.
    fn close_nearest(&mut self, out: &mut String, names: &[&str], stops: &[&str]) {
        let mut from = self.open.len();
        while let Some(Open::Raw { name, .. }) = from.checked_sub(1).map(|at| &self.open[at]) {
            from -= 1;
            if names.contains(name) {
                while self.open.len() > from
                    && let Some(Open::Raw {
                        end, hidden_from, ..
                    }) = self.open.pop()
                {
                    self.close(out, end, hidden_from);
                }
                return;
            }
            if stops.contains(name) {
                return;
            }
        }
    }

    /// Writes the end tag of a raw element that is open no more.
    fn close(&mut self, out: &mut String, end: &str, hidden_from: Option<usize>) {
        self.raw -= 1;
        if let Some(from) = hidden_from {
            out.truncate(from);
            self.hidden -= 1;
            if self.hidden == 0 {
                self.levels = self.levels_before.clone();
            }
            return;
        }
        out.push_str(end);
        if end == TABLE_END
            && let Some(mut before) = self.tables.pop()
        {
            before.push_str(out);
            *out = before;
        }
    }

    /// Whether the innermost Markdown element is an `item` without a raw list inside. A raw item would
    /// end it.
    fn is_directly_in(&self, item: Content) -> bool {
        let mut open = self.open.iter().rev();
        let list = open.find(|open| match open {
            Open::Raw { name, .. } => LIST_STOPS.contains(name),
            Open::Markdown { .. } => true,
        });
        matches!(list, Some(Open::Markdown { content, .. }) if *content == item)
    }

    /// What the innermost Markdown element may contain.
    fn markdown(&self) -> Option<Content> {
        self.open.iter().rev().find_map(|open| match open {
            Open::Markdown { content, .. } => Some(*content),
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

/// Raw elements in which nothing may stand but parts of their table.
const TABLE_PARTS: &[&str] = &["table", "thead", "tbody", "tfoot", "tr"];

/// Raw elements that hold the rows of a table.
const TABLE_BODIES: &[&str] = &["thead", "tbody", "tfoot"];

/// What a raw table ends with.
const TABLE_END: &str = "</table></div>";

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
