//! The bar over a page that leads back to the list of articles.
//!
//! Only a browser that opens a page of its own gets it, which says so with `Sec-Fetch-Dest: document`.
//! Whatever else asks (curl, a probe, a front) gets the bytes of the store.

use axum::http::{HeaderMap, HeaderName};

/// What tells a page that is opened from one that is fetched. Caches have to keep both.
pub(super) const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The style of the bar; the policy of the page allows it by its hash.
pub(super) const STYLE: &str = "#anp-preview{all:initial;display:block;padding:.4rem 1rem;\
background:#24292f;color:#fff;font:14px/1.5 system-ui,sans-serif}\
#anp-preview a{color:#fff;text-decoration:underline}\
@media print{#anp-preview{display:none}}";

/// Whether `request` is that of a browser for a page of its own.
pub(super) fn is_for(request: &HeaderMap) -> bool {
    let dest = request.get(SEC_FETCH_DEST);
    dest.is_some_and(|dest| dest == "document")
}

/// `page` with the bar at the start of its body; none where there is no body to put it into.
pub(super) fn with_bar(page: &[u8]) -> Option<Vec<u8>> {
    let open = find(page, b"<body")?;
    let at = open + find(&page[open..], b">")? + 1;
    let bar = format!(
        "<nav id=\"anp-preview\" aria-label=\"anp preview\"><style>{STYLE}</style>\
         <a href=\"/_anp/\">anp preview: all articles in the store</a></nav>"
    );
    let mut with = Vec::with_capacity(page.len() + bar.len());
    with.extend_from_slice(&page[..at]);
    with.extend_from_slice(bar.as_bytes());
    with.extend_from_slice(&page[at..]);
    Some(with)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use super::with_bar;

    #[test]
    fn the_bar_comes_first_in_the_body_and_nothing_else_changes() {
        let page = "<head></head><body class=x><p>Text.";
        let with = String::from_utf8(with_bar(page.as_bytes()).unwrap()).unwrap();
        let (before, rest) = with.split_once("<nav id").unwrap();
        let (_, after) = rest.split_once("</nav>").unwrap();
        assert_eq!(format!("{before}{after}"), page);
        assert!(before.ends_with("<body class=x>"), "{with}");
        for page in ["", "<p>Text.", "<body"] {
            assert_eq!(with_bar(page.as_bytes()), None, "{page}");
        }
    }
}
