//! The links of a survey until all routes are known. A link takes two hashes; its text and place are
//! read again from its source if it is broken.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use std::path::PathBuf;
use std::sync::Arc;

use crate::article::{LinkRule, Links, Rules, To};
use crate::characters::is_hidden;
use crate::diagnostic::{Diagnostic, Place, RETRY_AFTER_FIX, Severity};

/// Most broken links that are named of one source.
pub(super) const MAX_NAMED: usize = 100;

/// Links that may be broken.
#[derive(Default)]
pub(crate) struct FollowedLinks {
    /// Links to pages: hash of the route, and number of the source.
    pub(super) pages: Vec<(u64, u32)>,
    /// Links to headings of other pages: hashes of route and heading, and number of the source.
    pub(super) headings: Vec<(u64, u64, u32)>,
    /// Sources of links that are broken in any case, once for each link.
    pub(super) lost: Vec<u32>,
    /// Sources that were read. The others are as the last run left them.
    pub(super) read: HashSet<u32>,
}

impl FollowedLinks {
    /// Adds the links of a source. `is_read`: it was read, not recalled from the cache.
    pub(crate) fn add(&mut self, source: u32, links: &Links, is_read: bool) {
        for link in &links.checked {
            match &link.to {
                To::Page(route) => {
                    let page = hash(route.as_str());
                    self.pages.push((page, source));
                    if let Some(heading) = &link.heading {
                        self.headings.push((page, hash(heading), source));
                    }
                }
                To::NoSource(_) | To::NoFile(_) | To::NoRoute(_) => self.lost.push(source),
                To::Own => {}
            }
        }
        if is_read {
            self.read.insert(source);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.pages.extend(other.pages);
        self.headings.extend(other.headings);
        self.lost.extend(other.lost);
        self.read.extend(other.read);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.lost.is_empty()
    }
}

pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Whether broken links are errors or warnings.
pub(super) fn severity(rules: &Rules) -> Severity {
    match rules.links == LinkRule::Deny || rules.strict {
        true => Severity::Error,
        false => Severity::Warning,
    }
}

/// The code of findings about links.
pub(super) const LINK: &str = "link";

/// The finding about a broken link: its message and help, if there is any.
pub(super) fn finding(
    rules: &Rules,
    path: &Arc<PathBuf>,
    place: Place,
    (message, help): (String, Option<String>),
) -> Diagnostic {
    Diagnostic {
        severity: severity(rules),
        code: LINK.to_owned(),
        message,
        path: Arc::clone(path),
        place: Some(place),
        help,
        retry: RETRY_AFTER_FIX,
    }
}

/// A text of an article for a message: shortened, and without hidden characters.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN_CHARS: usize = 80;
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("'{}'", shown.replace(is_hidden, " "))
}
