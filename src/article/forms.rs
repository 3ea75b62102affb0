//! The forms of single values: versions, tokens, hosts, URLs, numbered names.

/// Whether a text is ASCII digits, one or more.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A language tag of [BCP 47](https://www.rfc-editor.org/info/bcp47): a language of two or three
/// letters, and what follows it. `pt_BR` becomes `pt-BR`.
pub(super) fn language(text: &str) -> Option<String> {
    let tag = text.replace('_', "-");
    let mut parts = tag.split('-');
    let first = parts.next()?;
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let fits = (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(is_part)
        && tag.len() <= 35;
    fits.then_some(tag)
}

/// Whole minutes of `6`, `~6`, `6 min`, `6 minutes` or `5.5 min read`, rounded up as generators do.
pub(super) fn minutes(text: &str) -> Option<u64> {
    let text = text.trim_start_matches(['~', '≈']).trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit = unit.trim().to_ascii_lowercase();
    let unit = unit
        .strip_suffix("read")
        .map_or(unit.as_str(), str::trim_end);
    if !["", "m", "min", "min.", "mins", "minute", "minutes"].contains(&unit) {
        return None;
    }
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let begun = decimals.bytes().any(|b| b != b'0');
    let whole: u64 = whole.parse().ok().filter(|_| is_digits(decimals))?;
    whole.checked_add(u64::from(begun))
}

/// A version of [SemVer 2.0](https://semver.org/#backusnaur-form-grammar-for-valid-semver-versions).
pub(super) fn is_semver(text: &str) -> bool {
    let identifier = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let number = |part: &str| is_digits(part) && (part == "0" || !part.starts_with('0'));
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    let (core, pre) = match text.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (text, None),
    };
    core.split('.').count() == 3
        && core.split('.').all(number)
        && pre.is_none_or(|pre| {
            pre.split('.')
                .all(|part| identifier(part) && (!is_digits(part) || number(part)))
        })
        && build.is_none_or(|build| build.split('.').all(identifier))
}

/// A host name in ASCII: labels of letters, digits and inner hyphens, 1 to 63 bytes each,
/// 253 in all (RFC 1123 section 2.1).
pub(super) fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// The authority of an absolute `http` or `https` URL, and what follows it.
fn authority(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let rest = rest.strip_prefix("//")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    Some(rest.split_at(end))
}

/// The host of an absolute `http` or `https` URL, without user and port. Its characters are not
/// checked: it is shown, never fetched.
#[must_use]
pub fn shown_host(url: &str) -> Option<&str> {
    host_in(authority(url)?.0)
}

/// The host in an authority.
fn host_in(authority: &str) -> Option<&str> {
    let host_port = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host_port.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host_port,
    };
    (!host.is_empty()).then_some(host)
}

/// The host of an absolute http or https URL, as written. None if the text is no such URL:
/// another scheme, credentials, a host that is no name, a bad port, or a character that
/// must be percent-encoded (RFC 3986; letters outside ASCII are let through).
pub(super) fn url_host(text: &str) -> Option<&str> {
    let (authority, tail) = authority(text)?;
    let host = host_in(authority).filter(|host| is_host(host))?;
    let is_port =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    // Credentials would stand before the host.
    let fits = match authority.strip_prefix(host)? {
        "" => true,
        port => port.strip_prefix(':').is_some_and(is_port),
    };
    let reserved = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '|' | '}')
    };
    (fits && !tail.contains(reserved)).then_some(host)
}

