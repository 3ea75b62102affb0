//! anp purge: just the articles that are named, and one rollback brings them back.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Ran, World};

/// Five articles in two folders, published, and a key of somebody else.
fn world() -> World {
    let world = World::new();
    let article = |title: &str, more: &str| format!("---\ntitle: {title}\n{more}---\nText.\n");
    for (file, more) in [
        ("redis/ttl-jitter.md", "stack: [Redis Caching, database]\n"),
        ("redis/eviction.md", "stack: [redis-caching]\n"),
        ("redis/_index.md", ""),
        ("deploys/canary.md", "tools: [kubectl]\nslug: canaries\n"),
        ("deploys/draft.md", "tags: [database]\n"),
    ] {
        world.write(&format!("content/{file}"), article(file, more));
    }
    world.anp("import --quiet").exits(0);
    world.server.command("SET foreign 1");
    world
}

/// The routes that the store holds, each with the number of its objects.
fn held(world: &World) -> Vec<String> {
    let mut routes: Vec<String> = world
        .keys()
        .keys()
        .filter_map(|key| key.strip_prefix("anp:page:").map(str::to_owned))
        .collect();
    for route in &routes {
        let meta = format!("anp:meta:{route}");
        assert!(
            world.server.get(&meta).is_some(),
            "page and meta go together"
        );
    }
    routes.sort();
    routes
}

const ALL: [&str; 5] = [
    "/deploys/canaries/",
    "/deploys/draft/",
    "/redis/",
    "/redis/eviction/",
    "/redis/ttl-jitter/",
];

/// Purges what `line` names, checks what is left, and undoes it.
#[track_caller]
fn leaves(world: &World, line: &str, left: &[&str]) -> Ran {
    let before = world.server.dump();
    let foreseen = world.anp(&format!("purge {line} --dry-run"));
    assert!(world.server.dump() == before, "{foreseen}");
    let ran = world.anp(&format!("purge {line}"));
    assert_eq!(held(world), left, "{ran}");
    let removed = 2 * (ALL.len() - left.len()) as u64;
    assert_eq!(ran.counts()["removed"], removed, "{ran}");
    assert_eq!(foreseen.counts()["removed"], removed, "{foreseen}");
    assert_eq!(foreseen.code, ran.code, "{foreseen}");
    assert_eq!(world.server.get("foreign").as_deref(), Some("1"));
    let rollback = ran.of_type("run")[0]["rollback"]
        .as_str()
        .unwrap()
        .to_owned();
    world.shell(&rollback).exits(0);
    assert!(world.server.dump() == before, "the way back of: {ran}");
    ran
}

#[test]
fn each_selector_names_just_its_articles_and_one_rollback_brings_them_back() {
    let world = world();
    for (line, left) in [
        ("/redis/ttl-jitter/", &[0, 1, 2, 3][..]),
        ("redis/ttl-jitter deploys/draft", &[0, 2, 3]),
        ("--glob /redis/**", &[0, 1]),
        ("--glob /redis/*", &[0, 1, 2]),
        ("--glob /*/canar*/ --glob /redis/", &[1, 3, 4]),
        ("--tag stack=redis-caching", &[0, 1, 2]),
        ("--tag tools=kubectl --tag tags=database", &[2, 3, 4]),
        ("--source content/deploys/canary.md", &[1, 2, 3, 4]),
        ("/redis/ --glob /deploys/* --tag stack=database", &[3]),
        (&format!("--run {}", world.runs()[0]), &[]),
        ("--all --yes", &[]),
    ] {
        let left: Vec<&str> = left.iter().map(|index: &usize| ALL[*index]).collect();
        leaves(&world, line, &left).exits(0);
    }
}

#[test]
fn a_route_that_does_not_exist_is_named_with_the_nearest_ones() {
    let world = world();
    let ran = leaves(
        &world,
        "/redis/ttl-jiter/ /redis/eviction/",
        &[ALL[0], ALL[1], ALL[2], ALL[4]],
    );
    ran.exits(3).notes(
        "warning: there is no article /redis/ttl-jiter/; did you mean /redis/ttl-jitter/?\n",
    );
    // Without a tree the store itself is asked.
    std::fs::remove_dir_all(world.path("content")).unwrap();
    world
        .anp("purge /redis/ttl-jiter/")
        .exits(3)
        .notes("did you mean /redis/ttl-jitter/?\n");
    world
        .anp("purge /nothing/like/it/")
        .exits(3)
        .notes("there is no article /nothing/like/it/\n");
    world.anp("purge Redis").exits(2).notes("= help: ");
}

#[test]
fn what_is_gone_already_is_no_mistake() {
    let world = world();
    world.anp("purge /redis/eviction/").exits(0);
    let ran = world.anp("purge /redis/eviction/");
    ran.exits(0)
        .notes("note: /redis/eviction/ is not in the store: nothing to do for it\n");
    assert_eq!(ran.counts()["removed"], 0);
    world
        .anp("purge --glob /redis/evic*")
        .exits(0)
        .notes("note: the store holds none of these articles: nothing to do\n");
    // An object that was left alone by an eviction goes too.
    world.server.command("DEL anp:page:/redis/ttl-jitter/");
    let ran = world.anp("purge /redis/ttl-jitter/");
    assert_eq!(ran.exits(0).counts()["removed"], 1);
}

