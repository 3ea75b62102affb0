//! The second step for bodies with raw HTML: ammonia judges the tree.
//!
//! The whole body goes through, Markdown's output and raw HTML together, because raw
//! elements may span Markdown blocks (`<details>` … `</details>`). Only articles with raw
//! HTML pay for this. The allow list is what our own writer produces plus what
//! [`super::raw_html`] lets pass.

use std::borrow::Cow;
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
    let is_allowed = match attribute {
        "href" => url::is_allowed(value, Use::Link),
        "src" => url::is_allowed(value, Use::Image),
        _ => true,
    };
    is_allowed.then_some(Cow::Borrowed(value))
}

/// Cleans a body. Returns it with the number of URLs taken out, or `None` where what came
/// out would be read differently once more: then no reading of it can be trusted, and a
/// browser's might be one that was never judged.
///
/// A reading costs about 200 µs for 5 KB. Most bodies come out as they went in, because
/// the first step writes what this one would write; for them one reading is enough.
pub(super) fn clean(body: String) -> Option<(String, u32)> {
    const READINGS: usize = 4;
    let urls = count_urls(&body);
    let mut before = body;
    for _ in 0..READINGS {
        let after = CLEANER.clean(&before).to_string();
        if after == before {
            let refused = urls.saturating_sub(count_urls(&after));
            return Some((after, refused));
        }
        before = after;
    }
    None
}

/// Attributes that hold a URL, and texts that look like one: cleaning leaves the latter
/// alone, so they do not count in the difference.
fn count_urls(html: &str) -> u32 {
    let count = html.matches(" href=\"").count() + html.matches(" src=\"").count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Options, Parser};

    use super::*;
    use crate::render::markdown;

    #[test]
    fn what_our_own_writer_makes_is_left_as_it_is() {
        let source = include_str!("../../tests/render/full.md").to_owned()
            + "\n![a \"b\" 'c' <d>](x?y=1&z='2' \"t's <u> & \\\"v\\\"\")\u{a0}| \"quoted\" 'text' [l](/x'y \"it's\")\n";
        let events: Vec<_> = Parser::new_ext(&source, Options::all()).collect();
        let Ok(body) = markdown::write(&events, &[], usize::MAX) else {
            panic!("the sample renders");
        };
        let html = body.html;
        assert_eq!(clean(html.clone()), Some((html, 0)));
    }

    #[test]
    fn what_may_not_stand_is_taken_out() {
        let cleaned = clean(
            "<p onclick=x style=y><b>a</b><iframe></iframe><a href=\"data:x\">b</a></p>".to_owned(),
        );
        assert_eq!(cleaned, Some(("<p><b>a</b><a>b</a></p>".to_owned(), 1)));
    }
}
