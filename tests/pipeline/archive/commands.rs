//! What commands about single routes do with lists, files and redirects.

use super::tree::Archive;
use crate::support::settle;

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
