//! What is made from many articles: lists, feeds, the sitemap, similar posts; and the forms of
//! files and redirects.
//!
//! Everything here is a pure function of the catalog and the settings. The survey fills the catalog,
//! `publish::derive` compares what comes of it with the store.

mod aliases;
mod catalog;
pub mod feed;
mod file_path;
mod identity;
mod listing;
mod lists;
mod redirect;
mod settings;
mod similar;
pub mod sitemap;
mod terms;

pub use aliases::{Aliases, RefusedAlias};
pub use catalog::{Catalog, CatalogBuilder, Draft, Listed, TextSpot, ValueName};
pub use file_path::FilePath;
pub use identity::ArticleIdentity;
pub use listing::{ListedValue, Listing, Shown};
pub use lists::{List, ListKind, Lists, PageNumber, Paging, is_numbered, numbered_routes};
pub use redirect::{MAX_REDIRECT_BYTES, Redirect};
pub use settings::{ArchiveSettings, DEFAULT_FIELDS, ListSettings, field_route};
pub use similar::{Explanation, Match, Scratch, Similar, TermIndex, WeighedTerm};
pub use terms::{MAX_TERMS, Term, TermKind, term_hashes, terms};
