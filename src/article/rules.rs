//! The settings of the boundary.

use super::dates::Timezone;
use super::links::LinkRule;
use super::naming::Naming;
use super::schema::Schema;
use super::visibility::VisibilityFields;

/// What happens to fields that the table does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are kept; one whose name is close to a known one is a warning.
    #[default]
    Keep,
    /// They are kept; each is a warning.
    Warn,
    /// Each is an error.
    Deny,
}

/// What the boundary lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Warnings are errors, unknown fields too, and what the generator writes is required.
    pub strict: bool,
    /// What happens to fields that the table does not know.
    pub unknown_fields: UnknownFields,
    /// The setting `visibility_fields`: what fields say of who may see an article.
    pub visibility_fields: VisibilityFields,
    /// How paths become routes.
    pub naming: Naming,
    /// What happens to broken links.
    pub links: LinkRule,
    /// The zone of dates that name none.
    pub timezone: Timezone,
    /// Whether tags and categories in one text without commas are split at spaces.
    pub split_spaces: bool,
    /// The fields that anp knows.
    pub schema: Schema,
}

impl Rules {
    /// Bytes that differ from those of other rules, the same in every version.
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        let unknown_fields = match self.unknown_fields {
            UnknownFields::Keep => 0,
            UnknownFields::Warn => 1,
            UnknownFields::Deny => 2,
        };
        let links = match self.links {
            LinkRule::Allow => 0,
            LinkRule::Warn => 1,
            LinkRule::Deny => 2,
        };
        let mut identity = vec![u8::from(self.strict), unknown_fields, links];
        identity.extend(self.naming.identity());
        identity.extend(self.visibility_fields.identity());
        // No name has this byte in it.
        identity.push(0xfe);
        identity.extend(self.identity_of_values());
        identity
    }

    /// The part of the identity that decides how values are read; the rest decides only which articles
    /// are let in. Empty for the defaults.
    #[must_use]
    pub fn identity_of_values(&self) -> Vec<u8> {
        let mut identity = Vec::new();
        if self.timezone != Timezone::default() || self.split_spaces {
            identity.push(u8::from(self.split_spaces));
            identity.extend(self.timezone.name().bytes());
            identity.push(0);
        }
        identity.extend(self.schema.identity());
        identity
    }
}
