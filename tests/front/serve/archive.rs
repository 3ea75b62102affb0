//! Files, redirects and lists of an archive.

use super::{Serving, one};
use crate::archive::{DIGEST, NO_FILES, REDIRECTS, files, max_age, no_redirects, put, untagged};
use crate::support::http::request;

#[test]
fn a_file_comes_as_it_is_with_the_type_of_its_name() {
    let world = one();
    let serving = Serving::of(&world);
    for (path, content_type, bytes) in files() {
        serving.get(path).is(404).has("cache-control", "no-store");
        put(&world, &format!("anp:file:{path}"), &bytes);
        let answer = serving.get(path);
        assert_eq!(answer.is(200).text(), bytes);
        answer
            .has("content-type", &format!("{content_type}; charset=utf-8"))
            .has("content-length", &bytes.len().to_string())
            .has("etag", &format!("\"{DIGEST}\""))
            .has("age", "0")
            .has("x-cache", "MISS")
            .has("vary", "Cookie")
            .has("x-content-type-options", "nosniff")
            .lacks("last-modified")
            .lacks("x-robots-tag");
        assert!((90..=100).contains(&max_age(&answer)), "{answer:?}");
        let policy = answer.header("content-security-policy").unwrap();
        let none = "default-src 'none'; style-src 'none'; base-uri 'none'; form-action 'none'";
        assert!(policy.starts_with(none), "{policy}");
        let head = request(&serving.address, "HEAD", path, &[]);
        head.is(200).has("content-length", &bytes.len().to_string());
    }
    request(&serving.address, "POST", "/feed.xml", &[]).is(405);
    // A browser that opens it gets no bar.
    let opened = serving.get_with("/feed.xml", &[("Sec-Fetch-Dest", "document")]);
    opened.is(200).hides("anp-preview");
    serving.get("/%66eed%2exml?x=1").is(200);
    let login = serving.get_with("/feed.xml", &[("Cookie", "sessionid=1")]);
    login
        .is(200)
        .has("cache-control", "private, no-store")
        .has("x-cache", "BYPASS")
        .lacks("etag");
    world.server.command("DEL anp:file:/feed.xml");
    let gone = serving.get("/feed.xml");
    gone.is(404)
        .says("The store holds no file at /feed.xml (key anp:file:/feed.xml)")
        .says("anp show /feed.xml");
    world.server.command("DEL anp:file:/robots.txt");
    for bytes in untagged() {
        world.server.run(&["SET", "anp:file:/robots.txt", &bytes]);
        let other = serving.get("/robots.txt");
        assert_eq!(other.is(200).lacks("etag").text(), bytes);
        assert_eq!(max_age(&other), 0, "it does not expire");
    }
}

#[test]
fn who_has_the_file_is_told_so_and_who_wants_another_version_gets_none() {
    let world = one();
    let serving = Serving::of(&world);
    put(&world, "anp:file:/feed.xml", &files()[2].2);
    let tag = format!("\"{DIGEST}\"");
    let weak = format!("\"x\", W/{tag}");
    for value in [tag.as_str(), &weak, "*"] {
        let answer = serving.get_with("/feed.xml", &[("If-None-Match", value)]);
        answer.is(304).has("etag", &tag).lacks("content-type");
        assert!(max_age(&answer) >= 90);
    }
    let other = ("If-None-Match", "\"x\"");
    serving.get_with("/feed.xml", &[other]).is(200);
    let since = ("If-Modified-Since", "Mon, 06 Jan 2070 10:00:00 GMT");
    serving.get_with("/feed.xml", &[since]).is(200);
    let answer = serving.get_with("/feed.xml", &[("If-Match", "\"x\"")]);
    answer.is(412).has("cache-control", "no-store");
    assert_eq!(answer.text(), "");
    serving.get_with("/feed.xml", &[("If-Match", &tag)]).is(200);
}

#[test]
fn what_is_no_file_is_not_served() {
    let world = one();
    let serving = Serving::of(&world);
    world.server.run(&["SET", "anp:file:/empty.xml", ""]);
    world.server.command("LPUSH anp:file:/list.xml x");
    world
        .server
        .command("SETRANGE anp:file:/large.xml 67108864 x");
    for path in ["/empty.xml", "/list.xml", "/large.xml", "/none.xml"] {
        serving.get(path).is(404).has("cache-control", "no-store");
    }
    world
        .server
        .command("SETRANGE anp:file:/largest.xml 67108863 x");
    let largest = request(&serving.address, "HEAD", "/largest.xml", &[]);
    largest.is(200).has("content-length", "67108864");
    // Were the store asked for any of these, it would not answer: it is stopped.
    world.server.signal("STOP");
    for path in NO_FILES {
        serving.get(path).is(404).lacks("x-evil");
    }
    world.server.signal("CONT");
}

