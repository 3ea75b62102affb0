//! The text of an article: its page as Markdown.

use std::sync::{LazyLock, OnceLock};

use anp::article::Article;
use anp::render::{RenderError, RenderSettings, Renderer};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::html::{benign, reading};
use super::soup::soup;
use super::support::{DIGEST, FULL_BODY, STAMP, article, full_fields, settings, text};

static RENDERER: LazyLock<Renderer> = LazyLock::new(|| {
    let settings = RenderSettings {
        text: true,
        ..settings()
    };
    Renderer::new(&settings).unwrap()
});

const SEAL: &str = "\n<!--anp:30313233343536373839616263646566-->\n";

/// The text of an article, without its digest.
fn text_of(article: &Article<'_>) -> Result<String, RenderError> {
    let rendered = RENDERER.render(article, DIGEST, &STAMP)?;
    let text = String::from_utf8(rendered.text.unwrap()).unwrap();
    let text = text.strip_suffix(SEAL).expect("a digest at the end");
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text:?}");
    judge(text);
    Ok(text.to_owned())
}

/// The text of a body, without the title.
fn body(markdown: &str) -> String {
    let text = text_of(&article("T", &[], markdown)).unwrap();
    without_title(&text)
}

/// The text of a body of HTML, without the title.
fn html_body(html: &str) -> String {
    let source = format!("{{\"title\": \"T\"}}\n{html}");
    let cleaned = OnceLock::new();
    let reading = reading(&source, &cleaned);
    without_title(&text_of(&reading.article.unwrap()).unwrap())
}

fn without_title(text: &str) -> String {
    let text = text.strip_prefix("# T\n").unwrap();
    text.trim_matches('\n').to_owned()
}

fn parsed(text: &str) -> Parser<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    Parser::new_ext(text, options)
}

/// A text has no HTML and no link that runs anything, for whatever reads it as Markdown.
fn judge(text: &str) {
    let mut outside = String::new();
    let mut in_code = false;
    for event in parsed(text) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("{html:?} in {text:?}"),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let scheme = dest_url.split_once(':').map(|(scheme, _)| scheme);
                let is_path = |scheme: &str| scheme.contains(['/', '?', '#', '\\', '%']);
                let known = ["http", "https", "mailto", "tel", "sms"];
                assert!(
                    scheme
                        .is_none_or(|scheme| is_path(scheme)
                            || known.contains(&scheme.to_lowercase().as_str())),
                    "{dest_url:?} in {text:?}"
                );
            }
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(part) if !in_code => outside.push_str(&part),
            _ => {}
        }
    }
    // The characters themselves, too: not all that read Markdown parse it.
    for (at, _) in text.match_indices("<script") {
        let before = &text[..at];
        let is_code = before.matches('`').count() > 0;
        assert!(is_code, "{text:?}");
    }
}

/// The letters that a reader of the Markdown sees, without those of code.
fn letters(text: &str) -> String {
    let mut letters = String::new();
    let mut images = 0;
    for event in parsed(text) {
        match event {
            Event::Start(Tag::Image { .. }) => images += 1,
            Event::End(TagEnd::Image) => images -= 1,
            Event::Text(part) | Event::Code(part) if images == 0 => {
                letters.extend(part.chars().filter(|c| c.is_alphabetic()));
            }
            _ => {}
        }
    }
    letters
}

#[test]
fn a_full_article_is_markdown_of_what_its_page_shows() {
    let article = article("Boring: a <nightly> job", &full_fields(), FULL_BODY);
    insta::assert_snapshot!(text_of(&article).unwrap());
}

