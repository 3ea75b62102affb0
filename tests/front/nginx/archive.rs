//! Files and redirects of an archive.

use super::front::{Front, block, calls};
use super::published;
use crate::archive::{DIGEST, NO_FILES, REDIRECTS, files, max_age, no_redirects, put, untagged};

#[test]
fn a_file_comes_as_it_is_with_the_type_of_its_name() {
    let world = published();
    let front = Front::start(&world);
    let login = [("Cookie", "sessionid=1")];
    for (path, content_type, bytes) in files() {
        front.get(path).is(200).has("X-Cache", "MISS");
        put(&world, &format!("anp:file:{path}"), &bytes);
        let answer = front.get(path);
        assert_eq!(answer.is(200).text(), bytes);
        answer
            .has("Content-Type", &format!("{content_type}; charset=utf-8"))
            .has("Content-Length", &bytes.len().to_string())
            .has("ETag", &format!("\"{DIGEST}\""))
            .has("Age", "0")
            .has("X-Cache", "HIT")
            .has("X-Content-Type-Options", "nosniff")
            .lacks("Last-Modified")
            .lacks("X-Robots-Tag");
        assert!(answer.header("Vary").unwrap().contains("Cookie"));
        assert!((90..=100).contains(&max_age(&answer)), "{answer:?}");
        let policy = "default-src 'none'; style-src 'none'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
        answer.has("Content-Security-Policy", policy);
        let head = front.ask("HEAD", path, &[]);
        head.is(200).has("Content-Length", &bytes.len().to_string());
        assert_eq!(head.text(), "");
        front.ask("POST", path, &[]).is(405);
        front.ask("GET", path, &login).has("X-Cache", "BYPASS");
    }
    assert_eq!(front.origin.asked().len(), 2 * files().len());
    for bytes in untagged() {
        world.server.run(&["SET", "anp:file:/robots.txt", &bytes]);
        let other = front.get("/robots.txt");
        assert_eq!(other.is(200).lacks("ETag").text(), bytes);
        assert_eq!(max_age(&other), 0, "it does not expire");
    }
    assert_eq!(front.errors(), "");
}

#[test]
fn who_has_the_file_is_told_so_and_who_wants_another_version_gets_none() {
    let world = published();
    let front = Front::start(&world);
    let long = format!("{}<!--anp:{DIGEST}-->", "<a/>".repeat(1000));
    put(&world, "anp:file:/feed.xml", &long);
    let tag = format!("\"{DIGEST}\"");
    let ask = |headers: &[(&str, &str)]| front.ask("GET", "/feed.xml", headers);
    let weak = format!("\"x\", W/{tag}");
    for value in [tag.as_str(), &weak, "*"] {
        let answer = ask(&[("If-None-Match", value)]);
        assert_eq!(answer.text(), "");
        answer.is(304).has("ETag", &tag).has("X-Cache", "HIT");
        assert!(max_age(&answer) >= 90);
    }
    ask(&[("If-None-Match", "\"x\"")]).is(200);
    ask(&[("If-Modified-Since", "Mon, 06 Jan 2070 10:00:00 GMT")]).is(200);
    let failed = ask(&[("If-Match", "\"x\"")]);
    failed
        .is(412)
        .has("Cache-Control", "no-store")
        .hides("<a/>");
    ask(&[("If-Match", &tag)]).is(200);
    let compressed = ask(&[("Accept-Encoding", "gzip")]);
    compressed
        .is(200)
        .has("Content-Encoding", "gzip")
        .has("ETag", &format!("W/{tag}"))
        .has("Vary", "Accept-Encoding, Cookie");
    world.write("feed.gz", &compressed.body);
    assert_eq!(world.shell("gzip -dc feed.gz").stdout, long);
}

