//! The markup of a body.

use std::path::Path;

/// What the body of a source is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Markup {
    /// Markdown.
    #[default]
    Markdown,
    /// Markdown with components: imports, and elements of JavaScript.
    Mdx,
    /// HTML.
    Html,
}

impl Markup {
    /// That of a file, by its ending.
    #[must_use]
    pub fn of_path(relative: &Path) -> Self {
        let is_mdx = relative
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("mdx"));
        if is_mdx { Self::Mdx } else { Self::Markdown }
    }
}
