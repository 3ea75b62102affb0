//! Promise 11: a run ends with no less than it found. What expires while it works is written by it.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use crate::support::proxy::{Fault, Trouble};
use crate::support::{Ran, Server, World};
use anp::store::Script;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Three articles, published for seven days.
fn world() -> World {
    let world = World::new();
    for name in NAMES {
        world.article(&format!("{name}.md"), "Text.");
    }
    world.anp("import").exits(0);
    world
}

pub fn key(kind: &str, name: &str) -> String {
    format!("anp:{kind}:/{name}/")
}

fn now_ms() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

impl World {
    /// Lets an object expire after so many ms.
    pub fn expires_in(&self, key: &str, ms: i64) {
        let at = (now_ms() + ms).to_string();
        self.server.run(&["PEXPIREAT", key, &at]);
    }

    fn is_there(&self, key: &str) -> bool {
        self.server.expiry(key) != -2
    }

    pub fn wait_until_gone(&self, key: &str) {
        while self.is_there(key) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs a command whose pieces stay on the way from the first one with the bytes `at` on, until
    /// `meanwhile` is done.
    pub fn held(&self, line: &str, at: &'static [u8], meanwhile: impl FnOnce()) -> Ran {
        let proxy = self.server.proxy(Trouble::once(Fault::Held, at));
        let url = proxy.url();
        let words = line.split(' ').chain(["--redis", &url]);
        let words: Vec<&str> = words.collect();
        let child = self
            .command("state", &words)
            .env("ANP_TIMEOUT", "60s")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        proxy.wait_for_fault();
        meanwhile();
        proxy.release();
        let output = child.wait_with_output().unwrap();
        Ran {
            line: line.to_owned(),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Each key that a run told of, with what it did. No key is told of twice.
    #[track_caller]
    pub fn told(ran: &Ran) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        for line in ran.lines() {
            let what = line["action"].as_str().or(line["fate"].as_str());
            if let (Some(key), Some(what)) = (line["key"].as_str(), what) {
                let before = told.insert(key.to_owned(), what.to_owned());
                assert_eq!(before, None, "{key} is told of twice: {ran}");
            }
        }
        told
    }
}

/// The look at the keys of the first batch.
pub const LOOK: &[u8] = b"\r\nkeep\r\n";

/// The first write of an expiry.
pub fn refresh() -> &'static [u8] {
    Script::Expire.sha().as_bytes()
}

#[test]
fn promise_11_a_refresh_that_comes_too_late_becomes_a_create() {
    for (line, at) in [
        ("import", LOOK),
        ("import", refresh()),
        ("warm", LOOK),
        ("warm", refresh()),
        ("warm --rate 8", refresh()),
    ] {
        let world = world();
        for name in ["a", "b"] {
            for kind in ["page", "meta"] {
                world.expires_in(&key(kind, name), 3_000);
            }
        }
        let before = world.keys();
        let ran = world.held(&format!("{line} --format json"), at, || {
            world.wait_until_gone(&key("page", "a"));
            world.wait_until_gone(&key("meta", "b"));
        });
        ran.exits(0)
            .notes("2 articles expired while the run worked: creating what is missing again");
        let mut keys = ran.of_type("key");
        keys.retain(|line| line["action"] == "create");
        let is_told = |line: &serde_json::Value| line["reason"] == "expired";
        assert!(!keys.is_empty() && keys.iter().all(is_told), "{ran}");
        assert_eq!(world.keys().len(), 6, "{ran}");
        let created = |name: &str| World::told(&ran)[&key("page", name)].clone();
        assert_eq!([created("a"), created("b")], ["create", "create"], "{ran}");
        assert_eq!(ran.counts()["created"], 4, "{ran}");
        assert_eq!(ran.counts()["expired"], 0, "{ran}");
        assert_eq!(ran.counts()["kept"], 2, "{ran}");
        world.anp("verify last").exits(0);
        let shown = world.anp("runs show last --format json");
        assert_eq!(World::told(&shown).len(), 4, "{shown}");
        let back = world.anp("rollback last --format json");
        back.exits(0);
        assert_eq!(World::told(&back).len(), 4, "{back}");
        // They had expired by themselves.
        let mut expected = before;
        expected.retain(|key, _| key.ends_with("/c/"));
        assert!(world.keys() == expected, "{back}");
        let again = world.anp("rollback last --format json");
        again.exits(0);
        assert!(world.keys() == expected, "{again}");
    }
}

#[test]
fn promise_11_one_object_of_an_article_that_expires_is_created_beside_the_other() {
    for at in [LOOK, refresh()] {
        for (short, long) in [("page", "meta"), ("meta", "page")] {
            let world = world();
            world.expires_in(&key(short, "a"), 3_000);
            world.expires_in(&key(long, "a"), 600_000);
            let mut before = world.keys();
            let ran = world.held("import --format json", at, || {
                world.wait_until_gone(&key(short, "a"));
            });
            ran.exits(0);
            let told = World::told(&ran);
            assert_eq!(told[&key(short, "a")], "create", "{ran}");
            let other = if long == "page" { "refresh" } else { "update" };
            assert_eq!(told[&key(long, "a")], other, "{ran}");
            assert_eq!(
                world.server.expiry(&key("page", "a")),
                world.server.expiry(&key("meta", "a")),
                "{ran}"
            );
            world.anp("import").exits(0);
            world.anp("verify last").exits(0);
            let run = ran.of_type("run")[0]["run"].as_str().unwrap().to_owned();
            world.anp(&format!("rollback {run}")).exits(0);
            before.remove(&key(short, "a"));
            assert!(world.keys() == before, "{ran}");
        }
    }
}

#[test]
fn promise_11_what_needed_nothing_and_expires_meanwhile_is_created() {
    let world = world();
    for kind in ["page", "meta"] {
        world.expires_in(&key(kind, "a"), 3_000);
        world.server.run(&["DEL", &key(kind, "b")]);
    }
    // It has more than a second left: warm leaves it as it is.
    let line = "warm --ttl-below 1s --format json";
    let ran = world.held(line, b"<!--anp:", || {
        world.wait_until_gone(&key("meta", "a"));
    });
    ran.exits(0);
    let counts = ran.counts();
    assert_eq!(
        (&counts["created"], &counts["kept"]),
        (&4.into(), &2.into())
    );
    assert_eq!(world.keys().len(), 6, "{ran}");
    world.anp("verify last").exits(0);
    world.anp("rollback last").exits(0);
    assert_eq!(world.keys().len(), 2);
}

#[test]
fn what_somebody_puts_in_the_place_of_what_expired_is_a_conflict_and_stays() {
    let world = world();
    for (name, ms) in [("a", 3_000), ("b", 600_000)] {
        for kind in ["page", "meta"] {
            world.expires_in(&key(kind, name), ms);
        }
    }
    let ran = world.held("import --format json", LOOK, || {
        world.wait_until_gone(&key("page", "a"));
        world.server.run(&["SET", &key("meta", "a"), "theirs"]);
    });
    ran.exits(3);
    let told = World::told(&ran);
    assert_eq!(told[&key("page", "a")], "conflict", "{ran}");
    assert_eq!(told[&key("meta", "a")], "withheld", "{ran}");
    assert_eq!(world.server.get(&key("meta", "a")).unwrap(), "theirs");
    world.anp("rollback last").exits(0);
    assert_eq!(world.server.get(&key("meta", "a")).unwrap(), "theirs");
}

#[test]
fn a_source_that_is_invalid_when_its_page_expires_is_reported() {
    let world = world();
    for kind in ["page", "meta"] {
        world.expires_in(&key(kind, "a"), 3_000);
    }
    let ran = world.held("warm --format json", LOOK, || {
        world.wait_until_gone(&key("meta", "a"));
        world.write("content/a.md", "---\ntitle: [\n---\n");
    });
    ran.exits(3).notes("content/a.md");
    assert_eq!(World::told(&ran)[&key("page", "a")], "expired", "{ran}");
    assert_eq!(ran.counts()["expired"], 2, "{ran}");
    let run = ran.of_type("run")[0]["run"].as_str().unwrap().to_owned();
    let shown = world.anp(&format!("runs show {run}"));
    shown.says("none: it wrote nothing");
}

#[test]
fn a_source_that_changed_before_it_is_read_again_is_skipped() {
    let world = world();
    // Found and read first, then read again.
    for kind in ["page", "meta"] {
        world.expires_in(&key(kind, "a"), 3_000);
    }
    let ran = world.held("import --format json", LOOK, || {
        world.wait_until_gone(&key("meta", "a"));
        world.article("a.md", "Nobody has checked this.");
    });
    ran.exits(3)
        .notes("warning[changed]: changed during the run: skipped");
    assert_eq!(World::told(&ran)[&key("page", "a")], "expired", "{ran}");
    assert!(!world.is_there(&key("page", "a")));
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["created"], 2, "{ran}");
}

