//! What the objects say.

use super::tree::{Archive, SETTINGS};
use crate::support::settle;

fn links(page: &str) -> Vec<&str> {
    let parts = page.split("href=\"").skip(1);
    let links = parts.filter_map(|part| part.split('"').next());
    links.filter(|link| link.starts_with('/')).collect()
}

#[test]
fn a_full_page_of_a_list_never_changes_when_new_articles_come() {
    let archive = Archive::new();
    archive.import();
    let page = |number: usize| archive.page(&format!("/page/{number}/"));
    let before: Vec<Option<String>> = (1..=4).map(page).collect();
    assert!(before.iter().all(Option::is_some) && page(5).is_some() && page(6).is_none());
    settle();
    for number in 1..=4 {
        archive.article(&format!("queue/new{number}"), 200 + number, "");
    }
    archive.import();
    assert!(page(6).is_some());
    let after: Vec<Option<String>> = (1..=4).map(page).collect();
    assert!(after == before);
}

#[test]
fn lists_show_the_newest_first_and_lead_to_every_article() {
    let archive = Archive::new();
    archive.import();
    let home = archive.page("/").unwrap();
    let of_home = links(&home);
    let place = |route: &str| of_home.iter().position(|link| *link == route);
    assert!(
        place("/cache/deep/n13/") < place("/cache/n12/"),
        "{of_home:?}"
    );
    assert!(place("/cache/n12/").is_some() && place("/cache/deep/n10/").is_none());
    let mut seen = std::collections::BTreeSet::new();
    for number in 1..=5 {
        let page = archive.page(&format!("/page/{number}/")).unwrap();
        seen.extend(links(&page).into_iter().map(str::to_owned));
    }
    for number in 1..=13 {
        let folder = ["cache", "cache/deep", "queue"][number % 3];
        let route = format!("/{folder}/n{number}/");
        assert!(seen.contains(&route), "{route}");
        // An article links to the lists that it is in.
        let page = archive.page(&route).unwrap();
        let of_page = links(&page);
        let folder_list = format!("/{folder}/");
        for list in ["/", folder_list.as_str()] {
            assert!(of_page.contains(&list), "{route}: {of_page:?}");
        }
        assert!(
            of_page.iter().any(|link| link.starts_with("/tags/")),
            "{of_page:?}"
        );
    }
    let tags = archive.page("/tags/").unwrap();
    for tag in [
        "/tags/redis/",
        "/tags/ttl/",
        "/tags/jitter/",
        "/tags/queue/",
    ] {
        assert!(links(&tags).contains(&tag));
    }
}

#[test]
fn similar_posts_are_older_and_stand_in_page_and_meta_object() {
    let archive = Archive::new();
    archive.import();
    let meta = archive.world.meta("/cache/n12/");
    let similar = meta["similar"].as_array().unwrap();
    assert_eq!(similar.len(), 3);
    let page = archive.page("/cache/n12/").unwrap();
    for post in similar {
        let route = post["route"].as_str().unwrap();
        let number: usize = route
            .rsplit('n')
            .next()
            .unwrap()
            .trim_end_matches('/')
            .parse()
            .unwrap();
        assert!(number < 12, "{route}");
        assert!(links(&page).contains(&route));
        assert!(page.contains(post["title"].as_str().unwrap()));
    }
    let oldest = archive.world.meta("/cache/deep/n1/");
    assert!(oldest.get("similar").is_none());
}

#[test]
fn another_title_updates_the_pages_that_show_it_and_no_others() {
    let archive = Archive::new();
    archive.import();
    settle();
    let shows = |route: &str| {
        let meta = archive.world.meta(route);
        let similar = meta["similar"].as_array().cloned().unwrap_or_default();
        similar.iter().any(|post| post["route"] == "/cache/n3/")
    };
    let routes = (1..=13).map(|number| {
        let folder = ["cache", "cache/deep", "queue"][number % 3];
        format!("/{folder}/n{number}/")
    });
    let showing: std::collections::BTreeSet<String> = routes.filter(|route| shows(route)).collect();
    assert!(!showing.is_empty());
    let text = std::fs::read_to_string(archive.world.path("content/cache/n3.md")).unwrap();
    let text = text.replace("title: About", "title: New words about");
    archive.world.write("content/cache/n3.md", text);
    let ran = archive.import();
    let updated: std::collections::BTreeSet<String> = ran
        .of_type("key")
        .iter()
        .filter(|key| key["reason"] == "similar")
        .filter_map(|key| {
            key["key"]
                .as_str()?
                .strip_prefix("anp:page:")
                .map(str::to_owned)
        })
        .collect();
    // Words of the title are terms, so that others may be similar now, too.
    assert!(updated.is_superset(&showing), "{updated:?} {showing:?}");
    for route in showing.iter().filter(|route| shows(route)) {
        assert!(
            archive.page(route).unwrap().contains("New words about"),
            "{route}"
        );
    }
}

