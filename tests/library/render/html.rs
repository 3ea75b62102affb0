//! Bodies of HTML, from the source to the page.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anp::article::{
    Input, Markup, Reading, Route, Rules, Targets, link_places, read, resolve_links,
};
use anp::render::stages::to_be_cleaned;
use proptest::prelude::*;

use super::dom::parse;
use super::judge::judge;
use super::soup::soup;
use super::support::render;

pub mod benign;

/// Reads a source with a body of HTML.
pub fn reading<'a>(source: &'a str, cleaned: &'a OnceLock<String>) -> Reading<'a> {
    let input = Input {
        path: PathBuf::from("x.json").into(),
        relative: Path::new("x.json"),
        markup: Markup::Html,
        bytes: source.as_bytes(),
        cleaned,
    };
    read(&input, &Rules::default())
}

/// The title and the body of the page of an article, without the links of headings to themselves.
fn title_and_body(source: &str) -> (String, String) {
    let cleaned = OnceLock::new();
    let reading = reading(source, &cleaned);
    let article = reading.article.expect("a valid article");
    let page = String::from_utf8(render(&article).unwrap().page).unwrap();
    judge(&page);
    let start = page.find("<div class=\"body\"").expect("a body");
    let start = start + page[start..].find('>').expect("a whole tag") + 1;
    let end = page.find("</article>").expect("an end");
    let mut body = page[start..end].trim().to_owned();
    body.truncate(body.len() - "</div>".len());
    while let Some(at) = body.find("<a class=\"anchor\"") {
        let end = body[at..].find("</a>").expect("an end of a link") + at + 4;
        body.replace_range(at..end, "");
    }
    (article.title, body.trim().to_owned())
}

fn body(html: &str) -> String {
    title_and_body(&format!("{{\"title\": \"T\"}}\n{html}")).1
}

#[test]
fn headings_are_those_of_markdown() {
    for (html, expected) in [
        (
            "<h1>A &amp; <em>B</em></h1><h3>É&eacute;\n  c</h3>",
            "<h2 id=\"a--b\">A &amp; <em>B</em></h2>\n<h3 id=\"éé-c\">Éé c</h3>",
        ),
        (
            "<h2 id=own lang=de>A</h2><h2>own</h2><h2>a</h2><h2>a</h2>",
            "<h2 id=\"own\" lang=\"de\">A</h2>\n<h2>own</h2>\n<h2 id=\"a\">a</h2>\n<h2 id=\"a-1\">a</h2>",
        ),
        (
            "<a href=/y><h3>A</h3></a><table><tr><td><h2>B</h2></table>",
            "<a href=\"/y\"><h2 id=\"a\">A</h2>\n</a><div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table\">\
             <table><tbody><tr><td><h2 id=\"b\">B</h2>\n</td></tr></tbody></table></div>",
        ),
        (
            "<h2>A<p>b</p><h3>C</h3>d</div><h2><div>E</div></h2>",
            "<h2 id=\"a\">A</h2>\n<p>b</p>\n<h3 id=\"c\">C</h3>\nd<h2 id=\"e\">E</h2>",
        ),
        ("<h2>A <b>b</h3>c", "<h2 id=\"a-b\">A <b>b</b></h2>\nc"),
    ] {
        assert_eq!(body(html), expected, "{html}");
    }
}

#[test]
fn what_only_looks_like_a_heading_is_none() {
    for html in [
        "<!-- <h2>x</h2> -->",
        "<script>'<h2>x</h2>'</script>",
        "<style><h2>x</h2></style>",
        "<textarea><h2>x</h2></textarea>",
        "<svg><h2>x</h2></svg>",
        "<template><h2>x</h2></template>",
        "<noscript><h2>x</h2></noscript>",
        "<title><h2>x</h2></title>",
        "<iframe><h2>x</h2></iframe>",
        "<div hidden><div><h2>x</h2></div></div>",
        "<section hidden><section>x</section><h2>x</h2></section>",
        "<h2 style='display: none'>x</h2>",
        "<![CDATA[<h2>x</h2>]]>",
        "<? <h2",
        "<h2 title=\"",
    ] {
        assert_eq!(body(html), "", "{html}");
    }
    for (html, expected) in [
        (
            "<img src=a.png alt='<h2>x</h2>'>",
            "<img src=\"a.png\" alt=\"&lt;h2&gt;x&lt;/h2&gt;\" loading=\"lazy\" decoding=\"async\">",
        ),
        ("<p>a &lt;h2&gt;b", "<p>a &lt;h2&gt;b</p>"),
        ("a < h2 > b <3", "a &lt; h2 &gt; b &lt;3"),
    ] {
        assert_eq!(body(html), expected, "{html}");
    }
}

