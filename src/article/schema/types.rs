//! The types of a schema file: their names, their keys, and an example of each.

use super::Kind;
use crate::yaml::{Key, Node};

/// The types by name, each with the keys that it has besides [`COMMON`].
pub(super) const TYPES: [(&str, &[&str]); 19] = [
    ("text", &["max"]),
    ("token", &["max"]),
    ("choice", &["choices"]),
    ("date", &[]),
    ("whole", &["min", "max"]),
    ("number", &[]),
    ("minutes", &["max"]),
    ("flag", &[]),
    ("version", &[]),
    ("hex", &["digits"]),
    ("duration", &["min", "max"]),
    ("host", &[]),
    ("url", &[]),
    ("image", &[]),
    ("language", &[]),
    ("list", &["max", "of", "split"]),
    ("pairs", &["max"]),
    ("group", &["fields"]),
    ("any", &[]),
];

/// The keys that a field of any type may have.
pub(super) const COMMON: [&str; 6] = [
    "type",
    "label",
    "description",
    "example",
    "required",
    "aliases",
];

/// The keys that the type of a field has besides [`COMMON`].
pub(super) fn parameters(entries: &[(Key, Node)]) -> &'static [&'static str] {
    let name = entries.iter().find(|(key, _)| key.name == "type");
    let name = name
        .and_then(|(_, node)| node.text().ok())
        .unwrap_or_default();
    let named = TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    named.map_or(&[], |(_, parameters)| parameters)
}

/// A value of the kind, as front matter writes it.
pub(super) fn example(kind: &Kind) -> String {
    match kind {
        Kind::Choice(choices) => choices.first().copied().unwrap_or_default().to_owned(),
        Kind::Date => "2019-08-08".to_owned(),
        Kind::Integer { min, .. } => min.to_string(),
        Kind::Minutes { .. } | Kind::Number => "6".to_owned(),
        Kind::Flag => "true".to_owned(),
        Kind::SemVer => "1.5.1".to_owned(),
        Kind::Hex(digits) => "a".repeat(*digits),
        Kind::Duration { min_ms, .. } => crate::duration::show(*min_ms),
        Kind::Host => "example.com".to_owned(),
        Kind::Url | Kind::Image => "https://example.com/a.png".to_owned(),
        Kind::Language => "en".to_owned(),
        Kind::List { of, .. } => format!("[{}]", example(of)),
        Kind::Pairs { .. } => "[{label: text}]".to_owned(),
        Kind::Group(fields) => {
            let members = fields.iter().map(|field| field.example);
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        _ => "text".to_owned(),
    }
}
