//! anp warm: what is missing or about to expire is published, everything else stays untouched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Ran, World};
use anp::publish::manifest::{Manifest, Verify};

type Dump = BTreeMap<String, String>;

/// Four articles that say when they were written and how often they are read, published.
fn world() -> World {
    let world = World::new();
    for (file, more) in [
        (
            "a/one.md",
            "date: 2020-01-01\nview_count: 5\nstack: [redis]\n",
        ),
        ("a/two.md", "date: 2019-01-01\nupdated: 2024-01-01\n"),
        (
            "b/three.md",
            "date: 2022-01-01T10:00:00Z\nview_count: 700\n",
        ),
        ("b/four.md", "view_count: 60\nttl: 1h\n"),
    ] {
        let text = format!("---\ntitle: {file}\n{more}---\nText.\n");
        world.write(&format!("content/{file}"), text);
    }
    world.anp("import --quiet").exits(0);
    world
}

/// The keys that differ.
fn changed(before: &Dump, after: &Dump) -> Vec<String> {
    let all: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    all.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect()
}

/// Warms, checks which keys that changed, and undoes it.
#[track_caller]
fn changes(world: &World, line: &str, expected: &[&str]) -> Ran {
    let before = world.server.dump();
    let foreseen = world.anp(&format!("warm --dry-run {line}"));
    assert!(world.server.dump() == before, "{foreseen}");
    let ran = world.anp(&format!("warm {line}"));
    assert_eq!(changed(&before, &world.server.dump()), expected, "{ran}");
    assert_eq!(foreseen.code, ran.code, "{foreseen}");
    assert_eq!(foreseen.counts(), ran.counts(), "{foreseen}");
    if expected.is_empty() {
        // It has no way back, and is not the last run to undo.
        let run = ran.of_type("run")[0]["run"].as_str().unwrap().to_owned();
        let shown = world.anp(&format!("runs show {run}"));
        shown.says("none: it wrote nothing");
    } else {
        world.anp("rollback last").exits(0);
    }
    assert!(world.server.dump() == before, "the way back of: {ran}");
    ran
}

#[test]
fn each_combination_of_missing_objects_is_made_whole_again() {
    let world = world();
    let keys = ["anp:meta:/a/one/", "anp:page:/a/one/"];
    changes(&world, "", &[]).exits(0);
    for gone in [&keys[..], &keys[..1], &keys[1..]] {
        let before = world.server.dump();
        for key in gone {
            world.server.run(&["DEL", key]);
        }
        let ran = changes(&world, "", &keys);
        let counts = ran.exits(0).counts();
        assert_eq!(counts["created"], gone.len(), "{ran}");
        assert_eq!(
            counts["created"].as_u64().unwrap() + counts["updated"].as_u64().unwrap(),
            2
        );
        assert_eq!(counts["kept"], 6, "{ran}");
        world.anp("warm").exits(0);
        let names = |dump: &Dump| dump.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&world.server.dump()), names(&before));
    }
}

#[test]
fn after_a_flush_every_key_is_back_and_the_pages_are_byte_for_byte_the_same() {
    let world = world();
    let keys: Vec<String> = world.keys().into_keys().collect();
    let page = |key: &String| world.server.get(key).unwrap();
    let is_page = |key: &&String| key.starts_with("anp:page:");
    let before: Vec<String> = keys.iter().filter(is_page).map(page).collect();
    world.server.command("FLUSHALL");
    let ran = world.anp("warm");
    assert_eq!(ran.exits(0).counts()["created"], 8, "{ran}");
    assert_eq!(world.keys().into_keys().collect::<Vec<_>>(), keys);
    let after: Vec<String> = keys.iter().filter(is_page).map(page).collect();
    assert_eq!(before, after);
    world.anp("verify last").exits(0);
    changes(&world, "", &[]);
    world.anp("import").exits(0);
}

#[test]
fn what_a_purge_took_comes_back_and_nothing_else_is_touched() {
    let world = world();
    world.anp("purge --glob /a/**").exits(0);
    changes(
        &world,
        "",
        &[
            "anp:meta:/a/one/",
            "anp:meta:/a/two/",
            "anp:page:/a/one/",
            "anp:page:/a/two/",
        ],
    )
    .exits(0);
}

