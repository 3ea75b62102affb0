//! Which kind of answer a request gets.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use tokio::task::JoinSet;

use super::Preview;
use super::cache::PageCache;
use super::file;
use super::headers::{self, CacheStatus};
use super::host::Hosts;
use super::index::{INDEX, Index};
use super::page::{Recheck, StoredPage};
use super::path::{self, RequestedPath};
use super::redirect;
use super::refusal::{self, brief, empty};
use super::site::Site;
use super::site_pages::RETRY_AFTER;
use crate::article::Route;
use crate::store::StoreError;
use crate::store::reading::Ask;

/// A page that the store was asked about so lately is served without asking.
const FRESH: Duration = Duration::from_secs(1);

/// The cache of pages holds at most so many bytes.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What the preview keeps from request to request.
struct App {
    site: Site,
    hosts: Hosts,
    pages: PageCache,
    index: Index,
}

/// Everything that is answered.
pub(super) fn router(preview: Preview, hosts: Hosts) -> Result<Router, StoreError> {
    let app = App {
        site: Site::new(preview)?,
        pages: PageCache::new(CACHE_BYTES),
        index: Index::default(),
        hosts,
    };
    Ok(Router::new().fallback(guarded).with_state(Arc::new(app)))
}

/// Answers; a panic costs this one request. If the visitor leaves, so does the work.
async fn guarded(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    // The body is let go unread.
    let (parts, _) = request.into_parts();
    let kept = Arc::clone(&app);
    let answer = async move { app.answer(&parts).await };
    match survived(answer).await {
        Some(response) => response,
        None => refusal::failed(&kept.site),
    }
}

/// What comes of `work`; none if it panicked. Dropped, it takes the work with it.
async fn survived<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let mut one = JoinSet::new();
    one.spawn(work);
    one.join_next().await?.ok()
}

impl App {
    async fn answer(&self, request: &Parts) -> Response<Body> {
        let (uri, headers) = (&request.uri, &request.headers);
        if let Err(wrong) = self.hosts.check(request.version, uri, headers) {
            return refusal::not_ours(&self.site, &wrong);
        }
        if request.method != Method::GET && request.method != Method::HEAD {
            return refusal::not_allowed(&self.site);
        }
        let path = uri.path();
        if path.len() > path::MAX_BYTES {
            return refusal::too_long(&self.site);
        }
        match path {
            // Browsers ask for it by themselves, and would report that it is missing.
            "/favicon.ico" => return empty(StatusCode::NO_CONTENT),
            "/healthz" => return self.health().await,
            INDEX => return self.index(uri, headers).await,
            "/_anp" => return refusal::redirect(INDEX),
            _ => {}
        }
        let asked = path::asked(path);
        let found = match &asked {
            RequestedPath::Route(route) => self.route(route, uri, headers).await,
            RequestedPath::Unslashed(route) => self.unslashed(route, uri, headers).await,
            RequestedPath::File(file) => file::answer(&self.site, file, headers).await,
            RequestedPath::Nothing => Ok(None),
        };
        match found {
            Ok(Some(response)) => response,
            Ok(None) => refusal::not_found(&self.site, path, &asked, headers),
            Err(error) => refusal::away(&self.site, &error, headers),
        }
    }

    /// The page of `route`, or where the store leads from there; the index at `/` if there is neither.
    async fn route(
        &self,
        route: &Route,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Option<Response<Body>>, StoreError> {
        if let Some(page) = self.page(route, headers).await? {
            return Ok(Some(page));
        }
        let redirect = redirect::answer(&self.site, route, uri.query(), headers).await?;
        if redirect.is_none() && route.is_root() {
            return Ok(Some(self.index(uri, headers).await));
        }
        Ok(redirect)
    }

    /// From `route` without its last slash to its page, or at once to where the store leads from there.
    async fn unslashed(
        &self,
        route: &Route,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Option<Response<Body>>, StoreError> {
        if StoredPage::is_there(&self.site.store, &self.site.keys, route).await? {
            return Ok(Some(refusal::redirect(route.as_str())));
        }
        redirect::answer(&self.site, route, uri.query(), headers).await
    }

    /// The page of `route`, from the cache if the store still has it so.
    async fn page(
        &self,
        route: &Route,
        headers: &HeaderMap,
    ) -> Result<Option<Response<Body>>, StoreError> {
        let caching = self.site.caching(route.as_str());
        let answer = |taken: &StoredPage, from| headers::answer(taken, from, caching, headers);
        if self.site.login.is_of(headers) {
            let taken = StoredPage::fetch(&self.site.store, &self.site.keys, route).await?;
            return Ok(taken.map(|taken| answer(&taken, CacheStatus::Bypass)));
        }
        let hit = |taken: &StoredPage| Some(answer(taken, CacheStatus::Hit));
        if let Some(held) = self.pages.get(route) {
            // A cache that was just purged asks at once, and keeps for long what it gets.
            if held.unchecked_for() < FRESH && !caching.policy.is_set() {
                return Ok(hit(&held));
            }
            match held.check(&self.site.store, &self.site.keys, route).await? {
                Recheck::Same(taken) => {
                    let response = hit(&taken);
                    self.pages.renew(route, taken);
                    return Ok(response);
                }
                Recheck::Gone => {
                    self.pages.remove(route);
                    return Ok(None);
                }
                Recheck::Other => self.pages.remove(route),
            }
        }
        let taken = StoredPage::fetch(&self.site.store, &self.site.keys, route).await?;
        Ok(taken.map(|taken| {
            let response = answer(&taken, CacheStatus::Miss);
            self.pages.put(route, taken);
            response
        }))
    }

    async fn index(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        match self
            .index
            .answer(&self.site, uri.query().unwrap_or(""))
            .await
        {
            Ok(response) => response,
            Err(error) => refusal::away(&self.site, &error, headers),
        }
    }

    async fn health(&self) -> Response<Body> {
        let (status, text) = match self.site.store.ask(&[Ask::Ping], "asking the store").await {
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
