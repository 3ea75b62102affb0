//! Pages and their headers.

use base64::Engine as _;
use sha2::Digest as _;

use super::{Serving, one};
use crate::support::World;
use crate::support::http::{Connection, request};

#[test]
fn a_page_comes_as_it_is_stored_with_every_header_of_the_contract() {
    let world = one();
    let serving = Serving::of(&world);
    let answer = serving.get("/a/");
    let stored = world.server.get("anp:page:/a/").unwrap();
    assert_eq!(answer.is(200).text(), stored);
    let digest = &stored[stored.len() - 35..stored.len() - 3];
    let meta = world.meta("/a/");
    let written: jiff::Timestamp = meta["written_at"].as_str().unwrap().parse().unwrap();
    let written = written.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    answer
        .has("content-type", "text/html; charset=utf-8")
        .has("content-length", &stored.len().to_string())
        .has("etag", &format!("\"{digest}\""))
        .has("last-modified", &written)
        .has("age", "0")
        .has("x-cache", "MISS")
        .has("vary", "Cookie, Sec-Fetch-Dest")
        .has("x-content-type-options", "nosniff")
        .has("referrer-policy", "strict-origin-when-cross-origin")
        .lacks("x-robots-tag");
    let week = 7 * 86_400;
    let control = answer.header("cache-control").unwrap();
    let max_age: i64 = control
        .strip_prefix("public, max-age=")
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        (week * 9 / 10 - 60..=week * 11 / 10).contains(&max_age),
        "{control}"
    );
}

#[test]
fn the_policy_allows_the_one_style_that_the_page_has() {
    let world = one();
    let answer = Serving::of(&world).get("/a/");
    let page = answer.text();
    let style = page
        .split_once("<style>")
        .unwrap()
        .1
        .split_once("</style>")
        .unwrap()
        .0;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    answer.has(
        "content-security-policy",
        &format!(
            "default-src 'none'; style-src 'sha256-{hash}'; img-src 'self' https: http:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox \
             allow-downloads allow-popups allow-popups-to-escape-sandbox allow-same-origin"
        ),
    );
    assert!(
        !page.contains("style="),
        "a style attribute would be blocked"
    );
}

#[test]
fn who_has_the_page_is_told_so_without_a_body() {
    let world = one();
    let serving = Serving::of(&world);
    let whole = serving.get("/a/");
    let tag = whole.header("etag").unwrap();
    let date = whole.header("last-modified").unwrap();
    let weak = format!("\"other\", W/{tag}");
    for header in [
        ("If-None-Match", tag.as_str()),
        ("If-None-Match", &weak),
        ("If-None-Match", "*"),
        ("If-Modified-Since", &date),
    ] {
        let answer = serving.get_with("/a/", &[header]);
        answer.is(304).lacks("content-type").lacks("content-length");
        for name in ["etag", "cache-control", "last-modified", "vary"] {
            assert_eq!(
                answer.header(name),
                whole.header(name),
                "{name}, {header:?}"
            );
        }
    }
    let lines = [("If-None-Match", "\"other\""), ("If-None-Match", &tag)];
    serving.get_with("/a/", &lines).is(304);
    for headers in [
        [("If-None-Match", "other"), ("If-None-Match", &tag)],
        [("If-None-Match", "\"other\""), ("If-Modified-Since", &date)],
        [("If-None-Match", "other"), ("Accept", "*/*")],
        [
            ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("Accept", "*/*"),
        ],
    ] {
        serving.get_with("/a/", &headers).is(200);
    }
}

