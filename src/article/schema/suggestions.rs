//! What unknown names were probably meant to be.
//!
//! An archive of another generator has the same unknown names in every file, so each is compared
//! with the table once.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use super::Field;
use crate::yaml::suggest::suggestion;

/// Names that are remembered; more than this many different ones are compared each time.
const MAX_NAMES: usize = 1_000;

/// Longer names are never close to one of a table.
const MAX_NAME_BYTES: usize = 40;

type Known = HashMap<Box<str>, Option<&'static str>>;

/// The suggestions for one table.
pub(super) struct Suggestions(LazyLock<RwLock<Known>>);

impl Suggestions {
    pub(super) const fn new() -> Self {
        Self(LazyLock::new(RwLock::default))
    }

    /// The name of `table` that is close to `name`.
    pub(super) fn of(&self, table: &'static [Field], name: &str) -> Option<&'static str> {
        if name.len() > MAX_NAME_BYTES {
            return None;
        }
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(name) {
            return *found;
        }
        let is_full = known.len() >= MAX_NAMES;
        drop(known);
        let found = find(table, name);
        if !is_full {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(name.into(), found);
        }
        found
    }
}

/// The name of `table` that is close to `name`.
pub(super) fn find(table: &'static [Field], name: &str) -> Option<&'static str> {
    let names = table.iter().flat_map(|field| {
        let names = || field.aliases.iter().copied().chain([field.name]);
        // Of two spellings of one name, the one with underscores is said.
        let is_squashed = move |name: &str| {
            let mut others = names();
            others.any(|other| other.contains('_') && other.replace('_', "") == name)
        };
        names().filter(move |name| !is_squashed(name))
    });
    suggestion(name, names)
}
