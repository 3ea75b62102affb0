//! What comes out of an export, and how it is read.

use serde_json::{Map, Value};

use crate::characters::is_hidden;

/// The longest summary and description, in characters.
pub(super) const MAX_SUMMARY: usize = 500;

/// How custom fields are read.
#[derive(Clone, Copy)]
pub struct WxrOptions<'a> {
    /// Prefixes of custom fields that are fields of the front matter; none: `_anp_` and `anp_`.
    pub meta_prefixes: &'a [String],
    /// The field of the front matter that a name means, as keys are matched, or an alias of it.
    pub field_of: &'a dyn Fn(&str) -> Option<&'static str>,
}

/// A finding about an item that is read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line of the export, from 1.
    pub line: u32,
    /// What kind it is.
    pub code: &'static str,
    /// What was found.
    pub message: String,
}

impl Finding {
    pub(super) fn new(line: u32, code: &'static str, mut message: String) -> Self {
        // It is shown on terminals, and holds what others wrote.
        if message.contains(is_hidden) {
            message = message.replace(is_hidden, " ");
        }
        Self {
            line,
            code,
            message,
        }
    }
}

/// A post or page.
#[derive(Debug, PartialEq)]
pub struct Item {
    /// The line of its `<item>`, from 1.
    pub line: u32,
    /// A path as that of a file, made of its address: `2024/05/hello.html`.
    pub path: String,
    /// The fields of its front matter.
    pub record: Map<String, Value>,
    /// Its body, in HTML.
    pub html: String,
    /// Why WordPress does not show it to everybody, if it does not.
    pub held: Option<String>,
    /// Warnings, by line.
    pub findings: Vec<Finding>,
}

/// What comes out of an export, in the order of its items.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// An article.
    Article(Box<Item>),
    /// An item that is none: a menu entry, a file, something in the trash.
    Skipped {
        /// The line of its `<item>`.
        line: u32,
        /// What it is: its type, or `trash`.
        what: String,
    },
    /// An item that cannot be read.
    Broken {
        /// The line of its `<item>`.
        line: u32,
        /// What is wrong.
        message: String,
    },
}

/// How many events there were of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Articles.
    pub articles: u64,
    /// Items that are none.
    pub skipped: u64,
    /// Items that cannot be read.
    pub broken: u64,
}

/// Why an export cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum WxrError {
    /// The input failed.
    #[error("{0}")]
    Read(std::io::Error),
    /// It is something else.
    #[error(
        "line {line}: expected a WordPress export (<rss> with <wp:wxr_version>), found something else"
    )]
    NotAnExport {
        /// Where that shows.
        line: u32,
    },
    /// It ends inside an item, or before the end of the channel.
    #[error("line {line}: the export ends before </rss>: it was cut short")]
    CutShort {
        /// The last line.
        line: u32,
    },
    /// It declares entities. None is ever expanded.
    #[error(
        "line {line}: the export declares entities, which anp does not expand: remove the <!DOCTYPE>"
    )]
    Entities {
        /// Where.
        line: u32,
    },
    /// It is not in UTF-8.
    #[error("expected an export in UTF-8, found {found}: convert the file")]
    Encoding {
        /// The encoding.
        found: String,
    },
}

/// Why reading ended early.
#[derive(Debug)]
pub enum Stopped<E> {
    /// The export cannot be read.
    Export(WxrError),
    /// The receiver of the events stopped.
    Taker(E),
}
