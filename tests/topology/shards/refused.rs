//! Who is kept out while a shard is under way, and what is no shard.

use std::process::{Child, Stdio};

use super::{corpus, shard};
use crate::support::proxy::{Fault, Proxy, Trouble};
use crate::support::{Ran, World, signal};

const SHARD: [&str; 4] = ["--shard", "0/2", "--run-id", "night"];

/// A shard of the run `night` in the middle of its writes; it ends once its stdout is read.
fn under_way(world: &World) -> (Child, std::io::BufReader<std::process::ChildStdout>) {
    world.import_under_way(&SHARD)
}

fn ends(mut child: Child, mut stdout: impl std::io::Read) {
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
}

fn elsewhere(world: &World, line: &str) -> Ran {
    let words: Vec<&str> = line.split(' ').collect();
    Ran::of(&mut world.command("elsewhere", &words))
}

#[test]
fn whatever_is_no_shard_of_the_run_waits_for_all_of_them() {
    let world = World::new();
    let (child, stdout) = under_way(&world);
    // In the same state folder, its lock decides.
    for line in ["import", "rollback night", "import --shard 1/2", "warm"] {
        world
            .anp(line)
            .exits(11)
            .notes("error: another anp process is writing with the state folder")
            .notes("run night: owner");
    }
    // In another one, or between two runs in shards, it is the one in the store.
    for line in [
        "import",
        "import --shard 1/2",
        "import --shard 1/2 --run-id other",
    ] {
        elsewhere(&world, line)
            .exits(11)
            .notes("error: run night holds the lock (of its 2 shards: 0): owner ")
            .notes("unlock night");
    }
    world
        .anp("import --shard 1/2 --run-id other")
        .exits(11)
        .notes("error: run night holds the lock (of its 2 shards: 0): owner ");
    for state in ["state", "elsewhere"] {
        let words = ["import", "--shard", "1/3", "--run-id", "night"];
        Ran::of(&mut world.command(state, &words))
            .exits(11)
            .notes("error: this is shard 1/3, and run night holds the lock (of its 2 shards: 0)");
        let words = [
            "import", "--shard", "1/2", "--run-id", "night", "--ttl", "1d",
        ];
        Ran::of(&mut world.command(state, &words))
            .exits(78)
            .notes("error: run night was begun by a shard with other settings or options");
    }
    world
        .anp("import --shard 0/2 --run-id night")
        .exits(11)
        .notes("another anp process is writing with the state folder");
    elsewhere(&world, "import --shard 0/2 --run-id night")
        .exits(11)
        .notes("error: shard 0/2 of run night is under way: host ");
    // The lock says whose it is: the run, into how many it is divided, and who does which part.
    let lock = world.server.get("anp:lock").unwrap();
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    assert_eq!(
        (&lock["run"], &lock["shards"]),
        (&"night".into(), &2.into()),
        "{lock}"
    );
    let part = &lock["shard"]["0"];
    assert_eq!(part["pid"], child.id(), "{lock}");
    assert_eq!(part["token"].as_str().unwrap().len(), 16, "{lock}");
    assert_eq!(lock["token"], serde_json::Value::Null, "{lock}");
    let left = part["until"].as_i64().unwrap() - world.server.expiry("anp:lock");
    assert!(
        left.abs() < 10,
        "the key lives as long as its last part: {lock}"
    );
    // The other shard is welcome, and goes without the lock of the first.
    world
        .anp("import --shard 1/2 --run-id night --quiet")
        .exits(0);
    assert!(world.server.expiry("anp:lock") > 0);
    world.anp("import").exits(11);
    ends(child, stdout);
    assert_eq!(
        world.server.expiry("anp:lock"),
        -2,
        "given back by the last one"
    );
    assert_eq!(world.server.dump().len(), 6000);
    world.anp("verify night").exits(0);
}

#[test]
fn a_shard_waits_for_a_whole_run() {
    let world = World::new();
    let (child, stdout) = world.import_under_way(&[]);
    let shard = "import --shard 1/2 --run-id night";
    world
        .anp(shard)
        .exits(11)
        .notes("error: another anp process is writing with the state folder");
    elsewhere(&world, shard)
        .exits(11)
        .notes("holds the lock: owner ");
    ends(child, stdout);
    world.anp(shard).exits(0);
    // One that died in the same folder is followed at once.
    world.anp("purge --all --yes").exits(0);
    let (mut child, _stdout) = world.import_under_way(&[]);
    child.kill().unwrap();
    child.wait().unwrap();
    elsewhere(&world, "import --shard 0/2 --run-id other").exits(11);
    world.anp("import --shard 0/2 --run-id other").exits(0);
}

