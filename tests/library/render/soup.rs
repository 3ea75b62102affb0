//! Arbitrary Markdown, HTML and texts keep every promise of a page.

use std::path::{Path, PathBuf};

use anp::article::{Input, Rules, read};
use proptest::prelude::*;

use super::judge::judge;
use super::support::{article, group, render, text};

/// Pieces that are likely to mean something together.
const PIECES: &[&str] = &[
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<a href=x>",
    "<a href=javascript:x>",
    "</a>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<table>",
    "</table>",
    "<tr>",
    "<td>",
    "</td>",
    "<th>",
    "<caption>",
    "<tbody>",
    "<ul>",
    "<ol start=3>",
    "<li>",
    "</ul>",
    "<dl>",
    "<dt>",
    "<dd>",
    "<details>",
    "<summary>",
    "</details>",
    "<h1>",
    "</h1>",
    "<h3>",
    "</h3>",
    "<pre>",
    "</pre>",
    "<code>",
    "</code>",
    "<ruby>",
    "<rt>",
    "<rp>",
    "<figure>",
    "<figcaption>",
    "<blockquote>",
    "<hr>",
    "<br>",
    "<img src=x onerror=y>",
    "<a id=a>",
    "<a name='fn-1' href='#A'>",
    "<span id=content>",
    "[b](#A)",
    "<iframe/>",
    "<p hidden>",
    "<div style='display:none'>",
    "<table hidden>",
    "<tr hidden>",
    "<td hidden>",
    "<h2 hidden>",
    "<section hidden>",
    "</section>",
    "<Code x={1} />",
    "<img>",
    "<svg>",
    "</svg>",
    "<math>",
    "<mi>",
    "<style>",
    "</style>",
    "<script>",
    "</script>",
    "<title>",
    "<textarea>",
    "<select>",
    "<option>",
    "<template>",
    "<noscript>",
    "<iframe>",
    "<form>",
    "<input>",
    "<button>",
    "<object>",
    "<frameset>",
    "<body>",
    "<html>",
    "<head>",
    "</article>",
    "</main>",
    "</body>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<!doctype>",
    "<",
    ">",
    "\"",
    "'",
    "=",
    "/",
    "&lt;",
    "&#0;",
    "&colon;",
    "\n",
    "\n\n",
    "    ",
    "\t",
    "# ",
    "## ",
    "###### ",
    "- ",
    "1. ",
    "> ",
    "> [!NOTE]\n",
    "```",
    "`",
    "*",
    "**",
    "_",
    "~~",
    "|",
    "\n| a | b |\n|---|:-:|\n",
    "[",
    "](",
    ")",
    "![",
    "![x](y.png \"z\")",
    "[^1]",
    "\n[^1]: ",
    "\n: ",
    "- [x] ",
    "---\n",
    "\\",
    "javascript:",
    "https://e.org/",
    "word",
    "\u{202e}",
    "\0",
    "\r",
    "東京",
    "é",
];

/// Pieces of other dialects.
const DIALECTS: &[&str] = &[
    "{: #a .b}",
    "{:toc}",
    "{#c}",
    "{.d}",
    " {: e=\"f\"} ",
    "{::comment}",
    "{:/comment}",
    "{",
    "}",
    "{{",
    "}}",
    "{{< g >}}",
    "{{% h %}}",
    "{% raw %}",
    "{% endraw %}",
    "{% comment %}",
    "{% endcomment %}",
    "{# i #}",
    "{/* ",
    " */}",
    "%%",
    "<%# ",
    "%>",
    "\n:::note J\n",
    "\n:::\n",
    "\n::::tip\n",
    "\n!!! note \"K\"\n    ",
    "\n    ",
    "\n> [!info]- L\n> ",
    "https://e.org/m",
    "https://",
    "://",
    "www.n.org",
    "o@p.org",
    "mailto:",
    "_",
    ".",
    ")",
    "[[q]]",
    "![[r]]",
    "\nimport s from 't'\n",
    "\n<script/>\n",
    "\n* TOC\n{:toc}\n",
    "\n|u|\n|-|\n{: .v}\n",
    "*[w]: x",
    "🎈",
];

