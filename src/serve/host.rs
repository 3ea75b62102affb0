//! `Host`: whom a request is meant for (RFC 9110, 7.2).

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, Version, header};

/// Under which names the preview answers.
#[derive(Clone, Debug)]
pub(super) enum Hosts {
    /// Under any: others can reach it, by names that it does not know.
    Any,
    /// Under addresses and those names that always mean this machine, and this one. Any page
    /// of the web can have a name of its own lead here, and its script would read what is
    /// served (DNS rebinding).
    Own(String),
}

/// What is wrong with the host of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// There is none, or several, or it is none.
    NoHost,
    /// It is not the preview's.
    Other,
}

impl Hosts {
    /// Of a preview that was told to listen on `asked`, HOST:PORT, and does on `address`.
    pub(super) fn of(asked: &str, address: SocketAddr) -> Self {
        if address.ip().is_loopback() {
            let name = asked.rsplit_once(':').map_or(asked, |(name, _)| name);
            Self::Own(name.to_ascii_lowercase())
        } else {
            Self::Any
        }
    }

    /// Judges a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn check(
        &self,
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Wrong> {
        let mut lines = headers.get_all(header::HOST).iter();
        let named = match (lines.next(), lines.next()) {
            (None, _) if version < Version::HTTP_11 => return Ok(()),
            (Some(line), None) => line.to_str().ok(),
            _ => None,
        };
        let named = named.and_then(|named| named.parse::<Authority>().ok());
        let named = named.filter(|named| !named.as_str().contains('@'));
        let named = named.ok_or(Wrong::NoHost)?;
        // A whole URL in the request line counts more.
        let host = uri.host().unwrap_or(named.host());
        if self.has(host) {
            Ok(())
        } else {
            Err(Wrong::Other)
        }
    }

    fn has(&self, host: &str) -> bool {
        let Self::Own(own) = self else {
            return true;
        };
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == own
            || host == "localhost"
            || host.ends_with(".localhost")
            || address.parse::<IpAddr>().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, Uri, Version, header};

    use super::{Hosts, Wrong};

    fn check(hosts: &Hosts, version: Version, uri: &str, lines: &[&str]) -> Result<(), Wrong> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::HOST, HeaderValue::from_str(line).unwrap());
        }
        hosts.check(version, &Uri::try_from(uri).unwrap(), &headers)
    }

    fn own(asked: &str) -> Hosts {
        Hosts::of(asked, "127.0.0.1:8080".parse().unwrap())
    }

    #[test]
    fn on_loopback_names_that_are_always_this_machine_and_addresses_are_its_own() {
        let hosts = own("Preview.test:8080");
        for yes in [
            "localhost",
            "LOCALHOST:1",
            "localhost.",
            "a.localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "10.0.0.5",
            "preview.test:9",
        ] {
            assert_eq!(
                check(&hosts, Version::HTTP_11, "/", &[yes]),
                Ok(()),
                "{yes}"
            );
        }
        for no in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "notlocalhost",
        ] {
            let wrong = check(&hosts, Version::HTTP_11, "/", &[no]);
            assert_eq!(wrong, Err(Wrong::Other), "{no}");
        }
        let everywhere = Hosts::of("0.0.0.0:80", "0.0.0.0:80".parse().unwrap());
        let far = check(&everywhere, Version::HTTP_11, "/", &["evil.example"]);
        assert_eq!(far, Ok(()));
    }

    #[test]
    fn a_request_of_http_1_1_has_one_host() {
        let hosts = own("127.0.0.1:8080");
        let lines: [&[&str]; 5] = [
            &[],
            &["localhost", "localhost"],
            &[""],
            &["a b"],
            &["x@localhost"],
        ];
        for lines in lines {
            let wrong = check(&hosts, Version::HTTP_11, "/", lines);
            assert_eq!(wrong, Err(Wrong::NoHost), "{lines:?}");
        }
        assert_eq!(check(&hosts, Version::HTTP_10, "/", &[]), Ok(()));
        let whole = "http://evil.example/";
        let wrong = check(&hosts, Version::HTTP_11, whole, &["localhost"]);
        assert_eq!(wrong, Err(Wrong::Other));
    }
}
