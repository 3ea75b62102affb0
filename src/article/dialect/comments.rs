//! Removes comments of other tools before the Markdown is parsed, since a comment can be inside HTML or
//! span several blocks. Line ends stay, so that findings show the right line.

use memchr::memmem::find;
use memchr::{memchr2_iter, memchr3};
use pulldown_cmark::{Event, Parser, Tag};

use super::candidates::is_escaped;
use crate::article::events::options;

/// How many bytes before a comment can be the indent of its line.
const MAX_INDENT: usize = 64;

/// Markdown without its comments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Uncommented {
    pub(super) text: String,
    /// The name of a comment without an end, and where it was. It hides the rest of the Markdown.
    pub(super) open: Option<(&'static str, usize)>,
}

/// A kind of comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `{/* … */}`.
    Mdx,
    /// `{{/* … */}}`.
    Go,
    /// `%% … %%`.
    Obsidian,
    /// `{{! … }}`.
    Mustache,
    /// `{{!-- … --}}`.
    Handlebars,
    /// `{# … #}`.
    Jinja,
    /// `{% # … %}`.
    LiquidLine,
    /// `{% comment %} … {% endcomment %}`.
    Liquid,
    /// `{{< comment >}} … {{< /comment >}}`.
    Hugo,
    /// `{::comment} … {:/comment}`.
    Kramdown,
    /// `<%# … %>`.
    Erb,
    /// `<%-- … --%>`.
    Jsp,
}

impl Kind {
    /// The start of its end mark.
    fn end(self) -> &'static str {
        match self {
            Self::Mdx | Self::Go => "*/",
            Self::Obsidian => "%%",
            Self::Mustache => "}}",
            Self::Handlebars => "--}}",
            Self::Jinja => "#}",
            Self::LiquidLine => "%}",
            Self::Liquid => "comment",
            Self::Hugo => "/comment",
            Self::Kramdown => "{:/",
            Self::Erb => "%>",
            Self::Jsp => "--%>",
        }
    }
}

/// Removes the comments of `markdown`; `None` if it has none.
pub(super) fn remove(markdown: &str) -> Option<Uncommented> {
    let bytes = markdown.as_bytes();
    let may_have = memchr2_iter(b'{', b'%', bytes).any(|at| {
        let is_tag = bytes[at] == b'%' && bytes[..at].ends_with(b"<");
        opening(bytes, at - usize::from(is_tag)).is_some()
    });
    may_have.then(|| Scanner::new(markdown).run()).flatten()
}

/// The kind of the comment that begins at `at`, and where its text begins.
fn opening(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let rest = &bytes[at..];
    let skip = |from: usize, of: &[u8]| {
        let skipped = rest[from..].iter().take_while(|b| of.contains(b));
        from + skipped.count()
    };
    let (kind, length) = match rest {
        [b'%', b'%', ..] => (Kind::Obsidian, 2),
        [b'<', b'%', b'#', ..] => (Kind::Erb, 3),
        [b'<', b'%', b'-', b'-', ..] => (Kind::Jsp, 4),
        [b'{', b'{', b'!', b'-', b'-', ..] => (Kind::Handlebars, 5),
        [b'{', b'{', b'!', ..] => (Kind::Mustache, 3),
        [b'{', b'{', b'<' | b'%', ..] => {
            let name = skip(3, b" \t\n");
            let after = rest[name..].strip_prefix(b"comment")?;
            matches!(after.first()?, b' ' | b'\n' | b'>' | b'%').then_some(())?;
            (Kind::Hugo, name + 7)
        }
        [b'{', b'{', ..] => {
            let mark = skip(2, b"- \t\r\n");
            rest[mark..].starts_with(b"/*").then_some(())?;
            (Kind::Go, mark + 2)
        }
        [b'{', b'%', ..] => {
            let name = skip(2, b"-+ \t\r\n");
            if rest[name..].starts_with(b"#") {
                (Kind::LiquidLine, name + 1)
            } else {
                let after = rest[name..].strip_prefix(b"comment")?;
                matches!(after.first()?, b' ' | b'\n' | b'-' | b'%').then_some(())?;
                (Kind::Liquid, name + 7)
            }
        }
        [b'{', b'#', b'-' | b' ' | b'\t' | b'\r' | b'\n', ..] => (Kind::Jinja, 2),
        [b'{', ..] if rest.starts_with(b"{::comment}") => (Kind::Kramdown, 11),
        [b'{', ..] => {
            let mark = skip(1, b" \t\r\n");
            rest[mark..].starts_with(b"/*").then_some(())?;
            (Kind::Mdx, mark + 2)
        }
        _ => return None,
    };
    Some((kind, at + length))
}

