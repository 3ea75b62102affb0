//! Which kind of answer a request gets.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use tokio::task::JoinSet;

use super::cache::Cache as Pages;
use super::headers::{self, Cache};
use super::index::Index;
use super::login::Login;
use super::own::{Message, Own};
use super::page::{Now, Taken};
use super::path::{self, Asked};
use super::{Preview, STORE_TIMEOUT};
use crate::article::Route;
use crate::publish::plan::Keys;
use crate::store::StoreError;
use crate::store::reading::{Ask, Reading};

/// A page that the store was asked about so lately is served without asking.
const FRESH: Duration = Duration::from_secs(1);

/// The cache of pages holds at most so many bytes.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Where the list of articles always is.
pub(super) const INDEX: &str = "/_anp/";

pub(super) struct Site {
    pub(super) store: Reading,
    pub(super) keys: Keys,
    pub(super) own: Own,
    pub(super) preview: Preview,
    login: Login,
    pages: Pages,
    index: Index,
}

/// Everything that is answered.
pub(super) fn router(preview: Preview) -> Result<Router, StoreError> {
    let broken = |error: minijinja::Error| {
        let detail = error.to_string();
        StoreError::new(crate::store::Class::Stop, "compiling the templates", detail)
    };
    let site = Site {
        store: Reading::new(&preview.connector, STORE_TIMEOUT)?,
        keys: Keys::new(&preview.prefix),
        own: Own::new().map_err(broken)?,
        login: Login::new(&preview.login_cookies),
        pages: Pages::new(CACHE_BYTES),
        index: Index::default(),
        preview,
    };
    Ok(Router::new().fallback(guarded).with_state(Arc::new(site)))
}

/// Answers; a panic costs this one request. If the visitor leaves, so does the work.
async fn guarded(State(site): State<Arc<Site>>, request: Request) -> Response<Body> {
    // The body is let go unread.
    let (parts, _) = request.into_parts();
    let mut work = JoinSet::new();
    let own = Arc::clone(&site);
    work.spawn(async move { site.answer(&parts.method, &parts.uri, &parts.headers).await });
    match work.join_next().await {
        Some(Ok(response)) => response,
        _ => own.own.message(
            &Message {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                title: "That went wrong here",
                what: "The preview failed at this request; other requests go on.",
                help: "What it said about it is on its stderr.",
                command: "",
            },
            Cache::Miss,
        ),
    }
}

impl Site {
    async fn answer(
        &self,
        method: &Method,
        uri: &axum::http::Uri,
        headers: &HeaderMap,
    ) -> Response<Body> {
        if method != Method::GET && method != Method::HEAD {
            return self.not_allowed();
        }
        let path = uri.path();
        if path.len() > path::MAX_BYTES {
            return self.too_long();
        }
        match path {
            "/healthz" => return self.health().await,
            INDEX => return self.index(uri, headers).await,
            "/_anp" => return redirect(INDEX),
            _ => {}
        }
        match path::asked(path) {
            Asked::Route(route) => match self.page(&route, headers).await {
                Ok(Some(response)) => response,
                Ok(None) if route.is_root() => self.index(uri, headers).await,
                Ok(None) => self.not_found(path, Some(&route), headers),
                Err(error) => self.away(&error, headers),
            },
            Asked::Unslashed(route) => redirect(route.as_str()),
            Asked::Nothing => self.not_found(path, None, headers),
        }
    }

    /// The page of `route`, from the cache if the store still has it so.
    async fn page(
        &self,
        route: &Route,
        headers: &HeaderMap,
    ) -> Result<Option<Response<Body>>, StoreError> {
        if self.login.is_of(headers) {
            let taken = Taken::fetch(&self.store, &self.keys, route).await?;
            return Ok(taken.map(|taken| headers::answer(&taken, Cache::Bypass, headers)));
        }
        let hit = |taken: &Taken| Some(headers::answer(taken, Cache::Hit, headers));
        if let Some(held) = self.pages.get(route) {
            if held.unchecked_for() < FRESH {
                return Ok(hit(&held));
            }
            match held.check(&self.store, &self.keys, route).await? {
                Now::Same(taken) => {
                    let response = hit(&taken);
                    self.pages.renew(route, taken);
                    return Ok(response);
                }
                Now::Gone => {
                    self.pages.remove(route);
                    return Ok(None);
                }
                Now::Other => self.pages.remove(route),
            }
        }
        let taken = Taken::fetch(&self.store, &self.keys, route).await?;
        Ok(taken.map(|taken| {
            let response = headers::answer(&taken, Cache::Miss, headers);
            self.pages.put(route, taken);
            response
        }))
    }

    async fn index(&self, uri: &axum::http::Uri, headers: &HeaderMap) -> Response<Body> {
        match self.index.answer(self, uri.query().unwrap_or("")).await {
            Ok(response) => response,
            Err(error) => self.away(&error, headers),
        }
    }

    async fn health(&self) -> Response<Body> {
        let (status, text) = match self.store.ask(&[Ask::Ping], "asking the store").await {
            Ok(_) => (StatusCode::OK, "ok\n".to_owned()),
            Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        for (name, value) in [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            let headers = response.headers_mut();
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// Where an answer without a page comes from: never from the cache.
    fn uncached(&self, headers: &HeaderMap) -> Cache {
        if self.login.is_of(headers) {
            Cache::Bypass
        } else {
            Cache::Miss
        }
    }

    fn not_found(&self, path: &str, route: Option<&Route>, headers: &HeaderMap) -> Response<Body> {
        let shown = path::shown(path);
        let prefix = &self.preview.prefix;
        let what = match route {
            Some(route) => {
                format!("The store holds no page at {route} (key {prefix}:page:{route}).")
            }
            None => format!("{shown} is no route of an article: those consist of a-z 0-9 - and /."),
        };
        let command = route.map_or(String::new(), |route| format!("anp show {route}"));
        let help = if route.is_some() {
            "It was never published, was removed, or has expired. To look:"
        } else {
            "Routes look like /redis-caching/ttl-jitter/."
        };
        self.own.message(
            &Message {
                status: StatusCode::NOT_FOUND,
                title: "No such page",
                what: &what,
                help,
                command: &command,
            },
            self.uncached(headers),
        )
    }

    fn away(&self, error: &StoreError, headers: &HeaderMap) -> Response<Body> {
        self.own.message(
            &Message {
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "The store does not answer",
                what: &error.to_string(),
                help: "The preview asks it again with the next request; nothing has to be restarted here.",
                command: "",
            },
            self.uncached(headers),
        )
    }

    fn not_allowed(&self) -> Response<Body> {
        let mut response = self.own.message(
            &Message {
                status: StatusCode::METHOD_NOT_ALLOWED,
                title: "Read-only",
                what: "The preview answers GET and HEAD, and writes nothing.",
                help: "To publish:",
                command: "anp import content/",
            },
            Cache::Miss,
        );
        let headers = response.headers_mut();
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        response
    }

    fn too_long(&self) -> Response<Body> {
        let what = format!("A path may have at most {} bytes.", path::MAX_BYTES);
        self.own.message(
            &Message {
                status: StatusCode::URI_TOO_LONG,
                title: "That path is too long",
                what: &what,
                help: "",
                command: "",
            },
            Cache::Miss,
        )
    }
}

/// To the one URL of a page. Not to be remembered: another program may listen here next.
fn redirect(to: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    // A route is ASCII without control characters.
    if let Ok(to) = HeaderValue::from_str(to) {
        headers.insert(header::LOCATION, to);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
