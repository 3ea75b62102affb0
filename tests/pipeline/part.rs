//! A folder or file inside the content root, named on the command line: a part of the tree, with
//! the routes that it has in all of it.

use crate::support::{Ran, World, set};

fn tree() -> World {
    let world = World::new();
    for number in 0..4 {
        world.article(&format!("redis/n{number}.md"), "Text.");
    }
    world
        .article("redis/deep/d.md", "D.")
        .article("deploys/a.md", "A.")
        .article("deploys/b.md", "B.")
        .article("redis.md", "The page of the folder.");
    world
}

#[test]
fn routes_stay_relative_to_the_content_root() {
    let world = tree();
    let note = "note: only the articles of content/redis/deep; their routes are relative to the \
                content root content\n";
    let ran = world.anp("import content/redis/deep");
    ran.exits(0).notes(note);
    assert_eq!(ran.pages("create"), set(&["/redis/deep/d/"]));
    let ran = world.anp("import ./content/deploys/../deploys/a.md");
    assert_eq!(ran.exits(0).pages("create"), set(&["/deploys/a/"]));
    let content = world.path("content/deploys/a.md");
    let shown = world.anp("runs show last --format json");
    let content = content.to_str().unwrap();
    assert_eq!(shown.exits(0).lines()[0]["content"], content, "{shown}");
    // From a folder of the tree, by the settings file above it.
    world.write("anp.yaml", "content: content\n");
    let mut command = world.command("state", &["import", "b.md"]);
    let ran = Ran::of(command.current_dir(world.path("content/deploys")));
    assert_eq!(ran.exits(0).pages("create"), set(&["/deploys/b/"]));
    // All of it is all of it.
    let absolute = world.path("content");
    let ran = world.anp(&format!("import {}", absolute.display()));
    ran.exits(0).notes_exactly("");
    assert_eq!(
        ran.pages("create"),
        set(&[
            "/redis/",
            "/redis/n0/",
            "/redis/n1/",
            "/redis/n2/",
            "/redis/n3/"
        ])
    );
}

#[test]
fn what_is_outside_the_content_root_is_a_root_of_its_own() {
    let world = tree();
    world.write("other/redis/x.md", "---\ntitle: x\n---\nText.\n");
    let ran = world.anp("import other/redis");
    assert_eq!(ran.exits(0).pages("create"), set(&["/x/"]));
    let ran = world.anp_with(
        &["import", "content/redis/deep"],
        &[("ANP_CONTENT", "content/redis")],
    );
    assert_eq!(ran.exits(0).pages("create"), set(&["/deep/d/"]));
    // Without a root that is set, the folder of a file is one.
    for named in ["other/redis/x.md", "other/../other/redis/x.md"] {
        let ran = world.anp(&format!("import {named} --dry-run"));
        assert_eq!(ran.exits(0).counts()["kept"], 2, "{ran}");
    }
    world.write("anp.yaml", "content: content\n");
    let absolute = world.path("other/redis/x.md");
    for named in ["other/redis/x.md", absolute.to_str().unwrap()] {
        let outside =
            format!("error: {named} is a file outside the content folder of the settings\n");
        for command in ["check", "import"] {
            let ran = world.anp(&format!("{command} {named}"));
            ran.exits(65).notes(&outside);
        }
    }
}

#[test]
fn a_variable_inside_the_content_root_of_the_settings_file_is_a_part_as_the_argument_is() {
    let world = tree();
    world.write("anp.yaml", "content: content\n");
    let import = |content: &str, arguments: &[&str]| {
        let ran = world.anp_with(arguments, &[("ANP_CONTENT", content)]);
        ran.exits(0).pages("create")
    };
    let created = import("content/redis/deep", &["import"]);
    assert_eq!(created, set(&["/redis/deep/d/"]));
    // The argument wins, and is a part of the same root.
    let created = import("content/redis", &["import", "content/deploys/a.md"]);
    assert_eq!(created, set(&["/deploys/a/"]));
    world.write("other/x.md", "---\ntitle: x\n---\nText.\n");
    assert_eq!(import("other", &["import"]), set(&["/x/"]));
}

#[test]
fn what_is_no_source_of_the_tree_is_none_when_it_is_named() {
    let world = tree();
    world.write("content/_drafts/d.md", "---\ntitle: d\n---\nText.\n");
    world.write("content/redis/notes.txt", "Text.");
    for (named, why) in [
        (
            "content/_drafts",
            "its name, or that of a folder above it, is private; 'include' in anp.yaml can name it",
        ),
        (
            "content/_drafts/d.md",
            "its name, or that of a folder above it, is private; 'include' in anp.yaml can name it",
        ),
        (
            "content/redis/notes.txt",
            "expected a file that ends with .md, .markdown, .mdx, ",
        ),
    ] {
        world
            .anp(&format!("import {named}"))
            .exits(65)
            .notes(&format!("warning[source]: skipped: {why}"))
            .notes(&format!("error: no article found in {named}\n"));
    }
    world
        .anp("import content/redis/gone.md")
        .exits(65)
        .notes("cannot read the content folder content/redis/gone.md: No such file or directory");
    assert!(world.server.dump().is_empty());
}