#[test]
fn what_is_no_file_is_for_the_origin() {
    let world = published();
    // A large value takes its time.
    let patient = ("set $anp_timeout  200;", "set $anp_timeout 10000;");
    let front = Front::start_with(&world, &[patient]);
    world.server.run(&["SET", "anp:file:/empty.xml", ""]);
    world.server.command("LPUSH anp:file:/list.xml x");
    world
        .server
        .command("SETRANGE anp:file:/large.xml 67108864 x");
    for path in ["/empty.xml", "/list.xml", "/large.xml", "/none.xml"] {
        front.get(path).is(200).has("X-Cache", "MISS");
    }
    let asked = || calls(&world, "getrange") + calls(&world, "pttl");
    let before = asked();
    for path in NO_FILES {
        // nginx itself refuses a NUL.
        let status = if path.contains("%00") { 400 } else { 200 };
        front.get(path).is(status).lacks("X-Evil");
    }
    assert_eq!(asked(), before, "none of these is looked up");
    assert_eq!(front.errors(), "");
}

#[test]
fn a_route_without_a_page_leads_where_the_store_says() {
    let world = published();
    let front = Front::start(&world);
    for (value, status, to) in REDIRECTS {
        put(&world, "anp:redirect:/old/", value);
        for path in ["/old/", "/old"] {
            for method in ["GET", "HEAD"] {
                let answer = front.ask(method, path, &[]);
                answer
                    .is(status)
                    .has("X-Cache", "HIT")
                    .has("Vary", "Cookie");
                assert!((90..=100).contains(&max_age(&answer)), "{answer:?}");
                assert_eq!(answer.header("location").as_deref(), to, "{value}");
                let is_said = method == "GET" && status == 410;
                assert_eq!(answer.text().contains("This page is gone"), is_said);
            }
            // Tags are about pages.
            let tagged = [("If-None-Match", "*"), ("If-Match", "\"x\"")];
            front.ask("GET", path, &tagged).is(status);
        }
        front.ask("POST", "/old/", &[]).is(405);
    }
    assert_eq!(front.origin.asked().len(), 0);
    let login = [("Cookie", "sessionid=1")];
    front.ask("GET", "/old/", &login).has("X-Cache", "BYPASS");
    put(&world, "anp:redirect:/old/", REDIRECTS[0].0);
    for (path, to) in [
        ("/old/?utm_source=x&y=%0d%0a", "/new/?utm_source=x&y=%0d%0a"),
        ("/old?x", "/new/?x"),
        ("/%6fld/", "/new/"),
    ] {
        front.get(path).is(301).has("Location", to).lacks("X-Evil");
    }
    for path in ["/OLD/", "/old.html"] {
        front.get(path).is(200).has("X-Cache", "MISS");
    }
    world.server.command("PERSIST anp:redirect:/old/");
    assert_eq!(max_age(&front.get("/old/")), 0);
    world.server.command("DEL anp:redirect:/old/");
    front.get("/old/").is(200).has("X-Cache", "MISS");
    assert_eq!(front.errors(), "");
}

#[test]
fn a_page_wins_over_a_redirect_from_its_route() {
    let world = published();
    let front = Front::start(&world);
    put(&world, "anp:redirect:/a/", REDIRECTS[0].0);
    front
        .get("/a/")
        .is(200)
        .has("X-Cache", "HIT")
        .says("A word");
    front.get("/a").is(308).has("Location", "/a/");
    world.server.command("DEL anp:page:/a/");
    front.get("/a/").is(301).has("Location", "/new/");
    front.get("/a").is(301).has("Location", "/new/");
}

#[test]
fn no_value_leads_to_another_site_or_adds_a_header() {
    let world = published();
    let front = Front::start(&world);
    for value in no_redirects() {
        put(&world, "anp:redirect:/old/", &value);
        for path in ["/old/", "/old"] {
            let answer = front.get(path);
            let cache = answer.header("x-cache");
            assert_eq!(cache.as_deref(), Some("MISS"), "{}", value.escape_ascii());
            answer.is(200).lacks("Location").lacks("X-Evil");
        }
    }
    world.server.command("DEL anp:redirect:/old/");
    world.server.command("LPUSH anp:redirect:/old/ x");
    world
        .server
        .command("SETRANGE anp:redirect:/large/ 1000000 x");
    for path in ["/old/", "/large/", "/large"] {
        front.get(path).is(200).has("X-Cache", "MISS");
    }
    front.get("/a/").is(200).has("X-Cache", "HIT");
    assert_eq!(front.errors(), "");
}

