//! The list of articles.

use super::{Serving, one};
use crate::support::World;
use crate::support::http::request;

/// Three articles with tags, imported.
fn three() -> World {
    let world = World::new();
    for (name, title, tags) in [
        ("cron", "Cron without surprises", "[redis, cron]"),
        ("ttl", "A jitter for every TTL", "[redis]"),
        ("x/lock", "One lock, one writer", "[C++ & more]"),
    ] {
        let text = format!("---\ntitle: {title}\ntags: {tags}\n---\nText.\n");
        world.write(&format!("content/{name}.md"), text);
    }
    world.anp("import").exits(0);
    world
}

#[test]
fn the_start_lists_the_articles_in_the_store_with_what_it_knows_of_them() {
    let world = three();
    let serving = Serving::of(&world);
    let run = &world.runs()[0];
    for path in ["/", "/_anp/", "/?unknown=1"] {
        serving
            .get(path)
            .is(200)
            .has("cache-control", "no-store")
            .has("content-type", "text/html; charset=utf-8")
            .has("x-robots-tag", "noindex")
            .says("3 articles")
            .says("<a href=\"/cron/\">Cron without surprises</a>")
            .says("<a href=\"/x/lock/\">One lock, one writer</a>")
            .says(&format!("by <a href=\"/_anp/?run={run}\">{run}</a>"))
            .says("written <time datetime=")
            .says("expires <time datetime=")
            .hides("gone from the store")
            .hides("<script");
    }
    serving
        .get(&format!("/_anp/?run={run}"))
        .says(&format!("<code>{run}</code> · import"))
        .says("<a href=\"/_anp/\">all articles in the store</a>");
    let head = request(&serving.address, "HEAD", "/_anp/", &[]);
    assert!(head.is(200).header("content-length").is_some());
    let answer = serving.get("/_anp/");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.contains("form-action 'self'"), "{policy}");
}

#[test]
fn words_and_tags_find_articles_and_their_links_lead_back() {
    let world = three();
    let serving = Serving::of(&world);
    let titles = |path: &str| {
        let text = serving.get(path).is(200).text();
        let rows: Vec<String> = text
            .split("<p class=\"title\">")
            .skip(1)
            .map(|row| {
                let title = row.split_once("\">").unwrap().1;
                title.split_once("</a>").unwrap().0.to_owned()
            })
            .collect();
        rows
    };
    assert_eq!(titles("/?q=JITTER+ttl"), ["A jitter for every TTL"]);
    assert_eq!(
        titles("/_anp/?q=redis"),
        ["Cron without surprises", "A jitter for every TTL"]
    );
    assert_eq!(titles("/_anp/?q=x%2Flock"), ["One lock, one writer"]);
    assert_eq!(
        titles("/_anp/?tag=redis&q=cron"),
        ["Cron without surprises"]
    );
    assert_eq!(
        titles("/_anp/?tag=c%2B%2B+%26+more"),
        ["One lock, one writer"]
    );
    assert_eq!(titles("/_anp/?tag=red"), [""; 0]);
    serving
        .get("/_anp/?q=none-of-it")
        .says("0 of 3 articles")
        .says("<title>0 of 3 articles in ")
        .hides("<ol");
    let text = serving.get("/_anp/?q=lock").text();
    let link = text
        .split("href=\"")
        .find(|rest| rest.contains("tag="))
        .unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    assert_eq!(titles(&link), ["One lock, one writer"]);
}

