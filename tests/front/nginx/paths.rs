//! Which requests are looked up, led elsewhere, refused, or left to the origin.

use std::io::{Read as _, Write as _};

use super::front::{Front, calls};
use super::published;

#[test]
fn only_routes_are_looked_up_and_all_else_is_for_the_origin() {
    let world = published();
    let front = Front::start(&world);
    for path in ["/a/?x=1&y", "/%61/", "/x/../a/", "/a/#x"] {
        front.get(path).is(200).has("X-Cache", "HIT");
    }
    assert_eq!(front.origin.asked().len(), 0);
    let looked_up = |path: &str, cache: &str| {
        let before = calls(&world, "getrange") + calls(&world, "pttl");
        front.get(path).has("X-Cache", cache);
        calls(&world, "getrange") + calls(&world, "pttl") - before
    };
    // A page with its meta object, then a redirect.
    assert_eq!(looked_up("/a/", "HIT"), 3);
    assert_eq!(looked_up("/none/", "MISS"), 3 + 2);
    assert_eq!(looked_up("/none.xml", "MISS"), 2);
    for path in [
        "/a/index.html",
        "/A/",
        "/a/*",
        "/a%20/",
        "/a%0d%0a/",
        "/a%250d/",
        "/%C3%A4/",
        "/anp:meta:/",
        "/a_b/",
        "/favicon.ico",
    ] {
        assert_eq!(looked_up(path, "MISS"), 0, "{path}");
        let asked = front.origin.asked();
        let first = asked.last().unwrap().lines().next().unwrap().to_owned();
        assert_eq!(first, format!("GET {path} HTTP/1.1"), "as it was");
    }
}

#[test]
fn a_route_without_its_last_slash_is_led_to_the_page_if_there_is_one() {
    let world = published();
    let front = Front::start(&world);
    for (path, to) in [("/a", "/a/"), ("/b/c?x=1&y", "/b/c/?x=1&y"), ("//a", "/a/")] {
        front
            .get(path)
            .is(308)
            .has("Location", to)
            .has("Cache-Control", "no-store");
    }
    assert_eq!(front.origin.asked().len(), 0);
    world.server.command("LPUSH anp:page:/list/ x");
    for path in ["/b", "/list", "/list/"] {
        front.get(path).is(200).has("X-Cache", "MISS");
    }
    assert_eq!(front.origin.asked().len(), 3);
    // It leads nowhere else, though the store may hold such keys and nginx leave slashes alone.
    world.server.command("SET anp:page://example/ x");
    let as_they_are = "merge_slashes off; set $anp_db 0;";
    let front = Front::start_with(&world, &[("set $anp_db       0;", as_they_are)]);
    front.get("//example").is(200).has("X-Cache", "MISS");
    front.get("//example/").is(200).has("X-Cache", "MISS");
}

#[test]
fn a_path_of_more_than_2048_bytes_is_refused() {
    let world = published();
    let front = Front::start(&world);
    let longest = format!("/{}/", "a".repeat(2046));
    front
        .get(&format!("{longest}?{}", "q".repeat(3000)))
        .is(200);
    front.get(&format!("/a{longest}")).is(414);
    assert_eq!(front.origin.asked().len(), 1);
}

#[test]
fn other_methods_are_refused_unless_the_site_takes_forms() {
    let world = published();
    let front = Front::start(&world);
    let form = [("Content-Length", "1000000")];
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        // The body is never sent: the answer does not wait for it.
        front
            .ask(method, "/a/", &form)
            .is(405)
            .has("Allow", "GET, HEAD");
    }
    assert_eq!(front.origin.asked().len(), 0);
    let front = Front::start_with(
        &world,
        &[("anp_other_methods refuse", "anp_other_methods pass")],
    );
    front
        .ask("POST", "/a/", &[("Content-Length", "0")])
        .is(200)
        .has("X-Cache", "MISS");
    assert!(front.origin.asked()[0].starts_with("POST /a/ HTTP/1.1\n"));
}

#[test]
fn the_body_of_a_request_never_becomes_the_next_request() {
    let world = published();
    let front = Front::start(&world);
    let hidden = "GET /hidden/ HTTP/1.1\r\nHost: x\r\n\r\n";
    let next = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let length = hidden.len();
    for (first, status) in [
        ("GET /a/", 200),
        ("HEAD /a/", 200),
        ("GET /a", 308),
        ("HEAD /a", 308),
        ("POST /a/", 405),
        ("GET /healthz", 200),
        ("HEAD /healthz", 200),
        ("GET /none/", 200),
    ] {
        for body in [
            format!("Content-Length: {length}\r\n\r\n{hidden}"),
            format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{hidden}\r\n0\r\n\r\n"),
        ] {
            let mut stream = front.connect();
            let requests = format!("{first} HTTP/1.1\r\nHost: x\r\n{body}{next}");
            stream.write_all(requests.as_bytes()).unwrap();
            let mut answers = Vec::new();
            stream.read_to_end(&mut answers).unwrap();
            let answers = String::from_utf8_lossy(&answers);
            let begins = format!("HTTP/1.1 {status} ");
            assert!(answers.starts_with(&begins), "{requests}\n{answers}");
            assert_eq!(answers.matches("Server: nginx\r\n").count(), 2, "{answers}");
        }
    }
    let asked = front.origin.asked();
    assert_eq!(asked.len(), 2);
    assert!(
        asked.iter().all(|head| head.starts_with("GET /none/ ")),
        "{asked:?}"
    );
}
