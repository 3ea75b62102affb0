//! Old manifests go by count and age, and never one that may still be needed.

use std::time::Duration;

use crate::support::{Ran, Server, World};

const STRICT: [(&str, &str); 2] = [("ANP_KEEP_RUNS_COUNT", "1"), ("ANP_KEEP_RUNS_AGE", "1s")];

/// anp that keeps the newest manifest, those younger than a second, and what it must.
fn strict(world: &World, line: &str) -> Ran {
    let arguments: Vec<&str> = line.split(' ').collect();
    world.anp_with(&arguments, &STRICT)
}

/// Lets the manifests there are grow older than a second.
fn later() {
    std::thread::sleep(Duration::from_millis(1100));
}

/// An article that the next import has to write again.
fn change(world: &World, body: &str) {
    world.article("a.md", body);
}

/// An import that writes; its id.
fn import(world: &World, body: &str) -> String {
    change(world, body);
    world.anp("import").exits(0);
    world.runs().pop().unwrap()
}

/// As if the run had been killed before it ended: its footer is torn off.
fn tear(world: &World, run: &str) {
    let path = world.manifest(run);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() - 20]).unwrap();
}

fn pruned(ran: &Ran) -> u64 {
    let summary = ran.of_type("summary").pop();
    let summary = summary.unwrap_or_else(|| panic!("no summary: {ran}"));
    summary["pruned_runs"].as_u64().unwrap()
}

#[test]
fn by_default_a_hundred_and_ninety_days_are_kept() {
    let world = World::new();
    for body in ["1", "2", "3"] {
        import(&world, body);
    }
    let ran = world.anp("rollback last");
    assert_eq!(pruned(&ran), 0, "{ran}");
    assert!(!ran.stderr.contains("keep_runs"), "{ran}");
    assert_eq!(world.runs().len(), 4);
}

#[test]
fn what_is_neither_among_the_newest_nor_young_goes_when_a_run_ends_well() {
    let world = World::new();
    let runs: Vec<String> = ["1", "2", "3"].map(|body| import(&world, body)).into();
    change(&world, "4");
    let ran = strict(&world, "import");
    ran.exits(0);
    assert_eq!(pruned(&ran), 0, "all are young: {ran}");
    later();
    strict(&world, "import --dry-run").exits(0);
    strict(&world, "rollback last --dry-run").exits(0);
    strict(&world, "verify last").exits(0);
    strict(&world, "runs").exits(0);
    assert_eq!(
        world.runs().len(),
        4,
        "whatever writes nothing removes nothing"
    );
    change(&world, "5");
    let ran = strict(&world, "import");
    ran.exits(0)
        .notes("note: 4 old manifests removed (keep_runs)\n");
    assert_eq!(pruned(&ran), 4);
    let left = world.runs();
    assert_eq!(left.len(), 1);
    assert!(!runs.contains(&left[0]));
    strict(&world, "rollback last").exits(0);
    assert_eq!(
        world
            .server
            .get("anp:page:/a/")
            .unwrap()
            .matches("<p>4")
            .count(),
        1
    );
}

#[test]
fn a_rollback_removes_them_too_but_not_the_run_that_it_undid() {
    let world = World::new();
    let first = import(&world, "1");
    let second = import(&world, "2");
    later();
    let ran = strict(&world, "rollback last");
    ran.exits(0);
    // What stands in the store now, the first wrote.
    assert_eq!(pruned(&ran), 0, "{ran}");
    later();
    let third = import(&world, "3");
    later();
    let ran = strict(&world, &format!("rollback {third}"));
    ran.exits(0);
    assert!(world.runs().contains(&third));
    assert!(world.runs().contains(&first), "it stands there");
    assert_eq!(pruned(&ran), 2, "the second and its rollback: {ran}");
    assert!(!world.runs().contains(&second));
    strict(&world, &format!("rollback {third}"))
        .exits(0)
        .says("\"already_back\":2");
}

