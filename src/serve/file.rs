//! One file as it is taken from the store. It is read at each request: the cache is for pages.

use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response};

use super::headers::{self, Carried};
use super::page::LARGEST_PAGE;
use super::site::Site;
use crate::archive::FilePath;
use crate::render::file_digest;
use crate::store::reading::Ask;
use crate::store::{Reply, StoreError};

/// The answer with the file at `path`; none where the store holds none. A value that is not a string, is
/// empty, or is larger than a page, is none.
pub(super) async fn answer(
    site: &Site,
    path: &FilePath,
    request: &HeaderMap,
) -> Result<Option<Response<Body>>, StoreError> {
    let key = site.keys.file(path);
    let asked_at = Instant::now();
    let questions = [Ask::Head(&key, LARGEST_PAGE + 1), Ask::Left(&key)];
    let replies = site.store.ask(&questions, "reading one file").await?;
    let Ok([Reply::Bulk(body), Reply::Int(left_ms)]) = <[Reply; 2]>::try_from(replies) else {
        return Ok(None);
    };
    if left_ms == -2 || !(1..=LARGEST_PAGE).contains(&body.len()) {
        return Ok(None);
    }
    let carried = Carried {
        tag: file_digest(&body).map(|digest| digest.to_string()),
        written_at: None,
        max_age: headers::seconds(left_ms),
        age: asked_at.elapsed(),
    };
    // The characters of a content type are visible ASCII.
    let content_type = HeaderValue::try_from(path.content_type()).ok();
    let cache = site.uncached(request);
    let caching = site.caching(path.as_str());
    let body = (Bytes::from(body), content_type);
    Ok(Some(headers::file(&carried, cache, caching, request, body)))
}
