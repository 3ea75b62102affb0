//! The one table that names every field of the front matter, and what is made from it.

mod fields;
mod groups;
mod json;
mod markdown;
mod suggestions;
mod table;
mod team;
mod types;

pub use fields::Schema;
pub use json::json_schema;
pub use markdown::markdown;
pub use table::TABLE;
pub use team::read as read_schema;

use crate::duration;
use crate::yaml::suggest::one_of;

/// The largest whole number that every reader of JSON keeps exact: 2^53.
pub const MAX_EXACT: u64 = 1 << 53;

/// The longest URL, in characters.
pub const MAX_URL: usize = 2_000;

/// The longest version, in characters.
pub const MAX_VERSION: usize = 80;

/// A field of the front matter.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The normalised name: lower case, underscores.
    pub name: &'static str,
    /// Other names it goes by, normalised.
    pub aliases: &'static [&'static str],
    /// Whether other values under other names are usual: a thumbnail beside an image.
    pub aliases_differ: bool,
    /// Whether anp acts on it: then a value that it cannot be is an error, not an own field.
    pub acts: bool,
    /// Type and limits.
    pub kind: Kind,
    /// How the meta box calls it.
    pub label: &'static str,
    /// Whether the page shows it elsewhere or not at all, instead of in the meta box.
    pub outside_box: bool,
    /// Whether strict mode asks for it.
    pub required_in_strict: bool,
    /// Another field that can take its place.
    pub stand_in: Option<&'static str>,
    /// Whether the group it belongs to makes no sense without it, strict or not.
    pub required: bool,
    /// One line for the reference page and the JSON Schema.
    pub description: &'static str,
    /// The field as front matter writes it.
    pub example: &'static str,
}

/// A field with nothing special about it; the rows of the tables say what differs.
const FIELD: Field = Field {
    name: "",
    aliases: &[],
    aliases_differ: false,
    acts: false,
    kind: Kind::Flag,
    label: "",
    outside_box: false,
    required_in_strict: false,
    stand_in: None,
    required: false,
    description: "",
    example: "",
};

/// A number of things.
const COUNT: Kind = Kind::Integer {
    min: 0,
    max: MAX_EXACT,
};

/// Type and limits of a value. Lengths count characters after cleaning.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Free text of at most `max` characters.
    Text {
        /// Longest, in characters.
        max: usize,
    },
    /// Free text; where it begins with `prefix` it must go on with six or more digits and,
    /// if `suffix_digits` is above 0, a hyphen and exactly that number of digits.
    Numbered {
        /// Longest, in characters.
        max: usize,
        /// What makes it a numbered name.
        prefix: &'static str,
        /// Digits after the number; 0 for none.
        suffix_digits: usize,
    },
    /// The last segment of the route.
    Slug,
    /// A path, or false for no page.
    Route,
    /// A language tag of BCP 47: `pt-BR`.
    Language,
    /// A number, also below zero or with decimals.
    Number,
    /// Whole minutes; `6 min` and `5.5` are 6.
    Minutes {
        /// Most.
        max: u64,
    },
    /// The URL or path of an image.
    Image,
    /// Any value, cleaned and typed as that of an own field.
    Any,
    /// A word of the characters of `alphabet`.
    Token {
        /// Longest, in characters.
        max: usize,
        /// Which characters.
        alphabet: Alphabet,
    },
    /// One of these words, in lower case.
    Choice(&'static [&'static str]),
    /// A calendar date or an RFC 3339 date-time.
    Date,
    /// A whole number.
    Integer {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// 0, 1, true or false.
    Flag,
    /// A version of SemVer 2.0.
    SemVer,
    /// This number of lower-case hex digits.
    Hex(usize),
    /// A duration such as `12h`, in milliseconds.
    Duration {
        /// Shortest.
        min_ms: u64,
        /// Longest.
        max_ms: u64,
    },
    /// A host name.
    Host,
    /// An absolute http or https URL.
    Url,
    /// A list.
    List {
        /// Most entries.
        max: usize,
        /// What each entry is.
        of: &'static Kind,
        /// Where a text in its place is split.
        split: Split,
    },
    /// Pairs of label and text, as a list or as a mapping; order is kept.
    Pairs {
        /// Most pairs.
        max: usize,
        /// Longest label, in characters.
        label_max: usize,
        /// Longest text, in characters.
        text_max: usize,
    },
    /// Named members.
    Group(&'static [Field]),
}

/// Where a text in the place of a list is split into its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// It is one item: sentences have commas.
    Never,
    /// At commas.
    AtCommas,
    /// At commas; if it has none, at spaces where the setting `split_spaces` asks for it.
    AtCommasOrSpaces,
}

