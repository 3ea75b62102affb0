//! One import after another: each makes what an import from nothing makes, and can be taken back.

use super::tree::{Archive, difference};
use crate::support::{Ran, settle};

/// An edit of the tree.
type Edit = (&'static str, fn(&Archive));

const EDITS: [Edit; 13] = [
    ("a new article", |archive| {
        archive.article("queue/newest", 200, "tags: [redis, fresh tag]\n");
    }),
    ("one in the middle of time", |archive| {
        archive.article("cache/backdated", 5, "tags: [ttl]\ntools: [tool 1]\n");
    }),
    ("another title", |archive| {
        archive.article("cache/n3", 3, "tags: [queue]\nsummary: Another summary.\n");
    }),
    ("a deleted article", |archive| {
        archive.remove("cache/deep/n4");
    }),
    ("a tag renamed", |archive| {
        archive.article("queue/n5", 5, "tags: [renamed]\n");
        archive.article("queue/n2", 2, "tags: [renamed]\n");
    }),
    ("a draft", |archive| {
        archive.article("cache/n6", 6, "draft: true\n");
    }),
    ("one that search engines leave out", |archive| {
        archive.article("cache/n9", 9, "noindex: true\ntags: [redis]\n");
    }),
    ("a page for a folder", |archive| {
        let text = "---\ntitle: The *cache* folder\nsummary: All of it.\n---\n\n## Part\n\nText.\n";
        archive.world.write("content/cache/_index.md", text);
    }),
    ("another text of that", |archive| {
        let text = "---\ntitle: The cache folder\n---\n\nOther text.\n";
        archive.world.write("content/cache/_index.md", text);
    }),
    ("a withdrawn page of a folder", |archive| {
        let text = "---\ntitle: The cache folder\nwithdrawn: true\n---\n\nText.\n";
        archive.world.write("content/cache/_index.md", text);
    }),
    ("a withdrawn article", |archive| {
        archive.article("queue/n8", 8, "withdrawn: true\n");
    }),
    ("an alias", |archive| {
        archive.article("cache/n12", 12, "aliases: [/old/n12/, /older]\n");
    }),
    ("an empty folder", |archive| {
        for name in ["n1", "n7", "n10", "n13"] {
            archive.remove(&format!("cache/deep/{name}"));
        }
    }),
];

#[test]
fn each_import_makes_what_an_import_from_nothing_makes_and_can_be_taken_back() {
    edit(&Archive::new());
}

#[test]
fn so_does_each_import_in_gzip() {
    edit(&Archive::with(super::compress::GZIP));
}

fn edit(archive: &Archive) {
    settle();
    let world = &archive.world;
    archive.import();
    for (name, edit) in EDITS {
        edit(archive);
        settle();
        let before = world.keys();
        let dry = world.anp("import --prune --max-removed 100% --dry-run --format json");
        assert_eq!(world.keys(), before, "{name}: a dry run wrote");
        let ran = archive.import();
        for count in ["created", "updated", "removed", "kept"] {
            assert_eq!(
                dry.counts()[count],
                ran.counts()[count],
                "{name}, {count}: {ran}"
            );
        }
        let made = archive.objects("anp");
        let expected = archive.made_from_nothing();
        assert!(made == expected, "{name}: {}", difference(&made, &expected));
        world.anp("verify last").exits(0);
        world.anp("rollback last").exits(0);
        assert!(world.keys() == before, "{name}: the rollback");
        archive.import();
        assert!(archive.objects("anp") == made, "{name}: once more");
        let again = archive.import().counts();
        let changed =
            ["created", "updated", "removed", "refreshed"].map(|name| again[name].clone());
        assert_eq!(changed, [0, 0, 0, 0], "{name}: a night without changes");
    }
}

#[test]
fn shards_make_together_what_one_run_makes() {
    let archive = Archive::new();
    let expected = archive.made_from_nothing();
    archive.import_in_shards();
    let made = archive.objects("anp");
    assert!(made == expected, "{}", difference(&made, &expected));
    // A night of shards without changes changes nothing.
    for shard in ["0/3", "1/3", "2/3"] {
        let state = format!("state-{}", &shard[..1]);
        let mut command = archive.world.command(&state, &["import", "--shard", shard]);
        let counts = Ran::of(&mut command).counts();
        assert_eq!(
            counts["created"].as_u64().unwrap() + counts["updated"].as_u64().unwrap(),
            0
        );
    }
}

#[test]
fn without_the_cache_an_import_makes_the_same() {
    let archive = Archive::new();
    archive.import();
    let made = archive.objects("anp");
    let ran = archive.world.anp("import --no-cache --format json");
    assert_eq!(ran.exits(0).counts()["updated"], 0, "{ran}");
    assert!(archive.objects("anp") == made);
}

#[test]
fn a_warm_up_brings_back_archive_objects_and_no_others() {
    let archive = Archive::new();
    archive.import();
    let (made, before) = (archive.objects("anp"), archive.world.keys());
    for key in [
        "anp:page:/",
        "anp:meta:/tags/redis/",
        "anp:file:/sitemap.xml",
        "anp:page:/cache/n3/",
    ] {
        archive.world.server.command(&format!("DEL {key}"));
    }
    let ran = archive.world.anp("warm --format json");
    // Page and meta object of a list come together.
    assert_eq!(ran.exits(0).counts()["created"], 4, "{ran}");
    let warmed = archive.objects("anp");
    assert!(warmed == made, "{}", difference(&warmed, &made));
    archive.world.anp("rollback last").exits(0);
    assert_eq!(archive.world.keys().len(), before.len() - 4);
}

#[test]
fn a_part_of_the_tree_leaves_archive_objects_as_they_are() {
    let archive = Archive::new();
    archive.import();
    let made = archive.objects("anp");
    settle();
    archive.article("queue/newest", 200, "tags: [redis]\n");
    let ran = archive.world.anp("import content/queue --format json");
    assert_eq!(ran.exits(0).counts()["created"], 3, "{ran}");
    let mut with_article = archive.objects("anp");
    for kind in ["page", "meta", "text"] {
        assert!(
            with_article
                .remove(&format!("{kind}:/queue/newest/"))
                .is_some()
        );
    }
    assert!(with_article == made, "{}", difference(&with_article, &made));
    let page = archive.page("/queue/newest/").unwrap();
    assert!(!page.contains("anp:similar"), "{page}");
    // The next import of all adds it to its lists.
    archive.import();
    let (made, expected) = (archive.objects("anp"), archive.made_from_nothing());
    assert!(made == expected, "{}", difference(&made, &expected));
}

#[test]
fn without_the_group_nothing_of_it_is_made_and_prune_removes_what_was() {
    let archive = Archive::new();
    archive.import();
    archive.world.write(
        "anp.yaml",
        "site: {url: 'https://example.org', name: Notes}\n",
    );
    archive.world.anp("import").exits(0);
    assert!(
        archive.page("/tags/redis/").is_some(),
        "it stays until it expires"
    );
    archive.world.anp("import --prune").exits(0);
    let made = archive.objects("anp");
    assert_eq!(made.len(), 2 * 13, "{:?}", made.keys());
    assert!(made.values().all(|value| !value.contains("anp:similar")));
}
