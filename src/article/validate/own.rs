//! Own fields: what the table does not know. Cleaned as any other, typed by one rule.
//!
//! An unquoted `true` or `false` is a flag, and an unquoted number that readers of JSON keep as it is
//! written is a number: at most 16 characters, no exponent, no zero at the end of its decimals.
//! Everything else is a text. What is empty is absent.

use super::super::findings::Findings;
use super::super::metadata::Value;
use super::super::text::{Cleaned, clean};
use super::scalar::number;
use super::shape::{Name, is_nothing};
use crate::diagnostic::Span;
use crate::yaml::scalar::shortened;
use crate::yaml::{self, Key, Node};

/// How deep lists and mappings of an own field may be nested.
const MAX_DEPTH: usize = 4;

/// Most entries of a list or mapping of an own field, and most own fields of an article.
const MAX_MEMBERS: usize = 64;

/// A value of any type; none if there is nothing, or it is beyond the limits and reported. `field`
/// is the name for messages.
pub(super) fn value(findings: &mut Findings<'_>, node: &mut Node, field: &str) -> Option<Value> {
    nested(findings, node, field, 1)
}

fn nested(
    findings: &mut Findings<'_>,
    node: &mut Node,
    field: &str,
    depth: usize,
) -> Option<Value> {
    let (count, what) = match &mut node.kind {
        yaml::Kind::Scalar { text, plain } => {
            let (text, plain) = (std::mem::take(text), *plain);
            return scalar(findings, text, plain);
        }
        yaml::Kind::Sequence(items) => (items.len(), "list"),
        yaml::Kind::Mapping(entries) => (entries.len(), "mapping"),
    };
    if depth > MAX_DEPTH {
        let message = format!(
            "expected at most {MAX_DEPTH} lists and mappings inside each other in '{}', found more",
            shortened(field)
        );
        refuse(findings, message, Some(node.span));
        return None;
    }
    if count > MAX_MEMBERS {
        let message = format!(
            "expected at most {MAX_MEMBERS} entries in a {what} of '{}', found {count}",
            shortened(field)
        );
        refuse(findings, message, Some(node.span));
        return None;
    }
    match &mut node.kind {
        yaml::Kind::Sequence(items) => {
            let values = items.iter_mut();
            let values = values.filter_map(|item| nested(findings, item, field, depth + 1));
            let values: Vec<Value> = values.collect();
            (!values.is_empty()).then_some(Value::List(values))
        }
        yaml::Kind::Mapping(entries) => {
            let mut members = Vec::with_capacity(entries.len());
            for (key, node) in entries {
                if let Some(value) = nested(findings, node, field, depth + 1) {
                    keep(findings, key, value, &mut members);
                }
            }
            (!members.is_empty()).then_some(Value::Group(members))
        }
        yaml::Kind::Scalar { .. } => None,
    }
}

fn scalar(findings: &mut Findings<'_>, text: String, plain: bool) -> Option<Value> {
    if is_nothing(&text, plain) {
        return None;
    }
    if plain {
        match text.as_str() {
            "true" | "True" | "TRUE" => return Some(Value::Flag(true)),
            "false" | "False" | "FALSE" => return Some(Value::Flag(false)),
            _ => {}
        }
        if let Some(number) = number(&text) {
            return Some(number);
        }
    }
    // Lines of a longer text are no mistake.
    let mut cleaned = Cleaned::default();
    let text = clean(text, &mut cleaned);
    findings.cleaned += Cleaned {
        folded: 0,
        ..cleaned
    };
    (!text.is_empty()).then_some(Value::Text(text))
}

/// Puts a value under its key as it was written, cleaned.
pub(super) fn keep(
    findings: &mut Findings<'_>,
    key: &Key,
    value: Value,
    members: &mut Vec<(String, Value)>,
) {
    // One more than there may be says that there are too many.
    if members.len() > MAX_MEMBERS {
        return;
    }
    let name = clean(key.text().to_owned(), &mut findings.cleaned);
    let message = if name.is_empty() {
        "expected a key with a visible character, found none".to_owned()
    } else if members.iter().any(|(other, _)| *other == name) {
        format!("expected each key once, found '{}' again", shortened(&name))
    } else {
        members.push((name, value));
        return;
    };
    refuse(findings, message, Some(key.span));
}

/// Refuses an article, or a group `of` it, with too many own fields.
pub(super) fn check_count(
    findings: &mut Findings<'_>,
    members: &[(String, Value)],
    of: Option<&Name<'_>>,
    at: Option<Span>,
) {
    if members.len() > MAX_MEMBERS {
        let of = of.map_or_else(String::new, |name| format!(" in '{}'", name.code()));
        let message = format!("expected at most {MAX_MEMBERS} own fields{of}, found more");
        refuse(findings, message, at);
    }
}

fn refuse(findings: &mut Findings<'_>, message: String, span: Option<Span>) {
    findings.error("own-field", span, message, None);
}
