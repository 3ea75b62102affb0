//! `--prune`: only what the tree knows it no longer has, never while in doubt, always with
//! a way back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use support::World;

/// Twelve articles in two folders, imported; then one file of each folder is deleted.
fn two_gone() -> World {
    let world = World::new();
    for number in 0..10 {
        world.article(&format!("notes/n{number}.md"), "Text.");
    }
    world
        .article("deploys/a.md", "A.")
        .article("deploys/b.md", "B.");
    world.anp("import").exits(0);
    for name in ["notes/n3.md", "deploys/b.md"] {
        std::fs::remove_file(world.path("content").join(name)).unwrap();
    }
    world
}

const GONE: [&str; 4] = [
    "anp:page:/notes/n3/",
    "anp:meta:/notes/n3/",
    "anp:page:/deploys/b/",
    "anp:meta:/deploys/b/",
];

#[test]
fn removes_what_the_tree_no_longer_has_and_rollback_brings_it_back() {
    let world = two_gone();
    let before = world.server.dump();
    world.anp("import").exits(0);
    assert_eq!(
        world.server.dump(),
        before,
        "without --prune nothing is removed"
    );

    let ran = world.anp("import --prune --max-removed 2");
    ran.exits(0);
    assert_eq!(ran.counts()["removed"], 4, "{ran}");
    let after = world.server.dump();
    let mut gone: Vec<&str> = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .map(String::as_str)
        .collect();
    gone.sort_unstable();
    let mut expected = GONE;
    expected.sort_unstable();
    assert_eq!(gone, expected);

    world.anp("rollback last").exits(0);
    assert_eq!(world.server.dump(), before);
}

#[test]
fn a_dry_run_says_the_same_and_removes_nothing() {
    let world = two_gone();
    let before = world.server.dump();
    let removed = |ran: &support::Ran| {
        let mut keys: Vec<String> = ran
            .of_type("key")
            .iter()
            .filter(|line| line["action"] == "remove")
            .map(|line| line["key"].to_string())
            .collect();
        keys.sort();
        keys
    };
    let dry = world.anp("import --prune --max-removed 2 --dry-run");
    dry.exits(0);
    assert_eq!(world.server.dump(), before);
    let real = world.anp("import --prune --max-removed 2");
    assert_eq!(removed(&dry), removed(&real));
    assert_eq!(removed(&dry).len(), 4);
}

#[test]
fn more_than_max_removed_is_refused_unless_forced() {
    let world = two_gone();
    let before = world.server.dump();
    // Two of twelve are more than the default of 10 %.
    let ran = world.anp("import --prune");
    ran.exits(65)
        .notes("= expect.max_removed: expected at most 10 % of 12 stored articles")
        .notes("to be removed by --prune, found 2\n")
        .notes("this once with --force; nothing was written")
        .notes("nothing was written");
    assert_eq!(world.server.dump(), before);
    world.anp("import --prune --max-removed 1").exits(65);
    assert_eq!(world.server.dump(), before);
    let ran = world.anp("import --prune --force");
    ran.exits(0);
    assert_eq!(ran.counts()["removed"], 4, "{ran}");
}

#[test]
fn nothing_is_removed_while_a_source_is_invalid() {
    let world = two_gone();
    world.write(
        "content/notes/broken.md",
        "---\ntitle: x\nscore: {quality: 140}\n---\n\nText.\n",
    );
    let before = world.server.dump();
    let ran = world.anp("import --prune --force --max-invalid 1");
    ran.exits(3)
        .notes("--prune removes nothing while 1 sources are invalid or unreadable");
    assert_eq!(world.server.dump(), before);
}

#[test]
fn nothing_is_removed_while_a_folder_cannot_be_read() {
    let world = two_gone();
    let before = world.server.dump();
    support::set_mode(world.path("content/notes"), 0);
    let ran = world.anp_without_rights("import --prune --force --max-invalid 1");
    ran.exits(3)
        .notes("--prune removes nothing while 1 sources are invalid or unreadable");
    assert_eq!(world.server.dump(), before);
    support::set_mode(world.path("content/notes"), 0o755);
}

#[test]
fn an_article_that_became_a_draft_is_removed_with_its_way_back() {
    let world = two_gone();
    let before = world.server.dump();
    world.write(
        "content/notes/n0.md",
        "---\ntitle: x\ndraft: true\n---\nText.\n",
    );
    world.anp("import --prune --force").exits(0);
    assert_eq!(world.server.expiry("anp:page:/notes/n0/"), -2);
    world.anp("rollback last").exits(0);
    assert_eq!(world.server.dump(), before);
}

#[test]
fn what_somebody_changed_since_the_removal_is_kept_by_the_way_back() {
    let world = two_gone();
    world.anp("import --prune --force").exits(0);
    world
        .server
        .command("SET anp:page:/notes/n3/ somebody-else");
    let back = world.anp("rollback last");
    back.exits(3)
        .notes("anp:page:/notes/n3/: it changed after that run: kept as it is");
    assert_eq!(
        world.server.get("anp:page:/notes/n3/").unwrap(),
        "somebody-else"
    );
    assert!(world.server.get("anp:page:/deploys/b/").is_some());
}

#[test]
fn an_empty_tree_prunes_nothing() {
    let world = two_gone();
    let before = world.server.dump();
    std::fs::create_dir(world.path("empty")).unwrap();
    world.anp("import empty --prune --force").exits(65);
    assert_eq!(world.server.dump(), before);
}

#[test]
fn what_no_folder_of_the_tree_leads_to_stays() {
    let world = two_gone();
    // Another tree under the same prefix.
    world.write("other/elsewhere/x.md", "---\ntitle: x\n---\n\nText.\n");
    world.anp("import other").exits(0);
    let ran = world.anp("import --prune --force");
    ran.exits(0)
        .notes("1 stored articles lie outside the folders of the content tree and stay");
    assert_ne!(world.server.expiry("anp:page:/elsewhere/x/"), -2);
    // And the other tree removes nothing of this one.
    let ran = world.anp("import other --prune --force");
    assert_eq!(ran.counts()["removed"], 0, "{ran}");
}

#[test]
fn keys_that_are_none_of_ours_stay() {
    let world = two_gone();
    for line in [
        "SET anp:page:/notes/theirs/ text",
        "RPUSH anp:page:/notes/list/ a b",
        "SET anp:page:/notes/Upper/ text",
        "SET anp:page:no-route text",
    ] {
        world.server.command(line);
    }
    world.anp("import --prune --force").exits(0);
    for key in [
        "anp:page:/notes/theirs/",
        "anp:page:/notes/list/",
        "anp:page:/notes/Upper/",
        "anp:page:no-route",
    ] {
        assert_eq!(world.server.expiry(key), -1, "{key}");
    }
    assert_eq!(world.server.expiry("anp:page:/notes/n3/"), -2);
}

#[test]
fn nothing_is_removed_while_something_was_skipped() {
    let world = two_gone();
    // The article behind it may be one of those that seem to be gone.
    std::os::unix::fs::symlink("/etc/hostname", world.path("content/notes/n3.md")).unwrap();
    let before = world.server.dump();
    let ran = world.anp("import --prune --force");
    ran.exits(3)
        .notes("--prune removes nothing while 1 sources");
    assert_eq!(world.server.dump(), before);
}
