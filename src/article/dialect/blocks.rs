//! Rewrites block syntax of other dialects before the Markdown is parsed.
//!
//! An admonition becomes a block quote and an [`Alert`] that records its kind; imports of MDX become
//! empty lines. Comments are removed first. Every line stays a line, so that findings show the right
//! one.

use memchr::memchr2;

use super::alerts::{self, Alert, Opening};
use super::comments::{self, Uncommented};
use super::foreign::{ForeignSyntax, Kind};
use super::module::Modules;

/// How deep admonitions can nest; deeper ones stay text.
const MAX_DEPTH: usize = 6;

/// A rewritten body.
#[derive(Debug, Default)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) foreign: ForeignSyntax,
    /// Lines, from 0, whose start is longer (or, if negative, shorter) than in the source, and by how many
    /// characters.
    pub(crate) shifts: Vec<(usize, isize)>,
}

impl Rewritten {
    /// Reports a comment without an end that began where the text ends so far.
    fn add_open(&mut self, name: &str) {
        let offset = self.text.len();
        self.foreign.add(Kind::OpenBlock, name, name, offset);
    }
}

/// Rewrites a body; `None` if it has no such syntax.
pub(crate) fn rewrite(markdown: &str) -> Option<Rewritten> {
    let Some(Uncommented { text, open }) = comments::remove(markdown) else {
        return rewrite_blocks(markdown, None);
    };
    let rewritten = rewrite_blocks(&text, open);
    Some(rewritten.unwrap_or_else(|| {
        let mut foreign = ForeignSyntax::default();
        if let Some((name, offset)) = open {
            foreign.add(Kind::OpenBlock, name, name, offset);
        }
        Rewritten {
            text,
            foreign,
            ..Rewritten::default()
        }
    }))
}

/// Rewrites a body whose comments are removed. `open` was a comment without an end.
fn rewrite_blocks(markdown: &str, mut open: Option<(&str, usize)>) -> Option<Rewritten> {
    if !may_have_blocks(markdown) {
        return None;
    }
    let mut rewriter = Rewriter::default();
    rewriter
        .out
        .text
        .reserve(markdown.len() + markdown.len() / 16);
    let mut rest = markdown;
    while !rest.is_empty() {
        let end = memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        let length = if after.starts_with("\r\n") {
            2
        } else {
            after.len().min(1)
        };
        let (line_end, after) = after.split_at(length);
        rewriter.line(line, after);
        let line_end_at = markdown.len() - rest.len() + line.len();
        if let Some((name, _)) = open.take_if(|(_, place)| *place <= line_end_at) {
            rewriter.out.add_open(name);
        }
        rewriter.note_shift(line);
        rewriter.out.text.push_str(line_end);
        rewriter.number += 1;
        rest = after;
    }
    if let Some((name, _)) = open {
        rewriter.out.add_open(name);
    }
    rewriter.end();
    Some(rewriter.out)
}

/// The starts of lines that can be rewritten.
const STARTS: [&[u8]; 13] = [
    b":::", b"!!!", b"???", b"=== ", b"===!", b"===+", b"<s", b"<S", b"<t", b"<T", b"*[",
    b"import ", b"export ",
];

/// Whether a line has one of these starts.
fn may_have_blocks(markdown: &str) -> bool {
    let bytes = markdown.as_bytes();
    let may = |start: usize| {
        let line = &bytes[start..];
        let indent = line
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        match &line[indent..] {
            [b'>', quote @ ..] => quote.trim_ascii_start().starts_with(b"[!"),
            line @ [b':' | b'!' | b'?' | b'=' | b'<' | b'*' | b'i' | b'e', ..] => {
                STARTS.iter().any(|start| line.starts_with(start))
            }
            _ => false,
        }
    };
    may(0) || memchr::memchr2_iter(b'\n', b'\r', bytes).any(|end| may(end + 1))
}

/// A block that is open on a line.
enum Container {
    /// `:::note`, closed by at least as many colons.
    Colons { colons: usize, indent: usize },
    /// `!!! note`, ends where the indent ends.
    Indented { indent: usize },
    /// `:::tabs`, which stays text.
    Unknown { colons: usize },
}

