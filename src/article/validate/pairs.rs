//! Pairs of label and text, such as an outline.

use super::super::findings::Findings;
use super::super::metadata::Value;
use super::super::schema::Kind;
use super::super::text::clean;
use super::shape::{Name, is_nothing};
use crate::yaml::{self, Key, Node};

/// Pairs: a list of mappings, or one mapping.
pub(super) fn pairs(
    findings: &mut Findings<'_>,
    kind: &Kind,
    node: &mut Node,
    limits: [usize; 3],
    name: &Name<'_>,
) -> Option<Value> {
    let mut pairs = Vec::new();
    let span = node.span;
    match &mut node.kind {
        yaml::Kind::Mapping(entries) => entries_of(findings, entries, limits, name, &mut pairs),
        yaml::Kind::Sequence(items) => {
            for item in items {
                match &mut item.kind {
                    yaml::Kind::Mapping(entries) => {
                        entries_of(findings, entries, limits, name, &mut pairs);
                    }
                    yaml::Kind::Scalar { text, plain } if is_nothing(text, *plain) => {}
                    _ => {
                        let message =
                            format!("expected a pair 'label: text', found {}", item.describe());
                        findings.error(&name.code(), Some(item.span), message, None);
                    }
                }
            }
        }
        yaml::Kind::Scalar { .. } => return None,
    }
    if pairs.len() > limits[0] {
        let message = format!("expected {}, found {}", kind.expected(), pairs.len());
        findings.error(&name.code(), Some(span), message, None);
        return None;
    }
    (!pairs.is_empty()).then_some(Value::Pairs(pairs))
}

fn entries_of(
    findings: &mut Findings<'_>,
    entries: &mut [(Key, Node)],
    [_, label_max, text_max]: [usize; 3],
    name: &Name<'_>,
    pairs: &mut Vec<(String, String)>,
) {
    for (key, node) in entries {
        let label = clean(key.text().to_owned(), &mut findings.cleaned);
        let count = label.chars().count();
        if count == 0 || count > label_max {
            let message = format!("expected a label of 1 to {label_max} characters, found {count}");
            findings.error(&name.code(), Some(key.span), message, None);
            continue;
        }
        let yaml::Kind::Scalar { text, plain } = &mut node.kind else {
            let message = format!(
                "expected a text of at most {text_max} characters, found {}",
                node.describe()
            );
            findings.error(&name.code(), Some(node.span), message, None);
            continue;
        };
        let text = clean(std::mem::take(text), &mut findings.cleaned);
        if text.is_empty() || *plain && text == "~" {
            continue;
        }
        let count = text.chars().count();
        if count > text_max {
            let message =
                format!("expected a text of at most {text_max} characters, found {count}");
            findings.error(&name.code(), Some(node.span), message, None);
            continue;
        }
        pairs.push((label, text));
    }
}