#[test]
fn a_run_that_died_stays_until_it_was_rolled_back() {
    let world = World::new();
    let died = import(&world, "1");
    tear(&world, &died);
    for body in ["2", "3"] {
        import(&world, body);
    }
    later();
    change(&world, "4");
    assert_eq!(pruned(&strict(&world, "import")), 2);
    assert!(world.runs().contains(&died));
    // What it wrote was changed since: once the run that did is undone, it can be repeated.
    strict(&world, &format!("rollback {died}")).exits(3);
    assert!(world.runs().contains(&died));
    later();
    change(&world, "5");
    strict(&world, "import").exits(0);
    assert!(world.runs().contains(&died), "keys of it are still there");
    world.server.command("FLUSHDB");
    strict(&world, &format!("rollback {died}")).exits(0);
    later();
    let ran = strict(&world, "import");
    ran.exits(0);
    assert!(!world.runs().contains(&died), "{ran}");
    assert_eq!(world.runs().len(), 1, "{ran}");
}

#[test]
fn a_rollback_that_died_does_not_count() {
    let world = World::new();
    let died = import(&world, "1");
    tear(&world, &died);
    strict(&world, &format!("rollback {died}")).exits(0);
    let rollback = world.runs().pop().unwrap();
    tear(&world, &rollback);
    later();
    change(&world, "2");
    assert_eq!(pruned(&strict(&world, "import")), 0);
    world.server.command("FLUSHDB");
    strict(&world, &format!("rollback {died}")).exits(0);
    later();
    change(&world, "3");
    let ran = strict(&world, "import");
    assert_eq!(pruned(&ran), 4, "{ran}");
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn a_run_that_does_not_end_well_removes_nothing() {
    let world = World::new();
    import(&world, "1");
    import(&world, "2");
    later();
    world.write(
        "content/a.md",
        "---\ntitle: A\nscore: {quality: 140}\n---\nText.\n",
    );
    strict(&world, "import").exits(65);
    assert_eq!(world.runs().len(), 3, "refused");
    change(&world, "3");
    let arguments = ["import", "--redis", "redis+unix:///nowhere/s"];
    world.anp_with(&arguments, &STRICT).exits(69);
    assert_eq!(world.runs().len(), 3);
    let ran = strict(&world, "import");
    assert_eq!(pruned(&ran), 2, "the one that was refused is young: {ran}");
}

#[test]
fn the_newest_of_each_store_stay_and_so_do_two_prefixes_of_one_server() {
    let world = World::new();
    let other = Server::start();
    let here = import(&world, "1");
    let url = other.url();
    let elsewhere = ["import", "--redis", &url];
    world.anp_with(&elsewhere, &[]).exits(0);
    world.anp("import --prefix load").exits(0);
    later();
    change(&world, "2");
    let ran = strict(&world, "import");
    assert_eq!(pruned(&ran), 1, "{ran}");
    assert!(!world.runs().contains(&here));
    let stores: Vec<String> = world
        .anp("runs --format json")
        .lines()
        .iter()
        .map(|run| format!("{} {}", run["server"], run["prefix"]))
        .collect();
    assert!(stores[0].contains(&url), "{stores:?}");
    assert!(stores[1].ends_with("\"load\""), "{stores:?}");
    assert_eq!(stores.len(), 3);
}

#[test]
fn what_cannot_be_read_or_is_no_run_stays() {
    let world = World::new();
    let first = import(&world, "1");
    let damaged = import(&world, "2");
    let mut bytes = std::fs::read(world.manifest(&damaged)).unwrap();
    bytes[100] ^= 1;
    std::fs::write(world.manifest(&damaged), bytes).unwrap();
    let runs = world.path("state/runs");
    let file = |name: &str| runs.join(name);
    std::fs::copy(world.manifest(&first), file("night.jsonl.zst")).unwrap();
    // Another run's name, an empty file, a folder, a link, a FIFO, something of somebody.
    let taken = "20200101T000000.000Z-0000.jsonl.zst";
    std::fs::copy(world.manifest(&first), file(taken)).unwrap();
    std::fs::write(file("20200102T000000.000Z-0000.jsonl.zst"), "").unwrap();
    std::fs::create_dir(file("20200103T000000.000Z-0000.jsonl.zst")).unwrap();
    std::fs::copy(world.manifest(&first), world.path("moved")).unwrap();
    let link = file("20200104T000000.000Z-0000.jsonl.zst");
    std::os::unix::fs::symlink(world.path("moved"), link).unwrap();
    let fifo = file("20200105T000000.000Z-0000.jsonl.zst");
    let made = std::process::Command::new("mkfifo").arg(fifo).status();
    assert!(made.unwrap().success());
    std::fs::write(file("notes.txt"), "mine").unwrap();
    let count = || std::fs::read_dir(&runs).unwrap().count();
    let before = count();
    later();
    change(&world, "3");
    let ran = strict(&world, "import");
    ran.exits(0);
    assert_eq!(pruned(&ran), 1, "{ran}");
    assert!(!world.manifest(&first).exists());
    assert_eq!(count(), before, "one came, one went");
    assert!(world.path("moved").exists());
}

#[test]
fn a_manifest_that_cannot_be_removed_is_a_warning() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::new();
    if world.folder.path().metadata().unwrap().uid() != 0 {
        eprintln!("left out: only root can make files that another user may not remove");
        return;
    }
    let first = import(&world, "1");
    later();
    // In a folder with the sticky bit, files are removed by their owner alone.
    world.anp_without_rights("import").exits(0);
    let runs = world.path("state-without-rights/runs");
    std::os::unix::fs::chown(&runs, Some(0), Some(65534)).unwrap();
    crate::support::set_mode(&runs, 0o1775);
    let file = runs.join(format!("{first}.jsonl.zst"));
    std::fs::rename(world.manifest(&first), &file).unwrap();
    crate::support::set_mode(&file, 0o644);
    world.write("anp.yaml", "keep_runs: {count: 1, age: 1s}\n");
    change(&world, "2");
    let ran = world.anp_without_rights("import");
    ran.exits(0).notes(&format!(
        "warning: cannot remove the old manifest {}: Operation not permitted (os error 1); \
         the next run tries again (keep_runs)\n",
        file.display()
    ));
    assert_eq!(pruned(&ran), 0);
    assert!(file.exists());
}