/// The characters of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// `[A-Za-z0-9._-]`
    Common,
    /// `[a-z0-9+#.-]`: names of programming languages.
    Language,
}

impl Alphabet {
    /// Whether the character belongs to it.
    #[must_use]
    pub fn contains(self, c: char) -> bool {
        match self {
            Self::Common => c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'),
            Self::Language => {
                c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '#' | '.' | '-')
            }
        }
    }

    /// As a character class of regular expressions.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Common => "[A-Za-z0-9._-]",
            Self::Language => "[a-z0-9+#.-]",
        }
    }
}

impl Field {
    /// Whether a normalised key names this field.
    #[must_use]
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// Which of two names counts if both are there: the one of lower rank.
    pub(super) fn rank(&self, name: &str) -> usize {
        let alias = self.aliases.iter().position(|alias| *alias == name);
        alias.map_or(0, |position| position + 1)
    }
}

impl Kind {
    /// What a message says was expected: `a whole number from 0 to 100`.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Text { max } => format!("a text of at most {max} characters"),
            Self::Numbered {
                max,
                prefix,
                suffix_digits,
            } => {
                let suffix = if *suffix_digits > 0 {
                    "-".to_owned() + &"N".repeat(*suffix_digits)
                } else {
                    String::new()
                };
                format!(
                    "a text of at most {max} characters, or {prefix}NNNNNN{suffix} (six or more digits)"
                )
            }
            Self::Slug => format!(
                "a slug of at most {} bytes with a letter or digit",
                super::route::MAX_SEGMENT_BYTES
            ),
            Self::Route => {
                format!("a path of at most {MAX_URL} characters (/guides/a/), or false for no page")
            }
            Self::Language => "a language tag (en or pt-BR)".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Minutes { max } => format!("whole minutes from 0 to {max}"),
            Self::Image => format!("a URL or path of at most {MAX_URL} characters"),
            Self::Any => "any value".to_owned(),
            Self::Token { max, alphabet } => {
                format!(
                    "a token of at most {max} characters from {}",
                    alphabet.class()
                )
            }
            Self::Choice(choices) => one_of(choices),
            Self::Date => {
                "a date (2019-08-08) or RFC 3339 date-time (2019-08-08T12:30:00Z)".to_owned()
            }
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Flag => "0, 1, true or false".to_owned(),
            Self::SemVer => format!("a SemVer version (1.5.1) of at most {MAX_VERSION} characters"),
            Self::Hex(digits) => format!("{digits} lower-case hex digits"),
            Self::Duration { min_ms, max_ms } => format!(
                "a duration from {} to {} (for example 12h)",
                duration::show(*min_ms),
                duration::show(*max_ms)
            ),
            Self::Host => "a host name (example.com)".to_owned(),
            Self::Url => format!("an absolute http or https URL of at most {MAX_URL} characters"),
            Self::List { max, of, .. } => format!("a list of at most {max} {}", of.plural()),
            Self::Pairs { max, .. } => format!("a list of at most {max} pairs 'label: text'"),
            Self::Group(members) => {
                let names: Vec<&str> = members.iter().map(|member| member.name).collect();
                format!("a mapping of {}", one_of(&names).replace(" or ", " and "))
            }
        }
    }

    fn plural(&self) -> String {
        match self {
            Self::Group(members) => {
                let names: Vec<&str> = members.iter().map(|member| member.name).collect();
                format!("mappings {{{}}}", names.join(", "))
            }
            Self::Text { max } => format!("texts of at most {max} characters"),
            other => other.expected(),
        }
    }
}
