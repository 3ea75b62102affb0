//! Finds candidates for inline syntax in the text alone. The parser knows which of them are in code, a
//! link or HTML.

use std::ops::Range;

use memchr::memmem::{Finder, find};
use memchr::{memchr, memchr2};

use super::attributes::Attributes;
use super::autolink::{self, BareLink};
use super::foreign::Kind;

/// The longest text in braces that is read, in bytes.
const BRACES_BYTES: usize = 1024;

/// One candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate<'a> {
    pub(super) range: Range<usize>,
    pub(super) what: What<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What<'a> {
    /// A bare link.
    Link(autolink::Kind),
    /// An instruction to another tool, such as `{% raw %}`; left out.
    Control,
    /// An attribute list of kramdown; left out.
    Attributes(Attributes<'a>),
    /// An attribute list without a colon, which only headings have at their end.
    HeadingAttributes(Attributes<'a>),
    /// Belongs to foreign syntax before it: `{% endif %}`.
    Closing,
    /// Syntax that anp does not run, with its name.
    Foreign(Kind, &'a str),
}

/// The candidates of a text, in order.
pub(super) struct Candidates<'a> {
    text: &'a str,
    /// Whether braces are expressions.
    is_mdx: bool,
    /// The next of each kind; `None` if there are no more.
    next: [Option<Candidate<'a>>; 6],
    /// Candidates before this byte are skipped.
    from: usize,
    /// The end of the current `{% raw %}` … `{% endraw %}`, whose content is plain text.
    raw_until: usize,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(text: &'a str, is_mdx: bool) -> Self {
        let mut candidates = Self {
            text,
            is_mdx,
            next: [const { None }; 6],
            from: 0,
            raw_until: 0,
        };
        for kind in 0..candidates.next.len() {
            candidates.next[kind] = candidates.search(kind, 0);
        }
        candidates
    }

    /// The next candidate.
    pub(super) fn peek(&self) -> Option<&Candidate<'a>> {
        let left = self.next.iter().flatten();
        left.min_by_key(|candidate| candidate.range.start)
    }

    /// Skips all that begin before `from`.
    pub(super) fn skip_to(&mut self, from: usize) {
        self.from = self.from.max(from);
        for kind in 0..self.next.len() {
            if let Some(next) = &self.next[kind]
                && next.range.start < self.from
            {
                self.next[kind] = self.search(kind, self.from);
            }
        }
    }

    fn search(&mut self, kind: usize, from: usize) -> Option<Candidate<'a>> {
        match kind {
            0 => self.search_braces(from),
            1 => self.search_links(from, b"://", autolink::url),
            2 => self.search_links(from, b"www.", autolink::host),
            3 => self.search_links(from, b"@", autolink::address),
            4 => self.search_wiki_link(from),
            _ => self.search_embedded(from),
        }
    }

    /// `<% x %>` and `<%= x %>`.
    fn search_embedded(&self, from: usize) -> Option<Candidate<'a>> {
        let bytes = self.text.as_bytes();
        let start = from + find(bytes.get(from..)?, b"<%")?;
        let end = start + find(&bytes[start..], b"%>")? + 2;
        Some(Candidate {
            range: start..end,
            what: What::Foreign(Kind::Embedded, &self.text[start..end]),
        })
    }

    fn search_links(
        &self,
        from: usize,
        mark: &[u8],
        read: fn(&str, usize) -> Option<BareLink>,
    ) -> Option<Candidate<'a>> {
        let finder = Finder::new(mark);
        let marks = finder.find_iter(&self.text.as_bytes()[from..]);
        let mut links = marks.filter_map(|at| {
            let at = from + at;
            // Most URLs are already destinations of links and images.
            let before = &self.text.as_bytes()[..at];
            let scheme = before.iter().rev().take_while(|b| b.is_ascii_alphabetic());
            let before = before.len() - scheme.take(6).count();
            if self.text.as_bytes()[..before].ends_with(b"](") {
                return None;
            }
            read(self.text, at)
        });
        let BareLink { range, kind } = links.find(|link| link.range.start >= from)?;
        let what = What::Link(kind);
        Some(Candidate { range, what })
    }

    /// `[[page]]` and `![[image.png]]`.
    fn search_wiki_link(&self, from: usize) -> Option<Candidate<'a>> {
        let finder = Finder::new("[[");
        let bytes = self.text.as_bytes();
        let mut from = from;
        loop {
            let at = from + finder.find(bytes.get(from..)?)?;
            from = at + 2;
            let length = memchr2(b']', b'\n', &bytes[from..])?;
            let inside = &self.text[from..from + length];
            let after = bytes.get(from + length + 2);
            let is_link = bytes[from + length..].starts_with(b"]]")
                && !matches!(after, Some(b'(' | b'[' | b':' | b']'))
                && !inside.contains('[')
                && inside.starts_with(|c: char| c.is_alphabetic() || c == '/')
                && !is_escaped(bytes, at);
            if is_link {
                let start = at - usize::from(bytes[..at].ends_with(b"!"));
                return Some(Candidate {
                    range: start..from + length + 2,
                    what: What::Foreign(Kind::WikiLink, inside),
                });
            }
        }
    }

    fn search_braces(&mut self, from: usize) -> Option<Candidate<'a>> {
        let bytes = self.text.as_bytes();
        let mut from = from;
        loop {
            let at = from + memchr(b'{', bytes.get(from..)?)?;
            from = at + 1;
            if is_escaped(bytes, at) {
                continue;
            }
            let mut end = self.text.len().min(at + BRACES_BYTES);
            while !self.text.is_char_boundary(end) {
                end -= 1;
            }
            if let Some((length, what)) = self.braces(&self.text[at..end], at) {
                let range = at..at + length;
                return Some(Candidate { range, what });
            }
        }
    }

    /// The length and meaning of the braces at the start of `text`, which is at `at`.
    fn braces(&mut self, text: &'a str, at: usize) -> Option<(usize, What<'a>)> {
        let until = |end: &str, from: usize| {
            let rest = text.as_bytes().get(from..)?;
            let length = find(rest, end.as_bytes())? + from + end.len();
            find(&text.as_bytes()[..length], b"\n\n")
                .is_none()
                .then_some(length)
        };
        let is_raw = at < self.raw_until;
        match text.as_bytes().get(1)? {
            b'{' => {
                let end = match text.as_bytes().get(2)? {
                    b'<' => Some(">}}"),
                    b'%' => Some("%}}"),
                    _ => None,
                };
                if let Some(length) = end.and_then(|end| until(end, 3)).filter(|_| !is_raw) {
                    let inside = &text[3..length - 3];
                    let name = first_word(inside);
                    if inside.trim_start().starts_with('/') && !inside.contains("*/") {
                        return Some((length, What::Closing));
                    }
                    return Some((length, What::Foreign(Kind::Shortcode, name)));
                }
                let length = until("}}", 2).filter(|_| !is_raw)?;
                let name = text[2..length - 2].trim_matches(['{', '}', '-', ' ', '\n']);
                (!name.is_empty()).then_some((length, What::Foreign(Kind::Variable, name)))
            }
            b'%' => {
                let length = until("%}", 2)?;
                let name = first_word(&text[2..length - 2]);
                match name {
                    "raw" => {
                        if !is_raw {
                            let rest = &self.text.as_bytes()[at + length..];
                            let end = find(rest, b"endraw");
                            self.raw_until = end.map_or(self.text.len(), |end| at + length + end);
                        }
                        Some((length, What::Control))
                    }
                    "endraw" => Some((length, What::Control)),
                    _ if is_raw || name.is_empty() => None,
                    "else" | "elsif" => Some((length, What::Closing)),
                    _ if name.starts_with("end") => Some((length, What::Closing)),
                    name => Some((length, What::Foreign(Kind::Tag, name))),
                }
            }
            b':' => {
                let length = until("}", 2).filter(|length| !text[..*length].contains('\n'))?;
                let list = &text[2..length - 1];
                if list.starts_with([':', '/']) {
                    return Some((length, What::Control));
                }
                let attributes = Attributes::parse(list)?;
                let before = self.text[..at].trim_end_matches([' ', '>', '\t']);
                let is_alone = before.is_empty() || before.ends_with(['\n', '\r']);
                (is_alone || !attributes.has_words)
                    .then_some((length, What::Attributes(attributes)))
            }
            _ if is_raw => None,
            _ => {
                let is_list = text[1..].trim_start_matches(' ').starts_with(['#', '.']);
                if !is_list && !self.is_mdx {
                    return None;
                }
                let length = until("}", 1)?;
                let inside = &text[1..length - 1];
                if is_list {
                    let attributes = Attributes::parse(inside).filter(|list| !list.has_words)?;
                    return Some((length, What::HeadingAttributes(attributes)));
                }
                let is_expression = self.is_mdx && !inside.trim().is_empty();
                is_expression.then(|| {
                    let name = inside.trim();
                    (length, What::Foreign(Kind::Expression, name))
                })
            }
        }
    }
}

/// Whether a backslash escapes the byte at `at`.
pub(super) fn is_escaped(bytes: &[u8], at: usize) -> bool {
    bytes[..at]
        .iter()
        .rev()
        .take(8)
        .take_while(|b| **b == b'\\')
        .count()
        % 2
        == 1
}

/// The name of a tag: `note` of ` /note `, `include` of `- include x.html`.
fn first_word(inside: &str) -> &str {
    let word = inside.trim_start_matches(['-', '/', '*', ' ', '\n', '\t']);
    let end = word.find(|c: char| c.is_whitespace() || matches!(c, '/' | '*' | '-' | '"'));
    &word[..end.unwrap_or(word.len())]
}
