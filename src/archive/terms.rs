//! What an article is about, as terms: what similar posts are found by.
//!
//! A term has a kind and a text in lower case. Tags and tools share a kind, so that the tag
//! `redis` of one article matches the tool `Redis` of another. Words of titles do not match tags,
//! because that made one measured tree worse and none clearly better (docs/archive.md).

use crate::article::{Article, Value};
use crate::hashing::first_bytes;

/// An article has no more terms than this. Those that come first in the order of [`terms`] stay.
pub const MAX_TERMS: usize = 24;

/// Of those, at most this many are topics and labels, so that a long list of tags leaves room for
/// the title.
const MAX_LABELS: usize = 16;

/// The fields whose texts are labels, in the order in which they count.
const LABEL_FIELDS: [&str; 5] = ["tags", "categories", "entities", "tools", "stack"];

/// Words that say nothing about what an English title is about. Those of other languages weigh
/// little, because they are in many titles.
const STOP_WORDS: [&str; 67] = [
    "about", "all", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "do",
    "does", "for", "from", "get", "has", "have", "how", "if", "in", "into", "is", "it", "its",
    "just", "may", "more", "my", "new", "no", "not", "of", "on", "or", "our", "out", "so", "than",
    "that", "the", "their", "there", "this", "to", "up", "us", "use", "using", "via", "was", "we",
    "what", "when", "where", "which", "who", "why", "will", "with", "without", "would", "you",
    "your", "yours",
];

/// Where a term comes from, which decides how much it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TermKind {
    /// The topic as a whole.
    Topic,
    /// A tag, a category, the name of an entity, a tool or a technology.
    Label,
    /// A word of the title, or two that follow each other.
    Title,
}

impl TermKind {
    /// How much a term of this kind counts beside one of another kind that is as rare.
    pub(super) fn weight(self) -> u32 {
        match self {
            Self::Topic => 4,
            Self::Label => 2,
            Self::Title => 1,
        }
    }

    /// The word that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Label => "label",
            Self::Title => "title",
        }
    }

    /// The kind of the term with this hash.
    #[must_use]
    pub fn of_hash(hash: u64) -> Self {
        match hash & KIND_BITS {
            0 => Self::Topic,
            1 => Self::Label,
            _ => Self::Title,
        }
    }

    fn bits(self) -> u64 {
        match self {
            Self::Topic => 0,
            Self::Label => 1,
            Self::Title => 2,
        }
    }
}

/// The bits of a term's hash that say its kind.
const KIND_BITS: u64 = 0b11;

/// A term of an article, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// As in [`term_hashes`].
    pub hash: u64,
    /// Where it comes from.
    pub kind: TermKind,
    /// Its text, in lower case.
    pub text: String,
}

/// The hashes of an article's [`terms`], in the same order.
///
/// A hash is the first 8 bytes of the BLAKE3 of the text, little-endian, with the kind in its lowest two
/// bits. It is the same in every version and on every machine, because caches on disk hold it.
#[must_use]
pub fn term_hashes(article: &Article<'_>) -> Vec<u64> {
    let mut terms = Terms::new(None);
    terms.collect(article);
    terms.hashes
}

/// The terms of an article, each once: its topic, its labels (tags, categories, entities, tools, stack), the
/// words of its title, and the pairs of words that follow each other there.
#[must_use]
pub fn terms(article: &Article<'_>) -> Vec<Term> {
    let mut terms = Terms::new(Some(Vec::new()));
    terms.collect(article);
    let texts = terms.texts.unwrap_or_default();
    let named = terms.hashes.into_iter().zip(texts);
    let named = named.map(|(hash, text)| Term {
        hash,
        kind: TermKind::of_hash(hash),
        text,
    });
    named.collect()
}

/// Collects terms.
struct Terms {
    hashes: Vec<u64>,
    /// The text of each hash, if somebody wants it.
    texts: Option<Vec<String>>,
    /// The text of the term that is looked at.
    folded: String,
}

