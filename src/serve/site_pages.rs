//! Pages of our own: the list of articles, and what is said where there is no page.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use minijinja::{Environment, Value, context};

use super::headers::{CacheStatus, X_CACHE, html};
use super::policy;
use crate::render::{STYLE, own_pages};

/// What pages of our own add to the style of articles.
const OWN_STYLE: &str = include_str!("templates/serve.css");

/// When to ask again while the store is away, in seconds: it is asked with each request.
pub(super) const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

const TEMPLATES: [(&str, &str); 3] = [
    ("frame.html", include_str!("templates/frame.html")),
    ("index.html", include_str!("templates/index.html")),
    ("message.html", include_str!("templates/message.html")),
];

/// The templates, compiled, with the style that they share and its policy.
pub(super) struct SitePages {
    environment: Environment<'static>,
    policy: HeaderValue,
}

/// What is said instead of a page.
pub(super) struct Message<'m> {
    pub(super) status: StatusCode,
    pub(super) title: &'m str,
    /// What was asked for, or what failed.
    pub(super) what: &'m str,
    /// What can be done about it; a command in the second, if there is one.
    pub(super) help: &'m str,
    pub(super) command: &'m str,
}

impl SitePages {
    pub(super) fn new() -> Result<Self, minijinja::Error> {
        let style = format!("{STYLE}{OWN_STYLE}");
        Ok(Self {
            environment: own_pages(&TEMPLATES, &style)?,
            policy: policy::of_own(&style),
        })
    }

    /// A page that says something.
    pub(super) fn message(&self, message: &Message<'_>, cache: CacheStatus) -> Response<Body> {
        let mut response = self.page(
            "message.html",
            context! {
                title => message.title, what => message.what, help => message.help,
                command => message.command,
            },
        );
        *response.status_mut() = message.status;
        response.headers_mut().insert(X_CACHE, cache.value());
        if message.status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }

    /// The template `name` with these variables.
    pub(super) fn page(&self, name: &str, variables: Value) -> Response<Body> {
        let rendered = self.environment.get_template(name);
        let rendered = rendered.and_then(|template| template.render(variables));
        let (status, text) = match rendered {
            Ok(text) => (StatusCode::OK, text),
            // The templates are built in and tested with every variable they have.
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        };
        let length = text.len();
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        html(headers);
        if status != StatusCode::OK {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            );
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        response
    }
}