#[cfg(debug_assertions)]
#[test]
fn killed_or_refused_between_two_removals_nothing_reads_otherwise_and_the_next_run_goes_on() {
    for stop in ["", "=EIO"] {
        let world = World::new();
        let first = import(&world, "1");
        tear(&world, &first);
        world.anp(&format!("rollback {first}")).exits(0);
        let rollback = world.runs().pop().unwrap();
        import(&world, "2");
        import(&world, "3");
        later();
        for removed in 0..4 {
            // Each round begins with the four of the first, and what earlier rounds left.
            let before = world.runs();
            assert_eq!(before.contains(&first), removed <= 1, "{before:?}");
            change(&world, &format!("4 {removed}"));
            let point = format!("prune.remove:{}{stop}", u32::from(removed > 0));
            let variables = [STRICT[0], STRICT[1], ("ANP_FAIL_POINT", point.as_str())];
            let ran = world.anp_with(&["import"], &variables);
            if stop.is_empty() {
                assert_eq!(ran.code, -1, "killed: {ran}");
            } else {
                ran.exits(0)
                    .notes("warning: cannot remove the old manifest");
                assert_eq!(pruned(&ran), u64::from(removed > 0), "{ran}");
            }
            let list = world.anp("runs --format json");
            list.exits(0);
            for run in list.lines() {
                if run["run"] == first.as_str() {
                    assert_eq!(run["rolled_back_by"], rollback.as_str(), "{list}");
                }
            }
        }
        later();
        change(&world, "5");
        strict(&world, "import").exits(0);
        assert_eq!(world.runs().len(), 1);
    }
}

#[test]
fn the_setting_is_a_group() {
    let world = World::new();
    import(&world, "1");
    import(&world, "2");
    later();
    world.write("anp.yaml", "keep_runs:\n  count: 1\n  age: 1s\n");
    change(&world, "3");
    assert_eq!(pruned(&world.anp("import")), 2);
    for (yaml, said) in [
        ("keep_runs: 5", "expected a mapping, found 5"),
        (
            "keep_runs: {count: many}",
            "expected a whole number from 0 to 1000000, found 'many'",
        ),
        (
            "keep_runs: {age: 90}",
            "expected a duration from 1s to 3650d (for example 12h), found 90",
        ),
        ("keep_runs: {counts: 3}", "did you mean 'count'?"),
        ("keep_run: {count: 3}", "did you mean 'keep_runs'?"),
        ("keep_runs.count: 3", "unknown key 'keep_runs.count'"),
    ] {
        world.write("anp.yaml", yaml);
        world.anp("runs").exits(78).notes(said);
    }
}
