//! What the readers of other programs (libyaml, js-yaml, Psych) take, and `saphyr-parser`
//! refuses: lines within brackets or quotes that are not indented deeper than their mapping, and
//! a tab behind a colon.
//!
//! [`repaired`] writes such a text as the parser wants it: those lines move to the right, those
//! tabs become spaces. Neither means anything to YAML there. It knows just enough of YAML to tell
//! where brackets, quotes, block scalars and comments begin and end, and is asked only for a text
//! that the parser has refused. A test repairs texts that the parser takes as well: what is read
//! stays the same.

/// Lines that were moved to the right.
#[derive(Default)]
pub(super) struct Shifts(Vec<(usize, usize)>);

impl Shifts {
    /// By how many columns the line was moved. Lines count from 1.
    pub(super) fn of_line(&self, line: usize) -> usize {
        let found = self.0.binary_search_by_key(&line, |(line, _)| *line);
        found.map_or(0, |index| self.0[index].1)
    }
}

/// The text as the parser wants it; none if there is nothing to repair.
pub(super) fn repaired(text: &str) -> Option<(String, Shifts)> {
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        line_start: 0,
        pending: -1,
        tabs: Vec::new(),
        moved: Vec::new(),
    };
    scan.block();
    let Scan { tabs, moved, .. } = scan;
    if tabs.is_empty() && moved.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len() + 16 * moved.len());
    let mut done = 0;
    let mut tabs = tabs.into_iter().peekable();
    let mut copy = |out: &mut String, end: usize| {
        while let Some(tab) = tabs.next_if(|tab| *tab < end) {
            out.push_str(&text[done..tab]);
            out.push(' ');
            done = tab + 1;
        }
        out.push_str(&text[done..end]);
        done = end;
    };
    for moved in &moved {
        copy(&mut out, moved.start);
        out.extend(std::iter::repeat_n(' ', moved.columns));
    }
    copy(&mut out, text.len());
    let shifts = moved.iter().map(|moved| (moved.line, moved.columns));
    Some((out, Shifts(shifts.collect())))
}

/// A line that has to move to the right.
struct Moved {
    line: usize,
    /// Its first byte.
    start: usize,
    columns: usize,
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    /// The line of `at`, from 1, and its first byte.
    line: usize,
    line_start: usize,
    /// The column of the key or dash whose value is to come on a later line; -1: none is.
    pending: isize,
    /// Tabs that become spaces.
    tabs: Vec<usize>,
    moved: Vec<Moved>,
}

/// A space, a tab, the end of a line or of the text.
fn is_blank(b: Option<&u8>) -> bool {
    matches!(b, None | Some(b' ' | b'\t' | b'\n' | b'\r'))
}

/// What divides or ends values within brackets.
fn is_flow_mark(b: Option<&u8>) -> bool {
    matches!(b, Some(b',' | b'[' | b']' | b'{' | b'}'))
}

