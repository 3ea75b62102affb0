//! Every change has its reason: in the dry run, in the manifest, and in `anp runs show`. The causes are
//! real changes of sources, settings, templates and stored values.

use std::collections::BTreeMap;

use anp::publish::manifest::Intent;
use anp::publish::reason::Reason;

use crate::support::{Ran, World, settle};

/// Two articles, of which one links to the other, published.
fn published() -> World {
    let world = World::new();
    world
        .write("content/one.md", "---\ntitle: One\n---\n[two](two.md)\n")
        .write("content/two.md", "---\ntitle: Two\n---\nText.\n");
    settle();
    let ran = world.anp("import");
    ran.exits(0);
    assert_eq!(
        reasons(&ran),
        told(&[("one", "new"), ("two", "new")]),
        "{ran}"
    );
    world
}

/// The reason of each changed article. Both of its keys have the same.
fn reasons(ran: &Ran) -> BTreeMap<String, String> {
    let mut reasons = BTreeMap::new();
    for line in ran.of_type("key") {
        let key = line["key"].as_str().unwrap();
        let route = key.rsplit(':').next().unwrap().trim_matches('/').to_owned();
        let reason = line["reason"].as_str().unwrap_or("none").to_owned();
        let before = reasons.insert(route, reason.clone());
        assert!(before.is_none_or(|before| before == reason), "{key}: {ran}");
    }
    reasons
}

fn told(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = expected.iter();
    pairs
        .map(|(route, reason)| ((*route).to_owned(), (*reason).to_owned()))
        .collect()
}

/// The dry run, with the cache and without, the run, and `runs show` of it name these reasons.
#[track_caller]
fn gives(world: &World, line: &str, expected: &[(&str, &str)]) {
    let expected = told(expected);
    let command = line.split(' ').next().unwrap();
    if ["import", "warm"].contains(&command) {
        let uncached = world.anp(&format!("{line} --dry-run --no-cache"));
        assert_eq!(reasons(&uncached), expected, "{uncached}");
    }
    let foreseen = world.anp(&format!("{line} --dry-run"));
    assert_eq!(reasons(&foreseen), expected, "{foreseen}");
    let ran = world.anp(line);
    ran.exits(0);
    assert_eq!(reasons(&ran), expected, "{ran}");
    let run = ran.of_type("run")[0]["run"].as_str().unwrap().to_owned();
    let shown = world.anp(&format!("runs show {run} --format json"));
    assert_eq!(reasons(&shown), expected, "{shown}");
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for line in shown.of_type("key") {
        let reason = line["reason"].as_str().unwrap().to_owned();
        *counted.entry(reason).or_default() += 1;
    }
    for ran in [&ran, &shown] {
        let summary = &ran.of_type("summary")[0];
        if command != "rollback" || summary["command"] == "runs show" {
            assert_eq!(summary["reasons"], serde_json::json!(counted), "{ran}");
        }
    }
}

fn set(world: &World, key: &str, value: &str) {
    world.server.run(&["SET", key, value, "KEEPTTL"]);
}

/// Gives both objects of a route another digest, and the meta other inputs.
fn made_otherwise(world: &World, route: &str, inputs: impl Fn(&str) -> String) {
    let digest = world.meta(route)["digest"].as_str().unwrap().to_owned();
    let other = "0123456789abcdef".repeat(2);
    let page = world.server.get(&format!("anp:page:{route}")).unwrap();
    let meta = world.server.get(&format!("anp:meta:{route}")).unwrap();
    set(
        world,
        &format!("anp:page:{route}"),
        &page.replace(&digest, &other),
    );
    let meta = inputs(&meta.replace(&digest, &other));
    set(world, &format!("anp:meta:{route}"), &meta);
}

#[test]
fn a_changed_source_is_told_from_the_route_of_a_source_that_it_links_to() {
    let world = published();
    gives(&world, "import", &[]);
    world.write("content/two.md", "---\ntitle: Two\n---\nAnother text.\n");
    gives(&world, "import", &[("two", "source")]);
    world.write(
        "content/two.md",
        "---\ntitle: Two\nslug: second\n---\nAnother text.\n",
    );
    gives(&world, "import", &[("one", "links"), ("second", "new")]);
    gives(&world, "import", &[]);
}

#[test]
fn templates_and_settings_are_told_apart_and_from_sources() {
    let world = published();
    world.write("anp.yaml", "site:\n  name: Archive\n");
    gives(
        &world,
        "import",
        &[("one", "settings"), ("two", "settings")],
    );
    let builtin = include_str!("../../src/render/templates/page.html");
    world.write(
        "templates/page.html",
        builtin.replace("</body>", "<!-- own --></body>"),
    );
    world.write("anp.yaml", "site:\n  name: Archive\ntemplates: templates\n");
    world.write("content/two.md", "---\ntitle: Two\n---\nAnother text.\n");
    gives(&world, "import", &[("one", "template"), ("two", "source")]);
}

