//! Articles that mean harm: each file of `fixtures/hostile/`, in each place of an article.

use std::path::PathBuf;

use anp::article::Value;

use super::judge::judge;
use super::support::{article, full_fields, group, page, render, text};
use super::work::is_linear;
use crate::cases::cases;

/// Name and text of each hostile fixture.
fn fixtures() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile");
    let mut fixtures: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read_to_string(entry.path()).unwrap(),
            )
        })
        .collect();
    fixtures.sort();
    assert!(fixtures.len() >= 15);
    fixtures
}

/// Renders, judges, and looks for the ordinary text that follows the hostile part.
fn survives(name: &str, markdown: &str) {
    println!("{name}");
    let page = page(&article("Title", &full_fields(), markdown));
    let dom = judge(&page);
    let body = &dom.document.find("article")[0].elements()[1];
    for hidden in ["alert(1)\"", "@import"] {
        assert!(
            !body
                .descendants()
                .iter()
                .any(|node| node.attributes().iter().any(|(_, value)| value == hidden))
        );
    }
}

#[test]
fn hostile_bodies() {
    for (name, hostile) in fixtures() {
        survives(&name, &hostile);
        survives(
            &format!("{name} in a paragraph"),
            &format!("text {hostile} text"),
        );
        survives(
            &format!("{name} in a quote"),
            &hostile
                .lines()
                .map(|line| format!("> {line}\n"))
                .collect::<String>(),
        );
        survives(
            &format!("{name} in a list"),
            &hostile
                .lines()
                .map(|line| format!("- {line}\n"))
                .collect::<String>(),
        );
        survives(
            &format!("{name} in a table"),
            &format!(
                "| a | b |\n|---|---|\n{}",
                hostile
                    .lines()
                    .map(|line| format!("| {line} | x |\n"))
                    .collect::<String>()
            ),
        );
        survives(
            &format!("{name} in code"),
            &format!("~~~~\n{hostile}\n~~~~\n"),
        );
        survives(
            &format!("{name} in a heading"),
            &format!("# {}", hostile.replace('\n', " ")),
        );
        survives(
            &format!("{name} in a note"),
            &format!("x[^1]\n\n[^1]: {}", hostile.replace('\n', "\n    ")),
        );
        survives(
            &format!("{name} line by line"),
            &hostile
                .lines()
                .map(|line| format!("{line}\n\n"))
                .collect::<String>(),
        );
    }
}

#[test]
fn text_after_a_hostile_block_is_still_text_of_the_article() {
    for (name, hostile) in fixtures() {
        if [
            "comments.html",
            "rawtext.html",
            "json-ld.txt",
            "broken-tag.html",
        ]
        .contains(&&*name)
        {
            continue; // these end in something that by Markdown's rules swallows the rest
        }
        let markdown = format!("{hostile}\n\n---\n\nThe *sentinel* stands.\n");
        let dom = judge(&page(&article("Title", &[], &markdown)));
        let body = &dom.document.find("article")[0].elements()[1];
        assert!(body.text().contains("The sentinel stands."), "{name}");
    }
}

#[test]
fn hostile_fields() {
    for (name, hostile) in fixtures() {
        println!("{name}");
        let hostile = hostile.as_str();
        let mut fields: Vec<_> = full_fields()
            .into_iter()
            .map(|(name, _)| (name, text(hostile)))
            .collect();
        fields.push((
            "categories",
            Value::List(vec![text(hostile), group(&[(hostile, text(hostile))])]),
        ));
        for (field, value) in &mut fields {
            match *field {
                "ai_outline" => *value = group(&[(hostile, text(hostile))]),
                "tags" => *value = Value::List(vec![text(hostile); 3]),
                "image_sources" => {
                    *value = Value::List(vec![group(&[
                        ("source", text(hostile)),
                        ("url", text("https://e.org/a.png")),
                        ("caption", text(hostile)),
                    ])]);
                }
                _ => {}
            }
        }
        let rendered = render(&article(hostile, &fields, "![a](https://e.org/a.png)")).unwrap();
        let dom = judge(&String::from_utf8(rendered.page).unwrap());
        assert_eq!(dom.errors, Vec::<String>::new());
        let meta: serde_json::Value = serde_json::from_slice(&rendered.meta).unwrap();
        assert_eq!(meta["metadata"]["tags"][2], hostile);
        assert!(!rendered.meta.contains(&b'\n'));
    }
}

#[test]
fn a_url_among_the_fields_is_a_link_only_if_it_may_be() {
    let source = |url: &str| Value::List(vec![group(&[("url", text(url))])]);
    for (url, links) in [
        ("https://e.org/x", 1),
        ("javascript://e.org/%0aalert(1)", 0),
        ("x", 0),
    ] {
        let dom = judge(&page(&article("T", &[("image_sources", source(url))], "x")));
        assert_eq!(
            dom.document.find("aside")[0].find("a").len(),
            links,
            "{url}"
        );
    }
}

/// What the parser copies into every block that follows, if it is left open.
const FORMATTING: &str = "<b><i><u><s><em><strong><code><small>";

