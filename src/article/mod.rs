//! The boundary: one source file in, a validated and cleaned [`Article`] or its errors out.

mod body;
mod claimed_route;
mod cross;
mod dates;
mod events;
mod findings;
mod forms;
mod front_matter;
mod links;
mod metadata;
mod position;
mod read;
mod route;
mod rules;
pub mod schema;
#[doc(hidden)]
pub mod stages;
mod text;
mod title;
mod unknown;
mod validate;

pub use body::{Body, marks, options as markdown_options};
pub use dates::Timezone;
pub use events::{EventRef, Events};
pub use forms::shown_host;
pub use front_matter::MAX_SOURCE_BYTES;
pub use links::{Follower, Link, LinkRule, Links, Targets, To, resolve as resolve_links};
pub use metadata::{Metadata, Value};
pub use read::{Input, Reading, link_places, read, read_route};
pub use route::{MAX_ROUTE_BYTES, Route, RouteError, slugify};
pub use rules::Rules;
pub use text::{Cleaned, clean as clean_text};
pub use unknown::{UnknownCount, UnknownField, UnknownFields, UnknownLine};

/// The longest title, in characters.
pub const MAX_TITLE: usize = 200;

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

impl Article<'_> {
    /// Whether it is a draft.
    #[must_use]
    pub fn draft(&self) -> bool {
        self.metadata.get("draft") == Some(&Value::Flag(true))
    }

    /// Its own time to live in milliseconds, if it has one.
    #[must_use]
    pub fn ttl_ms(&self) -> Option<u64> {
        self.metadata
            .text("ttl")
            .and_then(crate::duration::parse_ms)
    }
}