#[test]
fn an_article_that_ends_while_the_run_works_is_not_missing() {
    let world = world();
    // At the end of the second after the next four.
    let end = (now_ms() / 1000 + 5) * 1000;
    let at = jiff::Timestamp::from_millisecond(end).unwrap();
    world.write(
        "content/a.md",
        format!("---\ntitle: A\nexpires_at: {at}\n---\nText.\n"),
    );
    world.anp("import").exits(0);
    assert_eq!(world.server.expiry(&key("page", "a")), end);
    world.article("b.md", "Another text.");
    let ran = world.held("import --format json", LOOK, || {
        world.wait_until_gone(&key("page", "a"));
    });
    ran.exits(0);
    assert_eq!(
        [&ran.counts()["kept"], &ran.counts()["updated"]],
        [4, 2],
        "{ran}"
    );
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["kept"], 4, "{ran}");
}

#[test]
fn what_expires_first_is_refreshed_first() {
    let world = world();
    for (name, ms) in [("a", 900_000), ("b", 300_000), ("c", 600_000)] {
        for kind in ["page", "meta"] {
            world.expires_in(&key(kind, name), ms);
        }
    }
    world.article("0.md", "New.");
    let ran = world.anp("import --format json");
    let pages = ran.exits(0).of_type("key").into_iter().filter_map(|line| {
        let key = line["key"].as_str().unwrap().to_owned();
        key.strip_prefix("anp:page:").map(str::to_owned)
    });
    let pages: Vec<String> = pages.collect();
    assert_eq!(pages, ["/b/", "/c/", "/a/", "/0/"], "{ran}");
}

