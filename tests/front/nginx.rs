//! deploy/nginx: real nginx with these files as they are, before a real store and an origin,
//! keeps the contract of docs/serving.md.

mod archive;
mod faults;
pub mod front;
mod gzip;
mod operating;
mod origin;
mod paths;
mod visitors;

use crate::support::World;
use crate::support::http::Connection;
use base64::Engine as _;
use front::Front;

/// A store with the pages /a/ and /b/c/.
fn published() -> World {
    let world = World::new();
    world
        .article("a.md", &"A word of the article. ".repeat(200))
        .article("b/c.md", "C.");
    world.anp("import").exits(0);
    world
}

fn page(world: &World, route: &str) -> String {
    world.server.get(&format!("anp:page:{route}")).unwrap()
}

fn etag(world: &World, route: &str) -> String {
    let digest = world.meta(route)["digest"].as_str().unwrap().to_owned();
    format!("\"{digest}\"")
}

fn seconds_left(world: &World, route: &str) -> i64 {
    let left: i64 = redis::cmd("PTTL")
        .arg(format!("anp:page:{route}"))
        .query(&mut world.server.connection())
        .unwrap();
    left / 1000
}

/// `2026-11-24T15:40:31.354Z` as HTTP writes it.
fn http_date(stamp: &str) -> String {
    let at: jiff::Timestamp = stamp.parse().unwrap();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The source that allows the page's own style.
fn style_source(world: &World, page: &str) -> String {
    let style = page.split("<style>").nth(1).unwrap();
    world.write("style", style.split("</style>").next().unwrap());
    let ran = world.shell("sha256sum style");
    let hex = ran.stdout.split(' ').next().unwrap();
    let bytes: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let digest = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("'sha256-{digest}'")
}

#[test]
fn a_page_comes_as_it_is_with_all_its_headers() {
    let world = published();
    let front = Front::start(&world);
    let stored = page(&world, "/a/");
    let before = seconds_left(&world, "/a/");
    let answer = front.get("/a/");
    let after = seconds_left(&world, "/a/");
    assert_eq!(answer.text(), stored);
    let written_at = world.meta("/a/")["written_at"].as_str().unwrap().to_owned();
    let policy = format!(
        "default-src 'none'; style-src {}; img-src 'self' https: http:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        style_source(&world, &stored)
    );
    answer
        .is(200)
        .has("Content-Type", "text/html; charset=utf-8")
        .has("Content-Length", &stored.len().to_string())
        .has("ETag", &etag(&world, "/a/"))
        .has("Last-Modified", &http_date(&written_at))
        .has("Age", "0")
        .has("X-Cache", "HIT")
        .has("Server", "nginx")
        .has("Vary", "Accept-Encoding, Cookie")
        .has("Content-Security-Policy", &policy)
        .has("X-Content-Type-Options", "nosniff")
        .has("Referrer-Policy", "strict-origin-when-cross-origin")
        .lacks("X-Robots-Tag");
    let age = answer.header("Cache-Control").unwrap();
    let age: i64 = age
        .strip_prefix("public, max-age=")
        .unwrap()
        .parse()
        .unwrap();
    assert!((after..=before).contains(&age), "{age}");
    assert!(age > 24 * 3600, "seconds, not minutes or milliseconds");
    assert_eq!(front.origin.asked(), Vec::<String>::new());
}

#[test]
fn head_is_get_without_the_body() {
    let world = published();
    let front = Front::start(&world);
    let (head, get) = (front.ask("HEAD", "/b/c/", &[]), front.get("/b/c/"));
    assert_eq!(head.text(), "");
    head.is(200);
    for name in [
        "Content-Length",
        "Content-Type",
        "ETag",
        "Last-Modified",
        "X-Cache",
    ] {
        head.has(name, &get.header(name).unwrap());
    }
}

#[test]
fn who_has_the_page_already_is_told_so() {
    let world = published();
    let front = Front::start(&world);
    let etag = etag(&world, "/a/");
    let modified = front.get("/a/").header("Last-Modified").unwrap();
    let (long_ago, later) = (
        "Mon, 06 Jan 2020 10:00:00 GMT",
        "Mon, 06 Jan 2070 10:00:00 GMT",
    );
    let status = |headers: &[(&str, &str)]| front.ask("GET", "/a/", headers).status;
    for matching in [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"x\", W/\"y\", {etag}"),
        "*".to_owned(),
    ] {
        let answer = front.ask("GET", "/a/", &[("If-None-Match", &matching)]);
        assert_eq!(answer.text(), "");
        answer
            .is(304)
            .has("ETag", &etag)
            .has("Last-Modified", &modified)
            .has("Vary", "Cookie")
            .has("X-Cache", "HIT");
        let cache = answer.header("Cache-Control").unwrap();
        assert!(cache.starts_with("public, max-age="), "{cache}");
        // The date counts only where there is no tag.
        let both = [
            ("If-None-Match", matching.as_str()),
            ("If-Modified-Since", long_ago),
        ];
        assert_eq!(status(&both), 304);
    }
    assert_eq!(status(&[("If-None-Match", "\"x\"")]), 200);
    assert_eq!(
        status(&[("If-None-Match", "\"x\""), ("If-Modified-Since", later)]),
        200
    );
    assert_eq!(status(&[("If-Modified-Since", &modified)]), 304);
    assert_eq!(status(&[("If-Modified-Since", later)]), 304);
    assert_eq!(status(&[("If-Modified-Since", long_ago)]), 200);
    assert_eq!(status(&[("If-Modified-Since", "yesterday")]), 200);
    // nginx takes no second line, and says so before it looks for a page.
    for name in ["If-None-Match", "If-Modified-Since"] {
        assert_eq!(status(&[(name, &etag), (name, &etag)]), 400);
    }
    // Who asks for another version gets neither the page nor a 304.
    let weak = format!("W/{etag}");
    let (tag, unquoted) = (etag.as_str(), &etag[1..33]);
    for failing in [
        &[("If-Match", "\"x\"")][..],
        &[("If-Match", weak.as_str())],
        &[("If-Match", unquoted)],
        &[("If-Match", "\"x\", W/\"y\"")],
        &[("If-Unmodified-Since", long_ago)],
        &[("If-Match", "\"x\""), ("If-None-Match", tag)],
        &[("If-Match", "\"x\""), ("If-Unmodified-Since", later)],
        &[
            ("If-Unmodified-Since", long_ago),
            ("If-Modified-Since", later),
        ],
    ] {
        let answer = front.ask("GET", "/a/", failing);
        answer
            .is(412)
            .has("Cache-Control", "no-store")
            .hides("A word");
        answer
            .has("X-Cache", "HIT")
            .lacks("ETag")
            .lacks("Last-Modified");
        let mut after = Connection::over(front.connect());
        assert_eq!(after.request("HEAD", "/a/", failing).status, 412);
        assert_eq!(after.request("GET", "/a/", &[]).status, 200);
    }
    let listed = format!("\"x\", W/\"y\", {etag}");
    for passing in [
        &[("If-Match", tag)][..],
        &[("If-Match", &listed)],
        &[("If-Match", "*")],
        &[("If-Match", tag), ("If-Unmodified-Since", long_ago)],
        &[("If-Unmodified-Since", modified.as_str())],
        &[("If-Unmodified-Since", "yesterday")],
        &[("If-Match", tag), ("If-None-Match", "\"x\"")],
    ] {
        let answer = front.ask("GET", "/a/", passing);
        answer.is(200).has("X-Cache", "HIT").has("ETag", &etag);
    }
    assert_eq!(status(&[("If-Match", tag), ("If-None-Match", tag)]), 304);
    assert!(!front.errors().contains("aborted"), "{}", front.errors());
}

