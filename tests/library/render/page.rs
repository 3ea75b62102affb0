//! The page and the meta object of well-meant articles.

use anp::render::{META_HEAD_BYTES, PAGE_TAIL_BYTES, meta_digest, page_digest};

use super::dom::{Dom, Handle};
use super::judge::judge;
use super::support::{DIGEST, FULL_BODY, article, full_fields, group, list, page, render, text};

const TITLE: &str = "redis caching notes: running scheduled tasks reliably";

fn judged(markdown: &str) -> Dom {
    let dom = judge(&page(&article("Title", &[], markdown)));
    assert_eq!(dom.errors, Vec::<String>::new());
    dom
}

fn body(dom: &Dom) -> Handle {
    dom.document.find("article")[0].elements()[1].clone()
}

#[test]
fn a_full_page() {
    let page = page(&article(TITLE, &full_fields(), FULL_BODY));
    let dom = judge(&page);
    assert_eq!(dom.errors, Vec::<String>::new());
    // The style sheet has its own reviewers.
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    insta::assert_snapshot!(format!("{head}<style>…</style>{rest}"));
}

#[test]
fn a_minimal_page() {
    let page = page(&article("Title", &[], "Text."));
    let (_, rest) = page.split_once("</style>").unwrap();
    insta::assert_snapshot!(rest);
}

#[test]
fn a_full_meta_object() {
    let meta = render(&article(TITLE, &full_fields(), FULL_BODY))
        .unwrap()
        .meta;
    let meta = String::from_utf8(meta).unwrap();
    assert!(!meta.contains('\n'));
    let parsed: serde_json::Value = serde_json::from_str(&meta).unwrap();
    assert_eq!(parsed["metadata"]["view_count"], 330_026);
    assert_eq!(parsed["metadata"]["flags"]["has_images"], true);
    assert_eq!(parsed["metadata"]["entities"][1]["name"], "redis");
    assert_eq!(parsed["written_at"], "2026-01-31T12:00:00.123Z");
    assert_eq!(parsed["etag"], format!("\"{DIGEST}\""));
    insta::assert_snapshot!(meta);
}

#[test]
fn both_objects_tell_their_digest() {
    let rendered = render(&article("Title", &[], "Text.")).unwrap();
    assert_eq!(
        page_digest(&rendered.page[rendered.page.len() - PAGE_TAIL_BYTES..]),
        Some(DIGEST)
    );
    assert_eq!(meta_digest(&rendered.meta[..META_HEAD_BYTES]), Some(DIGEST));
}

#[test]
fn every_list_of_the_metadata_is_a_list_on_the_page() {
    let fields = full_fields();
    let dom = judge(&page(&article(TITLE, &fields, "Text.")));
    let box_ = &dom.document.find("aside")[0];
    let shown = |label: &str| {
        let lists = box_.find("dl").into_iter();
        let mut cells = lists.flat_map(|list| list.elements());
        cells
            .find(|cell| cell.name() == "dt" && cell.text() == label)
            .unwrap_or_else(|| panic!("{label}"));
        let value = cells.next().unwrap();
        assert_eq!(value.name(), "dd");
        value
    };
    for label in [
        "Stack",
        "Tools",
        "Tags",
        "Checklist",
        "Entities",
        "Image sources",
        "Notes",
    ] {
        assert_eq!(shown(label).elements()[0].name(), "ul", "{label}");
    }
    for label in ["Outline", "Score", "Revision", "Flags", "Payload"] {
        assert_eq!(shown(label).elements()[0].name(), "dl", "{label}");
    }
    let tags: Vec<_> = shown("Tags")
        .find("li")
        .iter()
        .map(|li| li.text())
        .collect();
    assert_eq!(tags, ["cache", "cron", "archive"]);
    assert_eq!(shown("Entities").find("dl").len(), 2);
    assert_eq!(shown("Views").text(), "330026");
    // Owner, expected result and rollback note stand together.
    let together = &box_.find("dl")[0];
    let terms: Vec<_> = together.find("dt").iter().map(|dt| dt.text()).collect();
    assert_eq!(terms, ["Owner", "Expected result", "Rollback"]);
}

#[test]
fn a_list_takes_the_direction_of_its_text_where_it_may_have_another() {
    let fields = [
        ("tools", list(&["cron", "naïve"])),
        ("tags", list(&["cron", "أرشيف"])),
        ("notes", list(&["מטמון"])),
    ];
    let dom = judge(&page(&article(TITLE, &fields, "Text.")));
    let directions: Vec<_> = dom.document.find("aside")[0]
        .find("ul")
        .iter()
        .map(|ul| ul.attribute("dir"))
        .collect();
    let auto = Some("auto".to_owned());
    assert_eq!(directions, [None, auto.clone(), auto]);
}

