//! Preconditions of a request, in the order of RFC 9110, 13.2.2.

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, header};

/// What the preconditions of a request say about the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// The page is sent.
    Passed,
    /// The visitor has the page already: 304.
    NotModified,
    /// The visitor asked for another version: 412.
    Failed,
}

/// How entity tags are compared (RFC 9110, 8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

impl Precondition {
    /// Judges a request for the page with this entity tag (without its quotes, and whether it is a weak
    /// one) and date. A date of the request counts only where it sent no tags of the same kind, and if the
    /// page has a date.
    pub(super) fn of(
        request: &HeaderMap,
        (tag, is_weak): (Option<&str>, bool),
        last_modified: Option<SystemTime>,
    ) -> Self {
        let date = |name| date(request, name).zip(last_modified);
        let is_wanted = match list(request, &header::IF_MATCH) {
            Some(list) => names(&list, tag.filter(|_| !is_weak), Comparison::Strong),
            None => date(&header::IF_UNMODIFIED_SINCE).is_none_or(|(since, last)| last <= since),
        };
        let is_there = match list(request, &header::IF_NONE_MATCH) {
            Some(list) => names(&list, tag, Comparison::Weak),
            None => date(&header::IF_MODIFIED_SINCE).is_some_and(|(since, last)| last <= since),
        };
        match (is_wanted, is_there) {
            (false, _) => Self::Failed,
            (true, true) => Self::NotModified,
            (true, false) => Self::Passed,
        }
    }
}

/// The header of this name; several lines are one list (RFC 9110, 5.3).
fn list(request: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = request.get_all(name).iter().map(AsRef::as_ref).collect();
    (!lines.is_empty()).then(|| lines.join(&b", "[..]))
}

fn date(request: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let text = request.get(name)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()
}

/// Whether a list of entity tags names `tag`. The tags behind a malformed one are not read.
fn names(list: &[u8], tag: Option<&str>, comparison: Comparison) -> bool {
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
        let weak = rest.strip_prefix(b"W/");
        rest = weak.unwrap_or(rest);
        let Some(quoted) = rest.strip_prefix(b"\"") else {
            return false;
        };
        let Some(end) = quoted.iter().position(|b| *b == b'"') else {
            return false;
        };
        let may_match = weak.is_none() || comparison == Comparison::Weak;
        if may_match && &quoted[..end] == tag.as_bytes() {
            return true;
        }
        rest = &quoted[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

    use super::Precondition;

    const TAG: Option<&str> = Some("00ff");

    fn none_match(lines: &[&[u8]], tag: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                header::IF_NONE_MATCH,
                HeaderValue::from_bytes(line).unwrap(),
            );
        }
        Precondition::of(&headers, (tag, false), None) == Precondition::NotModified
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
        let is = |headers: &HeaderMap| {
            Precondition::of(headers, (TAG, false), Some(written)) == Precondition::NotModified
        };
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
        let undated = Precondition::of(&both, (TAG, false), None);
        assert_eq!(undated, Precondition::Passed, "a page without a date");
        both.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"other\""));
        assert!(!is(&both));
        assert!(!is(&HeaderMap::new()));
    }

    fn judged(headers: &[(&HeaderName, &str)], tag: Option<&str>) -> Precondition {
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let pairs = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            ((*name).clone(), value)
        });
        Precondition::of(&pairs.collect(), (tag, false), Some(written))
    }

    #[test]
    fn if_match_takes_strong_tags_alone() {
        for yes in ["\"00ff\"", "\"a\", \"00ff\"", "*"] {
            let judged = judged(&[(&header::IF_MATCH, yes)], TAG);
            assert_eq!(judged, Precondition::Passed, "{yes}");
        }
        for no in ["W/\"00ff\"", "\"a\"", "00ff", "", "W/\"00ff\", \"a\""] {
            let judged = judged(&[(&header::IF_MATCH, no)], TAG);
            assert_eq!(judged, Precondition::Failed, "{no}");
        }
        let untagged = |list| judged(&[(&header::IF_MATCH, list)], None);
        assert_eq!(untagged("\"00ff\""), Precondition::Failed);
        assert_eq!(untagged("*"), Precondition::Passed);
    }

    #[test]
    fn preconditions_are_judged_in_their_order() {
        const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
        const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        let (is, none) = (&header::IF_MATCH, &header::IF_NONE_MATCH);
        let (unmodified, modified) = (&header::IF_UNMODIFIED_SINCE, &header::IF_MODIFIED_SINCE);
        for (headers, expected) in [
            (&[(unmodified, BEFORE)][..], Precondition::Failed),
            (&[(unmodified, THEN)], Precondition::Passed),
            (&[(unmodified, "yesterday")], Precondition::Passed),
            // Tags count more than dates.
            (
                &[(is, "\"00ff\""), (unmodified, BEFORE)],
                Precondition::Passed,
            ),
            (&[(is, "\"a\""), (unmodified, THEN)], Precondition::Failed),
            // What was not wanted is not sent, nor said to be unchanged.
            (&[(is, "\"a\""), (none, "\"00ff\"")], Precondition::Failed),
            (
                &[(unmodified, BEFORE), (modified, THEN)],
                Precondition::Failed,
            ),
            (
                &[(is, "\"00ff\""), (none, "\"00ff\"")],
                Precondition::NotModified,
            ),
            (
                &[(unmodified, THEN), (modified, THEN)],
                Precondition::NotModified,
            ),
            (
                &[(is, "*"), (none, "\"a\""), (modified, THEN)],
                Precondition::Passed,
            ),
        ] {
            assert_eq!(judged(headers, TAG), expected, "{headers:?}");
        }
    }
}
