//! What authors write that CommonMark does not know.
//!
//! - `blocks`: before the Markdown is parsed, lines that stand for a block: admonitions, comments of
//!   template languages, imports of MDX.
//! - `inline`: while it is parsed, what stands within a line: bare URLs, attribute lists of kramdown,
//!   and what only a template engine would run.
//!
//! Nothing foreign is published as text in silence: what anp does not know is a finding.

mod alerts;
mod attributes;
mod autolink;
pub(super) mod blocks;
mod candidates;
mod comments;
pub(super) mod foreign;
pub(super) mod inline;
mod module;

pub use alerts::Alert;
