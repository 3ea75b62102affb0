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

/// One attribute of a raw start tag, as written.
struct Attribute<'a> {
    name: &'a str,
    value: &'a str,
}

/// A tag of raw HTML, its name in lower case.
struct RawTag<'a> {
    name: String,
    closes: bool,
    attributes: Vec<Attribute<'a>>,
}

/// Elements that raw HTML may use, with the attributes they may have besides
/// `title`, `lang` and `dir`. Sorted, for binary search.
const ELEMENTS: &[(&str, &[&str])] = &[
    ("a", &["href"]),
    ("abbr", &[]),
    ("b", &[]),
    ("bdi", &[]),
    ("blockquote", &[]),
    ("br", &[]),
    ("caption", &[]),
    ("cite", &[]),
    ("code", &[]),
    ("dd", &[]),
    ("del", &[]),
    ("details", &["open"]),
    ("dfn", &[]),
    ("div", &[]),
    ("dl", &[]),
    ("dt", &[]),
    ("em", &[]),
    ("figcaption", &[]),
    ("figure", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("h3", &[]),
    ("h4", &[]),
    ("h5", &[]),
    ("h6", &[]),
    ("hr", &[]),
    ("i", &[]),
    ("img", &["src", "alt", "width", "height"]),
    ("ins", &[]),
    ("kbd", &[]),
    ("li", &[]),
    ("mark", &[]),
    ("ol", &["start"]),
    ("p", &[]),
    ("pre", &[]),
    ("q", &[]),
    ("rp", &[]),
    ("rt", &[]),
    ("ruby", &[]),
    ("s", &[]),
    ("samp", &[]),
    ("small", &[]),
    ("span", &[]),
    ("strong", &[]),
    ("sub", &[]),
    ("summary", &[]),
    ("sup", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &["colspan", "rowspan"]),
    ("tfoot", &[]),
    ("th", &["colspan", "rowspan", "scope"]),
    ("thead", &[]),
    ("time", &["datetime"]),
    ("tr", &[]),
    ("u", &[]),
    ("ul", &[]),
    ("var", &[]),
    ("wbr", &[]),
];

/// Formatting elements of the HTML standard (§13.2.4.3). They keep no attributes, so the
/// parser's "Noah's Ark" rule bounds how many of them it can ever copy. `a` is one too,
/// but the parser never lets two be open.
const FORMATTING: &[&str] = &["b", "code", "em", "i", "s", "small", "strong", "u"];

const VOID: &[&str] = &["br", "hr", "img", "wbr"];

/// Elements that vanish with their content, up to the first end tag of that name.
const VANISH: &[&str] = &[
    "applet",
    "audio",
    "canvas",
    "embed",
    "frameset",
    "head",
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "plaintext",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "video",
    "xmp",
];

/// Attributes of one tag that are looked at; all further ones are dropped.
const ATTRIBUTES: usize = 32;

/// Writes one raw piece (a whole HTML block, or one inline tag) to `out`. Elements opened
/// here go on `nesting`, which closes them at the end of the Markdown block around them.
/// Returns how many tags and comments were taken out.
pub(super) fn rewrite(out: &mut String, nesting: &mut Nesting, raw: &str) -> u32 {
    let mut removed = 0;
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        escape::html_text(out, &rest[..at]);
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
            out.push_str("&lt;");
            rest = &rest[1..];
            continue;
        };
        rest = after;
        if !tag.closes && VANISH.contains(&tag.name.as_str()) {
            removed += 1;
            rest = skip_element(rest, &tag.name);
        } else if !write_tag(out, nesting, &tag) {
            removed += 1;
        }
    }
    escape::html_text(out, rest);
    removed
}

