//! Pages and files that are stored in gzip.

use super::front::Front;
use super::{etag, http_date, style_source};
use crate::support::{World, free_port};

/// A store with pages, a text and a feed, all in gzip.
fn published() -> World {
    let world = World::new();
    let settings = "\
site: {url: 'https://example.org'}
compress: gzip
archive: {feeds: {count: 5}, lists: {home: true}, text: true}
";
    world.write("anp.yaml", settings);
    world
        .article("a.md", &"A word of the article. ".repeat(200))
        .article("b/c.md", "C.");
    world.anp("import").exits(0);
    world
}

const NAME: &str = "server_name www.example.org;";
const GZIP: [(&str, &str); 1] = [("Accept-Encoding", "gzip, br")];

#[test]
fn a_page_in_gzip_is_passed_on_as_it_is_and_unpacked_for_who_takes_none() {
    let world = published();
    let front = Front::start(&world);
    let page = world.server.unpacked("anp:page:/a/").unwrap();
    let tag = etag(&world, "/a/");
    let written_at = world.meta("/a/")["written_at"].as_str().unwrap().to_owned();
    let style = style_source(&world, &page);
    let packed = front.ask("GET", "/a/", &GZIP);
    let stored = world.server.bytes("anp:page:/a/").unwrap();
    packed
        .is(200)
        .has("Content-Encoding", "gzip")
        .has("Content-Length", &stored.len().to_string())
        .has("ETag", &format!("W/{tag}"));
    assert!(packed.body == stored);
    let plain = front.get("/a/");
    plain
        .is(200)
        .lacks("Content-Encoding")
        .has("ETag", &format!("W/{tag}"));
    assert!(plain.text() == page);
    for answer in [packed, plain] {
        answer
            .has("Content-Type", "text/html; charset=utf-8")
            .has("X-Cache", "HIT")
            .has("Age", "0")
            .has("Vary", "Accept-Encoding, Cookie")
            .has("Last-Modified", &http_date(&written_at));
        let policy = answer.header("Content-Security-Policy").unwrap();
        assert!(policy.contains(&style), "{policy}");
    }
    for headers in [&GZIP[..], &[]] {
        let head = front.ask("HEAD", "/a/", headers);
        assert_eq!(head.is(200).text(), "");
    }
    assert_eq!(front.errors(), "");
}

#[test]
fn conditional_requests_work_for_both_forms() {
    let world = published();
    let front = Front::start(&world);
    let tag = etag(&world, "/a/");
    let weak = format!("W/{tag}");
    let both = |name, value| [&GZIP[..], &[]].map(|form| [form, &[(name, value)]].concat());
    for known in [&tag, &weak] {
        for headers in both("If-None-Match", known) {
            let answer = front.ask("GET", "/a/", &headers);
            assert_eq!(answer.is(304).text(), "", "{headers:?}");
            answer.has("ETag", &weak);
            answer.has("Vary", "Accept-Encoding, Cookie");
        }
    }
    for headers in both("If-None-Match", "\"x\"") {
        front.ask("GET", "/a/", &headers).is(200);
    }
    for headers in both("If-Match", "*") {
        front.ask("GET", "/a/", &headers).is(200);
    }
    // There is no strong tag that could be wanted.
    for other in ["\"x\"", &tag, &weak] {
        for headers in both("If-Match", other) {
            let answer = front.ask("GET", "/a/", &headers);
            answer.is(412).has("Cache-Control", "no-store");
        }
    }
    let date = front.get("/a/").header("Last-Modified").unwrap();
    for headers in both("If-Modified-Since", &date) {
        front.ask("GET", "/a/", &headers).is(304);
    }
    assert_eq!(front.errors(), "");
}

#[test]
fn files_and_texts_in_gzip_are_answered_like_pages() {
    let world = published();
    let front = Front::start(&world);
    for (path, key, content_type) in [
        ("/feed.xml", "anp:file:/feed.xml", "application/atom+xml"),
        ("/feed.json", "anp:file:/feed.json", "application/feed+json"),
        ("/a/index.md", "anp:text:/a/", "text/markdown"),
    ] {
        let stored = world.server.bytes(key).unwrap();
        assert!(stored.starts_with(&[0x1f, 0x8b]));
        let packed = front.ask("GET", path, &GZIP);
        assert!(packed.is(200).body == stored, "{path}");
        packed.has("Content-Encoding", "gzip");
        let plain = front.get(path);
        assert_eq!(plain.is(200).text(), world.server.unpacked(key).unwrap());
        let tag = packed.header("ETag").unwrap();
        plain.has("ETag", &tag);
        let digest = tag.trim_start_matches("W/").trim_matches('"');
        assert!(plain.text().contains(digest), "{path}: {tag}");
        for answer in [&packed, &plain] {
            answer
                .has("Content-Type", &format!("{content_type}; charset=utf-8"))
                .has("Vary", "Accept-Encoding, Cookie");
        }
        let known = [GZIP[0], ("If-None-Match", tag.as_str())];
        front.ask("GET", path, &known).is(304);
    }
    assert_eq!(front.errors(), "");
}

#[test]
fn what_is_damaged_is_for_the_origin_until_the_next_import() {
    let world = published();
    let front = Front::start(&world);
    for (path, key) in [
        ("/a/", "anp:page:/a/"),
        ("/feed.xml", "anp:file:/feed.xml"),
        ("/a/index.md", "anp:text:/a/"),
    ] {
        let stored = world.server.bytes(key).unwrap();
        let mut changed = stored.clone();
        changed[45] ^= 0x55;
        let mut checksum = stored.clone();
        let at = stored.len() - 6;
        checksum[at] ^= 1;
        let mut bomb = stored.clone();
        let end = stored.len() - 4;
        bomb[end..].copy_from_slice(&u32::MAX.to_le_bytes());
        let longer = [&stored[..], b"more"].concat();
        let damaged = [
            &stored[..end],
            &stored[..36],
            &longer,
            &changed,
            &checksum,
            &bomb,
        ];
        for value in damaged {
            world.server.set(key, value);
            for headers in [&GZIP[..], &[]] {
                let answer = front.ask("GET", path, headers);
                answer.is(200).has("X-Cache", "MISS");
            }
        }
        // An import takes a value that was cut or extended for one of another program.
        for value in [&stored[..end], &stored[..36], &longer] {
            world.server.set(key, value);
            world.anp("import --quiet").exits(0);
            assert!(world.server.unpacked(key).is_some());
            front.get(path).is(200).has("X-Cache", "HIT");
        }
    }
    assert_eq!(front.errors(), "");
}

#[test]
fn the_probe_passes_for_pages_in_gzip() {
    let world = published();
    let port = free_port();
    let listen = format!("{NAME} listen 127.0.0.1:{port};");
    let _front = Front::start_with(&world, &[(NAME, &listen)]);
    let url = format!("http://127.0.0.1:{port}/");
    let ran = world.anp(&format!("probe {url} --duration 0 --format json"));
    ran.exits(0);
    let checks = ran.of_type("check");
    let coded = checks
        .iter()
        .filter(|check| check["check"] == "compression");
    assert!(
        coded.clone().count() >= 3 && coded.clone().all(|check| check["ok"] == true),
        "{ran}"
    );
}
