//! The answer that carries a page: its headers, whole or not modified.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::conditional::Precondition;
use super::page::StoredPage;
use super::{bar, policy};

/// Where an answer came from.
pub(super) const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// Where the list of articles is.
const LIST_LINK: HeaderValue = HeaderValue::from_static("</_anp/>; rel=\"index\"");

/// Where a page came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CacheStatus {
    /// From the cache of pages, as the store has it.
    Hit,
    /// From the store.
    Miss,
    /// From the store, past the cache: the visitor is logged in.
    Bypass,
}

impl CacheStatus {
    /// The value of `X-Cache`.
    pub(super) fn value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Hit => "HIT",
            Self::Miss => "MISS",
            Self::Bypass => "BYPASS",
        })
    }
}

/// The page for whoever asked with the headers `request`.
pub(super) fn answer(
    taken: &StoredPage,
    cache: CacheStatus,
    request: &HeaderMap,
) -> Response<Body> {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Cookie, Sec-Fetch-Dest"),
    );
    headers.insert(header::LINK, LIST_LINK);
    headers.insert(X_CACHE, cache.value());
    let barred = bar::is_for(request).then(|| bar::with_bar(&taken.body()));
    let barred = barred.flatten();
    // Other bytes are another entity.
    let mark = barred.as_ref().map_or("", |_| "-bar");
    let tag = taken.tag().map(|tag| tag + mark);
    let precondition = Precondition::of(request, tag.as_deref(), taken.meta.written_at);
    if precondition == Precondition::Failed {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return bodiless(StatusCode::PRECONDITION_FAILED, headers);
    }
    if cache == CacheStatus::Bypass {
        let value = HeaderValue::from_static("private, no-store");
        headers.insert(header::CACHE_CONTROL, value);
        return whole(taken, barred, headers);
    }
    let max_age = format!("public, max-age={}", taken.max_age());
    let last_modified = taken.meta.written_at.map(httpdate::fmt_http_date);
    let texts = [
        (header::CACHE_CONTROL, Some(max_age)),
        (header::AGE, Some(taken.age().as_secs().to_string())),
        (header::ETAG, tag.as_ref().map(|tag| format!("\"{tag}\""))),
        (header::LAST_MODIFIED, last_modified),
    ];
    for (name, text) in texts {
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }
    if precondition == Precondition::NotModified {
        return bodiless(StatusCode::NOT_MODIFIED, headers);
    }
    whole(taken, barred, headers)
}

fn bodiless(status: StatusCode, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The page, or the bytes `barred` in its place.
fn whole(taken: &StoredPage, barred: Option<Vec<u8>>, mut headers: HeaderMap) -> Response<Body> {
    if taken.meta.is_noindex {
        headers.insert(X_ROBOTS_TAG, HeaderValue::from_static("noindex"));
    }
    let (body, policy) = match barred {
        Some(page) => (page.into(), policy::of_page_with_bar(&taken.body())),
        None => (taken.body(), taken.policy()),
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    html(&mut headers);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let mut response = Response::new(Body::from(body));
    *response.headers_mut() = headers;
    response
}

/// What every HTML answer says of itself.
pub(super) fn html(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
