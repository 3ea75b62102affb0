//! The requests that purge a batch of paths, and the one that purges everything.

use serde_json::json;

use super::target::{PurgeTarget, Service, Site};

/// A request before the variables of the environment are put in: it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `PURGE`, `POST` …
    pub method: String,
    /// Where it goes.
    pub url: String,
    /// The host that it names, if that is not the one of the URL.
    pub host: Option<String>,
    /// Further headers; their values may have `${NAME}`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
}

impl Request {
    /// What a dry run shows: no header but the host.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut shown = format!("{} {}", self.method, self.url);
        if let Some(host) = &self.host {
            shown = format!("{shown} (Host: {host})");
        }
        if let Some(body) = &self.body {
            shown = format!("{shown} {body}");
        }
        shown
    }
}

/// Makes the requests of one target for the objects of one site.
#[derive(Clone, Copy, Debug)]
pub struct Requests<'a> {
    /// Where they go.
    pub target: &'a PurgeTarget,
    /// Where the paths are.
    pub site: &'a Site,
}

impl Requests<'_> {
    /// The request that purges `paths`: at most [`PurgeTarget::batch`] of them, and at least one.
    #[must_use]
    pub fn of(&self, paths: &[String]) -> Request {
        let site = self.site;
        let first = paths.first().map_or("/", String::as_str);
        match &self.target.service {
            Service::Varnish | Service::Nginx => self.of_cache("PURGE", &site.path(first)),
            Service::Fastly {
                service,
                by_keys: true,
                ..
            } => self.of_api(
                &format!("/service/{service}/purge"),
                Some(json!({ "surrogate_keys": paths })),
            ),
            Service::Fastly { .. } => {
                self.of_api(&format!("/purge/{}", site.without_scheme(first)), None)
            }
            Service::Cloudflare { zone, .. } => {
                let urls: Vec<String> = paths.iter().map(|path| site.url(path)).collect();
                let body = json!({ "files": urls });
                self.of_api(&format!("/zones/{zone}/purge_cache"), Some(body))
            }
            Service::Http { method, body, .. } => {
                self.of_pattern((method, &self.target.url, body), paths)
            }
        }
    }

    /// The request that purges everything, if this kind knows one.
    #[must_use]
    pub fn everything(&self) -> Option<Request> {
        Some(match &self.target.service {
            Service::Varnish => self.of_cache("BAN", &self.site.path("/")),
            Service::Nginx => return None,
            Service::Fastly { service, .. } => {
                self.of_api(&format!("/service/{service}/purge_all"), None)
            }
            Service::Cloudflare { zone, .. } => {
                let body = json!({ "purge_everything": true });
                self.of_api(&format!("/zones/{zone}/purge_cache"), Some(body))
            }
            Service::Http { everything, .. } => {
                let (method, url, body) = everything.as_ref()?;
                self.of_pattern((method, url, body), &[])
            }
        })
    }

    /// To a cache that is asked for the path of the site itself.
    fn of_cache(&self, method: &str, path: &str) -> Request {
        Request {
            method: method.to_owned(),
            url: format!("{}{path}", self.target.url),
            host: Some(self.site.host().to_owned()),
            headers: self.target.headers.clone(),
            body: None,
        }
    }

    /// To an API that takes JSON.
    fn of_api(&self, path: &str, body: Option<serde_json::Value>) -> Request {
        let mut headers = self.target.headers.clone();
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        match &self.target.service {
            Service::Fastly {
                soft, token_env, ..
            } => {
                add("Fastly-Key", format!("${{{token_env}}}"));
                add("Accept", "application/json".to_owned());
                // There is no soft purge of everything.
                if *soft && !path.ends_with("/purge_all") {
                    add("Fastly-Soft-Purge", "1".to_owned());
                }
            }
            Service::Cloudflare { token_env, .. } => {
                add("Authorization", format!("Bearer ${{{token_env}}}"));
            }
            Service::Varnish | Service::Nginx | Service::Http { .. } => {}
        }
        if body.is_some() {
            add("Content-Type", "application/json".to_owned());
        }
        Request {
            method: "POST".to_owned(),
            url: format!("{}{path}", self.target.url),
            host: None,
            headers,
            body: body.map(|body| body.to_string()),
        }
    }

    fn of_pattern(&self, (method, url, body): (&str, &str, &str), paths: &[String]) -> Request {
        let site = self.site;
        let urls: Vec<String> = paths.iter().map(|path| site.url(path)).collect();
        let below: Vec<String> = paths.iter().map(|path| site.path(path)).collect();
        let first = |all: &[String]| all.first().cloned().unwrap_or_default();
        let values = [
            ("{urls}", json!(urls).to_string()),
            ("{paths}", json!(below).to_string()),
            ("{url}", first(&urls)),
            ("{path}", first(&below)),
            ("{host}", site.host().to_owned()),
        ];
        let fill = |pattern: &str| {
            let filled = values
                .iter()
                .fold(pattern.to_owned(), |text, (name, value)| {
                    text.replace(name, value)
                });
            Some(filled).filter(|text| !text.is_empty())
        };
        let body = fill(body);
        let mut headers = self.target.headers.clone();
        let named = |name: &str| {
            let mut known = self.target.headers.iter();
            known.any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if body.is_some() && !named("Content-Type") {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        Request {
            method: method.to_owned(),
            url: fill(url).unwrap_or_default(),
            host: None,
            headers,
            body,
        }
    }
}
