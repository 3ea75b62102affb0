//! `Content-Security-Policy`: nothing but the page's own style, known by its hash, and a sandbox
//! in which no script runs.

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use super::bar;

/// What a page may do in its sandbox: links open in new tabs that are not in it, files are
/// downloaded, and cookies go along to the page's own site.
const SANDBOX: &str = "sandbox allow-downloads allow-popups allow-popups-to-escape-sandbox \
                       allow-same-origin";

const IMAGES: &str = "img-src 'self' https: http:; ";

/// The policy of a stored page.
pub(super) fn of_page(page: &[u8]) -> HeaderValue {
    policy(&hash_of(style(page)), IMAGES, "'none'", SANDBOX)
}

/// The same with the bar in it, whose style is allowed too.
pub(super) fn of_page_with_bar(page: &[u8]) -> HeaderValue {
    let own = style(page).map_or(String::new(), |style| format!("{} ", hash(style)));
    let styles = format!("{own}{}", hash(bar::STYLE.as_bytes()));
    policy(&styles, IMAGES, "'none'", SANDBOX)
}

/// The policy of a file that is not HTML: a browser that shows it loads nothing for it.
pub(super) fn of_file() -> HeaderValue {
    policy("'none'", "", "'none'", SANDBOX)
}

/// The policy of a page of our own with the text `style` in its style element, and forms
/// that ask us.
pub(super) fn of_own(style: &str) -> HeaderValue {
    let sandbox = format!("{SANDBOX} allow-forms");
    policy(&hash(style.as_bytes()), "", "'self'", &sandbox)
}

fn hash_of(style: Option<&[u8]>) -> String {
    style.map_or("'none'".to_owned(), hash)
}

fn hash(style: &[u8]) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(style)))
}

fn policy(style: &str, images: &str, forms: &str, sandbox: &str) -> HeaderValue {
    let text = format!(
        "default-src 'none'; style-src {style}; {images}base-uri 'none'; form-action {forms}; \
         frame-ancestors 'none'; {sandbox}"
    );
    // Base64 and these words are visible ASCII.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// The text of the first style element.
fn style(page: &[u8]) -> Option<&[u8]> {
    let open = find(page, b"<style")?;
    let start = open + find(&page[open..], b">")? + 1;
    let length = find(&page[start..], b"</style")?;
    Some(&page[start..start + length])
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use super::{of_own, of_page};

    /// `printf 'a{}' | openssl dgst -sha256 -binary | base64`
    const HASH: &str = "X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk=";

    #[test]
    fn the_style_of_the_page_is_allowed_and_no_other() {
        for page in [
            "<style>a{}</style>",
            "x<style media=all>a{}</style><style>b{}</style>",
        ] {
            let expected = format!(
                "default-src 'none'; style-src 'sha256-{HASH}'; img-src 'self' https: http:; \
                 base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox \
                 allow-downloads allow-popups allow-popups-to-escape-sandbox allow-same-origin"
            );
            assert_eq!(of_page(page.as_bytes()), expected);
        }
    }

    #[test]
    fn a_page_without_a_whole_style_may_have_none() {
        for page in ["", "<p>x", "<style>a{}", "<style"] {
            let policy = of_page(page.as_bytes());
            assert!(
                policy.to_str().unwrap().contains("style-src 'none';"),
                "{page}"
            );
        }
    }

    #[test]
    fn pages_of_our_own_may_ask_us() {
        let policy = of_own("a{}");
        let policy = policy.to_str().unwrap();
        assert!(
            policy.contains("form-action 'self'") && policy.contains(HASH),
            "{policy}"
        );
        assert!(!policy.contains("img-src"), "{policy}");
        assert!(
            policy.ends_with("allow-same-origin allow-forms"),
            "{policy}"
        );
    }
}