impl Terms {
    fn new(texts: Option<Vec<String>>) -> Self {
        Self {
            hashes: Vec::with_capacity(MAX_TERMS),
            texts,
            folded: String::with_capacity(64),
        }
    }

    fn collect(&mut self, article: &Article<'_>) {
        let metadata = &article.metadata;
        if let Some(topic) = metadata.get("topic") {
            self.add_texts(TermKind::Topic, topic);
        }
        for field in LABEL_FIELDS {
            if let Some(labels) = metadata.get(field) {
                self.add_texts(TermKind::Label, labels);
            }
        }
        self.add_title(&article.title);
    }

    /// Adds a text, the texts of a list, and of groups what is called `name`.
    fn add_texts(&mut self, kind: TermKind, value: &Value) {
        match value {
            Value::Text(text) => {
                self.folded.clear();
                fold(text, &mut self.folded);
                self.add(kind, MAX_LABELS);
            }
            Value::List(items) => {
                for item in items {
                    self.add_texts(kind, item);
                }
            }
            Value::Group(members) => {
                for (_, name) in members.iter().filter(|(member, _)| member == "name") {
                    self.add_texts(kind, name);
                }
            }
            _ => {}
        }
    }

    fn add_title(&mut self, title: &str) {
        let mut words = String::with_capacity(title.len() + 8);
        let mut ends = Vec::with_capacity(16);
        for word in title.split(|c: char| !(c.is_alphanumeric() || c == '+' || c == '#')) {
            let start = words.len();
            push_word(word, &mut words);
            if words.len() > start {
                ends.push(words.len());
                words.push(' ');
            }
        }
        let starts = || std::iter::once(0).chain(ends.iter().map(|end| end + 1));
        for (start, end) in starts().zip(&ends) {
            self.add_part(&words[start..*end]);
        }
        for (start, end) in starts().zip(ends.iter().skip(1)) {
            self.add_part(&words[start..*end]);
        }
    }

    fn add_part(&mut self, part: &str) {
        self.folded.clear();
        self.folded.push_str(part);
        self.add(TermKind::Title, MAX_TERMS);
    }

    /// Adds the text in `folded`, if it is new and there are fewer terms than `most`.
    fn add(&mut self, kind: TermKind, most: usize) {
        if self.folded.is_empty() || self.hashes.len() >= most {
            return;
        }
        let hash = hash(kind, &self.folded);
        if self.hashes.contains(&hash) {
            return;
        }
        self.hashes.push(hash);
        if let Some(texts) = &mut self.texts {
            texts.push(self.folded.clone());
        }
    }
}

fn hash(kind: TermKind, text: &str) -> u64 {
    let hash = u64::from_le_bytes(first_bytes(&blake3::hash(text.as_bytes())));
    hash & !KIND_BITS | kind.bits()
}

/// Appends `text` in lower case, with one space for white space, hyphens and underscores: `Machine-learning`
/// and `machine learning` are one label.
fn fold(text: &str, out: &mut String) {
    let start = out.len();
    for part in text.split(|c: char| c.is_whitespace() || c == '-' || c == '_') {
        if part.is_empty() {
            continue;
        }
        if out.len() > start {
            out.push(' ');
        }
        push_lower(part, out);
    }
}

fn push_lower(text: &str, out: &mut String) {
    out.extend(text.chars().flat_map(char::to_lowercase));
}

/// Whether the `s` at the end of a word may be one of a plural: `caches`, not `redis`, `status` or `class`.
fn is_plural(word: &str) -> bool {
    let others = ["is", "ss", "us"];
    word.len() > 3 && word.ends_with('s') && !others.iter().any(|end| word.ends_with(end))
}

