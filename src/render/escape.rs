//! Escaping: text → HTML text, HTML attribute value, or JSON inside a script element.
//!
//! One scan serves every text that reaches a page. Besides the characters with a meaning
//! in HTML it takes out what no page should carry: C0 and C1 controls and noncharacters
//! (parse errors by the HTML standard, §13.2.3.5), and the bidi embeddings, overrides
//! and isolates that can make text read otherwise than it is stored.

use crate::characters::is_forbidden_on_pages;

/// Appends `text`, escaped for the content of an element.
pub(super) fn text(out: &mut String, text: &str) {
    escape(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        _ => None,
    });
}

/// Appends `text`, escaped for an attribute value between double quotes.
pub(super) fn attribute(out: &mut String, text: &str) {
    escape(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'"' => Some("&quot;"),
        _ => None,
    });
}

/// Appends `text`, escaped for wherever a template may print it: as text, or between
/// quotes of either kind.
pub fn anywhere(out: &mut String, text: &str) {
    escape(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        _ => None,
    });
}

/// Appends HTML text as its author wrote it: character references stay, brackets and
/// unwanted characters do not. What comes out has no tag in it.
pub(super) fn html_text(out: &mut String, text: &str) {
    escape(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        _ => None,
    });
}

/// Like [`html_text`], for an attribute value between double quotes.
pub(super) fn html_attribute(out: &mut String, text: &str) {
    escape(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        _ => None,
    });
}

/// Makes a serialised JSON text fit for `<script type="application/ld+json">`: the only
/// places where `<`, `>`, `&` and the two line separators occur in JSON are strings, so
/// writing them as `\u` escapes changes no value, and no `</script` or `<!--` can remain.
/// Unwanted characters are taken out here as everywhere.
pub(super) fn json_in_html(out: &mut String, json: &str) {
    let is_notable = |c: char| {
        matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') || is_forbidden_on_pages(c)
    };
    let is_suspect = |byte| {
        u8::from(byte < b' ')
            | u8::from(byte == b'&')
            | u8::from((byte | 2) == b'>')
            | u8::from(byte > b'~')
    };
    if json.bytes().fold(0, |found, byte| found | is_suspect(byte)) == 0 {
        out.push_str(json);
        return;
    }
    let mut rest = json;
    while let Some(at) = rest.find(is_notable) {
        out.push_str(&rest[..at]);
        let mut after = rest[at..].chars();
        out.push_str(match after.next() {
            Some('<') => "\\u003c",
            Some('>') => "\\u003e",
            Some('&') => "\\u0026",
            Some('\u{2028}') => "\\u2028",
            Some('\u{2029}') => "\\u2029",
            _ => "",
        });
        rest = after.as_str();
    }
    out.push_str(rest);
}

/// Bytes at which the scan must look closer: markup, controls, and the first bytes of
/// the UTF-8 sequences that may hold an unwanted character.
const NOTABLE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(
            byte as u8,
            0..=8 | 11..=31 | b'<' | b'>' | b'&' | b'"' | b'\'' | 0x7f | 0xc2 | 0xe2 | 0xef..=0xf4
        );
        byte += 1;
    }
    table
};

/// Bytes of a text that are looked at together: what a vector register holds everywhere.
const BLOCK: usize = 16;

/// 1 where the byte may be notable, and where it is one of `!#$%`: so few comparisons, without
/// a branch, become few vector instructions for a whole block. The table above decides.
fn is_suspect(byte: u8) -> u8 {
    (u8::from(byte < b'(') & u8::from(byte != b' '))
        | u8::from((byte | 2) == b'>') // '<' or '>'
        | u8::from(byte > b'~')
}