#[test]
fn what_markdown_says_stays_as_it_was() {
    for markdown in [
        "A *b* **c** ~~d~~ `e` [f](/g/ \"h\") ![i](/j.png).",
        "a\\\nb",
        "a\nb",
        "- a\n- b\n  - c\n  - d\n- e",
        "- a\n\n  b\n\n- c",
        "3. a\n4. b",
        "- [x] a\n- [ ] b",
        "> a\n>\n> b\n>\n> > c",
        "> [!NOTE]\n> a",
        "```rust\nfn a() {}\n\n```",
        "| a | b |\n| --- | --: |\n| c \\| d | `e` |",
        "## A\n\na\n\n### B\n\nb",
        "1\\. a",
        "\\- a",
        "\\# a",
        "a \\* b \\[c] \\`d\\` snake_case 2 < 3 & AT&T &amp;lt; x^2 C#",
        "a[^1]\n\n[^1]: b",
        "***a***",
    ] {
        assert_eq!(body(markdown), markdown);
    }
}

#[test]
fn other_forms_become_the_usual_ones() {
    for (markdown, expected) in [
        ("* a\n* b", "- a\n- b"),
        ("- - ***", "- - ___"),
        ("_a_ __b__", "*a* **b**"),
        ("A\n=\n\nB\n-", "## A\n\n### B"),
        ("    code\n", "```\ncode\n```"),
        ("a  \nb", "a\\\nb"),
        ("[a][b]\n\n[b]: /c/", "[a](/c/)"),
        ("[https://e.org](https://e.org)", "<https://e.org>"),
        ("<o@p.org>", "[o@p.org](mailto:o@p.org)"),
        ("- a\n\n* b", "- a\n\n* b"),
        ("`` a`b ``", "``a`b``"),
        ("````\n```\n````", "````\n```\n````"),
        ("wow![a](/b/)", "wow![a](/b/)"),
        ("wow\\![a](/b/)", "wow\\![a](/b/)"),
        ("5\\\\\\![a](/b/)", "5\\\\\\![a](/b/)"),
        ("5\\\\\\![^1]\n\n[^1]: b", "5\\\\\\![^1]\n\n[^1]: b"),
        ("C:\\\\\nDir", "C:\\\\\nDir"),
        ("C:\\\\ Dir", "C:\\\\ Dir"),
    ] {
        assert_eq!(body(markdown), expected, "{markdown}");
    }
}

#[test]
fn the_text_of_raw_html_stays_and_its_tags_go() {
    for (markdown, expected) in [
        ("<div>\n\na *b*\n\n</div>\n\nc", "a *b*\n\nc"),
        ("H<sub>2</sub>O 10<sup>9</sup>", "H2O 10^9"),
        ("<kbd>Ctrl</kbd> <b>x</b> <i>y</i>", "`Ctrl` **x** *y*"),
        ("<details><summary>A</summary>\n\nb\n\n</details>", "A\n\nb"),
        ("a<br>b", "a\\\nb"),
        ("<script>alert(1)</script>\n\nb", "b"),
        ("<!-- a -->\n\nb", "b"),
        ("<a href=\"javascript:x\">a</a>", "a"),
        ("<a href=\"/a`b\">a</a> `c`", "[a](/a%60b) `c`"),
        ("[a](javascript:x)", "a"),
        ("![a](javascript:x)", "a"),
        ("&lt;script&gt;", "&lt;script>"),
        ("<p onclick=\"x()\">a</p>", "a"),
        (
            "<table><tr><td>a\n\n> [!TIP]\n> b\n\nc</td></tr></table>",
            "| a Tip b c |\n| --- |",
        ),
        ("<h2>a\n\n> [!TIP]\n> b\n\nc</h2>", "## a Tip b c"),
    ] {
        assert_eq!(body(markdown), expected, "{markdown}");
    }
}

