//! One line of JSON ↔ the source that it is: the fields as front matter in JSON, then the body.
//!
//! A field keeps its text as it stands in the line, so that its column is known from where it stood.
//! The body is decoded; its columns are found again by decoding it once more, for findings alone.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::diagnostic::Place;

/// Names of the members that are no fields.
const PATH: &str = "path";
const BODY: &str = "body";
const HTML: &str = "html";

/// Fields that name a source whose line has no path, the first that it has.
const STAND_INS: [&str; 4] = ["slug", "route", "url", "permalink"];

/// A line, taken apart.
pub(super) struct Record<'l> {
    line: &'l str,
    /// Where each field stands in the line, its key included, in order.
    fields: Vec<Range<usize>>,
    /// The body as it stands in the line, in its quotes.
    body: Option<&'l RawValue>,
    /// Whether it is HTML.
    pub(super) is_html: bool,
    path: Option<Cow<'l, str>>,
    stand_in: Option<(usize, String)>,
}

/// What is wrong with a line, and where, as a byte of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) at: usize,
}

impl Fault {
    fn new(message: impl Into<String>, at: usize) -> Self {
        let message = message.into();
        Self { message, at }
    }
}

impl<'l> Record<'l> {
    /// Takes a line apart.
    ///
    /// # Errors
    /// When it is no JSON object, or its `path` or `body` is no text.
    pub(super) fn read(line: &'l str) -> Result<Self, Fault> {
        let mut record = Self {
            line,
            fields: Vec::new(),
            body: None,
            is_html: false,
            path: None,
            stand_in: None,
        };
        let mut json = serde_json::Deserializer::from_str(line);
        let read = json.deserialize_map(Members(&mut record));
        let read = read.and_then(|fault: Option<Fault>| json.end().map(|()| fault));
        match read {
            Ok(None) => Ok(record),
            Ok(Some(fault)) => Err(fault),
            Err(error) => {
                let whole = error.to_string();
                let what = whole.split(" at line ").next().unwrap_or_default();
                let at = error.column().saturating_sub(1).min(line.len());
                let message = match what {
                    what if what.starts_with("invalid type") => {
                        "expected a JSON object, found another value".to_owned()
                    }
                    what if what.starts_with("EOF") => {
                        "expected a whole JSON object, found the end of the line".to_owned()
                    }
                    what => format!("expected a JSON object, found broken JSON: {what}"),
                };
                Err(Fault::new(message, at))
            }
        }
    }

    /// The member `key`, whose value is `value`. `from` is where the member before it ended.
    fn member(&mut self, key: &str, value: &'l RawValue, from: usize) -> Result<usize, Fault> {
        let text = value.get();
        let start = text.as_ptr().addr() - self.line.as_ptr().addr();
        let end = start + text.len();
        match key {
            PATH if self.path.is_some() => return Err(twice(PATH, start)),
            BODY | HTML if self.body.is_some() => {
                return Err(match self.is_html == (key == HTML) {
                    true => twice(key, start),
                    false => Fault::new("expected 'body' or 'html', found both", start),
                });
            }
            PATH => {
                let path = serde_json::from_str::<String>(text);
                let path = path.map_err(|_| Fault::new("expected a text as 'path'", start))?;
                self.path = Some(Cow::Owned(path));
            }
            BODY | HTML if text == "null" => {}
            BODY | HTML if !text.starts_with('"') => {
                return Err(Fault::new(format!("expected a text as '{key}'"), start));
            }
            BODY | HTML => {
                self.body = Some(value);
                self.is_html = key == HTML;
            }
            _ => {
                let between = self.line.get(from..start).unwrap_or_default();
                let mark = between.find(['{', ',']).map_or(from, |at| from + at + 1);
                self.fields.push(mark..end);
                self.note_stand_in(key, text);
            }
        }
        Ok(end)
    }

    fn note_stand_in(&mut self, key: &str, text: &str) {
        let Some(rank) = STAND_INS.iter().position(|name| *name == key) else {
            return;
        };
        let is_first = self
            .stand_in
            .as_ref()
            .is_none_or(|(other, _)| rank < *other);
        if let Ok(value) = serde_json::from_str::<String>(text)
            && is_first
        {
            self.stand_in = Some((rank, value));
        }
    }

    /// The path of the source as the line names it.
    pub(super) fn path(&self) -> Option<&str> {
        let stand_in = self.stand_in.as_ref().map(|(_, value)| value.as_str());
        self.path.as_deref().or(stand_in)
    }

