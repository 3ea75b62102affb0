//! The address of a front, and the one look-up of its name.

use std::net::{SocketAddr, ToSocketAddrs as _};

use url::{Host, Position, Url};

use super::head::is_value;

/// A front: scheme, host, port, and the path that its routes stand below.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whether the connection is TLS.
    pub https: bool,
    /// The host as a certificate names it.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What the `Host` header says: the host, with the port where it is not the scheme's own.
    pub authority: String,
    /// The path before each route, without a slash at its end.
    base: String,
}

impl Target {
    /// Reads an address such as `https://example.org/archive/`.
    ///
    /// # Errors
    /// One sentence that says what was expected. It does not repeat the address, which may
    /// hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected the address of a front, such as http://127.0.0.1:8080/";
        let url = Url::parse(text).map_err(|error| format!("{EXPECTED}: {error}"))?;
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(format!("{EXPECTED}, found the scheme '{other}'")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("{EXPECTED}, without a user or password in it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("{EXPECTED}, without '?' and '#'"));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(EXPECTED.to_owned());
        };
        let host = match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Ok(Self {
            https,
            host,
            port,
            authority: url[Position::BeforeHost..Position::AfterPort].to_owned(),
            base: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// What is asked for, for a route.
    #[must_use]
    pub fn path(&self, route: &str) -> String {
        format!("{}{route}", self.base)
    }

    /// Whether `location`, as a redirect names it, is where this front has `route`.
    #[must_use]
    pub fn is_at(&self, location: &str, route: &str) -> bool {
        let path = self.path(route);
        let is_whole = |scheme| location == format!("{scheme}://{}{path}", self.authority);
        location == path || ["http", "https"].into_iter().any(is_whole)
    }

    /// Looks the name up. This blocks for as long as the system takes.
    ///
    /// # Errors
    /// What the system says.
    pub fn resolve(&self) -> Result<Vec<SocketAddr>, String> {
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let addresses: Vec<SocketAddr> = found.map_err(|error| error.to_string())?.collect();
        if addresses.is_empty() {
            return Err("the name has no address".to_owned());
        }
        Ok(addresses)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}/", self.authority, self.base)
    }
}

/// `NAME=VALUE`, as a Cookie header may carry it.
///
/// # Errors
/// One sentence that says what was expected; the value, which may be a secret, is not repeated.
pub fn cookie(text: &str) -> Result<String, String> {
    let is_name = |name: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !name.is_empty() && name.bytes().all(fits)
    };
    let is_cookie = text.split_once('=').is_some_and(|(name, value)| {
        is_name(name) && is_value(value) && !value.contains([';', ',', '"', '\\', ' '])
    });
    if is_cookie {
        Ok(text.to_owned())
    } else {
        Err("expected a cookie as NAME=VALUE, without spaces and ';'".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, cookie};

    #[test]
    fn an_address_may_have_a_path_that_routes_stand_below() {
        let target = Target::parse("https://Example.org/archive/").unwrap();
        assert_eq!((target.https, target.port), (true, 443));
        assert_eq!(target.authority, "example.org");
        assert_eq!(target.path("/a/b/"), "/archive/a/b/");
        assert_eq!(target.to_string(), "https://example.org/archive/");
        for (location, is_at) in [
            ("/archive/a/", true),
            ("https://example.org/archive/a/", true),
            ("http://example.org/archive/a/", true),
            ("/a/", false),
            ("/archive/a", false),
            ("//example.org/archive/a/", false),
            ("https://evil.example/archive/a/", false),
            ("", false),
        ] {
            assert_eq!(target.is_at(location, "/a/"), is_at, "{location}");
        }
        let bare = Target::parse("http://[::1]:8080").unwrap();
        assert_eq!(
            (bare.host.as_str(), bare.authority.as_str()),
            ("::1", "[::1]:8080")
        );
        assert_eq!(bare.path("/"), "/");
    }

    #[test]
    fn what_is_no_address_of_a_front_is_refused_without_its_password() {
        for text in [
            "",
            "127.0.0.1:8080",
            "ftp://h/",
            "http://",
            "http://h/?a=b",
            "http://h/#a",
            "http://user:secret@h/",
            "http://user@h/",
            "/a/b/",
            "http://h:99999/",
        ] {
            let error = Target::parse(text).unwrap_err();
            assert!(
                error.starts_with("expected the address of a front"),
                "{text}: {error}"
            );
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_cookie_is_a_name_and_a_value_and_cannot_add_a_header() {
        assert_eq!(cookie("sessionid=1").unwrap(), "sessionid=1");
        for text in ["", "a", "=1", "a=1; b=2", "a=1\r\nHost: x", "a b=1"] {
            assert!(cookie(text).is_err(), "{text}");
        }
    }
}
