//! Lines that look like fields.

use crate::yaml::normalise;

/// Fields that hold an article back.
pub(super) const HOLDING_BACK: [&str; 5] = ["draft", "hidden", "noindex", "private", "published"];

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