#[inline(always)]
fn escape(out: &mut String, text: &str, replace: impl Fn(u8) -> Option<&'static str>) {
    let bytes = text.as_bytes();
    let (mut copied, mut at) = (0, 0);
    let mut next_block = 0;
    while at < bytes.len() {
        if at >= next_block && bytes.len() >= BLOCK {
            // The last block of a text reaches back into the one before.
            let start = at.min(bytes.len() - BLOCK);
            let block = &bytes[start..start + BLOCK];
            if block
                .iter()
                .fold(0, |found, byte| found | is_suspect(*byte))
                == 0
            {
                at = start + BLOCK;
                continue;
            }
            next_block = at + BLOCK;
        }
        let byte = bytes[at];
        if !NOTABLE[usize::from(byte)] {
            at += 1;
            continue;
        }
        let (length, replacement) = if byte.is_ascii() {
            match replace(byte) {
                Some(replacement) => (1, replacement),
                None if byte == b'\r' && bytes.get(at + 1) != Some(&b'\n') => (1, "\n"),
                None if is_forbidden_on_pages(char::from(byte)) => (1, ""),
                None => {
                    at += 1;
                    continue;
                }
            }
        } else {
            let c = text[at..].chars().next().unwrap_or_default();
            if c == '\u{a0}' {
                // As the HTML standard serialises it (§13.3), so that bodies which are
                // cleaned come out as they went in.
                (c.len_utf8(), "&nbsp;")
            } else if is_forbidden_on_pages(c) {
                (c.len_utf8(), "")
            } else {
                at += c.len_utf8();
                continue;
            }
        };
        out.push_str(&text[copied..at]);
        out.push_str(replacement);
        at += length;
        copied = at;
    }
    out.push_str(&text[copied..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(f: fn(&mut String, &str), text: &str) -> String {
        let mut out = String::new();
        f(&mut out, text);
        out
    }

    #[test]
    fn markup_is_escaped_and_the_rest_is_left_alone() {
        assert_eq!(
            with(text, "a < b & c > \"d\""),
            "a &lt; b &amp; c &gt; \"d\""
        );
        assert_eq!(with(anywhere, "\"'<>&"), "&quot;&#39;&lt;&gt;&amp;");
        assert_eq!(
            with(text, "naïve — ‘quoted’ 東京 🦀\t\n"),
            "naïve — ‘quoted’ 東京 🦀\t\n"
        );
        assert_eq!(with(html_text, "&copy; <b>"), "&copy; &lt;b&gt;");
    }

    #[test]
    fn characters_no_page_should_carry_are_taken_out() {
        assert_eq!(
            with(
                text,
                "a\0b\u{1}c\u{7f}d\u{85}e\u{202e}f\u{2066}g\u{fdd0}h\u{1ffff}i"
            ),
            "abcdefghi"
        );
        assert_eq!(with(text, "one\r\ntwo\rthree"), "one\ntwo\nthree");
    }

    const ALL: [fn(&mut String, &str); 6] = [
        text,
        attribute,
        anywhere,
        html_text,
        html_attribute,
        json_in_html,
    ];

    #[test]
    fn every_character_is_treated_alike_wherever_it_stands() {
        let all = (0..=0x300).chain([0x2028, 0x202e, 0x2066, 0xfdd0, 0xffff, 0x1f980]);
        for c in all.filter_map(char::from_u32) {
            let alone = ALL.map(|f| with(f, &c.to_string()));
            for before in 0..2 * BLOCK {
                let after = "y".repeat(before * 7 % 40);
                let padded = format!("{}{c}{after}", "x".repeat(before));
                let found = ALL.map(|f| with(f, &padded));
                for (found, alone) in found.iter().zip(&alone) {
                    let expected = format!("{}{alone}{after}", "x".repeat(before));
                    assert_eq!(*found, expected, "{c:?}");
                }
            }
        }
        for byte in 0..=255_u8 {
            assert!(
                is_suspect(byte) == 1 || !NOTABLE[usize::from(byte)],
                "{byte}"
            );
        }
    }

    #[test]
    fn json_cannot_end_its_script_element() {
        let escaped = with(json_in_html, "\"</script><!--&\u{2028}\u{2029}\"");
        assert_eq!(
            escaped,
            "\"\\u003c/script\\u003e\\u003c!--\\u0026\\u2028\\u2029\""
        );
        let value: String = serde_json::from_str(&escaped).unwrap();
        assert_eq!(value, "</script><!--&\u{2028}\u{2029}");
    }
}
