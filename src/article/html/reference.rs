//! Character references → characters (WHATWG HTML §13.2.5.72 to §13.2.5.80).

use std::borrow::Cow;
use std::collections::HashMap;

use pulldown_cmark::{Event, Parser};

/// Names that are references without a semicolon too (WHATWG HTML §13.5), sorted.
const WITHOUT_SEMICOLON: [&str; 106] = [
    "AElig", "AMP", "Aacute", "Acirc", "Agrave", "Aring", "Atilde", "Auml", "COPY", "Ccedil",
    "ETH", "Eacute", "Ecirc", "Egrave", "Euml", "GT", "Iacute", "Icirc", "Igrave", "Iuml", "LT",
    "Ntilde", "Oacute", "Ocirc", "Ograve", "Oslash", "Otilde", "Ouml", "QUOT", "REG", "THORN",
    "Uacute", "Ucirc", "Ugrave", "Uuml", "Yacute", "aacute", "acirc", "acute", "aelig", "agrave",
    "amp", "aring", "atilde", "auml", "brvbar", "ccedil", "cedil", "cent", "copy", "curren", "deg",
    "divide", "eacute", "ecirc", "egrave", "eth", "euml", "frac12", "frac14", "frac34", "gt",
    "iacute", "icirc", "iexcl", "igrave", "iquest", "iuml", "laquo", "lt", "macr", "micro",
    "middot", "nbsp", "not", "ntilde", "oacute", "ocirc", "ograve", "ordf", "ordm", "oslash",
    "otilde", "ouml", "para", "plusmn", "pound", "quot", "raquo", "reg", "sect", "shy", "sup1",
    "sup2", "sup3", "szlig", "thorn", "times", "uacute", "ucirc", "ugrave", "uml", "uuml",
    "yacute", "yen", "yuml",
];

/// How long these are, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=6;

/// The longest name that any reference has, in bytes.
const NAME_BYTES: usize = 31;

/// Characters that the numbers from 0x80 on mean: those of Windows-1252.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Where a text with references stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    /// In the content of an element.
    Text,
    /// In the value of an attribute. There `&copy=` is no reference.
    Attribute,
}

/// Replaces character references. Looks each name up once.
#[derive(Default)]
pub(crate) struct References<'a> {
    named: HashMap<&'a str, Option<String>>,
}