#[test]
fn the_syntax_of_markdown_is_text() {
    let html = "<p>*a* _b_ `c` [d](e) ~~f~~ https://g.org\n# h\n\n    i</p>\n\n# j\n\n- k\n\n:::note\nl\n:::\n{{ m }}";
    let expected = "<p>*a* _b_ `c` [d](e) ~~f~~ https://g.org\n# h\n\n    i</p>\n\n\n# j\n\n- k\n\n:::note\nl\n:::\n{{ m }}";
    assert_eq!(body(html), expected);
    assert_eq!(
        body("<Strong>a</Strong> <P>b</P>"),
        "<strong>a</strong><p>b</p>"
    );
}

#[test]
fn blocks_and_parts_of_lines_are_those_of_markdown() {
    for (html, expected) in [
        (
            "<pre class=\"wp-block-code\"><code class=\"lang-rust\">a &lt; b\n</code></pre>",
            "<pre tabindex=\"0\"><code class=\"language-rust\">a &lt; b\n</code></pre>",
        ),
        (
            "<pre class=language-c>\n\na</pre><pre>\n\n b</pre>",
            "<pre tabindex=\"0\"><code class=\"language-c\">\na</code></pre>\n<pre>\n\n b</pre>",
        ),
        (
            "<pre><code><span>a</span></code></pre>",
            "<pre><code><span>a</span></code></pre>",
        ),
        (
            "<ol start=3><li>a<li><p>b<p>c</ol>",
            "<ol start=\"3\">\n<li>a</li>\n<li><p>b</p>\n<p>c</p>\n</li>\n</ol>",
        ),
        ("<ul><li>a</ul>", "<ul>\n<li>a</li>\n</ul>"),
        ("<ul>x<li>a</ul>", "<ul>x<li>a</li></ul>"),
        (
            "<blockquote><p>a<p>b</blockquote>",
            "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>",
        ),
        (
            "<p>a<br>b <sup>c</sup><sub>d</sub><del>e</del><code>f &amp; g</code><hr>",
            "<p>a<br>\nb <sup>c</sup><sub>d</sub><del>e</del><code>f &amp; g</code></p>\n<hr>",
        ),
        (
            "<p><img src='/a.png?b&amp;c' width=6 height=4 alt='d &amp; e' title=f srcset=g> h",
            "<p><img src=\"/a.png?b&amp;c\" alt=\"d &amp; e\" title=\"f\" width=\"6\" height=\"4\" loading=\"lazy\" \
             decoding=\"async\"> h</p>",
        ),
        (
            "<p><a href=/x><img src=https://e.org/a.png></a></p>",
            "<figure><a href=\"/x\"><img src=\"https://e.org/a.png\" alt=\"\" loading=\"lazy\" decoding=\"async\"></a>\
             <figcaption><small>Source: e.org</small></figcaption></figure>",
        ),
        (
            "<a href=/x?a=1&copy=2>a</a> <a href='javascript:x'>b</a> <a name=c>d <a href=' /y '>e",
            "<a href=\"/x?a=1&amp;copy=2\">a</a> b <span id=\"c\"></span><a></a>d <a href=\"/y\">e</a>",
        ),
    ] {
        assert_eq!(body(html), expected, "{html}");
    }
}

#[test]
fn the_title_is_the_first_heading_of_level_1() {
    for (html, title, expected) in [
        ("<h1>A &amp;\n<em>b</em></h1><p>c", "A & b", "<p>c</p>"),
        (
            "<style>x{}</style><!-- a --><div><img src=a><h1>A</h1></div>b",
            "A",
            "<div><img src=\"a\" alt=\"\" loading=\"lazy\" decoding=\"async\"></div>b",
        ),
        ("<h1 hidden>A</h1><h1>B</h1>", "B", ""),
        ("a<h1>A</h1>", "A", "a<h2 id=\"a\">A</h2>"),
        (
            "<div>a</div><h1>A</h1>",
            "A",
            "<div>a</div><h2 id=\"a\">A</h2>",
        ),
        (
            "<table><tr><td><h1>B</h1></table><h1>A</h1>",
            "A",
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table\"><table><tbody><tr><td>\
             <h2 id=\"b\">B</h2>\n</td></tr></tbody></table></div><h2 id=\"a\">A</h2>",
        ),
    ] {
        let source = format!("{{\"date\": \"2026-01-01\"}}\n{html}");
        let found = title_and_body(&source);
        assert_eq!(found, (title.to_owned(), expected.to_owned()), "{html}");
    }
    let cleaned = OnceLock::new();
    let without = reading(
        "{\"tags\": [\"a\"]}\n<!-- <h1>A</h1> --><pre><h1>b</h1></pre>",
        &cleaned,
    );
    assert!(without.article.is_none());
    assert_eq!(without.diagnostics[0].code, "title");
}

