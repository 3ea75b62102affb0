//! What is said where there is no page to send.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::headers::CacheStatus;
use super::host::Wrong;
use super::path::{self, RequestedPath};
use super::site::Site;
use super::site_pages::Message;
use crate::article::Route;
use crate::store::StoreError;

pub(super) fn not_found(
    site: &Site,
    path: &str,
    asked: &RequestedPath,
    headers: &HeaderMap,
) -> Response<Body> {
    const EXPIRED: &str = "It was never published, was removed, or has expired.";
    let prefix = &site.preview.prefix;
    let (what, help, command) = match asked {
        RequestedPath::Route(route) | RequestedPath::Unslashed(route) => (
            format!("The store holds no page at {route} (key {prefix}:page:{route})."),
            format!("{EXPIRED} To look:"),
            format!("anp show {route}"),
        ),
        RequestedPath::File(file) => (
            format!("The store holds no file at {file} (key {prefix}:file:{file})."),
            format!("{EXPIRED} To look:"),
            format!("anp show {file}"),
        ),
        RequestedPath::Nothing => (
            format!(
                "{} is no route of an article: those consist of a-z 0-9 - and /.",
                path::shown(path)
            ),
            "Routes look like /redis-caching/ttl-jitter/, files like /feed.xml.".to_owned(),
            String::new(),
        ),
    };
    site.own.message(
        &Message {
            status: StatusCode::NOT_FOUND,
            title: "No such page",
            what: &what,
            help: &help,
            command: &command,
        },
        site.uncached(headers),
    )
}

/// The article of `route` was withdrawn, and the store says so.
pub(super) fn gone(site: &Site, route: &Route, cache: CacheStatus) -> Response<Body> {
    let prefix = &site.preview.prefix;
    let what = format!("The article at {route} was withdrawn (key {prefix}:redirect:{route}).");
    site.own.message(
        &Message {
            status: StatusCode::GONE,
            title: "This page is gone",
            what: &what,
            help: "",
            command: "",
        },
        cache,
    )
}

pub(super) fn away(site: &Site, error: &StoreError, headers: &HeaderMap) -> Response<Body> {
    site.own.message(
        &Message {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "The store does not answer",
            what: &brief(error),
            help: "The preview asks it again with the next request; nothing has to be restarted here.",
            command: "",
        },
        site.uncached(headers),
    )
}

pub(super) fn not_ours(site: &Site, wrong: &Wrong) -> Response<Body> {
    let (status, what, help) = match wrong {
        Wrong::NoHost => (
            StatusCode::BAD_REQUEST,
            "A request has one header Host, with a name or an address in it.",
            "",
        ),
        Wrong::Other => (
            StatusCode::MISDIRECTED_REQUEST,
            "The preview listens for this machine alone, and answers under localhost and \
             under addresses, not under this name.",
            "To have it answer under another name of this machine, listen on that:",
        ),
    };
    let command = match wrong {
        Wrong::NoHost => "",
        Wrong::Other => "anp serve --addr NAME:8080",
    };
    site.own.message(
        &Message {
            status,
            title: "Not asked of the preview",
            what,
            help,
            command,
        },
        CacheStatus::Miss,
    )
}

pub(super) fn not_allowed(site: &Site) -> Response<Body> {
    let mut response = site.own.message(
        &Message {
            status: StatusCode::METHOD_NOT_ALLOWED,
            title: "Read-only",
            what: "The preview answers GET and HEAD, and writes nothing.",
            help: "To publish:",
            command: "anp import content/",
        },
        CacheStatus::Miss,
    );
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

pub(super) fn too_long(site: &Site) -> Response<Body> {
    let what = format!("A path may have at most {} bytes.", path::MAX_BYTES);
    site.own.message(
        &Message {
            status: StatusCode::URI_TOO_LONG,
            title: "That path is too long",
            what: &what,
            help: "",
            command: "",
        },
        CacheStatus::Miss,
    )
}

pub(super) fn failed(site: &Site) -> Response<Body> {
    site.own.message(
        &Message {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            title: "That went wrong here",
            what: "The preview failed at this request; other requests go on.",
            help: "What it said about it is on its stderr.",
            command: "",
        },
        CacheStatus::Miss,
    )
}

/// An error of the store, which may repeat what the server said, cut to what a visitor reads. It
/// holds nothing that steers a terminal: [`StoreError::new`] takes that out.
pub(super) fn brief(error: &StoreError) -> String {
    const LONGEST: usize = 500;
    let mut text = error.to_string();
    if let Some((cut, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// To the one URL of a page. Not to be remembered: another program may listen here next.
pub(super) fn redirect(to: &str) -> Response<Body> {
    let mut response = empty(StatusCode::PERMANENT_REDIRECT);
    // A route is ASCII without control characters.
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// No body, and nothing to be kept.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::brief;
    use crate::store::{Class, StoreError};

    #[test]
    fn an_error_of_the_server_is_cut_and_steers_no_terminal() {
        let said = format!("\u{1b}[31m\u{202e}{}", "x".repeat(1 << 20));
        let shown = brief(&StoreError::new(Class::Stop, "asking the store", said));
        assert!(shown.contains("\u{fffd}[31m\u{fffd}xxx"), "{shown}");
        assert_eq!(shown.chars().count(), 501);
        let short = StoreError::new(Class::Stop, "asking the store", "ERR no");
        assert_eq!(brief(&short), short.to_string());
    }
}
