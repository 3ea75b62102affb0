//! Sources whose names differ only in their date: `2013-06-07-weekly.md`, `2013-06-14-weekly.md`.
//! The oldest has the route without a date; the others keep theirs, so that each has its own and
//! none moves when the next is written.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

/// The sources that keep the date of their name in their route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twins(Arc<HashSet<u64>>);

impl Twins {
    /// The twins at these paths below the content root.
    #[must_use]
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        Self(Arc::new(paths.into_iter().map(hash).collect()))
    }

    /// Whether the source at `relative` is one.
    #[must_use]
    pub fn contains(&self, relative: &Path) -> bool {
        !self.0.is_empty() && self.0.contains(&hash(relative))
    }
}

fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.as_os_str().hash(&mut hasher);
    hasher.finish()
}