#[test]
fn the_page_of_a_folder_is_its_list() {
    let archive = Archive::new();
    let text = "---\ntitle: All of the cache\nnoindex: true\n---\n\n## How to read it\n";
    archive.world.write("content/cache/_index.md", text);
    archive.import();
    let page = archive.page("/cache/").unwrap();
    assert!(
        page.contains("All of the cache") && page.contains("How to read it"),
        "{page}"
    );
    assert!(page.contains("content=\"noindex\""), "{page}");
    assert!(links(&page).contains(&"/cache/n12/"));
    // An article with another name keeps its route, and there is no list of the folder.
    archive.world.write(
        "content/queue/index.md",
        "---\ntitle: Queue\n---\n\nText.\n",
    );
    let ran = archive.import();
    ran.notes("1 list is not made, since an article that is no _index.md has its route: /queue/");
    let page = archive.page("/queue/").unwrap();
    assert!(!links(&page).contains(&"/queue/n2/"));
}

#[test]
fn an_alias_that_cannot_be_followed_is_a_warning() {
    let archive = Archive::new();
    archive.article(
        "cache/n3",
        3,
        "aliases: [/Old Page.html, /cache/n6/, /cache/n3/, /good/, /tags/ttl/, /page/2/, /, /tags/none/]\n\
         tags: [ttl]\n",
    );
    archive.article("cache/n9", 9, "aliases: [/good/]\n");
    for line in ["check --format json", "import --format json"] {
        let ran = archive.world.anp(line);
        let found = ran.of_type("diagnostic");
        let found = found
            .iter()
            .filter(|found| found["message"].as_str().unwrap().contains("list"));
        let found: Vec<String> = found
            .map(|found| {
                let [path, message] =
                    [&found["path"], &found["message"]].map(|of| of.as_str().unwrap());
                format!("{path}:{}:{} {message}", found["line"], found["column"])
            })
            .collect();
        let said = [
            "4:59 no redirect from /tags/ttl/: a list has that route",
            "4:71 no redirect from /page/2/: the list / has its pages there",
            "4:81 no redirect from /: a list has that route",
        ];
        assert_eq!(
            found,
            said.map(|said| format!("content/cache/n3.md:{said}")),
            "{ran}"
        );
    }
    assert!(archive.redirect("/tags/none/").is_some());
    let ran = archive.world.anp("import --format json");
    ran.exits(0);
    let found = ran.of_type("diagnostic");
    let messages: Vec<&str> = found
        .iter()
        .filter(|found| found["code"] == "aliases")
        .filter_map(|found| found["message"].as_str())
        .collect();
    assert_eq!(messages.len(), 7, "{messages:?}");
    assert_eq!(
        archive.redirect("/good/").unwrap(),
        r#"{"to":"/cache/n3/","status":301}"#
    );
    assert!(archive.redirect("/cache/n6/").is_none());
}

#[test]
fn links_to_lists_and_aliases_are_not_broken() {
    let archive = Archive::new();
    let body = "[a](/tags/redis/) [b](/tags/) [c](/cache/) [d](/good/) [e](/) [f](/tags/none/)";
    let text = format!("---\ntitle: Links\ndate: 2024-02-02\n---\n\n{body}\n");
    archive.world.write("content/links.md", text);
    archive.article("cache/n3", 3, "aliases: [/good/]\n");
    settle();
    for _ in 0..2 {
        let ran = archive.world.anp("import --format json");
        let found = ran.of_type("diagnostic");
        let broken: Vec<&str> = found
            .iter()
            .filter(|found| found["code"] == "link")
            .filter_map(|found| found["message"].as_str())
            .collect();
        assert!(
            broken.len() == 1 && broken[0].contains("/tags/none/"),
            "{broken:?}"
        );
    }
}

/// What stands between the tags `name` of an XML file, in order.
fn between<'x>(xml: &'x str, name: &str) -> Vec<&'x str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(open.as_str()).skip(1);
    parts
        .filter_map(|part| part.split(close.as_str()).next())
        .collect()
}

