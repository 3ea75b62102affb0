//! The way back of a run whose shards died and were started again.

use super::{by_one_run, corpus, files, published, shard, started_at, words};
use crate::support::World;
use crate::support::cases::cases;

/// Starts a shard that dies at `point`.
#[track_caller]
fn dies(world: &World, index: &str, point: &str) {
    let ran = world.anp_with(&words(index), &[("ANP_FAIL_POINT", point)]);
    assert_eq!(ran.code, -1, "not killed at {point}: {ran}");
}

const POINTS: [&str; 12] = [
    "begin.sent:4",
    "header.torn",
    "folder.synced",
    "survey.reply:2",
    "intents.torn",
    "intents.synced",
    "first.sent:3",
    "first.reply:3",
    "second.sent:5",
    "second.reply:1",
    "footer.torn",
    "lease.released",
];

/// Those that this run of the tests tries.
fn points(loop_name: &str) -> impl Iterator<Item = &'static str> {
    cases(loop_name, 4).map_while(|number| POINTS.get(number).copied())
}

#[test]
fn a_shard_that_dies_anywhere_is_started_again_and_finishes() {
    let expected = by_one_run();
    for point in points("again") {
        let world = corpus();
        shard(&world, "0/2").exits(3);
        dies(&world, "1/2", point);
        shard(&world, "1/2").exits(3);
        let found = published(&world, started_at(&world));
        assert_eq!(found, expected, "{point}");
        world.anp("verify night").exits(0);
    }
}

#[test]
fn the_way_back_is_exact_whichever_shard_died_where() {
    for point in points("back") {
        let world = corpus();
        let before = world.server.dump();
        dies(&world, "1/3", point);
        shard(&world, "2/3").exits(3);
        // The third one never began.
        let ran = world.anp("rollback night --format text");
        if files(&world).iter().any(|name| name.starts_with("night.1")) {
            ran.exits(0);
            let said = ran.stderr.matches("note: only manifests of ");
            assert_eq!(said.count(), 1, "{ran}");
        }
        assert_eq!(world.keys(), before, "{point}");
    }
}

#[test]
fn what_several_starts_of_a_shard_wrote_goes_back_to_what_was_before_the_first() {
    for point in ["intents.synced", "first.sent:3", "second.sent:4"] {
        for last in ["intents.synced", "first.sent:20", "second.sent:9", ""] {
            let world = corpus();
            let before = world.server.dump();
            dies(&world, "0/1", point);
            // What is published changes between the starts, so that keys are written twice.
            for number in 0..40 {
                world.article(&format!("a/n{number}.md"), "Another text.");
            }
            dies(&world, "0/1", "first.sent:30");
            for number in 10..50 {
                world.article(&format!("a/n{number}.md"), "A third text.");
            }
            if last.is_empty() {
                shard(&world, "0/1").exits(3);
                world.anp("verify night").exits(0);
            } else {
                dies(&world, "0/1", last);
            }
            let after = world.keys();
            world.anp("rollback night").exits(0);
            assert_eq!(world.keys(), before, "{point}, then {last}");
            // The way back has a way back, which is whole too.
            world
                .anp(&format!("rollback {}", newest_rollback(&world)))
                .exits(0);
            assert_eq!(world.keys(), after, "{point}, then {last}");
        }
    }
}

fn newest_rollback(world: &World) -> String {
    let runs = world.anp("runs --format json").lines();
    let rollback = runs.iter().rev().find(|run| run["command"] == "rollback");
    rollback.unwrap()["run"].as_str().unwrap().to_owned()
}

#[test]
fn what_somebody_changed_between_two_starts_is_given_back_to_them() {
    let world = corpus();
    dies(&world, "0/1", "footer.torn");
    world
        .server
        .command("SET anp:page:/a/n20/ theirs PXAT 4000000000777");
    world.server.command("DEL anp:page:/a/n21/");
    world.article("a/n22.md", "Another text.");
    shard(&world, "0/1").exits(3);
    assert_ne!(world.server.get("anp:page:/a/n20/").unwrap(), "theirs");
    world.anp("rollback night").exits(0);
    assert_eq!(world.server.get("anp:page:/a/n20/").unwrap(), "theirs");
    assert_eq!(world.server.expiry("anp:page:/a/n20/"), 4_000_000_000_777);
    assert_eq!(world.server.expiry("anp:page:/a/n21/"), -2);
    assert_eq!(world.server.expiry("anp:page:/a/n22/"), -2);
}

#[test]
fn no_shard_writes_after_its_run_was_rolled_back() {
    let world = corpus();
    let before = world.server.dump();
    dies(&world, "0/2", "first.sent:3");
    shard(&world, "1/2").exits(3);
    world.anp("rollback night").exits(0);
    for index in ["0/2", "1/2"] {
        shard(&world, index)
            .exits(65)
            .notes("error: run night was rolled back by ")
            .notes("no shard of it may write again")
            .notes("nothing was written");
    }
    assert_eq!(world.keys(), before);
    // That rollback undone, the run goes on.
    world
        .anp(&format!("rollback {}", newest_rollback(&world)))
        .exits(0);
    shard(&world, "0/2").exits(3);
    assert_eq!(published(&world, started_at_of_night(&world)), by_one_run());
    world.anp("rollback night").exits(0);
    assert_eq!(world.keys(), before);
}

