//! Routes: the URL path of an article.

use std::fmt;

/// A URL path such as `/redis-caching/scheduled-tasks-028802/`: it begins and ends with
/// `/`, and each segment is one or more of `[a-z0-9-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route(String);

impl Route {
    /// A route from its path, unchecked: for tests and benches that need one without a source.
    #[doc(hidden)]
    #[must_use]
    pub fn for_tests(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The path, for example `/a/b/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
