//! Where articles come from: the files of a content tree, one packed file, or a generator; and what
//! is remembered of those that did not change.

mod cache;
mod caching;
mod file_names;
mod folders;
mod found;
mod identity;
mod judge;
mod list;
mod order;
mod origin;
mod packed;
mod passed_over;
mod patterns;
mod second_index;
mod small_files;
mod tree;
mod twins;
mod unread;
mod walk;
#[doc(hidden)]
pub mod wxr;

/// The names of files that say which others are sources.
const SMALL_FILES: [&str; 4] = [
    ".anpignore",
    ".eleventyignore",
    "_config.yml",
    "_config.yaml",
];

pub use cache::{Cache, CachedListings, Hit, Known, Learned, ListingSpot, Said, SourceState};
pub use caching::Caching;
pub use file_names::is_article;
pub use found::WalkResult;
pub use identity::Identity;
pub use order::{Order, Ranks};
pub use origin::{Generated, Origin, Subset, ranges};
#[doc(hidden)]
pub use packed::in_memory;
pub use packed::opening::Opening;
pub use packed::wordpress::{ItemFinding, WordpressFields};
pub use packed::{STDIN, has_parts, is_packed};
pub use passed_over::{Passed, PassedOver, Reason};
pub use patterns::{Choice, Patterns};
pub use tree::Tree;
pub use unread::{Unloaded, WalkError, goes_on};
pub use walk::{Walk, walk};
