//! Bare URLs and addresses, by the rules of GitHub Flavored Markdown, section 6.9: `https://…`,
//! `www.…` and `a@example.org`.

use std::ops::Range;

/// A bare link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BareLink {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `https://…`.
    Url,
    /// `www.…`, a host without a scheme.
    Host,
    /// An e-mail address.
    Address,
}

/// The URL around the `://` at `at`.
pub(super) fn url(text: &str, at: usize) -> Option<BareLink> {
    let bytes = text.as_bytes();
    let letters = bytes[..at].iter().rev().take(6);
    let scheme = letters.take_while(|b| b.is_ascii_alphabetic()).count();
    let start = at - scheme;
    let is_web = ["http", "https"]
        .iter()
        .any(|known| text[start..at].eq_ignore_ascii_case(known));
    if !is_web || is_word_before(text, start) || domain(&text[at + 3..])? == 0 {
        return None;
    }
    Some(until_space(text, start, Kind::Url))
}

/// The host that begins with the `www.` at `at`.
pub(super) fn host(text: &str, at: usize) -> Option<BareLink> {
    let is_alone = !is_word_before(text, at) && !text[..at].ends_with(['/', '.', '-', '@', ':']);
    let labels = domain(&text[at..])?;
    (is_alone && labels > 1).then(|| until_space(text, at, Kind::Host))
}

/// The address around the `@` at `at`.
pub(super) fn address(text: &str, at: usize) -> Option<BareLink> {
    let bytes = text.as_bytes();
    let is_local = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+');
    let local = bytes[..at]
        .iter()
        .rev()
        .take(254)
        .take_while(|b| is_local(b))
        .count();
    let is_host = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let host = bytes[at + 1..]
        .iter()
        .take(254)
        .take_while(|b| is_host(b))
        .count();
    let host = text[at + 1..at + 1 + host].trim_end_matches('.');
    let mut start = at - local;
    if local == 0 || !host.contains('.') || host.ends_with(['-', '_']) || host.starts_with('.') {
        return None;
    }
    if is_word_before(text, start) || text[..start].ends_with('/') {
        return None;
    }
    let scheme = "mailto:";
    if text[..start].ends_with(scheme) {
        start -= scheme.len();
    }
    Some(BareLink {
        range: start..at + 1 + host.len(),
        kind: Kind::Address,
    })
}

/// Whether a letter or digit is before `at`, so that the text at `at` is the rest of a word.
fn is_word_before(text: &str, at: usize) -> bool {
    text[..at].ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// How many labels the domain at the start of `text` has; `None` if it is not a domain. The last two
/// must not have an underscore.
fn domain(text: &str) -> Option<usize> {
    let is_of_domain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '-' | '_' | '.')
            || !c.is_ascii() && c.is_alphanumeric()
    };
    let end = text.find(|c| !is_of_domain(c)).unwrap_or(text.len());
    let domain = text[..end].trim_end_matches('.');
    if domain.is_empty() || domain.starts_with('.') {
        return None;
    }
    let is_plain = domain.rsplit('.').take(2).all(|label| !label.contains('_'));
    is_plain.then(|| domain.split('.').count())
}

/// The link from `start` to the next white space, without the punctuation that ends the sentence.
fn until_space(text: &str, start: usize, kind: Kind) -> BareLink {
    let rest = &text[start..];
    let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '`');
    let end = rest.find(ends).unwrap_or(rest.len());
    let length = trimmed(&rest[..end]).len();
    BareLink {
        range: start..start + length,
        kind,
    }
}

/// `link` without the punctuation after it.
pub(super) fn trimmed(link: &str) -> &str {
    let count = |c: u8| link.bytes().filter(|b| *b == c).count();
    let mut excess = [
        (')', count(b')').saturating_sub(count(b'('))),
        (']', count(b']').saturating_sub(count(b'['))),
    ];
    let mut rest = link;
    loop {
        rest = rest.trim_end_matches(['?', '!', '.', ',', ':', '*', '_', '~', '\'', '"']);
        let last = rest.chars().next_back();
        match last {
            Some(';') => {
                // `&copy;` is a reference, no part of a URL.
                let before = &rest[..rest.len() - 1];
                let name = before.rfind('&').map(|at| (at, &before[at + 1..]));
                let is_name = |name: &str| {
                    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
                };
                rest = match name {
                    Some((at, name)) if name.len() < 32 && is_name(name) => &rest[..at],
                    _ => before,
                };
            }
            Some(last) => {
                let too_many = excess.iter_mut().find(|(c, left)| *c == last && *left > 0);
                let Some((_, left)) = too_many else {
                    return rest;
                };
                *left -= 1;
                rest = &rest[..rest.len() - 1];
            }
            None => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, link: Option<BareLink>) -> Option<String> {
        link.map(|link| text[link.range].to_owned())
    }

    #[test]
    fn links_end_where_github_ends_them() {
        for (text, expected) in [
            (
                "see https://e.org/a?b=c&d=e, and",
                "https://e.org/a?b=c&d=e",
            ),
            ("(https://e.org/a_(b))", "https://e.org/a_(b)"),
            ("(https://e.org/a)))", "https://e.org/a"),
            ("**HTTP://E.org/x**", "HTTP://E.org/x"),
            ("https://e.org/?a[]=1]", "https://e.org/?a[]=1"),
            ("https://e.org/a&copy;", "https://e.org/a"),
            ("https://e.org/a;", "https://e.org/a"),
            ("https://e.org<b", "https://e.org"),
            ("http://localhost:80/", "http://localhost:80/"),
            ("\"https://müller.de/ü\".", "https://müller.de/ü"),
        ] {
            let at = text.find("://").unwrap();
            assert_eq!(shown(text, url(text, at)).as_deref(), Some(expected));
        }
        for text in [
            "ftp://e.org",
            "://e.org",
            "https://",
            "https://.",
            "xhttps://e.org",
            "http://a_b.c",
        ] {
            assert_eq!(url(text, text.find("://").unwrap()), None, "{text}");
        }
    }

    #[test]
    fn hosts_and_addresses_are_links() {
        for (text, expected) in [
            ("(www.e.org/a).", Some("www.e.org/a")),
            ("www.e.org", Some("www.e.org")),
            ("www.x", Some("www.x")),
            ("www._x.y", None),
            ("www.", None),
            ("awww.e.org", None),
            ("//www.e.org", None),
        ] {
            let at = text.find("www.").unwrap();
            assert_eq!(shown(text, host(text, at)).as_deref(), expected, "{text}");
        }
        for (text, expected) in [
            ("a.b+c@e.org.", Some("a.b+c@e.org")),
            ("mailto:a@e.org", Some("mailto:a@e.org")),
            ("a@e", None),
            ("@e.org", None),
            ("a@e.org-", None),
            ("a@.e.org", None),
            ("üa@e.org", Some("a@e.org")),
        ] {
            let at = text.find('@').unwrap();
            assert_eq!(
                shown(text, address(text, at)).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
