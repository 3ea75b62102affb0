//! `anp verify`: damage, and expiries that are none.

use crate::support::{Ran, World};

/// Two articles, imported with an hour to live.
fn two() -> World {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    world.anp("import --ttl 1h").exits(0);
    world
}

/// `kind` and key of each difference, sorted.
fn differences(ran: &Ran) -> Vec<String> {
    let lines = ran.of_type("difference");
    let shown = |line: &serde_json::Value| {
        let word = |name: &str| line[name].as_str().unwrap().to_owned();
        format!("{} {}", word("kind"), word("key"))
    };
    let mut all: Vec<String> = lines.iter().map(shown).collect();
    all.sort();
    all
}

#[test]
fn an_expiry_that_a_later_run_refreshed_is_no_damage() {
    let world = two();
    let first = world.runs()[0].clone();
    world.anp(&format!("verify {first}")).exits(0);
    let ran = world.anp("import --ttl 7d");
    assert_eq!(ran.exits(0).counts()["refreshed"], 4, "{ran}");
    world
        .anp(&format!("verify {first}"))
        .exits(0)
        .says("0 keys as it wrote them, 4 with an expiry that a later run refreshed, 0 expired since, 0 different\n")
        .hides("anp:page:/a/");
    let json = world.anp(&format!("verify {first} --format json"));
    let refreshed = ["meta:/a/", "meta:/b/", "page:/a/", "page:/b/"];
    let refreshed = refreshed.map(|key| format!("refreshed anp:{key}"));
    assert_eq!(differences(json.exits(0)), refreshed);
    let summary = json.of_type("summary").pop().unwrap();
    assert_eq!(
        (&summary["refreshed"], &summary["expiry"]),
        (&4.into(), &0.into())
    );
    // The way back of the later run is a run too, and gives the first expiry back.
    world.anp("rollback last").exits(0);
    world
        .anp(&format!("verify {first}"))
        .exits(0)
        .says("4 keys as it wrote them, 0 expired");
}

#[test]
fn damage_and_an_expiry_that_no_run_explains_have_their_own_counts() {
    let world = two();
    let first = world.runs()[0].clone();
    world.anp("warm --ttl 7d").exits(0);
    world.server.command("PEXPIRE anp:page:/a/ 600000");
    world.server.command("SET anp:meta:/a/ theirs KEEPTTL");
    world.server.command("DEL anp:page:/b/");
    let ran = world.anp(&format!("verify {first}"));
    ran.exits(3)
        .says("anp:page:/a/: only the expiry differs: expected expiry 20")
        .says("anp:meta:/a/: expected the value that the run wrote, found another\n")
        .says("anp:page:/b/: expected the key, found nothing\n")
        .says("0 expired since, 1 with another expiry alone, 2 different\n");
    let json = world.anp(&format!("verify {first} --format json"));
    let found = differences(json.exits(3));
    for expected in [
        "expiry anp:page:/a/",
        "missing anp:page:/b/",
        "value anp:meta:/a/",
    ] {
        assert!(found.contains(&expected.to_owned()), "{found:?}");
    }
    // Another value is damage, with any expiry.
    world.server.command("SET anp:page:/a/ theirs");
    let ran = world.anp(&format!("verify {first}"));
    ran.exits(3)
        .says("anp:page:/a/: expected the value that the run wrote, found another\n");
}