#[test]
fn a_user_from_before_there_were_files_and_redirects_still_reads_pages() {
    let world = published();
    let acl = block("acl", "SETUSER anp-front");
    let before = acl.replace(" ~anp:file:* ~anp:redirect:* ~anp:text:*", "");
    assert!(before.contains(" ~anp:meta:* resetchannels "), "{before}");
    world.server.command(before.trim_end());
    put(&world, "anp:redirect:/old/", REDIRECTS[0].0);
    put(&world, "anp:file:/feed.xml", &files()[2].2);
    world.write("redis.password", "PASSWORD\n");
    let password = world.path("redis.password");
    let password = format!("set $anp_password_file {};", password.display());
    let settings = [
        ("set $anp_user     \"\";", "set $anp_user anp-front;"),
        ("set $anp_password_file \"\";", &password),
    ];
    let front = Front::start_with(&world, &settings);
    for _ in 0..5 {
        front.get("/old/").is(200).has("X-Cache", "MISS");
        front.get("/feed.xml").is(200).has("X-Cache", "MISS");
        front.get("/a/").is(200).has("X-Cache", "HIT");
    }
    // Each of the two workers says it once.
    let errors = front.errors();
    let said = "anp: files, redirects and texts are left to the origin: NOPERM";
    assert!((1..=2).contains(&errors.matches(said).count()), "{errors}");
    // With the rights of the manual they are answered.
    world.server.command(acl.trim_end());
    front.get("/old/").is(301);
    front.get("/feed.xml").is(200).has("X-Cache", "HIT");
}

#[test]
fn the_text_of_an_article_is_index_md_in_its_folder() {
    let world = published();
    let front = Front::start(&world);
    front.get("/a/index.md").is(200).has("X-Cache", "MISS");
    let text = format!("# A\n\n<!--anp:{DIGEST}-->\n");
    put(&world, "anp:text:/a/", &text);
    let answer = front.get("/a/index.md");
    assert_eq!(answer.is(200).text(), text);
    answer
        .has("Content-Type", "text/markdown; charset=utf-8")
        .has("ETag", &format!("\"{DIGEST}\""))
        .has("X-Cache", "HIT")
        .lacks("X-Robots-Tag");
    assert!((90..=100).contains(&max_age(&answer)), "{answer:?}");
    let tag = format!("\"{DIGEST}\"");
    let ask = |name, value: &str| front.ask("GET", "/a/index.md", &[(name, value)]);
    assert_eq!(ask("If-None-Match", &tag).is(304).text(), "");
    ask("If-Match", "\"x\"").is(412);
    put(&world, "anp:meta:/a/", r#"{"robots":"noindex"}"#);
    front.get("/a/index.md").has("X-Robots-Tag", "noindex");
    put(&world, "anp:file:/b/index.md", &text);
    front.get("/b/index.md").has("X-Cache", "HIT");
    put(&world, "anp:text:/", &text);
    front.get("/index.md").has("X-Cache", "HIT");
    world.server.command("LPUSH anp:text:/list/ x");
    front.get("/list/index.md").has("X-Cache", "MISS");
    assert_eq!(front.errors(), "");
}

/// Its requests come over TCP, so this front listens there too.
#[cfg(feature = "probe")]
#[test]
fn the_probe_finds_nothing_wrong_with_files_and_redirects() {
    let world = crate::probe::archive::published();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let listen = format!("listen {address};\n    server_name www.example.org;");
    let front = Front::start_with(&world, &[("server_name www.example.org;", &listen)]);
    // The origin answers any other path with 200, which is no page of anp.
    crate::probe::archive::passes(&world, &format!("http://{address}/"));
    assert_eq!(front.errors(), "");
}
