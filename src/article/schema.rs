//! The one table that names every field of the front matter.

/// A field of the front matter.
#[derive(Debug)]
pub struct Field {
    /// The normalised name: lower case, underscores.
    pub name: &'static str,
    /// How the meta box calls it: `Reading time`.
    pub label: &'static str,
}