#[test]
fn a_run_that_ended_is_divided_as_it_was() {
    let world = corpus();
    shard(&world, "0/2").exits(3);
    shard(&world, "1/3")
        .exits(78)
        .notes("error: run night is divided into 2 shards, and this is shard 1/3\n");
    let words = [&super::words("1/2")[..], &["--ttl", "1d"]].concat();
    world
        .anp_with(&words, &[])
        .exits(78)
        .notes("other settings or options");
    let warm = [
        "warm",
        "--max-invalid",
        "10%",
        "--shard",
        "1/2",
        "--run-id",
        "night",
    ];
    world
        .anp_with(&warm, &[])
        .exits(78)
        .notes("other settings or options");
    assert_eq!(
        world.server.expiry("anp:lock"),
        -2,
        "each gave the lock back"
    );
    shard(&world, "1/2").exits(3);
}

#[test]
fn a_dead_shard_is_followed_at_once_in_its_folder() {
    let world = World::new();
    let (mut child, _stdout) = under_way(&world);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(world.server.expiry("anp:lock") > 0, "the lease stands");
    // For another folder it may live.
    elsewhere(&world, "import --shard 0/2 --run-id night").exits(11);
    world
        .anp("import --shard 0/2 --run-id night --quiet")
        .exits(0);
    world
        .anp("import --shard 1/2 --run-id night --quiet")
        .exits(0);
    assert_eq!(world.server.dump().len(), 6000);
}

#[test]
fn a_whole_run_follows_shards_that_died_in_its_folder_at_once() {
    let world = World::new();
    let (mut child, _stdout) = under_way(&world);
    child.kill().unwrap();
    child.wait().unwrap();
    elsewhere(&world, "import").exits(11);
    world.anp("rollback last").exits(0);
    assert!(world.server.dump().is_empty());
}

#[test]
fn shards_of_another_run_follow_shards_that_died_in_their_folder_at_once() {
    let world = World::new();
    let (mut child, stdout) = under_way(&world);
    let other = "import --quiet --shard 1/3 --run-id other";
    // While it lives, and from another folder, it is waited for.
    world.anp(other).exits(11).notes("run night holds the lock");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stdout);
    assert!(world.server.expiry("anp:lock") > 0, "the lease stands");
    elsewhere(&world, other).exits(11);
    world.anp(other).exits(0);
    // So it is where the number of the shard is the same.
    let (mut child, _stdout) = world.import_under_way(&["--shard", "0/3", "--run-id", "other"]);
    child.kill().unwrap();
    child.wait().unwrap();
    world
        .anp("import --quiet --shard 0/3 --run-id third")
        .exits(0);
    assert_eq!(world.server.expiry("anp:lock"), -2);
}

#[test]
fn shards_that_begin_at_once_follow_as_many_dead_ones_at_once() {
    let world = World::new();
    for round in 0..3 {
        let run = format!("dead{round}");
        let begun = ["0/2", "1/2"].map(|shard| {
            // Not the time to live of the others, so that every round has all keys to write.
            world.import_under_way(&["--shard", shard, "--run-id", &run, "--ttl", "3d"])
        });
        for (mut child, _stdout) in begun {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let next = format!("next{round}");
        let children = ["0/2", "1/2"].map(|shard| {
            let words = ["import", "--quiet", "--shard", shard, "--run-id", &next];
            let mut command = world.command("state", &words);
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            command.spawn().unwrap()
        });
        for child in children {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{said}");
        }
    }
}

#[test]
fn shards_of_another_run_wait_for_one_that_lives_beside_the_dead() {
    let world = World::new();
    let (mut child, _stdout) = under_way(&world);
    let (second, second_stdout) = world.import_under_way(&["--shard", "1/2", "--run-id", "night"]);
    child.kill().unwrap();
    child.wait().unwrap();
    world
        .anp("import --shard 0/2 --run-id other")
        .exits(11)
        .notes("run night holds the lock");
    ends(second, second_stdout);
    world
        .anp("import --quiet --shard 0/2 --run-id other")
        .exits(0);
}

/// A shard with the state folder `holder`, withheld when it has sent some pages.
fn stuck(world: &World) -> (Child, Proxy) {
    for number in 0..700 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let proxy = world
        .server
        .proxy(Trouble::once(Fault::Held, b"{\"digest\":\""));
    let url = proxy.url();
    let words = [&["import", "--redis", &url], &SHARD[..]].concat();
    let mut command = world.command("holder", &words);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    proxy.wait_for_fault();
    (child, proxy)
}

#[test]
fn a_shard_thought_dead_writes_nothing_once_another_process_does_it() {
    let world = World::new();
    let (child, proxy) = stuck(&world);
    signal(&child, "STOP");
    // As if half a minute had passed.
    world.server.command("PEXPIRE anp:lock 1");
    std::thread::sleep(std::time::Duration::from_millis(20));
    world.article("n0.md", "Written by the second process.");
    let url = proxy.url();
    let words = [&["import", "--redis", &url], &SHARD[..]].concat();
    let sibling = [
        "import", "--redis", &url, "--shard", "1/2", "--run-id", "night",
    ];
    // Its sibling leaves it alone, whoever follows it does not.
    Ran::of(&mut world.command("second", &sibling)).exits(0);
    Ran::of(&mut world.command("second", &words)).exits(0);
    let after = world.server.dump();
    signal(&child, "CONT");
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(75), "{said}");
    assert!(world.server.dump() == after, "{said}");
}