/// The number in `PREFIX` + six or more digits (+ `-` + exactly `suffix_digits` digits, if
/// that is above 0), without its leading zeros.
pub(super) fn numbered<'t>(text: &'t str, prefix: &str, suffix_digits: usize) -> Option<&'t str> {
    let rest = text.strip_prefix(prefix)?;
    let number = if suffix_digits == 0 {
        rest
    } else {
        let (number, suffix) = rest.split_once('-')?;
        let fits = suffix.len() == suffix_digits && is_digits(suffix);
        fits.then_some(number)?
    };
    let fits = number.len() >= 6 && is_digits(number);
    fits.then(|| number.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_read_as_people_write_them() {
        for (text, expected) in [
            ("6", Some(6)),
            ("006", Some(6)),
            ("~6", Some(6)),
            ("6 min", Some(6)),
            ("6min", Some(6)),
            ("6 Minutes", Some(6)),
            ("6 min read", Some(6)),
            ("6 minute read", Some(6)),
            ("5.5", Some(6)),
            ("0.2 min", Some(1)),
            ("5.0", Some(5)),
            ("", None),
            ("min", None),
            ("+6", None),
            ("-6", None),
            ("6.", None),
            (".5", None),
            ("1.2.3", None),
            ("6 hours", None),
            ("6:30", None),
            ("5-7 min", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }

    #[test]
    fn language_tags_are_those_of_html() {
        for (text, expected) in [
            ("en", Some("en")),
            ("pt_BR", Some("pt-BR")),
            ("zh-Hans-CN", Some("zh-Hans-CN")),
            ("gsw", Some("gsw")),
            ("e", None),
            ("English", None),
            ("en-", None),
            ("en US", None),
            ("C++", None),
            ("日本語", None),
        ] {
            assert_eq!(language(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn versions_are_semver() {
        for text in [
            "1.5.1",
            "0.0.0",
            "1.10.0",
            "1.0.0-alpha.1",
            "1.0.0-0a.x-y",
            "1.0.0+001",
            "1.0.0-rc.1+b-1",
        ] {
            assert!(is_semver(text), "{text}");
        }
        for text in [
            "",
            "1",
            "1.10",
            "1.2.3.4",
            "v1.2.3",
            "01.2.3",
            "1.2.3-",
            "1.2.3-01",
            "1.2.3+",
            "1.2.3-a..b",
            "1.2.x",
        ] {
            assert!(!is_semver(text), "{text}");
        }
    }

    #[test]
    fn hosts_are_found_for_show() {
        assert_eq!(
            shown_host("https://user:pw@cdn.example.org:8443/x"),
            Some("cdn.example.org")
        );
        assert_eq!(shown_host("/relative.png"), None);
        assert_eq!(shown_host("mailto:a@b"), None);
    }

    #[test]
    fn hosts_are_names() {
        for text in ["dummyimage.com", "a", "A-b.example", "127.0.0.1"] {
            assert!(is_host(text), "{text}");
        }
        for text in [
            "",
            ".",
            "a..b",
            "-a.b",
            "a-.b",
            "a_b",
            "ä.de",
            "a.b.",
            "[::1]",
            "a b",
            &"a".repeat(64),
        ] {
            assert!(!is_host(text), "{text}");
        }
    }

    #[test]
    fn urls_are_absolute_http() {
        assert_eq!(
            url_host("https://dummyimage.com/600x400/000/fff&text=a"),
            Some("dummyimage.com")
        );
        assert_eq!(url_host("HTTP://a:8080?x#y"), Some("a"));
        for text in [
            "",
            "dummyimage.com",
            "//a/b",
            "ftp://a",
            "javascript://a/%0aalert(1)",
            "https://",
            "https:///a",
            "https://u:p@a/",
            "https://a:99999/",
            "https://a:x/",
            "https://a/\"onload=",
            "https://a/ b",
            "https://a/<",
            "https://a\\b",
            "https://a:+80/",
        ] {
            assert_eq!(url_host(text), None, "{text}");
        }
    }

    #[test]
    fn numbered_names_have_six_digits() {
        assert_eq!(
            numbered("anp-ref-028802-1615", "anp-ref-", 4),
            Some("28802")
        );
        assert_eq!(
            numbered("alphanode-1234567", "alphanode-", 0),
            Some("1234567")
        );
        for text in [
            "anp-ref-28802-1615",
            "anp-ref-028802",
            "anp-ref-028802-16155",
            "anp-ref-02880x-1615",
        ] {
            assert_eq!(numbered(text, "anp-ref-", 4), None, "{text}");
        }
        assert_eq!(numbered("alphanode-28802", "alphanode-", 0), None);
    }
}
