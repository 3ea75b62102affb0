//! Templates of one's own, and what is said when they are wrong.

use std::path::Path;
use std::sync::Arc;

use anp::article::{Article, Input, Rules};
use anp::render::{RENDERER_VERSION, RenderSettings, Renderer};

use super::support::{DIGEST, FULL_BODY, STAMP, article, full_fields, settings};

/// A renderer with these files in its templates folder.
fn with(files: &[(&str, &str)]) -> Result<Renderer, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let settings = RenderSettings {
        templates: Some(folder.path().to_owned()),
        ..settings()
    };
    Renderer::new(&settings).map_err(|error| {
        let base = format!("{}/", folder.path().display());
        error.to_string().replace(&base, "templates/")
    })
}

fn refusal(files: &[(&str, &str)]) -> String {
    with(files).err().expect("the template is refused")
}

#[test]
fn a_template_takes_the_place_of_its_namesake() {
    let renderer = with(&[
        ("footer.html", "<footer>mine: {{ title }}</footer>"),
        (".hidden", "{{"),
    ])
    .unwrap();
    let page = renderer
        .render(&article("<T>", &[], "x"), DIGEST, &STAMP)
        .unwrap()
        .page;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<footer>mine: &lt;T&gt;</footer>"));
    assert!(page.contains("<h1>"));
}

#[test]
fn a_template_cannot_lose_the_digest() {
    let renderer = with(&[("page.html", "{{ body }}<!--")]).unwrap();
    let page = renderer
        .render(&article("T", &[], "x"), DIGEST, &STAMP)
        .unwrap()
        .page;
    assert_eq!(anp::render::page_digest(&page), Some(DIGEST));
}

#[test]
fn texts_stay_escaped_whatever_a_template_does() {
    let renderer = with(&[("page.html", "{{ body }}{% autoescape false %}{{ title }}|{% set x = title %}{{ x }}|{{ [title]|join }}{% endautoescape %}")]).unwrap();
    let page = renderer
        .render(&article("<T>", &[], "x"), DIGEST, &STAMP)
        .unwrap()
        .page;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("&lt;T&gt;|&lt;T&gt;|&lt;T&gt;"), "{page}");
    assert!(
        refusal(&[("page.html", "{{ body }}{{ title|safe }}")]).contains("templates/page.html:1: ")
    );
}

#[test]
fn mistakes_are_named_with_file_and_line() {
    for (name, text, expected) in [
        (
            "page.html",
            "{{ body }}\n{% if %}",
            "templates/page.html:2: ",
        ),
        (
            "page.html",
            "{{ body }}\n\n{{ nope }}",
            "templates/page.html:3: ",
        ),
        ("header.html", "x\n{{ nope }}", "templates/header.html:2: "),
        (
            "header.html",
            "x\n{% if false %}{{ nope }}{% endif %}",
            "templates/header.html:2: ",
        ),
        (
            "header.html",
            "\n{{ title|nope }}",
            "templates/header.html:2: ",
        ),
        (
            "header.html",
            "\n{{ title.nope }}",
            "templates/header.html:2: ",
        ),
        (
            "page.html",
            "{{ body }}\n{% include '../secret' %}",
            "templates/page.html:2: ",
        ),
        (
            "page.html",
            "{{ body }}\n{% include '/etc/passwd' %}",
            "templates/page.html:2: ",
        ),
        (
            "page.html",
            "{{ body }}{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}",
            "templates/page.html:1: expected a template that ends",
        ),
        (
            "page.html",
            "<h1>{{ title }}</h1>",
            "templates/page.html: expected {{ body }} in the page",
        ),
        (
            "article.html",
            "x",
            "templates/article.html: expected a template called page.html, ",
        ),
    ] {
        let message = refusal(&[(name, text)]);
        assert!(message.starts_with(expected), "{text:?}: {message}");
    }
}

#[test]
fn a_missing_folder_is_an_error() {
    let settings = RenderSettings {
        templates: Some(Path::new("/nonexistent/templates").into()),
        ..settings()
    };
    let error = Renderer::new(&settings).err().unwrap();
    assert!(
        error
            .to_string()
            .starts_with("/nonexistent/templates: expected a readable templates folder")
    );
}

/// The article of a source at `a.md`.
fn read(text: &'static str) -> Article<'static> {
    let input = Input {
        path: Arc::default(),
        relative: Path::new("a.md"),
        bytes: text.as_bytes(),
        markup: anp::article::Markup::Markdown,
        cleaned: Box::leak(Box::default()),
    };
    anp::article::read(&input, &Rules::default())
        .article
        .unwrap()
}

#[test]
fn all_that_decides_a_page_decides_its_digest() {
    let source = read("---\ntitle: a\n---\nsource\n");
    let digest = |settings: &RenderSettings| Renderer::new(settings).unwrap().digest(&source, b"");
    let plain = digest(&settings());
    assert_eq!(plain, digest(&settings()));
    assert_ne!(
        plain,
        digest(&RenderSettings {
            lang: "de".to_owned(),
            ..settings()
        })
    );
    assert_ne!(
        plain,
        digest(&RenderSettings {
            site_url: String::new(),
            ..settings()
        })
    );
    assert_ne!(
        plain,
        digest(&RenderSettings {
            site_name: "Other".to_owned(),
            ..settings()
        })
    );
    let renderer = Renderer::new(&settings()).unwrap();
    for (other, is_same) in [
        ("---\ntitle: a\n---\nsource2\n", false),
        ("---\ntitle: b\n---\nsource\n", false),
        ("---\ntitle: a\ntags: [x]\n---\nsource\n", false),
        ("---\ntitle: a\nown: x\n---\nsource\n", false),
        ("---\ntitle: a\nslug: b\n---\nsource\n", false),
        // What says the same makes the same page.
        ("---\n# a comment\ntitle: 'a'\n---\nsource\n", true),
        ("+++\ntitle = 'a'\n+++\nsource\n", true),
        ("{\"title\": \"a\"}\nsource\n", true),
    ] {
        let digest = renderer.digest(&read(other), b"");
        assert_eq!(plain == digest, is_same, "{other}");
    }
    let mine = |text| with(&[("footer.html", text)]).unwrap().digest(&source, b"");
    assert_ne!(plain, mine("a"));
    assert_ne!(mine("a"), mine("b"));
    assert_eq!(mine("a"), mine("a")); // in another folder
}

#[test]
fn a_changed_rendering_needs_a_new_renderer_version() {
    // Templates count in the digest by themselves; this is about what code makes.
    let renderer = with(&[(
        "page.html",
        "{{ json_ld }}{{ description }}{{ body }}{{ meta_box }}",
    )])
    .unwrap();
    let raw = "<details><summary>x</summary>\n\n**y**\n\n</details>\n\n<kbd>z</kbd>";
    let mut all = Vec::new();
    for (fields, markdown) in [(full_fields(), FULL_BODY), (Vec::new(), raw)] {
        let rendered = renderer
            .render(&article("T", &fields, markdown), DIGEST, &STAMP)
            .unwrap();
        all.extend(rendered.page);
        all.extend(rendered.meta);
    }
    assert_eq!(
        (RENDERER_VERSION, blake3::hash(&all).to_string()),
        (
            8,
            "1e8aef166650492d049246f05a3681a9edb59d6dd8588d67612d77e65c50cb18".to_owned()
        ),
        "the output changed: raise RENDERER_VERSION, then pin both values here"
    );
}
