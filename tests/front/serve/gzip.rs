//! Pages, files and texts that are stored in gzip.

use super::Serving;
use crate::support::World;

const GZIP: [(&str, &str); 1] = [("Accept-Encoding", "gzip")];

fn published() -> World {
    let world = World::new();
    let settings = "\
site: {url: 'https://example.org'}
compress: gzip
archive: {feeds: {count: 5}, lists: {home: true}, text: true}
";
    world.write("anp.yaml", settings);
    world.article("a.md", &"A word of the article. ".repeat(50));
    world.anp("import").exits(0);
    world
}

#[test]
fn what_is_stored_in_gzip_is_passed_on_or_unpacked_under_one_weak_tag() {
    let world = published();
    let serving = Serving::of(&world);
    for (path, key) in [
        ("/a/", "anp:page:/a/"),
        ("/feed.xml", "anp:file:/feed.xml"),
        ("/a/index.md", "anp:text:/a/"),
    ] {
        let stored = world.server.bytes(key).unwrap();
        let text = world.server.unpacked(key).unwrap();
        // From the store, and from the cache.
        for _ in 0..2 {
            let packed = serving.get_with(path, &GZIP);
            packed.is(200).has("Content-Encoding", "gzip");
            assert!(packed.body == stored, "{path}");
            let weak = packed.header("ETag").unwrap();
            let tag = weak.strip_prefix("W/").unwrap().to_owned();
            let plain = serving.get(path);
            plain
                .is(200)
                .lacks("Content-Encoding")
                .has("ETag", &weak)
                .has("Content-Length", &text.len().to_string());
            assert_eq!(plain.text(), text);
            assert!(text.contains(tag.trim_matches('"')), "{path}: {tag}");
            for answer in [&packed, &plain] {
                let vary = answer.header("Vary").unwrap();
                assert!(vary.contains("Accept-Encoding"), "{path}: {vary}");
            }
            for known in [&tag, &weak] {
                for form in [&GZIP[..], &[]] {
                    let headers = [form, &[("If-None-Match", known.as_str())]].concat();
                    let answer = serving.get_with(path, &headers);
                    let vary = answer.is(304).has("ETag", &weak).header("Vary").unwrap();
                    assert!(vary.contains("Accept-Encoding"), "{path}: {vary}");
                }
            }
            // There is no strong tag that could be wanted.
            for wanted in [&tag, &weak] {
                serving.get_with(path, &[("If-Match", wanted)]).is(412);
            }
            serving.get_with(path, &[("If-Match", "*")]).is(200);
        }
    }
}

#[test]
fn a_browser_gets_the_bar_and_the_policy_fits_it() {
    let world = published();
    let serving = Serving::of(&world);
    let browser = [GZIP[0], ("Sec-Fetch-Dest", "document")];
    let barred = serving.get_with("/a/", &browser);
    barred
        .is(200)
        .says("anp preview: all articles")
        .lacks("Content-Encoding");
    let policy = |headers: &[(&str, &str)]| {
        let answer = serving.get_with("/a/", headers);
        answer.header("Content-Security-Policy").unwrap()
    };
    assert_eq!(policy(&GZIP), policy(&[]));
    assert!(policy(&GZIP).contains("style-src 'sha256-"));
}

#[test]
fn a_page_that_changes_its_form_is_the_new_one_at_once_and_a_damaged_one_is_none() {
    let world = published();
    let serving = Serving::of(&world);
    let tag = serving.get_with("/a/", &GZIP).header("ETag").unwrap();
    world
        .anp_with(&["import", "--quiet"], &[("ANP_COMPRESS", "none")])
        .exits(0);
    serving
        .until("/a/", |answer| answer.header("ETag").unwrap() != tag)
        .is(200)
        .lacks("Content-Encoding");
    world.anp("rollback last").exits(0);
    serving.until("/a/", |answer| answer.header("ETag").unwrap() == tag);
    let damaged = ["SETRANGE", "anp:page:/a/", "60", "xxxxxxxx"];
    world.server.run(&damaged);
    world
        .server
        .run(&["SETRANGE", "anp:page:/a/", "20", "xxxx"]);
    serving.until("/a/", |answer| answer.status == 404);
}
