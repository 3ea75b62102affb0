//! Which caches are purged after a run, and how each of them is asked.

use std::fmt;
use std::time::Duration;

/// Surrogate keys of one call at most (Fastly, "Purge multiple surrogate key tags").
pub const FASTLY_BATCH: usize = 256;

/// A cache or CDN that is purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeTarget {
    /// What it is.
    pub service: Service,
    /// Base URL of the cache or of the API; of [`Service::Http`] the pattern of the URL.
    pub url: String,
    /// Further headers, which may have `${NAME}` for variables of the environment.
    pub headers: Vec<(String, String)>,
    /// URLs or keys of one request, at most.
    pub batch: usize,
    /// Requests a second, at most.
    pub rate: u32,
    /// How long one answer may take.
    pub timeout: Duration,
    /// How often a request is repeated that failed.
    pub retries: u32,
    /// With more changed URLs than this, they are not purged one by one.
    pub max_urls: u64,
    /// Whether everything is purged then.
    pub everything: bool,
}

/// The kinds of caches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Varnish: `PURGE` of an URL, and `BAN` for everything.
    Varnish,
    /// nginx with the module `cache_purge`: `PURGE` of an URL.
    Nginx,
    /// The API of Fastly.
    Fastly {
        /// The id of the service; needed for surrogate keys, and to purge everything.
        service: String,
        /// By surrogate keys and not by URLs.
        by_keys: bool,
        /// Marks as stale what it purges.
        soft: bool,
        /// The variable of the environment that holds the token.
        token_env: String,
    },
    /// The API of Cloudflare.
    Cloudflare {
        /// The id of the zone.
        zone: String,
        /// The variable of the environment that holds the token.
        token_env: String,
    },
    /// Any other API.
    Http {
        /// `POST`, `DELETE` …
        method: String,
        /// The pattern of the body; empty: none.
        body: String,
        /// The request that purges everything: method, pattern of the URL, pattern of the body.
        everything: Option<(String, String, String)>,
    },
}

impl PurgeTarget {
    /// Whether it is asked by what objects are called and not by their URLs.
    #[must_use]
    pub fn by_keys(&self) -> bool {
        matches!(self.service, Service::Fastly { by_keys: true, .. })
    }
}

impl fmt::Display for PurgeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match &self.service {
            Service::Varnish => write!(f, "varnish {url}"),
            Service::Nginx => write!(f, "nginx {url}"),
            Service::Fastly { service, .. } if service.is_empty() => f.write_str("fastly"),
            Service::Fastly { service, .. } => write!(f, "fastly service {service}"),
            Service::Cloudflare { zone, .. } => write!(f, "cloudflare zone {zone}"),
            Service::Http { method, .. } => write!(f, "http {method} {url}"),
        }
    }
}

/// What is done after a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct After {
    /// The caches that are purged.
    pub purge: Vec<PurgeTarget>,
    /// The program, with its arguments, that gets the run as JSON lines on stdin; empty: none.
    pub command: Vec<String>,
    /// How long that may take.
    pub timeout: Duration,
}

impl After {
    /// Whether anything is done.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.purge.is_empty() || !self.command.is_empty()
    }

    /// Whether a request has the value of this variable of the environment in it.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        let named = format!("${{{variable}}}");
        self.purge.iter().any(|target| {
            let (token, texts) = match &target.service {
                Service::Varnish | Service::Nginx => (None, Vec::new()),
                Service::Fastly { token_env, .. } | Service::Cloudflare { token_env, .. } => {
                    (Some(token_env), Vec::new())
                }
                Service::Http {
                    body, everything, ..
                } => {
                    let other = everything.iter().flat_map(|(_, url, body)| [url, body]);
                    (None, std::iter::once(body).chain(other).collect())
                }
            };
            let headers = target.headers.iter().map(|(_, value)| value);
            let mut texts = headers.chain(texts).chain([&target.url]);
            token.is_some_and(|token| token == variable) || texts.any(|text| text.contains(&named))
        })
    }
}

/// The base URL of a site, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// `https://example.org/archive`, without a slash at its end.
    base: String,
    scheme: usize,
    host_end: usize,
}

impl Site {
    /// Of the URL `base`, which has a scheme.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        let scheme = base.find("://").map_or(0, |at| at + 3);
        let host_end = base[scheme..]
            .find('/')
            .map_or(base.len(), |at| scheme + at);
        Self {
            base,
            scheme,
            host_end,
        }
    }

    /// Host, and port if it names one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.base[self.scheme..self.host_end]
    }

    /// The URL of an object at `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The path of that URL.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", &self.base[self.host_end..])
    }

    /// The URL without its scheme.
    #[must_use]
    pub fn without_scheme(&self, path: &str) -> String {
        format!("{}{path}", &self.base[self.scheme..])
    }
}

#[cfg(test)]
mod tests {
    use super::Site;

    #[test]
    fn an_url_is_taken_apart() {
        let site = Site::new("https://example.org:8443/archive/");
        assert_eq!(site.host(), "example.org:8443");
        assert_eq!(site.url("/a/"), "https://example.org:8443/archive/a/");
        assert_eq!(site.path("/a/"), "/archive/a/");
        assert_eq!(site.without_scheme("/a/"), "example.org:8443/archive/a/");
        let site = Site::new("http://example.org");
        assert_eq!((site.host(), site.path("/").as_str()), ("example.org", "/"));
    }
}
