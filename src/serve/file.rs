//! One file, or the text of an article, as it is taken from the store. It is read at each request: the cache
//! is for pages.

use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response};

use super::coding::{LARGEST_PAGE, StoredBody};
use super::headers::{self, Carried};
use super::meta::Meta;
use super::site::Site;
use crate::archive::FilePath;
use crate::article::Route;
use crate::publish::keys::ObjectKind;
use crate::render::{META_OPENING_BYTES, TEXT_NAME};
use crate::store::reading::Ask;
use crate::store::{Reply, StoreError};

/// The answer with what stands at `path`: the text of the article in whose folder it is named, or a file; none
/// where the store holds neither. A value that is not a string, is empty, or is larger than a page, is none; nor is damaged gzip.
pub(super) async fn answer(
    site: &Site,
    path: &FilePath,
    request: &HeaderMap,
) -> Result<Option<Response<Body>>, StoreError> {
    let article = path.as_str().strip_suffix(TEXT_NAME);
    let article = article.and_then(|folder| Route::parse(folder).ok());
    if let Some(route) = article.filter(|route| path.as_str() == format!("{route}{TEXT_NAME}")) {
        let (text, meta) = (
            site.keys.of(ObjectKind::Text, &route),
            site.keys.meta(&route),
        );
        let meta = Ask::Head(&meta, META_OPENING_BYTES);
        let text = read(site, path, (&text, Some(meta)), request).await?;
        if text.is_some() {
            return Ok(text);
        }
    }
    read(site, path, (&site.keys.file(path), None), request).await
}

/// The answer with the value of `key`. Of a text, the `meta` object tells whether search engines are to leave
/// it out.
async fn read(
    site: &Site,
    path: &FilePath,
    (key, meta): (&str, Option<Ask<'_>>),
    request: &HeaderMap,
) -> Result<Option<Response<Body>>, StoreError> {
    let asked_at = Instant::now();
    let questions = [Ask::Head(key, LARGEST_PAGE + 1), Ask::Left(key)];
    let questions: Vec<Ask<'_>> = questions.into_iter().chain(meta).collect();
    let replies = site.store.ask(&questions, "reading one file").await?;
    let mut replies = replies.into_iter();
    let mut next = || replies.next().unwrap_or(Reply::Nil);
    let (Reply::Bulk(body), Reply::Int(left_ms), meta) = (next(), next(), next()) else {
        return Ok(None);
    };
    if left_ms == -2 || !(1..=LARGEST_PAGE).contains(&body.len()) {
        return Ok(None);
    }
    let Some(body) = StoredBody::of_file(body) else {
        return Ok(None);
    };
    let is_noindex = matches!(meta, Reply::Bulk(head) if Meta::read(&head, None).is_noindex);
    let carried = Carried {
        tag: body.digest.map(|digest| digest.to_string()),
        is_weak: body.is_gzip(),
        written_at: None,
        max_age: headers::seconds(left_ms),
        age: asked_at.elapsed(),
    };
    // The characters of a content type are visible ASCII.
    let content_type = HeaderValue::try_from(path.content_type()).ok();
    let cache = site.uncached(request);
    let caching = site.caching(path.as_str());
    let file = (&body, content_type, is_noindex);
    Ok(Some(headers::file(&carried, cache, caching, request, file)))
}