#[test]
fn another_renderer_is_told_and_what_cannot_be_told_is_no_guess() {
    let world = published();
    made_otherwise(&world, "/one/", |meta| {
        let (head, rest) = meta.split_once(r#""inputs":""#).unwrap();
        format!(r#"{head}"inputs":"ff{}"#, &rest[2..])
    });
    made_otherwise(&world, "/two/", without_inputs);
    gives(&world, "import", &[("one", "renderer"), ("two", "changed")]);
}

fn without_inputs(meta: &str) -> String {
    let (head, rest) = meta.split_once(r#","inputs":""#).unwrap();
    format!("{head}{}", rest.split_once('"').unwrap().1)
}

#[test]
fn objects_of_a_version_that_kept_no_inputs_are_not_written_again() {
    let world = published();
    for route in ["/one/", "/two/"] {
        let meta = world.server.get(&format!("anp:meta:{route}")).unwrap();
        set(&world, &format!("anp:meta:{route}"), &without_inputs(&meta));
    }
    gives(&world, "import", &[]);
    world.write("content/two.md", "---\ntitle: Two\n---\nAnother text.\n");
    gives(&world, "import", &[("two", "changed")]);
    world.write("content/two.md", "---\ntitle: Two\n---\nA third text.\n");
    gives(&world, "import", &[("two", "source")]);
}

#[test]
fn what_others_did_to_the_store_is_told() {
    let world = published();
    world.server.run(&["DEL", "anp:meta:/one/"]);
    set(&world, "anp:page:/two/", "another client's page");
    gives(&world, "import", &[("one", "lost"), ("two", "foreign")]);
    world
        .server
        .run(&["DEL", "anp:page:/one/", "anp:meta:/one/"]);
    let page = world.server.get("anp:page:/two/").unwrap();
    let digest = world.meta("/two/")["digest"].as_str().unwrap().to_owned();
    set(
        &world,
        "anp:page:/two/",
        &page.replace(&digest, &"0".repeat(32)),
    );
    gives(&world, "import", &[("one", "new"), ("two", "mismatch")]);
    world
        .server
        .run(&["DEL", "anp:page:/one/", "anp:meta:/one/"]);
    gives(&world, "warm", &[("one", "lost")]);
}

#[test]
fn an_expiry_is_told_to_be_too_near_or_too_far() {
    let world = published();
    for key in ["anp:page:/one/", "anp:meta:/one/"] {
        world.server.run(&["PEXPIRE", key, "600000"]);
    }
    world.server.run(&["PERSIST", "anp:page:/two/"]);
    gives(
        &world,
        "import",
        &[("one", "expiring"), ("two", "lifetime")],
    );
    world.server.run(&["PEXPIRE", "anp:page:/one/", "600000"]);
    gives(&world, "warm", &[("one", "expiring")]);
}

#[test]
fn a_withdrawn_article_is_told_from_one_whose_source_is_gone() {
    let world = published();
    world.write(
        "content/two.md",
        "---\ntitle: Two\ndraft: true\n---\nText.\n",
    );
    world.write(
        "content/one.md",
        "---\ntitle: One\nslug: first\n---\nText.\n",
    );
    let line = "import --prune --max-removed 100%";
    gives(
        &world,
        line,
        &[("first", "new"), ("one", "pruned"), ("two", "held_back")],
    );
    settle();
    world.anp("rollback last").exits(0);
    gives(
        &world,
        line,
        &[("first", "new"), ("one", "pruned"), ("two", "held_back")],
    );
}

#[test]
fn purges_and_rollbacks_say_so() {
    let world = published();
    gives(&world, "purge /one/", &[("one", "purged")]);
    gives(&world, "rollback last", &[("one", "rollback")]);
}

#[test]
fn text_names_reasons_where_the_action_does_not_say_them() {
    let world = published();
    world.write("content/two.md", "---\ntitle: Two\n---\nAnother text.\n");
    world.write("content/three.md", "---\ntitle: Three\n---\nText.\n");
    let ran = world.anp("import --format text");
    ran.exits(0).says("reasons: 1 new, 1 source\n");
    ran.says("  (source)\n");
    assert!(!ran.stdout.contains("(new)"), "{ran}");
    let shown = world.anp("runs show last");
    shown.says("\nreasons\n  new                  2 keys\n  source               2 keys\n");
}

#[test]
fn manifests_without_reasons_and_with_later_ones_are_read() {
    let read = |reason: &str| {
        let line = format!(
            r#"{{"key":"anp:page:/a/","action":"create","prior":null,"made":null{reason}}}"#
        );
        serde_json::from_str::<Intent>(&line).unwrap().reason
    };
    assert_eq!(read(""), None);
    assert_eq!(read(r#","reason":"template""#), Some(Reason::Template));
    assert_eq!(read(r#","reason":"a later one""#), Some(Reason::Unknown));
}
