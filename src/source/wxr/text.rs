//! Plain text from HTML, and addresses as paths.

use quick_xml::escape::resolve_html5_entity;

use super::scan::{Ahead, Opaque};

/// The text of a piece of HTML: without tags, comments and block markup, entities as characters, white
/// space folded.
pub(super) fn plain(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return folded(html);
    }
    let (mut opaque, mut gt) = (Opaque::new(html), Ahead::new(html, ">"));
    let mut out = String::with_capacity(html.len());
    let mut at = 0;
    while let Some(length) = memchr::memchr2(b'<', b'&', &html.as_bytes()[at..]) {
        out.push_str(&html[at..at + length]);
        at += length;
        if html.as_bytes()[at] == b'&' {
            let (text, end) = entity(html, at);
            out.push_str(&text);
            at = end;
            continue;
        }
        // The text of code stays.
        let rest = &html[at..];
        let is_code = ["<code", "<pre"].iter().any(|tag| rest.starts_with(tag));
        let end = if is_code { gt.end(at) } else { opaque.end(at) };
        match end {
            Some(end) => {
                if !is_inline(rest) {
                    out.push(' ');
                }
                at = end;
            }
            None => {
                out.push('<');
                at += 1;
            }
        }
    }
    out.push_str(&html[at..]);
    folded(&out)
}

/// Whether a tag separates no words.
fn is_inline(tag: &str) -> bool {
    let name = tag.trim_start_matches(['<', '/']);
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(name.len());
    let inline = [
        "a", "abbr", "b", "cite", "code", "del", "em", "i", "ins", "mark", "q", "s", "small",
        "span", "strong", "sub", "sup", "u",
    ];
    inline.contains(&&name[..end])
}

fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text
        .split(|c: char| c.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The text of the entity at `at`, and the place behind it. A mere `&` stays.
fn entity(html: &str, at: usize) -> (String, usize) {
    let rest = &html[at + 1..];
    let head = rest.bytes().take(33).position(|b| b == b';');
    let Some(name) = head.and_then(|end| rest.get(..end)) else {
        return ("&".to_owned(), at + 1);
    };
    let number = name.strip_prefix('#').and_then(|number| {
        let hex = number.strip_prefix(['x', 'X']);
        let code = match hex {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code).map(String::from)
    });
    match number.or_else(|| resolve_html5_entity(name).map(str::to_owned)) {
        Some(text) => (text, at + name.len() + 2),
        None => ("&".to_owned(), at + 1),
    }
}

/// A text of at most `max` characters: cut between two words, with an ellipsis.
pub(super) fn shortened(text: String, max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(max) else {
        return text;
    };
    let last = text.char_indices().nth(max - 1).map_or(end, |(at, _)| at);
    let head = &text[..last];
    let cut = head.rfind(' ').filter(|at| *at > last / 2).unwrap_or(last);
    format!(
        "{}\u{2026}",
        head[..cut].trim_end_matches([' ', ',', ';', ':', '.'])
    )
}

/// A text of HTML for an attribute: its entities stay.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

/// The path of an address, and whether a query follows. Letters beyond ASCII are shown; whatever else
/// is percent-coded stays so. None if the text is no address.
pub(super) fn path_of(url: &str) -> Option<(String, bool)> {
    let url = url.trim();
    let (_, rest) = url.split_once("://")?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    Some((decoded(path), !query.is_empty()))
}

/// Percent-coded letters beyond ASCII as letters.
pub(super) fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let coded = rest.as_bytes().chunks_exact(3).map_while(|code| {
            let digits = std::str::from_utf8(code.strip_prefix(b"%")?).ok()?;
            let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
            let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
            (byte >= 0x80).then_some(byte)
        });
        let bytes: Vec<u8> = coded.collect();
        let length = (bytes.len() * 3).max(1);
        match String::from_utf8(bytes) {
            Ok(letters) if !letters.is_empty() => out.push_str(&letters),
            _ => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_plain_text() {
        for (html, expected) in [
            ("a  b\nc", "a b c"),
            ("<p>a</p><p>b &amp; <em>c</em>d</p>", "a b & cd"),
            (
                "x&#8217;s &hellip; &nosuch; & &#xD800; &",
                "x\u{2019}s \u{2026} &nosuch; & &#xD800; &",
            ),
            (
                "<script>x</script>a<!-- b -->c <code>x &lt; y</code>",
                "a c x < y",
            ),
            ("1 < 2", "1 < 2"),
        ] {
            assert_eq!(plain(html), expected, "{html}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_words() {
        assert_eq!(shortened("a b".to_owned(), 3), "a b");
        assert_eq!(
            shortened("some words, more".to_owned(), 13),
            "some words\u{2026}"
        );
        assert_eq!(
            shortened("\u{f6}".repeat(9), 4),
            "\u{f6}\u{f6}\u{f6}\u{2026}"
        );
    }

    #[test]
    fn addresses_have_paths() {
        for (url, expected) in [
            ("https://x/a/b/", Some(("/a/b/", false))),
            ("https://x", Some(("/", false))),
            ("http://x/blog/?p=3#a", Some(("/blog/", true))),
            (
                "https://x/caf%c3%a9/%2Fa%zz%e4/",
                Some(("/caf\u{e9}/%2Fa%zz%e4/", false)),
            ),
            ("about", None),
        ] {
            let expected = expected.map(|(path, query)| (path.to_owned(), query));
            assert_eq!(path_of(url), expected, "{url}");
        }
    }
}