fn starts_tag(rest: &str) -> bool {
    let name = rest[1..].strip_prefix('/').unwrap_or(&rest[1..]);
    name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// What follows the comment, CDATA section, declaration or instruction at the start of `rest`.
fn skip_declaration(rest: &str) -> Option<&str> {
    let past = |end: &str, from: usize| {
        let after = rest.get(from..).unwrap_or_default();
        after.find(end).map_or("", |at| &after[at + end.len()..])
    };
    if rest.starts_with("<!--") {
        Some(past("-->", 2)) // `<!-->` is a whole comment
    } else if rest.starts_with("<![CDATA[") {
        Some(past("]]>", 9))
    } else if rest.starts_with("<!") || rest.starts_with("<?") {
        Some(past(">", 2))
    } else {
        None
    }
}

/// What follows the end tag of `name`; nothing if there is none.
fn skip_element<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = rest[from..].find("</") {
        let start = from + at + 2;
        let end = start + name.len();
        let found = rest
            .get(start..end)
            .is_some_and(|found| found.eq_ignore_ascii_case(name));
        if found && !rest[end..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-') {
            return rest[end..].find('>').map_or("", |at| &rest[end + at + 1..]);
        }
        from = start;
    }
    ""
}

/// Reads the tag at the start of `rest`; `None` if there is none or it has no end.
fn read_tag(rest: &str) -> Option<(RawTag<'_>, &str)> {
    if !starts_tag(rest) {
        return None;
    }
    let closes = rest[1..].starts_with('/');
    let name_at = if closes { 2 } else { 1 };
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let name_end = name_at + rest[name_at..].find(|c| is_space(c) || c == '/' || c == '>')?;
    let mut tag = RawTag {
        name: rest[name_at..name_end].to_ascii_lowercase(),
        closes,
        attributes: Vec::new(),
    };
    let mut rest = &rest[name_end..];
    loop {
        rest = rest.trim_start_matches(|c| is_space(c) || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return Some((tag, after));
        }
        // An `=` at the start of a name belongs to it.
        let first = rest.chars().next()?.len_utf8();
        let end = rest[first..].find(|c| is_space(c) || matches!(c, '/' | '>' | '='))? + first;
        let name = &rest[..end];
        rest = rest[end..].trim_start_matches(is_space);
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            rest = after.trim_start_matches(is_space);
            let quote = rest.chars().next()?;
            if quote == '"' || quote == '\'' {
                let end = rest[1..].find(quote)? + 1;
                value = &rest[1..end];
                rest = &rest[end + 1..];
            } else {
                let end = rest.find(|c| is_space(c) || c == '>')?;
                value = &rest[..end];
                rest = &rest[end..];
            }
        }
        // Of two attributes with one name the parser keeps the first.
        if tag.attributes.len() < ATTRIBUTES
            && !tag
                .attributes
                .iter()
                .any(|other| other.name.eq_ignore_ascii_case(name))
        {
            tag.attributes.push(Attribute { name, value });
        }
    }
}

/// Writes `tag` in canonical form; false if it is not one that raw HTML may use here.
fn write_tag(out: &mut String, nesting: &mut Nesting, tag: &RawTag<'_>) -> bool {
    let Ok(index) = ELEMENTS.binary_search_by(|(name, _)| (*name).cmp(&tag.name)) else {
        return false;
    };
    let (name, own_attributes) = ELEMENTS[index];
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
    let written = if is_void {
        name
    } else {
        nesting.open_raw(out, name)
    };
    out.push('<');
    out.push_str(written);
    let mut has_alt = false;
    for attribute in &tag.attributes {
        let is_common = !FORMATTING.contains(&name)
            && ["title", "lang", "dir"]
                .iter()
                .any(|common| attribute.name.eq_ignore_ascii_case(common));
        let is_own = own_attributes
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
    fn the_table_of_elements_is_sorted() {
        assert!(ELEMENTS.is_sorted_by_key(|(name, _)| name));
        assert!(ELEMENTS.iter().all(|(name, _)| !VANISH.contains(name)));
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
            rewritten("<td colspan=4000 rowspan=2>x"),
            "<td rowspan=\"2\">x</td>"
        );
    }
}
