//! Pages that list articles: what they are made from, and what their template can use.

use std::sync::Arc;

use minijinja::context;
use minijinja::value::{Enumerator, Object, Value};
use serde_json::json;

use super::lists::folder_title;
use super::meta::Robots;
use super::view::{self, View, ready};
use super::{escape, own_values};
use crate::article::Route;

/// The variables of `list.html` that pages of articles do not have.
pub(super) const OWN_VARIABLES: [&str; 11] = [
    "kind", "label", "value", "items", "number", "pages", "total", "older", "newer", "children",
    "feed",
];

/// One page of a list of articles.
#[derive(Clone, Debug)]
pub struct ListPage<'l> {
    /// Where this page of the list is served.
    pub route: &'l Route,
    /// What the list is called, without the number of the page: see [`ListKind::title`].
    pub title: &'l str,
    /// For search engines and previews; may be empty.
    pub description: &'l str,
    /// The language of the list; none: that of the site.
    pub lang: Option<&'l str>,
    /// Whether search engines are told to leave it out.
    pub is_noindex: bool,
    /// The body of `_index.md` as HTML, from `Renderer::body`. Numbered pages leave it out.
    pub body: Option<&'l str>,
    /// What the articles have in common.
    pub kind: ListKind<'l>,
    /// The articles of this page, the newest first.
    pub items: &'l [ListItem<'l>],
    /// The number of this page, counted from the oldest; none for the front page.
    pub number: Option<u32>,
    /// How many pages there are. Numbered pages leave it out, so that one article more does not change
    /// them; likewise `total` and `children`.
    pub pages: u32,
    /// How many articles all pages have.
    pub total: u64,
    /// The page with the next older articles.
    pub older: Option<&'l Route>,
    /// The page with the next newer articles.
    pub newer: Option<&'l Route>,
    /// The lists above this one by title and route, from home down.
    pub crumbs: &'l [(String, Route)],
    /// The path of the Atom feed of this list.
    pub feed: Option<&'l str>,
    /// Lists below this one by title, route and number of articles: folders, or values of a field.
    pub children: &'l [(String, Route, u64)],
}

/// What the articles of a list have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind<'l> {
    /// Nothing: the list has all articles.
    Home,
    /// They are below the folder whose route has this last segment.
    Folder(&'l str),
    /// They have this field; the lists below are those of its values.
    Field(&'l str),
    /// A field of theirs has this value.
    Value {
        /// What people call the field: [`super::field_label`].
        label: &'l str,
        /// The value as its authors write it.
        value: &'l str,
    },
}

impl ListKind<'_> {
    /// The title of such a list, unless an `_index.md` gives it another.
    #[must_use]
    pub fn title(&self, site_name: &str) -> String {
        match self {
            Self::Home if site_name.is_empty() => "Articles".to_owned(),
            Self::Home => site_name.to_owned(),
            Self::Folder(segment) => folder_title(segment),
            Self::Field(label) => (*label).to_owned(),
            Self::Value { label, value } => format!("{label}: {value}"),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Folder(_) => "folder",
            Self::Field(_) => "field",
            Self::Value { .. } => "value",
        }
    }
}

/// An article of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListItem<'l> {
    /// Where it is served.
    pub route: &'l str,
    /// Its title.
    pub title: &'l str,
    /// Its summary, or empty.
    pub summary: &'l str,
    /// Its date, or empty.
    pub date: &'l str,
    /// When it was updated, or empty.
    pub updated: &'l str,
}

/// What the pages of a list say of the site.
#[derive(Clone, Copy)]
pub(super) struct Site<'s> {
    pub(super) url: &'s str,
    pub(super) name: &'s str,
    pub(super) lang: &'s str,
}

/// The values of one page's variables: those of an article that this page has too, and its own.
#[derive(Debug)]
pub(super) struct ListView {
    pub(super) page: View,
    own: Vec<(&'static str, Value)>,
}

impl Object for ListView {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let own = self.own.iter().find(|(name, _)| *name == key);
        own.map(|(_, value)| value.clone())
            .or_else(|| self.page.value(key))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = view::VARIABLES.iter().chain(&OWN_VARIABLES);
        Enumerator::Values(names.map(|name| Value::from(*name)).collect())
    }
}

impl<'l> ListPage<'l> {
    /// The same page without what a numbered page does not show.
    pub(super) fn stable(&self) -> Self {
        let page = self.clone();
        if page.number.is_none() {
            return page;
        }
        Self {
            body: None,
            pages: 0,
            total: 0,
            children: &[],
            ..page
        }
    }

    /// About how many bytes a template needs to show the page once.
    pub(super) fn bytes(&self) -> usize {
        let items = self.items.iter();
        let items =
            items.map(|item| item.route.len() + item.title.len() + item.summary.len() + 200);
        let crumbs = self.crumbs.iter();
        let crumbs = crumbs.map(|(title, route)| title.len() + route.as_str().len() + 100);
        let children = self.children.iter();
        let children = children.map(|(title, route, _)| title.len() + route.as_str().len() + 100);
        let texts = self.body.map_or(0, str::len) + self.title.len() + self.description.len();
        items.chain(crumbs).chain(children).sum::<usize>() + texts + 4096
    }