#[test]
fn a_selector_that_means_nothing_is_named() {
    let world = world();
    for (line, name) in [
        ("--glob /nowhere/**", "--glob /nowhere/**"),
        ("--tag stack=nothing", "--tag stack=nothing"),
    ] {
        world
            .anp(&format!("purge {line} /redis/"))
            .exits(3)
            .notes(&format!("warning: no article matches {name}\n"));
        world.anp("rollback last").exits(0);
    }
    assert_eq!(held(&world), ALL);
    for (line, said) in [
        ("", "<ROUTE|--glob"),
        ("--glob redis/**", "expected a pattern of routes"),
        (
            "--tag title=a",
            "expected FIELD=VALUE with a list field (aliases, author, stack, tools, ",
        ),
        ("--source /etc/passwd", "is not below the content folder"),
        ("--run last --all --yes", "cannot be used with"),
        ("--run 20260101T000000.000Z-0000", "there is no run"),
    ] {
        let words: Vec<&str> = ["purge"]
            .into_iter()
            .chain(line.split_whitespace())
            .collect();
        let ran = world.anp_with(&words, &[]);
        ran.exits(2).notes(said);
    }
    assert_eq!(held(&world), ALL);
}

#[test]
fn a_file_that_is_gone_is_known_by_its_name_and_an_invalid_one_by_what_it_claims() {
    let world = world();
    std::fs::remove_file(world.path("content/redis/eviction.md")).unwrap();
    world.write(
        "content/deploys/canary.md",
        "---\ntitle: A\nslug: canaries\nscore: {quality: 140}\n---\n",
    );
    leaves(
        &world,
        "--source content/redis/eviction.md --glob /deploys/*",
        &[ALL[2], ALL[4]],
    )
    .exits(0);
}

#[test]
fn without_a_tree_a_glob_is_looked_for_in_the_store() {
    let world = world();
    std::fs::remove_dir_all(world.path("content")).unwrap();
    leaves(&world, "--glob /redis/**", &[ALL[0], ALL[1]])
        .exits(0)
        .notes("looking for the routes in the store (SCAN)\n");
    world
        .anp("purge --glob /a/**")
        .exits(3)
        .notes("no article matches --glob /a/**");
    world
        .anp("purge --tag stack=database")
        .exits(65)
        .notes("error: cannot read the content folder content");
}

#[test]
fn a_run_under_another_prefix_is_purged_there() {
    let world = world();
    world.anp("import --prefix load").exits(0);
    world.anp("purge --run last").exits(0);
    assert_eq!(held(&world), ALL, "the keys of the other prefix");
    assert!(world.server.get("load:page:/redis/").is_none());
    world.anp("rollback last").exits(0);
    assert!(world.server.get("load:page:/redis/").is_some());
    world.anp("rollback last").exits(0);
}

#[test]
fn what_a_run_only_refreshed_is_not_what_it_wrote() {
    let world = world();
    world.server.command("PEXPIRE anp:page:/redis/ 90000");
    world.article("redis/new.md", "New.");
    world.anp("import --quiet").exits(0);
    let ran = world.anp("purge --run last");
    assert_eq!(ran.exits(0).counts()["removed"], 2, "{ran}");
    assert_eq!(held(&world), ALL);
}

