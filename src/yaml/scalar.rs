//! Scalars by type: the caller says what it expects, YAML's guesses do not count.

/// Most characters of a value that a message repeats.
const SHOWN_CHARS: usize = 60;

/// A whole number: decimal digits and nothing else. Leading zeros mean nothing (`028802`
/// is 28802); signs, `1_000`, `0x10`, `1e3` and `6.0` are not whole numbers.
#[must_use]
pub fn whole_number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `true` or `false` in any case, `1` or `0`.
#[must_use]
pub fn flag(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// `null`, `Null` or `NULL`: the words of YAML's core schema.
#[must_use]
pub fn is_null_word(text: &str) -> bool {
    matches!(text, "null" | "Null" | "NULL")
}

/// The text as a message repeats it: whole if it is a short word or number, otherwise in
/// single quotes; control and format characters escaped; at most 60 characters.
#[must_use]
pub fn quoted(text: &str) -> String {
    let bare = !text.is_empty()
        && text.len() <= SHOWN_CHARS
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
    if bare {
        return text.to_owned();
    }
    format!("'{}'", shortened(text))
}

/// The text without its quotes, escaped and shortened as [`quoted`] does.
#[must_use]
pub fn shortened(text: &str) -> String {
    let mut out = String::new();
    let mut count = 0;
    for c in text.chars() {
        let escaped: String =
            if crate::characters::is_hidden(c) || c == '\t' || c == '\n' || c == '\r' {
                c.escape_default().collect()
            } else {
                c.to_string()
            };
        count += escaped.chars().count();
        if count > SHOWN_CHARS - 1
            && out.chars().count() + escaped.chars().count() > SHOWN_CHARS - 1
        {
            out.push('…');
            return out;
        }
        out.push_str(&escaped);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_digits_and_nothing_else() {
        assert_eq!(whole_number("6"), Some(6));
        assert_eq!(whole_number("028802"), Some(28802));
        for text in [
            "", "+5", "-1", "1_000", "0x10", "0o7", "1e3", "6.0", " 6", "٣", "six",
        ] {
            assert_eq!(whole_number(text), None, "{text}");
        }
        assert_eq!(whole_number("99999999999999999999999"), None);
    }

    #[test]
    fn flags_are_0_1_true_false() {
        assert_eq!(flag("1"), Some(true));
        assert_eq!(flag("False"), Some(false));
        for text in ["yes", "no", "on", "2", "", "01"] {
            assert_eq!(flag(text), None, "{text}");
        }
    }

    #[test]
    fn shown_values_are_escaped_and_short() {
        assert_eq!(quoted("140"), "140");
        assert_eq!(quoted("no"), "'no'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a\u{1b}[31m"), "'a\\u{1b}[31m'");
        assert_eq!(quoted("a\u{202e}b"), "'a\\u{202e}b'");
        let long = quoted(&"x".repeat(1000));
        assert_eq!(long.chars().count(), 62);
        assert!(long.ends_with("…'"));
        assert_eq!(shortened(&"y".repeat(59)).chars().count(), 59);
    }
}
