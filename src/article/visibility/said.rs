//! What a value says in any field: yes, no, or something else.

use std::borrow::Cow;

use crate::article::metadata::Value;
use crate::yaml::{Kind, Node};

/// A value of front matter, of a field that the schema knows or not.
#[derive(Debug)]
pub(super) enum Said<'a> {
    /// Nothing: the field is there without a value.
    Nothing,
    Text(&'a str),
    List(Vec<Said<'a>>),
    /// Its members, by the names that keys are matched by.
    Members(Vec<(&'a str, Said<'a>)>),
}

const YES: [&str; 5] = ["true", "yes", "on", "1", "y"];
const NO: [&str; 6] = ["false", "no", "off", "0", "n", "never"];
/// Words for "everybody may see it".
const OPEN: [&str; 14] = [
    "all",
    "any",
    "anyone",
    "default",
    "everybody",
    "everyone",
    "free",
    "live",
    "normal",
    "open",
    "public",
    "publish",
    "published",
    "visible",
];
/// Words for "nobody may see it yet".
const CLOSED: [&str; 5] = ["draft", "hidden", "none", "nobody", "private"];

impl<'a> Said<'a> {
    pub(super) fn of_node(node: &'a Node) -> Self {
        match &node.kind {
            _ if node.is_null() => Self::Nothing,
            Kind::Scalar { text, .. } => Self::of_text(text),
            Kind::Sequence(items) => Self::list(items.iter().map(Self::of_node)),
            Kind::Mapping(entries) => Self::members(
                entries
                    .iter()
                    .map(|(key, node)| (key.name.as_str(), Self::of_node(node))),
            ),
        }
    }

    pub(super) fn of_value(value: &'a Value) -> Self {
        match value {
            Value::Text(text) | Value::Decimal(text) => Self::of_text(text),
            Value::Flag(is_so) => Self::Text(if *is_so { "true" } else { "false" }),
            Value::Number(0) => Self::Text("0"),
            Value::Number(1) => Self::Text("1"),
            // A number of something: neither yes nor no.
            Value::Number(_) => Self::Text("2"),
            Value::List(items) => Self::list(items.iter().map(Self::of_value)),
            Value::Group(members) => Self::members(
                members
                    .iter()
                    .map(|(name, value)| (name.as_str(), Self::of_value(value))),
            ),
            Value::Pairs(pairs) => Self::members(
                pairs
                    .iter()
                    .map(|(label, text)| (label.as_str(), Self::of_text(text))),
            ),
        }
    }

    pub(super) fn of_text(text: &'a str) -> Self {
        match text.trim() {
            "" => Self::Nothing,
            text => Self::Text(text),
        }
    }

    fn list(items: impl Iterator<Item = Self>) -> Self {
        let items = items.filter(|item| !matches!(item, Self::Nothing));
        let items: Vec<Self> = items.collect();
        if items.is_empty() {
            Self::Nothing
        } else {
            Self::List(items)
        }
    }

    fn members(members: impl Iterator<Item = (&'a str, Self)>) -> Self {
        let members: Vec<_> = members.collect();
        if members.is_empty() {
            Self::Nothing
        } else {
            Self::Members(members)
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The member `name`, without regard to underscores.
    pub(super) fn member(&self, name: &str) -> &Self {
        const NOTHING: &Said<'_> = &Said::Nothing;
        match self {
            Self::Members(members) => {
                let found = members.iter().find(|(own, _)| squashed(own) == name);
                found.map_or(NOTHING, |(_, said)| said)
            }
            _ => NOTHING,
        }
    }

    pub(super) fn is_yes(&self) -> bool {
        self.is_one_of(&YES)
    }

    pub(super) fn is_no(&self) -> bool {
        self.is_one_of(&NO)
    }

    /// Whether it says plainly that everybody may see the article, in a field that restricts that:
    /// `private: false`, `visibility: public`.
    pub(super) fn leaves_open(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Text(_) => self.is_no() || self.is_one_of(&OPEN),
            Self::List(items) => items.iter().all(Self::leaves_open),
            Self::Members(_) => false,
        }
    }

    /// Whether it says plainly that nobody may see the article, in a field that opens it:
    /// `public: false`.
    pub(super) fn closes(&self) -> bool {
        self.is_no() || self.is_one_of(&CLOSED)
    }

    /// Whether it says plainly that everybody may see the article, in a field that opens it.
    pub(super) fn opens(&self) -> bool {
        matches!(self, Self::Nothing) || self.is_yes() || self.is_one_of(&OPEN)
    }

    /// Whether it is a text and one of `words`, in any case; `on hold` is `on-hold` and `on_hold`.
    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        let folded = |b: u8| {
            if matches!(b, b'-' | b'_') {
                b' '
            } else {
                b.to_ascii_lowercase()
            }
        };
        let is_word =
            |text: &str, word: &&str| text.bytes().map(folded).eq(word.bytes().map(folded));
        self.text()
            .is_some_and(|text| words.iter().any(|word| is_word(text, word)))
    }

    /// Whether one of the [words of robots meta
    /// tags](https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag) keeps the
    /// page out of search engines.
    pub(super) fn is_noindex(&self) -> bool {
        let is_word = |word: &str| {
            ["noindex", "none"]
                .iter()
                .any(|name| word.eq_ignore_ascii_case(name))
        };
        match self {
            Self::Text(text) => text
                .split(|c: char| c == ',' || c.is_whitespace())
                .any(is_word),
            Self::List(items) => items.iter().any(Self::is_noindex),
            Self::Nothing | Self::Members(_) => false,
        }
    }
}

/// A name without underscores: `membersOnly` and `members_only` are one.
pub(super) fn squashed(name: &str) -> Cow<'_, str> {
    if name.contains('_') {
        Cow::Owned(name.replace('_', ""))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn robots_are_words_in_any_case_with_commas_or_spaces() {
        let is_noindex = |text| Said::Text(text).is_noindex();
        for text in [
            "noindex",
            "NOINDEX,nofollow",
            "nofollow, noindex",
            "none",
            "index noindex",
        ] {
            assert!(is_noindex(text), "{text}");
        }
        for text in ["index, follow", "nofollow", "noindexing", "all"] {
            assert!(!is_noindex(text), "{text}");
        }
    }
}
