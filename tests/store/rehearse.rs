//! A rehearsal does what an import does, under a prefix of its own, and leaves nothing.

use std::process::{Child, Stdio};

use crate::support::proxy::{Fault, Proxy, Trouble};
use crate::support::{Ran, Server, World, signal};

fn world() -> World {
    world_with(Server::start())
}

fn world_with(server: Server) -> World {
    let world = World::with_server(server);
    for number in 0..20 {
        world.article(&format!("a/n{number}.md"), "Text.");
    }
    world.anp("import --quiet").exits(0);
    world
}

fn leaves_nothing(world: &World) {
    let manifests = std::fs::read_dir(world.path("state/rehearsal/runs")).unwrap();
    assert_eq!(manifests.count(), 0, "manifests of the rehearsal");
}

#[test]
fn it_imports_verifies_rolls_back_and_compares_beside_the_real_keys() {
    let world = world();
    let before = world.server.dump();
    let runs = world.runs();
    let ran = world.anp("rehearse");
    ran.exits(0)
        .says("prefix anp:rehearsal:")
        .says(" instead of anp\n")
        .says("s  40 keys written, ")
        .says("s  40 keys as written, 0 different\n")
        .says("s  40 keys taken back, 0 kept\n")
        .says("s  40 keys as before, 0 different\nall is as before\n");
    assert!(world.server.dump() == before, "{ran}");
    assert_eq!(world.runs(), runs, "'last' is still the real run");
    leaves_nothing(&world);
}

#[test]
fn its_machine_output_names_each_step() {
    let world = world();
    let ran = world.anp("rehearse --format json --sample 5");
    let steps = ran.exits(0).of_type("step");
    let names: Vec<_> = steps
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["import", "verify", "rollback", "compare"]);
    assert!(
        steps[0]["result"]
            .as_str()
            .unwrap()
            .starts_with("10 keys written"),
        "{ran}"
    );
    assert!(steps.iter().all(|step| step["seconds"].is_f64()));
    assert_eq!(ran.of_type("summary")[0]["as_before"], true);
}

#[test]
fn it_runs_on_the_embedded_store_too() {
    let world = World::new();
    world.article("a.md", "A.");
    let ran = world.anp_with(&["rehearse", "--redis", "embedded"], &[]);
    ran.exits(0).says("all is as before");
    let ran = world.anp_with(&["rehearse", "--redis", "embedded"], &[]);
    ran.exits(0).says("all is as before");
}

#[test]
fn what_a_real_import_would_refuse_it_refuses() {
    let world = world();
    world.anp("rehearse nowhere").exits(65);
    world.write(
        "content/bad.md",
        "---\ntitle: A\nscore: {quality: 140}\n---\n",
    );
    world
        .anp("rehearse --max-invalid 0")
        .exits(65)
        .notes("error[score.quality]");
    world
        .anp("rehearse --max-invalid 5")
        .exits(3)
        .says("1 article invalid")
        .says("all is as before");
    leaves_nothing(&world);
    world.anp("rehearse --sample 0").exits(2);
}

#[test]
fn it_refuses_to_make_the_server_evict() {
    let world = world();
    let before = world.server.dump();
    world
        .server
        .command("CONFIG SET maxmemory-policy allkeys-lru");
    let used = world.server.used_memory();
    let limit = (used + 200_000).to_string();
    world.server.run(&["CONFIG", "SET", "maxmemory", &limit]);
    let ran = world.anp("rehearse");
    ran.exits(65)
        .notes("error: the rehearsal needs ")
        .notes(" KiB, and the server has ")
        .notes(": it would evict other keys (allkeys-lru)\n")
        .notes("= help: --sample N rehearses on N articles\n");
    assert!(world.server.dump() == before, "{ran}");
    // Nearly enough for all of them, whatever this server takes for a connection.
    let needed = ran.stderr.split_once("needs ").unwrap().1;
    let needed: u64 = needed.split_once(" KiB").unwrap().0.parse().unwrap();
    let limit = (world.server.used_memory() + needed * 900).to_string();
    world.server.run(&["CONFIG", "SET", "maxmemory", &limit]);
    world.anp("rehearse --sample 2").exits(0);
    assert!(world.server.dump() == before);
}

