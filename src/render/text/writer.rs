//! Writes Markdown: blocks with what stands before each of their lines, and lines with spans of text.

use super::escape::{self, Around};
use super::span::{OpenSpan, Span};

/// What separates a block from the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Nothing: it is the first of its container.
    #[default]
    None,
    /// The end of a line.
    Line,
    /// An empty line.
    Blank,
}

/// What stands before each line of the blocks in it.
enum Container {
    /// A quote.
    Quote,
    /// An item of a list or a footnote.
    Item {
        /// What stands before its first line.
        marker: String,
        /// How far its other lines are indented, in columns.
        indent: usize,
        /// Its first line is there.
        is_begun: bool,
    },
}

/// Where the text that comes stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In a block that may have several lines.
    #[default]
    Block,
    /// In a heading.
    Heading,
    /// In a cell of a table.
    Cell,
}

/// White space that waits for what follows it: at the end of a block there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    #[default]
    None,
    Between,
    LineEnd,
    Break,
}

/// Markdown that is being written.
pub(super) struct Markdown {
    out: String,
    /// How long it may become, in bytes.
    limit: usize,
    containers: Vec<Container>,
    gap: Gap,
    /// How many of the containers the line before the gap was in.
    gap_depth: usize,
    place: Place,
    space: Space,
    /// The line at hand is begun, …
    is_line_open: bool,
    /// … and has no text yet.
    is_line_blank: bool,
    /// What stands before the first text of the block.
    lead: &'static str,
    /// Where the text of the last term ends.
    term_end: usize,
    spans: Vec<OpenSpan>,
    /// Where the last mark of a span that ended is: right behind it no other can begin.
    mark_end: usize,
}

