//! Who is logged in: known by the names of their cookies, never by the values.

use axum::http::{HeaderMap, header};

/// The names of the cookies that make a visitor one who is logged in.
#[derive(Clone, Debug)]
pub(super) struct Login {
    exact: Vec<Vec<u8>>,
    /// What stands before a `*`.
    stems: Vec<Vec<u8>>,
}

impl Login {
    /// Names; `*` at the end of one stands for any rest.
    pub(super) fn new(names: &[String]) -> Self {
        let (stems, exact): (Vec<&String>, Vec<&String>) =
            names.iter().partition(|name| name.ends_with('*'));
        let stem = |name: &String| name.trim_end_matches('*').as_bytes().to_vec();
        Self {
            exact: exact
                .into_iter()
                .map(|name| name.as_bytes().to_vec())
                .collect(),
            stems: stems.into_iter().map(stem).collect(),
        }
    }

    /// Whether any cookie of the request has such a name.
    pub(super) fn is_of(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(header::COOKIE);
        lines.iter().any(|line| {
            let cookies = line.as_bytes().split(|b| *b == b';');
            cookies.map(name).any(|name| self.is_name(name))
        })
    }

    fn is_name(&self, name: &[u8]) -> bool {
        !name.is_empty()
            && (self.exact.iter().any(|exact| exact == name)
                || self.stems.iter().any(|stem| name.starts_with(stem)))
    }
}

/// The name of a cookie. One without `=` counts as a name: a page too fresh is no harm.
fn name(cookie: &[u8]) -> &[u8] {
    let end = cookie.iter().position(|b| *b == b'=');
    cookie[..end.unwrap_or(cookie.len())].trim_ascii()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::Login;

    fn is_logged_in(lines: &[&[u8]]) -> bool {
        let names = ["wordpress_logged_in_*", "sessionid"].map(str::to_owned);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        Login::new(&names).is_of(&headers)
    }

    #[test]
    fn a_cookie_is_known_by_its_whole_name_or_its_beginning() {
        for yes in [
            b"sessionid=1".as_slice(),
            b"a=1; sessionid=",
            b"a=1;sessionid=2;b=3",
            b"  sessionid = 1",
            b"sessionid",
            b"wordpress_logged_in_=1",
            b"wordpress_logged_in_5f2a=admin%7C",
            b"x=\xff\xfe; sessionid=1",
        ] {
            assert!(is_logged_in(&[yes]), "{}", yes.escape_ascii());
        }
        assert!(is_logged_in(&[b"a=1", b"sessionid=1"]), "a second line");
    }

    #[test]
    fn other_names_and_all_values_are_not_looked_at() {
        for no in [
            b"".as_slice(),
            b"a=sessionid",
            b"a=b; c=sessionid=1",
            b"sessionid2=1",
            b"xsessionid=1",
            b"SessionID=1",
            b"wordpress_logged_in=1",
            b"; ;=;",
        ] {
            assert!(!is_logged_in(&[no]), "{}", no.escape_ascii());
        }
        assert!(!is_logged_in(&[]));
    }

    #[test]
    fn without_names_nobody_is_logged_in_and_with_a_star_whoever_has_a_cookie() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1"));
        assert!(!Login::new(&[]).is_of(&headers));
        assert!(Login::new(&["*".to_owned()]).is_of(&headers));
    }
}
