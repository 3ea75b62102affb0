//! `visibility_fields`: a mapping in the file, `private=draft,access=ignore` in the variable.

use crate::article::schema::TABLE;
use crate::article::{Meaning, VisibilityFields};
use crate::yaml::scalar::shortened;
use crate::yaml::{Kind, Node, YamlError, normalise};

/// Fields of the schema that some use for something else.
const NOT_FIXED: [&str; 1] = ["hidden"];

/// Reads the setting.
pub(super) fn read(node: &Node) -> Result<VisibilityFields, YamlError> {
    let fields = match &node.kind {
        Kind::Scalar { .. } if !node.is_null() => of_text(node)?,
        _ => of_mapping(node)?,
    };
    Ok(VisibilityFields::new(fields))
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
        let found = shortened(name);
        return Err(YamlError {
            message: format!("expected a field that the schema does not know, found '{found}'"),
            ..node.mismatch("")
        });
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::article::{Meaning, VisibilityFields};
    use crate::yaml::{Kind, Node, parse};

    fn fields(fields: &[(&str, Meaning)]) -> VisibilityFields {
        VisibilityFields::new(
            fields
                .iter()
                .map(|(name, meaning)| ((*name).to_owned(), *meaning)),
        )
    }

    #[test]
    fn a_mapping_and_a_text_say_the_same() {
        let mapping = parse("{members-only: draft, Access: ignore, hidden: NoIndex}", 1).unwrap();
        let text = Node {
            kind: Kind::Scalar {
                text: "members-only=draft, Access = ignore,hidden=noindex".to_owned(),
                plain: true,
            },
            ..mapping.clone()
        };
        let expected = fields(&[
            ("access", Meaning::Ignore),
            ("hidden", Meaning::NoIndex),
            ("members_only", Meaning::Draft),
        ]);
        assert_eq!(read(&mapping).unwrap(), expected);
        assert_eq!(read(&text).unwrap(), expected);
    }

    #[test]
    fn a_field_of_the_schema_keeps_its_meaning() {
        let refused = |text: &str| read(&parse(text, 1).unwrap()).unwrap_err().message;
        for name in ["draft", "publishdate", "title", "No Index"] {
            let message = refused(&format!("{{{name}: ignore}}"));
            assert!(
                message.contains("a field that the schema does not know"),
                "{message}"
            );
        }
        assert_eq!(
            refused("{a: hide}"),
            "expected ignore, draft or noindex, found 'hide'"
        );
        assert_eq!(refused("[a]"), "expected a mapping, found a list");
        assert!(refused("private").contains("FIELD=MEANING"));
    }
}