#[test]
fn html_becomes_markdown() {
    for (html, expected) in [
        ("<h2>A</h2><p>b</p><p>c</p>", "## A\n\nb\n\nc"),
        (
            "a<ul><li>b<ol><li>c</ol><li><p>d</p></ul>",
            "a\n\n- b\n  1. c\n- d",
        ),
        (
            "<table><tr><th>a<th>b<tr><td>c|d<td><ul><li>e<li>f</ul></table>",
            "| a | b |\n| --- | --- |\n| c\\|d | e f |",
        ),
        (
            "<table><tr><td colspan=2>a<tr><td>b<td>c<tr><td>d</table>",
            "| a |  |\n| --- | --- |\n| b | c |\n| d |  |",
        ),
        (
            "<table><tr><td>a<table><tr><td>b</table></table>",
            "| a b |\n| --- |",
        ),
        (
            "<pre><code class=\"language-sh\">a\n  b</code></pre>",
            "```sh\na\n  b\n```",
        ),
        ("<pre>a *b*\nc</pre>", "```\na *b*\nc\n```"),
        ("<blockquote><p>a</p></blockquote>b", "> a\n\nb"),
        (
            "<figure><img src=\"/a.png\" alt=\"b\"><figcaption>c</figcaption></figure>",
            "![b](/a.png)\n\nc",
        ),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\n: b\n\nc\n: d"),
        ("<q>a</q> <u>b</u> <mark>c</mark>", "\"a\" b c"),
        ("<p><em> a </em>b</p>", "*a* b"),
        ("<p>a<em>\"b\"</em></p>", "a\"b\""),
        ("<p><del>a<br><del>b</del></del></p>", "~~a\\\nb~~"),
        ("<p><del><br><del>b</del></del></p>", "~~b~~"),
        ("<p><em>a</em><em>b</em></p>", "*a*b"),
        ("<p>a</p>\n<hr>\n<p>b</p>", "a\n\n___\n\nb"),
        ("<ul><li></li><li>a</li></ul>", "-\n- a"),
    ] {
        assert_eq!(html_body(html), expected, "{html}");
    }
}

#[test]
fn only_text_stands_behind_the_mark_of_a_definition() {
    let code = "<pre>&lt;script&gt;</pre>";
    for (definition, expected) in [
        (code.to_owned(), "a\n\n```\n<script>\n```"),
        (format!("b{code}"), "a\n: b\n```\n<script>\n```"),
        (
            format!("b<dl><dt>c<dd>d{code}</dl>"),
            "a\n: b\n\nc\n: d\n```\n<script>\n```",
        ),
        (
            format!("<ol start=3><li>{code}</ol>"),
            "a\n\n3. ```\n   <script>\n   ```",
        ),
        (
            format!("<blockquote>{code}</blockquote>"),
            "a\n\n> ```\n> <script>\n> ```",
        ),
        ("<ul><li>b</ul>c".to_owned(), "a\n\n- b\n\nc"),
        ("<hr>".to_owned(), "a\n\n___"),
        ("<h3>b</h3>".to_owned(), "a\n\n## b"),
        ("<table><tr><td>b</table>".to_owned(), "a\n\n| b |\n| --- |"),
        ("<p>b</p><p>c</p>".to_owned(), "a\n: b\n\nc"),
        ("b<br>c".to_owned(), "a\n: b\\\nc"),
        (String::new(), "a"),
    ] {
        let html = format!("<dl><dt>a<dd>{definition}</dl>");
        assert_eq!(html_body(&html), expected, "{html}");
    }
    // A line behind a table would be a row of it, whose bars end cells and their code.
    let html = "<dl><dt><table><tr><td>a</table><dd><code>b|&lt;i&gt;</code></dl>";
    assert_eq!(html_body(html), "| a |\n| --- |\n\n: `b|<i>`");
    let html = "<dl><dt>a<dt>b<dd>c<dd>d</dl>";
    assert_eq!(html_body(html), "a\nb\n: c\n\n: d");
}

#[test]
fn what_its_author_hides_is_not_in_the_text() {
    for hidden in [
        "<div hidden>\n\nsecret *secret*\n\n</div>\n\nshown",
        "<p hidden>secret</p>\n\nshown",
        "<div style=\"display: none\">secret <p>secret</p></div>\n\nshown",
        "shown <span hidden>secret</span>",
        "<details hidden><summary>secret</summary>secret</details>\n\nshown",
        "<table><tr hidden><td>secret</td></tr><tr><td>shown</td></tr></table>",
        "shown\n\n<!-- secret -->",
        "shown <img hidden src=\"/secret.png\" alt=\"secret\">",
        "<style>secret</style>\n\nshown",
        "<div hidden>[^1]</div>\n\nshown",
    ] {
        for text in [body(hidden), html_body(hidden)] {
            assert!(!text.contains("secret") && text.contains("shown"), "{text}");
        }
    }
}

