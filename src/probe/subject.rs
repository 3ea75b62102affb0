//! What is asked for: a page, a file or a redirect.

use crate::archive::FilePath;
use crate::article::Route;

/// What is asked for, by its path.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'p> {
    /// The page of a route.
    Page(&'p Route),
    /// A file.
    File(&'p FilePath),
    /// A route that leads on.
    Redirect(&'p Route),
}

impl Subject<'_> {
    /// Its path in the store.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Page(route) | Self::Redirect(route) => route.as_str(),
            Self::File(path) => path.as_str(),
        }
    }
}
