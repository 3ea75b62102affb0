//! What links articles to each other: pages of lists, similar posts, and the links of an article.

use anp::article::Route;
use anp::render::{
    ListItem, ListKind, ListLinks, ListPage, RenderSettings, Renderer, SIMILAR_HOLE, SimilarPost,
};

use super::dom::{Dom, parse};
use super::support::{DIGEST, FULL_BODY, STAMP, article, full_fields, list, settings};

fn route(text: &str) -> Route {
    Route::parse(text).unwrap()
}

fn linked() -> RenderSettings {
    RenderSettings {
        similar: true,
        lists: Some(ListLinks {
            home: true,
            folders: true,
            fields: vec!["tags".to_owned(), "tools".to_owned()],
        }),
        ..settings()
    }
}

fn renderer() -> Renderer {
    Renderer::new(&linked()).unwrap()
}

/// The page of an article with its similar posts.
fn page(renderer: &Renderer, fields: &[(&str, anp::article::Value)], body: &str) -> String {
    let article = article("Scheduled tasks", fields, body);
    let page = renderer.render(&article, DIGEST, &STAMP).unwrap().page;
    let section = renderer.similar_section(&posts()).unwrap();
    String::from_utf8(page)
        .unwrap()
        .replace(SIMILAR_HOLE, &section)
}

fn posts() -> Vec<SimilarPost> {
    let post = |at: &str, title: &str, date: &str| SimilarPost {
        route: route(at),
        title: title.to_owned(),
        date: date.to_owned(),
    };
    vec![
        post(
            "/redis-caching/ttl-jitter/",
            "TTL jitter & its <limits>",
            "2019-08-01",
        ),
        post(
            "/cron-dst/",
            "\"Cron\" and summer time",
            "2018-03-25T02:30:00Z",
        ),
        post("/undated/", "مهام مجدولة", ""),
    ]
}

const ITEMS: [ListItem<'static>; 3] = [
    ListItem {
        route: "/redis-caching/scheduled-tasks/",
        title: "redis caching notes: running scheduled tasks reliably",
        summary: "How a nightly job keeps an archive warm, & what to check <before> it runs.",
        date: "2024-02-29T08:30:00Z",
        updated: "2024-03-01",
    },
    ListItem {
        route: "/redis-caching/ttl-jitter/",
        title: "<script>alert(1)</script> \"quoted\" ]]> \u{202e}x\u{0}",
        summary: "",
        date: "2019-08-08",
        updated: "",
    },
    ListItem {
        route: "/arabic/",
        title: "مهام مجدولة تعمل كل ليلة",
        summary: "كيف تبقى الذاكرة المؤقتة دافئة.",
        date: "",
        updated: "",
    },
];

struct Lists {
    front: Route,
    one: Route,
    two: Route,
    crumbs: Vec<(String, Route)>,
    children: Vec<(String, Route, u64)>,
}

impl Lists {
    fn new() -> Self {
        Self {
            front: route("/tags/redis/"),
            one: route("/tags/redis/page/1/"),
            two: route("/tags/redis/page/2/"),
            crumbs: vec![
                ("Home".to_owned(), route("/")),
                ("Tags".to_owned(), route("/tags/")),
            ],
            children: vec![
                ("Expiry".to_owned(), route("/tags/redis/expiry/"), 31),
                (
                    "Replication".to_owned(),
                    route("/tags/redis/replication/"),
                    7,
                ),
            ],
        }
    }

    fn front(&self) -> ListPage<'_> {
        ListPage {
            route: &self.front,
            title: "Tags: redis",
            description: "Everything about Redis & its kin.",
            lang: None,
            is_noindex: false,
            body: Some("<p>All that we know of <strong>Redis</strong>.</p>\n"),
            kind: ListKind::Value {
                label: "Tags",
                value: "redis",
            },
            items: &ITEMS,
            number: None,
            pages: 3,
            total: 103,
            older: Some(&self.two),
            newer: None,
            crumbs: &self.crumbs,
            feed: Some("/tags/redis/feed.xml"),
            children: &self.children,
        }
    }

    fn second(&self) -> ListPage<'_> {
        ListPage {
            route: &self.two,
            number: Some(2),
            older: Some(&self.one),
            newer: Some(&self.front),
            ..self.front()
        }
    }
}

fn shown(renderer: &Renderer, page: &ListPage<'_>) -> String {
    let (page, _) = renderer.list_page(page, DIGEST, &STAMP).unwrap();
    String::from_utf8(page).unwrap()
}

/// A page without its style sheet, which has its own reviewers.
fn without_style(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    format!("{head}<style>…</style>{rest}")
}

/// What must be true of every page, lists included.
fn sound(page: &str) -> Dom {
    let dom = parse(page);
    assert_eq!(dom.errors, Vec::<String>::new());
    assert!(!dom.is_quirky);
    let all = dom.document.descendants();
    let ids: Vec<_> = all.iter().filter_map(|node| node.attribute("id")).collect();
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    for label in all
        .iter()
        .filter_map(|node| node.attribute("aria-labelledby"))
    {
        assert!(ids.contains(&label), "no id {label}");
    }
    assert_eq!(dom.document.find("h1").len(), 1);
    assert_eq!(dom.document.find("main").len(), 1);
    let scripts = dom.document.find("script");
    assert_eq!(scripts.len(), 1, "text of an article is a script");
    serde_json::from_str::<serde_json::Value>(&scripts[0].text()).unwrap();
    assert_eq!(dom.document.find("style").len(), 1);
    dom
}