#[test]
fn promise_10_tag_soup_is_refused_or_rendered_with_linear_work() {
    let bodies = [
        ("mis-nested formatting", "<b><i>".repeat(40_000 / 6)),
        (
            "in a block",
            format!("<div>{}</div>", "<b><i><u><p>".repeat(40_000 / 12)),
        ),
        (
            "closers out of order",
            "<b><i><u></b></i></u><p>".repeat(2_000),
        ),
        (
            "with attributes",
            (0..4_000)
                .map(|n| format!("<a href=/{n} title={n}><p>"))
                .collect(),
        ),
        (
            "hidden closers",
            "<div><table><td></div></table><b>".repeat(4_000),
        ),
        ("tables in tables", "<table><tr><td>".repeat(4_000)),
        ("unknown tags", "<x><y>".repeat(20_000)),
        ("end tags", "</b></i>".repeat(20_000)),
        (
            "attributes without end",
            format!("<b {}", "a ".repeat(200_000)),
        ),
        (
            "many attributes",
            format!(
                "<b {}>x",
                (0..50_000).map(|n| format!("a{n}=1 ")).collect::<String>()
            ),
        ),
        ("self-closed elements", "<iframe/>".repeat(40_000)),
        (
            "self-closed elements before an end tag",
            "<video/>".repeat(20_000) + "</video>",
        ),
        ("unclosed elements", "<select><svg>".repeat(20_000)),
        ("ids", "<a id=a></a>".repeat(5_000)),
        ("links within the page", "[a](#b) ".repeat(5_000)),
        ("raw headings", "<h2>a</h2>".repeat(5_000)),
        ("open comments", "<!--".repeat(50_000)),
        ("scripts", "<script>".repeat(50_000)),
        ("less-than signs", "<".repeat(200_000)),
        ("quotes", format!("{}x", "> ".repeat(5_000))),
        ("lists", format!("{}x", "- ".repeat(5_000))),
        ("emphasis", "*a **b ".repeat(10_000)),
        ("brackets", "![[".repeat(20_000)),
        ("same headings", "# a\n".repeat(5_000)),
        ("footnotes", format!("{}\n\n[^1]: x", "[^1] ".repeat(5_000))),
        (
            "wide table",
            format!(
                "|{}\n|{}\n{}",
                "a|".repeat(2_000),
                "-|".repeat(2_000),
                "|\n".repeat(2_000)
            ),
        ),
        ("entities", "&amp;".repeat(40_000)),
        (
            "unclosed paragraphs",
            format!("{FORMATTING}\n\n{}", "<p>x".repeat(50_000)),
        ),
        (
            "blocks that end a paragraph",
            format!(
                "<p>{}{}",
                FORMATTING.repeat(3),
                "<div>x</div>".repeat(5_000)
            ),
        ),
        (
            "Markdown that ends a paragraph",
            format!("<p>{}\n\n{}", FORMATTING.repeat(3), "x\n\n".repeat(5_000)),
        ),
        (
            "blocks in a line",
            format!(
                "text {}{}",
                FORMATTING.repeat(3),
                "<div>x</div>".repeat(5_000)
            ),
        ),
        (
            "items",
            format!("<ul><li>{}{}", FORMATTING.repeat(3), "<li>x".repeat(5_000)),
        ),
        (
            "terms",
            format!("<dl><dt>{}{}", FORMATTING.repeat(3), "<dd>x".repeat(5_000)),
        ),
        (
            "rows",
            format!("<table>{}{}", FORMATTING.repeat(3), "<tr>x".repeat(5_000)),
        ),
        (
            "rows after a cell",
            format!(
                "<table><tr><td>{}{}",
                FORMATTING.repeat(3),
                "<tr>x".repeat(5_000)
            ),
        ),
        (
            "links in links",
            format!(
                "<a href=x>{}{}",
                FORMATTING.repeat(3),
                "<a href=y><div>x</div>".repeat(5_000)
            ),
        ),
    ];
    for (name, markdown) in cases("tag soup", 3).map_while(|number| bodies.get(number)) {
        is_linear(name, markdown);
        match render(&article("T", &[], markdown)) {
            Ok(rendered) => {
                assert!(
                    rendered.page.len() <= 8 * markdown.len() + 96 * 1024,
                    "{name}"
                );
                judge(&String::from_utf8(rendered.page).unwrap());
            }
            Err(error) => assert!(error.code.starts_with("body."), "{name}: {error}"),
        }
    }
}

#[test]
fn mis_nested_formatting_of_40_kb_is_refused_with_a_clear_error() {
    let soup = "<b><i>".repeat(7_000);
    let error = render(&article("T", &[], &soup)).unwrap_err();
    assert_eq!(error.code, "body.nesting");
    assert_eq!(
        error.to_string(),
        "expected lists, quotes and HTML tags to nest at most 100 deep, found more"
    );
}

#[test]
fn lists_and_quotes_may_nest_as_deep_as_is_documented() {
    let nested =
        |mark: &str, deep: usize| render(&article("T", &[], &format!("{}x", mark.repeat(deep))));
    for mark in ["- ", "1. ", "> ", "- > "] {
        let deep = 64 * 2 / mark.len().min(4);
        let page = String::from_utf8(nested(mark, deep).unwrap().page).unwrap();
        judge(&page);
        assert_eq!(nested(mark, 5_000).unwrap_err().code, "body.nesting");
    }
    let deepest = format!(
        "{}{}x{}<b>{}",
        "- ".repeat(64),
        "*a **b ".repeat(32),
        "** *".repeat(32),
        "<i>".repeat(99)
    );
    judge(&page(&article("T", &[], &deepest)));
}

#[test]
fn a_body_that_grows_out_of_proportion_is_refused() {
    // Each reference of five bytes makes a link there and a link back.
    let markdown = format!("{}\n\n[^1]: x", "[^1] ".repeat(5_000));
    let error = render(&article("T", &[], &markdown)).unwrap_err();
    assert_eq!(error.code, "body.size");
    assert!(error.to_string().starts_with("expected a body of at most "));
}
