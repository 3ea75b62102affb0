//! `--prune`: only what the tree knows it no longer has, never while in doubt, always with
//! a way back.

use crate::support::World;

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
    let removed = |ran: &crate::support::Ran| {
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
        .notes("--prune removes nothing while 1 source is invalid, unreadable or skipped");
    assert_eq!(world.server.dump(), before);
}

#[test]
fn nothing_is_removed_while_a_folder_cannot_be_read() {
    let world = two_gone();
    let before = world.server.dump();
    crate::support::set_mode(world.path("content/notes"), 0);
    let ran = world.anp_without_rights("import --prune --force --max-invalid 1");
    ran.exits(3)
        .notes("--prune removes nothing while 1 source is invalid, unreadable or skipped");
    assert_eq!(world.server.dump(), before);
    crate::support::set_mode(world.path("content/notes"), 0o755);
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
    ran.exits(0).notes(
        "note: 1 published page is in folders that the content tree does not have: \
             /elsewhere/x/. Another tree may have published it, so --prune leaves it; to remove \
             it: anp purge /elsewhere/x/\n",
    );
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
        .notes("--prune removes nothing while 1 source is");
    assert_eq!(world.server.dump(), before);
}

/// The routes that an import says the tree no longer has.
fn orphans(ran: &crate::support::Ran) -> Vec<String> {
    let lines = ran.of_type("orphan").into_iter();
    let routes: Vec<String> = lines
        .map(|line| line["route"].as_str().unwrap().to_owned())
        .collect();
    let summary = &ran.of_type("summary")[0];
    assert_eq!(summary["orphans"], routes.len(), "{ran}");
    routes
}