#[test]
fn promise_11_a_slow_warm_over_what_is_about_to_expire_loses_no_page() {
    let world = World::new();
    let count = 60;
    for number in 0..count {
        world.article(&format!("n{number}.md"), "Text.");
    }
    world.anp("import").exits(0);
    for number in 0..count {
        for kind in ["page", "meta"] {
            let ms = 700 + 15 * i64::from(number);
            world.expires_in(&key(kind, &format!("n{number}")), ms);
        }
    }
    let ran = world.anp("warm --rate 40 --format json");
    ran.exits(0);
    assert_eq!(world.keys().len(), 2 * count as usize, "{ran}");
    assert!(ran.counts()["created"].as_u64() > Some(0), "{ran}");
    world.anp("verify last").exits(0);
}

#[test]
fn promise_11_holds_for_a_shard_that_is_started_again_and_its_way_back_is_exact() {
    let world = world();
    for name in ["a", "b"] {
        for kind in ["page", "meta"] {
            world.expires_in(&key(kind, name), 3_000);
        }
    }
    let mut before = world.keys();
    let line = "import --shard 0/1 --run-id night";
    let ran = world.held(&format!("{line} --format json"), refresh(), || {
        world.wait_until_gone(&key("page", "a"));
        world.wait_until_gone(&key("meta", "b"));
    });
    ran.exits(0);
    assert_eq!(ran.counts()["created"], 4, "{ran}");
    world.article("a.md", "Changed.");
    let url = format!("redis+unix://{}/proxy", world.server.folder().display());
    let again = world.anp(&format!("{line} --format json --redis {url}"));
    again.exits(0);
    assert_eq!(again.counts()["updated"], 2, "{again}");
    world.anp("verify night").exits(0);
    let back = world.anp("rollback night --format json");
    back.exits(0);
    assert_eq!(World::told(&back).len(), 4, "{back}");
    before.retain(|key, _| key.ends_with("/c/"));
    assert!(world.keys() == before, "{back}");
}