#[test]
fn a_compressed_page_is_known_again() {
    let world = published();
    let front = Front::start(&world);
    let compressed = front.ask("GET", "/a/", &[("Accept-Encoding", "gzip")]);
    let weak = format!("W/{}", etag(&world, "/a/"));
    compressed
        .is(200)
        .has("Content-Encoding", "gzip")
        .has("ETag", &weak)
        .has("Vary", "Accept-Encoding, Cookie");
    world.write("page.gz", &compressed.body);
    assert_eq!(world.shell("gzip -dc page.gz").stdout, page(&world, "/a/"));
    let again = [
        ("Accept-Encoding", "gzip"),
        ("If-None-Match", weak.as_str()),
    ];
    front.ask("GET", "/a/", &again).is(304);
}

#[test]
fn what_the_objects_say_is_checked_before_it_becomes_a_header() {
    let world = published();
    let server = &world.server;
    let front = Front::start(&world);
    // A draft is not for search engines.
    world.write(
        "content/draft.md",
        "---\ntitle: D\ndraft: true\n---\nText.\n",
    );
    world.anp("import --drafts").exits(0);
    front.get("/draft/").is(200).has("X-Robots-Tag", "noindex");
    // Without its meta object a page is one without a date.
    server.command("DEL anp:meta:/draft/");
    front
        .get("/draft/")
        .is(200)
        .has("X-Cache", "HIT")
        .lacks("Last-Modified")
        .lacks("X-Robots-Tag");
    let digest = world.meta("/a/")["digest"].as_str().unwrap().to_owned();
    // Dates that are none, and a meta object that is no string.
    for stamp in [
        "2026-13-24T15:40:31.354Z",
        "2026-02-30T15:40:31.354Z",
        "2026-11-24T25:40:31.354Z",
        "2026-11-24T15:40:31\\r\\nX: y",
        "",
    ] {
        let meta = format!(r#"{{"digest":"{digest}","run":"y","written_at":"{stamp}"}}"#);
        server.run(&["SET", "anp:meta:/a/", &meta]);
        front
            .get("/a/")
            .is(200)
            .has("X-Cache", "HIT")
            .lacks("Last-Modified");
    }
    let date = "Thu, 29 Feb 2024 23:59:59 GMT";
    let rest = r#""written_at":"2024-02-29T23:59:59.999Z","robots":"noindex""#;
    let meta = format!(r#"{{"digest":"{digest}",{rest}}}"#);
    server.run(&["SET", "anp:meta:/a/", &meta]);
    front.get("/a/").has("Last-Modified", date);
    let since = [("If-Modified-Since", date)];
    front.ask("GET", "/a/", &since).is(304);
    // The date of another page is not this one's; noindex is believed once too often.
    for meta in [
        format!(r#"{{"digest":"{}",{rest}}}"#, "0".repeat(32)),
        format!(r#"{{{rest},"digest":"{digest}"}}"#),
        format!("{{{rest}}}"),
    ] {
        server.run(&["SET", "anp:meta:/a/", &meta]);
        let answer = front.ask("GET", "/a/", &since);
        answer.is(200).has("X-Cache", "HIT").lacks("Last-Modified");
        answer.has("X-Robots-Tag", "noindex");
    }
    server.command("DEL anp:meta:/a/");
    server.command("LPUSH anp:meta:/a/ x");
    front.get("/a/").is(200).lacks("Last-Modified");
    // What ends in no digest has no tag, and what has no expiry is not kept by caches.
    let digest = "0123456789abcdef0123456789abcdef";
    for (page, is_tagged) in [
        // Many that begin, and none that ends.
        ("<style>".repeat(2000), false),
        (format!("<p>x<!--anp:{digest}-->"), true),
        (format!("<p>x<!--anp:{digest}-->\n"), false),
        (format!("<p>x<!--anp:{}-->", digest.to_uppercase()), false),
        ("<!--anp:0123-->".to_owned(), false),
    ] {
        server.run(&["SET", "anp:page:/other/", &page]);
        let answer = front.get("/other/");
        assert_eq!(answer.text(), page);
        answer.is(200).has("Cache-Control", "public, max-age=0");
        assert_eq!(answer.header("ETag").is_some(), is_tagged, "{page}");
        let policy = answer.header("Content-Security-Policy").unwrap();
        assert!(policy.contains("style-src 'none';"), "{policy}");
    }
    // Each page is allowed its own style.
    for style in ["p{color:red}", "p{color:green}"] {
        let page = format!("<style>{style}</style><p>x");
        server.run(&["SET", "anp:page:/other/", &page]);
        let policy = front.get("/other/").header("Content-Security-Policy");
        let allowed = style_source(&world, &page);
        assert!(policy.unwrap().contains(&allowed), "{allowed}");
    }
    // What is empty, larger than any page, or no string is no page, and harms no other.
    for command in [
        "SET anp:page:/other/ ",
        "SETRANGE anp:page:/other/ 67108864 x",
        "DEL anp:page:/other/",
        "LPUSH anp:page:/other/ x",
    ] {
        server.command(command);
        front.get("/other/").is(200).has("X-Cache", "MISS");
    }
    front.get("/a/").is(200).has("X-Cache", "HIT");
}

#[test]
fn what_the_store_has_not_comes_from_the_origin_with_its_own_headers() {
    let world = published();
    let front = Front::start(&world);
    let answer = front.get("/none/?x=1");
    answer
        .is(200)
        .has("X-Cache", "MISS")
        .has("Cache-Control", "max-age=17")
        .has("ETag", "\"o\"")
        .lacks("Content-Security-Policy");
    assert!(
        answer
            .text()
            .contains("GET /none/?x=1 HTTP/1.1\nHost: localhost\n")
    );
    let asked = answer.text();
    assert!(!asked.contains("Connection:"), "kept for the next: {asked}");
    let through_another = [("X-Forwarded-For", "203.0.113.9")];
    let asked = front.ask("GET", "/none/", &through_another).text();
    for header in [
        "X-Forwarded-For: 203.0.113.9, unix:\n",
        "X-Forwarded-Proto: http\n",
    ] {
        assert!(asked.contains(header), "{asked}");
    }
    // What is rolled back is gone with the next request.
    front.get("/a/").has("X-Cache", "HIT");
    world.anp("rollback last").exits(0);
    front.get("/a/").is(200).has("X-Cache", "MISS");
    front.get("/a").is(200).has("X-Cache", "MISS");
    world.anp("import").exits(0);
    front.get("/a/").is(200).has("X-Cache", "HIT");
}
