//! `visibility_fields`: what a team's own fields say of who may see an article.

use std::collections::BTreeMap;

use super::said::Said;
use super::saying::{Saying, opens, saying, saying_of_member};
use crate::article::metadata::Value;
use crate::yaml::Node;

/// What the settings say of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// It says nothing about who may see the article.
    Ignore,
    /// It holds the article back, unless its value plainly says the opposite.
    Draft,
    /// It keeps the article out of search engines, unless its value plainly says the opposite.
    NoIndex,
}

/// The fields that the settings explain, by normalised name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VisibilityFields(BTreeMap<String, Meaning>);

impl VisibilityFields {
    /// Of these names, as keys are matched.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = (String, Meaning)>) -> Self {
        Self(fields.into_iter().collect())
    }

    /// Bytes that differ from those of other settings, the same in every version.
    pub(in crate::article) fn identity(&self) -> impl Iterator<Item = u8> {
        self.0.iter().flat_map(|(name, meaning)| {
            let meaning = match meaning {
                Meaning::Ignore => 0,
                Meaning::Draft => 1,
                Meaning::NoIndex => 2,
            };
            // No key has this byte in it.
            name.bytes().chain([0xff, meaning])
        })
    }

    /// Whether the settings explain this field.
    pub(super) fn explain(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What the settings make of a field of the schema; none if they do not explain it.
    pub(super) fn of_known(&self, name: &str, value: &Value) -> Option<Saying> {
        if self.0.is_empty() {
            return None;
        }
        self.explained(name, &Said::of_value(value))
    }

    /// What a field says that the schema does not know.
    pub(super) fn of_unknown(&self, name: &str, node: &Node) -> Saying {
        let said = Said::of_node(node);
        let explained = self.explained(name, &said);
        explained.unwrap_or_else(|| saying(name, &said))
    }

    /// What a member of a group says.
    pub(super) fn of_member(&self, name: &str, node: &Node) -> Saying {
        let said = Said::of_node(node);
        let explained = self.explained(name, &said);
        explained.unwrap_or_else(|| saying_of_member(name, &said))
    }

    fn explained(&self, name: &str, said: &Said<'_>) -> Option<Saying> {
        let explained = match self.0.get(name)? {
            Meaning::Ignore => return Some(Saying::Nothing),
            Meaning::Draft => Saying::Draft,
            Meaning::NoIndex => Saying::NoIndex,
        };
        let is_plain = if opens(name) {
            said.opens()
        } else {
            said.leaves_open()
        };
        Some(if is_plain { Saying::Nothing } else { explained })
    }
}