#[test]
fn the_sitemap_has_each_article_once_that_search_engines_may_see() {
    let archive = Archive::new();
    archive.article("queue/hidden", 40, "noindex: true\n");
    archive.article("queue/draft", 41, "draft: true\n");
    archive.article("queue/later", 70, "updated: 2024-04-01T10:00:00+02:00\n");
    archive
        .world
        .write("content/undated.md", "---\ntitle: Undated\n---\n\nText.\n");
    archive.import();
    let index = archive.file("/sitemap.xml").unwrap();
    let mut urls = Vec::new();
    for part in between(&index, "loc") {
        let path = part.strip_prefix("https://example.org").unwrap();
        let part = archive.file(path).unwrap();
        urls.extend(between(&part, "loc").into_iter().map(str::to_owned));
        assert!(path != "/sitemap-2024-03.xml" || part.contains("<lastmod>2024-04-01T08:00:00Z<"));
    }
    let expected = |route: &str| urls.iter().filter(|url| url.ends_with(route)).count();
    for number in 1..=13 {
        assert_eq!(expected(&format!("/n{number}/")), 1, "{number}: {urls:?}");
    }
    assert_eq!(
        ["/queue/later/", "/undated/", "/tags/redis/"].map(expected),
        [1, 1, 1]
    );
    assert_eq!(
        ["/queue/hidden/", "/queue/draft/", "/page/1/"].map(expected),
        [0, 0, 0]
    );
    assert!(
        index.contains("sitemap-2024-03.xml</loc><lastmod>2024-04-01T08:00:00Z"),
        "{index}"
    );
    let robots = archive.file("/robots.txt").unwrap();
    assert!(robots.contains("Sitemap: https://example.org/sitemap.xml\n"));
    let llms = archive.file("/llms.txt").unwrap();
    assert!(
        llms.contains("- [About queue later](https://example.org/queue/later/index.md)"),
        "{llms}"
    );
    assert!(
        llms.contains("- [Cache](https://example.org/cache/): 9 articles"),
        "{llms}"
    );
    assert!(!llms.contains("hidden"), "{llms}");
}

#[test]
fn a_feed_has_the_newest_articles_of_its_folder() {
    let archive = Archive::new();
    archive.import();
    let feed = archive.file("/cache/feed.xml").unwrap();
    let titles = between(&feed, "title");
    assert_eq!(
        titles,
        [
            "Notes · Cache",
            "About cache deep n13",
            "About cache n12",
            "About cache deep n10",
            "About cache n9",
        ]
    );
    let json: serde_json::Value =
        serde_json::from_str(&archive.file("/feed.json").unwrap()).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), 4);
    assert_eq!(
        json["items"][0]["url"],
        "https://example.org/cache/deep/n13/"
    );
    assert!(
        archive
            .page("/cache/")
            .unwrap()
            .contains("href=\"/cache/feed.xml\"")
    );
}

#[test]
fn an_article_at_the_route_of_a_numbered_page_keeps_it() {
    let archive = Archive::new();
    archive.article("page/1", 60, "tags: [redis]\n");
    archive.article("page/2/deep", 61, "tags: [page]\n");
    archive.import();
    assert!(
        archive
            .page("/page/1/")
            .unwrap()
            .contains("Text of page 1.")
    );
    assert!(
        archive
            .page("/page/2/")
            .unwrap()
            .contains("About page 2 deep")
    );
    assert!(archive.page("/page/3/").is_some());
    // Who goes through the pages passes by those that are not made, and is told.
    let linked = |route: &str, rel: &str| {
        let page = archive.page(route).unwrap();
        let tag = page
            .split("<a ")
            .skip(1)
            .find(|tag| tag.contains(&format!("rel=\"{rel}\"")));
        tag.map(|tag| links(tag)[0].to_owned())
    };
    let to = |route: &str| Some(route.to_owned());
    assert_eq!(linked("/page/3/", "next"), None);
    assert_eq!(
        [linked("/page/4/", "next"), linked("/page/3/", "prev")],
        [to("/page/3/"), to("/page/4/")]
    );
    let settings = SETTINGS.replace("per_page: 3", "per_page: 2");
    archive.remove("page/1").world.write("anp.yaml", settings);
    let ran = archive.import();
    ran.notes("warning: 1 numbered page of a list is not made, since an article or another list has its route: /page/2/");
    assert_eq!(
        [linked("/page/3/", "next"), linked("/page/1/", "prev")],
        [to("/page/1/"), to("/page/3/")]
    );
    let counts = archive.import().counts();
    assert_eq!([&counts["created"], &counts["updated"]], [0, 0]);
}