impl Markdown {
    /// Nothing yet, of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            out: String::new(),
            limit,
            containers: Vec::new(),
            gap: Gap::None,
            gap_depth: 0,
            place: Place::Block,
            space: Space::None,
            is_line_open: false,
            is_line_blank: true,
            lead: "",
            term_end: usize::MAX,
            spans: Vec::new(),
            mark_end: usize::MAX,
        }
    }

    /// Whether it is longer than it may become.
    pub(super) fn is_full(&self) -> bool {
        self.out.len() > self.limit
    }

    /// All of it, with one line end behind it.
    pub(super) fn finish(mut self) -> String {
        self.end_block(Gap::None);
        self.out
    }

    /// Whether blocks cannot begin here: a heading and a cell are one line.
    fn is_in_line(&self) -> bool {
        self.place != Place::Block
    }

    /// A block begins that `gap` separates from a line before it.
    pub(super) fn begin_block(&mut self, gap: Gap) {
        match self.is_in_line() {
            true => self.wait(Space::Between),
            false => self.end_line(gap),
        }
    }

    /// A block ends that `gap` separates from the next.
    pub(super) fn end_block(&mut self, gap: Gap) {
        if self.is_in_line() {
            return self.wait(Space::Between);
        }
        self.end_line(gap);
        if !self.out.is_empty() && !self.is_first_of_container() {
            self.gap = self.gap.max(gap);
        }
    }

    /// A term begins.
    pub(super) fn begin_term(&mut self) {
        self.begin_block(Gap::Blank);
        self.join_term();
    }

    /// The term ends.
    pub(super) fn end_term(&mut self) {
        let is_text = self.is_line_open && !self.is_in_line();
        self.end_block(Gap::Blank);
        if is_text {
            self.term_end = self.out.len();
        }
    }

    /// A definition begins. In CommonMark its mark is text: a line with one begins no block but a paragraph,
    /// and what is indented below it can be no block either. So only text has the mark, and nothing is
    /// indented.
    pub(super) fn begin_definition(&mut self) {
        self.begin_block(Gap::Line);
        if !self.is_in_line() {
            self.join_term();
            self.lead = ": ";
        }
    }

    /// The definition ends.
    pub(super) fn end_definition(&mut self) {
        if !self.is_in_line() {
            self.begin_no_text();
        }
        self.end_block(Gap::Blank);
    }

    /// Separates the next block from a term right before it by a line end alone.
    fn join_term(&mut self) {
        if self.gap == Gap::Blank && self.term_end == self.out.len() {
            self.gap = Gap::Line;
        }
    }

    /// What comes is no text: it takes no mark of a definition, and does not go on a line with one.
    fn begin_no_text(&mut self) {
        if !std::mem::take(&mut self.lead).is_empty() && self.gap == Gap::Line {
            self.gap = Gap::Blank;
        }
    }

    /// The line at hand ends, if there is one. Spans go on in the next.
    fn end_line(&mut self, gap: Gap) {
        if self.is_line_open {
            self.suspend_spans();
            self.out.push('\n');
            self.is_line_open = false;
            self.gap = gap;
            self.gap_depth = self.containers.len();
        }
        self.space = Space::None;
    }

    fn is_first_of_container(&self) -> bool {
        matches!(
            self.containers.last(),
            Some(Container::Item {
                is_begun: false,
                ..
            })
        )
    }

    /// A heading of this level begins.
    pub(super) fn begin_heading(&mut self, level: u8) {
        const LEADS: [&str; 6] = ["# ", "## ", "### ", "#### ", "##### ", "###### "];
        self.begin_block(Gap::Blank);
        if !self.is_in_line() {
            self.begin_no_text();
            self.lead = LEADS[usize::from(level.clamp(1, 6)) - 1];
            self.place = Place::Heading;
        }
    }

    /// The heading ends.
    pub(super) fn end_heading(&mut self) {
        if self.place == Place::Heading {
            self.place = Place::Block;
        }
        self.lead = "";
        self.end_block(Gap::Blank);
    }

    /// A quote begins.
    pub(super) fn begin_quote(&mut self) {
        self.open(Container::Quote);
    }

    /// The kind of an alert, at the beginning of its quote.
    pub(super) fn alert(&mut self, kind: &str) {
        if self.is_in_line() {
            self.text(kind);
            return self.end_block(Gap::Line);
        }
        self.line(&format!("[!{}]", kind.to_uppercase()));
    }

    /// An item begins: `marker` stands before its first line, and the others are indented as far.
    pub(super) fn begin_item(&mut self, marker: String, indent: usize) {
        self.open(Container::Item {
            marker,
            indent,
            is_begun: false,
        });
    }

    fn open(&mut self, container: Container) {
        self.begin_block(Gap::Line);
        if !self.is_in_line() {
            self.begin_no_text();
            self.containers.push(container);
        }
    }

    /// The quote or item that was begun last ends.
    pub(super) fn end_container(&mut self, gap: Gap) {
        if self.is_in_line() {
            return self.wait(Space::Between);
        }
        self.end_line(Gap::Line);
        if self.is_first_of_container() {
            // An item without text.
            self.open_line();
            self.out.truncate(self.out.trim_end_matches(' ').len());
            self.end_line(Gap::Line);
        }
        self.containers.pop();
        self.gap_depth = self.gap_depth.min(self.containers.len());
        if !self.out.is_empty() {
            self.gap = gap;
        }
    }

    /// A line that is written as it stands.
    pub(super) fn line(&mut self, line: &str) {
        self.begin_no_text();
        self.open_line();
        self.out.push_str(line);
        self.end_line(Gap::Line);
    }

    /// A line across the page, as a block of its own.
    pub(super) fn rule(&mut self) {
        if !self.is_in_line() {
            // No list has this mark, so it can be the first of an item.
            self.line("___");
            self.end_block(Gap::Blank);
        }
    }

    /// A block of code.
    pub(super) fn code_block(&mut self, code: &str, language: &str) {
        if self.is_in_line() {
            return self.code(code);
        }
        self.begin_block(Gap::Line);
        let fence = "`".repeat(escape::backticks(code).max(2) + 1);
        self.line(&format!("{fence}{language}"));
        for line in code.strip_suffix('\n').unwrap_or(code).split('\n') {
            if self.is_full() {
                return;
            }
            match line {
                "" => self.empty_line(self.containers.len()),
                line => self.line(line),
            }
        }
        self.line(&fence);
        self.end_block(Gap::Blank);
    }

    // Tables.

    /// A row of a table begins.
    pub(super) fn begin_row(&mut self, is_first: bool) {
        self.end_line(if is_first { Gap::Blank } else { Gap::Line });
        self.begin_no_text();
        self.open_line();
        self.out.push('|');
        self.place = Place::Cell;
    }

    /// A cell begins.
    pub(super) fn begin_cell(&mut self) {
        self.out.push(' ');
        self.is_line_blank = true;
        self.space = Space::None;
    }

    /// A cell ends.
    pub(super) fn end_cell(&mut self) {
        self.suspend_spans();
        self.out.push_str(" |");
    }

    /// A row ends.
    pub(super) fn end_row(&mut self) {
        self.place = Place::Block;
        self.end_line(Gap::Line);
    }

    fn open_line(&mut self) {
        if std::mem::take(&mut self.gap) == Gap::Blank {
            self.empty_line(self.gap_depth);
        }
        self.prefix(self.containers.len());
        self.is_line_open = true;
        self.is_line_blank = true;
    }

    /// Writes an empty line in the first `depth` containers.
    fn empty_line(&mut self, depth: usize) {
        self.prefix(depth);
        let text = self.out.trim_end_matches(' ').len();
        self.out.truncate(text);
        self.out.push('\n');
    }

    /// Writes what stands before a line in the first `depth` containers.
    fn prefix(&mut self, depth: usize) {
        for container in self.containers.iter_mut().take(depth) {
            match container {
                Container::Quote => self.out.push_str("> "),
                Container::Item {
                    is_begun: true,
                    indent,
                    ..
                } => self.out.extend(std::iter::repeat_n(' ', *indent)),
                Container::Item {
                    marker, is_begun, ..
                } => {
                    self.out.push_str(marker);
                    *is_begun = true;
                }
            }
        }
    }
}

