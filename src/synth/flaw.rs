//! What is wrong with an invalid article.

use super::edit::Edit;
use super::rng::Rng;

/// One mistake, of the kind that a generator with a bug makes: a field with a wrong value,
/// YAML that is none, bytes that are no text. Each is an error at the boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// A score above 100 or below 0.
    Score,
    /// No title, and no level-1 heading that could be one.
    NoTitle,
    /// A date that no calendar has.
    Date,
    /// An image source that is no host name.
    ImageHost,
    /// A seed that is no whole number, or below 0.
    Seed,
    /// A key twice, once in capitals.
    DuplicateKey,
    /// A quote or bracket that is not closed.
    BrokenYaml,
    /// A tab where YAML wants spaces.
    TabIndentation,
    /// A text longer than its field may be.
    LongField,
    /// More entries than a list may have.
    LongList,
    /// A list where a text belongs.
    WrongType,
    /// A byte that is not UTF-8.
    NotUtf8,
    /// No line `---` after the front matter.
    OpenFrontMatter,
    /// A number of views below 0, with decimals or too large.
    Views,
    /// A hash in capitals.
    Hash,
    /// A version that is not `SemVer`.
    Version,
    /// Neither a draft nor none.
    Draft,
    /// A time to live below a minute, or without a unit.
    Ttl,
    /// An `anp-ref-` reference without its second number.
    Reference,
}

/// Latin-1, a byte order mark of UTF-16, a character cut short, half a surrogate pair.
const NOT_UTF8: [&[u8]; 4] = [b"caf\xe9", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80"];

impl Flaw {
    /// All of them, each as frequent as the others.
    pub const ALL: [Self; 19] = [
        Self::Score,
        Self::NoTitle,
        Self::Date,
        Self::ImageHost,
        Self::Seed,
        Self::DuplicateKey,
        Self::BrokenYaml,
        Self::TabIndentation,
        Self::LongField,
        Self::LongList,
        Self::WrongType,
        Self::NotUtf8,
        Self::OpenFrontMatter,
        Self::Views,
        Self::Hash,
        Self::Version,
        Self::Draft,
        Self::Ttl,
        Self::Reference,
    ];

    /// Puts the mistake into an article.
    pub(super) fn spoil(self, n: u64, rng: &mut Rng, edit: &mut Edit<'_>) {
        let mut one_of = |label: &str, values: &[&str]| {
            let value = rng.word(values);
            edit.set(label, value);
        };
        match self {
            Self::Score => one_of("  quality", &["101", "140", "-1", "98.5", "high"]),
            Self::NoTitle => edit.remove("title"),
            Self::Date => one_of("date", &["2019-02-29", "2021-13-01", "08.08.2019", "soon"]),
            Self::ImageHost => {
                one_of(
                    "  - source",
                    &["example.org/images", "not a host", "https://example.org"],
                );
            }
            Self::Seed => one_of("  seed", &["-1", "1.5", "9007199254740993", "none"]),
            Self::DuplicateKey => edit.add(b"TOPIC: said twice"),
            Self::BrokenYaml => one_of("tags", &["[a, b", "\"a", "{a: b", "'a", "]"]),
            Self::TabIndentation => edit.add(b"more_scores:\n\tquality: 90"),
            Self::LongField => edit.set("summary", "far too long ".repeat(40)),
            Self::LongList => edit.set("tags", format!("[{}a]", "a, ".repeat(64))),
            Self::WrongType => one_of("title", &["[a, b]", "{a: b}"]),
            Self::NotUtf8 => {
                let text = *rng.pick(&NOT_UTF8);
                if rng.once_in(2) {
                    edit.set("owner", text);
                } else {
                    edit.put_block(text);
                }
            }
            Self::OpenFrontMatter => edit.open_front_matter(),
            Self::Views => one_of(
                "view_count",
                &["-5", "1.5", "9007199254740993", "99999999999999999999"],
            ),
            Self::Hash => one_of(
                "hash",
                &["8356724AE1829F39C3E9FA7E", "8356724Ae1829f39c3e9fa7e"],
            ),
            Self::Version => one_of("  version", &["1.2", "v1.2.3", "latest"]),
            Self::Draft => one_of("draft", &["maybe", "2", "soon"]),
            Self::Ttl => one_of("ttl", &["59s", "12", "forever", "11000d"]),
            Self::Reference => edit.set("reference", format!("anp-ref-{n:06}")),
        }
    }
}
