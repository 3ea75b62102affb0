//! The answer at a route that has a redirect in place of a page.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::headers;
use super::refusal;
use super::site::Site;
use crate::archive::{MAX_REDIRECT_BYTES, Redirect};
use crate::article::Route;
use crate::publish::keys::ObjectKind;
use crate::store::reading::Ask;
use crate::store::{Reply, StoreError};

/// The answer that leads on from `route`, or says that its article was withdrawn; none where the store
/// holds no redirect. Only the store decides where it leads: the value is a route, to which the query
/// of the request is added.
pub(super) async fn answer(
    site: &Site,
    route: &Route,
    query: Option<&str>,
    request: &HeaderMap,
) -> Result<Option<Response<Body>>, StoreError> {
    let key = site.keys.of(ObjectKind::Redirect, route);
    let questions = [Ask::Head(&key, MAX_REDIRECT_BYTES + 1), Ask::Left(&key)];
    let replies = site.store.ask(&questions, "reading one redirect").await?;
    let [Reply::Bulk(value), Reply::Int(left_ms)] = replies.as_slice() else {
        return Ok(None);
    };
    let redirect = Redirect::parse_at(route, value).filter(|_| *left_ms != -2);
    let Some(redirect) = redirect else {
        return Ok(None);
    };
    let cache = site.uncached(request);
    let mut response = match redirect.to() {
        Some(to) => leading_to(to, query),
        None => refusal::gone(site, route, cache),
    };
    if let Ok(status) = StatusCode::from_u16(redirect.status()) {
        *response.status_mut() = status;
    }
    let vary = HeaderValue::from_static("Cookie");
    response.headers_mut().insert(header::VARY, vary);
    let left = headers::seconds(*left_ms);
    let caching = site.caching(route.as_str());
    headers::lasting(response.headers_mut(), cache, caching, left);
    Ok(Some(response))
}

/// An answer without a body that redirects to `to`.
fn leading_to(to: &Route, query: Option<&str>) -> Response<Body> {
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    let mut response = Response::new(Body::empty());
    // A query that cannot be in a header does not come along. A route can.
    let location = HeaderValue::try_from(format!("{to}{query}"));
    if let Ok(location) = location.or_else(|_| HeaderValue::from_str(to.as_str())) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
