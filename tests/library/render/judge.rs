//! What must be true of every page, whatever its article says.

use std::collections::HashSet;

use super::dom::{Dom, Handle, Kind, parse};

/// Elements that the body of an article may consist of.
const BODY_ELEMENTS: &str = "a abbr b bdi blockquote br caption cite code dd del details dfn div dl dt em figcaption \
    figure h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp section small span strong sub summary \
    sup table tbody td tfoot th thead time tr u ul var wbr";

/// Attributes that may stand in the body of an article.
const BODY_ATTRIBUTES: &str = "alt aria-label aria-labelledby class colspan datetime decoding dir height href id lang \
    loading open role rowspan scope src start tabindex title width";

/// Classes that the renderer itself gives in a body.
const BODY_CLASSES: &str = "alert end kind math mid notes scroll task anchor";

/// Parses the page and checks everything that no article may break. Returns the tree.
pub fn judge(page: &str) -> Dom {
    let dom = parse(page);
    assert!(!dom.is_quirky, "quirks mode");
    let all = dom.document.descendants();
    for node in &all {
        assert!(node.is_html(), "foreign element {}", node.name());
        for (name, value) in node.attributes() {
            assert!(
                !name.starts_with("on"),
                "event handler {name} on {}",
                node.name()
            );
            assert!(
                ![
                    "style",
                    "srcdoc",
                    "srcset",
                    "action",
                    "formaction",
                    "ping",
                    "background"
                ]
                .contains(&&*name),
                "{name}"
            );
            if ["href", "src"].contains(&&*name) {
                check_url(node, &value);
            }
        }
        let text = node.own_text();
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'),
            "control in {text:?}"
        );
        assert!(
            !text.contains(['\u{202e}', '\u{202d}', '\u{2067}']),
            "bidi control in {text:?}"
        );
    }
    check_frame(&dom);
    check_ids(&all);
    check_headings(&all);
    dom
}

fn check_url(node: &Handle, url: &str) {
    // As a browser reads it: no tabs and line ends, no controls and blanks around it.
    let url: String = url
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect();
    let url = url.trim_matches(|c: char| c <= ' ').to_lowercase();
    // A backslash is written as %5C: no scheme has one in it, so it ends the head as a slash does.
    let url = url.replace("%5c", "/");
    let head = url.split(['/', '?', '#']).next().unwrap();
    if let Some((scheme, _)) = head.split_once(':') {
        let allowed: &[&str] = if node.name() == "a" || node.name() == "link" {
            &["http", "https", "mailto", "tel", "sms"]
        } else {
            &["http", "https"]
        };
        assert!(
            allowed.contains(&scheme),
            "scheme of {url:?} on {}",
            node.name()
        );
    }
}

/// The frame of the page: nothing of the article lies outside the article.
fn check_frame(dom: &Dom) {
    let html = &dom.document.elements()[0];
    assert_eq!(names(&dom.document), ["html"]);
    assert_eq!(names(html), ["head", "body"]);
    let body = &html.elements()[1];
    let mut frame = names(body);
    frame.retain(|name| name != "aside"); // the meta box: only where there is metadata
    assert_eq!(frame, ["a", "header", "main", "footer"]);
    let aside = body
        .elements()
        .iter()
        .position(|node| node.name() == "aside");
    assert!(
        aside.is_none_or(|at| at == 3),
        "the meta box stands between article and footer"
    );
    let main = &body.elements()[2];
    assert_eq!(names(main), ["article"]);
    let article = &main.elements()[0];
    let mut parts = names(article);
    parts.retain(|name| name != "nav"); // the contents: only of a long article
    assert_eq!(parts, ["header", "div"]);
    for frame in [html, body, main, article] {
        assert_eq!(
            frame.own_text().trim(),
            "",
            "stray text in {}",
            frame.name()
        );
        let has_comment = frame
            .children
            .borrow()
            .iter()
            .any(|child| matches!(child.kind, Kind::Comment));
        assert!(!has_comment, "comment in {}", frame.name());
    }
    let parts = article.elements();
    let content = parts.last().unwrap();
    assert_eq!(content.attribute("class").as_deref(), Some("body"));
    for node in content.descendants() {
        assert!(
            BODY_ELEMENTS
                .split_whitespace()
                .any(|known| known == node.name()),
            "element {}",
            node.name()
        );
        for (name, value) in node.attributes() {
            assert!(
                BODY_ATTRIBUTES
                    .split_whitespace()
                    .any(|known| known == name),
                "{name} on {}",
                node.name()
            );
            if name == "class" {
                let is_known = BODY_CLASSES.split_whitespace().any(|known| known == value);
                assert!(
                    is_known || node.name() == "code" && value.starts_with("language-"),
                    "class {value}"
                );
            }
        }
    }
    let scripts = html.find("script");
    assert_eq!(scripts.len(), 1);
    assert_eq!(
        scripts[0].attribute("type").as_deref(),
        Some("application/ld+json")
    );
    serde_json::from_str::<serde_json::Value>(&scripts[0].text()).expect("JSON-LD is JSON");
    assert_eq!(html.find("style").len(), 1);
}

fn names(node: &Handle) -> Vec<String> {
    node.elements()
        .iter()
        .map(|child| child.name().to_owned())
        .collect()
}

fn check_ids(all: &[Handle]) {
    let mut seen = HashSet::new();
    for id in all.iter().filter_map(|node| node.attribute("id")) {
        assert!(seen.insert(id.clone()), "id {id} twice");
    }
    for label in all
        .iter()
        .filter_map(|node| node.attribute("aria-labelledby"))
    {
        assert!(seen.contains(&label), "no id {label}");
    }
}

fn check_headings(all: &[Handle]) {
    let levels: Vec<u8> = all
        .iter()
        .filter(|node| {
            node.name().len() == 2 && node.name().starts_with('h') && node.name() != "hr"
        })
        .map(|node| node.name().as_bytes()[1] - b'0')
        .collect();
    assert_eq!(
        levels.iter().filter(|level| **level == 1).count(),
        1,
        "{levels:?}"
    );
    assert_eq!(levels[0], 1, "{levels:?}");
    for pair in levels.windows(2) {
        assert!(pair[1] <= pair[0] + 1, "a level is skipped: {levels:?}");
    }
}

#[test]
fn the_judge_does_object() {
    let good = super::support::page(&super::support::article("T", &[], "## x\n\nbody"));
    judge(&good);
    for bad in [
        good.replace("<p>body", "<p onclick=x>body"),
        good.replace("<p>body", "<p style=x>body"),
        good.replace("<p>body", "<iframe></iframe><p>body"),
        good.replace("<p>body", "<a href=' java\tscript:x'>y</a><p>body"),
        good.replace("<p>body", "</article><p>body"),
        good.replace("<p>body", "</div></article></main><p>body"),
        good.replace("<p>body", "<h1>second</h1><p>body"),
        good.replace("<p>body", "<h5>deep</h5><p>body"),
        good.replace("<p>body", "<h2 id=x>again</h2><p>body"),
        good.replace("<p>body", "<svg></svg><p>body"),
        good.replace("\"headline\"", "</script>\"headline\""),
        good.replace("<!doctype html>", ""),
    ] {
        assert!(bad != good);
        let verdict = std::panic::catch_unwind(|| judge(&bad).errors.len());
        assert!(verdict.is_err(), "accepted: {bad}");
    }
}