impl Scan<'_> {
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next_is_blank(&self) -> bool {
        is_blank(self.bytes.get(self.at + 1))
    }

    fn next_is_flow_mark(&self) -> bool {
        is_flow_mark(self.bytes.get(self.at + 1))
    }

    fn at_line_end(&self) -> bool {
        matches!(self.byte(), None | Some(b'\n' | b'\r'))
    }

    /// Passes over one byte, or over one line end.
    fn step(&mut self) {
        let b = self.byte();
        self.at += 1;
        if b == Some(b'\r') && self.byte() == Some(b'\n') {
            self.at += 1;
        }
        if matches!(b, Some(b'\n' | b'\r')) {
            self.line += 1;
            self.line_start = self.at;
        }
    }

    fn rest_of_line(&mut self) {
        while !self.at_line_end() {
            self.at += 1;
        }
    }

    fn end_line(&mut self) {
        self.rest_of_line();
        if self.at < self.bytes.len() {
            self.step();
        }
    }

    /// As [`Self::end_line`], unless a block scalar has ended the line already.
    fn end_begun_line(&mut self) {
        if self.at > self.line_start {
            self.end_line();
        }
    }

    fn spaces(&mut self) -> isize {
        let start = self.at;
        while self.byte() == Some(b' ') {
            self.at += 1;
        }
        (self.at - start).cast_signed()
    }

    fn blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn column(&self) -> isize {
        (self.at - self.line_start).cast_signed()
    }

    /// Whether a comment begins here.
    fn at_comment(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| &self.bytes[at]);
        self.byte() == Some(b'#') && is_blank(before)
    }

    /// Whether the line that begins here is `---` or `...`, alone or before a blank.
    fn at_marker(&self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        is_blank(rest.get(3)) && (rest.starts_with(b"---") || rest.starts_with(b"..."))
    }

    /// The whole text, by lines.
    fn block(&mut self) {
        // The column of the key or dash of a plain text that may go on.
        let mut plain_of = None;
        while self.at < self.bytes.len() {
            if self.at_marker() {
                self.at += 3;
                self.blanks();
                self.pending = -1;
                plain_of = self.nodes();
                self.end_begun_line();
                continue;
            }
            let indent = self.spaces();
            if self.at_line_end() {
                self.end_line();
                continue;
            }
            let continues = plain_of.is_some_and(|column| indent > column);
            if continues && !self.at_comment() {
                // A comment ends the text.
                while !self.at_line_end() && !self.at_comment() {
                    self.at += 1;
                }
                plain_of = plain_of.filter(|_| self.at_line_end());
            } else {
                plain_of = self.nodes();
            }
            self.end_begun_line();
        }
    }

    /// Keys, dashes and the value on the rest of the line, and on those that belong to brackets,
    /// quotes or a block scalar that begins there. A plain text that may go on gives the column
    /// of its key or dash.
    fn nodes(&mut self) -> Option<isize> {
        let mut parent = self.pending;
        loop {
            self.blanks();
            let column = self.column();
            match self.byte() {
                None | Some(b'\n' | b'\r') => {
                    self.pending = parent;
                    return None;
                }
                Some(b'#') if self.at_comment() => {
                    self.rest_of_line();
                    self.pending = parent;
                    return None;
                }
                Some(b'-' | b'?') if self.next_is_blank() => {
                    parent = column;
                    self.at += 1;
                    continue;
                }
                Some(b'!' | b'&') => {
                    self.word();
                    continue;
                }
                Some(b'|' | b'>') => {
                    self.block_scalar(parent);
                    return None;
                }
                Some(quote @ (b'"' | b'\'')) => self.quoted(quote, parent),
                Some(b'[' | b'{') => self.flow(parent),
                Some(_) => {
                    if !self.plain_key() {
                        let goes_on = self.at_line_end();
                        return goes_on.then_some(parent);
                    }
                }
            }
            self.blanks();
            if self.byte() != Some(b':') || !self.next_is_blank() {
                return None;
            }
            parent = column;
            self.colon();
        }
    }

    /// To the next blank.
    fn word(&mut self) {
        while !is_blank(self.bytes.get(self.at)) {
            self.at += 1;
        }
    }

    /// A text without quotes: to the colon that makes it a key (then true), to a comment, or to
    /// the end of the line.
    fn plain_key(&mut self) -> bool {
        while !self.at_line_end() && !self.at_comment() {
            if self.byte() == Some(b':') && self.next_is_blank() {
                return true;
            }
            self.at += 1;
        }
        false
    }

    /// Passes over a colon; tabs behind it become spaces.
    fn colon(&mut self) {
        self.at += 1;
        let start = self.at;
        self.blanks();
        let tabs = (start..self.at).filter(|at| self.bytes[*at] == b'\t');
        self.tabs.extend(tabs);
    }

    /// A text behind `|` or `>`: all lines that are deeper than `parent`.
    fn block_scalar(&mut self, parent: isize) {
        loop {
            self.end_line();
            let start = self.at;
            let indent = self.spaces();
            let belongs = indent > parent || self.at_line_end();
            if !belongs || self.at == self.bytes.len() {
                self.at = start;
                return;
            }
        }
    }

    /// A line begins inside of brackets or quotes: it has to be indented deeper than `parent`.
    fn inner_line(&mut self, parent: isize) {
        if self.at_marker() {
            return;
        }
        let start = self.at;
        let indent = self.spaces();
        if indent <= parent && !self.at_line_end() {
            self.moved.push(Moved {
                line: self.line,
                start,
                columns: (parent + 1).unsigned_abs(),
            });
        }
    }

    fn inner_step(&mut self, parent: isize) {
        let line = self.line;
        self.step();
        if self.line > line {
            self.inner_line(parent);
        }
    }

    fn quoted(&mut self, quote: u8, parent: isize) {
        self.at += 1;
        while let Some(b) = self.byte() {
            if b == quote {
                self.at += 1;
                // A second one is a quote within single quotes.
                if quote == b'"' || self.byte() != Some(quote) {
                    return;
                }
                self.at += 1;
                continue;
            }
            if b == b'\\' && quote == b'"' {
                self.at += 1;
            }
            self.inner_step(parent);
        }
    }

    /// From an opening bracket to the one that closes it.
    fn flow(&mut self, parent: isize) {
        let mut depth = 0_usize;
        // Behind a quoted key, or one in brackets, a colon needs no blank after it.
        let mut may_be_key = false;
        while let Some(b) = self.byte() {
            let was_key = std::mem::take(&mut may_be_key);
            match b {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => {
                    depth = depth.saturating_sub(1);
                    may_be_key = true;
                }
                b'"' | b'\'' => {
                    self.quoted(b, parent);
                    may_be_key = true;
                    continue;
                }
                b'#' if self.at_comment() => {
                    self.rest_of_line();
                    continue;
                }
                b':' if matches!(self.bytes.get(self.at + 1), Some(b'\t' | b' ')) => {
                    self.colon();
                    continue;
                }
                b' ' | b'\t' | b'\n' | b'\r' => may_be_key = was_key,
                b',' => {}
                b':' if was_key || self.next_is_blank() || self.next_is_flow_mark() => {}
                b'!' | b'&' => {
                    self.flow_word();
                    continue;
                }
                _ => {
                    self.flow_plain(parent);
                    continue;
                }
            }
            self.inner_step(parent);
            if depth == 0 {
                return;
            }
        }
    }

    /// A tag or an anchor.
    fn flow_word(&mut self) {
        self.at += 1;
        let ends = |b| is_blank(b) || is_flow_mark(b);
        while !ends(self.bytes.get(self.at)) {
            self.at += 1;
        }
    }

    /// A text without quotes, over all its lines.
    fn flow_plain(&mut self, parent: isize) {
        while let Some(b) = self.byte() {
            match b {
                _ if is_flow_mark(Some(&b)) => return,
                b':' if self.next_is_blank() || self.next_is_flow_mark() => return,
                b'#' if self.at_comment() => return,
                _ => self.inner_step(parent),
            }
        }
    }
}