/// Where a comment ends.
enum End {
    At(usize),
    /// It has no end and hides the rest.
    Never(&'static str),
}

struct Scanner<'a> {
    markdown: &'a str,
    out: Uncommented,
    /// Up to here the Markdown is copied or left out.
    copied: usize,
    /// For each text that was searched for, where it is next; `usize::MAX` if nowhere.
    found: Vec<(&'static str, usize)>,
}

impl<'a> Scanner<'a> {
    fn new(markdown: &'a str) -> Self {
        Self {
            markdown,
            out: Uncommented::default(),
            copied: 0,
            found: Vec::new(),
        }
    }

    fn run(mut self) -> Option<Uncommented> {
        let bytes = self.markdown.as_bytes();
        let events = Parser::new_ext(self.markdown, options()).into_offset_iter();
        let mut codes = events
            .filter_map(|(event, range)| {
                let is_code = matches!(event, Event::Start(Tag::CodeBlock(_)) | Event::Code(_));
                is_code.then_some(range)
            })
            .peekable();
        let mut at = 0;
        while let Some(length) = bytes.get(at..).and_then(|b| memchr3(b'{', b'%', b'<', b)) {
            let start = at + length;
            while codes.next_if(|code| code.end <= start).is_some() {}
            if let Some(code) = codes.peek()
                && code.contains(&start)
            {
                at = code.end;
                continue;
            }
            let found = opening(bytes, start).filter(|_| !is_escaped(bytes, start));
            let end = found.and_then(|(kind, from)| self.end(kind, start, from));
            match end {
                Some(End::At(end)) => {
                    self.leave_out(start, end);
                    at = end;
                }
                Some(End::Never(name)) => {
                    let place = self.out.text.len() + start - self.copied;
                    self.out.open = Some((name, place));
                    self.leave_out(start, bytes.len());
                    break;
                }
                None => at = self.past(start),
            }
        }
        if self.copied == 0 {
            return None;
        }
        self.out.text.push_str(&self.markdown[self.copied..]);
        Some(self.out)
    }

