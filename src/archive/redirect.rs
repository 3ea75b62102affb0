//! Redirects: what the store holds for a route whose article moved or was withdrawn.

use serde::{Deserialize, Serialize};

use crate::article::{MAX_ROUTE_BYTES, Route};

/// The longest value of a redirect, in bytes. Readers read no more, and ignore a longer value.
pub const MAX_REDIRECT_BYTES: usize = MAX_ROUTE_BYTES + 64;

/// Where a route leads that has no article any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    to: Option<Route>,
    status: u16,
}

/// The value of a redirect: `{"to":"/new/","status":301}` or `{"status":410}`.
#[derive(Deserialize, Serialize)]
#[serde(untagged, deny_unknown_fields)]
enum Form<'v> {
    Moved { to: &'v str, status: u16 },
    Gone { status: u16 },
}

impl Redirect {
    /// 301: the article is at `to` now.
    #[must_use]
    pub fn moved(to: Route) -> Self {
        Self {
            to: Some(to),
            status: 301,
        }
    }

    /// 410: the article was withdrawn.
    #[must_use]
    pub fn gone() -> Self {
        Self {
            to: None,
            status: 410,
        }
    }

    /// Where it leads; none for 410.
    #[must_use]
    pub fn to(&self) -> Option<&Route> {
        self.to.as_ref()
    }

    /// Its status: 301, 302, 308 or 410.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The value that the store holds: compact JSON of fixed order.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let status = self.status;
        let form = match &self.to {
            Some(to) => Form::Moved {
                to: to.as_str(),
                status,
            },
            None => Form::Gone { status },
        };
        serde_json::to_vec(&form).expect("a text and a number are JSON")
    }

    /// Reads a value of the store, which anybody may have written. A value that is not exactly such JSON,
    /// has another status, or has a target that is not a route is none: no reader is ever sent to
    /// another site. deploy/nginx/anp.lua takes the same values.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        // serde would take an array of the members too.
        let is_object = value.trim_ascii_start().starts_with(b"{");
        if !is_object || value.len() > MAX_REDIRECT_BYTES {
            return None;
        }
        match serde_json::from_slice(value).ok()? {
            Form::Moved { to, status } if matches!(status, 301 | 302 | 308) => {
                let route = Route::parse(to).ok()?;
                let to = (route.as_str() == to).then_some(route);
                to.map(|to| Self {
                    to: Some(to),
                    status,
                })
            }
            Form::Gone { status: 410 } => Some(Self::gone()),
            _ => None,
        }
    }

    /// The same for the value stored for `route`: none also if it redirects to that route.
    #[must_use]
    pub fn parse_at(route: &Route, value: &[u8]) -> Option<Self> {
        Self::parse(value).filter(|redirect| redirect.to.as_ref() != Some(route))
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_REDIRECT_BYTES, Redirect};
    use crate::article::Route;

    fn route(text: &str) -> Route {
        Route::parse(text).unwrap()
    }

    #[test]
    fn a_redirect_is_written_as_compact_json_and_read_back() {
        for (redirect, json) in [
            (
                Redirect::moved(route("/new/")),
                r#"{"to":"/new/","status":301}"#,
            ),
            (Redirect::gone(), r#"{"status":410}"#),
        ] {
            assert_eq!(redirect.to_json(), json.as_bytes());
            assert_eq!(Redirect::parse(json.as_bytes()), Some(redirect));
        }
        let longest = Redirect::moved(route(&format!("/{}", "a/".repeat(1023))));
        let json = longest.to_json();
        assert!(json.len() <= MAX_REDIRECT_BYTES);
        assert_eq!(Redirect::parse(&json), Some(longest));
    }

    #[test]
    fn the_order_and_blanks_of_other_writers_do_not_matter() {
        for (value, status, to) in [
            (
                r#" { "status" : 302 , "to" : "/a/b/" } "#,
                302,
                Some("/a/b/"),
            ),
            ("{\"to\":\"/\",\n\t\"status\":308}\r\n", 308, Some("/")),
            ("{ \"status\": 410 }\n", 410, None),
        ] {
            let redirect = Redirect::parse(value.as_bytes()).unwrap();
            assert_eq!(redirect.status(), status);
            assert_eq!(redirect.to().map(Route::as_str), to);
        }
    }

    #[test]
    fn a_route_that_leads_to_itself_has_no_redirect() {
        let value = br#"{"to":"/a/","status":301}"#;
        assert_eq!(Redirect::parse_at(&route("/a/"), value), None);
        assert!(Redirect::parse_at(&route("/b/"), value).is_some());
        assert!(Redirect::parse_at(&route("/a/"), br#"{"status":410}"#).is_some());
    }
}
