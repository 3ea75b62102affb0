//! What an article is known by when its route changes.

use serde::{Deserialize, Serialize};

use crate::article::{Metadata, Value};
use crate::hashing::first_bytes;

/// What an article is known by: hashes, 0 where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleIdentity {
    /// Of its `reference`.
    pub reference: u64,
    /// Of its `payload.source_id`.
    pub source_id: u64,
    /// Of its body.
    pub body: u64,
}

impl ArticleIdentity {
    /// That of an article with these fields and this hash of its body.
    #[must_use]
    pub fn of(metadata: &Metadata, body_hash: [u8; 8]) -> Self {
        let source_id = match metadata.get("payload") {
            Some(Value::Group(members)) => {
                let member = members.iter().find(|(name, _)| name == "source_id");
                member.and_then(|(_, value)| text(value))
            }
            _ => None,
        };
        Self {
            reference: hash(metadata.text("reference")),
            source_id: hash(source_id.as_deref()),
            body: of_body(u64::from_be_bytes(body_hash)),
        }
    }

    /// That of an article, by its meta object.
    #[must_use]
    pub fn of_meta(meta: &[u8]) -> Option<Self> {
        let meta: serde_json::Value = serde_json::from_slice(meta).ok()?;
        let metadata = &meta["metadata"];
        let source_id = match &metadata["payload"]["source_id"] {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let body = meta["body"].as_str();
        let body = body.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        Some(Self {
            reference: hash(metadata["reference"].as_str()),
            source_id: hash(source_id.as_deref()),
            body: of_body(body.unwrap_or(0)),
        })
    }

    /// Whether nothing that both name tells them apart: two articles may have the same body.
    #[must_use]
    pub fn agrees_with(self, other: Self) -> bool {
        let is_same = |one: u64, other: u64| one == 0 || other == 0 || one == other;
        is_same(self.reference, other.reference) && is_same(self.source_id, other.source_id)
    }

    /// What it is known by, the surest first.
    pub fn marks(self) -> impl Iterator<Item = (u8, u64)> {
        let marks = [(0, self.reference), (1, self.source_id), (2, self.body)];
        marks.into_iter().filter(|(_, mark)| *mark != 0)
    }
}

/// Nothing of an empty body: many articles may have that.
fn of_body(hash: u64) -> u64 {
    match hash == u64::from_be_bytes(first_bytes(&blake3::hash(b""))) {
        true => 0,
        false => hash,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn hash(text: Option<&str>) -> u64 {
    let Some(text) = text else {
        return 0;
    };
    u64::from_be_bytes(first_bytes(&blake3::hash(text.as_bytes())))
}