#[test]
fn what_is_about_to_expire_is_refreshed_and_the_rest_keeps_its_expiry() {
    let world = world();
    let hours = |key: &str, hours: i64| {
        let ms = (hours * 3_600_000).to_string();
        world.server.run(&["PEXPIRE", key, &ms]);
    };
    // Of seven days; a quarter is 42 hours.
    hours("anp:page:/a/one/", 41);
    hours("anp:meta:/a/one/", 41);
    hours("anp:page:/a/two/", 43);
    hours("anp:meta:/a/two/", 43);
    let one = ["anp:meta:/a/one/", "anp:page:/a/one/"];
    let ran = changes(&world, "", &one);
    assert_eq!(ran.exits(0).counts()["refreshed"], 2);
    let both = [
        "anp:meta:/a/one/",
        "anp:meta:/a/two/",
        "anp:page:/a/one/",
        "anp:page:/a/two/",
    ];
    changes(&world, "--ttl-below 26%", &both).exits(0);
    changes(&world, "--ttl-below 42h --glob /a/*", &one).exits(0);
    changes(&world, "--ttl-below 40h --glob /a/*", &[]).exits(0);
    // One object alone is short: both get one expiry.
    hours("anp:meta:/a/one/", 43);
    changes(&world, "", &one).exits(0);
    // Its own ttl counts: a quarter of one hour.
    world.server.command("PEXPIRE anp:page:/b/four/ 800000");
    changes(
        &world,
        "--glob /b/*",
        &["anp:meta:/b/four/", "anp:page:/b/four/"],
    )
    .exits(0);
    // What stays for ever is not about to expire.
    world.server.command("PERSIST anp:page:/b/three/");
    changes(&world, "--glob /b/three/", &[]).exits(0);
    for text in ["0%", "101%", "soon", "0s"] {
        world
            .anp(&format!("warm --ttl-below {text}"))
            .exits(2)
            .notes("expected a share of");
    }
}

#[test]
fn no_expiry_is_brought_forward_and_a_run_made_twice_settles() {
    let world = world();
    changes(&world, "--ttl 1h --ttl-below 8d --glob /a/*", &[]).exits(0);
    for below in ["100%", "12d"] {
        world.anp(&format!("warm --ttl-below {below}")).exits(0);
        changes(&world, &format!("--ttl-below {below}"), &[]).exits(0);
    }
}

#[test]
fn changed_sources_wait_for_the_import_while_their_objects_are_warm() {
    let world = world();
    for file in ["a/one.md", "b/three.md"] {
        world.article(file, "Changed.");
    }
    let ran = changes(&world, "", &[]);
    ran.exits(0)
        .notes("note: 2 articles changed since they were written: they wait for an import\n");
    assert_eq!(ran.counts()["kept"], 8);
    // Nobody can read it any more: it is made as it is now.
    world.server.command("DEL anp:page:/a/one/");
    changes(&world, "", &["anp:meta:/a/one/", "anp:page:/a/one/"])
        .exits(0)
        .notes("note: 1 article changed");
    world.anp("warm").exits(0);
    assert!(
        world
            .server
            .get("anp:page:/a/one/")
            .unwrap()
            .contains("Changed.")
    );
}

#[test]
fn what_is_no_object_of_ours_stays() {
    let world = world();
    world.server.command("SET anp:page:/a/one/ mine");
    world
        .server
        .command("DEL anp:meta:/a/two/ anp:page:/a/two/");
    world.server.command("HSET anp:meta:/a/two/ a 1");
    world.server.command("DEL anp:meta:/b/three/");
    world.server.command("SET anp:meta:/b/three/ mine");
    let ran = changes(&world, "", &[]);
    ran.exits(3)
        .notes("warning: 1 article cannot be read whole and stays so: ");
    // Whoever wants it back says so.
    world.anp("purge /a/two/").exits(0);
    world.anp("warm").exits(0);
    assert!(world.server.get("anp:page:/a/two/").is_some());
}

#[test]
fn only_what_is_selected_is_warmed() {
    let world = world();
    world.server.command("FLUSHALL");
    let both = |route: &str| [format!("anp:meta:{route}"), format!("anp:page:{route}")];
    for (line, routes) in [
        ("--glob /b/**", &["/b/four/", "/b/three/"][..]),
        ("--tag stack=redis", &["/a/one/"]),
        ("--source content/b/four.md", &["/b/four/"]),
        (
            "--source content/b/four.md --tag stack=redis",
            &["/a/one/", "/b/four/"],
        ),
    ] {
        let mut keys: Vec<String> = routes.iter().flat_map(|route| both(route)).collect();
        keys.sort();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        changes(&world, line, &keys).exits(0);
    }
    changes(&world, "--glob /c/**", &[])
        .exits(3)
        .notes("warning: no article matches --glob /c/**\n");
    // A route that others claim too is still a collision.
    world.write("content/b/copy.md", "---\ntitle: a\nslug: four\n---\n");
    world
        .anp("warm --glob /a/** --max-invalid 2")
        .exits(3)
        .notes("also produced by content/b/four.md");
}

#[test]
fn what_readers_ask_for_first_is_written_first() {
    let world = world();
    for (order, expected) in [
        ("path", ["/a/one/", "/a/two/", "/b/four/", "/b/three/"]),
        ("newest", ["/a/two/", "/b/three/", "/a/one/", "/b/four/"]),
        ("popular", ["/b/three/", "/b/four/", "/a/one/", "/a/two/"]),
    ] {
        world.server.command("FLUSHALL");
        let ran = world.anp(&format!("warm --order {order}"));
        let keys = ran.exits(0).of_type("key");
        let pages: Vec<&str> = keys
            .iter()
            .filter_map(|line| line["key"].as_str().unwrap().strip_prefix("anp:page:"))
            .collect();
        assert_eq!(pages, expected, "{order}");
    }
}

