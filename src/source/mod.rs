//! From a content tree to the catalog of its articles.

mod inspect;
mod survey;
mod walk;

pub use inspect::Inspector;
pub use survey::{Survey, SurveyError, Surveyor};
pub use walk::{Found, Skipped, SourceFile, walk};
