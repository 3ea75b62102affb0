//! Raw HTML of an article → a few known tags, well quoted and balanced.
//!
//! This is the first of two steps. It reads the raw pieces as the HTML tokeniser would
//! (WHATWG HTML §13.2.5) and writes them anew: known tags and attributes only, values
//! between double quotes, every tag closed in order. Comments, declarations and elements
//! whose content is not text to read (`script`, `style`, `svg`, …) vanish. The second
//! step, [`super::sanitise`], judges the tree that results.
//!
//! Why not the second step alone: html5ever repairs mis-nested formatting tags by copying
//! them (the adoption agency), so 40 KB can grow into 28 MB and take 12 s. Input that is
//! balanced and of bounded depth has nothing to repair. And because no raw tag keeps an
//! `id`, `class`, `role` or ARIA attribute, those that the second step sees are our own.

use super::escape;
use super::nesting::Nesting;
use super::raw_tag::{Attribute, RawTag, read_tag, skip_declaration, skip_element, starts_tag};

/// Elements that raw HTML may use.
const ELEMENTS: &str = "a abbr b bdi blockquote br caption cite code dd del details dfn div dl dt em figcaption figure \
    h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub summary sup \
    table tbody td tfoot th thead time tr u ul var wbr";

/// Attributes that elements may have besides `title`, `lang` and `dir`.
fn own_attributes(element: &str) -> &'static [&'static str] {
    match element {
        "a" => &["href"],
        "details" => &["open"],
        "img" => &["src", "alt", "width", "height"],
        "ol" => &["start"],
        "td" => &["colspan", "rowspan"],
        "th" => &["colspan", "rowspan", "scope"],
        "time" => &["datetime"],
        _ => &[],
    }
}

/// Formatting elements of the HTML standard (§13.2.4.3). They keep no attributes, so the
/// parser's "Noah's Ark" rule bounds how many of them it can ever copy. `a` is one too,
/// but the parser never lets two be open.
const FORMATTING: &[&str] = &["b", "code", "em", "i", "s", "small", "strong", "u"];

const VOID: &[&str] = &["br", "hr", "img", "wbr"];

/// Elements that vanish with their content, up to the first end tag of that name.
const VANISH: &str = "applet audio canvas embed frameset head iframe math noembed noframes noscript object plaintext \
    script select style svg template textarea title video xmp";

/// `name` as it stands in a list of names.
fn find(list: &'static str, name: &str) -> Option<&'static str> {
    list.split_ascii_whitespace().find(|known| *known == name)
}

/// Writes one raw piece (a whole HTML block, or one inline tag) to `out`. Elements opened
/// here go on `nesting`, which closes them at the end of the Markdown block around them.
/// Returns how many tags and comments were taken out.
pub(super) fn rewrite(out: &mut String, nesting: &mut Nesting, raw: &str) -> u32 {
    let mut removed = 0;
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        write_text(out, nesting, &rest[..at]);
        rest = &rest[at..];
        if nesting.is_too_deep() {
            return removed; // the caller rejects the article
        }
        if let Some(after) = skip_declaration(rest) {
            removed += 1;
            rest = after;
            continue;
        }
        let Some((tag, after)) = read_tag(rest) else {
            // Either a mere `<`, or a tag without an end, which HTML drops with all after it.
            if starts_tag(rest) {
                return removed + 1;
            }
            write_text(out, nesting, "<");
            rest = &rest[1..];
            continue;
        };
        rest = after;
        if !tag.closes && find(VANISH, &tag.name).is_some() {
            removed += 1;
            rest = skip_element(rest, &tag.name);
        } else if !write_tag(out, nesting, &tag) {
            removed += 1;
        } else if tag.name == "pre" && !tag.closes {
            // The line end that follows the tag is no part of the text.
            rest = rest.strip_prefix('\r').unwrap_or(rest);
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        }
    }
    write_text(out, nesting, rest);
    removed
}

/// Writes text between tags. White space alone may stand between the parts of a table.
fn write_text(out: &mut String, nesting: &mut Nesting, text: &str) {
    let is_space = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0xc);
    let hoisted = !text.bytes().all(is_space) && nesting.hoist(out);
    if text.starts_with(['\n', '\r']) && ends_with_pre_tag(out) {
        out.push('\n');
    }
    escape::html_text(out, text);
    nesting.lower(out, hoisted);
}

/// Whether the last thing in `html` is the start tag of a `<pre>`. The HTML parser drops one line
/// end after it, so text that begins with a line end needs one more.
fn ends_with_pre_tag(html: &str) -> bool {
    html.ends_with('>') && html.rfind('<').is_some_and(|at| is_pre_tag(&html[at..]))
}

/// Whether `html` begins with the start tag of a `<pre>`, as this module and the sanitiser write it.
pub(super) fn is_pre_tag(html: &str) -> bool {
    html.strip_prefix("<pre")
        .is_some_and(|rest| rest.starts_with([' ', '>']))
}

