//! SIGKILL at random times, on random mixes of keys: whenever a run dies, rollback brings
//! back the identical keyspace, and importing again ends where an undisturbed run ends.
//!
//! `TORTURE=500` sets the number of kills (default 25). A failing round names its seed.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Ran, World};

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

const ARTICLES: u64 = 150;

/// Everything that is made from many articles.
const ARCHIVE: &str = "\
site: {url: 'https://example.org'}
archive: {similar: 3, lists: {per_page: 20}, feeds: true, sitemap: true, redirects: true, text: true}
";

/// Writes an article with what lists and similar posts are made from.
fn article(world: &World, name: &str, number: u64, text: &str) {
    let (day, tag, alias) = (1 + number % 28, number % 5, name.replace(['/', '.'], "-"));
    let fields = format!("title: About {number}\ndate: 2024-01-{day:02}\ntags: [tag {tag}]");
    let text = format!("---\n{fields}\naliases: [/old/{alias}/]\n---\n\n{text}\n");
    world.write(&format!("content/{name}"), text);
}

/// Articles, an earlier import of some of them, and keys of others under the same names; in every second
/// mix with archive objects, and in either form.
fn mix(world: &World, random: &mut Random) {
    let has_archive = random.below(2) == 0;
    let settings = |random: &mut Random| {
        let archive = if has_archive { ARCHIVE } else { "" };
        let compress = ["none", "gzip"][usize::from(random.below(2) == 0)];
        world.write("anp.yaml", format!("{archive}compress: {compress}\n"));
    };
    settings(random);
    for number in 0..ARTICLES {
        let text = format!("Version 1 of {number}. {}", "More text. ".repeat(30));
        article(world, &format!("n{number}.md"), number, &text);
    }
    if random.below(3) > 0 {
        // A short ttl, so that the next import refreshes what did not change.
        world.anp("import --ttl 1h --quiet").exits(0);
        settings(random);
    }
    let mut connection = world.server.connection();
    for number in 0..ARTICLES {
        let page = format!("anp:page:/n{number}/");
        let meta = format!("anp:meta:/n{number}/");
        let text = format!("anp:text:/n{number}/");
        let mut run = |words: &[&str]| {
            redis::cmd(words[0])
                .arg(&words[1..])
                .query::<redis::Value>(&mut connection)
                .unwrap();
        };
        match random.below(11) {
            0 => run(&["DEL", &page]),
            1 => run(&["DEL", &page, &meta]),
            2 => run(&["SET", &page, "theirs", "PXAT", "4000000000123"]),
            3 => run(&["SET", &meta, "theirs, for ever"]),
            4 => {
                run(&["DEL", &page]);
                run(&["HSET", &page, "field", "value", "other", "value"]);
                run(&["PEXPIREAT", &page, "4000000000456"]);
            }
            5 => {
                run(&["DEL", &meta]);
                run(&["RPUSH", &meta, "a", "b"]);
            }
            6 => {
                let text = format!("Version 2 of {number}.");
                article(world, &format!("n{number}.md"), number + 1, &text);
            }
            7 => article(
                world,
                &format!("gone/n{number}.md"),
                number,
                "Only for a while.",
            ),
            8 => run(&["DEL", &text]),
            9 if has_archive => run(&["SET", &text, "theirs", "PXAT", "4000000000123"]),
            _ => {}
        }
    }
    let theirs = [
        "anp:page:/",
        "anp:meta:/tags/tag-1/",
        "anp:file:/feed.xml",
        "anp:redirect:/old/n3-md/",
    ];
    for key in theirs {
        if has_archive && random.below(4) == 0 {
            world
                .server
                .command(&format!("SET {key} theirs PXAT 4000000000123"));
        }
    }
}

/// The value of every page, file, redirect and text.
fn pages(world: &World) -> BTreeMap<String, Option<String>> {
    let keys = world.server.dump().into_keys();
    let kinds = ["anp:page:", "anp:file:", "anp:redirect:", "anp:text:"];
    keys.filter(|key| kinds.iter().any(|kind| key.starts_with(kind)))
        .map(|key| (key.clone(), world.server.unpacked(&key)))
        .collect()
}

/// Runs anp and kills it after a random time. Returns whether it was still running.
fn kill(world: &World, arguments: &[&str], random: &mut Random) -> bool {
    let mut child = world
        .command("state", arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_micros(random.below(90_000)));
    let killed = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    killed
}

fn rollback(world: &World, run: &str) -> Ran {
    world.anp_with(&["rollback", run], &[])
}

fn round(seed: u64) -> u64 {
    let mut random = Random(seed);
    let world = World::new();
    mix(&world, &mut random);
    let before = world.keys();
    let runs_before = world.runs().len();
    let mut kills = u64::from(kill(&world, &["import"], &mut random));
    if world.runs().len() > runs_before {
        let run = world.runs().pop().unwrap();
        // The rollback dies too, sometimes; the next one finishes its work.
        while random.below(2) == 0 {
            kills += u64::from(kill(&world, &["rollback", &run], &mut random));
        }
        let ran = rollback(&world, &run);
        // A manifest whose header was not durable yet: that run wrote nothing.
        assert!(ran.code == 0 || ran.code == 3, "seed {seed}: {ran}");
        let after = world.keys();
        assert!(after == before, "seed {seed}: not as before {ran}");
        let again = rollback(&world, &run);
        assert!(again.of_type("key").is_empty(), "seed {seed}: {again}");
    }
    world.anp("import").exits(0);
    // Killed again, and imported again: the end is that of an undisturbed run.
    article(&world, "n0.md", 0, "Version 3.");
    article(&world, "late.md", 5, "Late.");
    kills += u64::from(kill(&world, &["import"], &mut random));
    world.anp("import").exits(0);
    let disturbed = pages(&world);
    world.server.command("FLUSHALL");
    world.anp("import").exits(0);
    let undisturbed = pages(&world);
    let keys = disturbed.keys().chain(undisturbed.keys());
    let differ: Vec<&String> = keys
        .filter(|key| disturbed.get(*key) != undisturbed.get(*key))
        .collect();
    assert!(differ.is_empty(), "seed {seed}: another end: {differ:?}");
    kills
}

#[test]
fn whenever_a_run_is_killed_rollback_brings_back_the_identical_keyspace() {
    let wanted: u64 = std::env::var("TORTURE")
        .ok()
        .map_or(25, |text| text.parse().unwrap());
    let mut kills = 0;
    let mut seed = 28_802;
    while kills < wanted {
        kills += round(seed);
        seed += 1;
    }
    println!("{kills} kills, 0 differences");
}
