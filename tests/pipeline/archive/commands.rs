//! What commands about single routes do with lists, files and redirects.

use std::collections::BTreeSet;

use super::tree::{Archive, SETTINGS};
use crate::support::{Ran, settle};

/// An archive with a redirect from an alias, one from a route that an article left, and one of a withdrawn one.
fn with_redirects() -> Archive {
    let archive = Archive::new();
    archive.article("cache/n3", 3, "aliases: [/old/page/]\n");
    archive.article("queue/n8", 8, "withdrawn: true\n");
    archive.import();
    settle();
    archive.rename("queue/n5", "queue/second");
    archive.import();
    archive
}

#[test]
fn show_prints_files_and_explains_redirects() {
    let archive = with_redirects();
    let world = &archive.world;
    let feed = archive.file("/feed.xml").unwrap();
    for path in ["/feed.xml", "feed.xml"] {
        let ran = world.anp(&format!("show {path} --page"));
        assert_eq!(ran.exits(0).stdout, feed);
    }
    let ran = world.anp("show /feed.xml");
    let size = format!("file       anp:file:/feed.xml: {} bytes, ", feed.len());
    ran.exits(0)
        .says("/feed.xml\n")
        .says(&size)
        .says("digest     ")
        .says(&feed)
        .hides("meta");
    let json = world.anp("show /feed.xml --format json").of_type("route");
    assert_eq!(json[0]["file"]["bytes"], feed.len());
    assert!(feed.contains(json[0]["digest"].as_str().unwrap()) && json[0]["page"].is_null());
    for (route, answer) in [
        ("/old/page/", "301, to /cache/n3/"),
        ("/queue/n5/", "301, to /queue/second/"),
        ("/queue/n8/", "410, the article was withdrawn"),
    ] {
        let ran = world.anp(&format!("show {route}"));
        ran.exits(0)
            .says(&format!("redirect   anp:redirect:{route}: "))
            .says(&format!("answer     {answer}\n"))
            .hides("page ");
    }
    let json = world.anp("show /old/page/ --format json").of_type("route");
    let redirect = &json[0]["redirect"];
    assert_eq!(redirect["to"], "/cache/n3/");
    assert_eq!(redirect["status"], 301);
    // A value that no front follows.
    world
        .server
        .run(&["SET", "anp:redirect:/odd/", "https://example.com/"]);
    world
        .anp("show /odd/")
        .exits(0)
        .says("answer     nothing: the value is no redirect\n");
    // An article shows as before, and a redirect that its page hides too.
    world
        .server
        .run(&["SET", "anp:redirect:/cache/n6/", r#"{"status":410}"#]);
    world
        .anp("show /cache/n6/")
        .exits(0)
        .says("page       anp:page:/cache/n6/: ")
        .says("meta       anp:meta:/cache/n6/: ")
        .says("answer     410")
        .says("Text of cache n6.");
    // What is not there.
    world
        .anp("show /fed.xml")
        .exits(3)
        .notes("did you mean /feed.xml")
        .notes("the path of a published file");
    world
        .anp("show /old/pages/")
        .exits(3)
        .notes("did you mean /old/page/");
    world.anp("show /feed.xml --meta").exits(3);
    world.anp("show /old/page/ --page").exits(3);
    world.anp("show /feed.html").exits(2);
}

#[test]
fn purge_takes_files_and_redirects_and_the_rollback_brings_them_back() {
    let archive = with_redirects();
    let world = &archive.world;
    let before = world.keys();
    let gone = |line: &str, expected: &[&str]| {
        let dry = world.anp(&format!("purge {line} --dry-run"));
        dry.exits(0);
        assert!(world.keys() == before, "{dry}");
        let ran = world.anp(&format!("purge {line}"));
        ran.exits(0);
        let after = world.keys();
        let gone: Vec<&str> = before
            .keys()
            .map(String::as_str)
            .filter(|key| !after.contains_key(*key))
            .collect();
        assert_eq!(gone, expected, "{ran}");
        world.anp("rollback last").exits(0);
        assert!(world.keys() == before, "{line}");
    };
    gone("/feed.xml", &["anp:file:/feed.xml"]);
    gone(
        "/old/page/ /queue/n8/",
        &["anp:redirect:/old/page/", "anp:redirect:/queue/n8/"],
    );
    gone(
        "/tags/ttl/ robots.txt",
        &[
            "anp:file:/robots.txt",
            "anp:meta:/tags/ttl/",
            "anp:page:/tags/ttl/",
        ],
    );
    let such = |is_meant: fn(&str) -> bool| -> Vec<&str> {
        let keys = before.keys().map(String::as_str);
        keys.filter(|key| is_meant(key)).collect()
    };
    let of_queue = such(|key| key.contains(":/queue/"));
    for key in [
        "page:/queue/",
        "meta:/queue/n2/",
        "file:/queue/feed.xml",
        "redirect:/queue/n5/",
    ] {
        assert!(of_queue.contains(&&*format!("anp:{key}")), "{of_queue:?}");
    }
    gone("--glob /queue/**", &of_queue);
    gone(
        "--glob /**/feed.json",
        &such(|key| key.ends_with("feed.json")),
    );
    // Also without a content tree.
    std::fs::rename(world.path("content"), world.path("elsewhere")).unwrap();
    gone(
        "--glob /old/** --glob /robots.txt",
        &["anp:file:/robots.txt", "anp:redirect:/old/page/"],
    );
    std::fs::rename(world.path("elsewhere"), world.path("content")).unwrap();
    // What is not there.
    let ran = world.anp("purge /fed.xml --glob /none/** --glob /*.txt --dry-run");
    ran.exits(3)
        .notes("there is no file /fed.xml; did you mean /feed.xml")
        .notes("no article matches --glob /none/**")
        .hides("--glob /*.txt");
    // The next import makes them again.
    world.anp("purge /feed.xml /old/page/").exits(0);
    archive.import();
    assert!(archive.file("/feed.xml").is_some() && archive.redirect("/old/page/").is_some());
}

#[test]
fn ls_lists_what_the_store_holds_of_lists_files_and_redirects() {
    let archive = with_redirects();
    let world = &archive.world;
    world
        .server
        .run(&["SET", "anp:file:/other.txt", "Another program's."]);
    world
        .server
        .run(&["SET", "anp:redirect:/odd/", "https://example.com/"]);
    let ran = world.anp("ls --store-only --format json");
    let rows = ran.exits(0).of_type("article");
    let number = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
    let stored = |prefix: &str| {
        world
            .keys()
            .keys()
            .filter(|key| key.starts_with(prefix))
            .count()
    };
    assert_eq!(number("article"), 12);
    assert_eq!(number("article") + number("list"), stored("anp:page:"));
    assert_eq!(
        [number("file"), number("redirect")],
        [stored("anp:file:"), stored("anp:redirect:")]
    );
    let summary = ran.of_type("summary").remove(0);
    assert_eq!(summary["articles"], stored("anp:page:"));
    assert_eq!(
        [&summary["files"], &summary["redirects"]],
        [stored("anp:file:"), 4]
    );
    let row = |route: &str| rows.iter().find(|row| row["route"] == route).unwrap();
    assert_eq!(
        [&row("/old/page/")["to"], &row("/feed.xml")["state"]],
        ["/cache/n3/", "stored"]
    );
    assert_eq!(row("/queue/n8/")["status"], 410);
    assert_eq!(
        ["/odd/", "/other.txt"].map(|route| &row(route)["state"]),
        ["foreign", "foreign"]
    );
    let text = world.anp("ls --store-only /old/** /*.xml /queue/n8");
    text.exits(0)
        .says("/old/page/")
        .says("  301 to /cache/n3/\n")
        .says("  410\n")
        .says("files, 2 redirects: ");
    let routes = world.anp("ls --store-only --routes /old/** /robots.txt");
    assert_eq!(routes.exits(0).stdout, "/old/page/\n/robots.txt\n");
    // What has a source is compared with it; the others are not among articles.
    world
        .anp("ls")
        .exits(0)
        .hides("/feed.xml")
        .hides("/old/page/")
        .hides("/tags/ttl/");
}

/// What becomes of archive objects, by the lines of this type that a command prints: action, kind and route.
fn changes(ran: &Ran, kind: &str) -> BTreeSet<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let lines = ran.of_type(kind).into_iter();
    let named = lines.map(|line| match kind {
        "key" => {
            let key = text(&line["key"]);
            let (kind, route) = key.strip_prefix("anp:").unwrap().split_once(':').unwrap();
            let kind = match kind {
                // With their articles.
                "page" | "meta" | "text" => "list",
                kind => kind,
            };
            (text(&line["action"]), kind.to_owned(), route.to_owned())
        }
        _ => (
            text(&line["action"]),
            text(&line["kind"]),
            text(&line["route"]),
        ),
    });
    // Articles have another form of route here than lists.
    let is_article = |route: &str| {
        let last = route.trim_end_matches('/').rsplit('/').next().unwrap();
        let is_numbered = last
            .strip_prefix('n')
            .is_some_and(|rest| rest.parse::<u32>().is_ok());
        is_numbered || ["second", "newest"].contains(&last)
    };
    let archive = named.filter(|(_, kind, route)| kind != "list" || !is_article(route));
    archive
        .map(|(action, kind, route)| format!("{action} {kind} {route}"))
        .collect()
}

#[test]
fn diff_counts_and_names_the_archive_objects_that_an_import_would_change() {
    let archive = Archive::new();
    archive.import();
    settle();
    let world = &archive.world;
    world
        .anp("diff --exit-code")
        .exits(0)
        .says("no article differs\n")
        .hides("archive");
    archive.article("queue/newest", 200, "tags: [fresh]\n");
    archive.rename("queue/n5", "cache/second");
    archive.article("cache/n3", 3, "withdrawn: true\n");
    archive.remove("cache/n12");
    let group = SETTINGS.find("archive:").unwrap();
    for (settings, line) in [
        (SETTINGS, ""),
        (SETTINGS, " --prune"),
        (&SETTINGS.replace("per_page: 3", "per_page: 4"), ""),
        (&SETTINGS[..group], " --prune"),
    ] {
        world.write("anp.yaml", settings);
        let before = world.keys();
        let all = world.anp(&format!("diff --all --format json{line}"));
        let summary = all.exits(0).of_type("summary").remove(0);
        let named = changes(&all, "archive_object");
        assert!(
            !named.is_empty() && summary["archive_objects"] == named.len(),
            "{all}"
        );
        let few = world.anp(&format!("diff --stat --format json{line}"));
        assert_eq!(few.of_type("archive_object").len(), named.len().min(20));
        assert_eq!(few.of_type("summary")[0]["archive_objects"], named.len());
        let none = world.anp(&format!("diff --exit-code{line}"));
        let count = format!(
            "{} archive objects differ, named with --stat or --all\n",
            named.len()
        );
        none.exits(1).says(&count).hides("  update  list");
        let first = world.anp(&format!("diff --all --stat{line}"));
        first
            .says("  file     /sitemap.xml  (list)\n")
            .hides("named with");
        assert!(world.keys() == before);
        let ran = world.anp(&format!("import --max-removed 100% --format json{line}"));
        let done = changes(&ran, "key");
        assert!(
            named == done,
            "{line}: {:?}",
            named.symmetric_difference(&done)
        );
        // What the run changed is counted and named in the same way.
        let of_run = world.anp("diff --run last --all --format json");
        assert_eq!(changes(&of_run, "archive_object"), done);
        assert_eq!(of_run.of_type("summary")[0]["archive_objects"], done.len());
        let articles = of_run.of_type("article");
        assert!(articles.iter().all(|line| line["route"] != "/"), "{of_run}");
        assert_eq!(of_run.of_type("summary")[0]["changed"], summary["changed"]);
        world.anp("rollback last").exits(0);
        assert!(world.keys() == before);
    }
    // A list that is asked for is shown with its text.
    world.write("anp.yaml", SETTINGS);
    world.anp("import").exits(0);
    world
        .anp("diff --run last /tags/fresh/")
        .exits(0)
        .says("create /tags/fresh/ (new)\n")
        .says("[About queue newest]");
}
