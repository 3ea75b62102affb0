//! Which kind of answer a request gets.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use tokio::task::JoinSet;

use super::cache::Cache as Pages;
use super::headers::Cache;
use super::host::Hosts;
use super::index::Index;
use super::login::Login;
use super::own::{Own, RETRY_AFTER};
use super::page::{Now, Taken};
use super::path::Asked;
use super::refusal::{brief, empty, redirect};
use super::{Preview, STORE_TIMEOUT, headers, path};
use crate::article::Route;
use crate::publish::keys::Keys;
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
    hosts: Hosts,
    login: Login,
    pages: Pages,
    index: Index,
}

/// Everything that is answered.
pub(super) fn router(preview: Preview, hosts: Hosts) -> Result<Router, StoreError> {
    let broken = |error: minijinja::Error| {
        let detail = error.to_string();
        StoreError::new(crate::store::Class::Stop, "compiling the templates", detail)
    };
    let site = Site {
        store: Reading::new(&preview.connector, STORE_TIMEOUT),
        keys: Keys::new(&preview.prefix),
        own: Own::new().map_err(broken)?,
        login: Login::new(&preview.login_cookies),
        pages: Pages::new(CACHE_BYTES),
        index: Index::default(),
        hosts,
        preview,
    };
    Ok(Router::new().fallback(guarded).with_state(Arc::new(site)))
}

/// Answers; a panic costs this one request. If the visitor leaves, so does the work.
async fn guarded(State(site): State<Arc<Site>>, request: Request) -> Response<Body> {
    // The body is let go unread.
    let (parts, _) = request.into_parts();
    let own = Arc::clone(&site);
    let answer = async move { site.answer(&parts).await };
    match survived(answer).await {
        Some(response) => response,
        None => own.failed(),
    }
}

/// What comes of `work`; none if it panicked. Dropped, it takes the work with it.
async fn survived<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let mut one = JoinSet::new();
    one.spawn(work);
    one.join_next().await?.ok()
}

impl Site {
    async fn answer(&self, request: &Parts) -> Response<Body> {
        let (uri, headers) = (&request.uri, &request.headers);
        if let Err(wrong) = self.hosts.check(request.version, uri, headers) {
            return self.not_ours(&wrong);
        }
        if request.method != Method::GET && request.method != Method::HEAD {
            return self.not_allowed();
        }
        let path = uri.path();
        if path.len() > path::MAX_BYTES {
            return self.too_long();
        }
        match path {
            // Browsers ask for it by themselves, and would report that it is missing.
            "/favicon.ico" => return empty(StatusCode::NO_CONTENT),
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
            Asked::Unslashed(route) => {
                match Taken::is_there(&self.store, &self.keys, &route).await {
                    Ok(true) => redirect(route.as_str()),
                    Ok(false) => self.not_found(path, Some(&route), headers),
                    Err(error) => self.away(&error, headers),
                }
            }
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
            Err(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{}\n", brief(&error)),
            ),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, RETRY_AFTER);
        }
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
    pub(super) fn uncached(&self, headers: &HeaderMap) -> Cache {
        if self.login.is_of(headers) {
            Cache::Bypass
        } else {
            Cache::Miss
        }
    }
}

#[cfg(test)]
mod tests {
    use super::survived;

    #[test]
    fn a_panic_ends_its_own_work_alone() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            assert_eq!(survived(async { 1 }).await, Some(1));
            let fails: Option<i32> = survived(async { panic!("meant to") }).await;
            assert_eq!(fails, None);
        });
    }
}