    /// The source: its fields on the first line, then its body.
    ///
    /// # Errors
    /// When the body has an escape that is no character.
    pub(super) fn document(&self) -> Result<String, Fault> {
        let raw = self.body.map_or("\"\"", RawValue::get);
        let body: Cow<'_, str> = serde_json::from_str::<Borrowed<'_>>(raw)
            .map(|Borrowed(body)| body)
            .map_err(|error| {
                let whole = error.to_string();
                let what = whole
                    .split(" at line ")
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                let start = raw
                    .as_ptr()
                    .addr()
                    .saturating_sub(self.line.as_ptr().addr());
                Fault::new(
                    format!("expected a text, found {what}"),
                    start + error.column(),
                )
            })?;
        let mut document = String::with_capacity(self.line.len() + 8);
        document.push('{');
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                document.push(',');
            }
            document.push_str(self.line.get(field.clone()).unwrap_or_default());
        }
        document.push_str("}\n");
        document.push_str(&body);
        Ok(document)
    }

    /// The fields as they stand in the line, one behind the other.
    pub(super) fn fields(&self) -> String {
        let fields = self.fields.iter();
        let texts = fields.filter_map(|field| self.line.get(field.clone()));
        texts.collect()
    }

    /// The column in the line, from 1, of a place of the document.
    pub(super) fn column(&self, place: &Place) -> u32 {
        let at = match place.line {
            0 | 1 => self.byte_of_field(place.column),
            line => self.byte_of_body(line - 2, place.column),
        };
        column_of(self.line, at)
    }

    /// The byte of the line at which the character `column` of the fields stands.
    fn byte_of_field(&self, column: u32) -> usize {
        // The brace, and a comma before each field but the first.
        let mut left = (column as usize).saturating_sub(2);
        for field in &self.fields {
            let text = self.line.get(field.clone()).unwrap_or_default();
            match text.char_indices().nth(left) {
                Some((at, _)) => return field.start + at,
                None => left = left.saturating_sub(text.chars().count() + 1),
            }
        }
        self.fields.last().map_or(0, |field| field.end)
    }

    /// The byte of the line at which the character `column` of the body's line `number`, from 0,
    /// stands.
    fn byte_of_body(&self, number: u32, column: u32) -> usize {
        let Some(raw) = self.body.map(RawValue::get) else {
            return 0;
        };
        let start = raw.as_ptr().addr() - self.line.as_ptr().addr();
        let (mut line, mut at_column, mut was_return) = (0, 1, false);
        for (at, decoded) in Characters::of(raw) {
            if line == number && at_column >= column {
                return start + at;
            }
            match decoded {
                '\n' if was_return => {}
                '\n' | '\r' if line == number => return start + at,
                '\n' | '\r' => (line, at_column) = (line + 1, 1),
                _ => at_column += 1,
            }
            was_return = decoded == '\r';
        }
        start + raw.len() - 1
    }
}

/// The column of a byte of `line`, from 1.
pub(super) fn column_of(line: &str, at: usize) -> u32 {
    let before = line.char_indices().take_while(|(start, _)| *start < at);
    u32::try_from(before.count() + 1).unwrap_or(u32::MAX)
}

fn twice(key: &str, at: usize) -> Fault {
    Fault::new(format!("expected '{key}' once, found it again"), at)
}

/// A text that borrows from the line where it has no escapes.
#[derive(serde::Deserialize)]
struct Borrowed<'l>(#[serde(borrow)] Cow<'l, str>);

/// The characters of a text in quotes, each with the byte at which it begins.
struct Characters<'r> {
    raw: &'r str,
    at: usize,
}

impl<'r> Characters<'r> {
    /// Those of `raw`, which is known to be sound.
    fn of(raw: &'r str) -> Self {
        Self { raw, at: 1 }
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let escape = self.raw.get(at..at + 2)?;
        (escape == "\\u").then_some(())?;
        u32::from_str_radix(self.raw.get(at + 2..at + 6)?, 16).ok()
    }
}