// The script command of util-linux gives it a terminal.
#[cfg(target_os = "linux")]
#[test]
fn everything_is_removed_only_after_a_yes() {
    let world = world();
    world
        .anp("purge --all")
        .exits(2)
        .notes("= expected: --yes, where nobody can be asked\n");
    assert_eq!(held(&world), ALL);
    let program = env!("CARGO_BIN_EXE_anp");
    for (answer, left) in [("no\n", 5), ("\n", 5), ("y\n", 5), ("yes\n", 0)] {
        let line = format!("{program} purge --all");
        let mut command = world.program("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .env("ANP_REDIS_URL", world.server.url())
            .env("ANP_STATE_DIR", world.path("state"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(answer.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.contains("Remove every article of redis+unix://"),
            "{said}"
        );
        // A no is an answer, and no failure.
        assert_eq!(output.status.code(), Some(0), "{answer:?}: {said}");
        assert_eq!(said.contains("nothing was removed"), left > 0, "{said}");
        assert_eq!(held(&world).len(), left, "{answer:?}: {said}");
    }
    world.anp("rollback last").exits(0);
    assert_eq!(held(&world), ALL);
}

#[test]
fn values_of_somebody_else_under_a_route_go_too_and_come_back() {
    let world = world();
    world.server.command("DEL anp:meta:/redis/");
    world.server.command("HSET anp:meta:/redis/ a 1");
    let before = world.server.dump();
    world.anp("purge /redis/").exits(0);
    assert!(
        world
            .server
            .dump()
            .keys()
            .all(|key| !key.ends_with(":/redis/"))
    );
    world.anp("rollback last").exits(0);
    assert!(world.server.dump() == before);
}

#[test]
fn what_must_go_goes_while_publishing_is_paused_too() {
    let world = world();
    world.anp("pause --reason swap").exits(0);
    let foreseen = world.anp("purge /redis/ --dry-run");
    foreseen.exits(0).hides("paused").hides("next import");
    assert_eq!(held(&world), ALL);
    let line = ["purge", "/redis/", "--format", "text"];
    let ran = world.anp_with(&line, &[("ANP_PAUSED", "swap")]);
    ran.exits(0).says("the next import publishes these articles again if their sources are still there;\nto prevent that, fix the sources, withdraw them (withdrawn: true), or pause\npublishing (anp pause)\n");
    assert!(!held(&world).contains(&"/redis/".to_owned()), "{ran}");
    world.anp("import").exits(12);
    let back = world.anp("rollback last --format text");
    back.exits(0).hides("next import");
    assert_eq!(held(&world), ALL);
}

#[test]
fn many_are_purged_in_batches_and_all_come_back() {
    let world = World::new();
    for number in 0..1500 {
        world.article(&format!("a/n{number}.md"), "Text.");
    }
    world.anp("import --quiet").exits(0);
    let before = world.server.dump();
    let ran = world.anp("purge --glob /a/n1*");
    assert_eq!(ran.exits(0).counts()["removed"], 2 * 611, "{ran}");
    world.anp("verify last").exits(0);
    world.anp("rollback last").exits(0);
    assert!(world.server.dump() == before);
}

#[test]
fn a_tag_means_its_own_value_alone() {
    let world = World::new();
    for (file, tag) in [("a", "C++"), ("b", "C#"), ("c", "c"), ("d", "Big  Data")] {
        let text = format!("---\ntitle: {file}\ntags: ['{tag}']\n---\nText.\n");
        world.write(&format!("content/{file}.md"), text);
    }
    world.anp("import --quiet").exits(0);
    for (tag, route) in [
        ("c++", "/a/"),
        ("C#", "/b/"),
        ("C", "/c/"),
        ("big-data", "/d/"),
    ] {
        let ran = world.anp(&format!("purge --tag tags={tag} --dry-run"));
        let keys = ran.exits(0).of_type("key");
        let keys: Vec<&str> = keys
            .iter()
            .map(|key| key["key"].as_str().unwrap())
            .collect();
        assert_eq!(
            keys,
            [format!("anp:page:{route}"), format!("anp:meta:{route}")],
            "{tag}"
        );
    }
}

#[test]
fn an_article_that_a_tag_may_mean_and_that_is_invalid_by_now_is_named() {
    let world = world();
    world.write(
        "content/redis/eviction.md",
        "---\ntitle: A\nstack: [redis-caching]\nscore: {quality: 140}\n---\n",
    );
    let ran = world.anp("purge --tag stack=redis-caching");
    ran.exits(3).notes(
        "warning: content/redis/eviction.md cannot be read as an article: whether --tag means it \
         cannot be told\n",
    );
    assert_eq!(held(&world).len(), 4);
}

#[test]
fn a_source_that_never_was_one_is_named() {
    let world = world();
    for source in [
        "content/redis/typo.md",
        "content/redis",
        "content/redis/eviction.png",
        "content",
    ] {
        let ran = world.anp(&format!("purge --source {source} /redis/ttl-jitter/"));
        let shown = source
            .strip_prefix("content")
            .unwrap()
            .trim_start_matches('/');
        let shown = if shown.is_empty() { "." } else { shown };
        ran.exits(3)
            .notes(&format!("warning: no article matches --source {shown}\n"));
        world.anp("rollback last").exits(0);
    }
    assert_eq!(held(&world), ALL);
    world
        .anp("purge --content content/redis/ttl-jitter.md --glob /redis/*")
        .exits(65)
        .notes("error: cannot read the content folder");
}

#[test]
fn a_run_on_another_server_is_spoken_of_by_that_server() {
    let world = world();
    let other = World::new();
    let url = other.server.url();
    let on_other = |line: &str| world.anp(&format!("{line} --redis {url}"));
    on_other("import").exits(0);
    let holder = r#"{"token":"t","run":"r","host":"h","pid":1,"state_dir":"/s","since":0}"#;
    other
        .server
        .run(&["SET", "anp:lock", holder, "PX", "600000"]);
    let run = world.runs().pop().unwrap();
    let ran = world.anp(&format!("purge --run {run}"));
    ran.exits(11).hides(&world.server.url());
    let unlock = ran.stderr.split("if that run is dead: ").nth(1).unwrap();
    world.shell(unlock.trim()).exits(0);
    world.anp(&format!("purge --run {run}")).exits(0);
    assert_eq!(held(&world), ALL);
    assert_eq!(other.server.dump().len(), 0);
}