fn dialects() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        2 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        3 => proptest::sample::select(DIALECTS).prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

pub fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z<>/=\"' ]{0,8}",
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn without_raw_html(pieces: &str) -> String {
    pieces.replace('<', "‹")
}

#[test]
fn a_backslash_before_a_scheme_makes_a_relative_url() {
    let body = r"[one](<\\https://e.org/>) and ![two](<a\\javascript:x>)";
    let rendered = render(&article("T", &[], body)).unwrap();
    let page = String::from_utf8(rendered.page).unwrap();
    assert!(page.contains(r#"href="%5Chttps://e.org/""#), "{page}");
    judge(&page);
}

#[test]
fn no_id_stands_twice_where_parsers_copy_links() {
    let names = ["li", "dt", "dd"];
    let in_notes = names.map(|name| format!("x[^1]\n\n[^1]: </p><a id=a><{name}><h3>\n"));
    let in_headings = "<p><h1><a id=a><h1><h1>".to_owned();
    for body in in_notes.into_iter().chain([in_headings]) {
        if let Ok(rendered) = render(&article("T", &[], &body)) {
            judge(&String::from_utf8(rendered.page).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_keeps_the_promises_of_a_page(markdown in soup()) {
        match render(&article("T", &[], &markdown)) {
            Ok(rendered) => { judge(&String::from_utf8(rendered.page).unwrap()); }
            Err(error) => prop_assert!(error.code.starts_with("body."), "{}", error),
        }
    }

    #[test]
    fn any_source_keeps_the_promises_of_a_page(markdown in dialects(), name in "[xy]\\.mdx?") {
        let source = format!("---\ntitle: T\n---\n{markdown}");
        let cleaned = std::sync::OnceLock::new();
        let input = Input {
            path: PathBuf::from(&name).into(),
            relative: Path::new(&name),
            markup: anp::article::Markup::of_path(Path::new(&name)),
            bytes: source.as_bytes(),
            cleaned: &cleaned,
        };
        let reading = read(&input, &Rules::default());
        let lines = source.split(['\n', '\r']).count();
        for found in &reading.diagnostics {
            let place = found.place.as_ref();
            prop_assert!(place.is_none_or(|place| place.line as usize <= lines), "{found:?}");
        }
        if let Some(article) = &reading.article {
            match render(article) {
                Ok(rendered) => {
                    judge(&String::from_utf8(rendered.page).unwrap());
                }
                Err(error) => prop_assert!(error.code.starts_with("body."), "{}", error),
            }
        }
    }

    #[test]
    fn markdown_alone_makes_pages_without_a_parse_error(markdown in soup().prop_map(|soup| without_raw_html(&soup))) {
        let rendered = render(&article("T", &[], &markdown)).unwrap();
        let dom = judge(&String::from_utf8(rendered.page).unwrap());
        prop_assert_eq!(dom.errors, Vec::<String>::new());
    }

    #[test]
    fn any_text_may_stand_in_a_field(one in soup(), other in any::<String>()) {
        let fields = [
            ("summary", text(&one)), ("topic", text(&other)), ("date", text(&one)), ("updated", text(&other)),
            ("tags", anp::article::Value::List(vec![text(&one), text(&other)])),
            ("ai_outline", group(&[(&one, text(&other)), (&other, text(&one))])),
            ("image_sources", anp::article::Value::List(vec![group(&[("url", text(&one)), ("caption", text(&other))])])),
        ];
        let rendered = render(&article(&other, &fields, "x")).unwrap();
        let dom = judge(&String::from_utf8(rendered.page).unwrap());
        prop_assert_eq!(dom.errors, Vec::<String>::new());
        let meta: serde_json::Value = serde_json::from_slice(&rendered.meta).unwrap();
        prop_assert_eq!(meta["title"].as_str().unwrap(), other);
    }
}
