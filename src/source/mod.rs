//! From a content tree to the catalog of its articles.

mod cache;
mod closing;
mod findings;
mod identity;
mod inspect;
mod large;
mod list;
mod order;
mod origin;
mod read;
mod recall;
mod select;
mod survey;
mod walk;
mod whose;

pub use cache::Cache;
pub use findings::{Beyond, MAX_FINDINGS};
pub use identity::Identity;
pub use inspect::{Inspector, Likely};
pub use list::Sources;
pub use order::Order;
pub use origin::{Generated, Origin, Subset, Tree};
pub use select::{Named, RouteGlob, Selection, Tag, nearest, routes};
pub use survey::{Survey, SurveyError, Surveyor};
pub use walk::{Found, Skipped, Walk, WalkError, walk};
pub use whose::OwnShare;
