//! The boundary: one source file in, a validated and cleaned [`Article`] or its errors out.

mod metadata;
mod route;
pub mod schema;

pub use metadata::{Metadata, Value};
pub use route::Route;

use pulldown_cmark::Event;

/// A source whose metadata passed the boundary. Borrows from the bytes of its source.
#[derive(Debug)]
pub struct Article<'a> {
    /// Where it will be served.
    pub route: Route,
    /// Its fields, validated and cleaned, in the order of the schema table.
    pub metadata: Metadata,
    /// The title: the field, or the first level-1 heading.
    pub title: String,
    /// The parsed Markdown body, without the heading that became the title.
    pub body: Body<'a>,
}

/// The Markdown body as events, with what cross-checks need to know of it.
#[derive(Debug, Default)]
pub struct Body<'a> {
    /// pulldown-cmark's events in order.
    pub events: Vec<Event<'a>>,
    /// Number of Markdown images.
    pub images: usize,
    /// Number of paragraphs at the top level (not in lists, quotes, tables or footnotes).
    pub paragraphs: usize,
    /// Bytes of Markdown the events were made from.
    pub source_bytes: usize,
}
