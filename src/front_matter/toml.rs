//! TOML: the tables of the crate `toml`, in the order of the file.

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::names::field;
use super::places::Places;
use crate::diagnostic::Span;
use crate::yaml::explain::nesting;
use crate::yaml::scalar::shortened;
use crate::yaml::{Document, Fault, MAX_BYTES, TreeBuilder, YamlError};

/// Reads one document. `first_line` is the line of the file on which it begins.
pub(super) fn read(text: &str, first_line: u32) -> Document {
    let mut tree = TreeBuilder::new(first_line);
    if text.len() > MAX_BYTES {
        return tree.too_long("TOML", text.len());
    }
    let mut places = Places::new(text, first_line);
    let (table, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|range| range.start));
    // One mistake causes many errors: report the first, and keep the fields before it. A duplicate
    // key causes no others.
    let mut end = None;
    for error in &errors {
        let range = error.span().unwrap_or_default();
        if error.message() == "duplicate key" {
            let key = shortened(text.get(range.clone()).unwrap_or_default());
            tree.error(duplicate(&key, places.span(range)));
        } else {
            end = Some(range.start);
            let error = explain(error.message(), places.span(range));
            let yaml = text.lines().any(|line| field(line).is_some());
            tree.error(if yaml {
                error.with_help("write YAML between two lines '---'")
            } else {
                error
            });
            break;
        }
    }
    let limit = end.unwrap_or(text.len());
    let whole = tree.open_document() && entries(table.get_ref(), limit, &mut places, &mut tree);
    tree.finish(end.is_none() && whole)
}

/// The keys and values of a table that begin before `end`, then its end. False means that they
/// are nested too deep.
fn entries(
    table: &DeTable<'_>,
    end: usize,
    places: &mut Places<'_>,
    tree: &mut TreeBuilder,
) -> bool {
    let mut sorted: Vec<_> = table.iter().collect();
    sorted.sort_by_key(|(key, _)| key.span().start);
    for (key, node) in sorted {
        if key.span().start >= end || node.span().end > end {
            break;
        }
        tree.scalar(key.get_ref().to_string(), false, places.span(key.span()));
        if !value(node, end, places, tree) {
            return false;
        }
    }
    tree.close()
}

fn value(
    node: &Spanned<DeValue<'_>>,
    end: usize,
    places: &mut Places<'_>,
    tree: &mut TreeBuilder,
) -> bool {
    let span = places.span(node.span());
    let (text, plain) = match node.get_ref() {
        DeValue::Array(items) => {
            return tree.open_list(span)
                && items.iter().all(|item| value(item, end, places, tree))
                && tree.close();
        }
        DeValue::Table(table) => {
            return tree.open_mapping(span) && entries(table, end, places, tree);
        }
        DeValue::String(text) => (text.to_string(), false),
        DeValue::Integer(number) => (decimal(number), true),
        DeValue::Float(number) => (number.as_str().to_owned(), true),
        DeValue::Boolean(flag) => (flag.to_string(), true),
        DeValue::Datetime(time) => (time.to_string(), true),
    };
    tree.scalar(text, plain, span);
    true
}

/// A number as people write it: `0xff` and `1_000` are 255 and 1000.
fn decimal(number: &DeInteger<'_>) -> String {
    let digits = number.as_str();
    match i64::from_str_radix(digits, number.radix()) {
        Ok(number) => number.to_string(),
        Err(_) => number.to_string(),
    }
}

fn duplicate(key: &str, span: Span) -> YamlError {
    let message = format!("expected each key once, found '{key}' again");
    YamlError::new(Fault::Duplicate, span, message)
}

fn explain(message: &str, span: Span) -> YamlError {
    // Of keys with dots, and of brackets.
    if matches!(
        message,
        "recursion limit" | "cannot recurse further; max recursion depth met"
    ) {
        return nesting(span);
    }
    let message = format!("expected valid TOML: {}", shortened(message));
    YamlError::new(Fault::Syntax, span, message)
}
