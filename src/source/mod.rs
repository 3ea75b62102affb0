//! Where articles come from: the files of a content tree, or a generator; and what is remembered
//! of files that did not change.

mod cache;
mod identity;
mod list;
mod order;
mod origin;
mod walk;

pub use cache::{Cache, Hit, Known, Learned};
pub use identity::Identity;
pub use list::Sources;
pub use order::{Order, Ranks};
pub use origin::{Generated, Origin, Source, Subset, Tree, Unloaded, ranges};
pub use walk::{Found, Skipped, Walk, WalkError, walk};
