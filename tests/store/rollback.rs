//! The way back: whatever a run did, rollback brings every key to what it was.

use std::time::Duration;

use crate::support::World;

/// Keys that the import will meet: foreign types under its own names, keys of others, with
/// and without expiry.
fn mixed_keyspace(world: &World) {
    let server = &world.server;
    for line in [
        "RPUSH anp:page:/list/ a b c",
        "HSET anp:page:/hash/ f1 v1 f2 v2",
        "PEXPIREAT anp:page:/hash/ 4000000000123",
        "XADD anp:meta:/stream/ 1-1 field value",
        "PEXPIREAT anp:meta:/stream/ 4000000000321",
        "ZADD anp:meta:/list/ 1 one 2 two",
        "SET anp:page:/string/ old PXAT 4000000000777",
        "SET anp:meta:/string/ older",
        "SET other:key untouched PXAT 4000000000001",
        "SADD other:set x y z",
        "SET anp:page:/not-an-article/ kept",
    ] {
        server.command(line);
    }
    // Large enough for a real hash table, whose DUMP has no stable order.
    let mut connection = server.connection();
    for number in 0..1000 {
        for (command, key) in [("HSET", "anp:meta:/hash/"), ("SADD", "anp:page:/set/")] {
            let mut command = redis::cmd(command);
            command.arg(key).arg(format!("member {number}"));
            if key == "anp:meta:/hash/" {
                command.arg(number);
            }
            command.query::<()>(&mut connection).unwrap();
        }
    }
    for name in ["list", "hash", "stream", "string", "set", "fresh"] {
        world.article(&format!("{name}.md"), "Some text.");
    }
}

#[test]
fn import_change_import_rollback_gives_the_identical_keyspace() {
    let world = World::new();
    mixed_keyspace(&world);
    let before = world.server.dump();
    world.anp("import").exits(0);
    let imported = world.server.dump();
    assert_ne!(before, imported);

    world
        .article("string.md", "Other text.")
        .article("later.md", "New.");
    let second = world.anp("import");
    second.exits(0);
    assert_eq!(second.counts()["updated"], 2, "{second}");
    assert_eq!(second.counts()["created"], 2, "{second}");
    assert_eq!(second.counts()["kept"], 10, "{second}");
    let runs = world.runs();

    world.anp("rollback last").exits(0);
    assert_eq!(world.server.dump(), imported);
    world.anp_with(&["rollback", &runs[0]], &[]).exits(0);
    assert_eq!(world.server.dump(), before);
}

#[test]
fn a_rollback_can_be_repeated_and_itself_undone() {
    let world = World::new();
    mixed_keyspace(&world);
    let before = world.server.dump();
    world.anp("import").exits(0);
    let imported = world.server.dump();

    world.anp("rollback last").exits(0);
    let third = world.anp("rollback last --format text");
    third.exits(0).says("is already undone: nothing to do");
    assert_eq!(world.server.dump(), before);

    let first_rollback = &world.runs()[1];
    world.anp_with(&["rollback", first_rollback], &[]).exits(0);
    assert_eq!(world.server.dump(), imported);
}

#[test]
fn each_key_of_a_rollback_has_its_fate_told() {
    let world = World::new();
    world
        .server
        .command("SET anp:page:/a/ old PXAT 4000000000777");
    world
        .article("a.md", "A.")
        .article("b.md", "B.")
        .article("c.md", "C.");
    world.anp("import").exits(0);
    world.server.command("SET anp:page:/b/ somebody-else");
    world.server.command("DEL anp:meta:/b/ anp:page:/a/");
    let ran = world.anp("rollback last");
    ran.exits(3);
    let fate = |key: &str| {
        let lines = ran.lines();
        let line = lines.iter().find(|line| line["key"] == key);
        line.unwrap_or_else(|| panic!("{key} is missing: {ran}"))["fate"].clone()
    };
    // Deleted by somebody while the value before would still live: kept absent, reported.
    assert_eq!(fate("anp:page:/a/"), "kept");
    assert_eq!(fate("anp:meta:/a/"), "removed");
    assert_eq!(fate("anp:page:/b/"), "kept");
    assert_eq!(fate("anp:meta:/b/"), "already_back");
    assert_eq!(fate("anp:page:/c/"), "removed");
    ran.notes("anp:page:/b/: it changed after that run: kept as it is");
    assert_eq!(world.server.get("anp:page:/b/").unwrap(), "somebody-else");
    assert_eq!(world.server.expiry("anp:page:/a/"), -2);
}