#[test]
fn a_link_to_a_numbered_page_is_broken_if_there_is_none() {
    let archive = Archive::new();
    let body = "[a](/page/1/) [b](/page/5/) [c](/page/6/) [d](/tags/ttl/page/2/) [e](/tags/ttl/page/4/) \
                [f](/cache/page/3/) [g](/cache/page/4/) [h](/page/05/) [i](/tags/page/1/) [j](/queue/page/1/)";
    let text = format!("---\ntitle: Links\ndate: 2024-02-02\nnoindex: true\n---\n\n{body}\n");
    archive.world.write("content/links.md", text);
    // It has the route of the list, which is not made.
    archive.world.write(
        "content/queue/index.md",
        "---\ntitle: Queue\n---\n\nText.\n",
    );
    archive.world.anp("import").exits(0);
    settle();
    for line in [
        "check --format json",
        "import --format json",
        "import --format json",
    ] {
        let ran = archive.world.anp(line);
        let found = ran.of_type("diagnostic");
        let about = found.iter().filter(|found| found["code"] == "link");
        let about = about.map(|found| {
            found["message"]
                .as_str()
                .unwrap()
                .rsplit(' ')
                .next()
                .unwrap()
                .to_owned()
        });
        let broken: Vec<String> = about.collect();
        let expected = [
            "/page/6/",
            "/tags/ttl/page/4/",
            "/cache/page/4/",
            "/page/05/",
            "/tags/page/1/",
            "/queue/page/1/",
        ];
        assert_eq!(broken, expected, "{ran}");
        for route in expected {
            assert!(archive.page(route).is_none(), "{route}");
        }
        for route in [
            "/page/1/",
            "/page/5/",
            "/tags/ttl/page/2/",
            "/cache/page/3/",
        ] {
            assert!(archive.page(route).is_some(), "{route}");
        }
    }
}

#[test]
fn the_page_of_a_field_names_the_folders_below_it_too() {
    let archive = Archive::new();
    archive.article("tags/guides/one", 60, "tags: [redis]\n");
    archive.article("tags/ttl/deep/two", 61, "tags: [redis]\n");
    archive.import();
    let page = archive.page("/tags/").unwrap();
    let named = links(&page);
    for route in ["/tags/redis/", "/tags/ttl/", "/tags/guides/"] {
        assert!(named.contains(&route), "{route}: {named:?}");
    }
    assert!(!named.contains(&"/tags/ttl/deep/"));
    assert!(links(&archive.page("/tags/ttl/").unwrap()).contains(&"/tags/ttl/deep/"));
    // What is counted of a field are its values.
    let llms = archive.file("/llms.txt").unwrap();
    assert!(
        llms.contains("- [Tags](https://example.org/tags/): 4 values\n"),
        "{llms}"
    );
}

#[test]
fn a_date_outside_of_the_years_1_to_9999_is_undated_in_the_sitemap() {
    let archive = Archive::new();
    for (name, date) in [
        ("before", "0001-01-01T00:30:00+02:00"),
        ("first", "0001-01-01T02:30:00+02:00"),
        ("last", "9999-12-31"),
        ("after", "9999-12-31T23:30:00-02:00"),
    ] {
        let text = format!("---\ntitle: {name}\ndate: {date}\n---\n\nText.\n");
        archive.world.write(&format!("content/{name}.md"), text);
    }
    let text =
        "---\ntitle: A\ndate: 2024-02-02\nupdated: 9999-12-31T23:30:00-02:00\n---\n\nText.\n";
    archive.world.write("content/updated.md", text);
    archive.world.anp("import --future").exits(0);
    let part = |name: &str| archive.file(&format!("/sitemap-{name}.xml")).unwrap();
    let url = |route: &str, lastmod: &str| {
        format!("<url><loc>https://example.org/{route}/</loc>{lastmod}</url>")
    };
    let undated = part("undated");
    for route in ["before", "after"] {
        assert!(undated.contains(&url(route, "")), "{undated}");
    }
    assert!(part("0001-01").contains(&url("first", "<lastmod>0001-01-01T00:30:00Z</lastmod>")));
    assert!(part("9999-12").contains(&url("last", "<lastmod>9999-12-31</lastmod>")));
    let of_2024 = part("2024-02");
    assert!(of_2024.contains(&url("updated", "")), "{of_2024}");
    let index = archive.file("/sitemap.xml").unwrap();
    let names: Vec<&str> = between(&index, "loc")
        .into_iter()
        .map(|url| url.trim_start_matches("https://example.org/sitemap-"))
        .collect();
    assert_eq!(
        names,
        [
            "undated.xml",
            "0001-01.xml",
            "2024-01.xml",
            "2024-02.xml",
            "9999-12.xml",
            "lists.xml"
        ]
    );
    // Its newest article of which that is known.
    assert!(index.contains("2024-02.xml</loc></sitemap>"), "{index}");
}