/// Sixty articles that the store lost.
fn lost() -> World {
    let world = World::new();
    for number in 0..60 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    world
}

fn batches(world: &World) -> usize {
    let run = world.runs().pop().unwrap();
    let manifest = Manifest::open(&world.manifest(&run), Verify::All).unwrap();
    manifest.batches().count()
}

#[test]
fn a_rate_is_not_exceeded() {
    let world = lost();
    world.anp("warm").exits(0);
    let at_once = batches(&world);
    world.server.command("FLUSHALL");
    let started = Instant::now();
    world.anp("warm --rate 200/s").exits(0);
    // 120 keys; the last batch is not waited for.
    assert!(started.elapsed() >= Duration::from_millis(500));
    assert!(batches(&world) >= at_once + 4, "in small batches");
    for text in ["0", "-1/s", "fast"] {
        world.anp_with(&["warm", "--rate", text], &[]).exits(2);
    }
}

#[test]
fn a_server_that_answers_slowly_is_given_smaller_batches() {
    let world = lost();
    world.anp("warm --max-latency 1m").exits(0);
    let at_once = batches(&world);
    world.server.command("FLUSHALL");
    let done = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Somebody else keeps it busy for some ms at a time.
            let mut connection = world.server.connection();
            let script = "local n = 0 for i = 1, 400000 do n = n + i end return n";
            while !done.load(Ordering::Relaxed) {
                let _: i64 = redis::cmd("EVAL")
                    .arg(script)
                    .arg(0)
                    .query(&mut connection)
                    .unwrap();
            }
        });
        let ran = world.anp("warm --max-latency 1ms");
        done.store(true, Ordering::Relaxed);
        ran
    });
    assert_eq!(ran.exits(0).counts()["created"], 120, "{ran}");
    assert!(
        batches(&world) > at_once,
        "{} batches: {ran}",
        batches(&world)
    );
    world.anp("verify last").exits(0);
}

/// How many keys of anp there were at the reads of a visitor beside a warm run.
fn sizes_seen_beside(world: &World, line: &str) -> BTreeSet<i64> {
    world.server.command("FLUSHDB");
    let mut visitor = world.server.connection();
    let page = "x".repeat(16_000);
    let mut set = redis::cmd("SET");
    set.arg("page").arg(&page).exec(&mut visitor).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut sizes = BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                let read: String = redis::cmd("GET").arg("page").query(&mut visitor).unwrap();
                assert_eq!(read.len(), page.len());
                sizes.insert(redis::cmd("DBSIZE").query(&mut visitor).unwrap());
            }
            sizes
        });
        let ran = world.anp(line);
        done.store(true, Ordering::Relaxed);
        ran.exits(0);
        reader.join().unwrap()
    })
}

#[test]
fn readers_are_served_while_it_writes() {
    let world = World::new();
    world.anp("synth --count 400 --out content").exits(0);
    for (line, least) in [
        ("warm", 2),
        ("warm --max-latency 1ms", 5),
        ("warm --rate 2000/s", 10),
    ] {
        let sizes = sizes_seen_beside(&world, line);
        // The page of the visitor too.
        assert_eq!(world.keys().len(), 801, "{line}");
        // The page of the visitor, then the lock too: only the others are states in between.
        let between = sizes.iter().filter(|size| (3..800).contains(*size)).count();
        println!("{line}: reads at {between} states in between");
        assert!(between >= least, "{line}: {sizes:?}");
    }
}

#[test]
fn it_heeds_the_switch_the_lock_and_the_memory() {
    let world = lost();
    world.anp("pause --reason swap").exits(0);
    world.anp("warm").exits(12).notes("swap");
    world.anp("resume").exits(0);
    let used = world.server.used_memory();
    let limit = (used + 100_000).to_string();
    world.server.run(&["CONFIG", "SET", "maxmemory", &limit]);
    let ran = world.anp("warm");
    ran.exits(65)
        .notes("error: this run needs ")
        .notes(" KiB, and the server has ")
        .notes(": it would run out of memory (noeviction)\n");
    world.anp("warm --force").exits(75).notes("OOM");
    world.anp("rollback last").exits(0);
    assert!(world.keys().is_empty());
    world
        .server
        .command("CONFIG SET maxmemory-policy allkeys-lru");
    world
        .anp("warm --dry-run")
        .exits(0)
        .notes("warning: this run needs ")
        .notes(" KiB, and the server has ")
        .notes(": it would evict other keys (allkeys-lru)\n");
}

#[test]
fn what_a_night_must_be_like_does_not_keep_a_flushed_store_empty() {
    let world = lost();
    world.write(
        "anp.yaml",
        "expect: {max_changed: 10%, max_duration: 1s, min_articles: 60}\n",
    );
    world.anp("import").exits(65);
    let ran = world.anp("warm --glob /n1* --rate 20/s");
    assert_eq!(ran.exits(0).counts()["created"], 22, "{ran}");
    world.write("anp.yaml", "expect: {min_articles: 61}\n");
    world.anp("warm").exits(65).notes("expect.min_articles");
}