#[derive(Default)]
struct Rewriter {
    out: Rewritten,
    /// The current line, from 0.
    number: usize,
    /// Where its output begins.
    line_start: usize,
    open: Vec<Container>,
    /// Where each open [`Container::Colons`] began, for the finding that it has no end.
    openings: Vec<(usize, String)>,
    /// The fence of the open code block: its character, length, and the containers around it.
    fence: Option<(u8, usize, usize)>,
    modules: Modules,
    /// The previous line belongs to a quote.
    in_quote: bool,
    /// The current line would continue the quote above, perhaps lazily.
    joins_quote: bool,
    /// Index of the alert that begins on the next line.
    unplaced: Option<usize>,
    /// The previous line is blank.
    after_blank: bool,
    /// A list is open: an indented line need not be code.
    in_list: bool,
}

impl Rewriter {
    /// Writes one line, which `after` follows.
    fn line(&mut self, line: &str, after: &str) {
        let is_first = self.number == 0;
        let after_blank =
            std::mem::replace(&mut self.after_blank, line.trim().is_empty()) || is_first;
        let containers = self.open.len();
        let (depth, rest) = self.enter(line);
        let is_quote = rest.trim_start().starts_with('>');
        let in_quote = std::mem::replace(&mut self.in_quote, is_quote);
        self.joins_quote = !after_blank && (self.joins_quote || in_quote || depth < containers);
        self.line_start = self.out.text.len();
        self.write_prefix(depth);
        if let Some(index) = self.unplaced.take() {
            self.out.alerts[index].offset = self.out.text.len() - "> ".len();
        }
        if self.modules.go_on() {
            self.after_blank = true;
            return;
        }
        if self.is_code(rest, depth) {
            self.out.text.push_str(rest);
            return;
        }
        let trimmed = rest.trim_start_matches([' ', '\t']);
        let indent = rest.len() - trimmed.len();
        if indent == 0 && !trimmed.is_empty() {
            self.in_list = is_list_item(trimmed) || self.in_list && !after_blank;
        }
        if indent >= 4 && !self.in_list {
            self.out.text.push_str(rest);
            return;
        }
        let is_rewritten = match trimmed.as_bytes() {
            [b':', b':', b':', ..] => self.colons(trimmed, indent),
            [b'!', b'!', b'!', ..] | [b'?', b'?', b'?', ..] => self.marks(trimmed, indent, after),
            [b'=', b'=', b'=', ..] => self.tab(trimmed),
            [b'>', ..] if !in_quote => self.quote(trimmed, indent),
            [b'*', b'[', ..] => self.abbreviation(trimmed),
            [b'i' | b'e', ..] if indent == 0 && self.open.is_empty() => {
                self.module(trimmed, after, after_blank)
            }
            [b'<', b's' | b'S' | b't' | b'T', ..] => self.code_element(rest, trimmed),
            _ => false,
        };
        if !is_rewritten {
            self.out.text.push_str(rest);
        }
    }

