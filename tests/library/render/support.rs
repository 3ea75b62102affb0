//! Articles to render, and pages as a real parser sees them.

use anp::article::schema::Field;
use anp::article::{Article, Body, Metadata, Route, Value, Visibility};
use anp::render::{Digest, RenderError, RenderSettings, Rendered, Renderer, Stamp};
use pulldown_cmark::{Options, Parser};

pub const DIGEST: Digest = Digest(*b"0123456789abcdef");
pub const STAMP: Stamp<'static> = Stamp {
    inputs: None,
    run: "20260131T120000-test",
    written_at_ms: 1_769_860_800_123,
};

pub fn settings() -> RenderSettings {
    RenderSettings {
        site_url: "https://example.org".to_owned(),
        site_name: "Alphanode".to_owned(),
        ..RenderSettings::default()
    }
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| text(item)).collect())
}

pub fn group(members: &[(&str, Value)]) -> Value {
    Value::Group(
        members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    )
}

/// A field of the schema by its name.
fn field(name: &str) -> &'static Field {
    let field = anp::article::schema::TABLE.iter().find(|f| f.name == name);
    field.unwrap_or_else(|| panic!("the schema has no field {name}"))
}

pub fn article<'a>(title: &str, fields: &[(&str, Value)], markdown: &'a str) -> Article<'a> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_DEFINITION_LIST;
    let metadata = Metadata {
        entries: fields
            .iter()
            .map(|(name, value)| (field(name), value.clone()))
            .collect(),
        extra: Vec::new(),
    };
    Article {
        route: Route::parse("/notes/sample/").unwrap(),
        visibility: Visibility::of(&metadata),
        metadata,
        title: title.to_owned(),
        said_by_name: String::new(),
        fingerprint: [0; 16],
        body_hash: [0; 8],
        body: Body {
            events: Parser::new_ext(markdown, options).collect(),
            markdown,
            ..Body::default()
        },
    }
}

pub fn render(article: &Article<'_>) -> Result<Rendered, RenderError> {
    static RENDERER: std::sync::LazyLock<Renderer> =
        std::sync::LazyLock::new(|| Renderer::new(&settings()).unwrap());
    RENDERER.render(article, DIGEST, &STAMP)
}

/// Labels and texts, as of an outline.
pub fn pairs(pairs: &[(&str, &str)]) -> Value {
    let owned = |(label, text): &(&str, &str)| ((*label).to_owned(), (*text).to_owned());
    Value::Pairs(pairs.iter().map(owned).collect())
}

pub fn page(article: &Article<'_>) -> String {
    String::from_utf8(render(article).unwrap().page).unwrap()
}

/// All fields that the generator writes, as the boundary hands them on.
pub fn full_fields() -> Vec<(&'static str, Value)> {
    vec![
        (
            "title",
            text("redis caching notes: running scheduled tasks reliably"),
        ),
        ("slug", text("scheduled-tasks-028802")),
        ("date", text("2019-08-08")),
        ("updated", text("2024-02-29T08:30:00Z")),
        (
            "topic",
            text("running scheduled tasks reliably / redis caching"),
        ),
        (
            "summary",
            text("How a nightly job keeps an archive warm, & what to check <before> it runs."),
        ),
        (
            "ai_outline",
            pairs(&[
                ("context", "for a high traffic archive"),
                ("Result & way back", "a \"warm\" cache"),
            ]),
        ),
        ("ai_brief", text("Explain the trade-offs.")),
        ("stack", list(&["redis caching", "database"])),
        ("tools", list(&["redis-cli", "cron"])),
        ("tags", list(&["cache", "cron", "archive"])),
        ("code_language", text("text")),
        ("difficulty", text("intermediate")),
        ("reading_time", Value::Number(6)),
        ("view_count", Value::Number(330_026)),
        (
            "score",
            group(&[
                ("quality", Value::Number(98)),
                ("freshness", Value::Number(71)),
                ("depth", Value::Number(64)),
                ("clarity", Value::Number(88)),
            ]),
        ),
        (
            "revision",
            group(&[
                ("status", text("reviewed")),
                ("version", text("1.5.1")),
                ("last_reviewed", text("2024-02-28")),
            ]),
        ),
        ("reference", text("anp-ref-028802-1615")),
        ("hash", text("8356724ae1829f39c3e9fa7e")),
        (
            "flags",
            group(&[
                ("ai_generated_style", Value::Flag(true)),
                ("has_images", Value::Flag(true)),
                ("image_heavy", Value::Flag(false)),
                ("needs_human_review", Value::Flag(false)),
            ]),
        ),
        (
            "checklist",
            list(&[
                "inspect cache headers",
                "compare the hit rate before and after",
            ]),
        ),
        (
            "entities",
            Value::List(vec![
                group(&[("name", text("database")), ("type", text("area"))]),
                group(&[("name", text("redis")), ("type", text("tool"))]),
            ]),
        ),
        (
            "image_sources",
            Value::List(vec![group(&[
                ("source", text("dummyimage.com")),
                (
                    "url",
                    text("https://dummyimage.com/1200x630/ddd/333.png&text=cache"),
                ),
                ("caption", text("Hit rate over one night")),
            ])]),
        ),
        (
            "payload",
            group(&[
                ("source_id", Value::Number(28_802)),
                ("generator", text("alphanode-028802")),
                ("paragraphs", Value::Number(7)),
                ("seed", Value::Number(28_802)),
            ]),
        ),
        ("notes", list(&["numbers are from one run"])),
        ("owner", text("archive team <archive@example.org>")),
        ("expected_result", text("hit rate above 95 % at 07:00")),
        ("rollback_note", text("anp rollback last")),
    ]
}

pub const FULL_BODY: &str = include_str!("full.md");
