//! HTML as authors write it: what its tags are, which of them pages may have, and the events that a body
//! of HTML becomes.
//!
//! 1. `token`: HTML → tags and texts, as the renderer reads raw HTML.
//! 2. `pairs`: which end tag ends which element.
//! 3. `events`: what Markdown can say → events, all else → pieces of raw HTML.

pub(crate) mod events;
mod pairs;
pub(crate) mod policy;
pub(crate) mod reference;
pub(crate) mod tag;
pub(super) mod text;
pub(crate) mod token;
