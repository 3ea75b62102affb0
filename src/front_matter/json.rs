//! JSON: `serde_json` says what is JSON and where it ends, and reads the texts; what is known to
//! be JSON is then cut into tokens for their places.

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::places::Places;
use crate::yaml::scalar::shortened;
use crate::yaml::{Document, Fault, MAX_BYTES, TreeBuilder, YamlError};

/// The bytes of the value that `text` begins with, blanks before it included; none if it is
/// broken, or not closed.
pub(super) fn length(text: &str) -> Option<usize> {
    let mut values = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

/// Reads one value, which is all of `text`. `first_line` is the line of the file on which it
/// begins.
pub(super) fn read(text: &str, first_line: u32) -> Document {
    let mut tree = TreeBuilder::new(first_line);
    let broken = serde_json::from_str::<IgnoredAny>(text).err();
    let broken = broken.map(|error| (offset(text, error.line(), error.column()), error));
    // An object that is not closed takes in the body: only its own bytes count.
    if text.len() > MAX_BYTES && broken.as_ref().is_none_or(|(place, _)| *place > MAX_BYTES) {
        return tree.too_long("JSON", text.len());
    }
    if let Some((place, error)) = broken {
        let span = Places::new(text, first_line).span(place..place + 1);
        tree.error(YamlError::new(Fault::Syntax, span, explain(&error)));
        return tree.finish(false);
    }
    let complete = tokens(text, &mut Places::new(text, first_line), &mut tree);
    tree.finish(complete)
}

/// Feeds the tree with all that `text` holds, which is known to be JSON.
fn tokens(text: &str, places: &mut Places<'_>, tree: &mut TreeBuilder) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        let end = match b {
            b'"' => string_end(bytes, at),
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => at + 1,
            _ => {
                let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                let length = bytes[at..].iter().position(ends);
                length.map_or(bytes.len(), |length| at + length)
            }
        };
        let goes_on = match b {
            b'{' => tree.open_mapping(places.span(at..end)),
            b'[' => tree.open_list(places.span(at..end)),
            b'}' | b']' => tree.close(),
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => true,
            b'"' => {
                let span = places.span(at..end);
                // The one thing that is not known yet: escapes that are no character.
                let inner = text.get(at + 1..end.saturating_sub(1)).unwrap_or_default();
                let read = match inner.contains('\\') {
                    true => serde_json::from_str::<String>(&text[at..end]),
                    false => Ok(inner.to_owned()),
                };
                match read {
                    Ok(text) => tree.scalar(text, false, span),
                    Err(error) => {
                        tree.error(YamlError::new(Fault::Syntax, span, explain(&error)));
                        tree.scalar(String::new(), false, span);
                    }
                }
                true
            }
            _ => {
                let value = match &text[at..end] {
                    "null" => "",
                    value => value,
                };
                tree.scalar(value.to_owned(), true, places.span(at..end));
                true
            }
        };
        if !goes_on {
            return false;
        }
        at = end;
    }
    true
}

/// Where the string ends that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(b) = bytes.get(at) {
        match b {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The offset of a place as `serde_json` gives it: line from 1, and bytes up to and with the
/// last one that it read.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let lines = text.split_inclusive('\n').map(str::len);
    let before: usize = lines.take(line.saturating_sub(1)).sum();
    let offset = (before + column.saturating_sub(1)).min(text.len());
    (0..=offset)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

fn explain(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let what = whole.split(" at line ").next().unwrap_or_default();
    let known = match what {
        "EOF while parsing an object"
        | "EOF while parsing a value"
        | "EOF while parsing a list" => "expected a closing brace or bracket, found the end",
        "EOF while parsing a string" => "expected a closing quote, found the end",
        "expected `,` or `}`" => "expected ',' or '}', found something else",
        "expected `,` or `]`" => "expected ',' or ']', found something else",
        "expected `:`" => "expected ':' after the key, found something else",
        "key must be a string" => "expected a key in double quotes, found something else",
        "trailing comma" => "expected a value after ',', found the closing brace or bracket",
        "trailing characters" => "expected the end of the JSON object, found more",
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            "expected no line end or tab within quotes, found one (write \\n or \\t)"
        }
        "invalid escape" => "expected a known escape after '\\', found another",
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            "expected a surrogate pair (\\uXXXX\\uXXXX), found one half"
        }
        other => return format!("expected valid JSON: {}", shortened(other)),
    };
    known.to_owned()
}
