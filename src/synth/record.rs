//! An article as its fields and its body, for forms that are no Markdown file.

use serde_json::{Map, Value};

use super::SynthArticle;
use crate::yaml::{self, Node};

/// The fields and the body, by name; none where the front matter cannot be read.
pub(super) fn record(article: &SynthArticle) -> Option<Map<String, Value>> {
    let text = std::str::from_utf8(&article.bytes).ok()?;
    let rest = text.strip_prefix("---\n")?;
    let (fields, body) = rest.split_once("\n---\n")?;
    let tree = yaml::parse(&format!("{fields}\n"), 2).ok()?;
    let mut record = Map::new();
    record.insert("path".to_owned(), article.path.clone().into());
    for (key, value) in tree.mapping().ok()? {
        record.insert(key.text().to_owned(), json(value));
    }
    record.insert("body".to_owned(), body.into());
    Some(record)
}

/// A node of YAML as JSON: what JSON has another word for stays a text.
fn json(node: &Node) -> Value {
    match &node.kind {
        yaml::Kind::Scalar { text, plain } => match serde_json::from_str::<Value>(text) {
            Ok(value) if *plain && is_written(&value, text) => value,
            _ if *plain && text.is_empty() => Value::Null,
            _ => text.as_str().into(),
        },
        yaml::Kind::Sequence(items) => items.iter().map(json).collect(),
        yaml::Kind::Mapping(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(key, value)| (key.text().to_owned(), json(value)))
                    .collect(),
            )
        }
    }
}

/// Whether JSON writes a value other than a text just like this.
fn is_written(value: &Value, text: &str) -> bool {
    let written = value.to_string();
    !value.is_string() && written == text
}
