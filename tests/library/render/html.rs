//! Bodies of HTML, from the source to the page.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anp::article::{Input, Markup, Reading, Rules, read};

use super::judge::judge;
use super::support::render;

/// Reads a source with a body of HTML.
fn reading<'a>(source: &'a str, cleaned: &'a OnceLock<String>) -> Reading<'a> {
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
    let start = page.find("<div class=\"body\">").expect("a body") + "<div class=\"body\">".len();
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
fn explore() {
    for html in [
        "<h2>A &amp; B</h2><p>one <em>two</em> <b>three</b> *four*</p>",
        "<div><h2 id=own>X</h2>\n<p class=a>y</p></div>",
        "<ul><li>a<li>b</ul><ul><li>a</li><li><p>b</p></li></ul>",
        "<pre class=\"wp-block-code\"><code class=\"language-rust\">a &lt; b\n</code></pre>",
        "<p><img src=\"https://e.org/a.png\" width=600 height=400 alt=\"x\"></p>",
        "<figure><img src=a.png><figcaption>c</figcaption></figure>",
        "<table><tr><td>a<td><p>b</table>",
        "<h2>Unclosed<p>text</p><h3>next</h3>",
        "<a name=top>text <a href=/x>y</a> z",
        "<p>a<p>b<blockquote>c</blockquote>",
        "<!-- <h2>no</h2> --><script><h2>no</h2></script><textarea><h2>n</h2></textarea><h2 hidden>n</h2><h2>yes</h2>",
        "<h2><a href=/x>in a link</a></h2><a href=/y><h3>around</h3></a>",
    ] {
        println!("{html}\n=> {}\n", body(html));
    }
}