#[test]
fn a_summary_is_a_paragraph_and_other_fields_are_no_part() {
    let fields = [
        ("summary", text("What *it* is <about>.")),
        ("topic", text("secret")),
        ("author", text("secret")),
    ];
    let text = text_of(&article("A _title_", &fields, "b")).unwrap();
    assert_eq!(
        text,
        "# A \\_title\\_\n\nWhat \\*it\\* is &lt;about>.\n\nb\n"
    );
    assert_eq!(text_of(&article("A", &[], "")).unwrap(), "# A\n");
}

#[test]
fn without_the_setting_there_is_no_text_and_no_link_to_one() {
    let plain = Renderer::new(&settings()).unwrap();
    let article = article("A", &[], "b");
    let without = plain.render(&article, DIGEST, &STAMP).unwrap();
    let with = RENDERER.render(&article, DIGEST, &STAMP).unwrap();
    let link = "<link rel=\"alternate\" type=\"text/markdown\" \
                href=\"https://example.org/notes/sample/index.md\">\n";
    let page = String::from_utf8(with.page).unwrap();
    assert!(page.contains(link), "{page}");
    assert_eq!(
        String::from_utf8(without.page).unwrap(),
        page.replace(link, "")
    );
    assert_eq!((without.text, without.meta), (None, with.meta));
    assert_ne!(plain.digest(&article, b""), RENDERER.digest(&article, b""));
}

#[test]
fn promise_10_a_text_is_bounded_however_deep_its_lines_stand() {
    let quotes = ">".repeat(60);
    let lines = format!("{quotes} a\n{}", "a\n".repeat(400_000));
    for body in [
        lines,
        format!("{}{}", "<blockquote>".repeat(60), "a<p>".repeat(200_000)),
        format!(
            "{}<pre>{}</pre>",
            "<ul><li>".repeat(40),
            "a\n".repeat(400_000)
        ),
        "a|".repeat(300_000),
        "*a* ".repeat(300_000),
        "[a](b) ".repeat(200_000),
        "<b>".repeat(90) + &"a<br>".repeat(200_000),
    ] {
        let length = body.len();
        match text_of(&article("T", &[], &body)) {
            Ok(text) => assert!(text.len() <= 8 * length + 70_000),
            Err(error) => assert!(error.code.starts_with("body."), "{error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_text_of_any_body_is_safe(markdown in soup()) {
        if let Err(error) = text_of(&article("T", &[], &markdown)) {
            prop_assert!(error.code.starts_with("body."), "{}", error);
        }
    }

    #[test]
    fn any_text_may_stand_in_title_and_summary(one in soup(), other in any::<String>()) {
        let made = text_of(&article(&one, &[("summary", text(&other))], "x"));
        prop_assert!(made.is_ok());
    }

    #[test]
    fn the_text_of_a_document_has_the_letters_of_its_page(html in benign::document()) {
        let source = format!("{{\"title\": \"T\"}}\n{html}");
        let cleaned = OnceLock::new();
        let article = reading(&source, &cleaned).article.unwrap();
        let rendered = RENDERER.render(&article, DIGEST, &STAMP).unwrap();
        let page = String::from_utf8(rendered.page).unwrap();
        let start = page.find("<div class=\"body\"").unwrap();
        let end = page.find("</article>").unwrap();
        let shown = super::dom::parse(&page[start..end]).document.text();
        let shown: String = shown.chars().filter(|c| c.is_alphabetic()).collect();
        let text = text_of(&article).unwrap();
        prop_assert_eq!(letters(&without_title(&text)), shown, "{}", text);
    }
}
