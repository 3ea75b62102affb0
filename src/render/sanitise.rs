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

use super::raw_html::is_pre_tag;
use super::url::{self, Use};
use crate::characters::is_forbidden_on_pages;

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

/// Attributes any of them may have. The raw step has dropped all `class`, `role`, `tabindex` and
/// `aria-*` that are not our own.
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
        .url_schemes(
            set(&["http", "https"])
                .into_iter()
                .chain(url::CONTACTS)
                .collect(),
        )
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
    clean_counted(body).map(|(html, urls, _)| (html, urls))
}

/// Like [`clean`], and says how many readings it took.
fn clean_counted(body: String) -> Option<(String, u32, usize)> {
    const READINGS: usize = 4;
    let body = without_forbidden_references(body);
    let urls = count_urls(&body);
    let seamed = in_pieces(&body);
    let is_seamed = seamed.is_some();
    let mut before = seamed.unwrap_or(body);
    for reading in 1..=READINGS {
        let after = read_once(&before);
        if after == before {
            let refused = urls.saturating_sub(count_urls(&after));
            let whole = if is_seamed {
                after.replace(SEAM, "")
            } else {
                after
            };
            return Some((whole, refused, reading));
        }
        before = after;
    }
    None
}

/// Puts U+FFFD where a numeric character reference means a character that no page carries, as the
/// HTML parser does for `&#0;`. Taking the reference out could join what stands beside it to
/// another.
fn without_forbidden_references(html: String) -> String {
    let mut kept = String::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(found) = html[at..].find("&#") {
        let start = at + found;
        at = start + 2;
        let rest = &html[at..];
        let (radix, digits) = match rest.strip_prefix(['x', 'X']) {
            Some(digits) => (16, digits),
            None => (10, rest),
        };
        let count = digits
            .bytes()
            .take_while(|b| char::from(*b).is_digit(radix))
            .count();
        at += rest.len() - digits.len() + count;
        let number = digits[..count].trim_start_matches('0');
        if count == 0 || !u32::from_str_radix(number, radix).is_ok_and(is_forbidden_reference) {
            continue;
        }
        if html[at..].starts_with(';') {
            at += 1;
        }
        kept.push_str(&html[copied..start]);
        kept.push('\u{fffd}');
        copied = at;
    }
    if copied == 0 {
        return html;
    }
    kept.push_str(&html[copied..]);
    kept
}

/// Whether the parser makes a character that no page carries from a reference to this number. For
/// most C1 controls it takes the character that Windows-1252 has there (HTML §13.2.5.80).
fn is_forbidden_reference(number: u32) -> bool {
    match number {
        0x80..=0x9f => matches!(number, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d),
        _ => char::from_u32(number).is_some_and(is_forbidden_on_pages),
    }
}

fn read_once(html: &str) -> String {
    keep_first_line_ends(CLEANER.clean(html).to_string())
}

