//! What is kept of links until all routes are known: of one that may be broken no more than two
//! hashes. Its text and place are looked up in its source once it is known to be broken.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use crate::article::{Links, To};
use crate::characters::is_hidden;

/// The links of a batch, or of all of them, that may be broken.
#[derive(Default)]
pub(crate) struct FollowedLinks {
    /// Links to pages: hash of the route, and number of the source.
    pub(super) pages: Vec<(u64, u32)>,
    /// Links to headings of other pages: hash of the route, hash of the fragment, and number of the source.
    pub(super) headings: Vec<(u64, u64, u32)>,
    /// Sources with links that lead nowhere for certain, once for each.
    pub(super) lost: Vec<u32>,
    /// Sources that were read, and not recalled.
    pub(super) read: HashSet<u32>,
}

impl FollowedLinks {
    /// Takes down the links of a source, which was `read` or recalled.
    pub(crate) fn add(&mut self, source: u32, links: &Links, is_read: bool) {
        for link in &links.checked {
            match &link.to {
                To::Page(route) => {
                    let page = hash(route.as_str());
                    self.pages.push((page, source));
                    if let Some(fragment) = &link.fragment {
                        self.headings.push((page, hash(fragment), source));
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

/// A text of an article as a message repeats it.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN_CHARS: usize = 80;
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("'{}'", shown.replace(is_hidden, " "))
}
