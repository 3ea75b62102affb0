//! The group `cache` of anp.yaml, in the preview, in nginx, and in the eyes of the probe.

use crate::nginx::front::Front;
use crate::support::http::{self, Answer};
use crate::support::{Ran, World, serving};

const SETTINGS: &str = "cache: {browser: 5m, edge: 1d, stale: 1h, surrogate_keys: true}\n\
                        site: {url: https://www.example.net}\n";

/// The page /a/, the file /feed.xml, and a redirect from /old/, for a week and a bit more.
fn published(settings: &str) -> World {
    let world = World::new();
    world.write("anp.yaml", settings).article("a.md", "Text.");
    world.anp("import").exits(0);
    let server = &world.server;
    let digest = "0123456789abcdef0123456789abcdef";
    let feed = format!("<feed/><!--anp:{digest}-->");
    server.run(&["SET", "anp:file:/feed.xml", &feed, "EX", "700000"]);
    let redirect = r#"{"to":"/a/","status":301}"#;
    server.run(&["SET", "anp:redirect:/old/", redirect, "EX", "700000"]);
    world
}

/// Asks a front for a path.
type Get<'a> = dyn Fn(&str) -> Answer + 'a;

/// Each front with what it answers: the preview, and nginx as `anp init --nginx` writes it.
fn on_each_front(world: &World, check: &dyn Fn(&Get<'_>)) {
    let (_serving, address) = serving(&mut world.command("state", &[]));
    check(&|path| http::get(&address, path));
    let front = nginx(world, "front");
    check(&|path| front.get(path));
}

/// nginx with the files of `anp init --nginx`.
fn nginx(world: &World, folder: &str) -> Front {
    let ran = Ran::of(&mut world.command("state", &["init", "--nginx", folder]));
    ran.exits(0).says(&format!("wrote {folder}/site.conf"));
    for name in ["anp.conf", "anp.lua"] {
        let written = std::fs::read(world.path(&format!("{folder}/{name}"))).unwrap();
        let own = format!("{}/deploy/nginx/{name}", env!("CARGO_MANIFEST_DIR"));
        assert!(written == std::fs::read(own).unwrap(), "{name} is another");
    }
    let site = std::fs::read_to_string(world.path(&format!("{folder}/site.conf"))).unwrap();
    Front::start_site(world, site, &[])
}

#[test]
fn each_front_tells_caches_the_times_of_the_settings() {
    let world = published(SETTINGS);
    let whole = "public, max-age=300, s-maxage=86400, stale-while-revalidate=3600, \
                 stale-if-error=3600";
    on_each_front(&world, &|get| {
        for (path, status, key) in [
            ("/a/", 200, "/a/"),
            ("/feed.xml", 200, "/feed.xml"),
            ("/old/", 301, "/old/"),
            ("/old", 301, "/old/"),
        ] {
            get(path)
                .is(status)
                .has("Cache-Control", whole)
                .has("Surrogate-Key", key);
        }
        get("/a/").has("Age", "0");
        get("/a").is(308).lacks("Surrogate-Key");
    });
    // The site has the values in their places, and its host.
    let site = std::fs::read_to_string(world.path("front/site.conf")).unwrap();
    for line in [
        "server_name www.example.net;",
        "set $anp_cache_edge 86400;",
        "set $anp_surrogate_keys on;",
    ] {
        assert!(site.contains(line), "{line}\n{site}");
    }
}

#[test]
fn no_cache_keeps_an_answer_longer_than_the_object_lives() {
    let world = published(SETTINGS);
    on_each_front(&world, &|get| {
        for (left, most) in [(50_u64, 50), (86_400 + 600, 600)] {
            world.server.command(&format!("EXPIRE anp:page:/a/ {left}"));
            // The preview asks the store about a page once a second.
            std::thread::sleep(std::time::Duration::from_millis(1100));
            let control = get("/a/").is(200).header("Cache-Control").unwrap();
            let seconds = |name: &str| -> Option<u64> {
                let rest = control
                    .split(", ")
                    .find_map(|part| part.strip_prefix(name))?;
                Some(rest.strip_prefix('=')?.parse().unwrap())
            };
            let (browser, edge) = (seconds("max-age"), seconds("s-maxage").unwrap());
            let stale = seconds("stale-while-revalidate").unwrap_or(0);
            assert_eq!(seconds("stale-if-error").unwrap_or(0), stale);
            assert!(edge + stale <= left, "{control}");
            assert!(edge + stale + 10 > left, "{control}");
            assert!(browser.unwrap() <= edge && stale <= most, "{control}");
        }
    });
}

#[test]
fn without_the_group_answers_are_kept_for_as_long_as_the_object_lives() {
    let world = published("");
    on_each_front(&world, &|get| {
        for path in ["/a/", "/feed.xml", "/old/"] {
            let answer = get(path);
            answer.lacks("Surrogate-Key");
            let control = answer.header("Cache-Control").unwrap();
            let age = control.strip_prefix("public, max-age=").unwrap();
            assert!(age.parse::<u64>().unwrap() > 86_400, "{control}");
        }
    });
}

#[test]
fn the_probe_compares_the_times_with_the_settings() {
    let world = published(SETTINGS);
    // What is put in by hand has no article behind it.
    let probe = |address: &str| {
        let line = format!("probe http://{address}/ --duration 0 --format json");
        world.anp(&line)
    };
    let failed = |ran: &Ran| -> Vec<(String, String)> {
        let checks = ran.of_type("check").into_iter();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        checks
            .filter(|check| check["ok"] == false)
            .map(|check| (text(&check["check"]), text(&check["found"])))
            .collect()
    };
    let (_serving, address) = serving(&mut world.command("state", &[]));
    let ran = probe(&address);
    assert_eq!(failed(&ran), [], "{ran}");
    // Another setting, which the running front does not have.
    for (settings, expected) in [
        (
            "cache: {browser: 1m, edge: 1d, stale: 1h}\n",
            "max-age=60, s-maxage=86400",
        ),
        ("cache: {browser: 5m}\n", "public, max-age=300"),
        (
            "cache: {browser: 5m, edge: 1d, stale: 2h}\n",
            "stale-if-error=7200",
        ),
    ] {
        world.write("anp.yaml", settings);
        let ran = probe(&address);
        ran.exits(3);
        let all = failed(&ran);
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["cache-control", "file", "redirect"], "{ran}");
        for (_, found) in &all {
            assert!(found.contains(expected), "{found}");
            assert!(found.contains("max-age=300, s-maxage=86400"), "{found}");
        }
    }
    // Without a setting any time passes that the object lives.
    world.write("anp.yaml", "");
    assert_eq!(failed(&probe(&address)), []);
}

#[test]
fn a_store_that_nginx_cannot_read_is_refused() {
    let world = World::new();
    let init = |url: &str| {
        Ran::of(
            world
                .bare()
                .args(["init", "--nginx", "front", "--redis", url]),
        )
    };
    let ran = init("redis://cache.example.org:6379/0");
    ran.exits(78)
        .notes("the nginx front cannot read redis://cache.example.org:6379/0");
    assert!(!world.path("front").exists());
    let ran = init("redis://10.0.0.5:6379/0");
    ran.exits(0).says("nginx -t && systemctl reload nginx");
    init("redis://10.0.0.5:6379/0")
        .exits(2)
        .notes("exists already");
}
