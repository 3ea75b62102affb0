//! The answer that carries a page or a file: its headers, whole or not modified.

use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::coding::{SentBody, StoredBody};
use super::conditional::Precondition;
use super::page::StoredPage;
use super::{bar, policy};
use crate::edge::CachePolicy;

/// Where an answer came from.
pub(super) const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
const NOINDEX: HeaderValue = HeaderValue::from_static("noindex");
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");

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

/// What caches and conditional requests are told of what an answer carries.
pub(super) struct Carried {
    /// Its entity tag, without quotes.
    pub(super) tag: Option<String>,
    /// Whether that is a weak one, of what is sent in two forms.
    pub(super) is_weak: bool,
    /// When it was written, if that is known.
    pub(super) written_at: Option<SystemTime>,
    /// How long it had to live when it was taken from the store, in seconds.
    pub(super) max_age: i64,
    /// How long ago that was.
    pub(super) age: Duration,
}

/// What shared caches are told of the object at `path`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caching<'a> {
    pub(super) policy: CachePolicy,
    pub(super) path: &'a str,
}

/// Whole seconds of a time to live in ms; 0 for what does not expire.
pub(super) fn seconds(left_ms: i64) -> i64 {
    left_ms.max(0) / 1000
}

/// The page as the answer to a request with the headers `request`.
pub(super) fn answer(
    taken: &StoredPage,
    cache: CacheStatus,
    caching: Caching<'_>,
    request: &HeaderMap,
) -> Response<Body> {
    let body = taken.body();
    let mut headers = HeaderMap::new();
    vary(&mut headers, body, "Cookie, Sec-Fetch-Dest");
    headers.insert(header::LINK, LIST_LINK);
    let barred = bar::is_for(request).then(|| bar::with_bar(&body.plain()));
    let barred = barred.flatten();
    // Other bytes are another entity.
    let mark = barred.as_ref().map_or("", |_| "-bar");
    let carried = Carried {
        tag: taken.tag().map(|tag| tag + mark),
        is_weak: body.is_gzip(),
        written_at: taken.meta.written_at,
        max_age: taken.max_age(),
        age: taken.age(),
    };
    if let Some(status) = judge(&carried, cache, caching, request, &mut headers) {
        return bodiless(status, headers);
    }
    if taken.meta.is_noindex {
        headers.insert(X_ROBOTS_TAG, NOINDEX);
    }
    let (body, policy) = match barred {
        Some(page) => (page.into(), policy::of_page_with_bar(&body.plain())),
        None => (coded(&mut headers, body.sent(request)), taken.policy()),
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    html(&mut headers);
    whole(body, headers)
}

/// The file `body` as the answer to a request with the headers `request`.
pub(super) fn file(
    carried: &Carried,
    cache: CacheStatus,
    caching: Caching<'_>,
    request: &HeaderMap,
    (body, content_type, is_noindex): (&StoredBody, Option<HeaderValue>, bool),
) -> Response<Body> {
    let mut headers = HeaderMap::new();
    vary(&mut headers, body, "Cookie");
    if let Some(status) = judge(carried, cache, caching, request, &mut headers) {
        return bodiless(status, headers);
    }
    if is_noindex {
        headers.insert(X_ROBOTS_TAG, NOINDEX);
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, policy::of_file());
    html(&mut headers);
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    let body = coded(&mut headers, body.sent(request));
    whole(body, headers)
}

/// Says which headers of a request decide the answer: of a body in gzip, also what codings it takes.
fn vary(headers: &mut HeaderMap, body: &StoredBody, others: &'static str) {
    headers.insert(header::VARY, HeaderValue::from_static(others));
    if body.is_gzip() {
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

/// The bytes that are sent, with their coding in the headers.
fn coded(headers: &mut HeaderMap, sent: SentBody) -> Bytes {
    if sent.is_gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    sent.bytes
}

/// Sets what caches are told; the status of an answer without a body, if the preconditions of `request`
/// ask for one.
fn judge(
    carried: &Carried,
    cache: CacheStatus,
    caching: Caching<'_>,
    request: &HeaderMap,
    headers: &mut HeaderMap,
) -> Option<StatusCode> {
    let tag = carried.tag.as_deref();
    let precondition = Precondition::of(request, (tag, carried.is_weak), carried.written_at);
    if precondition == Precondition::Failed {
        headers.insert(X_CACHE, cache.value());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    let mut age = carried.age.as_secs();
    let mut left = carried.max_age;
    if caching.policy.is_set() {
        // The store was asked a moment ago. With the age of our copy, browsers would ask each time.
        left = left.saturating_sub_unsigned(age);
        age = 0;
    }
    lasting(headers, cache, caching, left);
    if cache == CacheStatus::Bypass {
        return None;
    }
    let texts = [
        (header::AGE, Some(age.to_string())),
        (
            header::ETAG,
            carried.tag.as_ref().map(|tag| {
                let weak = if carried.is_weak { "W/" } else { "" };
                format!("{weak}\"{tag}\"")
            }),
        ),
        (
            header::LAST_MODIFIED,
            carried.written_at.map(httpdate::fmt_http_date),
        ),
    ];
    for (name, text) in texts {
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }
    (precondition == Precondition::NotModified).then_some(StatusCode::NOT_MODIFIED)
}

/// Where the answer came from, and for how long caches may keep it: not at all if it is for a visitor who
/// is logged in. `left` are the seconds that the object has to live.
pub(super) fn lasting(
    headers: &mut HeaderMap,
    cache: CacheStatus,
    caching: Caching<'_>,
    left: i64,
) {
    headers.insert(X_CACHE, cache.value());
    if cache == CacheStatus::Bypass {
        let private = HeaderValue::from_static("private, no-store");
        headers.insert(header::CACHE_CONTROL, private);
        return;
    }
    let left = u64::try_from(left).unwrap_or(0);
    let key = caching.policy.surrogate_keys.then_some(caching.path);
    let texts = [
        (
            header::CACHE_CONTROL,
            Some(caching.policy.cache_control(left)),
        ),
        (SURROGATE_KEY, key.map(str::to_owned)),
    ];
    for (name, text) in texts {
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }
}

fn bodiless(status: StatusCode, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn whole(body: Bytes, mut headers: HeaderMap) -> Response<Body> {
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