#[test]
fn a_dry_rollback_says_the_same_and_changes_nothing() {
    let world = World::new();
    mixed_keyspace(&world);
    world.anp("import").exits(0);
    let imported = world.server.dump();
    let dry = world.anp("rollback last --dry-run");
    dry.exits(0);
    assert_eq!(world.server.dump(), imported);
    assert_eq!(world.runs().len(), 1, "a dry run leaves no manifest");
    let real = world.anp("rollback last");
    let fates = |ran: &crate::support::Ran| {
        let mut fates: Vec<String> = ran
            .lines()
            .iter()
            .filter(|line| line["key"].is_string())
            .map(|line| format!("{} {}", line["key"], line["fate"]))
            .collect();
        fates.sort();
        fates
    };
    assert_eq!(fates(&dry), fates(&real));
}

#[test]
fn last_passes_over_rollbacks_and_runs_that_wrote_nothing() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    world.anp("import").exits(0);
    let ran = world.anp("rollback last");
    let [first, second, ..] = &world.runs()[..] else {
        panic!("two imports: {ran}")
    };
    ran.exits(0).notes(&format!(
        "the last run, {second}, wrote nothing; taking {first}"
    ));
    assert!(world.server.dump().is_empty());
    // It stays the last one, and there is nothing left to do.
    let again = world.anp("rollback last");
    assert!(again.exits(0).of_type("key").is_empty(), "{again}");
    world.anp("rollback last~1").exits(2).notes("only 1 run");
}

#[test]
fn where_no_run_wrote_anything_there_is_nothing_to_undo() {
    let world = World::new();
    world.write("content/a.md", "---\nscore: {quality: 140}\n---\n");
    world.anp("import").exits(65);
    world
        .anp("rollback last")
        .exits(3)
        .notes("wrote nothing: nothing is rolled back")
        .notes("no run in this state folder wrote anything");
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn a_manifest_file_can_be_rolled_back_from_anywhere() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let run = world.runs().pop().unwrap();
    let copy = world.path("copy.zst");
    std::fs::copy(world.manifest(&run), &copy).unwrap();
    let copy = copy.to_str().unwrap();
    world
        .anp_with(&["rollback", copy, "--state-dir", "elsewhere"], &[])
        .exits(0);
    assert!(world.server.dump().is_empty());
}

#[test]
fn the_server_of_the_manifest_is_used_unless_another_is_named() {
    let world = World::new();
    let other = crate::support::Server::start();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let variables = [("ANP_REDIS_URL", &*other.url())];
    world.anp_with(&["rollback", "last"], &variables).exits(0);
    assert!(world.server.dump().is_empty());

    world.anp("import").exits(0);
    let imported = world.server.dump();
    let arguments = ["rollback", "last", "--redis", &other.url()];
    let ran = world.anp_with(&arguments, &[]);
    ran.exits(0);
    assert_eq!(
        world.server.dump(),
        imported,
        "the named server is the one that is used"
    );
}

#[test]
fn a_manifest_of_an_embedded_store_never_undoes_an_empty_one() {
    let world = World::new();
    world.article("a.md", "A.");
    let embedded = [("ANP_REDIS_URL", "embedded")];
    world.anp_with(&["import"], &embedded).exits(0);
    let file = world.manifest(&world.runs()[0]);
    let file = file.to_str().unwrap();
    // From another state folder: the store of the manifest is the one that is undone.
    let elsewhere = ["rollback", file, "--state-dir", "elsewhere"];
    let ran = world.anp_with(&elsewhere, &embedded);
    ran.exits(0);
    assert_eq!(ran.of_type("key").len(), 2, "{ran}");

    world.anp_with(&["import"], &embedded).exits(0);
    std::fs::rename(world.path("state"), world.path("moved")).unwrap();
    let moved = ["rollback", "last", "--state-dir", "moved"];
    world
        .anp_with(&moved, &embedded)
        .exits(69)
        .notes("there is no embedded store in that folder");
    let said = [
        "rollback",
        "last",
        "--state-dir",
        "moved",
        "--redis",
        "embedded",
    ];
    let ran = world.anp_with(&said, &[]);
    ran.exits(0);
    assert_eq!(ran.of_type("key").len(), 2, "{ran}");
}