#[test]
fn what_is_gone_is_shown_as_gone_and_what_is_hidden_as_noindex() {
    let world = three();
    world.write("content/d.md", "---\ntitle: D\ndraft: true\n---\nText.\n");
    world.anp("import --drafts").exits(0);
    let first = &world.runs()[0];
    let serving = Serving::of(&world);
    serving
        .get("/_anp/?q=none-of-it")
        .says("0 of 4 articles with");
    serving
        .get("/")
        .is(200)
        .says("<title>4 articles in ")
        .says("4 articles<")
        .says("noindex</strong>")
        .says("Cron without");
    let second = &world.runs()[1];
    serving
        .get(&format!("/_anp/?run={second}"))
        .is(200)
        .says(&format!("<title>1 article of {second}"))
        .says("1 article<")
        .hides("Cron without");
    let of_first = format!("/_anp/?run={first}");
    serving
        .get(&of_first)
        .is(200)
        .says("3 articles")
        .says("Articles of one run");
    world.anp("purge /cron/").exits(0);
    serving
        .get(&of_first)
        .is(200)
        .says(
            "<del>Cron without surprises</del> <strong class=\"mark\">gone from the store</strong>",
        )
        .says("<a href=\"/ttl/\">");
    let fresh = Serving::of(&world);
    fresh.get(&of_first).says("<del>/cron/</del>");
    // A key that holds no string is no page either, whether it expires or not.
    for command in ["LPUSH anp:page:/cron/ x", "EXPIRE anp:page:/cron/ 600"] {
        world.server.command(command);
        fresh.get("/cron/").is(404);
        fresh
            .get(&of_first)
            .says("<del>/cron/</del>")
            .hides("does not expire");
    }
}

#[test]
fn many_articles_stand_on_pages_of_fifty() {
    let world = World::new();
    for number in 0..120 {
        world.article(&format!("n{number:03}.md"), "Text.");
    }
    world.anp("import").exits(0);
    let serving = Serving::of(&world);
    let rows = |path: &str| {
        serving
            .get(path)
            .is(200)
            .text()
            .matches("class=\"title\"")
            .count()
    };
    assert_eq!(rows("/"), 50);
    assert_eq!(rows("/_anp/?page=3"), 20);
    assert_eq!(rows("/_anp/?page=99"), 20);
    assert_eq!(rows("/_anp/?page=0"), 50);
    serving
        .get("/_anp/?page=2&q=about")
        .says("120 of 120 articles")
        .says("page 2 of 3")
        .says("rel=\"prev\" href=\"/_anp/?q=about\"")
        .says("rel=\"next\" href=\"/_anp/?q=about&amp;page=3\"");
}

#[test]
fn nobody_writes_markup_into_the_list() {
    let world = World::new();
    let title = "'<script>alert(1)</script>\"><img src=x onerror=alert(2)>'";
    let text = format!("---\ntitle: {title}\ntags: ['\"><script>alert(3)</script>']\n---\nText.\n");
    world.write("content/a.md", text);
    world.anp("import").exits(0);
    // What anp would have cleaned, somebody else may write.
    let meta = r#"{"title":"</title><script>alert(4)</script>","run":"\"><script>","written_at":"<script>","robots":"<script>","metadata":{"tags":["<script>","\"onclick=alert(5) x=\""]}}"#;
    world.server.run(&["SET", "anp:meta:/a/", meta]);
    let serving = Serving::of(&world);
    let attack = "%3Cscript%3Ealert(6)%3C/script%3E%22%20autofocus%20onfocus=%22alert(7)";
    for path in [
        "/".to_owned(),
        format!("/_anp/?q={attack}"),
        format!("/_anp/?tag={attack}"),
        format!("/_anp/?run={attack}"),
        format!("/_anp/?q=alert&page={attack}"),
        format!("/{attack}/"),
    ] {
        let answer = serving.get(&path);
        answer
            .hides("<script")
            .hides("<img")
            .hides("\" onfocus")
            .hides("\"onclick")
            .hides("\" autofocus");
    }
    serving.get("/").says("&lt;script&gt;alert(4)");
}

#[test]
fn without_an_article_the_way_to_one_is_shown() {
    let world = World::new();
    let serving = Serving::of(&world);
    serving
        .get("/")
        .is(200)
        .says("redis+unix://…?db=0, prefix anp, holds no article.")
        .says("anp import content/");
    for run in [
        "20991124T160000.123Z-00af",
        "../../etc/passwd",
        "/etc/passwd",
    ] {
        serving
            .get(&format!("/_anp/?run={run}"))
            .is(404)
            .says("anp runs");
    }
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    serving.get("/").is(200).says("1 article<");
    // A run into another prefix is not about this store.
    world.anp("import --prefix other").exits(0);
    serving
        .get("/")
        .is(200)
        .says("1 article<")
        .hides("gone from the store");
    let other = world.runs().pop().unwrap();
    serving
        .get(&format!("/_anp/?run={other}"))
        .is(404)
        .says("prefix other");
}

