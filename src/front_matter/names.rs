//! Names of fields, and lines that look like fields.

use crate::yaml::normalise;

/// Most lines outside of front matter that are searched for a field that holds the article back.
pub(super) const SEARCHED_LINES: usize = 40;

/// Fields that front matter often begins with.
pub(super) const COMMON: [&str; 24] = [
    "title",
    "date",
    "draft",
    "published",
    "publish_date",
    "layout",
    "slug",
    "author",
    "authors",
    "tags",
    "categories",
    "category",
    "description",
    "summary",
    "id",
    "permalink",
    "url",
    "weight",
    "hidden",
    "private",
    "noindex",
    "status",
    "sidebar_position",
    "pub_date",
];

/// The name of the field that a line of YAML gives: `name: value`, `"name": value` or `name:`,
/// normalised. A sentence with a colon has a long name, or no blank behind the colon.
pub(super) fn field(line: &str) -> Option<String> {
    let (name, value) = line.split_once(':')?;
    let quoted = |mark| name.strip_prefix(mark)?.strip_suffix(mark);
    let name = quoted('"')
        .or_else(|| quoted('\''))
        .unwrap_or(name)
        .trim_end();
    let fits = name.len() <= 40
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.split(' ').count() <= 3
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '));
    let ends = value.is_empty() || value.starts_with([' ', '\t']);
    (fits && ends).then(|| normalise(name))
}

/// Whether a line of TOML gives a field or opens a table.
pub(super) fn toml_field(line: &str) -> bool {
    let line = line.trim();
    if line.starts_with('[') && line.ends_with(']') {
        return true;
    }
    line.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim();
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'');
        !name.is_empty() && name.chars().all(word)
    })
}

/// Whether a field with this name and this word as value holds the article back. Last, whether it
/// stands at the start of the text: further down, words and dates are ordinary text.
pub type HoldsBack = fn(name: &str, value: &str, at_start: bool) -> bool;

/// The field of a line that holds the article back, if it has one: `draft: true`, `"draft": true,`,
/// `draft = true`, `{ draft: true }`, `.. status: draft`.
pub(super) fn held_back(line: &str, at_start: bool, holds_back: HoldsBack) -> Option<String> {
    const FRAME: &[char] = &['{', '}', ',', '[', ']'];
    // An item of a list.
    if ["- ", "+ "]
        .iter()
        .any(|mark| line.trim_start().starts_with(mark))
    {
        return None;
    }
    let line =
        line.trim_start_matches(|c: char| c.is_whitespace() || !c.is_alphanumeric() && !is_mark(c));
    line.split(FRAME).find_map(|piece| {
        let (name, value) = piece.split_once([':', '='])?;
        let is_quote = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
        let name = name.trim_matches(is_quote);
        let value = value.trim_start_matches(is_quote);
        if name.len() > 40
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b' '))
        {
            return None;
        }
        let end = value.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'));
        let (word, behind) = value.split_at(end.unwrap_or(value.len()));
        let behind = behind.trim_start_matches(is_quote);
        let is_whole = behind.is_empty()
            || [";", "#", "//", "/*", "-->"]
                .iter()
                .any(|end| behind.starts_with(end));
        let name = normalise(name);
        (is_whole && holds_back(&name, word, at_start)).then_some(name)
    })
}

/// Marks in front of a line that make it text: a list, a quote, code, a table.
fn is_mark(c: char) -> bool {
    matches!(c, '`' | '*' | '>' | '#' | '|' | '(' | '!' | '_' | '~')
}
