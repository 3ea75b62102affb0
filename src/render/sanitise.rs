//! The second step for bodies with raw HTML: ammonia judges the tree.
//!
//! The whole body goes through, Markdown's output and raw HTML together, because raw
//! elements may span Markdown blocks (`<details>` … `</details>`). Only articles with raw
//! HTML pay for this. The allow list is what our own writer produces plus what
//! [`super::raw_html`] lets pass.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::url::{self, Use};

/// Elements a body may consist of.
pub(super) const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "bdi",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
    "var",
    "wbr",
];

/// Attributes any of them may have. The raw step has dropped all `id`, `class`, `role`,
/// `tabindex` and `aria-*` that are not our own.
const ATTRIBUTES: &[&str] = &[
    "aria-label",
    "aria-labelledby",
    "class",
    "dir",
    "id",
    "lang",
    "role",
    "tabindex",
    "title",
];

const ATTRIBUTES_OF: &[(&str, &[&str])] = &[
    ("a", &["href"]),
    ("details", &["open"]),
    (
        "img",
        &["src", "alt", "width", "height", "loading", "decoding"],
    ),
    ("ol", &["start"]),
    ("td", &["colspan", "rowspan"]),
    ("th", &["colspan", "rowspan", "scope"]),
    ("time", &["datetime"]),
];

thread_local! {
    /// URLs refused by the cleaning under way on this thread.
    static REFUSED_URLS: Cell<u32> = const { Cell::new(0) };
}

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let set = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    let mut builder = Builder::empty();
    builder
        .tags(set(ELEMENTS))
        .clean_content_tags(set(&["script", "style"]))
        .generic_attributes(set(ATTRIBUTES))
        .tag_attributes(
            ATTRIBUTES_OF
                .iter()
                .map(|(element, names)| (*element, set(names)))
                .collect::<HashMap<_, _>>(),
        )
        .url_schemes(set(&["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(None)
        .strip_comments(true)
        .attribute_filter(|_, attribute, value| filter_url(attribute, value));
    builder
});

fn filter_url<'a>(attribute: &str, value: &'a str) -> Option<Cow<'a, str>> {
    let usage = match attribute {
        "href" => Use::Link,
        "src" => Use::Image,
        _ => return Some(Cow::Borrowed(value)),
    };
    if !url::is_allowed(value, usage) {
        REFUSED_URLS.set(REFUSED_URLS.get() + 1);
        return None;
    }
    Some(Cow::Borrowed(value))
}

/// Cleans a body. Returns it with the number of URLs refused, or `None` where what came
/// out would be read differently once more: then no reading of it can be trusted, and a
/// browser's might be one that was never judged.
pub(super) fn clean(body: &str) -> Option<(String, u32)> {
    const READINGS: usize = 3;
    REFUSED_URLS.set(0);
    let mut before = CLEANER.clean(body).to_string();
    for _ in 0..READINGS {
        let after = CLEANER.clean(&before).to_string();
        if after == before {
            return Some((after, REFUSED_URLS.get()));
        }
        before = after;
    }
    None
}