    /// What the template shows of the page.
    pub(super) fn view(&self, site: Site<'_>) -> ListView {
        let title = match self.number {
            Some(number) => format!("{} – page {number}", self.title),
            None => self.title.to_owned(),
        };
        let canonical = format!("{}{}", site.url, self.route);
        let robots = if self.is_noindex {
            Robots::NoIndex
        } else {
            Robots::Index
        };
        let lang = self.lang.unwrap_or(site.lang);
        let json_ld = self.json_ld(site, [&title, &canonical, lang]);
        let mut own = self.own_values();
        if self.title == site.name {
            own.push(("page_title", Value::from(title.as_str())));
        }
        ListView {
            own,
            page: View {
                lang: lang.to_owned(),
                site_name: site.name.to_owned(),
                site_url: site.url.to_owned(),
                route: self.route.to_string(),
                canonical,
                robots: robots.as_str(),
                noindex: self.is_noindex,
                title,
                description: self.description.to_owned(),
                extra: own_values::mapping(&[]),
                json_ld: ready(json_ld),
                toc: ready(""),
                body: ready(self.body.unwrap_or_default()),
                similar: ready(""),
                meta_box: ready(""),
                crumbs: view::crumbs(self.crumbs),
                ..View::default()
            },
        }
    }

    fn own_values(&self) -> Vec<(&'static str, Value)> {
        let (label, value) = match self.kind {
            ListKind::Value { label, value } => (label, value),
            ListKind::Field(label) => (label, ""),
            ListKind::Home | ListKind::Folder(_) => ("", ""),
        };
        let items = self.items.iter().map(|item| {
            context! {
                title => item.title,
                route => item.route,
                summary => item.summary,
                date => item.date,
                updated => item.updated,
            }
        });
        let children = self
            .children
            .iter()
            .map(|(title, route, count)| context! { title, route => route.as_str(), count });
        vec![
            ("kind", Value::from(self.kind.name())),
            ("label", Value::from(label)),
            ("value", Value::from(value)),
            ("items", items.collect()),
            ("number", self.number.map_or(Value::from(""), Value::from)),
            ("pages", Value::from(self.pages)),
            ("total", Value::from(self.total)),
            ("older", Value::from(self.older.map_or("", Route::as_str))),
            ("newer", Value::from(self.newer.map_or("", Route::as_str))),
            ("children", children.collect()),
            ("feed", Value::from(self.feed.unwrap_or_default())),
        ]
    }

    /// schema.org's CollectionPage, with its place in the site.
    fn json_ld(&self, site: Site<'_>, [title, canonical, lang]: [&str; 3]) -> String {
        let here = (title, canonical.to_owned());
        let above = self.crumbs.iter();
        let above = above.map(|(title, route)| (title.as_str(), format!("{}{route}", site.url)));
        let trail = above.chain([here]).zip(1..);
        let trail = trail.map(|((name, item), position)| {
            json!({"@type": "ListItem", "position": position, "name": name, "item": item})
        });
        let mut page = json!({
            "@context": "https://schema.org",
            "@type": "CollectionPage",
            "name": title,
            "description": self.description,
            "url": canonical,
            "inLanguage": lang,
            "breadcrumb": {
                "@type": "BreadcrumbList",
                "itemListElement": trail.collect::<Vec<_>>(),
            },
        });
        if let Some(members) = page.as_object_mut().filter(|_| self.description.is_empty()) {
            members.remove("description");
        }
        let mut out = String::new();
        escape::json_in_html(&mut out, &page.to_string());
        out
    }
}

/// The route of the article in rehearsals.
pub(super) const SAMPLE_ITEM: &str = "/rehearsal/item/";

/// Pages for rehearsals: one that has everything, and one that has no more than it must.
pub(super) fn samples() -> [ListView; 2] {
    let route = Route::parse("/rehearsal/").expect("each segment is a slug");
    let site = Site {
        url: "https://example.org",
        name: "Rehearsal site",
        lang: "en",
    };
    let item = ListItem {
        route: SAMPLE_ITEM,
        title: "An article",
        summary: "",
        date: "",
        updated: "",
    };
    let full_item = ListItem {
        summary: "What it says.",
        date: "2026-01-30",
        updated: "2026-01-31T12:00:00Z",
        ..item
    };
    let minimal = ListPage {
        route: &route,
        title: "Rehearsal",
        description: "",
        lang: None,
        is_noindex: false,
        body: None,
        kind: ListKind::Folder("rehearsal"),
        items: &[item],
        number: Some(1),
        pages: 0,
        total: 0,
        older: None,
        newer: None,
        crumbs: &[],
        feed: None,
        children: &[],
    };
    let full = ListPage {
        description: "A list that has everything.",
        body: Some("<p>Rehearsal.</p>"),
        kind: ListKind::Value {
            label: "Tools",
            value: "rehearsal",
        },
        items: &[full_item],
        number: None,
        pages: 3,
        total: 120,
        older: Some(&route),
        newer: Some(&route),
        crumbs: &[("Home".to_owned(), route.clone())],
        feed: Some("/feed.xml"),
        children: &[("Child".to_owned(), route.clone(), 7)],
        ..minimal.clone()
    };
    [
        full.view(site),
        minimal.view(Site {
            url: "",
            name: "",
            ..site
        }),
    ]
}
