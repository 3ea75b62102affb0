//! What is made from many articles: lists, feeds, the sitemap, similar posts.
//!
//! Everything here is a pure function of the catalog and the settings. The survey fills the catalog,
//! `publish::derive` compares what comes of it with the store.

mod catalog;
mod listing;
mod lists;
mod settings;

pub use catalog::{Catalog, CatalogBuilder, Draft, Listed, TextSpot, ValueName};
pub use listing::{ListedValue, Listing};
pub use lists::{List, ListKind, Lists, PageNumber, Paging, field_route, page_route, value_route};
pub use settings::{ArchiveSettings, DEFAULT_FIELDS, ListSettings};
