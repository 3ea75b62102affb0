//! What an article says, as one hash: two sources that say the same have the same one, whatever the
//! format of their front matter, their comments, and the file that they are in.

use super::markup::Markup;
use super::metadata::{Metadata, Value};

/// Most articles say less than this besides their body.
const USUAL_BYTES: usize = 4 * 1024;

/// The hash of title, fields and hash of the cleaned body: all that a source decides of its page but its route, and
/// what its name says.
pub(super) fn fingerprint(
    title: &str,
    metadata: &Metadata,
    markup: Markup,
    body: &[u8; 32],
) -> [u8; 16] {
    let mut said = Vec::with_capacity(USUAL_BYTES);
    said.push(match markup {
        Markup::Markdown => 0,
        Markup::Mdx => 1,
        Markup::Html => 2,
    });
    text(&mut said, title);
    length(&mut said, metadata.entries.len());
    for (field, of_field) in &metadata.entries {
        text(&mut said, field.name);
        value(&mut said, of_field);
    }
    named(&mut said, &metadata.extra);
    said.extend_from_slice(body);
    let mut hash = [0; 16];
    let whole = blake3::hash(&said);
    hash.copy_from_slice(&whole.as_bytes()[..16]);
    hash
}

/// Each value goes in behind its kind, and each text behind its length: no two values are the same
/// bytes.
fn value(said: &mut Vec<u8>, of_field: &Value) {
    match of_field {
        Value::Text(own) => {
            said.push(b't');
            text(said, own);
        }
        Value::Number(number) => {
            said.push(b'n');
            said.extend_from_slice(&number.to_le_bytes());
        }
        Value::Decimal(own) => {
            said.push(b'd');
            text(said, own);
        }
        Value::Flag(flag) => said.extend_from_slice(&[b'f', u8::from(*flag)]),
        Value::List(items) => {
            said.push(b'l');
            length(said, items.len());
            items.iter().for_each(|item| value(said, item));
        }
        Value::Group(members) => {
            said.push(b'g');
            named(said, members);
        }
        Value::Pairs(pairs) => {
            said.push(b'p');
            length(said, pairs.len());
            for (label, own) in pairs {
                text(said, label);
                text(said, own);
            }
        }
    }
}

fn named(said: &mut Vec<u8>, members: &[(String, Value)]) {
    length(said, members.len());
    for (name, own) in members {
        text(said, name);
        value(said, own);
    }
}

fn text(said: &mut Vec<u8>, own: &str) {
    length(said, own.len());
    said.extend_from_slice(own.as_bytes());
}

fn length(said: &mut Vec<u8>, length: usize) {
    said.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(extra: &[(&str, Value)], title: &str, body: &str) -> [u8; 16] {
        let extra = extra.iter();
        let metadata = Metadata {
            extra: extra
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            ..Metadata::default()
        };
        fingerprint(
            title,
            &metadata,
            Markup::Markdown,
            blake3::hash(body.as_bytes()).as_bytes(),
        )
    }

    #[test]
    fn moving_a_byte_or_changing_a_kind_changes_it() {
        let text = |own: &str| Value::Text(own.to_owned());
        let pair = |label: &str, own: &str| (label.to_owned(), own.to_owned());
        let named = |name: &str, own| Value::Group(vec![(name.to_owned(), own)]);
        let values = [
            text("1"),
            text("12"),
            Value::Number(1),
            Value::Decimal("1".to_owned()),
            Value::Flag(true),
            Value::Flag(false),
            Value::List(vec![text("1")]),
            Value::List(vec![text("1"), text("2")]),
            Value::List(vec![text("12")]),
            Value::List(vec![Value::List(vec![text("1")])]),
            named("a", text("bc")),
            named("ab", text("c")),
            Value::Pairs(vec![pair("a", "bc")]),
            Value::Pairs(vec![pair("ab", "c")]),
            Value::Pairs(vec![pair("a", "b"), pair("c", "")]),
        ];
        let mut all: Vec<[u8; 16]> = values
            .iter()
            .map(|own| of(&[("a", own.clone())], "", ""))
            .collect();
        all.push(of(&[("a", text("x")), ("b", text("y"))], "", ""));
        all.push(of(&[("b", text("y")), ("a", text("x"))], "", ""));
        all.extend([of(&[], "a", "b"), of(&[], "ab", ""), of(&[], "", "ab")]);
        all.push(fingerprint(
            "a",
            &Metadata::default(),
            Markup::Html,
            blake3::hash(b"b").as_bytes(),
        ));
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
