//! The words of errors in YAML.

use super::scalar::shortened;
use super::{Fault, Key, MAX_NESTING, YamlError};
use crate::diagnostic::Span;

pub(super) fn alias(span: Span) -> YamlError {
    YamlError::new(
        Fault::Alias,
        span,
        "expected a plain value, found a YAML alias ('*name')",
    )
    .with_help("quote the text if '*' belongs to it")
}

pub(crate) fn nesting(span: Span) -> YamlError {
    let message = format!("expected at most {MAX_NESTING} levels of nesting, found more");
    YamlError::new(Fault::Nesting, span, message)
}

pub(super) fn duplicate(key: &Key, first_line: u32) -> YamlError {
    let message = format!(
        "expected each key once, found '{}' again (first on line {first_line})",
        shortened(&key.name)
    );
    YamlError::new(Fault::Duplicate, key.span, message)
}

/// The parser's words for a syntax error, made into an expectation where they are known.
pub(super) fn explain(info: &str) -> String {
    let known = match info {
        "simple key expect ':'" | "simple key expected" => {
            "expected ':' after the key before this place, found none"
        }
        "mapping values are not allowed in this context" => {
            "expected no second ': ' on this line, found one (quote the text)"
        }
        "while parsing a block mapping, did not find expected key" => {
            "expected a key at the indentation of its mapping, found something else"
        }
        "while parsing a block collection, did not find expected '-' indicator" => {
            "expected '- ' at the indentation of its list, found something else"
        }
        "while parsing a flow sequence, expected ',' or ']'" => {
            "expected ',' or ']', found something else"
        }
        "while parsing a flow mapping, did not find expected ',' or '}'" => {
            "expected ',' or '}', found something else"
        }
        "while scanning a quoted scalar, found unexpected end of stream" => {
            "expected a closing quote, found the end"
        }
        "while parsing a quoted scalar, found unknown escape character" => {
            "expected a known escape after '\\' in double quotes, found another"
        }
        "invalid trailing content after double-quoted scalar" => {
            "expected the end of the value after the closing quote, found more text"
        }
        "invalid indentation" => {
            "expected the indentation of an open mapping or list, found another"
        }
        "while parsing a node, did not find expected node content" => {
            "expected a value, found something else"
        }
        "misplaced bracket" => "expected an opening bracket first, found a closing one",
        "tabs disallowed within this context (block indentation)" => {
            "expected spaces as indentation, found a tab"
        }
        "comment intercepting the multiline text" => {
            "expected no comment inside a text of several lines, found one"
        }
        "did not find expected <document start>" => "expected the end of the document, found more",
        "missing explicit document end marker before directive" => {
            "expected one YAML document, found a directive"
        }
        other if other.starts_with("unexpected character: `") => {
            "expected quotes around a text that begins with '%', '@' or '`', found none"
        }
        other => return format!("expected valid YAML: {}", shortened(other)),
    };
    known.to_owned()
}
