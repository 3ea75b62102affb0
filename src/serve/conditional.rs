//! `If-None-Match` and `If-Modified-Since` (RFC 9110, 13.1).

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderValue, header};

/// Whether the visitor has the page already. `tag` is the page's entity tag without its
/// quotes; a date counts only where no tag was sent.
pub(super) fn is_not_modified(
    request: &HeaderMap,
    tag: Option<&str>,
    last_modified: Option<SystemTime>,
) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        // Several lines are one list (RFC 9110, 5.3).
        let lines = request.get_all(header::IF_NONE_MATCH).iter();
        let lines: Vec<&[u8]> = lines.map(HeaderValue::as_bytes).collect();
        return matches(&lines.join(&b", "[..]), tag);
    }
    let since = request.get(header::IF_MODIFIED_SINCE);
    let since = since.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    matches!((last_modified, since), (Some(last), Some(since)) if last <= since)
}

/// Whether a list of entity tags names `tag`, by the weak comparison. What follows
/// something that is no tag is not believed: the page is sent, which is never wrong.
fn matches(list: &[u8], tag: Option<&str>) -> bool {
    if list.trim_ascii() == b"*" {
        return true;
    }
    let Some(tag) = tag else {
        return false;
    };
    let mut rest = list;
    loop {
        let skipped = |b: &u8| !matches!(b, b' ' | b'\t' | b',');
        let Some(start) = rest.iter().position(skipped) else {
            return false;
        };
        rest = &rest[start..];
        rest = rest.strip_prefix(b"W/").unwrap_or(rest);
        let Some(quoted) = rest.strip_prefix(b"\"") else {
            return false;
        };
        let Some(end) = quoted.iter().position(|b| *b == b'"') else {
            return false;
        };
        if &quoted[..end] == tag.as_bytes() {
            return true;
        }
        rest = &quoted[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use axum::http::{HeaderMap, HeaderValue, header};

    use super::is_not_modified;

    const TAG: Option<&str> = Some("00ff");

    fn none_match(lines: &[&[u8]], tag: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                header::IF_NONE_MATCH,
                HeaderValue::from_bytes(line).unwrap(),
            );
        }
        is_not_modified(&headers, tag, None)
    }

    #[test]
    fn a_tag_is_found_wherever_it_stands_strong_or_weak() {
        for yes in [
            b"\"00ff\"".as_slice(),
            b"W/\"00ff\"",
            b"\"a\", \"00ff\"",
            b"\"a\",W/\"00ff\",\"b\"",
            b" , ,\"00ff\"",
            b"\"a,b\" , \"00ff\"",
            b"\"\xff\", \"00ff\"",
            b"*",
            b" * ",
        ] {
            assert!(none_match(&[yes], TAG), "{}", yes.escape_ascii());
        }
        assert!(none_match(&[b"\"a\"", b"\"00ff\""], TAG), "a second line");
        assert!(none_match(&[b"", b"\"00ff\""], TAG), "behind an empty one");
    }

    #[test]
    fn what_is_malformed_or_another_tag_does_not_match() {
        for no in [
            b"".as_slice(),
            b"00ff",
            b"\"00ff",
            b"00ff\"",
            b"\"00FF\"",
            b"w/\"00ff\"",
            b"W/ \"00ff\"",
            b"\"00ff0\"",
            b"'00ff'",
            b"x, \"00ff\"",
            b"\"a\" * ",
        ] {
            assert!(!none_match(&[no], TAG), "{}", no.escape_ascii());
        }
        assert!(!none_match(&[b"x", b"\"00ff\""], TAG), "one list");
        assert!(!none_match(&[b"*", b"\"a\""], TAG), "a star in a list");
        assert!(!none_match(&[b"\"\""], None), "a page without a tag");
        assert!(none_match(&[b"*"], None), "which is there all the same");
    }

    #[test]
    fn a_date_counts_only_where_no_tag_was_sent() {
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let since = |date: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MODIFIED_SINCE, date.parse().unwrap());
            headers
        };
        let is = |headers: &HeaderMap| is_not_modified(headers, TAG, Some(written));
        for yes in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:38 GMT",
        ] {
            assert!(is(&since(yes)), "{yes}");
        }
        for no in [
            "Sun, 06 Nov 1994 08:49:36 GMT",
            "yesterday",
            "784111777",
            "",
        ] {
            assert!(!is(&since(no)), "{no}");
        }
        let mut both = since("Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(!is_not_modified(&both, TAG, None), "a page without a date");
        both.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"other\""));
        assert!(!is(&both));
        assert!(!is(&HeaderMap::new()));
    }
}