#[test]
fn a_route_without_a_page_leads_where_the_store_says() {
    let world = one();
    let serving = Serving::of(&world);
    for (value, status, to) in REDIRECTS {
        put(&world, "anp:redirect:/old/", value);
        for path in ["/old/", "/old"] {
            for method in ["GET", "HEAD"] {
                let answer = request(&serving.address, method, path, &[]);
                answer
                    .is(status)
                    .has("vary", "Cookie")
                    .has("x-cache", "MISS");
                assert!((90..=100).contains(&max_age(&answer)), "{answer:?}");
                assert_eq!(answer.header("location").as_deref(), to, "{value}");
                let is_said = method == "GET" && status == 410;
                assert_eq!(answer.text().contains("was withdrawn"), is_said);
            }
            // Tags are about pages.
            let tagged = [("If-None-Match", "*"), ("If-Match", "\"x\"")];
            serving.get_with(path, &tagged).is(status);
        }
        let login = serving.get_with("/old/", &[("Cookie", "sessionid=1")]);
        login
            .is(status)
            .has("cache-control", "private, no-store")
            .has("x-cache", "BYPASS");
    }
    put(&world, "anp:redirect:/old/", REDIRECTS[0].0);
    for (path, to) in [
        ("/old/?utm_source=x&y=%0d%0a", "/new/?utm_source=x&y=%0d%0a"),
        ("/old?x", "/new/?x"),
        ("/old/?", "/new/?"),
        ("/%6fld/", "/new/"),
    ] {
        serving
            .get(path)
            .is(301)
            .has("location", to)
            .lacks("x-evil");
    }
    for path in ["/OLD/", "/old//", "//old/", "/old.html"] {
        serving.get(path).is(404).lacks("location");
    }
    request(&serving.address, "POST", "/old/", &[]).is(405);
    world.server.command("PERSIST anp:redirect:/old/");
    assert_eq!(max_age(&serving.get("/old/")), 0);
    world.server.command("DEL anp:redirect:/old/");
    serving.get("/old/").is(404);
}

#[test]
fn a_page_wins_over_a_redirect_from_its_route() {
    let world = one();
    let serving = Serving::of(&world);
    put(&world, "anp:redirect:/a/", REDIRECTS[0].0);
    serving.get("/a/").is(200).says("The first text.");
    serving.get("/a").is(308).has("location", "/a/");
    world.server.command("DEL anp:page:/a/");
    serving.until("/a/", |answer| answer.status == 301);
    serving.get("/a").is(301).has("location", "/new/");
}

#[test]
fn no_value_leads_to_another_site_or_adds_a_header() {
    let world = one();
    let serving = Serving::of(&world);
    for value in no_redirects() {
        put(&world, "anp:redirect:/old/", &value);
        for path in ["/old/", "/old"] {
            let answer = serving.get(path);
            assert_eq!(answer.status, 404, "{}", value.escape_ascii());
            answer.lacks("location").lacks("x-evil");
        }
    }
    world.server.command("DEL anp:redirect:/old/");
    world.server.command("LPUSH anp:redirect:/old/ x");
    world
        .server
        .command("SETRANGE anp:redirect:/large/ 1000000 x");
    for path in ["/old/", "/large/", "/large"] {
        serving.get(path).is(404).lacks("location");
    }
}

#[test]
fn at_the_start_a_page_comes_first_then_a_redirect_then_the_list_of_articles() {
    let world = one();
    let serving = Serving::of(&world);
    serving.get("/").is(200).says("1 article");
    put(&world, "anp:redirect:/", REDIRECTS[0].0);
    serving.get("/").is(301).has("location", "/new/");
    put(&world, "anp:page:/", "<p>The home page.");
    serving.get("/").is(200).says("The home page.");
    let meta = r#"{"digest":"x","archive":"list","title":"Home"}"#;
    put(&world, "anp:meta:/", meta);
    // Another preview: the first one may list what it read before.
    let serving = Serving::of(&world);
    let answer = serving.get("/_anp/?q=home");
    answer.says("<a href=\"/\">Home</a> <strong class=\"mark\">list</strong>");
    serving.get("/_anp/?q=about").says("1 of 2").hides(">list<");
}

#[test]
fn the_text_of_an_article_is_index_md_in_its_folder() {
    let world = one();
    let serving = Serving::of(&world);
    serving.get("/a/index.md").is(404);
    let text = format!("# A\n\n<!--anp:{DIGEST}-->\n");
    put(&world, "anp:text:/a/", &text);
    let answer = serving.get("/a/index.md");
    assert_eq!(answer.is(200).text(), text);
    answer
        .has("content-type", "text/markdown; charset=utf-8")
        .has("etag", &format!("\"{DIGEST}\""))
        .has("x-content-type-options", "nosniff")
        .lacks("x-robots-tag");
    assert!((90..=100).contains(&max_age(&answer)), "{answer:?}");
    let tag = format!("\"{DIGEST}\"");
    let ask = |name, value: &str| serving.get_with("/a/index.md", &[(name, value)]);
    assert_eq!(ask("If-None-Match", &tag).is(304).text(), "");
    ask("If-Match", "\"x\"").is(412);
    request(&serving.address, "HEAD", "/a/index.md", &[]).is(200);
    // The page of the route says who may find it.
    put(&world, "anp:meta:/a/", r#"{"robots":"noindex"}"#);
    serving.get("/a/index.md").has("x-robots-tag", "noindex");
    // A file of that name is answered where there is no text.
    put(&world, "anp:file:/b/index.md", &text);
    serving.get("/b/index.md").is(200).lacks("x-robots-tag");
    put(&world, "anp:text:/", &text);
    serving.get("/index.md").is(200);
    world.server.command("LPUSH anp:text:/list/ x");
    serving.get("/list/index.md").is(404);
    serving.get("/a/other.md").is(404);
}