/// The HTML parser drops a line end right after `<pre>` (HTML §13.2.6.4.7), and the serialiser of
/// html5ever does not put one there for it: text that begins with a line end would lose it.
fn keep_first_line_ends(html: String) -> String {
    let mut kept = String::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(found) = html[at..].find("<pre") {
        at += found;
        let Some(length) = html[at..].find('>') else {
            break;
        };
        let is_pre = is_pre_tag(&html[at..]);
        at += length + 1;
        if is_pre && html[at..].starts_with('\n') {
            kept.push_str(&html[copied..at]);
            kept.push('\n');
            copied = at;
        }
    }
    if copied == 0 {
        return html;
    }
    kept.push_str(&html[copied..]);
    kept
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
/// a noncharacter in it: [`super::escape`] takes them out, and [`without_forbidden_references`] what
/// the parser would make of a reference.
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
    use crate::article::{Body, Events};
    use crate::render::ids::PageIds;
    use crate::render::markdown;
    use crate::render::writer::Task;

    fn body(events: Events<'_>) -> Body<'_> {
        Body {
            events,
            ..Body::default()
        }
    }

    fn task<'w, 'a>(body: &'w Body<'a>, page_ids: &'w PageIds) -> Task<'w, 'a> {
        Task {
            body,
            title: None,
            sources: &[],
            page_ids,
            limit: usize::MAX,
        }
    }

    #[test]
    fn what_our_own_writer_makes_is_left_as_it_is() {
        let source = include_str!("../../tests/library/render/full.md").to_owned()
            + "\n![a \"b\" 'c' <d>](x?y=1&z='2' \"t's <u> & \\\"v\\\"\")\u{a0}| \"quoted\" 'text' [l](/x'y \"it's\")\n";
        let events = Parser::new_ext(&source, Options::all()).collect();
        let page_ids = PageIds::default();
        let body = body(events);
        let Ok(written) = markdown::write(task(&body, &page_ids)) else {
            panic!("the sample renders");
        };
        let html = written.html;
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

    fn readings(markdown: &str) -> usize {
        let events = Parser::new_ext(markdown, Options::all()).collect();
        let html = markdown::uncleaned(task(&body(events), &PageIds::default()))
            .ok()
            .unwrap();
        let (once, _, readings) = clean_counted(html).unwrap();
        assert_eq!(
            clean_counted(once.clone()),
            Some((once, 0, 1)),
            "{markdown:?}"
        );
        readings
    }

    #[test]
    fn promise_10_what_raw_html_may_leave_out_takes_no_second_reading() {
        for markdown in [
            "<pre>\n\n\nx</pre>\n\na",
            "<pre>\nx</pre>\n\na",
            "<div><pre>\n\nx\n\n</pre></div>",
            "<table><tr>\n\n- a\n\n  b\n\n# c",
            "<table><tr><td>a<tr><td>b<caption>c<tr><td>d</table>",
            "<table><thead><tr><th>a</thead><tr><td>b</tbody><tr><td>c</table>",
        ] {
            assert_eq!(readings(markdown), 1, "{markdown:?}");
        }
    }

    #[test]
    fn a_pre_keeps_its_first_line_ends() {
        for html in [
            "<pre>\n\nx</pre>",
            "<pre title=\"&gt;\n\">\n\n\n\nx</pre>",
            "<pre>x\n</pre>",
        ] {
            assert_eq!(clean(html.to_owned()), Some((html.to_owned(), 0)));
        }
        let kept = clean("<pre>&#10;&#10;x</pre>".to_owned());
        assert_eq!(kept, Some(("<pre>\n\nx</pre>".to_owned(), 0)));
    }

    #[test]
    fn references_bring_in_no_forbidden_character() {
        let cleaned = |html: &str| clean(html.to_owned()).unwrap().0;
        assert_eq!(
            cleaned("<p>&#x202e;gpj &#1;&#0000027[31m &#XFDD0;&#&#1;1;</p>"),
            "<p>\u{fffd}gpj \u{fffd}\u{fffd}[31m \u{fffd}&amp;#\u{fffd}1;</p>"
        );
        let long = "x".repeat(1_100);
        assert_eq!(
            cleaned(&format!("<p title=\"a &gt;&#xfdd0; b\">{long} &amp; y</p>")),
            format!("<p title=\"a &gt;\u{fffd} b\">{long} &amp; y</p>")
        );
        for number in (0..0x300)
            .chain(0x2000..0x2100)
            .chain(0xfdc0..0x1_0010)
            .chain([0x1f_ffff, 0x10_ffff, 0x11_0000])
        {
            for reference in [
                format!("&#{number};"),
                format!("&#x{number:X}"),
                format!("&#X000{number:x};"),
            ] {
                let html = cleaned(&format!("<p title=\"{reference}\">{reference}</p>"));
                let is_clean = !html.contains(is_forbidden_on_pages);
                assert!(is_clean, "{reference}: {html:?}");
                let expected = match char::from_u32(number) {
                    Some('\n') => "<p title=\"\n\">\n</p>".to_owned(),
                    Some(c) if number > 0xa0 && !is_forbidden_on_pages(c) => {
                        format!("<p title=\"{c}\">{c}</p>")
                    }
                    _ => continue,
                };
                assert_eq!(html, expected, "{reference}");
            }
        }
        assert_eq!(
            cleaned("<p>&#x80;&#133 &#; &#x; &#99999999999999999999;</p>"),
            "<p>€… &amp;#; &amp;#x; \u{fffd}</p>"
        );
    }

    #[test]
    fn what_may_not_stand_is_taken_out() {
        let cleaned = clean(
            "<p onclick=x style=y><b>a</b><iframe></iframe><a href=\"data:x\">b</a></p>".to_owned(),
        );
        assert_eq!(cleaned, Some(("<p><b>a</b><a>b</a></p>".to_owned(), 1)));
    }
}
