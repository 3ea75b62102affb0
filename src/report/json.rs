//! One JSON object a line, as every output of anp writes it.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::characters::is_hidden;

/// `object` as one line, without its end. What a terminal would act on or hide is written as `\u`
/// escapes: of the characters of a text JSON itself asks that of the first 32 alone.
///
/// # Errors
/// When `object` is nothing that JSON can hold.
pub(super) fn line(object: &impl Serialize) -> serde_json::Result<String> {
    let mut line = Vec::with_capacity(256);
    object.serialize(&mut Serializer::with_formatter(&mut line, Escaping))?;
    String::from_utf8(line).map_err(serde::ser::Error::custom)
}

/// Compact, and with escapes for what is hidden.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_hidden = |c: char| is_hidden(c) && !c.is_ascii() || c == '\u{7f}';
        let mut rest = fragment;
        // Nearly all of it is printable ASCII.
        while !rest.bytes().all(|b| matches!(b, b' '..=b'~'))
            && let Some(at) = rest.find(is_hidden)
        {
            writer.write_all(&rest.as_bytes()[..at])?;
            let mut after = rest[at..].chars();
            let hidden = after.next().unwrap_or_default();
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = after.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::line;
    use crate::characters::is_hidden;

    #[test]
    fn what_is_hidden_is_escaped_and_means_the_same() {
        let text = "a\tb\"\u{1b}\u{7f}\u{9b}\u{202e}c\u{200b}\u{feff}\u{e0041}é東🦀\u{1ffff}";
        let object = json!({ "x\u{2066}": text, "n": [1, null] });
        let line = line(&object).unwrap();
        assert!(!line.contains(is_hidden), "{line:?}");
        assert!(
            line.contains("\\u007f\\u009b\\u202ec\\u200b\\ufeff\\udb40\\udc41é東🦀"),
            "{line}"
        );
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read, object);
    }
}
