//! Which URLs of an article may stand on a page, and how they are written.
//!
//! Allowed are relative URLs and the schemes `http`, `https` and (links only) `mailto`, `tel`
//! and `sms`.
//! A URL is judged as the most forgiving reader would see it: without white space,
//! controls and invisible characters, in lower case. Its character references are
//! already decoded; a start that would become a scheme if something decoded it once
//! more is refused too.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::characters::is_passed_over_in_urls;

/// Schemes of links that reach a person.
pub(super) const CONTACTS: [&str; 3] = ["mailto", "tel", "sms"];

/// What a URL is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// `<a href>`.
    Link,
    /// `<img src>`.
    Image,
}

/// Whether `url` may stand on a page.
pub(super) fn is_allowed(url: &str, usage: Use) -> bool {
    // The longest head that matters: a scheme ends at the first of `:/?#`.
    let mut head = String::with_capacity(16);
    for c in url.chars().filter(|c| !is_passed_over_in_urls(*c)) {
        match c {
            ':' => {
                return match head.as_str() {
                    "http" | "https" => true,
                    scheme => usage == Use::Link && CONTACTS.contains(&scheme),
                };
            }
            '/' | '?' | '\\' => break,
            // Behind `&` it may be the start of a reference that something decodes.
            '#' if !head.ends_with('&') => break,
            _ => head.extend(c.to_lowercase()),
        }
    }
    !["&#", "&colon", "&tab", "&newline", "&lpar"]
        .iter()
        .any(|reference| head.contains(reference))
}

/// Appends `url` for an attribute value between double quotes: unwanted and invisible characters are taken
/// out, whatever is not a URL character is percent-encoded, `&` is escaped.
pub(super) fn write(out: &mut String, url: &str) {
    let url = url.trim_matches(|c: char| c.is_whitespace());
    let mut buffer = [0; 4];
    for c in url.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '!' | '#'..='%' | '\''..=';' | '=' | '?'..='[' | ']' | '_' | 'a'..='z' | '~' => {
                out.push(c);
            }
            _ if c != ' ' && is_passed_over_in_urls(c) => {}
            _ => {
                let encoded = utf8_percent_encode(c.encode_utf8(&mut buffer), NON_ALPHANUMERIC);
                out.extend(encoded);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_urls_pass() {
        for url in [
            "https://example.org/a?b=c#d",
            "HTTP://EXAMPLE.ORG",
            "/a/b:c",
            "../x",
            "?q=a:b",
            "#part",
            "#a:b",
            "a#b:c",
            "#javascript:x",
            "",
            "a.html",
            "//example.org/x",
            "a&b.html",
            "a&amp;b",
        ] {
            assert!(is_allowed(url, Use::Link), "{url}");
            assert!(is_allowed(url, Use::Image), "{url}");
        }
        for url in ["mailto:a@example.org", "TEL:+49-30-1", "sms:1?body=a"] {
            assert!(is_allowed(url, Use::Link), "{url}");
            assert!(!is_allowed(url, Use::Image), "{url}");
        }
    }

    #[test]
    fn other_schemes_fail_in_every_disguise() {
        for url in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:x",
            "\u{1}javascript:x",
            "java\tscript:x",
            "java\nscript:x",
            "java\r\nscript:x",
            "java\u{200b}script:x",
            "java\u{ad}script:x",
            "\u{feff}javascript:x",
            "javascript\u{2060}:x",
            "javascript :x",
            "vbscript:x",
            "data:text/html,x",
            "data:image/svg+xml,x",
            "file:///etc/passwd",
            "blob:x",
            "javascript&colon;alert(1)",
            "javascript&#58;alert(1)",
            "javascript&#x3a;alert(1)",
            "&#106;avascript:x",
            "java&Tab;script:x",
            "java&NewLine;script&colon;x",
            "ftp://example.org",
            "ſcript:x",
            "view-source:http://x",
            "feed:javascript:x",
            "javascript&\u{200b}#58;alert(1)",
            "a&#b:c",
            ":x",
        ] {
            assert!(!is_allowed(url, Use::Link), "{url:?}");
            assert!(!is_allowed(url, Use::Image), "{url:?}");
        }
    }

    #[test]
    fn what_is_written_cannot_leave_its_attribute() {
        let mut out = String::new();
        write(
            &mut out,
            " https://e.org/a b\"><script>?x=1&y='é\n\u{200b}` ",
        );
        assert_eq!(
            out,
            "https://e.org/a%20b%22%3E%3Cscript%3E?x=1&amp;y='%C3%A9%60"
        );
    }
}