fn links(dom: &Dom, class: &str) -> Vec<(String, String)> {
    let all = dom.document.descendants();
    let part = all
        .iter()
        .find(|node| node.attribute("class").as_deref() == Some(class));
    let links = part.map_or(Vec::new(), |part| part.find("a"));
    let links = links.iter();
    links
        .map(|link| (link.text(), link.attribute("href").unwrap()))
        .collect()
}

fn pair(text: &str, to: &str) -> (String, String) {
    (text.to_owned(), to.to_owned())
}

#[test]
fn the_front_page_of_a_list() {
    let page = shown(&renderer(), &Lists::new().front());
    let dom = sound(&page);
    assert_eq!(
        links(&dom, "crumbs"),
        [pair("Home", "/"), pair("Tags", "/tags/")]
    );
    insta::assert_snapshot!(without_style(&page));
}

#[test]
fn a_numbered_page_of_a_list() {
    let page = shown(&renderer(), &Lists::new().second());
    let dom = sound(&page);
    assert_eq!(
        links(&dom, "pages"),
        [
            pair("Newer articles", "/tags/redis/"),
            pair("Older articles", "/tags/redis/page/1/")
        ]
    );
    insta::assert_snapshot!(without_style(&page));
}

#[test]
fn a_numbered_page_stays_the_same_when_its_list_grows() {
    let (renderer, lists) = (renderer(), Lists::new());
    let grown = ListPage {
        pages: 4,
        total: 104,
        children: &[],
        body: None,
        ..lists.second()
    };
    assert_eq!(shown(&renderer, &lists.second()), shown(&renderer, &grown));
}

#[test]
fn page_and_meta_of_a_list_tell_its_digest_and_what_it_is() {
    let lists = Lists::new();
    let (page, meta) = renderer()
        .list_page(&lists.second(), DIGEST, &STAMP)
        .unwrap();
    assert_eq!(anp::render::page_digest(&page), Some(DIGEST));
    assert_eq!(anp::render::meta_digest(&meta), Some(DIGEST));
    let head = anp::render::MetaHead::read(&meta);
    assert_eq!(head.written_at.as_deref(), Some("2026-01-31T12:00:00.123Z"));
    assert!(!head.is_noindex());
    insta::assert_snapshot!(String::from_utf8(meta).unwrap());
}

#[test]
fn a_home_list_is_called_as_its_site() {
    let (front, lists) = (route("/"), Lists::new());
    let page = ListPage {
        route: &front,
        title: "Alphanode",
        kind: ListKind::Home,
        crumbs: &[],
        children: &[],
        ..lists.front()
    };
    let dom = sound(&shown(&renderer(), &page));
    assert_eq!(dom.document.find("title")[0].text(), "Alphanode");
    assert_eq!(ListKind::Home.title("Alphanode"), "Alphanode");
    assert_eq!(ListKind::Home.title(""), "Articles");
    assert_eq!(
        ListKind::Folder("redis-caching").title("x"),
        "Redis caching"
    );
    assert_eq!(ListKind::Field("Tags").title("x"), "Tags");
}

#[test]
fn a_list_of_many_long_texts_is_made() {
    let items = vec![
        ListItem {
            title: "&\"'<>".repeat(40).leak(),
            summary: "&\"'<>".repeat(400).leak(),
            ..ITEMS[0]
        };
        300
    ];
    let lists = Lists::new();
    let page = ListPage {
        items: &items,
        ..lists.front()
    };
    assert_eq!(
        sound(&shown(&renderer(), &page)).document.find("h2").len(),
        300
    );
}

#[test]
fn an_article_with_similar_posts_and_links_to_its_lists() {
    let page = page(&renderer(), &full_fields(), FULL_BODY);
    let dom = sound(&page);
    assert_eq!(
        links(&dom, "crumbs"),
        [pair("Home", "/"), pair("Notes", "/notes/")]
    );
    assert_eq!(
        links(&dom, "similar"),
        [
            pair("TTL jitter & its <limits>", "/redis-caching/ttl-jitter/"),
            pair("\"Cron\" and summer time", "/cron-dst/"),
            pair("مهام مجدولة", "/undated/"),
        ]
    );
    let box_ = &dom.document.find("aside")[0];
    let to: Vec<_> = box_
        .find("a")
        .iter()
        .filter_map(|link| link.attribute("href"))
        .collect();
    let expected = [
        "/tools/redis-cli/",
        "/tools/cron/",
        "/tags/cache/",
        "/tags/cron/",
        "/tags/archive/",
    ];
    for link in expected {
        assert!(to.contains(&link.to_owned()), "{link}: {to:?}");
    }
    assert!(!to.iter().any(|link| link.starts_with("/stack/")), "{to:?}");
    insta::assert_snapshot!(without_style(&page));
}