    /// Where to continue after `start`, where no comment begins. Skips comments and code of HTML, and raw
    /// text of Liquid.
    fn past(&mut self, start: usize) -> usize {
        let rest = &self.markdown.as_bytes()[start..];
        let is = |name: &str| {
            let found = rest.get(..name.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
        };
        let end = match rest {
            [b'<', b'!', b'-', b'-', ..] => self.find("-->", start + 2),
            [b'<', ..] if is("<pre") && matches!(rest.get(4), Some(b'>' | b' ' | b'\n')) => {
                self.find("</pre", start)
            }
            [b'{', b'%', inside @ ..] => {
                let word = inside.trim_ascii_start();
                let word = word.strip_prefix(b"-").unwrap_or(word).trim_ascii_start();
                let is_raw = word.starts_with(b"raw ") || word.starts_with(b"raw%");
                is_raw.then(|| self.find("endraw", start)).flatten()
            }
            _ => None,
        };
        let run = rest.iter().take_while(|b| **b == rest[0]).count();
        end.unwrap_or(start + run)
    }

    /// Where `text` is first from `from` on. Remembers the place, so that no part is searched twice.
    fn find(&mut self, text: &'static str, from: usize) -> Option<usize> {
        let known = self.found.iter().position(|(known, _)| *known == text);
        let index = known.unwrap_or(self.found.len());
        if known.is_none() {
            self.found.push((text, 0));
        }
        if known.is_none() || self.found[index].1 < from {
            let rest = self.markdown.as_bytes().get(from..).unwrap_or_default();
            self.found[index].1 = find(rest, text.as_bytes()).map_or(usize::MAX, |at| from + at);
        }
        Some(self.found[index].1).filter(|at| *at != usize::MAX)
    }

    /// The end of the comment that begins at `start` and has its text at `from`; `None` if it is not a
    /// comment.
    fn end(&mut self, kind: Kind, start: usize, from: usize) -> Option<End> {
        let bytes = self.markdown.as_bytes();
        match kind {
            Kind::Obsidian => return self.end_of_obsidian(start, from),
            Kind::Liquid => return Some(self.end_of_liquid(from)),
            _ => {}
        }
        let Some(end) = self.find(kind.end(), from) else {
            return match kind {
                Kind::Hugo | Kind::Kramdown => Some(End::Never("comment")),
                _ => None,
            };
        };
        let after = end + kind.end().len();
        let rest = &bytes[after..];
        let spaces = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let ends = |mark: &[u8]| rest[spaces..].starts_with(mark).then_some(mark.len());
        let length = match kind {
            Kind::Mdx => spaces + ends(b"}")?,
            Kind::Go => spaces + ends(b"}}").or_else(|| ends(b"-}}"))?,
            Kind::Hugo => spaces + ends(b">}}").or_else(|| ends(b"%}}"))?,
            Kind::Kramdown => rest.iter().take(16).position(|b| *b == b'}')? + 1,
            _ => 0,
        };
        Some(End::At(after + length))
    }

    /// The end of the `{% endcomment %}` of the comment whose name ends at `from`. Comments nest.
    fn end_of_liquid(&mut self, from: usize) -> End {
        let bytes = self.markdown.as_bytes();
        let (mut from, mut depth) = (from, 1);
        while let Some(name) = self.find("comment", from) {
            from = name + 7;
            let ends = bytes[..name].ends_with(b"end");
            let before = &bytes[..name - if ends { 3 } else { 0 }];
            let spaces = before.iter().rev().take(8);
            let spaces = spaces
                .take_while(|b| matches!(b, b' ' | b'-' | b'\n'))
                .count();
            if !before[..before.len() - spaces].ends_with(b"{%") {
                continue;
            }
            depth = if ends { depth - 1 } else { depth + 1 };
            if depth == 0 {
                let end = self.find("%}", from);
                return end.map_or(End::Never("comment"), |end| End::At(end + 2));
            }
        }
        End::Never("comment")
    }

    /// `%% … %%` in a line or paragraph, or `%%` … `%%` around blocks. Prose can have these marks too.
    fn end_of_obsidian(&mut self, start: usize, from: usize) -> Option<End> {
        let bytes = self.markdown.as_bytes();
        let before = bytes[..start].last();
        let is_no_mark = |b: &u8| b.is_ascii_digit() || b"%/=&?#\\".contains(b);
        if before.is_some_and(is_no_mark) || bytes[from..].starts_with(b"%") {
            return None;
        }
        let rest = &bytes[from..];
        let opens_line = is_at_line_start(&bytes[..start]);
        let spaces = rest.iter().take_while(|b| matches!(b, b' ' | b'\t'));
        let line_end = rest.get(spaces.count());
        let is_alone = opens_line && line_end.is_none_or(|b| matches!(b, b'\n' | b'\r'));
        let Some(end) = self.find("%%", from) else {
            return is_alone.then_some(End::Never("%%"));
        };
        let inside = &self.markdown[from..end];
        let after = end + 2;
        let is_loose = inside.starts_with(|c: char| c.is_whitespace());
        let is_comment = if !inside.contains(['\n', '\r']) {
            let is_word = |b: &u8| b.is_ascii_alphanumeric();
            (is_loose || !inside.ends_with([' ', '\t'])) && !bytes.get(after).is_some_and(is_word)
        } else if inside.lines().skip(1).any(|line| line.trim().is_empty()) {
            let line = self.markdown[after..].split(['\n', '\r']).next();
            opens_line && (is_alone || line.is_none_or(|line| line.trim().is_empty()))
        } else {
            opens_line || is_loose
        };
        is_comment.then_some(End::At(after))
    }

    /// Leaves out everything between `start` and `end` except line ends and the marks of a quote.
    fn leave_out(&mut self, start: usize, end: usize) {
        let out = &mut self.out.text;
        let written = out.len();
        out.push_str(&self.markdown[self.copied..start]);
        let inside = &self.markdown[start..end];
        if let Some(first) = inside.find(['\n', '\r']) {
            // The lines of a quote stay in it.
            let line = out.rfind(['\n', '\r']).map_or(0, |at| at + 1);
            let is_quote = out[line..].trim_start_matches(' ').starts_with('>');
            let mut is_mark = false;
            out.extend(inside[first..].chars().filter(|c| {
                let is_end = matches!(c, '\n' | '\r');
                is_mark = is_end || is_mark && matches!(c, ' ' | '>');
                is_end || is_quote && is_mark
            }));
        }
        // Spaces around it would become a line break or an indented code block.
        let rest = &self.markdown[end..];
        let after = rest.trim_start_matches([' ', '\t']);
        self.copied = end;
        if after.is_empty() || after.starts_with(['\n', '\r']) {
            let kept = out[written..].trim_end_matches([' ', '\t']).len();
            out.truncate(written + kept);
        } else if is_at_line_start(out.as_bytes()) {
            self.copied = end + rest.len() - after.len();
        }
    }
}

/// Whether the last line of `bytes` has only spaces and the marks of quotes.
fn is_at_line_start(bytes: &[u8]) -> bool {
    let marks = bytes.iter().rev().take(MAX_INDENT);
    let marks = marks.take_while(|b| matches!(b, b' ' | b'\t' | b'>'));
    let before = bytes[..bytes.len() - marks.count()].last();
    before.is_none_or(|b| matches!(b, b'\n' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_all_tools_are_left_out() {
        for (markdown, expected) in [
            ("a {/* s */} b", "a  b"),
            ("a  {/* s */}\nb", "a\nb"),
            ("{/* s\n\n s2 */}\nb", "\n\n\nb"),
            ("{/**\n * s */}    b", "\nb"),
            ("{\n /* s */\n}\nb", "\n\n\nb"),
            ("<div>{/* s */}</div>", "<div></div>"),
            ("a %% s %% b %%s%%.", "a  b ."),
            ("%%\ns\n\n- s\n%%\nb", "\n\n\n\n\nb"),
            ("> %% s\n> s %% b\n> c", "> \n> b\n> c"),
            ("{{- /* s */ -}}{{!-- s }} --}}{{! s }}b", "b"),
            ("{%- # s -%}{# s\n\n#}b", "\n\nb"),
            ("{{< comment >}}s\n{{< /comment >}}b", "\nb"),
            ("{{% comment %}}s{{% /comment %}}b", "b"),
            (
                "{% comment %}s{% comment %}s{% endcomment %}s{% endcomment %}b",
                "b",
            ),
            ("<%# s %>b<%-- s --%>", "b"),
            ("{::comment}\na\n{:/comment}\nb", "\n\n\nb"),
        ] {
            let text = remove(markdown).map(|without| without.text);
            assert_eq!(text.as_deref(), Some(expected), "{markdown}");
        }
    }

    #[test]
    fn what_only_looks_like_a_comment_stays() {
        for markdown in [
            "`{/* s */}`",
            "```\n%% s %%\n```\n",
            "- ```\n  {/* s */}\n  ```\n",
            "    {# s #}",
            "\\{/* s */}",
            "<!-- {/* --> a */}",
            "<pre>{/* s */}</pre>",
            "{% raw %}{# s #}{% endraw %}",
            "{/* s */ x}",
            "50%% and 60%% of it",
            "for %%i in (a) do %%i",
            "%%d and %%s",
            "%%% a %%%",
            "%% Part 1\n\ntext\n\n%% Part 2\n",
            "{{</* x */>}} {{ x }} {% include x %} {#id}",
        ] {
            assert_eq!(remove(markdown), None, "{markdown}");
        }
    }

    #[test]
    fn a_comment_without_an_end_hides_the_rest() {
        for (markdown, name, place) in [
            ("a\n\n{% comment %}\nb\n", "comment", 3),
            ("{# b #}a {{< comment >}}b\n", "comment", 2),
            ("a\n\n%%\nb", "%%", 3),
        ] {
            let without = remove(markdown).unwrap();
            assert_eq!(without.text.trim_end(), "a", "{markdown}");
            assert_eq!(without.open, Some((name, place)), "{markdown}");
        }
    }
}