#[test]
fn articles_that_await_review_and_drafts_are_not_for_search_engines() {
    let robots = |fields: &[_]| {
        let rendered = render(&article("Title", fields, "Text.")).unwrap();
        let dom = judge(&String::from_utf8(rendered.page).unwrap());
        let on_page = dom
            .document
            .find("meta")
            .iter()
            .find(|meta| meta.attribute("name").as_deref() == Some("robots"))
            .unwrap()
            .attribute("content")
            .unwrap();
        let meta: serde_json::Value = serde_json::from_slice(&rendered.meta).unwrap();
        assert_eq!(meta["robots"], on_page.as_str());
        on_page
    };
    let yes = anp::article::Value::Flag(true);
    assert_eq!(robots(&[]), "index,follow");
    assert_eq!(robots(&[("draft", yes.clone())]), "noindex");
    assert_eq!(
        robots(&[("flags", group(&[("needs_human_review", yes.clone())]))]),
        "noindex"
    );
    assert_eq!(
        robots(&[("flags", group(&[("has_images", yes)]))]),
        "index,follow"
    );
}

#[test]
fn an_image_alone_in_its_paragraph_is_a_figure() {
    let dom = judged(
        "![a](https://e.org/1.png \"One\")\n\n[![b](/2.png)](/big)\n![c](3.png)\n\ntext ![d](4.png)\n\n- ![e](5.png)",
    );
    let figures = body(&dom).find("figure");
    assert_eq!(figures.len(), 3);
    assert_eq!(figures[0].find("figcaption")[0].text(), "One Source: e.org");
    assert_eq!(
        figures[1].find("a")[0].attribute("href").as_deref(),
        Some("/big")
    );
    assert!(figures[1].find("figcaption").is_empty());
    let images = body(&dom).find("img");
    assert_eq!(images.len(), 5);
    assert!(
        images
            .iter()
            .all(|img| img.attribute("loading").as_deref() == Some("lazy")
                && img.attribute("alt").is_some())
    );
}

#[test]
fn a_figure_without_a_title_has_the_caption_of_its_source() {
    let sources = anp::article::Value::List(vec![group(&[
        ("source", text("cdn.e.org")),
        ("url", text("https://cdn.e.org/a.png?x=1&y=2")),
        ("caption", text("From <the> front matter")),
    ])]);
    let dom = judge(&page(&article(
        "T",
        &[("image_sources", sources)],
        "![a](https://cdn.e.org/a.png?x=1&y=2)",
    )));
    assert_eq!(
        body(&dom).find("figcaption")[0].text(),
        "From <the> front matter Source: cdn.e.org"
    );
}

#[test]
fn footnotes_are_numbered_as_read_and_lead_back() {
    let dom = judged(
        "One[^b], two[^a], again[^b], none[^c], [linked[^a]](x).\n\n[^a]: A.\n[^b]: B.\n\n    - list\n[^z]: Z.\n\n    ## Heading",
    );
    let notes = &body(&dom).find("section")[0];
    let items: Vec<_> = notes
        .find("li")
        .into_iter()
        .filter(|li| li.attribute("id").is_some())
        .collect();
    assert_eq!(items.len(), 3);
    assert!(items[0].text().starts_with("B."));
    let back: Vec<_> = items[0]
        .find("a")
        .iter()
        .map(|a| a.attribute("href").unwrap())
        .collect();
    assert_eq!(back, ["#fnref-1", "#fnref-1-2"]);
    assert!(body(&dom).text().contains("none[^c]"));
}

#[test]
fn links_within_the_page_find_their_heading() {
    let dom = judged("[there](#why-not)\n\n# Why not?\n\n# Why not?");
    let target = body(&dom).find("a")[0].attribute("href").unwrap();
    let ids: Vec<_> = body(&dom)
        .find("h2")
        .iter()
        .map(|h2| h2.attribute("id").unwrap())
        .collect();
    assert_eq!(ids, ["why-not", "why-not-1"]);
    assert_eq!(target, "#why-not");
}