/// Appends a word of a title in lower case, without the `s` of a plural. Single letters, numbers and stop words
/// are left out.
fn push_word(word: &str, out: &mut String) {
    let start = out.len();
    push_lower(word, out);
    let lower = &out[start..];
    let is_letter = lower.chars().nth(1).is_none();
    let is_number = !lower.chars().any(char::is_alphabetic);
    if is_letter || is_number || STOP_WORDS.binary_search(&lower).is_ok() {
        out.truncate(start);
    } else if is_plural(lower) {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::{Input, Markup, Rules, read};
    use std::path::Path;
    use std::sync::{Arc, OnceLock};

    /// The terms of an article with this front matter, each as `kind text`.
    fn terms_of(front_matter: &str) -> Vec<String> {
        let source = format!("---\n{front_matter}\n---\n\ntext\n");
        let path = Path::new("a.md");
        let cleaned = OnceLock::new();
        let input = Input {
            path: Arc::new(path.into()),
            relative: path,
            markup: Markup::of_path(path),
            bytes: source.as_bytes(),
            cleaned: &cleaned,
        };
        let article = read(&input, &Rules::default()).article.expect("valid");
        let terms = terms(&article);
        let hashes: Vec<u64> = terms.iter().map(|term| term.hash).collect();
        assert_eq!(hashes, term_hashes(&article));
        let named = |term: Term| {
            assert_eq!(term.kind, TermKind::of_hash(term.hash));
            format!("{:?} {}", term.kind, term.text)
        };
        terms.into_iter().map(named).collect()
    }

    #[test]
    fn every_field_says_what_an_article_is_about() {
        let terms = terms_of(
            "title: Redis notes\ntopic: Caching / Redis\ntags: [Machine-learning, cron_jobs]\ncategories: [ops]\n\
             entities: [{name: Database, type: area}]\ntools: [redis-cli]\nstack: [C++]",
        );
        let expected = [
            "Topic caching / redis",
            "Label machine learning",
            "Label cron jobs",
            "Label ops",
            "Label database",
            "Label redis cli",
            "Label c++",
            "Title redis",
            "Title note",
            "Title redis note",
        ];
        assert_eq!(terms, expected);
    }

    #[test]
    fn a_label_counts_once_however_it_is_written() {
        let terms = terms_of("title: the\ntags: [redis, REDIS]\ntools: [Redis, foo  bar, Foo-Bar]");
        assert_eq!(terms, ["Label redis", "Label foo bar"]);
    }

    #[test]
    fn a_title_is_its_words_and_pairs_without_what_says_nothing() {
        let terms = terms_of("title: \"What's new in C++ and the 2024 classes, part 2: a glass\"");
        let expected = [
            "Title c++",
            "Title classe",
            "Title part",
            "Title glass",
            "Title c++ classe",
            "Title classe part",
            "Title part glass",
        ];
        assert_eq!(terms, expected);
    }

    #[test]
    fn many_labels_leave_room_for_the_title() {
        let tags: Vec<String> = (0..60).map(|n| format!("tag{n}")).collect();
        let title: Vec<String> = (0..20).map(|n| format!("word{n}")).collect();
        let terms = terms_of(&format!(
            "title: {}\ntags: [{}]",
            title.join(" "),
            tags.join(", ")
        ));
        assert_eq!(terms.len(), MAX_TERMS);
        assert_eq!(terms[MAX_LABELS - 1], "Label tag15");
        assert_eq!(terms[MAX_LABELS], "Title word0");
    }

    #[test]
    fn hashes_are_those_that_caches_hold() {
        let label = hash(TermKind::Label, "redis");
        assert_eq!(label, 4_800_096_828_349_278_725);
        let topic = hash(TermKind::Topic, "redis");
        assert_eq!(
            (topic, TermKind::of_hash(topic)),
            (label - 1, TermKind::Topic)
        );
    }

    #[test]
    fn stop_words_are_sorted_for_the_search() {
        assert!(STOP_WORDS.is_sorted());
    }
}
