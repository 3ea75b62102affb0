//! The fields of a run.

use super::suggestions::{self, Suggestions};
use super::{Field, TABLE};

/// The fields of a run: made once, then read by every thread.
#[derive(Clone, Copy)]
pub struct Schema {
    fields: &'static [Field],
    suggestions: &'static Suggestions,
    /// Bytes that differ between schema files; empty for the built-in table.
    identity: &'static [u8],
}

impl Schema {
    /// The fields of a schema file whose content hashes to `hash`. They live as long as the process.
    pub(super) fn of_a_team(fields: Vec<Field>, hash: &[u8; 32]) -> Self {
        Self {
            fields: Box::leak(fields.into_boxed_slice()),
            suggestions: Box::leak(Box::new(Suggestions::new())),
            identity: Box::leak(Box::new(*hash)),
        }
    }

    /// The fields, in the order of everything that shows metadata.
    #[must_use]
    pub fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// Bytes that differ between schema files; empty for the built-in table.
    pub(in crate::article) fn identity(&self) -> &'static [u8] {
        self.identity
    }

    /// Whether a schema file, not the built-in table, gives a field this name.
    pub(in crate::article) fn gives_name(&self, field: &Field, name: &str) -> bool {
        let is_built_in = |known: &Field| known.name == field.name && known.answers_to(name);
        !self.identity.is_empty() && !TABLE.iter().any(is_built_in)
    }

    /// The field of `table` that an unknown name was probably meant to be.
    pub(in crate::article) fn suggestion(
        &self,
        table: &'static [Field],
        name: &str,
    ) -> Option<&'static str> {
        if std::ptr::eq(table, self.fields) {
            self.suggestions.of(table, name)
        } else {
            suggestions::find(table, name)
        }
    }
}

impl Default for Schema {
    fn default() -> Self {
        static SUGGESTIONS: Suggestions = Suggestions::new();
        Self {
            fields: TABLE,
            suggestions: &SUGGESTIONS,
            identity: &[],
        }
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

impl Eq for Schema {}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Schema of {} fields", self.fields.len())
    }
}