fn started_at_of_night(world: &World) -> i64 {
    let runs = world.anp("runs --format json").lines();
    let night = runs.iter().find(|run| run["run"] == "night");
    night.unwrap()["started_at"].as_i64().unwrap()
}

#[test]
fn a_rollback_that_died_keeps_the_shards_out_too() {
    let world = corpus();
    shard(&world, "0/2").exits(3);
    let ran = world.anp_with(
        &["rollback", "night"],
        &[("ANP_FAIL_POINT", "first.sent:2")],
    );
    assert_eq!(ran.code, -1, "{ran}");
    shard(&world, "1/2").exits(65).notes("was rolled back by");
    world.anp("rollback night").exits(0);
}

#[test]
fn one_file_of_a_run_stands_for_all_of_them() {
    let world = corpus();
    let before = world.server.dump();
    for index in ["0/2", "1/2"] {
        shard(&world, index).exits(3);
    }
    let file = world.path("state/runs/night.1-of-2.1.jsonl.zst");
    world
        .anp_with(&["verify", file.to_str().unwrap(), "--format", "text"], &[])
        .exits(0)
        .says("run night: 122 keys as it wrote them");
    world
        .anp_with(&["rollback", file.to_str().unwrap()], &[])
        .exits(0);
    assert_eq!(world.keys(), before);
}

#[test]
fn a_damaged_manifest_of_one_shard_refuses_the_whole_way_back() {
    let world = corpus();
    for index in ["0/2", "1/2"] {
        shard(&world, index).exits(3);
    }
    let after = world.server.dump();
    let file = world.path("state/runs/night.1-of-2.1.jsonl.zst");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    world
        .anp("rollback night")
        .exits(65)
        .notes("night.1-of-2.1.jsonl.zst is damaged at byte");
    assert_eq!(world.server.dump(), after);
}

#[test]
fn the_manifests_of_a_run_are_kept_and_removed_together() {
    let world = corpus();
    for run in ["one", "two", "three"] {
        for number in 0..20 {
            world.article(&format!("a/n{number}.md"), run);
        }
        for index in 0..3 {
            let line = format!("import --max-invalid 10% --shard {index}/3 --run-id {run}");
            world.anp(&line).exits(3);
        }
        super::age(&world, run);
    }
    let runs = world.anp("runs --format json").lines();
    let ids: Vec<&str> = runs
        .iter()
        .map(|run| run["run"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["one", "two", "three"], "oldest first");
    let third = started_at(&world);
    // By both clocks they have to be older than that.
    while now_ms(&world) < third + 1100 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let words = ["import", "--max-invalid", "10%", "--format", "json"];
    let keep = [("ANP_KEEP_RUNS_COUNT", "1"), ("ANP_KEEP_RUNS_AGE", "1s")];
    let ran = world.anp_with(&words, &keep);
    assert_eq!(ran.of_type("summary")[0]["pruned_runs"], 6, "{ran}");
    let kept = files(&world);
    let of = |run: &str| kept.iter().filter(|name| name.starts_with(run)).count();
    // The last one that wrote is somebody's way back.
    let left = (of("one."), of("two."), of("three."));
    assert_eq!(left, (0, 0, 3), "{kept:?}");
    world.anp("rollback three").exits(0);
}

pub fn now_ms(world: &World) -> i64 {
    let time: (i64, i64) = redis::cmd("TIME")
        .query(&mut world.server.connection())
        .unwrap();
    time.0 * 1000 + time.1 / 1000
}

/// Numbers that look random, the same in every test run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % below
    }
}

/// Starts shards at once and kills them at some time, changes articles, and again.
/// Returns how many that killed.
fn disturbed(world: &World, dice: &mut Dice) -> u32 {
    let mut killed = 0;
    for round in 0..4 {
        let mut children: Vec<_> = (0..3)
            .map(|index| super::begun(world, &format!("{index}/3")))
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(dice.below(120)));
        for child in &mut children {
            if dice.below(5) > 0 {
                let _ = child.kill();
                killed += 1;
            }
        }
        for child in children {
            child.wait_with_output().unwrap();
        }
        for _ in 0..dice.below(30) {
            let name = format!("a/n{}.md", dice.below(60));
            world.article(&name, &format!("Round {round}."));
        }
    }
    killed
}

#[test]
fn shards_killed_at_random_times_go_back_whole_and_go_on_whole() {
    let mut dice = Dice(28_802);
    let mut killed = 0;
    for round in 0..6 {
        let world = corpus();
        let before = world.server.dump();
        killed += disturbed(&world, &mut dice);
        if round % 2 == 0 {
            for index in ["0/3", "1/3", "2/3"] {
                shard(&world, index).exits(3);
            }
            world.anp("verify night").exits(0);
            let kept = shard(&world, "0/3").counts()["kept"].as_u64().unwrap();
            assert!(kept > 0);
        }
        let ran = world.anp("rollback night");
        assert!([0, 2, 3].contains(&ran.code), "{ran}");
        assert_eq!(world.keys(), before, "round {round}: {ran}");
    }
    println!("{killed} shards killed");
}