#[test]
fn check_warm_rehearse_and_purge_are_about_the_part() {
    let world = tree();
    world.write("content/deploys/bad.md", "---\ntitle: [\n---\nText.\n");
    world
        .anp("check content/redis --format text")
        .exits(0)
        .says("5 articles: 5 valid");
    world.anp("check content/deploys/bad.md").exits(65);
    world.anp("rehearse content/redis").exits(0);
    let ran = world.anp("warm content/redis/n1.md");
    assert_eq!(ran.exits(0).pages("create"), set(&["/redis/n1/"]));
    std::fs::remove_file(world.path("content/deploys/bad.md")).unwrap();
    world.anp("import").exits(0);
    let ran = world.anp("purge --glob /** --content content/deploys --dry-run");
    assert_eq!(
        ran.exits(0).pages("remove"),
        set(&["/deploys/a/", "/deploys/b/"])
    );
}

#[test]
fn prune_never_removes_what_is_outside_the_part() {
    let world = tree();
    // Another folder with the same routes, and a folder whose page stands beside it.
    world
        .article("Redis/twin.md", "T.")
        .article("redis/gone.md", "G.")
        .article("deploys/c.md", "C.");
    world.anp("import").exits(0);
    let before = world.server.dump();
    for gone in ["content/redis/gone.md", "content/deploys/c.md"] {
        std::fs::remove_file(world.path(gone)).unwrap();
    }
    let ran = world.anp("import content/redis/n1.md --prune --force");
    ran.exits(0);
    assert_eq!(ran.counts()["removed"], 0, "{ran}");
    assert_eq!(world.server.dump(), before);
    // One of five is more than 10 % of what is stored below the part.
    world
        .anp("import content/redis --prune")
        .exits(65)
        .notes("= expect.max_removed: expected at most 10 % of 7 stored articles");
    let ran = world.anp("import content/redis --prune --force");
    assert_eq!(ran.exits(0).pages("remove"), set(&["/redis/gone/"]));
    let ran = world.anp("import --prune --force");
    assert_eq!(ran.exits(0).pages("remove"), set(&["/deploys/c/"]));
}

#[test]
fn what_is_expected_of_all_of_the_tree_is_not_expected_of_a_part() {
    let world = tree();
    let strict = [
        ("ANP_EXPECT_MIN_ARTICLES", "8"),
        ("ANP_EXPECT_MAX_CHANGED", "20%"),
    ];
    let import = |content: &[&str]| world.anp_with(&[&["import"], content].concat(), &strict);
    import(&[]).exits(65).notes("= expect.max_changed: ");
    import(&["content/redis/n1.md"]).exits(0);
}

#[test]
fn the_rest_of_the_tree_stays_in_the_cache_of_unchanged_files() {
    let world = tree();
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let known = || {
        let bytes = std::fs::read(world.path("state/unchanged.cache")).unwrap();
        u64::from_le_bytes(bytes[48..56].try_into().unwrap())
    };
    world.anp("import").exits(0);
    assert_eq!(known(), 8);
    world.article("redis/n1.md", "Changed.");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let ran = world.anp("import content/redis");
    assert_eq!(ran.exits(0).pages("update"), set(&["/redis/n1/"]));
    assert_eq!(known(), 8, "one record replaced, the others kept");
    // Files of the rest are not read: what is in them now goes unseen.
    let file = world.path("content/redis/n1.md");
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["kept"], 16, "{ran}");
    std::fs::remove_file(file).unwrap();
    world.anp("import").exits(0);
    assert_eq!(known(), 7);
}

#[test]
fn shards_of_one_run_are_about_the_same_part() {
    let world = tree();
    world
        .anp("import content/redis --shard 0/2 --run-id night")
        .exits(0);
    world
        .anp("import content/deploys --shard 1/2 --run-id night")
        .exits(78)
        .notes("was begun by a shard with other settings or options");
    world
        .anp("import content/redis --shard 1/2 --run-id night")
        .exits(0);
    let keys = world.keys().into_keys();
    let pages = keys.filter(|key| key.starts_with("anp:page:")).count();
    assert_eq!(pages, 5);
}

#[test]
fn an_article_that_is_withdrawn_goes_where_the_part_or_the_shard_is_its_own() {
    let world = tree();
    world.anp("import").exits(0);
    let withdrawn = "---\ntitle: A\nwithdrawn: true\n---\nText.\n";
    world.write("content/deploys/a.md", withdrawn);
    world.write("content/redis/n1.md", withdrawn);
    // A part says nothing about the rest.
    let ran = world.anp("import content/redis");
    assert_eq!(ran.exits(0).pages("remove"), set(&["/redis/n1/"]), "{ran}");
    let ran = world.anp("import content/redis/n2.md");
    assert_eq!(ran.exits(0).pages("remove"), set(&[]), "{ran}");
    // Of the shards one removes it, and no other.
    let removed: Vec<_> = (0..3)
        .map(|shard| {
            let ran = world.anp(&format!("import --shard {shard}/3 --dry-run"));
            ran.exits(0).pages("remove")
        })
        .collect();
    let gone: Vec<_> = removed.iter().filter(|one| !one.is_empty()).collect();
    assert_eq!(gone, [&set(&["/deploys/a/"])], "{removed:?}");
    let ran = world.anp("import content/deploys/a.md");
    assert_eq!(ran.exits(0).pages("remove"), set(&["/deploys/a/"]), "{ran}");
}