#[test]
fn headings_keep_off_the_ids_of_the_similar_posts() {
    let page = page(&renderer(), &[], "## Similar\n\nText.\n");
    let dom = sound(&page);
    let headings = dom.document.find("h2");
    let ids: Vec<_> = headings
        .iter()
        .filter_map(|heading| heading.attribute("id"))
        .collect();
    assert_eq!(ids, ["user-content-similar", "similar"]);
    // Where there are none, nothing is reserved.
    let plain = Renderer::new(&settings()).unwrap();
    let page = plain
        .render(&article("T", &[], "## Similar"), DIGEST, &STAMP)
        .unwrap()
        .page;
    assert!(
        String::from_utf8(page)
            .unwrap()
            .contains("<h2 id=\"similar\">")
    );
}

#[test]
fn a_value_without_a_slug_is_no_link() {
    let page = page(&renderer(), &[("tags", list(&["!?", "<b>"]))], "Text.");
    let dom = sound(&page);
    let links = dom.document.find("aside")[0].find("a");
    let to: Vec<_> = links
        .iter()
        .map(|link| link.attribute("href").unwrap())
        .collect();
    assert_eq!(to, ["/tags/b/"]);
    assert!(page.contains("<li>!?</li><li><a href=\"/tags/b/\">&lt;b&gt;</a></li>"));
}

#[test]
fn an_article_that_no_list_has_links_to_none() {
    let mut article = article("T", &[("tags", list(&["cache"]))], "Text.");
    for hide in [
        |article: &mut anp::article::Article<'_>| article.visibility.is_noindex = true,
        |article: &mut anp::article::Article<'_>| {
            article.visibility.is_noindex = false;
            article.visibility.is_draft = true;
        },
    ] {
        hide(&mut article);
        let page = renderer().render(&article, DIGEST, &STAMP).unwrap().page;
        let page = String::from_utf8(page).unwrap();
        assert!(!page.contains("/tags/cache/"), "{page}");
        assert!(!page.contains("class=\"crumbs\""), "{page}");
    }
}

#[test]
fn a_hole_stands_on_every_page_once_and_no_article_can_make_one() {
    let hostile = format!("x {SIMILAR_HOLE}\n\n{SIMILAR_HOLE}\n\n`{SIMILAR_HOLE}`\n");
    let fields = [
        ("summary", super::support::text(SIMILAR_HOLE)),
        ("tags", list(&[SIMILAR_HOLE])),
    ];
    let article = article(SIMILAR_HOLE, &fields, &hostile);
    let count = |settings: &RenderSettings| {
        let page = Renderer::new(settings)
            .unwrap()
            .render(&article, DIGEST, &STAMP)
            .unwrap()
            .page;
        String::from_utf8(page)
            .unwrap()
            .matches(SIMILAR_HOLE)
            .count()
    };
    assert_eq!(count(&linked()), 1);
    assert_eq!(count(&settings()), 0);
}

#[test]
fn no_posts_make_no_section() {
    assert_eq!(renderer().similar_section(&[]).unwrap(), "");
}

#[test]
fn each_digest_covers_its_own_templates_and_settings() {
    let with = |name: &str, text: &str| {
        let folder = tempfile::tempdir().unwrap();
        if !name.is_empty() {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let settings = RenderSettings {
            templates: Some(folder.path().to_owned()),
            ..linked()
        };
        let renderer = Renderer::new(&settings).unwrap();
        [
            renderer.fingerprint(),
            renderer.list_fingerprint(),
            renderer.similar_fingerprint(),
        ]
    };
    let before = with("", "");
    let changed = |name: &str, text: &str| {
        let after = with(name, text);
        [0, 1, 2].map(|index| after[index] != before[index])
    };
    let list = "{% for item in items %}{{ item.route }}{% endfor %}";
    let posts = "{% for post in similar %}{{ post.route }}{% endfor %}";
    assert_eq!(changed("page.html", "{{ body }}"), [true, false, false]);
    assert_eq!(changed("list.html", list), [false, true, false]);
    // The page keeps off the ids of the section.
    assert_eq!(changed("similar.html", posts), [true, false, true]);
    let same_ids = format!("<p id=\"similar\">{posts}");
    assert_eq!(changed("similar.html", &same_ids), [false, false, true]);
    assert_eq!(changed("header.html", "x"), [true, true, false]);
    assert_eq!(changed("archive.css", "a{}"), [true, true, false]);
}

#[test]
fn settings_of_archive_objects_decide_the_digests_of_articles_where_they_are_set() {
    let of = |change: fn(&mut RenderSettings)| {
        let mut settings = settings();
        change(&mut settings);
        Renderer::new(&settings).unwrap().fingerprint()
    };
    let all = [
        of(|_| {}),
        of(|settings| settings.similar = true),
        of(|settings| settings.lists = Some(ListLinks::default())),
        of(|settings| settings.lists = linked().lists),
        of(|settings| {
            settings.lists = linked().lists;
            settings.similar = true;
        }),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(!all[..index].contains(one), "{index}");
    }
}