#[test]
fn a_long_article_has_contents_and_a_description() {
    let sections = (1..6).map(|n| {
        let text = "Some words. ".repeat(150);
        format!("<section><h2>Part {n} &lt;</h2><p>{text}</p></section>\n")
    });
    let source = format!(
        "{{\"title\": \"T\"}}\n<p>First &eacute; <b>words</b>.</p>{}",
        sections.collect::<String>()
    );
    let cleaned = OnceLock::new();
    let article = reading(&source, &cleaned).article.unwrap();
    let page = String::from_utf8(render(&article).unwrap().page).unwrap();
    judge(&page);
    assert!(
        page.contains("<li><a href=\"#part-5-\">Part 5 &lt;</a></li>"),
        "{page}"
    );
    assert!(page.contains("<meta name=\"description\" content=\"First é words.\">"));
}

/// Sources that exist: `a/b.md` alone.
struct OneTarget;

impl Targets for OneTarget {
    fn route_of(&self, path: &Path) -> Option<Route> {
        (path == Path::new("a/b.md")).then(|| Route::parse("/a/b/").unwrap())
    }

    fn source_of(&self, _: &Path) -> Option<PathBuf> {
        None
    }

    fn has_file(&self, _: &Path) -> bool {
        false
    }
}

#[test]
fn links_are_resolved_and_have_places() {
    let source = "{\"title\": \"T\"}\n<p>x <a href=\"a/b.md#c&amp;d\">1</a>\n<a id=e href='a/none.md'>2</a></p>\n\
                  <!-- <a href='a/no.md'> --><div><a class=f href=a/b.md>3</a> <img src=\"no.png\">\n<a href=\"#X\">4</a></div>";
    let cleaned = OnceLock::new();
    let mut article = reading(source, &cleaned).article.unwrap();
    let (links, _) = resolve_links(&mut article, Path::new("x.json"), &OneTarget, "");
    let destinations: Vec<_> = links.destinations.lines().collect();
    let mut expected = vec!["a/b.md#c&d", "a/none.md", "a/b.md", "no.png", "#X"];
    expected.sort_unstable();
    let mut sorted = destinations.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    let page = String::from_utf8(render(&article).unwrap().page).unwrap();
    assert!(page.contains("<a href=\"/a/b/#c&amp;d\">1</a>"), "{page}");
    assert!(page.contains("<a href=\"/a/b/\">3</a>"), "{page}");

    let places = link_places(source.as_bytes(), Markup::Html, 9, |_| true);
    let found: Vec<_> = places
        .iter()
        .map(|(to, place)| (to.as_str(), place.line, place.column))
        .collect();
    assert_eq!(
        found,
        [
            ("a/b.md#c&d", 2, 15),
            ("a/none.md", 3, 15),
            ("a/b.md", 4, 49),
            ("no.png", 4, 72),
            ("#X", 5, 10),
        ]
    );
}

#[test]
fn images_are_counted_and_the_first_is_that_of_the_page() {
    let source = "{\"title\": \"T\"}\n<figure><img src=\"https://e.org/a.png\" width=5></figure><img id=x src=b>";
    let cleaned = OnceLock::new();
    let article = reading(source, &cleaned).article.unwrap();
    assert_eq!((article.body.images, article.body.html_images), (1, 1));
    let page = String::from_utf8(render(&article).unwrap().page).unwrap();
    assert!(
        page.contains("<meta property=\"og:image\" content=\"https://e.org/a.png\">"),
        "{page}"
    );
}

#[test]
fn what_was_left_out_has_its_place() {
    let source = "{\"title\": \"T\"}\n<p>a</p>\n<p>b <font>c</font>\n<iframe src=x></iframe></p>";
    let cleaned = OnceLock::new();
    let article = reading(source, &cleaned).article.unwrap();
    let removals = render(&article).unwrap().removals;
    let found: Vec<_> = removals
        .named
        .iter()
        .map(|removal| {
            let place = article.body.place_of(removal.offset.unwrap());
            (removal.finding().1, place.line, place.column)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("removed <font>, which is not allowed".to_owned(), 3, 6),
            ("removed <iframe>, which is not allowed".to_owned(), 4, 1),
        ]
    );
}

