//! HTML as editors write it, and what a browser shows of it.

use proptest::prelude::*;

use super::super::dom::{Handle, Kind};

fn words() -> impl Strategy<Value = String> {
    let pieces = [
        "word",
        " ",
        "a &amp; b",
        "&lt;x&gt;",
        "*star*",
        "# no",
        "&eacute;t&eacute;",
        "AT&T",
        "1 < 2",
        "\n",
        "[x](y)",
        "&nbsp;",
        "{{ x }}",
        "&#8217;",
        "é",
        "  ",
        "> q",
        "`c`",
        "&copy 2020",
        "<!-- note -->",
    ];
    let piece = proptest::sample::select(pieces.to_vec());
    proptest::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

/// Content of a line.
fn line() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => words(),
        1 => Just("<br>".to_owned()),
        1 => Just("<img src=\"/a.png\" alt=\"b\" width=\"5\">".to_owned()),
        1 => words().prop_map(|text| format!("<code>{text}</code>")),
        1 => words().prop_map(|text| format!("x<a href=\"/x?a=1&amp;b\" title=\"c\">{text}</a>")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let tags = [
            "em", "strong", "b", "i", "span", "sup", "del", "kbd", "small",
        ];
        let tag = proptest::sample::select(tags.to_vec());
        (tag, proptest::collection::vec(inner, 1..4))
            .prop_map(|(tag, inner)| format!("<{tag}>{}</{tag}>", inner.concat()))
    })
}

fn lines() -> impl Strategy<Value = String> {
    proptest::collection::vec(line(), 1..4).prop_map(|parts| parts.concat())
}

fn blocks() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => lines().prop_map(|line| format!("<p class=\"a\">x{line}</p>\n")),
        2 => lines().prop_map(|line| format!("<p>x{line}\n")),
        2 => (1..7, lines()).prop_map(|(level, line)| format!("<h{level}>x{line}</h{level}>\n")),
        1 => (2..5, lines()).prop_map(|(level, line)| format!("<h{level} id=\"own-{level}\">x{line}</h{level}>")),
        1 => words().prop_map(|text| format!("<pre><code class=\"language-rust\">{text}</code></pre>")),
        1 => words().prop_map(|text| format!("<pre>x{text}</pre>")),
        1 => Just("<hr>\n".to_owned()),
        1 => lines().prop_map(|line| format!("<table><thead><tr><th>x{line}</th></tr></thead><tr><td>y<td>z</table>")),
        1 => lines().prop_map(|line| format!("<figure><img src=\"b.png\"><figcaption>{line}</figcaption></figure>")),
        1 => lines().prop_map(|line| format!("<dl><dt>x<dd>{line}</dl>")),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let tags = [
            "div",
            "section",
            "blockquote",
            "article",
            "ul",
            "ol",
            "open list",
            "table",
        ];
        let tag = proptest::sample::select(tags.to_vec());
        (tag, proptest::collection::vec(inner, 1..4)).prop_map(|(tag, inner)| {
            let inner = inner.concat();
            match tag {
                "ul" | "ol" => format!("<{tag}>\n<li>{inner}</li>\n<li>x</li></{tag}>"),
                "open list" => format!("<ul>\n<li>{inner}<li>x</ul>"),
                "table" => format!("<table><tr><td>{inner}</td></tr></table>"),
                _ => format!("<{tag}>{inner}</{tag}>\n"),
            }
        })
    })
}

/// A body of HTML.
pub fn document() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![5 => blocks(), 1 => lines()], 1..5)
        .prop_map(|blocks| blocks.concat())
}

/// The text of a node as shown: white space is one space, blocks and line breaks are apart.
pub fn shown(node: &Handle) -> String {
    let mut text = String::new();
    write(node, &mut text);
    let words = text.split(|c: char| c.is_ascii_whitespace());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn write(node: &Handle, out: &mut String) {
    if let Kind::Text(text) = &node.kind {
        out.push_str(&text.borrow());
    }
    let parts = [
        "a", "b", "code", "del", "em", "i", "img", "kbd", "small", "span", "strong", "sup",
    ];
    let is_block = !node.name().is_empty() && !parts.contains(&node.name());
    if is_block {
        out.push('\n');
    }
    for child in node.children.borrow().iter() {
        write(child, out);
    }
    if is_block {
        out.push('\n');
    }
}

/// The texts of the headings of a node.
pub fn headings(node: &Handle) -> Vec<String> {
    let names = ["h1", "h2", "h3", "h4", "h5", "h6"];
    let all = node.descendants().into_iter();
    all.filter(|node| names.contains(&node.name()))
        .map(|node| shown(&node))
        .collect()
}
