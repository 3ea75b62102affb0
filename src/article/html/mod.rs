//! HTML as authors write it: what its tags are, which of them pages may have, and the events that a body
//! of HTML becomes.
//!
//! 1. `token`: HTML → tags and texts, as the renderer reads raw HTML.
//! 2. `pairs`: which end tag ends which element.
//! 3. `events`: what Markdown can say → events, all else → pieces of raw HTML. `elements` knows those
//!    that depend on their attributes or content, `converter` keeps what is open.

pub(super) mod converter;
pub(crate) mod elements;
pub(super) mod events;
mod pairs;
pub(crate) mod policy;
pub(crate) mod reference;
pub(crate) mod tag;
pub(super) mod text;
pub(crate) mod token;