#[test]
fn an_import_that_a_server_without_eviction_has_no_memory_for_is_refused_before_it_writes() {
    let world = world();
    let before = world.server.dump();
    for number in 20..60 {
        world.article(&format!("a/n{number}.md"), "Text.");
    }
    let used = world.server.used_memory();
    let limit = (used + 150_000).to_string();
    world.server.run(&["CONFIG", "SET", "maxmemory", &limit]);
    for line in ["import", "import --dry-run"] {
        let ran = world.anp(line);
        ran.exits(65)
            .notes(": it would run out of memory (noeviction)\n");
        assert!(world.server.dump() == before, "{ran}");
    }
    // Whoever insists may find out, and a cache that evicts makes room as it always does.
    world
        .anp("import --dry-run --force")
        .exits(0)
        .notes("warning: this run needs ")
        .notes(" KiB, and the server has ")
        .notes(": it would run out of memory (noeviction)\n");
    world
        .server
        .command("CONFIG SET maxmemory-policy allkeys-lru");
    world
        .anp("import --dry-run")
        .exits(0)
        .notes(": it would evict other keys (allkeys-lru)\n");
}

/// A rehearsal whose metas are withheld, so that it waits.
fn stuck(world: &World) -> (Child, Proxy) {
    stuck_at(world, "1s", Trouble::once(Fault::Held, b"{\"digest\":\""))
}

/// A rehearsal that has written everything, and waits to begin with its rollback.
fn written(world: &World, timeout: &str) -> (Child, Proxy) {
    let trouble = Trouble {
        // The import names its two connections first.
        skip: 2,
        ..Trouble::once(Fault::Held, b"SETNAME")
    };
    stuck_at(world, timeout, trouble)
}

fn stuck_at(world: &World, timeout: &str, trouble: Trouble) -> (Child, Proxy) {
    let proxy = world.server.proxy(trouble);
    let child = world
        .command("state", &["rehearse", "--redis", &proxy.url()])
        .env("ANP_TIMEOUT", timeout)
        .env("ANP_DEADLINE", "1s")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    proxy.wait_for_fault();
    (child, proxy)
}

#[test]
fn the_next_rehearsal_takes_back_what_a_killed_one_left() {
    let world = world();
    let before = world.server.dump();
    let (mut child, _proxy) = stuck(&world);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(world.server.dump().len() > before.len(), "it had written");
    let ran = world.anp("rehearse");
    ran.exits(0)
        .notes("note: rolled back 20 keys that an earlier rehearsal had left behind\n")
        .says("all is as before");
    assert!(world.server.dump() == before, "{ran}");
    leaves_nothing(&world);
}

#[test]
fn a_rehearsal_that_is_stopped_takes_back_what_it_had_written() {
    let world = world();
    let before = world.server.dump();
    let (child, _proxy) = stuck(&world);
    world.server.command("CONFIG SET maxmemory 1");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(75), "{said}");
    assert!(said.contains("OOM"), "{said}");
    assert!(
        said.contains("= rehearsal: the 20 keys it had written are taken back\n"),
        "{said}"
    );
    assert!(!said.contains("= rollback"), "{said}");
    assert!(world.server.dump() == before, "{said}");
    leaves_nothing(&world);
}

#[test]
fn a_second_rehearsal_with_the_same_state_folder_waits_its_turn() {
    let world = world();
    let before = world.server.dump();
    let (child, proxy) = written(&world, "60s");
    let ran = world.anp("rehearse");
    ran.exits(11)
        .notes("error: another anp process is writing with the state folder ")
        .notes(&format!("pid {}, ", child.id()));
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.ends_with("all is as before\n"), "{said}");
    assert!(world.server.dump() == before, "{said}");
    leaves_nothing(&world);
}

#[test]
fn rehearsals_of_two_state_folders_do_not_see_each_other() {
    let world = world();
    let before = world.server.dump();
    let (child, proxy) = written(&world, "60s");
    let ran = Ran::of(&mut world.command("other", &["rehearse"]));
    ran.exits(0)
        .says("s  40 keys written, ")
        .says("all is as before\n");
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.ends_with("all is as before\n"), "{said}");
    assert!(world.server.dump() == before, "{said}");
}