#[test]
fn what_is_no_file_among_the_manifests_keeps_nobody_waiting() {
    let world = three();
    let serving = Serving::of(&world);
    let run = "99981231T000000.000Z-0000";
    world.shell(&format!("mkfifo state/runs/{run}.jsonl.zst"));
    serving.get("/_anp/").is(200).says("3 articles");
    serving
        .get(&format!("/_anp/?run={run}"))
        .is(404)
        .says(&format!("The manifest of the run {run} cannot be read."));
    serving.get("/_anp/").is(200).says("3 articles");
}

#[test]
fn no_path_of_the_machine_is_shown_to_visitors() {
    let mut world = three();
    let run = world.runs()[0].clone();
    let folder = world.path("").display().to_string();
    let socket = world.server.folder().display().to_string();
    let serving = Serving::of(&world);
    let look = |path: &str| {
        serving.get(path).hides(&folder).hides(&socket);
    };
    look("/_anp/");
    look("/_anp/?run=nope");
    look("/none/");
    world.anp("import --prefix other").exits(0);
    let other = world.runs().pop().unwrap();
    look(&format!("/_anp/?run={other}"));
    std::fs::write(world.manifest(&run), "damaged").unwrap();
    look(&format!("/_anp/?run={run}"));
    look("/_anp/");
    let embedded = Serving::start(&mut world.command("state", &["--redis", "embedded"]));
    embedded
        .get("/")
        .says("embedded, prefix anp, holds no article.")
        .hides(&folder);
    world.server.kill();
    for path in ["/none/", "/healthz"] {
        serving.get(path).is(503).hides(&folder).hides(&socket);
    }
}

#[test]
fn a_page_of_the_route_of_the_start_is_served_there_and_the_list_beside_it() {
    let world = one();
    world.article("index.md", "This is the start.");
    world.anp("import").exits(0);
    let serving = Serving::of(&world);
    serving
        .get("/")
        .is(200)
        .has("x-cache", "MISS")
        .says("This is the start.");
    serving
        .get("/?q=first")
        .is(200)
        .has("x-cache", "HIT")
        .says("This is the start.");
    serving.get("/_anp/").is(200).says("2 articles<");
    world.anp("rollback last").exits(0);
    serving.until("/", |answer| answer.text().contains("<p class=\"count\""));
}

/// The titles in the list at `path`, in its order.
fn titles(serving: &Serving, path: &str) -> Vec<String> {
    let text = serving.get(path).is(200).text();
    let rows = text.split("<p class=\"title\">").skip(1);
    let title = |row: &str| {
        let (_, rest) = row.split_once("\">").unwrap();
        rest.split_once("</a>").unwrap().0.to_owned()
    };
    rows.map(title).collect()
}

#[test]
fn the_list_is_that_of_the_store_whatever_wrote_it_and_follows_it() {
    let world = three();
    world.article("x/new.md", "New.");
    world.anp("import").exits(0);
    // Another machine has no manifest of all that.
    let elsewhere = world.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let serving = Serving::start(&mut world.command("elsewhere", &[]));
    serving.get("/").says("4 articles<").says("x/new");
    world.anp("purge /cron/").exits(0);
    // Somebody else's keys are no articles.
    world.server.command("SET anp:page:no-route x");
    world.server.command("SET anp:meta:/only-meta/ {}");
    serving.until("/_anp/", |answer| answer.text().contains("3 articles<"));
    serving
        .get("/_anp/")
        .hides("gone from the store")
        .hides("only-meta");
}