/// Writes `tag` in canonical form; false if it is not one that raw HTML may use here.
fn write_tag(out: &mut String, nesting: &mut Nesting, tag: &RawTag<'_>) -> bool {
    let Some(name) = find(ELEMENTS, &tag.name) else {
        return false;
    };
    let is_void = VOID.contains(&name);
    if tag.closes {
        return !is_void && nesting.close_raw(out, name);
    }
    if name == "img"
        && !tag
            .attributes
            .iter()
            .any(|a| a.name.eq_ignore_ascii_case("src"))
    {
        return false;
    }
    let Some(written) = nesting.open_raw(out, name, is_void) else {
        return false;
    };
    out.push('<');
    out.push_str(written);
    let mut has_alt = false;
    for attribute in &tag.attributes {
        let is_common = !FORMATTING.contains(&name)
            && ["title", "lang", "dir"]
                .iter()
                .any(|common| attribute.name.eq_ignore_ascii_case(common));
        let is_own = own_attributes(name)
            .iter()
            .any(|own| attribute.name.eq_ignore_ascii_case(own));
        if !(is_common || is_own) || !is_sane(attribute) {
            continue;
        }
        has_alt |= attribute.name.eq_ignore_ascii_case("alt");
        out.push(' ');
        out.push_str(&attribute.name.to_ascii_lowercase());
        out.push_str("=\"");
        escape::html_attribute(out, attribute.value);
        out.push('"');
    }
    if name == "img" {
        out.push_str(if has_alt { "" } else { " alt=\"\"" });
        out.push_str(" loading=\"lazy\" decoding=\"async\"");
    }
    out.push('>');
    true
}

/// Whether an attribute with a closed set of values has one of them.
fn is_sane(attribute: &Attribute<'_>) -> bool {
    let (name, value) = (attribute.name.to_ascii_lowercase(), attribute.value);
    match name.as_str() {
        "width" | "height" | "start" | "colspan" | "rowspan" => {
            let limit = if name.ends_with("span") { 100 } else { 100_000 };
            value
                .parse::<u32>()
                .is_ok_and(|number| (1..=limit).contains(&number))
        }
        "dir" => ["ltr", "rtl", "auto"].contains(&value),
        "scope" => ["row", "col", "rowgroup", "colgroup"].contains(&value),
        "lang" => {
            !value.is_empty()
                && value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(raw: &str) -> String {
        let mut out = String::new();
        let mut nesting = Nesting::default();
        rewrite(&mut out, &mut nesting, raw);
        nesting.close_all(&mut out);
        out
    }

    #[test]
    fn known_tags_come_out_in_one_form() {
        assert_eq!(rewritten("<KBD>Ctrl</kBd >"), "<kbd>Ctrl</kbd>");
        assert_eq!(
            rewritten("<abbr title=Hyper&quot;Text onclick=x()>H</abbr>"),
            "<abbr title=\"Hyper&quot;Text\">H</abbr>"
        );
        assert_eq!(
            rewritten("<img/src='a.png'/onerror=x>"),
            "<img src=\"a.png\" alt=\"\" loading=\"lazy\" decoding=\"async\">"
        );
        assert_eq!(rewritten("a < b <3 &amp; c"), "a &lt; b &lt;3 &amp; c");
    }

    #[test]
    fn everything_opened_is_closed_in_order() {
        assert_eq!(rewritten("<b><i>x</b>y</i>"), "<b><i>x</i></b>y");
        assert_eq!(rewritten("</div></article><p>x"), "<p>x</p>");
        assert_eq!(rewritten("<h1>x</h1>"), "<h2>x</h2>\n");
    }

    #[test]
    fn a_pre_loses_no_more_line_ends_than_the_parser_drops() {
        assert_eq!(rewritten("<pre>\nx</pre>"), "<pre>x</pre>");
        assert_eq!(rewritten("<pre>\r\nx</pre>"), "<pre>x</pre>");
        assert_eq!(rewritten("<pre>\n\nx</pre>"), "<pre>\n\nx</pre>");
        assert_eq!(
            rewritten("<pre title='>'>\n<!-- -->\nx</pre>\ny"),
            "<pre title=\"&gt;\">\n\nx</pre>\ny"
        );
    }

    #[test]
    fn hidden_content_vanishes() {
        for raw in [
            "<script>alert(1)</script>",
            "<SCRIPT\n>a</b</script x>",
            "<style>*{}</style>",
            "<!-- <b> -->",
            "<!-->",
            "<![CDATA[ <b> ]]>",
            "<?php <b ?>",
            "<svg><b>x</b></svg>",
            "<!-- never ends",
            "<a href=\"",
            "<script>never ends",
            "<a b",
            "<iframe srcdoc='<b>'></iframe>",
            "<!DOCTYPE html>",
        ] {
            assert_eq!(rewritten(raw), "", "{raw}");
        }
        assert_eq!(rewritten("<scripty>x</scripty>"), "x");
        assert_eq!(rewritten("<script></scripty></script>x"), "x");
    }

    #[test]
    fn no_name_or_role_of_ours_can_be_taken() {
        assert_eq!(
            rewritten(
                "<p id=a class=b name=c role=d aria-label=e tabindex=0 style=f data-g=h>x</p>"
            ),
            "<p>x</p>"
        );
        assert_eq!(
            rewritten("<table><tr><td colspan=4000 rowspan=2>x"),
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table\"><table><tbody><tr><td rowspan=\"2\">x</td></tr></tbody></table></div>"
        );
    }
}
