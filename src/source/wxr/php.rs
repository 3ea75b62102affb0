//! Values as PHP's `serialize` writes them, in custom fields.
//!
//! Objects and references are refused: they mean something to one program alone. A text whose length is
//! wrong, because somebody replaced words in the database or XML made one line end of two, is read to
//! the quote that must be its end.

use memchr::memmem;
use serde_json::{Map, Number, Value};

/// The longest serialised value, in bytes.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// How deep arrays may be nested.
const MAX_DEPTH: usize = 16;

/// Most members of all arrays of a value together.
const MAX_MEMBERS: usize = 4096;

/// Why a value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Object,
    Reference,
    TooLong,
    TooDeep,
    TooMany,
    Broken,
}

impl Refused {
    /// In words, after the name of the field.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Object => "holds a PHP object, which anp does not read",
            Self::Reference => "holds a PHP reference, which anp does not read",
            Self::TooLong => "holds a serialised PHP value beyond 64 KiB",
            Self::TooDeep => "holds a serialised PHP value with arrays nested beyond 16",
            Self::TooMany => "holds a serialised PHP value with more than 4096 members",
            Self::Broken => "looks like a serialised PHP value, but cannot be read as one",
        }
    }
}

/// Whether a text is meant as a serialised value, by what it begins and ends with.
pub(super) fn is_serialised(text: &str) -> bool {
    let text = text.trim();
    if text == "N;" {
        return true;
    }
    let [kind, b':', rest @ .., last] = text.as_bytes() else {
        return false;
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let has_length = digits > 0 && rest.get(digits) == Some(&b':');
    match kind {
        b's' => has_length && *last == b';' && rest.last() == Some(&b'"'),
        b'a' => has_length && *last == b'}',
        b'O' | b'C' | b'E' => has_length && matches!(last, b'}' | b';'),
        b'b' | b'i' | b'd' => {
            let is_part = |b: &u8| b.is_ascii_digit() || b".+-eE".contains(b);
            let is_word = matches!(rest, b"NAN" | b"INF" | b"-INF");
            *last == b';' && !rest.is_empty() && (is_word || rest.iter().all(is_part))
        }
        _ => false,
    }
}

/// Reads a value for which [`is_serialised`] holds. A text that is a serialised value itself, as
/// WordPress stores one that was serialised twice, is read too.
pub(super) fn read(text: &str) -> Result<Value, Refused> {
    let mut value = read_once(text.trim())?;
    for _ in 0..MAX_DEPTH {
        match value {
            Value::String(inner) if is_serialised(&inner) => value = read_once(inner.trim())?,
            value => return Ok(value),
        }
    }
    Err(Refused::TooDeep)
}

fn read_once(text: &str) -> Result<Value, Refused> {
    if text.len() > MAX_BYTES {
        return Err(Refused::TooLong);
    }
    let mut reader = Reader {
        text,
        at: 0,
        members: 0,
    };
    let value = reader.value(0)?;
    if reader.at == text.len() {
        Ok(value)
    } else {
        Err(Refused::Broken)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    members: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn expect(&mut self, mark: &str) -> Result<(), Refused> {
        if self.rest().starts_with(mark.as_bytes()) {
            self.at += mark.len();
            return Ok(());
        }
        Err(Refused::Broken)
    }

    /// What stands before the byte `end`, which it passes.
    fn before(&mut self, end: u8) -> Result<&'a str, Refused> {
        // No number is longer.
        let head = self.rest();
        let head = head.get(..64).unwrap_or(head);
        let length = head.iter().position(|b| *b == end);
        let length = length.ok_or(Refused::Broken)?;
        let text = self.text.get(self.at..self.at + length);
        self.at += length + 1;
        text.ok_or(Refused::Broken)
    }

    fn value(&mut self, depth: usize) -> Result<Value, Refused> {
        match self.rest() {
            [b'N', b';', ..] => {
                self.at += 2;
                Ok(Value::Null)
            }
            [b'b', b':', ..] => {
                self.at += 2;
                match self.before(b';')? {
                    "0" => Ok(Value::Bool(false)),
                    "1" => Ok(Value::Bool(true)),
                    _ => Err(Refused::Broken),
                }
            }
            [b'i', b':', ..] => {
                self.at += 2;
                let number = self.before(b';')?.parse::<i64>();
                number.map(Value::from).map_err(|_| Refused::Broken)
            }
            [b'd', b':', ..] => {
                self.at += 2;
                float(self.before(b';')?)
            }
            [b's', b':', ..] => {
                self.at += 2;
                let text = self.string()?;
                self.expect(";")?;
                Ok(Value::String(text.to_owned()))
            }
            [b'a', b':', ..] => {
                self.at += 2;
                self.array(depth)
            }
            [b'O' | b'C' | b'E', b':', ..] => Err(Refused::Object),
            [b'R' | b'r', b':', ..] => Err(Refused::Reference),
            _ => Err(Refused::Broken),
        }
    }

    /// The text between quotes, behind its length.
    fn string(&mut self) -> Result<&'a str, Refused> {
        let length = self.before(b':')?;
        let length: usize = length.parse().map_err(|_| Refused::Broken)?;
        self.expect("\"")?;
        let start = self.at;
        let end = start.checked_add(length).ok_or(Refused::Broken)?;
        let is_end = |end: usize| {
            let behind = self.text.as_bytes().get(end..);
            behind.is_some_and(|behind| behind.starts_with(b"\";"))
        };
        let end = if is_end(end) && self.text.is_char_boundary(end) {
            end
        } else {
            self.likely_end()?
        };
        self.at = end + 1;
        self.text.get(start..end).ok_or(Refused::Broken)
    }

    /// The next `";` before something that can follow a text. If a text holds such a place itself,
    /// what is behind it does not fit the lengths of the arrays around, and all of it is refused.
    fn likely_end(&self) -> Result<usize, Refused> {
        let bytes = self.text.as_bytes();
        for at in memmem::find_iter(self.rest(), b"\";") {
            let end = self.at + at;
            let goes_on = match bytes.get(end + 2..).unwrap_or_default() {
                [] | [b'}', ..] | [b'N', b';', ..] | [b'd', b':', b'N', ..] => true,
                [kind, b':', b'0'..=b'9' | b'-' | b'.' | b'I', ..] => b"abdisOCErR".contains(kind),
                _ => false,
            };
            if goes_on {
                return Ok(end);
            }
        }
        Err(Refused::Broken)
    }

    fn array(&mut self, depth: usize) -> Result<Value, Refused> {
        if depth >= MAX_DEPTH {
            return Err(Refused::TooDeep);
        }
        let count: usize = self.before(b':')?.parse().map_err(|_| Refused::Broken)?;
        self.members = self.members.saturating_add(count);
        if self.members > MAX_MEMBERS {
            return Err(Refused::TooMany);
        }
        self.expect("{")?;
        let mut members = Vec::with_capacity(count);
        for _ in 0..count {
            let key = match self.value(MAX_DEPTH)? {
                Value::Number(number) => number.to_string(),
                Value::String(text) => text,
                _ => return Err(Refused::Broken),
            };
            members.push((key, self.value(depth + 1)?));
        }
        self.expect("}")?;
        let mut names = (0..count).map(|at| at.to_string());
        let is_list = members
            .iter()
            .all(|(key, _)| Some(key) == names.next().as_ref());
        if is_list {
            return Ok(members.into_iter().map(|(_, value)| value).collect());
        }
        Ok(Value::Object(members.into_iter().collect::<Map<_, _>>()))
    }
}