#[test]
fn promise_10_hostile_html_is_bounded() {
    let repeated = |piece: &str, bytes: usize| piece.repeat(bytes / piece.len());
    for piece in [
        "<",
        "<h2>",
        "<h2>a",
        "</h2>",
        "<b>",
        "<a>",
        "<a href=x>",
        "<p>",
        "<div>",
        "<ul><li>",
        "<table>",
        "<table><td><h2>",
        "<pre>",
        "<script>",
        "<svg>",
        "<template>",
        "<plaintext>",
        "<!--",
        "<!",
        "<?",
        "<![CDATA[",
        "<h2 hidden>",
        "<div hidden>",
        "<iframe/>",
        "<video/><audio/>",
        "&eacute;",
        "&xx",
        "&#x41;",
        "<b></i>",
        "<h2><b></h3>",
        "<p><b>",
        "<li>",
        "<em><p>",
        "<h2><div>",
        "<a name=x>",
        "<blockquote>",
        "<sup>",
        "</p>",
        "<b><h2></h2>",
        "<img src=x>",
        "<x y=\"",
        "<h2 id=a>",
        "<code>",
        "<dl><dt>",
    ] {
        let longest = match piece {
            "<" | "&xx" | "<blockquote>" | "<div hidden>" => 4_190_000,
            _ => 100_000,
        };
        for bytes in [4_000, longest] {
            let source = format!("{{\"title\": \"T\"}}\n{}", repeated(piece, bytes));
            let cleaned = OnceLock::new();
            let reading = reading(&source, &cleaned);
            let Some(article) = reading.article else {
                assert_eq!(reading.diagnostics[0].code, "body", "{piece}");
                continue;
            };
            match render(&article) {
                Ok(rendered) => {
                    let page = String::from_utf8(rendered.page).unwrap();
                    if bytes == 4_000 {
                        judge(&page);
                    }
                    assert!(page.len() < 9 * source.len() + 200_000, "{piece}");
                }
                Err(error) => assert!(error.code.starts_with("body."), "{piece}: {error}"),
            }
        }
    }
}

#[test]
fn hostile_fixtures_are_tamed() {
    let around = [
        ("", ""),
        ("<p>text ", " text</p>"),
        ("<h2>", "</h2>"),
        ("<table><tr><td>", "</table>"),
        ("<a href=x>", "</a>"),
        ("<ul><li>", "</ul>"),
        ("<pre><code>", "</code></pre>"),
        ("<div hidden>", "</div>"),
        ("<img alt=\"", "\">"),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile");
    let mut rendered = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for (before, after) in around {
            let source = format!("{{\"title\": \"T\"}}\n{before}{text}{after}\n<h2>sentinel</h2>");
            let cleaned = OnceLock::new();
            let article = reading(&source, &cleaned).article.unwrap();
            println!("{} {before}", path.display());
            judge(&String::from_utf8(render(&article).unwrap().page).unwrap());
            rendered += 1;
        }
    }
    assert!(rendered >= 15 * around.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_html_keeps_the_promises_of_a_page(html in soup()) {
        let source = format!("{{\"title\": \"T\"}}\n{html}");
        let cleaned = OnceLock::new();
        let reading = reading(&source, &cleaned);
        if let Some(article) = &reading.article {
            match render(article) {
                Ok(rendered) => { judge(&String::from_utf8(rendered.page).unwrap()); }
                Err(error) => prop_assert!(error.code.starts_with("body."), "{}", error),
            }
        }
    }

    #[test]
    fn promise_10_nothing_that_is_cleaned_has_to_be_moved(html in soup()) {
        let source = format!("{{\"title\": \"T\"}}\n{html}");
        let cleaned = OnceLock::new();
        let article = reading(&source, &cleaned).article;
        if let Some(html) = article.and_then(|article| to_be_cleaned(&article).ok()) {
            prop_assert_eq!(parse(&html).siblings_searched, 0);
        }
    }

    #[test]
    fn the_page_has_the_text_and_the_headings_that_a_browser_sees(html in benign::document()) {
        let source = format!("{{\"title\": \"T\"}}\n{html}");
        let cleaned = OnceLock::new();
        let article = reading(&source, &cleaned).article.unwrap();
        let page = String::from_utf8(render(&article).unwrap().page).unwrap();
        let dom = judge(&page);
        let content = &dom.document.find("article")[0].elements().pop().unwrap();
        let seen = parse(&format!("<!doctype html><body>{html}"));
        let seen = &seen.document.find("body")[0];
        prop_assert_eq!(benign::shown(content), benign::shown(seen));
        prop_assert_eq!(benign::headings(content), benign::headings(seen));
        for name in ["a", "img", "li", "em", "strong", "td", "blockquote"] {
            let links = content.find(name).into_iter();
            let own = links.filter(|node| node.attribute("class").as_deref() != Some("anchor"));
            prop_assert_eq!(own.count(), seen.find(name).len(), "{}", name);
        }
    }
}
