//! What a template can use: the variables of one page.

use std::fmt;
use std::sync::Arc;

use minijinja::context;
use minijinja::value::{Enumerator, Object, Value};

use super::own_values;
use super::similar::SIMILAR_HOLE;

/// The names of the variables. All are always defined;
/// what an article lacks is an empty string.
pub(super) const VARIABLES: [&str; 28] = [
    "lang",
    "site_name",
    "site_url",
    "home",
    "route",
    "canonical",
    "text",
    "robots",
    "noindex",
    "draft",
    "title",
    "page_title",
    "description",
    "summary",
    "author",
    "topic",
    "difficulty",
    "reading_time",
    "date",
    "updated",
    "image",
    "extra",
    "json_ld",
    "toc",
    "body",
    "similar",
    "crumbs",
    "meta_box",
];

/// The values of one page's variables. Texts are escaped where they are printed; `body`,
/// `toc`, `similar`, `meta_box` and `json_ld` are ready HTML (safe strings).
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) lang: String,
    pub(super) site_name: String,
    pub(super) site_url: String,
    pub(super) route: String,
    pub(super) canonical: String,
    pub(super) text: String,
    pub(super) robots: &'static str,
    pub(super) noindex: bool,
    pub(super) draft: bool,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) summary: String,
    pub(super) author: String,
    pub(super) topic: String,
    pub(super) difficulty: String,
    pub(super) reading_time: String,
    pub(super) date: String,
    pub(super) updated: String,
    pub(super) image: String,
    pub(super) extra: Value,
    pub(super) json_ld: Value,
    pub(super) toc: Value,
    pub(super) body: Value,
    pub(super) similar: Value,
    pub(super) meta_box: Value,
    pub(super) crumbs: Value,
}

impl Object for View {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.value(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.value(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&VARIABLES)
    }
}

impl View {
    /// The value of a variable.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        Some(match name {
            "lang" => Value::from(self.lang.as_str()),
            "site_name" => Value::from(self.site_name.as_str()),
            "site_url" => Value::from(self.site_url.as_str()),
            "home" => Value::from(format!("{}/", self.site_url)),
            "route" => Value::from(self.route.as_str()),
            "canonical" => Value::from(self.canonical.as_str()),
            "text" => Value::from(self.text.as_str()),
            "robots" => Value::from(self.robots),
            "noindex" => Value::from(self.noindex),
            "draft" => Value::from(self.draft),
            "title" => Value::from(self.title.as_str()),
            "page_title" if self.site_name.is_empty() => Value::from(self.title.as_str()),
            "page_title" => Value::from(format!("{} · {}", self.title, self.site_name)),
            "description" => Value::from(self.description.as_str()),
            "summary" => Value::from(self.summary.as_str()),
            "author" => Value::from(self.author.as_str()),
            "topic" => Value::from(self.topic.as_str()),
            "difficulty" => Value::from(self.difficulty.as_str()),
            "reading_time" => Value::from(self.reading_time.as_str()),
            "date" => Value::from(self.date.as_str()),
            "updated" => Value::from(self.updated.as_str()),
            "image" => Value::from(self.image.as_str()),
            "extra" => self.extra.clone(),
            "json_ld" => self.json_ld.clone(),
            "toc" => self.toc.clone(),
            "body" => self.body.clone(),
            "similar" => self.similar.clone(),
            "meta_box" => self.meta_box.clone(),
            "crumbs" => self.crumbs.clone(),
            _ => return None,
        })
    }
}

/// The body of the sample pages, by which a rehearsal recognises it.
pub(super) const SAMPLE_BODY: &str = "<p>Rehearsal.</p>";

/// HTML that is printed as it is.
pub(super) fn ready(html: impl Into<String>) -> Value {
    Value::from_safe_string(html.into())
}

/// Lists above a page, by title and route.
pub(super) fn crumbs<R: fmt::Display>(crumbs: &[(String, R)]) -> Value {
    let crumbs = crumbs.iter();
    let crumb = |(title, route): &(String, R)| context! { title, route => route.to_string() };
    crumbs.map(crumb).collect()
}

impl View {
    /// A page that has everything.
    pub(super) fn full_sample() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            lang: text("en"),
            site_name: text("Rehearsal"),
            site_url: text("https://example.org"),
            route: text("/rehearsal/"),
            canonical: text("https://example.org/rehearsal/"),
            text: text("https://example.org/rehearsal/index.md"),
            robots: "noindex",
            noindex: true,
            draft: true,
            title: text("Rehearsal"),
            description: text("A page that has everything."),
            summary: text("A page that has everything."),
            author: text("Ann Example"),
            topic: text("rehearsal"),
            difficulty: text("beginner"),
            reading_time: text("6"),
            date: text("2026-01-31"),
            updated: text("2026-01-31T12:00:00Z"),
            image: text("https://example.org/a.png"),
            extra: own_values::mapping(&[]),
            json_ld: ready("{}"),
            toc: ready("<nav></nav>"),
            body: ready(SAMPLE_BODY),
            similar: ready(SIMILAR_HOLE),
            meta_box: ready("<aside></aside>"),
            crumbs: crumbs(&[("Rehearsal".to_owned(), "/rehearsal/")]),
        }
    }

    /// A page that has no more than it must.
    pub(super) fn minimal_sample() -> Self {
        Self {
            lang: "en".to_owned(),
            route: "/rehearsal/".to_owned(),
            canonical: "/rehearsal/".to_owned(),
            robots: "index,follow",
            title: "Rehearsal".to_owned(),
            extra: own_values::mapping(&[]),
            json_ld: ready("{}"),
            toc: ready(""),
            body: ready(SAMPLE_BODY),
            similar: ready(""),
            meta_box: ready(""),
            crumbs: crumbs::<&str>(&[]),
            ..Self::default()
        }
    }
}