#[test]
fn the_printed_rollback_names_the_user_and_no_password() {
    let world = World::new();
    world
        .server
        .command("ACL SETUSER bob on >s3cret ~* &* +@all");
    world.server.command("ACL SETUSER default off");
    world.article("a.md", "A.");
    let url = format!("{}?user=bob", world.server.url());
    let password = [("ANP_REDIS_PASSWORD", "s3cret")];
    let ran = world.anp_with(&["import", "--redis", &url], &password);
    ran.exits(0);
    let rollback = ran.lines()[0]["rollback"].as_str().unwrap().to_owned();
    assert!(!rollback.contains("s3cret"), "{rollback}");
    let printed = format!("{rollback} --format json");
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", &printed])
        .current_dir(world.folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("ANP_REDIS_PASSWORD", "s3cret");
    let ran = crate::support::Ran::of(&mut command);
    ran.exits(0);
    assert_eq!(ran.of_type("key").len(), 2, "{ran}");
}

#[test]
fn a_refresh_moves_the_expiry_alone_and_back_again() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import --ttl 1h").exits(0);
    let short = world.server.dump();
    // 7 d: less than half of it is left.
    let ran = world.anp("import --ttl 7d");
    ran.exits(0);
    assert_eq!(ran.counts()["refreshed"], 2, "{ran}");
    let long = world.server.dump();
    assert_eq!(
        world.server.expiry("anp:page:/a/"),
        world.server.expiry("anp:meta:/a/")
    );
    // Lowered again: more than 1.1 × the ttl is left.
    let ran = world.anp("import --ttl 1h");
    assert_eq!(ran.counts()["refreshed"], 2, "{ran}");
    assert!(world.server.expiry("anp:page:/a/") < now_ms() + 2 * 3_600_000);
    world.anp("rollback last").exits(0);
    assert_eq!(world.server.dump(), long);
    world
        .anp_with(&["rollback", &world.runs()[1]], &[])
        .exits(0);
    assert_eq!(world.server.dump(), short);
}

#[test]
fn what_somebody_made_expire_early_is_kept_absent() {
    let world = World::new();
    world
        .server
        .command("SET anp:page:/a/ old PXAT 4000000000777");
    world.server.command("SET anp:meta:/a/ soon-gone");
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    world.server.command("PEXPIRE anp:page:/a/ 1");
    std::thread::sleep(Duration::from_millis(20));
    // It did not go at the expiry that the run gave it: somebody removed it.
    world.anp("rollback last").exits(3);
    assert_eq!(world.server.expiry("anp:page:/a/"), -2);
    assert_eq!(world.server.get("anp:meta:/a/").unwrap(), "soon-gone");
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

#[test]
fn a_store_on_the_command_line_that_is_not_that_of_the_manifest_is_named_beside_it() {
    let world = World::new();
    world.article("a.md", "A.");
    let ran = world.anp("import");
    let run = ran.exits(0).lines()[0]["run"].as_str().unwrap().to_owned();
    let (own, other) = (world.server.url(), format!("{}?db=1", world.server.url()));
    let before = world.server.dump();
    let warning = format!(
        "warning: the manifest of {run} names {own}?db=0; rolling back {other}, as --redis says\n"
    );
    for more in [&[][..], &["--dry-run"]] {
        let line = [&["rollback", &run, "--redis", &other], more].concat();
        let ran = world.anp_with(&line, &[]);
        ran.exits(0).notes(&warning);
    }
    assert!(world.server.dump() == before);
    let prefix = format!(
        "warning: the manifest of {run} names the prefix anp, which counts; --prefix is ignored\n"
    );
    let line = ["rollback", &run, "--redis", &own, "--prefix", "zz"];
    let ran = world.anp_with(&line, &[]);
    ran.exits(0).notes_exactly(&prefix);
    assert!(world.server.dump().is_empty());
}

#[test]
fn articles_come_back_only_where_the_next_import_may_publish_them() {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    world.anp("import").exits(0);
    std::fs::remove_file(world.path("content/b.md")).unwrap();
    world.anp("import --prune --force").exits(0);
    let back = world.anp("rollback last --format text");
    back.exits(0)
        .says("1 article restored (2 keys written)")
        .hides("next import");
    world.anp("import --synth 3 --under load/").exits(0);
    let back = world.anp("rollback last --format text");
    back.exits(0)
        .says("3 articles removed (6 keys written)")
        .hides("next import");
    world.article("c.md", "C.");
    world.anp("import").exits(0);
    let back = world.anp("rollback last --format text");
    back.exits(0)
        .says("the next import publishes these articles again if their sources are still there");
}