#[test]
fn folders_narrow_the_list_and_it_can_be_ordered() {
    let world = World::new();
    for (name, title, date) in [
        ("a/b/one", "Zebra", "2024-01-02"),
        ("a/two", "apple", "2025-03-04"),
        ("three", "Middle", "2023-05-06"),
    ] {
        let text = format!("---\ntitle: {title}\ndate: {date}\n---\nText.\n");
        world.write(&format!("content/{name}.md"), text);
    }
    world.anp("import").exits(0);
    let serving = Serving::of(&world);
    serving
        .get("/")
        .says("<a href=\"/_anp/?section=%2Fa%2F\">/a/</a> (2)")
        .says("dated 2024-01-02");
    let section = "/_anp/?section=%2Fa%2F";
    serving
        .get(section)
        .says("2 of 3 articles in /a/")
        .says("<a href=\"/_anp/?section=%2Fa%2Fb%2F\">/a/b/</a> (1)");
    assert_eq!(titles(&serving, section), ["Zebra", "apple"]);
    for (sort, expected) in [
        ("route", ["Zebra", "apple", "Middle"]),
        ("title", ["apple", "Middle", "Zebra"]),
        ("date", ["apple", "Zebra", "Middle"]),
        ("anything", ["Zebra", "apple", "Middle"]),
    ] {
        assert_eq!(titles(&serving, &format!("/_anp/?sort={sort}")), expected);
    }
    serving
        .get("/_anp/?sort=title")
        .says("<option value=\"title\" selected>");
    // Only the last import wrote this one.
    world.article("three.md", "Changed.");
    world.anp("import").exits(0);
    serving.until("/_anp/?sort=written&q=three", |answer| {
        answer.text().contains("/three/")
    });
}

#[test]
fn a_browser_gets_a_bar_that_leads_to_the_list_and_nobody_else_does() {
    let world = three();
    let serving = Serving::of(&world);
    let stored = world.server.get("anp:page:/cron/").unwrap();
    let plain = serving.get("/cron/");
    assert_eq!(plain.text(), stored);
    plain.has("link", "</_anp/>; rel=\"index\"");
    let browser = [("Sec-Fetch-Dest", "document")];
    let answer = request(&serving.address, "GET", "/cron/", &browser);
    answer
        .is(200)
        .says("<a href=\"/_anp/\">anp preview: all articles in the store</a>");
    let text = answer.text();
    let (before, rest) = text.split_once("<nav id=\"anp-preview\"").unwrap();
    let (_, after) = rest.split_once("</nav>").unwrap();
    assert_eq!(format!("{before}{after}"), stored);
    // Its style is allowed beside that of the page, and nothing else is.
    let policy = |answer: &crate::support::http::Answer| {
        answer.header("content-security-policy").unwrap().clone()
    };
    let with_bar = policy(&answer);
    assert_eq!(with_bar.matches("'sha256-").count(), 2, "{with_bar}");
    assert_eq!(policy(&plain).matches("'sha256-").count(), 1);
    assert!(
        with_bar.contains("default-src 'none'") && with_bar.contains("sandbox"),
        "{with_bar}"
    );
    // Other bytes have another tag, and a browser asks with it.
    let tag = answer.header("etag").unwrap().clone();
    assert_ne!(plain.header("etag").unwrap(), tag);
    let again = [("Sec-Fetch-Dest", "document"), ("If-None-Match", &tag)];
    request(&serving.address, "GET", "/cron/", &again).is(304);
    let other = [("If-None-Match", tag.as_str())];
    request(&serving.address, "GET", "/cron/", &other).is(200);
    // A page of another program, without a body, stays as it is.
    world.server.command("SET anp:page:/cron/ theirs");
    let fresh = Serving::of(&world);
    let theirs = request(&fresh.address, "GET", "/cron/", &browser);
    assert_eq!(theirs.is(200).text(), "theirs");
}

#[test]
fn a_user_that_may_not_scan_is_told_so_and_pages_are_served() {
    let world = three();
    let user = "preview on >s ~anp:* resetchannels -@all +ping +select +getrange +pttl";
    world.server.command(&format!("ACL SETUSER {user}"));
    let url = format!("{}?user=preview", world.server.url());
    let mut command = world.command("state", &["--redis", &url]);
    let serving = Serving::start(command.env("ANP_REDIS_PASSWORD", "s"));
    serving.get("/_anp/").is(200).says("+scan");
    serving.get("/cron/").is(200);
    world.server.command("ACL SETUSER preview +scan");
    serving.get("/_anp/").is(200).says("3 articles<");
}
