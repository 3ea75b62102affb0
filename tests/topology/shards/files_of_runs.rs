//! The files of a run: that they are all there, belong together, and can be read.

use std::process::Stdio;

use anp::publish::manifest::{Header, Line, Manifest, Verify, Writer};

use super::{corpus, files, shard};
use crate::support::proxy::{Fault, Trouble};
use crate::support::{Ran, World};

fn path(world: &World, name: &str) -> std::path::PathBuf {
    world.path("state/runs").join(name)
}

/// Changes the header of a file.
pub fn with_header(world: &World, name: &str, change: impl Fn(&mut Header)) {
    let path = path(world, name);
    let manifest = Manifest::open(&path, Verify::All).unwrap();
    let mut header = manifest.header().clone();
    change(&mut header);
    let batches: Vec<Vec<Line>> = manifest.batches().map(Result::unwrap).collect();
    std::fs::remove_file(&path).unwrap();
    let mut writer = Writer::create(&path, &Line::Header(header)).unwrap();
    for lines in batches {
        writer.append(&lines).unwrap();
    }
}

/// anp, which may have so many files open at once.
fn with_few_files(world: &World, files: u32, line: &str) -> Ran {
    let mut command = world.program("bash");
    command
        .arg("-c")
        .arg(r#"ulimit -n "$0"; exec "$@""#)
        .arg(files.to_string())
        .arg(env!("CARGO_BIN_EXE_anp"))
        .env("ANP_REDIS_URL", world.server.url())
        .env("ANP_STATE_DIR", world.path("state"))
        .args(line.split_whitespace());
    Ran::of(&mut command)
}

#[test]
fn a_run_may_have_more_manifests_than_a_process_may_have_files() {
    let world = World::new();
    for number in 0..200 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let before = world.server.dump();
    for index in 0..50 {
        let line = format!("import --quiet --shard {index}/50 --run-id night");
        world.anp(&line).exits(0);
    }
    for line in ["runs", "runs show night", "verify night"] {
        with_few_files(&world, 32, line).exits(0);
    }
    with_few_files(&world, 32, "import --quiet --shard 7/50 --run-id night").exits(0);
    with_few_files(&world, 32, "rollback night").exits(0);
    assert_eq!(world.keys(), before);
    with_few_files(&world, 32, "import").exits(0);
}

#[test]
fn a_run_that_cannot_be_read_may_be_the_last_that_wrote() {
    let world = corpus();
    shard(&world, "0/1").exits(3);
    let other = path(&world, "20991124T160000.123Z-00af.jsonl.zst");
    std::fs::create_dir(&other).unwrap();
    world
        .anp("rollback last")
        .exits(74)
        .notes("error: cannot read the manifest ");
    // The last one wrote nothing, and of the one before nobody knows.
    let torn = path(&world, "20991125T160000.123Z-00b0.jsonl.zst");
    std::fs::write(&torn, "").unwrap();
    world
        .anp("verify last")
        .exits(74)
        .notes("error: cannot read the manifest ");
    let unknown = || {
        let ran = world.anp("rollback last");
        ran.exits(74).notes("error: cannot read the manifest ");
    };
    unknown();
    std::fs::remove_file(&torn).unwrap();
    world.anp("import --max-invalid 10%").exits(3);
    unknown();
    std::fs::write(&torn, "").unwrap();
    std::fs::remove_dir(other).unwrap();
    world
        .anp("verify last")
        .exits(0)
        .notes("wrote nothing; taking night, which did");
    world
        .anp("rollback last --dry-run")
        .exits(0)
        .notes("wrote nothing; taking night");
}

#[test]
fn the_way_back_waits_for_a_run_that_has_written_nothing_yet() {
    let world = World::new();
    world.article("n.md", "Text.");
    world.anp("import").exits(0);
    let before = world.server.dump();
    world.article("n.md", "Another text.");
    // Withheld when it looks at what the store holds.
    let proxy = world.server.proxy(Trouble::once(Fault::Held, b"GETRANGE"));
    let url = proxy.url();
    let mut command = world.command("state", &["import", "--redis", &url]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    proxy.wait_for_fault();
    world
        .anp("rollback last")
        .exits(11)
        .notes("error: another anp process is writing with the state folder");
    assert!(world.server.dump().len() > before.len(), "the lock");
    proxy.release();
    child.wait().unwrap();
    world.anp("rollback last");
}

#[test]
fn the_way_back_is_refused_if_a_shard_wrote_while_the_manifests_were_read() {
    let world = corpus();
    let before = world.server.dump();
    shard(&world, "0/2").exits(3);
    let after = world.server.dump();
    // A shard of another host, where the locks of files do not reach.
    let proxy = world.server.proxy(Trouble::once(Fault::Held, b"anp:lock"));
    let url = proxy.url();
    let words = ["rollback", "night", "--redis", &url];
    let mut command = world.command("state", &words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    proxy.wait_for_fault();
    let first = path(&world, "night.0-of-2.1.jsonl.zst");
    std::fs::copy(first, path(&world, "night.0-of-2.2.jsonl.zst")).unwrap();
    with_header(&world, "night.0-of-2.2.jsonl.zst", |header| {
        header.attempt = Some(2);
    });
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(11), "{said}");
    assert!(
        said.contains("error: the manifests of run night changed: a shard was writing"),
        "{said}"
    );
    assert!(said.contains("nothing was written"), "{said}");
    assert_eq!(world.server.dump(), after, "nor does its lock stand");
    // It left no manifest that would keep the shards out.
    shard(&world, "1/2").exits(3);
    world.anp("rollback night").exits(0);
    assert_eq!(world.keys(), before);
}

#[test]
fn files_that_do_not_belong_together_are_refused_by_name() {
    type Change = fn(&mut Header);
    let changes: [(&str, Change, &str); 7] = [
        ("run", |header| header.run = "x".to_owned(), "of run x"),
        (
            "server",
            |header| header.server = "redis://h".to_owned(),
            "expected the server ",
        ),
        ("db", |header| header.db = 7, "expected the database 0 "),
        (
            "prefix",
            |header| header.prefix = "x".to_owned(),
            "expected the prefix anp ",
        ),
        (
            "of",
            |header| header.shard.as_mut().unwrap().of = 3,
            "number of shards",
        ),
        (
            "digest",
            |header| header.settings_digest.clear(),
            "expected the settings digest ",
        ),
        (
            "attempt",
            |header| header.attempt = Some(2),
            "found start 2 of shard 1/2",
        ),
    ];
    let world = corpus();
    for index in ["0/2", "1/2"] {
        shard(&world, index).exits(3);
    }
    let after = world.server.dump();
    let name = "night.1-of-2.1.jsonl.zst";
    let whole = std::fs::read(path(&world, name)).unwrap();
    for (what, change, said) in changes {
        with_header(&world, name, change);
        for line in ["rollback night", "verify night", "runs show night"] {
            let ran = world.anp(line);
            ran.exits(65).notes(name);
            assert!(what == "run" || ran.stderr.contains(said), "{what}: {ran}");
        }
        std::fs::write(path(&world, name), &whole).unwrap();
    }
    assert_eq!(world.server.dump(), after);
    world.anp("rollback night").exits(0);
}

#[test]
fn a_start_whose_manifest_is_missing_refuses_the_way_back() {
    let world = corpus();
    shard(&world, "0/1").exits(3);
    world.article("a/n20.md", "Another text.");
    shard(&world, "0/1").exits(3);
    let first = path(&world, "night.0-of-1.1.jsonl.zst");
    let away = world.path("away");
    std::fs::rename(&first, &away).unwrap();
    let after = world.server.dump();
    world
        .anp("rollback night")
        .exits(65)
        .notes("night.0-of-1.1.jsonl.zst is missing: start 2 of shard 0/1 of run night came after");
    assert_eq!(world.server.dump(), after);
    std::fs::rename(&away, &first).unwrap();
    world.anp("rollback night").exits(0);
}

#[test]
fn what_has_no_header_and_what_is_not_there_is_named() {
    let world = corpus();
    shard(&world, "0/3").exits(3);
    std::fs::write(path(&world, "night.1-of-3.1.jsonl.zst"), "").unwrap();
    world
        .anp("verify night")
        .exits(0)
        .notes("night.1-of-3.1.jsonl.zst ends before its header is whole: that start wrote nothing")
        .notes("note: only manifests of 1 of the 3 shards of run night are there; 1 of them did");
    shard(&world, "1/3").exits(3);
    shard(&world, "2/3").exits(3);
    let ran = world.anp("verify night");
    assert!(!ran.stderr.contains("only manifests"), "{ran}");
}

#[test]
fn a_run_goes_before_a_file_of_its_name() {
    let world = corpus();
    let before = world.server.dump();
    shard(&world, "0/1").exits(3);
    world.write("night", "Notes of the night.");
    for line in [
        "verify night",
        "runs show night",
        "purge --run night --dry-run",
    ] {
        world.anp(line).exits(0);
    }
    let ran = world.anp("verify ./night");
    assert_ne!(ran.code, 0, "{ran}");
    world.anp("rollback night").exits(0);
    assert_eq!(world.keys(), before);
    // Where there is no such run, the file is meant.
    std::fs::copy(path(&world, &files(&world)[0]), world.path("copy")).unwrap();
    world.anp("runs show copy").exits(0);
}

#[test]
fn a_run_whose_manifests_were_removed_in_part_is_not_damaged_and_goes_later() {
    let world = corpus();
    for text in ["one", "two"] {
        for run in ["old", "new"] {
            world.article("a/n20.md", &format!("{text} {run}."));
            let id = format!("{run}-{text}");
            for _ in 0..2 {
                let line = format!("import --max-invalid 10% --shard 0/1 --run-id {id}");
                world.anp(&line).exits(3);
            }
            super::age(&world, &id);
        }
    }
    let from = super::started_at(&world);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    // By both clocks they have to be older than that.
    while super::back::now_ms(&world) < from + 1100 {
        assert!(std::time::Instant::now() < until);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let keep = |point| {
        let words = ["import", "--max-invalid", "10%"];
        let age = ("ANP_KEEP_RUNS_AGE", "1s");
        let variables = [("ANP_KEEP_RUNS_COUNT", "1"), age, ("ANP_FAIL_POINT", point)];
        world.anp_with(&words, &variables)
    };
    assert_eq!(keep("prune.remove:1").code, -1);
    assert!(path(&world, "old-one.0-of-1.1.jsonl.zst").exists());
    assert!(!path(&world, "old-one.0-of-1.2.jsonl.zst").exists());
    world.anp("runs").exits(0);
    keep("").exits(3);
    assert!(!path(&world, "old-one.0-of-1.1.jsonl.zst").exists());
}