#[test]
fn a_hash_whose_last_field_expires_before_it_is_overwritten_is_no_conflict() {
    let world = World::with_server(Server::with_field_expiries());
    world.article("a.md", "Text.");
    let page = key("page", "a");
    world.server.run(&["HSET", &page, "field", "theirs"]);
    let in_ms = ["HPEXPIRE", &page, "3000", "FIELDS", "1", "field"];
    world.server.run(&in_ms);
    let put = Script::Put.sha().as_bytes();
    let ran = world.held("import", put, || world.wait_until_gone(&page));
    ran.exits(0);
    assert!(world.is_there(&page), "{ran}");
    world.anp("rollback last").exits(0);
    assert!(!world.is_there(&page), "what had expired stays away");
}

#[test]
fn promise_11_an_archive_object_that_expires_meanwhile_is_made_again_as_it_was() {
    let world = World::new();
    let settings = "site: {url: 'https://example.org'}\narchive: {similar: 2, lists: true, feeds: \
                    true, sitemap: true, redirects: true}\n";
    world.write("anp.yaml", settings);
    for (day, name) in (1..).zip(["a", "b", "c", "d"]) {
        let fields = format!("title: About {name}\ndate: 2024-01-0{day}\ntags: [redis]");
        let text = format!("---\n{fields}\naliases: [/old/{name}/]\n---\n\nText of {name}.\n");
        world.write(&format!("content/t/{name}.md"), text);
    }
    world.write(
        "content/t/_index.md",
        "---\ntitle: The folder\n---\n\nAll.\n",
    );
    world.anp("import").exits(0);
    let pages = |world: &World| -> BTreeMap<String, Option<String>> {
        let keys = world.keys().into_keys();
        let keys = keys.filter(|key| !key.starts_with("anp:meta:"));
        keys.map(|key| (key.clone(), world.server.get(&key)))
            .collect()
    };
    let before = pages(&world);
    // An article with similar posts, the page of a folder, two lists, a file and a redirect.
    let short = [
        "anp:page:/t/d/",
        "anp:meta:/t/d/",
        "anp:page:/t/",
        "anp:meta:/t/",
        "anp:page:/tags/redis/",
        "anp:meta:/tags/redis/",
        "anp:page:/",
        "anp:file:/sitemap.xml",
        "anp:redirect:/old/a/",
    ];
    for key in short {
        world.expires_in(key, 3_000);
    }
    let ran = world.held("import --format json", refresh(), || {
        for key in short {
            world.wait_until_gone(key);
        }
    });
    ran.exits(0);
    assert_eq!(ran.counts()["created"], 9, "{ran}");
    let after = pages(&world);
    let differ = before
        .keys()
        .filter(|key| before.get(*key) != after.get(*key));
    assert_eq!(differ.collect::<Vec<_>>(), [""; 0], "{ran}");
    world.anp("verify last").exits(0);
    world.anp("rollback last").exits(0);
    assert!(short.iter().all(|key| !world.is_there(key)));
    let again = world.anp("import --format json");
    again.exits(0);
    assert!(pages(&world) == before, "{again}");
}
