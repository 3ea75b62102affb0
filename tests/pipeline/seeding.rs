//! anp import --synth: seeded articles straight into a store, and out of it again.

use std::collections::BTreeMap;

use crate::support::World;

fn pages(world: &World) -> BTreeMap<String, String> {
    let keys = world.keys().into_keys();
    keys.filter(|key| key.contains(":page:"))
        .map(|key| (key.clone(), world.server.get(&key).unwrap()))
        .collect()
}

#[test]
fn they_are_the_articles_that_the_files_would_be() {
    let world = World::new();
    world.anp("synth --count 150 --seed 7 --out tree").exits(0);
    let ran = world.anp("import tree --strict");
    assert_eq!(ran.exits(0).counts()["created"], 300);
    let from_files = pages(&world);
    world.anp("rollback last").exits(0);
    let ran = world.anp("import --synth 150 --seed 7 --strict");
    assert_eq!(ran.exits(0).counts()["created"], 300);
    assert!(pages(&world) == from_files, "byte for byte");
    let ran = world.anp("import --synth 150 --seed 7");
    assert_eq!(ran.exits(0).counts()["kept"], 300);
    // More of the same seed: those that are there are kept.
    let ran = world.anp("import --synth 160 --seed 7");
    assert_eq!(ran.exits(0).counts()["created"], 20);
    let run = &ran.of_type("run")[0];
    assert_eq!(
        run["type"],
        ran.lines()[0]["type"],
        "the first line tells the way back"
    );
}

#[test]
fn a_round_trip_leaves_the_keyspace_as_it_was() {
    let world = World::new();
    world.server.command("SET foreign 1");
    world.server.command("HSET anp:page:/somebody/else/ a 1");
    let before = world.server.dump();
    world.anp("import --synth 120").exits(0);
    world.anp("verify last").exits(0);
    assert_eq!(world.server.dump().len(), before.len() + 240);
    world.anp("rollback last").exits(0);
    assert!(world.server.dump() == before);
}

#[test]
fn under_a_prefix_of_their_own_they_live_for_an_hour_and_go_with_one_command() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import --quiet").exits(0);
    let before = world.server.dump();
    let now = jiff::Timestamp::now().as_millisecond();
    for (more, most_ms) in [("", 3_600_000), (" --max-ttl 10m", 600_000)] {
        for undo in ["purge --run last", "rollback last"] {
            world
                .anp(&format!("import --synth 60 --under load/{more}"))
                .exits(0);
            let dump = world.server.dump();
            let seeded: Vec<&String> = dump
                .keys()
                .filter(|key| !before.contains_key(*key))
                .collect();
            assert_eq!(seeded.len(), 120);
            for key in seeded {
                assert!(key.starts_with("anp:load:"), "{key}");
                let left = world.server.expiry(key) - now;
                assert!(left > most_ms / 2, "{key}: {left}");
                assert!(left <= most_ms + 60_000, "{key}: {left}");
            }
            world.anp(undo).exits(0);
            assert!(world.server.dump() == before, "{undo}");
            world.anp("resume").exits(0);
        }
    }
    // Files go there too.
    world.anp("import --under load/b").exits(0);
    assert!(world.server.get("anp:load:b:page:/a/").is_some());
    world.anp("rollback last").exits(0);
    // What stops the store stops what is below it.
    world.anp("pause --reason swap").exits(0);
    let ran = world.anp("import --synth 5 --under load/");
    let resume = ran.exits(12).stderr.split("= resume: ").nth(1).unwrap();
    world.shell(resume.trim()).exits(0).says("it was paused by");
}

#[test]
fn what_the_real_archive_allows_does_not_make_them_live_longer() {
    let world = World::new();
    let now = jiff::Timestamp::now().as_millisecond();
    let longest = |world: &World| {
        let keys = world.keys().into_keys();
        keys.map(|key| world.server.expiry(&key) - now)
            .max()
            .unwrap()
    };
    let variables = [("ANP_MAX_TTL", "30d")];
    let words = ["import", "--synth", "20", "--under", "load/"];
    world.anp_with(&words, &variables).exits(0);
    assert!(longest(&world) <= 3_700_000);
    world.server.command("FLUSHALL");
    let words = [&words[..], &["--max-ttl", "2h"]].concat();
    world.anp_with(&words, &variables).exits(0);
    assert!(longest(&world) > 3_700_000);
}

#[test]
fn a_bound_that_is_lowered_is_one_for_what_is_there_already() {
    let world = World::new();
    world.article("a.md", "A.");
    world.write("anp.yaml", "jitter: 0%\n");
    world.anp("import --ttl 65m").exits(0);
    let ran = world.anp("import --ttl 65m --max-ttl 1h");
    assert_eq!(ran.exits(0).counts()["refreshed"], 2, "{ran}");
}

#[test]
fn broken_and_hostile_ones_are_announced_and_refused() {
    let world = World::new();
    let line = "import --synth 600 --invalid 5% --hostile 5% --max-invalid 20%";
    let ran = world.anp(line);
    let told = &ran.exits(3).of_type("synth")[0];
    let number = |name: &str| told[name].as_u64().unwrap();
    assert_eq!(number("valid") + number("invalid") + number("hostile"), 600);
    assert!(number("invalid") > 10 && number("hostile") > 10, "{told}");
    assert_eq!(ran.counts()["invalid"], told["refused"], "{told}");
    let created = ran.counts()["created"].as_u64().unwrap();
    assert_eq!(created, 2 * (600 - number("refused")));
    ran.notes(&format!("{} must be refused: ", number("refused")));
    world.anp("import --synth 600 --invalid 50%").exits(65);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let world = World::new();
    world.article("a.md", "A.");
    for (line, said) in [
        ("import --seed 5", "--seed needs --synth N"),
        ("import --hostile 1%", "--hostile needs --synth N"),
        ("import content --synth 5", "cannot be used with"),
        ("import --synth 5 --prune", "cannot be used with"),
        ("import --synth 0", "1..="),
        ("import --synth 5 --invalid x", "--invalid: expected"),
        ("import --under /", "--under: expected a path"),
        ("import --under Load", "--under: expected a path"),
        ("import --under meta/x", "--under: expected a path"),
        ("import --max-ttl 1s", "expected a duration from 1m"),
    ] {
        world.anp(line).exits(2).notes(said);
    }
    assert!(world.server.dump().is_empty());
}

#[test]
fn what_a_night_must_be_like_is_not_asked_of_them() {
    let world = World::new();
    world.write(
        "anp.yaml",
        "expect: {min_articles: 5000, max_changed: 1%}\n",
    );
    world.anp("import --synth 20").exits(0);
}