#[test]
fn promise_6_a_folder_with_the_host_name_and_path_of_a_living_shard_does_not_take_its_lock() {
    let world = World::new();
    let (child, proxy) = stuck(&world);
    world.shell("mv holder moved; mkdir -m 700 holder").exits(0);
    // The same shard, a shard of another run, and a whole run.
    for line in [
        "import --shard 0/2 --run-id night",
        "import --shard 0/2 --run-id other",
        "import",
    ] {
        // The digest of the settings holds the address: the same one for all shards.
        let mut command = world.command("holder", &[]);
        command.env("ANP_REDIS_URL", proxy.url());
        Ran::of(command.args(line.split(' '))).exits(11);
    }
    world.shell("rm -r holder; mv moved holder").exits(0);
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        output.status.code(),
        Some(0),
        "the living shard ends: {said}"
    );
}

#[test]
fn unlock_breaks_the_lock_of_all_shards() {
    let world = World::new();
    let (child, stdout) = under_way(&world);
    let (second, second_stdout) = world.import_under_way(&["--shard", "1/2", "--run-id", "night"]);
    world
        .anp("unlock other")
        .exits(11)
        .notes("run night holds the lock");
    let ran = world.anp("unlock night --format text");
    ran.exits(0).says("broke the lock of run night: owner ");
    for (index, pid) in [(0, child.id()), (1, second.id())] {
        let host = crate::support::this_host();
        ran.says(&format!(
            "\n  shard {index}: host {host}, pid {pid}, state "
        ))
        .notes(&format!(
            "warning: process {pid} (shard {index}) lives on this host"
        ));
    }
    drop((stdout, second_stdout));
    for child in [child, second] {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(75), "{said}");
    }
    world.anp("rollback night").exits(0);
    assert!(world.server.dump().is_empty());
}

#[test]
fn a_lock_that_was_evicted_is_taken_again_by_every_shard() {
    let world = World::new();
    let (child, stdout) = under_way(&world);
    world.server.command("DEL anp:lock");
    world
        .anp("import --shard 1/2 --run-id night --quiet")
        .exits(0);
    ends(child, stdout);
    assert_eq!(world.server.dump().len(), 6000);
}

#[test]
fn what_is_no_shard_is_refused_before_anything_is_done() {
    let world = corpus();
    for text in [
        "", "4/4", "0/0", "-1/4", "1", "1/", "/4", "a/b", "0/4097", "01/4", "1/2/3", "0.5/4",
    ] {
        let flag = format!("--shard={text}");
        world
            .anp_with(&["import", &flag], &[])
            .exits(2)
            .notes("--shard: expected I/N");
    }
    for text in [
        "",
        ".night",
        "-night",
        "..",
        "a/b",
        "a b",
        "last",
        "ä",
        "20261124T054515.123Z-57c7",
    ] {
        let flag = format!("--run-id={text}");
        world
            .anp_with(&["import", "--shard", "0/2", &flag], &[])
            .exits(2)
            .notes("--run-id: expected 1 to 64 of");
    }
    let lines = [
        (
            "--run-id night",
            "--run-id names the run that several shards do together",
        ),
        (
            "--shard 0/2 --run-id night --redis embedded",
            "embedded store ends with the shard",
        ),
    ];
    for (options, said) in lines {
        let code = if options.contains("embedded") { 78 } else { 2 };
        world
            .anp(&format!("import {options}"))
            .exits(code)
            .notes(said);
        world
            .anp(&format!("warm {options}"))
            .exits(code)
            .notes(said);
    }
    let with = |variables: &[(&str, &str)], code: i32, said: &str| {
        world
            .anp_with(&["import"], variables)
            .exits(code)
            .notes(said);
    };
    let (index, shards) = ("JOB_COMPLETION_INDEX", "ANP_SHARDS");
    with(
        &[(index, "0")],
        2,
        "JOB_COMPLETION_INDEX is set, and ANP_SHARDS is not",
    );
    with(
        &[(shards, "4")],
        2,
        "ANP_SHARDS is set, and JOB_COMPLETION_INDEX is not",
    );
    with(&[("ANP_RUN_ID", "night")], 2, "ANP_RUN_ID names the run");
    with(
        &[(index, "4"), (shards, "4")],
        78,
        "JOB_COMPLETION_INDEX: expected a whole number from 0 to 3",
    );
    with(
        &[(index, "0"), (shards, "many")],
        78,
        "ANP_SHARDS: expected a whole number from 1 to 4096",
    );
    with(
        &[(index, "0"), (shards, "4"), ("ANP_RUN_ID", "a/b")],
        78,
        "ANP_RUN_ID: expected 1 to 64 of",
    );
    assert!(!world.path("state").exists());
    // A dry run of a shard foresees its share, and writes nothing.
    let ran =
        world.anp("import --max-invalid 10% --dry-run --shard 0/2 --run-id night --format text");
    ran.exits(3).says("share 0/2: ");
    assert!(!world.path("state").exists());
}