impl Iterator for Characters<'_> {
    type Item = (usize, char);

    fn next(&mut self) -> Option<(usize, char)> {
        let start = self.at;
        let mut rest = self.raw.get(start..self.raw.len() - 1)?.chars();
        let first = rest.next()?;
        let (decoded, length) = match (first, rest.next()) {
            ('\\', Some('u')) => match self.unit(start).unwrap_or_default() {
                // The first half of a pair: both are one character.
                0xd800..=0xdbff => ('\u{fffd}', 12),
                unit => (char::from_u32(unit).unwrap_or('\u{fffd}'), 6),
            },
            ('\\', Some('n')) => ('\n', 2),
            ('\\', Some('r')) => ('\r', 2),
            ('\\', Some(other)) => (other, 1 + other.len_utf8()),
            (plain, _) => (plain, plain.len_utf8()),
        };
        self.at = start + length;
        Some((start, decoded))
    }
}

/// Takes the members of an object one by one.
struct Members<'r, 'l>(&'r mut Record<'l>);

impl<'l> Visitor<'l> for Members<'_, 'l> {
    type Value = Option<Fault>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut map: A) -> Result<Option<Fault>, A::Error> {
        let (mut end, mut fault) = (0, None);
        while let Some(key) = map.next_key::<Cow<'l, str>>()? {
            let value: &'l RawValue = map.next_value()?;
            if fault.is_some() {
                continue;
            }
            match self.0.member(&key, value, end) {
                Ok(at) => end = at,
                Err(found) => fault = Some(found),
            }
        }
        Ok(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn document(line: &str) -> String {
        Record::read(line).unwrap().document().unwrap()
    }

    #[test]
    fn fields_become_front_matter_and_the_body_follows() {
        let line = r#"{ "path": "a/b.md", "title" : "x", "body":"A\nB \u00e9\ud83d\ude00", "score":{"quality": 3} }"#;
        assert_eq!(
            document(line),
            "{ \"title\" : \"x\", \"score\":{\"quality\": 3}}\nA\nB é😀"
        );
        assert_eq!(Record::read(line).unwrap().path(), Some("a/b.md"));
        assert_eq!(document("{}"), "{}\n");
        assert_eq!(
            document(r#"{"body":null,"title":"x"}"#),
            "{\"title\":\"x\"}\n"
        );
        let html = Record::read(r#"{"slug":"s","html":"<p>x</p>"}"#).unwrap();
        assert!(html.is_html);
        assert_eq!(html.path(), Some("s"));
        assert_eq!(html.document().unwrap(), "{\"slug\":\"s\"}\n<p>x</p>");
    }

    #[test]
    fn places_of_the_document_are_places_of_the_line() {
        let line = r#"{"path":"a","é": 1,"body":"A\r\n\u00e9\ud83d\ude00x\n\"y","t":"😀 z"}"#;
        let record = Record::read(line).unwrap();
        let document = record.document().unwrap();
        for (text, raw) in [
            ("1", "1,"),
            ("z", "z\""),
            ("x", r"x\n"),
            ("y", "y\","),
            ("A", r"A\r"),
        ] {
            let at = document.find(text).unwrap();
            let before = &document[..at];
            let start = before.rfind('\n').map_or(0, |at| at + 1);
            let span = Span {
                line: u32::try_from(before.matches('\n').count()).unwrap() + 1,
                column: u32::try_from(before[start..].chars().count()).unwrap() + 1,
                length: 1,
            };
            let place = Place::in_text(&document, span);
            let expected = column_of(line, line.find(raw).unwrap());
            assert_eq!(record.column(&place), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_with_its_place() {
        for (line, message, at) in [
            ("[1]", "expected a JSON object, found another value", 0),
            (
                "{\"a\": 1",
                "expected a whole JSON object, found the end of the line",
                6,
            ),
            ("{\"path\": 1}", "expected a text as 'path'", 9),
            ("{\"body\": []}", "expected a text as 'body'", 9),
            (
                "{\"body\":\"\",\"html\":\"\"}",
                "expected 'body' or 'html', found both",
                18,
            ),
            (
                "{\"body\":\"\",\"body\":\"\"}",
                "expected 'body' once, found it again",
                18,
            ),
        ] {
            let fault = Record::read(line).err().unwrap();
            assert_eq!(fault, Fault::new(message, at), "{line}");
        }
        let broken = Record::read("{\"a\":1} x").err().unwrap();
        assert!(
            broken
                .message
                .starts_with("expected a JSON object, found broken JSON")
        );
        let half = Record::read(r#"{"body":"\ud800"}"#);
        assert!(half.is_err() || half.unwrap().document().is_err());
    }
}
