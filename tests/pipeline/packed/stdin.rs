//! `anp import -`: what a program writes is kept until it has ended, then published or refused as a
//! whole.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{gzipped, piped, seeded, stored};
use crate::support::{Ran, World, signal};

#[test]
fn every_form_comes_through_a_pipe() {
    let world = World::new();
    seeded(&world, "s.jsonl", "--count 40 --seed 2");
    world.anp("import s.jsonl").exits(0);
    let whole = stored(&world);
    for form in ["s.jsonl", "s.jsonl.gz", "s.tar", "s.tar.zst"] {
        seeded(&world, form, "--count 40 --seed 2");
        world.server.command("FLUSHALL");
        let bytes = std::fs::read(world.path(form)).unwrap();
        let ran = piped(&world, "import -", &bytes);
        assert_eq!(ran.exits(0).counts()["created"], 80, "{ran}");
        assert_eq!(stored(&world), whole, "{form}");
        // The next night knows them by their content.
        let again = piped(&world, "import -", &bytes);
        assert_eq!(again.exits(0).counts()["kept"], 80, "{again}");
    }
}

#[test]
fn whatever_dies_before_its_end_writes_nothing() {
    let world = World::new();
    for form in [
        "s.jsonl",
        "s.jsonl.gz",
        "s.jsonl.zst",
        "s.tar",
        "s.tar.gz",
        "s.tar.zst",
    ] {
        seeded(&world, form, "--count 40 --seed 2");
        let bytes = std::fs::read(world.path(form)).unwrap();
        let cuts = (1..24)
            .map(|part| bytes.len() * part / 24)
            .chain([bytes.len() - 1]);
        for cut in cuts {
            let is_whole = match form {
                // Nothing tells that more lines should have come.
                "s.jsonl" => bytes[cut - 1] == b'\n' || cut == bytes.len() - 1,
                // The first block of zeros ends it.
                "s.tar" => cut >= bytes.len() - 512,
                _ => false,
            };
            if is_whole {
                continue;
            }
            let ran = piped(&world, "import -", &bytes[..cut]);
            ran.exits(65)
                .notes("the standard input is damaged or not whole");
            ran.notes("nothing was written");
            assert_eq!(stored(&world), [], "{form} cut at {cut}");
            // The same of a file.
            std::fs::write(world.path(&format!("cut.{form}")), &bytes[..cut]).unwrap();
            world.anp(&format!("import cut.{form}")).exits(65);
        }
    }
}

#[test]
fn a_bit_that_flips_in_a_compressed_stream_is_found() {
    let world = World::new();
    seeded(&world, "s.jsonl", "--count 20 --seed 2");
    let mut bytes = gzipped(&std::fs::read(world.path("s.jsonl")).unwrap());
    let at = bytes.len() - 6;
    bytes[at] ^= 1;
    piped(&world, "import -", &bytes).exits(65);
    assert_eq!(stored(&world), []);
}

#[test]
fn promise_8_a_producer_that_says_nothing_does_not_hold_a_run_for_ever() {
    let world = World::new();
    let begun = |arguments: &[&str]| {
        let mut command = world.command("state", arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut child = begun(&["import", "-"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"{\"path\":\"a.md\",\"title\":\"A\"}\n{\"path\"")
        .unwrap();
    // It waits for more; it takes the lock before it reads the first line.
    let started = Instant::now();
    while world.server.get("anp:lock").is_none() {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(&child, "INT");
    let stdout = child.stdout.take().unwrap();
    let ran = Ran::ended(child, stdout);
    ran.exits(130).notes("nothing was written");
    drop(stdin);
    let mut command = world.command("state", &["import", "-"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .env("ANP_EXPECT_MAX_DURATION", "1s")
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    let stdout = child.stdout.take().unwrap();
    Ran::ended(child, stdout)
        .exits(65)
        .notes("nothing was written");
    drop(stdin);
    assert_eq!(stored(&world), []);
}

#[test]
fn a_disk_without_room_for_the_articles_ends_a_run_before_its_first_write() {
    let world = World::new();
    seeded(&world, "s.jsonl", "--count 400 --seed 2");
    let mut command = world.program("bash");
    command
        .arg("-c")
        .arg("ulimit -f 512; exec \"$@\"")
        .args(["anp", env!("CARGO_BIN_EXE_anp"), "import", "-"])
        .env("ANP_REDIS_URL", world.server.url())
        .env("ANP_STATE_DIR", world.path("state"))
        .stdin(std::fs::File::open(world.path("s.jsonl")).unwrap());
    let ran = Ran::of(&mut command);
    ran.exits(74)
        .notes("cannot keep the articles of the standard input in");
    assert_eq!(stored(&world), []);
    let mut left = std::fs::read_dir(world.path("state")).unwrap();
    assert!(left.all(|entry| {
        !entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with(".tmp")
    }));
}

#[test]
fn articles_from_a_pipe_are_listed_and_purged_and_a_terminal_is_no_pipe() {
    let world = World::new();
    seeded(&world, "s.jsonl", "--count 12 --seed 2");
    let lines = std::fs::read(world.path("s.jsonl")).unwrap();
    piped(&world, "import -", &lines).exits(0);
    let listed = piped(&world, "ls --content -", &lines);
    listed.exits(0).says("12 articles: 12 fresh");
    assert_eq!(listed.stderr, "");
    let record: serde_json::Value =
        serde_json::from_slice(lines.split(|b| *b == b'\n').next().unwrap()).unwrap();
    let path = record["path"].as_str().unwrap();
    let purged = piped(
        &world,
        &format!("purge --content - --source {path} --yes"),
        &lines,
    );
    assert_eq!(purged.exits(0).counts()["removed"], 2, "{purged}");
    let (_screen, terminal) = crate::support::terminal::open(80);
    let ran = Ran::of(world.command("state", &["check", "-"]).stdin(terminal));
    ran.exits(65).notes(
        "error: cannot read the standard input: found a terminal, and no program that writes",
    );
}

#[test]
fn the_reader_of_a_pipe_waits_for_its_writer() {
    let world = World::new();
    let mut command = world.command("state", &["import", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for byte in b"{\"path\":\"a.md\",\"title\":\"A\"}\n" {
        stdin.write_all(&[*byte]).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    drop(stdin);
    let mut told = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert!(
        child.wait().unwrap().success() && told.contains("\"created\":2"),
        "{told}"
    );
}