/// The HTML of the body of a source with this Markdown, as it is published.
fn published_body(markdown: &str) -> String {
    let source = format!("---\ntitle: T\n---\n{markdown}");
    let input = anp::article::Input {
        path: std::path::PathBuf::from("x.md").into(),
        relative: std::path::Path::new("x.md"),
        markup: anp::article::Markup::Markdown,
        bytes: source.as_bytes(),
        cleaned: &std::sync::OnceLock::new(),
    };
    let reading = anp::article::read(&input, &anp::article::Rules::default());
    let page = page(&reading.article.unwrap());
    judge(&page);
    let (_, body) = page
        .split_once("<div class=\"body\" dir=\"auto\">\n")
        .unwrap();
    body.split_once("</div>\n</article>").unwrap().0.to_owned()
}

#[test]
fn the_example_of_the_page_about_markdown_is_right() {
    let text = include_str!("../../../docs/markdown.md");
    let block = |language: &str| {
        let (_, rest) = text.split_once(&format!("````{language}\n")).unwrap();
        rest.split_once("````").unwrap().0
    };
    let body = published_body(block("markdown"));
    // The page says so: the links of headings to themselves are left out.
    let mut pieces = body.split("<a class=\"anchor\"");
    let mut without = pieces.next().unwrap().to_owned();
    for piece in pieces {
        without.push_str(piece.split_once("</a>").unwrap().1);
    }
    assert_eq!(without, block("html"));
}

#[test]
fn raw_html_may_have_the_elements_that_the_page_about_markdown_lists() {
    let text = include_str!("../../../docs/markdown.md");
    let (_, row) = text.split_once("| elements | ").unwrap();
    let row = row.split_once(" |").unwrap().0;
    let elements = row.replace("h1 to h6", "h2 h6");
    for element in elements.split_whitespace() {
        let (before, after) = match element {
            "td" | "th" => ("<table><tr>", "</tr></table>"),
            "tr" | "thead" | "tbody" | "tfoot" | "caption" => ("<table>", "</table>"),
            _ => ("<div>", "</div>"),
        };
        let html = format!("{before}<{element} src=\"a.png\">x</{element}>{after}\n");
        let written = match element {
            "h6" => "<h2",
            element => &format!("<{element}"),
        };
        assert!(published_body(&html).contains(written), "{element}");
    }
}

#[test]
fn a_wide_table_of_small_cells_is_within_the_size_of_a_page() {
    for (cell, columns) in [("1|", 150), ("|", 300)] {
        let row = format!("|{}\n", cell.repeat(columns));
        let source = format!("{row}|{}\n{}", ":-:|".repeat(columns), row.repeat(150));
        let cells = published_body(&source)
            .matches("<td class=\"mid\">")
            .count();
        assert_eq!(cells, 150 * columns);
    }
}

#[test]
fn raw_html_may_span_markdown() {
    let dom = judged(
        "<details>\n<summary>More</summary>\n\n## Inside\n\n- **list**\n\n</details>\n\nPress <kbd>Ctrl</kbd>, H<sub>2</sub>O.",
    );
    let details = &body(&dom).elements()[0];
    assert_eq!(details.name(), "details");
    assert_eq!(
        details.find("h2")[0].attribute("id").as_deref(),
        Some("inside")
    );
    assert_eq!(details.find("strong").len(), 1);
    assert_eq!(body(&dom).elements()[1].find("kbd").len(), 1);
}

#[test]
fn a_raw_tag_left_open_ends_with_its_paragraph() {
    let dom = judged("one <b>two\n\nthree\n\n<div>four\n\nfive");
    let b = &body(&dom).find("b")[0];
    assert_eq!(b.text(), "two");
    assert_eq!(body(&dom).elements()[1].text(), "three");
}

#[test]
fn raw_html_may_leave_out_end_tags_that_html_implies() {
    let dom = judged(
        "<ul><li>one<li><b>two<li>three</ul>\n\n<table><tr><th>a<td>b<tr><td>c</table>\n\n<p>x<p>y<p>z",
    );
    let items: Vec<_> = body(&dom).find("li").iter().map(|li| li.text()).collect();
    assert_eq!(items, ["one", "two", "three"]);
    assert_eq!(body(&dom).find("tr").len(), 2);
    let paragraphs: Vec<_> = body(&dom).find("p").iter().map(|p| p.text()).collect();
    assert_eq!(paragraphs, ["x", "y", "z"]);
    let many = format!("<ul>{}</ul>", "<li>item".repeat(500));
    assert_eq!(body(&judged(&many)).find("li").len(), 500);
}