    /// How many containers the line is in, and the line without their marks and indents.
    fn enter<'l>(&mut self, line: &'l str) -> (usize, &'l str) {
        let mut rest = line;
        let is_blank = line.trim().is_empty();
        let mut closed = self.open.len();
        for (depth, container) in self.open.iter().enumerate() {
            let spaces = rest.bytes().take_while(|b| *b == b' ').count();
            match container {
                Container::Unknown { .. } => {}
                Container::Colons { indent, .. } => rest = &rest[spaces.min(*indent)..],
                Container::Indented { indent } => {
                    let tab = rest[spaces..].starts_with('\t');
                    if spaces >= indent + 4 {
                        rest = &rest[indent + 4..];
                    } else if tab {
                        rest = &rest[spaces + 1..];
                    } else if !is_blank {
                        closed = depth;
                        break;
                    }
                }
            }
        }
        if closed < self.open.len() {
            self.close_to(closed);
            self.end_quote(closed);
        }
        (self.open.len(), rest)
    }

    /// Replaces the blank line before. Its quote marks would join the current line to the quote above.
    fn end_quote(&mut self, depth: usize) {
        let text = &self.out.text;
        let line = text.trim_end_matches(['\n', '\r']);
        let start = line.rfind(['\n', '\r']).map_or(0, |end| end + 1);
        if text.len() - line.len() <= 2 && line[start..].trim_matches([' ', '>']).is_empty() {
            let end = self.out.text.split_off(line.len());
            self.out.text.truncate(start);
            self.write_prefix(depth);
            self.out.text.push_str(&end);
        }
    }

    /// Closes all containers except the first `depth`.
    fn close_to(&mut self, depth: usize) {
        let colons = |open: &[Container]| {
            let colons = open
                .iter()
                .filter(|c| matches!(c, Container::Colons { .. }));
            colons.count()
        };
        self.openings.truncate(colons(&self.open[..depth]));
        self.open.truncate(depth);
        if self.fence.is_some_and(|(_, _, around)| around > depth) {
            self.fence = None;
        }
    }

    /// Writes the marks of the quotes that the first `depth` containers became.
    fn write_prefix(&mut self, depth: usize) {
        for container in &self.open[..depth] {
            let (Container::Colons { indent, .. } | Container::Indented { indent }) = container
            else {
                continue;
            };
            self.out.text.extend(std::iter::repeat_n(' ', *indent));
            self.out.text.push_str("> ");
        }
    }

    /// Whether a line is code or a fence.
    fn is_code(&mut self, rest: &str, depth: usize) -> bool {
        let line = rest.trim_start_matches([' ', '\t', '>']);
        let Some(mark) = line.bytes().next().filter(|b| matches!(b, b'`' | b'~')) else {
            return self.fence.is_some();
        };
        let length = line.bytes().take_while(|b| *b == mark).count();
        let info = &line[length..];
        match self.fence {
            Some((open, least, _)) => {
                if open == mark && length >= least && info.trim().is_empty() {
                    self.fence = None;
                }
                true
            }
            None if length >= 3 && (mark == b'~' || !info.contains('`')) => {
                self.fence = Some((mark, length, depth));
                true
            }
            None => false,
        }
    }

    /// A line of colons: opens or closes a block.
    fn colons(&mut self, trimmed: &str, indent: usize) -> bool {
        let colons = trimmed.bytes().take_while(|b| *b == b':').count();
        let rest = &trimmed[colons..];
        if rest.trim().is_empty() {
            let closes = |container: &Container| match container {
                Container::Colons { colons: least, .. } | Container::Unknown { colons: least } => {
                    *least <= colons
                }
                Container::Indented { .. } => false,
            };
            let Some(at) = self.open.iter().rposition(closes) else {
                return false;
            };
            let is_known = matches!(self.open[at], Container::Colons { .. });
            self.close_to(at);
            if is_known {
                // A blank line ends the quote.
                self.out.text.truncate(self.line_start);
                self.write_prefix(at);
            }
            return is_known;
        }
        let Some(Opening { kind, title }) = alerts::of_colons(rest) else {
            return false;
        };
        match kind.filter(|_| self.open.len() < MAX_DEPTH) {
            Some(kind) => {
                self.openings
                    .push((self.out.text.len() + indent, trimmed.to_owned()));
                self.open_alert(kind, title, indent);
                self.open.push(Container::Colons { colons, indent });
                true
            }
            None => {
                self.foreign(Kind::Block, trimmed);
                if self.open.len() < MAX_DEPTH {
                    self.open.push(Container::Unknown { colons });
                }
                false
            }
        }
    }

    /// `!!! note`: opens a block of the indented lines after it.
    fn marks(&mut self, trimmed: &str, indent: usize, after: &str) -> bool {
        let Some(Opening { kind, title }) = alerts::of_marks(&trimmed[3..]) else {
            return false;
        };
        let next = after.trim_start_matches(['\n', '\r']);
        let spaces = next.bytes().take_while(|b| *b == b' ').count();
        let has_body = spaces >= indent + 4 || next.starts_with('\t');
        match kind.filter(|_| has_body && self.open.len() < MAX_DEPTH) {
            Some(kind) => {
                self.open_alert(kind, title, indent);
                self.open.push(Container::Indented { indent });
                true
            }
            None => {
                self.foreign(Kind::Block, trimmed);
                false
            }
        }
    }

    /// `=== "Tab"`.
    fn tab(&mut self, trimmed: &str) -> bool {
        let rest = trimmed[3..].trim_start_matches(['!', '+']);
        if rest.trim_start().starts_with('"') && rest.starts_with(' ') {
            self.foreign(Kind::Block, trimmed);
        }
        false
    }

    /// `> [!info]+ Title`.
    fn quote(&mut self, trimmed: &str, indent: usize) -> bool {
        let opening = alerts::of_quote(&trimmed[1..]).filter(|_| !self.joins_quote);
        let Some(Opening {
            kind: Some(kind),
            title,
        }) = opening
        else {
            return false;
        };
        self.open_alert(kind, title, indent);
        true
    }

    fn abbreviation(&mut self, trimmed: &str) -> bool {
        let name = trimmed[2..].split_once("]:");
        if name.is_some_and(|(name, _)| !name.contains(['[', ']'])) {
            self.foreign(Kind::Abbreviation, trimmed);
        }
        false
    }

    /// `import x from 'y'`, `export default x`.
    fn module(&mut self, trimmed: &str, after: &str, after_blank: bool) -> bool {
        if !self.modules.begin(trimmed, after, after_blank) {
            return false;
        }
        self.foreign(Kind::Module, trimmed);
        self.after_blank = true;
        true
    }

    /// `<script src="x"/>`: CommonMark would read on to an end tag, so this adds one.
    fn code_element(&mut self, rest: &str, trimmed: &str) -> bool {
        let name = ["script", "style", "textarea"].iter().find(|name| {
            let found = trimmed.get(1..1 + name.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(name))
        });
        let (Some(name), Some(end)) = (name, trimmed.find("/>")) else {
            return false;
        };
        if trimmed.find('>') != Some(end + 1) || trimmed.contains("</") {
            return false;
        }
        let indent = rest.len() - trimmed.len();
        let (tag, after) = rest.split_at(indent + end + 2);
        for part in [tag, "</", name, ">", after] {
            self.out.text.push_str(part);
        }
        true
    }

    /// Begins the quote of an alert.
    fn open_alert(&mut self, kind: pulldown_cmark::BlockQuoteKind, title: &str, indent: usize) {
        self.out.text.extend(std::iter::repeat_n(' ', indent));
        self.out.alerts.push(Alert {
            offset: self.out.text.len(),
            kind,
            title: title.to_owned(),
        });
        if std::mem::take(&mut self.joins_quote) {
            // A blank line ends the quote above; the quote of the alert begins on the next line.
            self.unplaced = Some(self.out.alerts.len() - 1);
            return;
        }
        self.out.text.push('>');
    }

    fn foreign(&mut self, kind: Kind, trimmed: &str) {
        let end = trimmed.find(|c: char| c.is_whitespace() || matches!(c, '[' | '{'));
        let name = &trimmed[..end.unwrap_or(trimmed.len())];
        let offset = self.out.text.len();
        self.out.foreign.add(kind, name, trimmed, offset);
    }

    /// Records by how much the start of the output differs from that of `line`.
    fn note_shift(&mut self, line: &str) {
        let written = &self.out.text[self.line_start..];
        if written == line || written.is_empty() {
            return;
        }
        let spaces = |text: &str| text.len() - text.trim_start_matches([' ', '>', '\t']).len();
        let shift = spaces(written) as isize - spaces(line) as isize;
        if shift != 0 {
            self.out.shifts.push((self.number, shift));
        }
    }

    /// Reports the blocks that are still open.
    fn end(&mut self) {
        for (offset, line) in std::mem::take(&mut self.openings) {
            self.out.foreign.add(Kind::OpenBlock, &line, &line, offset);
        }
    }
}

