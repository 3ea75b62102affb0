//! `visibility_fields`: a mapping in the file, `private=draft,access=ignore` in the variable.

use super::reader::Reader;
use crate::article::schema::TABLE;
use crate::article::{Meaning, VisibilityFields};
use crate::yaml::{Kind, Node, YamlError, normalise};

/// Fields of the schema that some use for something else.
const NOT_FIXED: [&str; 1] = ["hidden"];

impl Reader {
    pub(super) fn visibility_fields(&mut self) -> VisibilityFields {
        self.get("visibility_fields", VisibilityFields::default(), |node| {
            let fields = match &node.kind {
                Kind::Scalar { .. } => of_text(node)?,
                _ => of_mapping(node)?,
            };
            Ok(VisibilityFields::new(fields))
        })
    }
}

fn of_mapping(node: &Node) -> Result<Vec<(String, Meaning)>, YamlError> {
    let entries = node.mapping()?.iter();
    let fields = entries.map(|(key, node)| Ok((free(&key.name, node)?, meaning(node)?)));
    fields.collect()
}

fn of_text(node: &Node) -> Result<Vec<(String, Meaning)>, YamlError> {
    let pairs = node.text()?.split(',').map(|pair| {
        let wrong = || node.mismatch("pairs FIELD=MEANING, with commas between them");
        let (name, text) = pair.split_once('=').ok_or_else(wrong)?;
        let value = Node {
            kind: Kind::Scalar {
                text: text.to_owned(),
                plain: false,
            },
            span: node.span,
        };
        Ok((free(&normalise(name), &value)?, meaning(&value)?))
    });
    pairs.collect()
}

fn meaning(node: &Node) -> Result<Meaning, YamlError> {
    let choices = [Meaning::Ignore, Meaning::Draft, Meaning::NoIndex];
    Ok(choices[node.choice(&["ignore", "draft", "noindex"])?])
}

/// The name, if the schema does not give it another meaning.
fn free(name: &str, node: &Node) -> Result<String, YamlError> {
    let is_fixed = TABLE
        .iter()
        .any(|field| field.answers_to(name) && !NOT_FIXED.contains(&field.name));
    if name.is_empty() || is_fixed {
        let message = format!(
            "expected a field that the schema does not know, found '{}' (anp schema)",
            crate::yaml::scalar::shortened(name)
        );
        return Err(YamlError {
            message,
            ..node.mismatch("")
        });
    }
    Ok(name.to_owned())
}