#[test]
fn who_asks_for_another_version_gets_412_and_no_page() {
    const LONG_AGO: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    let world = one();
    let serving = Serving::of(&world);
    let whole = serving.get("/a/");
    let tag = whole.header("etag").unwrap();
    let date = whole.header("last-modified").unwrap();
    let weak = format!("W/{tag}");
    let login = ("Cookie", "sessionid=1");
    for headers in [
        &[("If-Match", "\"other\"")][..],
        &[("If-Match", weak.as_str())],
        &[("If-Unmodified-Since", LONG_AGO)],
        &[("If-Match", "\"other\""), ("If-None-Match", tag.as_str())],
        &[
            ("If-Unmodified-Since", LONG_AGO),
            ("If-Modified-Since", &date),
        ],
        &[("If-Match", "\"other\""), login],
    ] {
        for method in ["GET", "HEAD"] {
            let answer = request(&serving.address, method, "/a/", headers);
            answer.is(412).has("cache-control", "no-store");
            assert_eq!(answer.text(), "", "{headers:?}");
        }
    }
    for headers in [
        &[("If-Match", tag.as_str())][..],
        &[("If-Match", "*")],
        &[("If-Match", "\"other\""), ("If-Match", tag.as_str())],
        &[
            ("If-Match", tag.as_str()),
            ("If-Unmodified-Since", LONG_AGO),
        ],
        &[("If-Unmodified-Since", date.as_str())],
        &[("If-Unmodified-Since", "yesterday")],
        &[("If-Match", tag.as_str()), login],
    ] {
        let answer = serving.get_with("/a/", headers);
        assert_eq!(answer.is(200).body, whole.body, "{headers:?}");
    }
    let both = [("If-Match", tag.as_str()), ("If-None-Match", &tag)];
    serving.get_with("/a/", &both).is(304);
    // A page that is missing is missing, whatever is asked of it.
    let other = [("If-Match", "\"other\"")];
    serving.get_with("/gone/", &other).is(404);
}

#[test]
fn an_answer_without_a_body_tells_no_length_to_get_or_head() {
    let world = one();
    world.server.run(&[
        "SET",
        "anp:file:/feed.xml",
        "<feed/>\n<!--anp:0123456789abcdef0123456789abcdef-->\n",
    ]);
    let serving = Serving::of(&world);
    for path in ["/a/", "/feed.xml"] {
        let whole = serving.get(path);
        let length = whole.is(200).header("content-length").unwrap();
        let tag = whole.header("etag").unwrap();
        for method in ["GET", "HEAD"] {
            let ask = |headers: &[(&str, &str)]| request(&serving.address, method, path, headers);
            ask(&[]).is(200).has("content-length", &length);
            ask(&[("If-None-Match", &tag)])
                .is(304)
                .lacks("content-length")
                .lacks("transfer-encoding");
        }
    }
    for method in ["GET", "HEAD"] {
        let icon = request(&serving.address, method, "/favicon.ico", &[]);
        icon.is(204).lacks("content-length");
    }
}

#[test]
fn nothing_but_the_kept_connection_follows_a_304_or_the_answer_to_head() {
    let world = one();
    let serving = Serving::of(&world);
    let mut connection = Connection::open(&serving.address);
    let whole = connection.request("GET", "/a/", &[]);
    let head = connection.request("HEAD", "/a/", &[]);
    head.is(200);
    assert_eq!(
        head.header("content-length"),
        whole.header("content-length")
    );
    assert_eq!(head.header("etag"), whole.header("etag"));
    connection
        .request("GET", "/a/", &[("If-None-Match", "*")])
        .is(304);
    connection.request("HEAD", "/gone/", &[]).is(404);
    let again = connection.request("GET", "/a/?utm_source=x&y", &[]);
    assert_eq!(again.is(200).body, whole.body);
}

#[test]
fn a_path_leads_to_its_route_or_nowhere() {
    let world = one();
    let serving = Serving::of(&world);
    serving.get("/%61/").is(200);
    serving.get("/a").is(308).has("location", "/a/");
    serving.get("/a?x=1").is(308).has("location", "/a/");
    serving.get("/_anp").is(308).has("location", "/_anp/");
    // Were the store asked for any of these, it would not answer: it is stopped.
    world.server.signal("STOP");
    for path in [
        "//evil.example",
        "//a/",
        "/a//",
        "/../a/",
        "/%2e%2e/a/",
        "/A/",
        "/a%00/",
        "/a%0d%0aX-Evil:%201",
        "/%ff/",
        "/a_b/",
        "/a%252f/",
    ] {
        let answer = serving.get(path);
        answer
            .is(404)
            .lacks("location")
            .lacks("x-evil")
            .has("cache-control", "no-store");
    }
    let long = format!("/{}/", "a".repeat(2046));
    serving.get(&long).is(404);
    serving
        .get(&format!("/{long}"))
        .is(414)
        .has("cache-control", "no-store");
    world.server.signal("CONT");
}