/// How often the keyspace was scanned.
fn scans(world: &World) -> u64 {
    let stats = world.server.command("INFO commandstats");
    let stats: String = redis::from_redis_value(stats).unwrap();
    let line = stats.lines().find_map(|l| l.strip_prefix("cmdstat_scan:"));
    let calls = line.and_then(|line| line.split(',').next()?.strip_prefix("calls="));
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[test]
fn every_import_counts_and_names_published_articles_that_the_tree_no_longer_has() {
    let world = two_gone();
    let draft = "---\ntitle: x\ndraft: true\n---\nText.\n";
    world.write("content/notes/n0.md", draft);
    world.write(
        "content/notes/n1.md",
        "---\ntitle: x\nslug: other\n---\nText.\n",
    );
    let all = ["/deploys/b/", "/notes/n0/", "/notes/n1/", "/notes/n3/"];
    let words = "warning: 4 published articles are no longer in the content tree, or held back there, \
                 or under another route: /deploys/b/, /notes/n0/, /notes/n1/, /notes/n3/; --prune removes them\n";
    let dry = world.anp("import --dry-run");
    assert_eq!(orphans(dry.exits(0).notes(words)), all);
    let ran = world.anp("import");
    assert_eq!(orphans(ran.exits(0).notes(words)), all);
    // Until they are gone.
    let again = world.anp("import");
    again.exits(0).notes_exactly(words);
    assert_eq!(orphans(&again), all);
    let pruned = world.anp("import --prune --force");
    assert_eq!(pruned.exits(0).counts()["removed"], 8, "{pruned}");
    let ran = world.anp("import");
    ran.exits(0).notes_exactly("");
    assert_eq!(orphans(&ran), [""; 0]);
    // Brought back, they are named again.
    let run = pruned.of_type("run")[0]["run"].clone();
    world
        .anp(&format!("rollback {}", run.as_str().unwrap()))
        .exits(0);
    assert_eq!(orphans(&world.anp("import")), all);
}

#[test]
fn an_unchanged_import_scans_nothing_where_the_database_holds_nothing_else() {
    let world = two_gone();
    world.anp("purge /notes/n3/ /deploys/b/").exits(0);
    let before = scans(&world);
    let ran = world.anp("import");
    ran.exits(0).notes_exactly("");
    assert_eq!(orphans(&ran), [""; 0]);
    world.anp("import --dry-run").exits(0);
    assert_eq!(scans(&world), before);
    // Somebody else's keys are looked through, and are nobody's articles.
    for key in [
        "other:key",
        "anp:page:/notes/theirs/",
        "anp:page:/Elsewhere/x/",
    ] {
        world.server.command(&format!("SET {key} text"));
    }
    let ran = world.anp("import");
    ran.exits(0).notes_exactly("");
    assert_eq!(orphans(&ran), [""; 0]);
    assert!(scans(&world) > before);
}

#[test]
fn articles_of_a_folder_that_is_gone_are_named_as_those_that_may_be_of_another_tree() {
    let world = two_gone();
    std::fs::remove_dir_all(world.path("content/deploys")).unwrap();
    let ran = world.anp("import");
    assert_eq!(orphans(ran.exits(0)), ["/notes/n3/"]);
    ran.notes(
        "note: 2 published pages are in folders that the content tree does not have: /deploys/a/, \
         /deploys/b/. Another tree may have published them, so --prune leaves them; to remove one: \
         anp purge /deploys/a/\n",
    );
    world.anp("purge /deploys/a/ /deploys/b/ /notes/n3/");
    world.anp("import").exits(0).notes_exactly("");
}

#[test]
fn the_last_article_of_a_folder_that_exists_is_named_and_pruned_within_max_removed() {
    let world = World::new();
    for name in ["notes/n.md", "deploys/a.md", "deploys/deep/index.md"] {
        world.article(name, "Text.");
    }
    world.anp("import").exits(0);
    for name in ["deploys/a.md", "deploys/deep/index.md"] {
        std::fs::remove_file(world.path("content").join(name)).unwrap();
    }
    let gone = ["/deploys/a/", "/deploys/deep/"];
    let ran = world.anp("import");
    assert_eq!(orphans(ran.exits(0)), gone);
    ran.notes("/deploys/a/, /deploys/deep/; --prune removes them\n");
    let before = world.server.dump();
    // The folder may be empty because a mount is missing.
    world
        .anp("import --prune")
        .exits(65)
        .notes("expected at most 10 % of 3 stored articles to be removed by --prune, found 2\n");
    assert_eq!(world.server.dump(), before);
    let ran = world.anp("import --prune --force");
    assert_eq!(ran.exits(0).counts()["removed"], 4, "{ran}");
    world.anp("import").exits(0).notes_exactly("");
}

#[test]
fn two_trees_may_share_folders_that_hold_no_article_themselves() {
    let world = World::new();
    world.article("blog/one/a.md", "A.");
    world.write("other/blog/two/b.md", "---\ntitle: b\n---\nText.\n");
    world.anp("import").exits(0);
    world.anp("import other").exits(0);
    for line in ["import --prune --force", "import other --prune --force"] {
        let ran = world.anp(line);
        assert_eq!(ran.exits(0).counts()["removed"], 0, "{ran}");
    }
}

#[test]
fn a_page_of_a_root_without_articles_is_named_and_stays() {
    let world = World::new();
    world
        .article("notes/n.md", "Text.")
        .article("about.md", "A.");
    world.anp("import").exits(0);
    std::fs::remove_file(world.path("content/about.md")).unwrap();
    for line in ["import", "import --prune --force"] {
        world.anp(line).exits(0).notes(
            "note: 1 published page is directly below /, and the content root itself holds no \
             article: /about/. Another tree may have published it, so --prune leaves it; to \
             remove it: anp purge /about/\n",
        );
    }
    world.anp("purge /about/").exits(0);
    world.anp("import").exits(0).notes_exactly("");
}

#[test]
fn an_article_whose_source_is_invalid_now_is_none_that_the_tree_no_longer_has() {
    let world = two_gone();
    world.write(
        "content/notes/n5.md",
        "---\ntitle: x\nscore: {quality: 140}\n---\nText.\n",
    );
    world.write("content/notes/n6.md", "---\ntitle: [\n---\nText.\n");
    world.write(
        "content/notes/n7.md",
        "---\ntitle: x\nslug: n8\n---\nText.\n",
    );
    let ran = world.anp("import --max-invalid 50%");
    assert_eq!(orphans(ran.exits(3)), ["/deploys/b/", "/notes/n3/"]);
    ran.notes("unless a source that is invalid or unreadable has that route: /deploys/b/, ");
    // Where --prune removes nothing, it names them all the same.
    let ran = world.anp("import --max-invalid 50% --prune");
    assert_eq!(orphans(ran.exits(3)), ["/deploys/b/", "/notes/n3/"]);
}

#[test]
fn a_shard_and_a_part_say_nothing_of_what_is_not_theirs() {
    let world = two_gone();
    let mut named = Vec::new();
    for shard in 0..2 {
        let ran = world.anp(&format!("import --shard {shard}/2"));
        named.extend(orphans(ran.exits(0)));
    }
    named.sort();
    assert_eq!(named, ["/deploys/b/", "/notes/n3/"]);
    let ran = world.anp("import content/notes");
    assert_eq!(orphans(ran.exits(0)), ["/notes/n3/"]);
    let ran = world.anp("import content/notes/n1.md");
    assert_eq!(orphans(ran.exits(0)), [""; 0]);
    let warm = world.anp("warm");
    assert!(warm.exits(0).of_type("summary")[0].get("orphans").is_none());
}

#[test]
fn an_import_needs_no_right_to_scan() {
    let world = two_gone();
    world.server.command("ACL SETUSER default -scan");
    let ran = world.anp("import");
    ran.exits(0).notes_exactly(
        "note: published articles that the content tree no longer has are not counted: that needs \
         the right to SCAN\n",
    );
    assert!(ran.of_type("summary")[0].get("orphans").is_none());
}
