//! From a content tree to the catalog of its articles.

mod survey;
mod walk;

pub use survey::{Inspector, Survey, SurveyError, Surveyor};
pub use walk::{Found, Skipped, SourceFile, walk};