#[test]
fn what_cannot_be_shown_is_named_with_its_place() {
    let rendered = render(&article(
        "T",
        &[],
        "[a](javascript:x) ![b](data:x) <a href='vbscript:x'>c</a> <script>d</script>",
    ))
    .unwrap();
    let removed = rendered.removals.named.iter();
    let removed: Vec<_> = removed
        .map(|r| (format!("{:?}", r.what), r.offset))
        .collect();
    let expected = [
        ("Url(\"javascript:x\")", Some(4)),
        ("Url(\"data:x\")", Some(23)),
        ("Element(\"script\")", Some(58)),
        ("Url(\"vbscript:x\")", Some(31)),
    ];
    assert_eq!(
        removed,
        expected.map(|(what, offset)| (what.to_owned(), offset))
    );
    for markdown in [
        "[a](/x) <kbd>b</kbd>",
        "<!-- more -->\n\na <!-- b --> c [d](tel:1)",
    ] {
        let rendered = render(&article("T", &[], markdown)).unwrap();
        assert!(rendered.removals.is_empty(), "{markdown}");
    }
}

#[test]
fn the_description_is_the_summary_or_the_first_words() {
    let description = |fields: &[_], markdown: &str| {
        let dom = judge(&page(&article("T", fields, markdown)));
        let metas = dom.document.find("meta");
        metas
            .iter()
            .find(|meta| meta.attribute("name").as_deref() == Some("description"))
            .map(|meta| meta.attribute("content").unwrap())
    };
    assert_eq!(
        description(&[("summary", text("S \"quoted\""))], "Text."),
        Some("S \"quoted\"".to_owned())
    );
    assert_eq!(
        description(&[], "# H\n\nFirst *words*\nhere.\n\nMore."),
        Some("First words here.".to_owned())
    );
    assert_eq!(description(&[], "- only\n- a list"), None);
    let long = description(&[], &"word ".repeat(200)).unwrap();
    assert!(
        long.chars().count() <= 161 && long.ends_with("word…"),
        "{long}"
    );
}

#[test]
fn a_page_without_metadata_has_no_box() {
    let dom = judged("Text.");
    assert!(dom.document.find("aside").is_empty());
    let dom = judge(&page(&article("T", &[("tags", list(&["x"]))], "Text.")));
    assert_eq!(dom.document.find("aside").len(), 1);
}

#[test]
fn every_table_scrolls_in_a_labelled_region() {
    let dom = judged(
        "| a | b |\n|:-:|--:|\n| 1 | 2 |\n\n<table><tr><td>x</td></tr></table>\n\n| c |\n|---|",
    );
    let tables = body(&dom).find("table");
    assert_eq!(tables.len(), 3);
    let regions: Vec<_> = body(&dom)
        .find("div")
        .iter()
        .filter(|div| div.find("table").len() == 1)
        .map(|div| {
            (
                div.attribute("role").unwrap(),
                div.attribute("tabindex").unwrap(),
                div.attribute("aria-label").unwrap(),
            )
        })
        .collect();
    assert_eq!(regions.len(), 3);
    assert!(
        regions
            .iter()
            .all(|(role, tabindex, _)| role == "region" && tabindex == "0")
    );
}

#[test]
fn one_renderer_serves_all_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<anp::render::Renderer>();
}

#[test]
fn what_an_author_hides_is_nowhere_on_the_page() {
    let section = format!("## Open\n\n{}\n\n", "word ".repeat(400));
    let secret = "# secret\n\n## secret\n\n![secret](https://e.org/secret.png)\n\nsecret [^2]\n\n\
                  | secret |\n|---|\n| secret |\n\n- [x] secret\n\n[^1]: secret\n\n[^3]: secret [^1]\n\n";
    let body = format!(
        "open[^1]\n\n<div style='display:none'>\n\n{secret}<p>secret</p><h2 id=secret>secret</h2><a name=secret></a>\n\n\
         </div>\n\n{}## Shown <span hidden>secret</span>\n\n<h3>Shown <i hidden>secret</i></h3>\n\n[^2]: open\n",
        section.repeat(5)
    );
    let rendered = render(&article("T", &[], &body)).unwrap();
    let page = String::from_utf8(rendered.page).unwrap();
    judge(&page);
    assert!(!page.contains("secret"), "{page}");
    assert!(page.contains("<nav class=\"toc\""), "{page}");
    assert!(page.contains("href=\"#shown\""), "{page}");
    assert!(!page.contains("href=\"#fnref-2\""), "{page}");
}
