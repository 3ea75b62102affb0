//! Some of the pages, files and redirects that the store holds, by a scan of its keys: what the probe asks
//! a front for.

use std::collections::BTreeSet;

use super::scan::{scan_while, stored_route};
use crate::archive::FilePath;
use crate::article::Route;
use crate::publish::keys::{Keys, ObjectKind};
use crate::store::{Session, StoreError};

/// Some of what the store holds, sorted.
#[derive(Debug, Default)]
pub(crate) struct StoredSample {
    /// Routes of pages.
    pub(crate) pages: BTreeSet<Route>,
    /// Paths of files.
    pub(crate) files: BTreeSet<FilePath>,
    /// Routes of redirects.
    pub(crate) redirects: BTreeSet<Route>,
    /// Whether these are all.
    pub(crate) is_whole: bool,
}

impl StoredSample {
    /// Takes a key.
    fn add(&mut self, keys: &Keys, key: &str) {
        if let Some(path) = key.strip_prefix(&keys.page_prefix()) {
            self.pages.extend(stored_route(path));
        } else if let Some(path) = key.strip_prefix(&keys.prefix_of(ObjectKind::File)) {
            self.files.extend(FilePath::parse(path));
        } else if let Some(path) = key.strip_prefix(&keys.prefix_of(ObjectKind::Redirect)) {
            self.redirects.extend(stored_route(path));
        }
    }
}

/// What one look through the store finds: of each master about `most` pages, files and redirects, or all
/// that it has.
///
/// # Errors
/// When the store fails, or the right to SCAN is missing.
pub(crate) fn some_objects(
    session: &mut Session,
    keys: &Keys,
    most: usize,
) -> Result<StoredSample, StoreError> {
    let (mut sample, mut is_whole) = (StoredSample::default(), true);
    // Pages, files and redirects; not meta objects.
    let pattern = format!("{}[pfr]*:/*", keys.prefix());
    session.on_each_master(&mut |one| {
        let mut left = most;
        let mut add = |key: &str| {
            sample.add(keys, key);
            left = left.saturating_sub(1);
            left > 0
        };
        is_whole &= scan_while(one, &pattern, &mut add)?;
        Ok(())
    })?;
    Ok(StoredSample { is_whole, ..sample })
}