/// What stands in lines.
impl Markdown {
    /// Text, whose white space counts as HTML counts it.
    pub(super) fn text(&mut self, text: &str) {
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
        let mut rest = text;
        loop {
            let word = rest.trim_start_matches(is_space);
            if word.len() < rest.len() {
                let blank = &rest[..rest.len() - word.len()];
                let has_line_end = blank.contains('\n');
                self.wait(if has_line_end {
                    Space::LineEnd
                } else {
                    Space::Between
                });
            }
            // Each line of a text may take a prefix that is longer than itself.
            if word.is_empty() || self.is_full() {
                return;
            }
            let (word, after) = word.split_at(word.find(is_space).unwrap_or(word.len()));
            self.begin_text(word.chars().next());
            let around = Around {
                before: self.out.chars().next_back(),
                starts_line: self.is_line_blank && !self.is_in_line(),
                is_in_brackets: self.is_in_link(),
                is_in_cell: self.place == Place::Cell,
                is_in_heading: self.place == Place::Heading,
                is_last: after.is_empty(),
            };
            escape::word(&mut self.out, word, around);
            self.is_line_blank = false;
            rest = after;
        }
    }

    /// Markdown that is written as it stands.
    pub(super) fn mark(&mut self, mark: &str) {
        self.begin_text(mark.chars().next());
        if mark.starts_with('[') {
            self.keep_exclamation_mark();
        }
        self.out.push_str(mark);
        self.is_line_blank = false;
    }

    /// Code in a line.
    pub(super) fn code(&mut self, code: &str) {
        let code = code.replace(['\n', '\r'], " ");
        if code.is_empty() {
            return;
        }
        self.begin_text(Some('`'));
        if self.out.ends_with('`') {
            self.out.push(' ');
        }
        let fence = "`".repeat(escape::backticks(&code) + 1);
        let is_padded = code.starts_with('`')
            || code.ends_with('`')
            || code.starts_with(' ') && code.ends_with(' ') && !code.trim().is_empty();
        let pad = if is_padded { " " } else { "" };
        self.out.push_str(&fence);
        self.out.push_str(pad);
        match self.place {
            Place::Cell => self.out.push_str(&code.replace('|', "\\|")),
            _ => self.out.push_str(&code),
        }
        self.out.push_str(pad);
        self.out.push_str(&fence);
        self.is_line_blank = false;
    }

    /// An image.
    pub(super) fn image(&mut self, source: &str, alt: &str, title: &str) {
        self.begin_text(Some('!'));
        self.out.push_str("![");
        let mut alt = alt.split_whitespace().peekable();
        while let Some(word) = alt.next() {
            let around = Around {
                is_in_brackets: true,
                is_in_cell: self.place == Place::Cell,
                is_last: alt.peek().is_none(),
                ..Around::default()
            };
            escape::word(&mut self.out, word, around);
            if alt.peek().is_some() {
                self.out.push(' ');
            }
        }
        self.target(source, title);
        self.is_line_blank = false;
    }

