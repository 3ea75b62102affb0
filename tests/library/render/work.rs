//! Promise 10: the work that a body makes grows with its length, whatever stands in it. Counted,
//! not timed: what html5ever would search and scan for the body that it is given.

use anp::render::stages::to_be_cleaned;
use proptest::prelude::*;

use super::dom::{Dom, Handle, Kind, parse};
use super::judge::judge;
use super::soup::soup;
use super::support::{article, render};
use crate::cases::cases;

/// Bytes that html5ever's serialiser goes over to escape `text`: all of it, and from each `&`, and
/// from each first byte of a no-break space and its like, what is left up to a bracket.
fn scanned(text: &str) -> usize {
    let mut scanned = text.len();
    let mut bracket = text.len();
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b'<' | b'>' => bracket = at,
            b'&' | 0xc2 => scanned += bracket - at,
            _ => {}
        }
    }
    scanned
}

fn scanned_below(node: &Handle) -> usize {
    let own = match &node.kind {
        Kind::Text(text) => scanned(&text.borrow()),
        Kind::Element { .. } => node.attributes().iter().map(|(_, v)| scanned(v)).sum(),
        _ => 0,
    };
    own + node
        .children
        .borrow()
        .iter()
        .map(scanned_below)
        .sum::<usize>()
}

/// Parses what the sanitiser is given for `markdown`; none if that is refused.
fn read(markdown: &str) -> Option<(usize, Dom)> {
    let html = to_be_cleaned(&article("T", &[], markdown)).ok()?;
    Some((html.len(), parse(&html)))
}

/// Bodies of about `bytes` bytes, each of one kind.
fn family(bytes: usize) -> Vec<(&'static str, String)> {
    let fill = |head: &str, unit: &str| head.to_owned() + &unit.repeat(bytes / unit.len());
    vec![
        ("paragraphs in a table", fill("<table>\n\n", "a\n\n")),
        ("paragraphs in a row", fill("<table><tr>\n\n", "a\n\n")),
        (
            "emphasis in a table body",
            fill("<table><tbody>\n\n", "*a*\n\n"),
        ),
        ("lists in a table", fill("<table>\n\n", "- a\n\nb\n\n")),
        ("rules in a table", fill("<table>\n\n", "***\n\n")),
        ("figures in a table", fill("<table>\n\n", "![a](b)\n\n")),
        ("tables in a table", fill("<table>\n\n", "a|b\n-|-\n\n")),
        ("notes in a table", fill("<table>\n\n", "[^a]: b\n\n")),
        (
            "rows between paragraphs",
            fill("<table>\n\n", "<tr><td>a</td></tr>\n\nb\n\n"),
        ),
        (
            "text between rows",
            fill("<table>", "a<tr><td>b</td></tr><b>c</b>"),
        ),
        (
            "tables that are not closed",
            fill("", "<table>\n\na\n\n<tr>\n\nb\n\n"),
        ),
        (
            "tight items",
            fill("- <pre></pre><table>\n", "  *a* `b` ![c](d)\n"),
        ),
        (
            "closed too early",
            fill("<table><tr><td>\n\n", "a\n\n</table>\n\nb\n\n<tr>\n\n"),
        ),
        ("ampersands", fill("<b>x</b>\n\n```\n", "&")),
        ("no-break spaces", fill("<b>x</b>\n\n", "\u{a0}")),
        ("middle dots", fill("<b>x</b>\n\n", "·")),
        (
            "ampersands in a title",
            fill("<abbr title=\"", "&") + "\">x</abbr>",
        ),
        (
            "ampersands in an address",
            fill("<b>x</b>[a](/?", "&") + ")",
        ),
        (
            "ampersands in a description",
            fill("<b>x</b>![", "&") + "](y)",
        ),
        ("references", fill("<b>x</b>", "&copy;&amp&nbsp;")),
        (
            "ampersands, then text",
            fill("<b>x</b>", "&").replace("&&&&&&&&&&&&&&&&", "&xxxxxxxxxxxxxxx"),
        ),
    ]
}

/// Asserts that cleaning `markdown` makes no more work a byte than a short text; false where it is
/// refused before it is cleaned.
pub fn is_linear(name: &str, markdown: &str) -> bool {
    let Some((bytes, dom)) = read(markdown) else {
        return false;
    };
    assert_eq!(dom.siblings_searched, 0, "{name}");
    // Each special character of a piece of about 1,024 bytes scans the rest of that piece.
    let scanned = scanned_below(&dom.document);
    assert!(scanned <= 1_100 * bytes, "{name}: {scanned} for {bytes}");
    true
}

#[test]
fn promise_10_a_long_body_makes_no_more_work_a_byte_than_a_short_one() {
    let family = family(30_000);
    for (name, markdown) in cases("family", 3).map_while(|number| family.get(number)) {
        assert!(is_linear(name, markdown), "{name} is refused");
        match render(&article("T", &[], markdown)) {
            Ok(rendered) => {
                let page = String::from_utf8(rendered.page).unwrap();
                assert!(!page.contains('\u{fdd0}'), "{name}");
                judge(&page);
            }
            Err(error) => assert_eq!(error.code, "body.size", "{name}"),
        }
    }
}

#[test]
fn what_no_cell_holds_stands_before_its_table() {
    let page = |markdown: &str| {
        let page = super::support::page(&article("T", &[], markdown));
        let body = page.split_once("<table").unwrap();
        (
            body.0.to_owned(),
            body.1.split_once("</table>").unwrap().0.to_owned(),
        )
    };
    let (before, table) =
        page("<table>\n\none\n\n<tr>\n\n> two\n\n<td>three</td>four</tr>\n\n</table>\n\nfive\n");
    let at = |text: &str| {
        before
            .find(text)
            .unwrap_or_else(|| panic!("{text} in {before}"))
    };
    assert!(at("<p>one</p>") < at("two") && at("two") < at("four"));
    assert!(table.contains("<td>three</td>"), "{table}");
    let (before, table) =
        page("<table><tr><td>a\n\n<table>\n\nb\n\n</table>\n\nc</td></tr></table>");
    assert!(!before.contains("<p>b</p>"), "{before}");
    assert!(table.contains("<p>b</p>"), "{table}");
}

#[test]
fn nothing_has_to_be_moved_where_it_once_had_to() {
    for markdown in [
        "<div hidden>\n\n[^1]: <p><table><\n",
        "<div><a id=a><b>x\n\n# y\n\n<table><tr><td>",
        "<div><a><b>\n\n# y\n",
    ] {
        let (_, dom) = read(markdown).unwrap();
        assert_eq!(dom.siblings_searched, 0, "{markdown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_10_nothing_that_is_cleaned_has_to_be_moved(markdown in soup()) {
        if let Some((_, dom)) = read(&markdown) {
            prop_assert_eq!(dom.siblings_searched, 0);
        }
    }
}
