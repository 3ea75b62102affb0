//! Texts that another client changes, or that expire, while a run works.

use super::expiring::{LOOK, key, refresh};
use crate::support::World;

const KINDS: [&str; 3] = ["page", "meta", "text"];

/// An article with a text.
fn world() -> World {
    let world = World::new();
    world.write("anp.yaml", "archive: {text: true}\n");
    world.article("a.md", "Text.");
    world
}

#[test]
fn promise_2_a_value_that_takes_the_place_of_a_text_meanwhile_is_kept() {
    let world = world();
    // The page is on its way, and the text comes behind it.
    let ran = world.held("import --format json", b"<!--anp:", || {
        world.server.command("SET anp:text:/a/ theirs");
    });
    ran.exits(3);
    let told = World::told(&ran);
    let told = KINDS.map(|kind| told[&key(kind, "a")].clone());
    assert_eq!(told, ["create", "create", "conflict"], "{ran}");
    let theirs = || world.server.get("anp:text:/a/");
    assert_eq!(theirs().as_deref(), Some("theirs"));
    world.anp("rollback last").exits(0);
    assert_eq!(world.keys().len(), 1);
    assert_eq!(theirs().as_deref(), Some("theirs"));
}

#[test]
fn promise_2_a_text_that_is_changed_meanwhile_is_kept() {
    let world = world();
    world.anp("import --quiet").exits(0);
    let before = world.keys();
    world.article("a.md", "Other text.");
    let ran = world.held("import --format json", b"<!--anp:", || {
        world.server.command("APPEND anp:text:/a/ more");
    });
    ran.exits(3);
    let told = World::told(&ran);
    let told = KINDS.map(|kind| told[&key(kind, "a")].clone());
    assert_eq!(told, ["update", "update", "conflict"], "{ran}");
    assert!(world.server.get("anp:text:/a/").unwrap().ends_with("more"));
    world.anp("rollback last").exits(0);
    let mut after = world.keys();
    after.remove("anp:text:/a/");
    let mut expected = before;
    expected.remove("anp:text:/a/");
    assert!(after == expected);
    // The next import replaces it, and can be taken back.
    world.anp("import --quiet").exits(0);
    assert!(
        world
            .server
            .get("anp:text:/a/")
            .unwrap()
            .contains("Other text.")
    );
    world.anp("rollback last").exits(0);
    assert!(world.server.get("anp:text:/a/").unwrap().ends_with("more"));
}

#[test]
fn promise_11_one_of_three_objects_that_expires_is_created_beside_the_others() {
    for at in [LOOK, refresh()] {
        for short in KINDS {
            let world = world();
            world.anp("import --quiet").exits(0);
            for kind in KINDS {
                let ms = if kind == short { 3_000 } else { 600_000 };
                world.expires_in(&key(kind, "a"), ms);
            }
            let mut before = world.keys();
            let ran = world.held("import --format json", at, || {
                world.wait_until_gone(&key(short, "a"));
            });
            ran.exits(0);
            let told = World::told(&ran);
            let others = if short == "page" { "update" } else { "refresh" };
            for kind in KINDS {
                let expected = if kind == short { "create" } else { others };
                assert_eq!(told[&key(kind, "a")], expected, "{short}, {kind}: {ran}");
            }
            let expiries = KINDS.map(|kind| world.server.expiry(&key(kind, "a")));
            assert_eq!(expiries, [expiries[0]; 3], "{short}: {ran}");
            world.anp("verify last").exits(0);
            world.anp("rollback last").exits(0);
            before.remove(&key(short, "a"));
            assert!(world.keys() == before, "{short}: {ran}");
        }
    }
}

#[test]
fn a_user_without_rights_to_texts_publishes_without_them_and_is_refused_with_them() {
    let world = world();
    let rules = "SETUSER narrow on >secret ~anp:page:* ~anp:meta:* ~anp:lock ~anp:switch &* +@all";
    world.server.command(&format!("ACL {rules}"));
    let user = [("ANP_REDIS_PASSWORD", "secret")];
    let address = world.server.url() + "?user=narrow";
    let anp = |line: &str| {
        let words: Vec<&str> = line.split(' ').chain(["--redis", &address]).collect();
        world.anp_with(&words, &user)
    };
    anp("import").exits(77).notes("anp:text:/a/");
    assert_eq!(world.keys().len(), 0);
    world.write("anp.yaml", "");
    anp("import").exits(0);
    assert_eq!(world.keys().len(), 2);
    anp("show /a/").exits(0);
    anp("purge /a/").exits(0);
    assert_eq!(world.keys().len(), 0);
}
