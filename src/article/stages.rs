//! Steps of the boundary one by one, for the benches, which see what each costs. No part of
//! the interface: everybody else calls [`read`](super::read).

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::body::Parsed;
use super::findings::Findings;
use super::read::fields;
use super::text::{Cleaned, clean_body};
use super::{Body, Metadata, Rules, holds_back};
use crate::front_matter::{self, Format};
use crate::yaml::Node;

/// The YAML and the Markdown of a source, if it has both.
#[must_use]
pub fn split(source: &str) -> Option<(&str, &str)> {
    let parts = front_matter::split(source, holds_back).ok()?;
    (parts.format == Some(Format::Yaml)).then_some((parts.text, parts.body))
}

/// The tree of the front matter → metadata, and whether no error was found. Texts are moved
/// out of the tree.
pub fn validate(tree: &mut Node, source: &str) -> (Metadata, bool) {
    let mut findings = Findings::new(Arc::new(PathBuf::new()), source, false);
    let (metadata, _) = fields(tree, true, &Rules::default(), &mut findings);
    (metadata, findings.errors() == 0)
}

/// Markdown → events, unless it needs cleaning or nests too deep.
#[must_use]
pub fn markdown(body: &str) -> Option<Body<'_>> {
    match clean_body(body, &mut Cleaned::default()) {
        Cow::Borrowed(body) => Some(Parsed::new(body).ok()?.body),
        Cow::Owned(_) => None,
    }
}
