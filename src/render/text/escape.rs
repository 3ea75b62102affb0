//! Plain text → the same text in Markdown, where no character of it has a meaning.

/// Where a text stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Around {
    /// The character before it.
    pub(super) before: Option<char>,
    /// It is the first of its line.
    pub(super) starts_line: bool,
    /// It is in the text of a link or an image.
    pub(super) is_in_brackets: bool,
    /// It is in a cell of a table.
    pub(super) is_in_cell: bool,
    /// It is in a heading.
    pub(super) is_in_heading: bool,
    /// Nothing is known of what follows it.
    pub(super) is_last: bool,
}

/// Appends `word`, which has no white space, as Markdown.
pub(super) fn word(out: &mut String, word: &str, around: Around) {
    let is_marker = around.starts_line && is_marker(word);
    let mut before = around.before;
    let mut rest = word.chars();
    while let Some(c) = rest.next() {
        let is_first = rest.as_str().len() + c.len_utf8() == word.len();
        let next = rest.clone().next();
        let ends = next.is_none() && around.is_last;
        let escapes = next.is_none_or(|next| next.is_ascii_punctuation());
        match c {
            '*' | '`' | '[' | '~' => out.extend(['\\', c]),
            ']' if around.is_in_brackets => out.push_str("\\]"),
            '|' if around.is_in_cell => out.push_str("\\|"),
            '#' if around.is_in_heading && is_first => out.push_str("\\#"),
            // Behind the word may come the end of a line.
            '\\' if escapes => out.push_str("\\\\"),
            '_' => {
                let is_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                if !(is_of_word(before) && is_of_word(next)) {
                    out.push('\\');
                }
                out.push('_');
            }
            '<' if ends || next.is_some_and(may_start_tag) => out.push_str("&lt;"),
            '&' if is_reference(rest.as_str(), around.is_last) => out.push_str("&amp;"),
            '>' if around.starts_line && is_first => out.push_str("\\>"),
            _ if is_marker && (is_first && !c.is_ascii_digit() || matches!(c, '.' | ')')) => {
                out.extend(['\\', c]);
            }
            _ => out.push(c),
        }
        before = Some(c);
    }
}

/// Whether a line that begins with this word would be a list, a heading, a rule, the line below a heading
/// or that below the head of a table.
fn is_marker(word: &str) -> bool {
    let is_of = |set: &str| word.chars().all(|c| set.contains(c));
    let digits = word.strip_suffix(['.', ')']);
    is_of("#")
        || is_of("-+=|:")
        || digits.is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether `<` before this character could be the start of a tag, a comment or a link.
fn may_start_tag(next: char) -> bool {
    next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')
}

/// Whether `&` before this text would be a character reference. What ends the text could go on as one if it
/// `is_last`.
fn is_reference(after: &str, is_last: bool) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '#';
    let rest = after.trim_start_matches(is_of_name);
    rest.len() < after.len() && rest.starts_with(';') || rest.is_empty() && is_last
}

/// The destination of a link or an image.
pub(super) fn destination(out: &mut String, url: &str) {
    let mut open = 0_i32;
    let is_balanced = url.chars().all(|c| {
        open += i32::from(c == '(') - i32::from(c == ')');
        (0..=3).contains(&open)
    }) && open == 0;
    let mut rest = url.trim().chars();
    while let Some(c) = rest.next() {
        match c {
            '(' if !is_balanced => out.push_str("%28"),
            ')' if !is_balanced => out.push_str("%29"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '\\' => out.push_str("%5C"),
            '|' => out.push_str("%7C"),
            '"' => out.push_str("%22"),
            '`' => out.push_str("%60"),
            '&' if is_reference(rest.as_str(), false) => out.push_str("&amp;"),
            c if c.is_whitespace() => out.push_str("%20"),
            c => out.push(c),
        }
    }
}

/// The longest run of backticks in `code`.
pub(super) fn backticks(code: &str) -> usize {
    let runs = code.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Around, backticks, destination, word};

    fn escaped(text: &str, around: Around) -> String {
        let mut out = String::new();
        word(&mut out, text, around);
        out
    }

    #[test]
    fn what_has_a_meaning_in_markdown_is_escaped_and_nothing_else() {
        let plain = Around::default();
        for (text, expected) in [
            ("snake_case", "snake_case"),
            ("_private", "\\_private"),
            ("2*3", "2\\*3"),
            ("a<b", "a&lt;b"),
            ("<3", "<3"),
            ("<script>", "&lt;script>"),
            ("AT&T", "AT&T"),
            ("&lt;", "&amp;lt;"),
            ("&#60;", "&amp;#60;"),
            ("array[0]", "array\\[0]"),
            ("C:\\dir\\*", "C:\\dir\\\\\\*"),
            ("C:\\dir\\", "C:\\dir\\\\"),
            ("a|b", "a|b"),
            ("-", "-"),
            ("1.", "1."),
            ("C#", "C#"),
        ] {
            assert_eq!(escaped(text, plain), expected, "{text}");
        }
    }

    #[test]
    fn no_line_begins_with_a_marker() {
        let first = Around {
            starts_line: true,
            ..Around::default()
        };
        for (text, expected) in [
            ("-", "\\-"),
            ("---", "\\---"),
            ("===", "\\==="),
            ("|---|", "\\|---|"),
            ("##", "\\##"),
            ("#tag", "#tag"),
            (">x", "\\>x"),
            ("12.", "12\\."),
            ("1)", "1\\)"),
            ("-5", "-5"),
            ("1.5", "1.5"),
        ] {
            assert_eq!(escaped(text, first), expected, "{text}");
        }
    }

    #[test]
    fn a_text_whose_end_is_not_known_can_become_nothing_else() {
        let last = Around {
            is_last: true,
            ..Around::default()
        };
        for (text, expected) in [("a<", "a&lt;"), ("&lt", "&amp;lt"), ("a\\", "a\\\\")] {
            assert_eq!(escaped(text, last), expected, "{text}");
        }
    }

    #[test]
    fn a_destination_ends_where_it_should() {
        for (url, expected) in [
            ("/a/(b)/", "/a/(b)/"),
            ("/a)b", "/a%29b"),
            ("a b", "a%20b"),
            ("?a=1&b=2", "?a=1&b=2"),
            ("?a&lt;b", "?a&amp;lt;b"),
            ("<x>", "%3Cx%3E"),
            ("/a`b", "/a%60b"),
        ] {
            let mut out = String::new();
            destination(&mut out, url);
            assert_eq!(out, expected, "{url}");
        }
        assert_eq!(backticks("a``b`c"), 2);
        assert_eq!(backticks("a"), 0);
    }
}