/// A number with decimals. What JSON cannot write becomes a text.
fn float(text: &str) -> Result<Value, Refused> {
    if matches!(text, "NAN" | "INF" | "-INF") {
        return Ok(Value::String(text.to_owned()));
    }
    let number: f64 = text.parse().map_err(|_| Refused::Broken)?;
    let number = Number::from_f64(number);
    Ok(number.map_or_else(|| Value::String(text.to_owned()), Value::Number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read_text(text: &str) -> Result<Value, Refused> {
        assert!(is_serialised(text), "{text}");
        read(text)
    }

    #[test]
    fn values_of_every_kind() {
        for (text, expected) in [
            ("N;", json!(null)),
            ("b:1;", json!(true)),
            ("i:-5;", json!(-5)),
            ("d:0.5;", json!(0.5)),
            ("d:INF;", json!("INF")),
            ("s:3:\"a\"b\";", json!("a\"b")),
            ("s:6:\"k\u{f6}ln;\";", json!("k\u{f6}ln;")),
            ("a:0:{}", json!([])),
            (
                "a:2:{i:0;s:1:\"x\";i:1;a:1:{s:1:\"k\";N;}}",
                json!(["x", {"k": null}]),
            ),
            ("a:2:{i:1;i:10;i:0;i:20;}", json!({"1": 10, "0": 20})),
            ("a:1:{i:5;b:0;}", json!({"5": false})),
            ("s:14:\"a:1:{i:0;i:7;}\";", json!([7])),
        ] {
            assert_eq!(read_text(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn wrong_lengths_are_read_where_the_end_is_clear() {
        for (text, expected) in [
            // Two line ends became one.
            ("a:1:{s:1:\"a\";s:4:\"x\ny\";}", json!({"a": "x\ny"})),
            (
                "a:2:{i:0;s:5:\"longer text\";i:1;i:2;}",
                json!(["longer text", 2]),
            ),
            ("s:99:\"x\";", json!("x")),
            ("s:1:\"k\u{f6}ln\";", json!("k\u{f6}ln")),
            // The text holds the end of a text itself.
            (
                "a:1:{i:0;s:3:\"say \"yes\"; now\";}",
                json!(["say \"yes\"; now"]),
            ),
        ] {
            assert_eq!(read_text(text), Ok(expected), "{text}");
        }
        // Which end is meant cannot be known: neither is taken.
        let unclear = "a:1:{i:0;s:3:\"a\";i:1;s:3:\"b\";}";
        assert_eq!(read_text(unclear), Err(Refused::Broken));
    }

    #[test]
    fn what_is_no_plain_value_is_refused() {
        let deep = format!("{}{}", "a:1:{i:0;".repeat(17), "}".repeat(17));
        let long = format!("s:70000:\"{}\";", "x".repeat(70_000));
        for (text, expected) in [
            ("O:8:\"stdClass\":0:{}", Refused::Object),
            ("a:1:{i:0;O:1:\"A\":0:{}}", Refused::Object),
            ("a:1:{i:0;C:1:\"A\":0:{}}", Refused::Object),
            ("a:2:{i:0;i:1;i:1;R:2;}", Refused::Reference),
            ("a:2:{i:0;i:1;i:1;r:2;}", Refused::Reference),
            (deep.as_str(), Refused::TooDeep),
            (long.as_str(), Refused::TooLong),
            ("a:5000:{}", Refused::TooMany),
            ("a:2:{i:0;i:1;}", Refused::Broken),
            ("a:1:{a:0:{}i:1;}", Refused::TooDeep),
            ("i:1;i:2;", Refused::Broken),
            ("i:99999999999999999999;", Refused::Broken),
            ("s:18446744073709551615:\"\";", Refused::Broken),
        ] {
            if is_serialised(text) {
                let found = read(text);
                let is_expected =
                    found == Err(expected) || expected == Refused::TooDeep && found.is_err();
                assert!(is_expected, "{text}: {found:?}");
            } else {
                assert_eq!(text, "i:1;i:2;");
            }
        }
        for text in [
            "",
            "a:1",
            "s:3:x",
            "a: 1;",
            "http://x;",
            "i:;",
            "note;",
            "b:x;",
        ] {
            assert!(!is_serialised(text), "{text}");
        }
    }

    fn serialised(value: &Value) -> String {
        match value {
            Value::Null => "N;".to_owned(),
            Value::Bool(yes) => format!("b:{};", u8::from(*yes)),
            Value::Number(number) => format!("i:{number};"),
            Value::String(text) => format!("s:{}:\"{text}\";", text.len()),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items: String = items
                    .map(|(at, item)| format!("i:{at};{}", serialised(item)))
                    .collect();
                format!("a:{}:{{{items}}}", value.as_array().map_or(0, Vec::len))
            }
            Value::Object(members) => {
                let text: String = members
                    .iter()
                    .map(|(key, item)| format!("s:{}:\"{key}\";{}", key.len(), serialised(item)))
                    .collect();
                format!("a:{}:{{{text}}}", members.len())
            }
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\u{f6}\";{}:\n ]{0,12}"
                .prop_filter("no value itself", |text| !is_serialised(text))
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("k[a-z]{1,5}", inner, 1..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_serialised_is_read_as_it_was(value in values()) {
            prop_assert_eq!(read(&serialised(&value)), Ok(value));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[abdisNOR]:[0-9]{0,3}:?[\"{};:a-z0-9\u{f6}]{0,60}") {
            let _ = is_serialised(&text);
            let _ = read(&text);
        }
    }
}
