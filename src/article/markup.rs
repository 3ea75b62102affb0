//! What the body of a source is written in.

use std::path::Path;

/// What the body of a source is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Markup {
    /// CommonMark with extensions.
    #[default]
    Markdown,
    /// The same with components and expressions of MDX.
    Mdx,
    /// HTML.
    Html,
}

impl Markup {
    /// That of the file at `path`, by its extension.
    #[must_use]
    pub fn of_path(path: &Path) -> Self {
        let is_mdx = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("mdx"));
        if is_mdx { Self::Mdx } else { Self::Markdown }
    }
}
