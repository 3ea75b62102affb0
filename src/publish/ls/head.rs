//! What a list shows of an article besides its keys: title, date and tags.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::article;
use crate::article::{Route, Rules};
use crate::publish::keys::Keys;
use crate::publish::survey::read_again::{lenient_rules, read_again};
use crate::settings::Settings;
use crate::source::{Origin, Tree, WalkResult};
use crate::store::{Batch, Reply, Session, StoreError};

/// So much is read of a meta object, in bytes. A part of a larger one is no JSON.
const META_BYTES: usize = 256 * 1024;

/// The head of an article.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Head {
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub metadata: Value,
}

impl Head {
    /// The date of the article.
    pub(super) fn date(&self) -> Option<&str> {
        self.metadata.get("date").and_then(Value::as_str)
    }
}

/// The heads of the articles at `routes`, as their meta objects tell.
pub(super) fn stored_heads(
    session: &mut Session,
    keys: &Keys,
    routes: &[&Route],
) -> Result<Vec<Option<Head>>, StoreError> {
    let doing = "reading meta objects";
    let most = (META_BYTES - 1).to_string();
    let mut questions = Batch::default();
    for route in routes {
        let key = keys.meta(route);
        questions.push(&[b"GETRANGE", key.as_bytes(), b"0", most.as_bytes()]);
    }
    let replies = session.run(&questions, doing)?;
    let head = |reply: Reply| match reply {
        Reply::Bulk(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Reply::Error { code, .. } if code == "WRONGTYPE" => Ok(None),
        other => other.fail(doing),
    };
    replies.into_iter().map(head).collect()
}

/// Reads the heads of sources, one at a time.
pub(super) struct SourceHeads<'a> {
    root: &'a Path,
    found: WalkResult,
    rules: Rules,
}

impl<'a> SourceHeads<'a> {
    /// Of the sources that a walk `found`.
    pub(super) fn new(settings: &'a Settings, found: WalkResult) -> Self {
        let root = &settings.content;
        let tree = Tree {
            root,
            found: &found,
        };
        let rules = lenient_rules(settings, &tree);
        Self { root, found, rules }
    }

    fn tree(&self) -> Tree<'_> {
        Tree {
            root: self.root,
            found: &self.found,
        }
    }

    /// The number and the route of the source that is shown as `path`.
    pub(super) fn find(&self, path: &Path) -> Option<(u32, Route)> {
        let relative = path.strip_prefix(self.root).unwrap_or(path);
        let source = self.tree().find(relative)?;
        let (route, _) = self.read_with_route(source)?;
        Some((u32::try_from(source).ok()?, route))
    }

    /// Whether the file of the source number `source` came or changed after `imported_at_ms`.
    pub(super) fn is_newer(&self, source: u32, imported_at_ms: Option<i64>) -> bool {
        let Some(imported_at_ms) = imported_at_ms else {
            return true;
        };
        let changed_at_ms = self.tree().changed_at_ms(source as usize);
        changed_at_ms.is_some_and(|changed_at_ms| changed_at_ms > imported_at_ms)
    }

    /// The head of the source number `source`; none if it cannot be read as an article.
    pub(super) fn read(&self, source: u32) -> Option<Head> {
        self.read_with_route(source as usize).map(|(_, head)| head)
    }

    /// The same with its route.
    fn read_with_route(&self, source: usize) -> Option<(Route, Head)> {
        read_again(&self.tree(), source, &self.rules, |article| {
            let fields = article.metadata.entries.iter();
            let metadata = fields.map(|(field, value)| (field.name.to_owned(), json_of(value)));
            let head = Head {
                title: article.title.clone(),
                metadata: Value::Object(metadata.collect()),
            };
            (article.route, head)
        })
    }
}

/// A value as the meta object has it, as far as lists need it.
fn json_of(value: &article::Value) -> Value {
    match value {
        article::Value::Text(text) | article::Value::Decimal(text) => text.as_str().into(),
        article::Value::Number(number) => (*number).into(),
        article::Value::Flag(flag) => (*flag).into(),
        article::Value::List(items) => items.iter().map(json_of).collect(),
        article::Value::Group(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| (name.clone(), json_of(value)))
                .collect()
        }
        article::Value::Pairs(_) => Value::Null,
    }
}
