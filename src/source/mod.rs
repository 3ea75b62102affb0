//! Where articles come from: the files of a content tree, or a generator; and what is remembered
//! of files that did not change.

mod cache;
mod file_names;
mod folders;
mod identity;
mod judge;
mod list;
mod order;
mod origin;
mod passed_over;
mod patterns;
mod second_index;
mod twins;
mod walk;
#[doc(hidden)]
pub mod wxr;

pub use cache::{Cache, Hit, Known, Learned};
pub use file_names::is_article;
pub use identity::Identity;
pub use order::{Order, Ranks};
pub use origin::{Generated, Origin, Subset, Tree, Unloaded, ranges};
pub use passed_over::{Passed, PassedOver, Reason};
pub use patterns::{Choice, Patterns};
pub use walk::{Walk, WalkError, WalkResult, walk};
