//! A packed source from night to night.

use std::collections::BTreeMap;

use super::{piped, seeded, stored};
use crate::support::{World, settle};

/// The lines of a file by their path, for changes.
fn lines(world: &World, file: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(world.path(file)).unwrap();
    let path = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["path"].as_str().unwrap().to_owned()
    };
    text.lines()
        .map(|line| (path(line), line.to_owned()))
        .collect()
}

#[test]
fn a_night_without_changes_unpacks_nothing() {
    let world = World::new();
    seeded(&world, "s.tar.zst", "--count 300 --seed 9");
    seeded(&world, "s.jsonl", "--count 300 --seed 9");
    for source in ["s.tar.zst", "s.jsonl"] {
        settle();
        world.anp(&format!("import {source}")).exits(0);
        // The only spool is the one for pages that were to be written: a second one fails.
        let only_one = ("ANP_FAIL_POINT", "spool.create:1=ENOSPC");
        let ran = world.anp_with(&["import", source], &[only_one]);
        assert_eq!(ran.exits(0).counts()["kept"], 600, "{ran}");
        let lost = world.anp_with(&["import", source, "--no-cache"], &[only_one]);
        let is_packed = source == "s.tar.zst";
        lost.exits(if is_packed { 74 } else { 0 });
    }
    // Written again with the same content: nothing is to be written, though all is unpacked.
    seeded(&world, "s.tar.zst", "--count 300 --seed 9");
    assert_eq!(world.anp("import s.tar.zst").exits(0).counts()["kept"], 600);
}

#[test]
fn what_changed_since_is_written_and_taken_back_exactly() {
    let world = World::new();
    seeded(&world, "s.jsonl", "--count 120 --seed 9");
    settle();
    world.anp("import s.jsonl").exits(0);
    let before = world.keys();
    let mut all = lines(&world, "s.jsonl");
    let paths: Vec<String> = all.keys().cloned().collect();
    let changed = all.get_mut(&paths[50]).unwrap();
    *changed = changed.replacen("\"body\":\"", "\"body\":\"New. ", 1);
    all.remove(&paths[7]);
    let new = r#"{"path":"new/one.md","title":"One","body":"Text."}"#;
    let text: String = all.values().rev().map(|line| format!("{line}\n")).collect();
    world.write("s.jsonl", format!("{new}\n{text}"));
    let ran = world.anp("import s.jsonl --prune");
    let counts = ran.exits(0).counts();
    assert_eq!(
        [
            &counts["created"],
            &counts["updated"],
            &counts["removed"],
            &counts["kept"]
        ],
        [2, 2, 2, 236],
        "{ran}"
    );
    world.anp("rollback last").exits(0);
    assert_eq!(world.keys(), before);
    // The lines moved, and nothing else did.
    let counts = world.anp("import s.jsonl --prune").exits(0).counts();
    assert_eq!(counts["kept"], 236);
}

#[test]
fn lost_pages_of_an_unchanged_archive_are_made_again() {
    let world = World::new();
    seeded(&world, "s.tar.zst", "--count 80 --seed 9");
    settle();
    world.anp("import s.tar.zst").exits(0);
    let all = stored(&world);
    let (lost, _) = &all[all.len() - 1];
    world.server.command(&format!("DEL {lost}"));
    let ran = world.anp("import s.tar.zst");
    assert_eq!(ran.exits(0).counts()["created"], 1, "{ran}");
    assert_eq!(stored(&world), all);
    world.server.command("FLUSHALL");
    assert_eq!(
        world.anp("warm s.tar.zst").exits(0).counts()["created"],
        160
    );
    assert_eq!(stored(&world), all);
}

#[test]
fn an_index_that_is_damaged_or_of_another_file_is_no_index() {
    let world = World::new();
    for name in ["s.tar.zst", "t.tar.zst"] {
        seeded(
            &world,
            name,
            if name.starts_with('s') {
                "--count 20 --seed 9"
            } else {
                "--count 30 --seed 9"
            },
        );
    }
    settle();
    let count = |name: &str| {
        let ran = world.anp(&format!("import {name}"));
        let counts = ran.exits(0).counts();
        counts["created"].as_u64().unwrap() + counts["kept"].as_u64().unwrap()
    };
    assert_eq!(count("s.tar.zst"), 40);
    assert_eq!(count("t.tar.zst"), 60);
    assert_eq!(count("s.tar.zst"), 40);
    let index = world.path("state/packed.index");
    let whole = std::fs::read(&index).unwrap();
    for at in (0..whole.len()).step_by(97) {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 0x40;
        std::fs::write(&index, spoilt).unwrap();
        assert_eq!(count("s.tar.zst"), 40, "{at}");
    }
    std::fs::write(&index, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(count("s.tar.zst"), 40);
}

#[test]
fn shards_of_a_packed_source_make_what_one_run_makes() {
    let world = World::new();
    seeded(&world, "s.tar.zst", "--count 90 --seed 3");
    seeded(&world, "s.jsonl", "--count 90 --seed 3");
    world.anp("import s.jsonl").exits(0);
    let whole = stored(&world);
    let input = std::fs::read(world.path("s.jsonl")).unwrap();
    for source in ["s.tar.zst", "s.jsonl", "-"] {
        world.server.command("FLUSHALL");
        for shard in ["0/3", "1/3", "2/3"] {
            let line = format!("import {source} --shard {shard}");
            piped(&world, &line, &input).exits(0);
        }
        assert_eq!(stored(&world), whole, "{source}");
    }
}

#[test]
fn a_file_that_is_written_to_while_it_is_read_is_refused_or_skipped() {
    let world = World::new();
    seeded(&world, "s.jsonl", "--count 3000 --seed 3");
    let path = world.path("s.jsonl");
    // The lines are known, and the first of them are others when they are to be read.
    let arguments = ["import", "s.jsonl", "--format", "json"];
    let mut command = world.command("state", &arguments);
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let (mut child, mut writes) = (child.unwrap(), 0);
    while child.try_wait().unwrap().is_none() {
        use std::os::unix::fs::FileExt as _;
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(b"{\"path\":\"x", 0).unwrap();
        writes += 1;
        std::thread::sleep(std::time::Duration::from_millis(1));
        if writes == 1 {
            // All that it has to say waits until somebody reads it.
            let mut stdout = child.stdout.take().unwrap();
            std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        }
    }
    let code = child.wait().unwrap().code().unwrap();
    assert!([0, 3, 65].contains(&code), "{code}");
    assert!(writes > 1);
    // Whatever was seen of it: what was published is what one line says.
    let published = super::stored(&world).len();
    assert_eq!(published % 2, 0);
    assert!(code != 65 || published == 0);
}