/// Whether a line begins an item of a list.
fn is_list_item(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mark = &line[digits..];
    let is_mark = if digits > 0 {
        mark.starts_with(['.', ')'])
    } else {
        mark.starts_with(['-', '*', '+'])
    };
    is_mark && mark[1..].starts_with([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(markdown: &str) -> String {
        rewrite(markdown).map_or_else(|| markdown.to_owned(), |rewritten| rewritten.text)
    }

    #[test]
    fn admonitions_become_quotes() {
        for (markdown, expected) in [
            (":::note T\na\n\nb\n:::\nc", ">\n> a\n> \n> b\n\nc"),
            (
                "::::tip\na\n:::note\nb\n:::\nc\n::::\n",
                ">\n> a\n> >\n> > b\n> \n> c\n\n",
            ),
            (
                "!!! note \"T\"\n    a\n\n        code\n\nb",
                ">\n> a\n> \n>     code\n\nb",
            ),
            (
                "- a\n\n    !!! tip\n        b\n\n    c",
                "- a\n\n    >\n    > b\n\n    c",
            ),
            (
                "1. a\n\n   :::tip\n   b\n   :::\n",
                "1. a\n\n   >\n   > b\n\n",
            ),
            (
                ":::note\n```\n:::\n```\n:::\nx",
                ">\n> ```\n> :::\n> ```\n\nx",
            ),
            ("> [!info]+ T\n> a\n", ">\n> a\n"),
            ("!!! note\n    a\n\n!!! tip\n    b", ">\n> a\n\n>\n> b"),
            ("!!! note\n    a\n!!! tip\n    b", ">\n> a\n\n> b"),
            ("> a\nb\n:::note T\nc\n:::", "> a\nb\n\n> c\n"),
            // Not of a kind that is known, in code, or prose.
            (":::tabs\na\n:::\n", ":::tabs\na\n:::\n"),
            ("```\n:::note\n```\n", "```\n:::note\n```\n"),
            ("a\n\n    :::note\n    a\n", "a\n\n    :::note\n    a\n"),
            ("!!! no body\n", "!!! no body\n"),
            ("!!! Really?\n    a", "!!! Really?\n    a"),
        ] {
            assert_eq!(text(markdown), expected, "{markdown}");
        }
        let rewritten = rewrite("a\n\n:::tip T\n*b*\n:::\n\n::: note\nc").unwrap();
        assert_eq!(rewritten.text, "a\n\n>\n> *b*\n\n\n>\n> c");
        let alerts: Vec<_> = rewritten
            .alerts
            .iter()
            .map(|a| (a.offset, a.title.as_str()))
            .collect();
        assert_eq!(alerts, [(3, "T"), (13, "")]);
        assert_eq!(rewritten.shifts, [(2, 1), (3, 2), (6, 1), (7, 2)]);
        let foreign: Vec<_> = rewritten
            .foreign
            .named
            .iter()
            .map(|f| (f.kind, f.offset))
            .collect();
        assert_eq!(foreign, [(Kind::OpenBlock, 13)]);
    }

    #[test]
    fn comments_and_imports_are_left_out() {
        for (markdown, expected) in [
            ("a\n{% comment %}\nb\n{% endcomment %}c\n", "a\n\n\nc\n"),
            ("{%- comment -%} a {%- endcomment -%} b", "b"),
            ("```\n{% comment %}\n```\n", "```\n{% comment %}\n```\n"),
            ("import A from '@b/c';\nimport 'x'\n\n# T", "\n\n\n# T"),
            ("import {\n  A,\n} from 'b';\n\nc", "\n\n\n\nc"),
            (
                "import a from 'a'\nimport {B,\n  C} from './b'\nexport const d = 1\nexport const e = {\n\n  f: '}',\n}\n\ng",
                "\n\n\n\n\n\n\n\n\ng",
            ),
            (
                "export const H = ({a}) => (\n  <b>don't</b>\n);\nexport const draft =\n  true\n\nb",
                "\n\n\n\n\n\nb",
            ),
            ("import {\n\na b c\n", "import {\n\na b c\n"),
            (
                "import from 'where' you like\n",
                "import from 'where' you like\n",
            ),
            ("export const a = 1;\n\nb", "\n\nb"),
            ("export is a word\n", "export is a word\n"),
            (
                "<script async src=\"x\"/>\na",
                "<script async src=\"x\"/></script>\na",
            ),
        ] {
            assert_eq!(text(markdown), expected, "{markdown}");
        }
    }

    #[test]
    fn an_open_comment_is_found_on_its_line() {
        for (markdown, line) in [
            ("a\n\n{% comment %}\nb", 2),
            (":::note T\na\n:::\n\n\n{% comment %}\nb\nb", 5),
            (":::note T\na\n:::\n{% comment %}b", 3),
            ("!!! note\n    a {% comment %}b\nb", 1),
        ] {
            let Rewritten { text, foreign, .. } = rewrite(markdown).unwrap();
            let before = &text[..foreign.named[0].offset.min(text.len())];
            assert_eq!(before.matches('\n').count(), line, "{markdown}");
        }
    }

    #[test]
    fn ordinary_text_is_not_looked_at() {
        let ordinary = "# a\n\n- b: c\n> d\n\n| e |\n|---|\n\n~~~\n{\n~~~\n![f](g)\n";
        assert!(rewrite(ordinary).is_none());
    }
}