    /// A line ends that the author ended.
    pub(super) fn hard_break(&mut self) {
        self.wait(Space::Break);
    }

    /// A span begins.
    pub(super) fn begin_span(&mut self, span: Span) {
        self.spans.push(OpenSpan {
            span,
            is_written: false,
        });
    }

    /// The span that was begun last ends.
    pub(super) fn end_span(&mut self) {
        if let Some(open) = self.spans.pop().filter(|open| open.is_written) {
            self.end_written(&open.span);
        }
    }

    fn is_in_link(&self) -> bool {
        let is_link = |open: &OpenSpan| matches!(open.span, Span::Link { .. });
        self.spans.iter().any(is_link)
    }

    fn end_written(&mut self, span: &Span) {
        match span {
            Span::Marked("") => {}
            Span::Marked(mark) => {
                self.out.push_str(mark);
                self.mark_end = self.out.len();
            }
            Span::Link { destination, title } => self.target(destination, title),
        }
    }

    /// Ends the spans that are open for the rest of the line: they begin again with the next text.
    fn suspend_spans(&mut self) {
        let mut spans = std::mem::take(&mut self.spans);
        for open in spans.iter_mut().rev() {
            if std::mem::take(&mut open.is_written) {
                self.end_written(&open.span);
            }
        }
        self.spans = spans;
    }

    fn target(&mut self, destination: &str, title: &str) {
        self.out.push_str("](");
        escape::destination(&mut self.out, destination);
        let title: Vec<&str> = title.split_whitespace().collect();
        if !title.is_empty() {
            self.out.push_str(" \"");
            for (at, word) in title.iter().enumerate() {
                let around = Around {
                    is_in_cell: self.place == Place::Cell,
                    is_last: at + 1 == title.len(),
                    ..Around::default()
                };
                let space = if at > 0 { " " } else { "" };
                self.out.push_str(space);
                escape::word(&mut self.out, &word.replace('"', "'"), around);
            }
            self.out.push('"');
        }
        self.out.push(')');
    }

    /// White space comes, of which there is none at the beginning of a line.
    fn wait(&mut self, space: Space) {
        if self.is_line_open && !self.is_line_blank {
            self.space = self.space.max(space);
        }
    }

    /// Text comes that begins with `first`.
    fn begin_text(&mut self, first: Option<char>) {
        if !self.is_line_open {
            self.open_line();
            self.out.push_str(std::mem::take(&mut self.lead));
        }
        match (std::mem::take(&mut self.space), self.is_in_line()) {
            (Space::None, _) => {}
            (Space::Between, _) | (_, true) => self.out.push(' '),
            (space, false) => {
                self.out
                    .push_str(if space == Space::Break { "\\\n" } else { "\n" });
                self.prefix(self.containers.len());
                self.is_line_blank = true;
            }
        }
        if self.spans.iter().all(|open| open.is_written) {
            return;
        }
        let before = self.out.chars().next_back();
        let is_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        // Marks between a letter and a sign mark nothing (CommonMark 0.31.2, section 6.2), and those behind
        // other marks something else, as do those inside the same marks.
        let may_mark =
            self.mark_end != self.out.len() && (!is_of_word(before) || is_of_word(first));
        let mut spans = std::mem::take(&mut self.spans);
        for place in 0..spans.len() {
            let (around, inner) = spans.split_at_mut(place);
            let open = &mut inner[0];
            if open.is_written {
                continue;
            }
            match &open.span {
                Span::Link { .. } => {
                    self.keep_exclamation_mark();
                    self.out.push('[');
                    open.is_written = true;
                }
                Span::Marked(mark) if may_mark && !around.iter().any(|open| open.is(mark)) => {
                    self.out.push_str(mark);
                    open.is_written = true;
                }
                Span::Marked(_) => open.span = Span::Marked(""),
            }
            self.is_line_blank = false;
        }
        self.spans = spans;
    }

    /// Before a bracket, an exclamation mark would make an image.
    fn keep_exclamation_mark(&mut self) {
        let Some(before) = self.out.strip_suffix('!') else {
            return;
        };
        // Of two backslashes, the first one escapes the other.
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        if backslashes % 2 == 0 {
            self.out.insert(before.len(), '\\');
        }
    }
}