#[test]
fn a_signal_after_the_import_does_not_keep_it_from_taking_back_what_it_wrote() {
    let world = world();
    let before = world.server.dump();
    let (child, proxy) = written(&world, "60s");
    signal(&child, "INT");
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    // By its rollback, or once that had been interrupted.
    assert!(said.contains("= rehearsal: "), "{said}");
    assert!(said.contains(" it had written "), "{said}");
    assert!(said.contains(" taken back\n"), "{said}");
    assert!(world.server.dump() == before, "{said}");
    leaves_nothing(&world);
}

#[test]
fn what_cannot_be_taken_back_is_said_with_its_way_back() {
    let durable = ["--appendonly", "yes", "--appendfsync", "always"];
    let mut world = world_with(Server::start_with(&durable));
    let (child, proxy) = written(&world, "1s");
    world.server.kill();
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(75), "{said}");
    assert!(!said.contains("nothing was written"), "{said}");
    assert!(
        said.contains("= rehearsal: what it had written may still be there: "),
        "{said}"
    );
    let rollback = said.split("= rollback: ").nth(1).unwrap();
    let rollback = rollback.lines().next().unwrap();
    world.server.restart();
    let direct = rollback.split(" --redis ").next().unwrap().to_owned();
    let direct = format!("{direct} --redis {}", world.server.url());
    world.shell(&direct).exits(0);
    assert!(
        world
            .server
            .dump()
            .keys()
            .all(|key| !key.contains("rehearsal"))
    );
    world.anp("rehearse").exits(0);
    leaves_nothing(&world);
}

#[test]
fn the_lines_it_prints_mean_the_real_store() {
    let world = World::new();
    world.article("a.md", "A.");
    let embedded = ["--redis", "embedded"];
    let with = |words: &[&str]| world.anp_with(&[words, &embedded].concat(), &[]);
    with(&["pause", "--reason", "swap"]).exits(0);
    let ran = with(&["rehearse"]);
    let resume = ran.exits(12).stderr.split("= resume: ").nth(1).unwrap();
    world.shell(resume.trim()).exits(0).says("it was paused by");
    with(&["import", "--quiet"]).exits(0);
}

#[test]
fn an_earlier_rehearsal_that_cannot_be_taken_back_does_not_stand_in_the_way() {
    // Its server is gone.
    let mut world = world();
    let (mut child, _proxy) = stuck(&world);
    child.kill().unwrap();
    child.wait().unwrap();
    let other = Server::start();
    world.server.kill();
    let ran = world.anp(&format!("rehearse --redis {}", other.url()));
    ran.exits(0)
        .notes("warning: cannot take back what the earlier rehearsal 20")
        .notes(" left: connecting to redis+unix://")
        .notes(".jsonl.zst may be removed then\n")
        .says("all is as before\n");
    assert!(other.dump().is_empty(), "{ran}");
    let manifests = std::fs::read_dir(world.path("state/rehearsal/runs")).unwrap();
    assert_eq!(manifests.count(), 1, "the one that is not taken back yet");
    world.server.restart();
    world.anp("rehearse").exits(0);
    leaves_nothing(&world);
}

#[test]
fn what_somebody_wrote_under_an_earlier_scratch_prefix_is_named_and_left() {
    let world = world();
    let (mut child, _proxy) = stuck(&world);
    child.kill().unwrap();
    child.wait().unwrap();
    let dump = world.server.dump();
    let key = dump
        .keys()
        .find(|key| key.contains(":rehearsal:") && key.contains(":page:"));
    world.server.run(&["SET", key.unwrap(), "mine"]);
    let ran = world.anp("rehearse");
    ran.exits(0)
        .notes("left: 1 of its keys were changed by somebody;")
        .says("all is as before\n");
    assert_eq!(world.server.get(key.unwrap()).as_deref(), Some("mine"));
}

#[test]
fn a_rehearsal_whose_replies_were_lost_does_not_deny_what_it_wrote() {
    let world = world();
    let trouble = Trouble::once(Fault::ReplyHeld, b"<!--anp:");
    let (child, proxy) = stuck_at(&world, "60s", trouble);
    world
        .server
        .command("ACL SETUSER default -set -unlink -del");
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(75), "{said}");
    assert!(!said.contains("nothing was written"), "{said}");
    assert!(said.contains("= rollback: "), "{said}");
    world.server.command("ACL SETUSER default +@all");
    let direct = world.server.url();
    let ran = world.anp(&format!("rehearse --redis {direct}"));
    ran.exits(0);
}
