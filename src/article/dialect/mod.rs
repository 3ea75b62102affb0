//! Syntax of authors that CommonMark does not have.
//!
//! - `comments`: removes comments of other tools before the Markdown is parsed.
//! - `blocks`: rewrites lines before the Markdown is parsed: admonitions, imports of MDX.
//! - `inline`: follows the parser and handles syntax within a line: bare URLs, attribute lists of
//!   kramdown, tags of template engines.
//!
//! anp publishes no foreign syntax silently: each piece that it does not know is a finding.

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