#[test]
fn a_page_that_is_not_there_is_explained() {
    let world = one();
    let serving = Serving::of(&world);
    let answer = serving.get("/not-there/");
    answer
        .is(404)
        .has("cache-control", "no-store")
        .has("x-cache", "MISS")
        .has("content-type", "text/html; charset=utf-8")
        .says("/not-there/")
        .says("<code>anp show /not-there/</code>")
        .says("href=\"/\"");
    serving
        .get("/%3Cscript%3Ealert(1)%3C/script%3E/%3Cimg%20src=x%3E")
        .is(404)
        .hides("<script")
        .hides("<img");
    // Nor is there a way to it.
    world.server.command("LPUSH anp:page:/list/ x");
    for path in ["/list/", "/list", "/not-there"] {
        serving.get(path).is(404).lacks("location");
    }
}

#[test]
fn only_get_and_head_are_answered_and_no_body_is_read() {
    let world = one();
    let serving = Serving::of(&world);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PURGE"] {
        for path in ["/a/", "/healthz", "/_anp/", "/"] {
            let answer = request(&serving.address, method, path, &[]);
            answer.is(405).has("allow", "GET, HEAD");
        }
    }
    // A gigabyte is announced, and none of it sent: the answer does not wait for it.
    let announced = ("Content-Length", "1073741824");
    request(&serving.address, "POST", "/a/", &[announced]).is(405);
    request(&serving.address, "GET", "/a/", &[announced]).is(200);
}

#[test]
fn what_search_engines_are_to_leave_out_is_marked() {
    let world = one();
    world.write("content/d.md", "---\ntitle: D\ndraft: true\n---\nText.\n");
    world.anp("import --drafts").exits(0);
    let serving = Serving::of(&world);
    serving.get("/d/").is(200).has("x-robots-tag", "noindex");
    serving
        .get("/d/")
        .has("x-cache", "HIT")
        .has("x-robots-tag", "noindex");
    serving.get("/a/").is(200).lacks("x-robots-tag");
}

#[test]
fn a_page_without_a_meta_object_or_of_somebody_else_is_served_with_what_is_known() {
    let world = one();
    world.server.command("DEL anp:meta:/a/");
    world
        .server
        .run(&["SET", "anp:page:/b/", "<p>somebody else's"]);
    let serving = Serving::of(&world);
    let answer = serving.get("/a/");
    answer.is(200).lacks("last-modified");
    assert!(answer.header("etag").is_some());
    for _ in 0..2 {
        let answer = serving.get("/b/");
        answer
            .is(200)
            .lacks("etag")
            .has("cache-control", "public, max-age=0");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("style-src 'none'"), "{policy}");
    }
}

#[test]
fn a_value_that_is_empty_or_larger_than_any_page_is_none() {
    let world = one();
    let serving = Serving::of(&world);
    world.server.run(&["SET", "anp:page:/empty/", ""]);
    world.server.command("SETRANGE anp:page:/large/ 67108864 x");
    for path in ["/empty/", "/empty", "/large/"] {
        serving.get(path).is(404).has("cache-control", "no-store");
    }
    world
        .server
        .command("SETRANGE anp:page:/largest/ 67108863 x");
    serving
        .get("/largest/")
        .is(200)
        .has("content-length", "67108864");
}

#[test]
fn health_is_that_of_the_store() {
    let world = World::new();
    let serving = Serving::of(&world);
    let answer = serving.get("/healthz");
    answer
        .is(200)
        .has("content-type", "text/plain; charset=utf-8");
    assert_eq!(answer.has("cache-control", "no-store").text().trim(), "ok");
    request(&serving.address, "HEAD", "/healthz", &[])
        .is(200)
        .lacks("retry-after");
}

#[test]
fn the_icon_that_browsers_ask_for_is_none_and_no_error() {
    let serving = Serving::of(&World::new());
    let answer = serving.get("/favicon.ico");
    answer.is(204).has("cache-control", "no-store");
    assert_eq!(answer.text(), "");
}
