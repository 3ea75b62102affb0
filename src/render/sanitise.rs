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
    let seamed = in_pieces(&body);
    let is_seamed = seamed.is_some();
    let mut before = seamed.unwrap_or(body);
    for _ in 0..READINGS {
        let after = CLEANER.clean(&before).to_string();
        if after == before {
            let refused = urls.saturating_sub(count_urls(&after));
            let whole = if is_seamed {
                after.replace(SEAM, "")
            } else {
                after
            };
            return Some((whole, refused));
        }
        before = after;
    }
    None
}

/// How many tags and attributes a body may have that is cleaned. A tag is up to two nodes of the
/// sanitiser's tree, of 200 bytes each, and an attribute takes 100.
pub(super) const MAX_PARTS: usize = 200_000;

/// How many tags and attributes are in `html`: no fewer than there are.
pub(super) fn parts(html: &str) -> usize {
    let pairs = html.as_bytes().windows(2);
    pairs
        .filter(|pair| pair[0] == b'<' || *pair == b"=\"")
        .count()
}

/// What stands between two pieces of a long text while it is cleaned. No text of a body has
/// a noncharacter in it: [`super::escape`] takes them out.
const SEAM: &str = "&gt;\u{fdd0}";

/// A text up to this long, in bytes, stays in one piece.
const PIECE: usize = 1024;

/// Puts seams into texts and attribute values that are long; none if no text is.
///
/// html5ever's serialiser looks from each `&`, and from each character whose first byte is
/// that of a no-break space, for the next `<` or `>`, which mostly means to the end of the
/// text (`HtmlSerializer::write_escaped` of html5ever 0.40): 480 KB of `&` take 2 s, and twice
/// as many take four times as long. With a `>` in each piece it never looks far.
///
/// A seam stands only before one of these characters, so it splits no character reference:
/// what is before it has ended, since none of them can be part of a name.
pub(super) fn in_pieces(html: &str) -> Option<String> {
    let is_bracket = |byte: &u8| matches!(byte, b'<' | b'>');
    let mut seamed = String::new();
    let (mut at, mut copied) = (0, 0);
    let bytes = html.as_bytes();
    while at < bytes.len() {
        let run = bytes[at..].iter().position(is_bracket);
        let end = run.map_or(bytes.len(), |run| at + run);
        while end - at > PIECE {
            let from = at + PIECE;
            let next = bytes[from..end]
                .iter()
                .position(|b| matches!(b, b'&' | 0xc2));
            let Some(next) = next else { break };
            at = from + next;
            seamed.push_str(&html[copied..at]);
            seamed.push_str(SEAM);
            copied = at;
        }
        at = end + 1;
    }
    (copied > 0).then(|| seamed + &html[copied..])
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
        let events = Parser::new_ext(&source, Options::all()).collect();
        let Ok(body) = markdown::write(&events, &[], usize::MAX) else {
            panic!("the sample renders");
        };
        let html = body.html;
        assert_eq!(clean(html.clone()), Some((html, 0)));
    }

    #[test]
    fn long_texts_come_out_whole() {
        for (unit, times) in [("&amp;", 3_000), ("·é&nbsp;x", 1_000), ("a&lt;&amp", 2_000)] {
            let text = unit.repeat(times);
            let body = format!("<p title=\"{text}\">{text}<a href=\"/?{text}\">{text}</a></p>");
            let expected = CLEANER.clean(&body).to_string();
            assert!(in_pieces(&body).is_some());
            assert_eq!(clean(body), Some((expected, 0)));
        }
        assert_eq!(in_pieces(&format!("<p>{}</p>", "&".repeat(PIECE))), None);
        assert_eq!(in_pieces(&"x".repeat(5 * PIECE)), None);
    }

    #[test]
    fn what_may_not_stand_is_taken_out() {
        let cleaned = clean(
            "<p onclick=x style=y><b>a</b><iframe></iframe><a href=\"data:x\">b</a></p>".to_owned(),
        );
        assert_eq!(cleaned, Some(("<p><b>a</b><a>b</a></p>".to_owned(), 1)));
    }
}
