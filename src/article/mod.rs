//! The boundary: one source file in, a validated and cleaned [`Article`] or its errors out.

mod body;
mod claimed_route;
mod cost;
mod cross;
mod dates;
mod dialect;
mod events;
mod findings;
mod fingerprint;
mod forms;
mod given_route;
pub(crate) mod html;
mod instant;
mod links;
mod markup;
mod metadata;
mod naming;
mod read;
mod route;
mod rules;
pub mod schema;
#[doc(hidden)]
pub mod stages;
mod text;
mod title;
mod validate;
mod visibility;

pub use body::Body;
pub use cost::marks;
pub use dates::Timezone;
pub use events::{EventRef, Events, options as markdown_options};
pub use forms::shown_host;
pub use instant::instant_ms;
pub use links::{
    Follower, Link, LinkRule, Links, Targets, To, own_heading, resolve as resolve_links,
};
pub use markup::Markup;
pub use metadata::{Metadata, Value};
pub use naming::{ENDINGS, Languages, Naming, RoutePattern, SourceName, Twins, route_of_name};
pub use read::{
    Input, MAX_SOURCE_BYTES, Reading, alias_place, link_places, read, read_claim, read_route,
};
pub use route::{MAX_ROUTE_BYTES, Route, RouteError, slugify};
pub use rules::{Rules, UnknownFields};
pub use text::{Cleaned, clean as clean_text};
pub use visibility::{Admits, Held, Meaning, Visibility, VisibilityFields, holds_back};

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
    /// What the name of its source says that its fields do not: part of what decides its page.
    pub said_by_name: String,
    /// Who may see it, and when.
    pub visibility: Visibility,
    /// Hash of what its source says, of which the page is made.
    pub fingerprint: [u8; 16],
    /// Hash of its cleaned body alone.
    pub body_hash: [u8; 8],
    /// The parsed Markdown body, without the heading that became the title.
    pub body: Body<'a>,
}

/// How long the objects of an article live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Its own time to live in ms, if it has one.
    pub ttl_ms: Option<u64>,
    /// When it ends, ms since 1970; `i64::MAX`: never.
    pub until_ms: i64,
}

impl Article<'_> {
    /// The heading that became the title, if that was one.
    #[must_use]
    pub fn title_heading(&self) -> Option<&str> {
        self.body.heading_is_title.then_some(self.title.as_str())
    }

    /// How long its objects live.
    #[must_use]
    pub fn lifetime(&self) -> Lifetime {
        let own = self.metadata.text("ttl");
        Lifetime {
            ttl_ms: own.and_then(crate::duration::parse_ms),
            until_ms: self.visibility.until_ms,
        }
    }
}