impl<'a> References<'a> {
    /// `text` with characters in the place of its references.
    pub(crate) fn decode(&mut self, text: &'a str, inside: Inside) -> Cow<'a, str> {
        let Some(first) = text.find('&') else {
            return Cow::Borrowed(text);
        };
        let mut decoded = String::with_capacity(text.len());
        decoded.push_str(&text[..first]);
        let mut rest = &text[first..];
        while let Some(after) = rest.strip_prefix('&') {
            rest = match after.strip_prefix('#') {
                Some(number) => push_numbered(&mut decoded, number),
                None => self.push_named(&mut decoded, after, inside),
            };
            let end = rest.find('&').unwrap_or(rest.len());
            decoded.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        Cow::Owned(decoded)
    }

    /// Pushes what the name at the start of `after` stands for, or `&`. Returns what follows it.
    fn push_named(&mut self, decoded: &mut String, after: &'a str, inside: Inside) -> &'a str {
        let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric();
        let bytes = after.as_bytes().iter().take(NAME_BYTES + 1);
        let length = bytes.take_while(|byte| is_of_name(byte)).count();
        let name = &after[..length];
        if let Some(rest) = after[length..].strip_prefix(';')
            && let Some(text) = self.named(name)
        {
            decoded.push_str(text);
            return rest;
        }
        // The longest of those that need no semicolon.
        let mut prefixes = LENGTHS.rev().filter_map(|length| name.get(..length));
        let found = prefixes.find(|prefix| WITHOUT_SEMICOLON.binary_search(prefix).is_ok());
        if let Some(found) = found {
            let rest = &after[found.len()..];
            let is_of_value = |c: char| c == '=' || c.is_ascii_alphanumeric();
            if !(inside == Inside::Attribute && rest.starts_with(is_of_value))
                && let Some(text) = self.named(found)
            {
                decoded.push_str(text);
                return rest;
            }
        }
        decoded.push('&');
        after
    }

    /// What `&name;` stands for.
    fn named(&mut self, name: &'a str) -> Option<&str> {
        let known = self.named.entry(name).or_insert_with(|| look_up(name));
        known.as_deref()
    }
}

/// The Markdown parser has the table of all names.
fn look_up(name: &str) -> Option<String> {
    if name.is_empty() {
        return None;
    }
    let reference = format!("a&{name};b");
    let texts = Parser::new(&reference).filter_map(|event| match event {
        Event::Text(text) => Some(text.into_string()),
        Event::SoftBreak => Some("\n".to_owned()),
        _ => None,
    });
    let text: String = texts.collect();
    let text = text.strip_prefix('a')?.strip_suffix('b')?;
    (!text.starts_with('&') || text == "&").then(|| text.to_owned())
}

/// Pushes the character of the number at the start of `number`, or `&#`. Returns what follows it.
fn push_numbered<'a>(decoded: &mut String, number: &'a str) -> &'a str {
    let (radix, digits) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits),
        None => (10, number),
    };
    let bytes = digits.bytes();
    let length = bytes
        .take_while(|byte| char::from(*byte).is_digit(radix))
        .count();
    if length == 0 {
        decoded.push_str("&#");
        return number;
    }
    let value = u32::from_str_radix(digits[..length].trim_start_matches('0'), radix);
    let value = value.unwrap_or_default();
    decoded.push(match value {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9f => WINDOWS_1252[value as usize - 0x80],
        _ => char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER),
    });
    let rest = &digits[length..];
    rest.strip_prefix(';').unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::{Inside, LENGTHS, References, WITHOUT_SEMICOLON, look_up};

    #[test]
    fn references_become_characters() {
        for (text, expected) in [
            ("a", "a"),
            (
                "a &amp; b &lt;c&gt; &quot;d&quot; &apos;",
                "a & b <c> \"d\" '",
            ),
            (
                "&eacute;&NotEqualTilde;&nbsp;&Tab;&NewLine;.",
                "é≂̸\u{a0}\t\n.",
            ),
            (
                "&#233;&#xE9;&#XE9 &#8217;&#146;&#128;",
                "éééé’’€".replace("éééé", "ééé ").as_str(),
            ),
            (
                "&#0;&#xD800;&#x110000;&#99999999999;",
                "\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
            ),
            (
                "&copy 2020 &copycat; &notit; &notin; &AMP",
                "© 2020 ©cat; ¬it; ∉ &",
            ),
            (
                "AT&T R&D & &; &# &#; &#x; &#xg; &unknown; &é",
                "AT&T R&D & &; &# &#; &#x; &#xg; &unknown; &é",
            ),
            ("&amp;amp; &&amp;&", "&amp; &&&"),
            ("&sup2 &sup &sup1;", "² &sup ¹"),
        ] {
            let found = References::default()
                .decode(text, Inside::Text)
                .into_owned();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_parameter_of_a_url_is_no_reference() {
        let url = "/?a=1&copy=2&reg&lt3&para;&amp;b&sect";
        let found = References::default()
            .decode(url, Inside::Attribute)
            .into_owned();
        assert_eq!(found, "/?a=1&copy=2®&lt3¶&b§");
    }

    #[test]
    fn names_without_a_semicolon_can_be_searched() {
        assert!(WITHOUT_SEMICOLON.is_sorted());
        let is_known = |name: &&str| LENGTHS.contains(&name.len()) && look_up(name).is_some();
        assert!(WITHOUT_SEMICOLON.iter().all(is_known));
    }

    #[test]
    fn what_has_no_reference_is_borrowed() {
        let found = References::default().decode("a < b", Inside::Text);
        assert!(matches!(found, std::borrow::Cow::Borrowed(_)));
    }
}
