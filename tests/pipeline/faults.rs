//! A network and a server that fail while a run is under way. Each fault is a real one, and
//! each write has exactly one effect: nothing is counted twice, and no write of ours is taken
//! for somebody else's.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Read};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::cases::cases;
use crate::support::proxy::{Fault, Trouble};
use crate::support::{Ran, Server, World};

/// A world in which an import creates, updates, refreshes and removes, under keys of ours and
/// of others, with and without an expiry.
fn mixed() -> World {
    let world = World::new();
    for name in ["same", "changed", "gone", "foreign", "for-ever", "list"] {
        world.article(&format!("a/{name}.md"), "Version 1.");
    }
    world.anp("import --ttl 1h --quiet").exits(0);
    world
        .article("a/changed.md", "Version 2.")
        .article("a/new.md", "Version 1.")
        .article("a/newer.md", "Version 1.");
    std::fs::remove_file(world.path("content/a/gone.md")).unwrap();
    for line in [
        "SET anp:page:/a/foreign/ theirs PXAT 4000000000123",
        "SET anp:meta:/a/for-ever/ theirs",
        "DEL anp:page:/a/list/",
        "RPUSH anp:page:/a/list/ a b",
    ] {
        world.server.command(line);
    }
    world
}

/// What an undisturbed import writes into [`mixed`], in order.
const ACTIONS: [(&str, usize); 4] = [("create", 4), ("update", 8), ("refresh", 2), ("remove", 2)];

fn import(world: &World, url: &str, variables: &[(&str, &str)]) -> Ran {
    let arguments = ["import", "--prune", "--force", "--redis", url];
    world.anp_with(&arguments, variables)
}

fn actions(ran: &Ran) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in ran.of_type("key") {
        let action = line["action"].as_str().unwrap().to_owned();
        *counts.entry(action).or_default() += 1;
    }
    counts
}

/// A run of the tests cuts at one piece in so many.
const CUTS_ONE_IN: usize = 6;

/// Imports with `trouble` on the way, and undoes it with the same trouble.
fn survives(trouble: Trouble) -> usize {
    let world = mixed();
    let before = world.keys();
    let proxy = world.server.proxy(trouble);
    let ran = import(&world, &proxy.url(), &[]);
    let faults = proxy.faults();
    if ran.code == 69 {
        // The first connection of all is not asked for again.
        assert!(faults > 0 && world.keys() == before, "{trouble:?} {ran}");
        return faults;
    }
    assert_eq!(ran.code, 0, "{trouble:?} {ran}");
    let expected: BTreeMap<String, usize> = ACTIONS
        .into_iter()
        .map(|(action, count)| (action.to_owned(), count))
        .collect();
    assert_eq!(actions(&ran), expected, "{trouble:?} {ran}");
    let counts = ran.counts();
    for (name, number) in [
        ("created", 4),
        ("updated", 8),
        ("refreshed", 2),
        ("removed", 2),
    ] {
        assert_eq!(counts[name], number, "{trouble:?} {ran}");
    }
    assert_eq!(counts["conflicts"], 0, "{trouble:?} {ran}");
    let direct = world.server.url();
    for command in ["verify", "rollback"] {
        let arguments = [command, "last", "--redis", &direct];
        world.anp_with(&arguments, &[]).exits(0);
    }
    assert!(world.keys() == before, "{trouble:?}: not as before");
    faults
}

#[test]
fn a_connection_cut_at_any_piece_of_an_import_has_exactly_one_effect() {
    for fault in [Fault::NotSent, Fault::ReplyLost, Fault::ReplyTorn] {
        let mut survived = 0;
        let mut pieces = 0;
        for skip in cases(&format!("import {fault:?}"), CUTS_ONE_IN) {
            pieces = skip;
            let times = 1;
            let at = b"";
            if survives(Trouble {
                fault,
                at,
                skip,
                times,
            }) == 0
            {
                break;
            }
            survived += 1;
        }
        assert!(pieces > 10, "{pieces} pieces of {fault:?}");
        println!("{survived} cuts ({fault:?}), 0 differences");
    }
}

#[test]
fn a_connection_cut_at_any_piece_of_a_rollback_has_exactly_one_effect() {
    for fault in [Fault::NotSent, Fault::ReplyLost, Fault::ReplyTorn] {
        for skip in cases(&format!("rollback {fault:?}"), CUTS_ONE_IN) {
            let world = mixed();
            let before = world.keys();
            import(&world, &world.server.url(), &[]).exits(0);
            let (times, at) = (1, b"".as_slice());
            let proxy = world.server.proxy(Trouble {
                fault,
                at,
                skip,
                times,
            });
            let arguments = ["rollback", "last", "--redis", &proxy.url()];
            let ran = world.anp_with(&arguments, &[]);
            if ran.code == 69 {
                assert!(proxy.faults() > 0, "{fault:?} {skip} {ran}");
                continue;
            }
            assert_eq!(ran.code, 0, "{fault:?} {skip} {ran}");
            let summary = &ran.of_type("summary")[0];
            assert_eq!(summary["restored"], 12, "{fault:?} {skip} {ran}");
            assert_eq!(summary["removed"], 4, "{fault:?} {skip} {ran}");
            assert_eq!(summary["kept"], 0, "{fault:?} {skip} {ran}");
            assert!(world.keys() == before, "{fault:?} {skip}: not as before");
            if proxy.faults() == 0 {
                assert!(skip > 10, "{skip} pieces of {fault:?}");
                println!("{skip} cuts ({fault:?}), 0 differences");
                break;
            }
        }
    }
}

#[test]
fn what_was_sent_over_a_lost_connection_never_runs_after_it_was_sent_again() {
    let world = World::new();
    world.article("a.md", "A.");
    let proxy = world
        .server
        .proxy(Trouble::once(Fault::Held, b"$3\r\nSET\r\n"));
    let ran = world.anp_with(
        &["import", "--redis", &proxy.url()],
        &[("ANP_TIMEOUT", "1s")],
    );
    ran.exits(0);
    assert_eq!(proxy.faults(), 1);
    assert_eq!(ran.counts()["created"], 2, "{ran}");
    // If the first sending ran now, it would create the key anew.
    world.server.command("DEL anp:page:/a/");
    proxy.release_and_wait();
    assert_eq!(world.server.get("anp:page:/a/"), None);
}

#[test]
fn what_a_killed_run_had_sent_never_runs_after_its_rollback() {
    let world = World::new();
    world.article("a.md", "A.");
    let proxy = world
        .server
        .proxy(Trouble::once(Fault::Held, b"$3\r\nSET\r\n"));
    let mut child = world
        .command("state", &["import", "--redis", &proxy.url()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    proxy.wait_for_fault();
    child.kill().unwrap();
    child.wait().unwrap();
    let url = world.server.url();
    let ran = world.anp_with(&["rollback", "last", "--redis", &url], &[]);
    ran.exits(0);
    proxy.release_and_wait();
    assert!(world.server.dump().is_empty(), "{ran}");
}

#[test]
fn bytes_that_a_paused_server_holds_have_no_effect_after_the_rollback() {
    let world = World::new();
    world.article("a.md", "A.");
    let mut connection = world.server.connection();
    let pause = |connection: &mut redis::Connection, ms: u64| {
        redis::cmd("CLIENT")
            .arg("PAUSE")
            .arg(ms)
            .arg("WRITE")
            .query::<()>(connection)
            .unwrap();
    };
    // Held from its first write command on, the lease.
    pause(&mut connection, 60_000);
    let (mut child, _) = world.spawn(&["import"]);
    std::thread::sleep(Duration::from_millis(500));
    child.kill().unwrap();
    child.wait().unwrap();
    redis::cmd("CLIENT")
        .arg("UNPAUSE")
        .query::<()>(&mut connection)
        .unwrap();
    world.anp("import").exits(0);
    // The same in the middle of its writes.
    world.server.command("FLUSHALL");
    let before = world.keys();
    let (mut child, mut stdout) = world.import_under_way(&[]);
    pause(&mut connection, 60_000);
    let reader = std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
    std::thread::sleep(Duration::from_millis(500));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap().unwrap();
    redis::cmd("CLIENT")
        .arg("UNPAUSE")
        .query::<()>(&mut connection)
        .unwrap();
    let ran = world.anp("rollback last");
    ran.exits(0);
    std::thread::sleep(Duration::from_millis(200));
    assert!(world.keys() == before, "{ran}");
}

/// An import that has written its first batches and waits for somebody
/// to read its stdout; then `fault`; then its end.
fn disturbed(
    mut world: World,
    arguments: &[&str],
    fault: impl FnOnce(&mut World),
) -> (World, i32, String, String) {
    let (child, stdout) = world.import_under_way(arguments);
    fault(&mut world);
    let (code, rest, errors) = ended(child, stdout);
    (world, code, rest, errors)
}

fn ended(child: Child, stdout: impl Read) -> (i32, String, String) {
    let ran = Ran::ended(child, stdout);
    (ran.code, ran.stdout, ran.stderr)
}

fn after(time: Duration, server: &Server, lines: &'static [&'static str]) {
    let url = server.url();
    std::thread::spawn(move || {
        std::thread::sleep(time);
        let client = redis::Client::open(url).unwrap();
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            let mut connection = client.get_connection().unwrap();
            let _ = redis::cmd(words[0])
                .arg(&words[1..])
                .query::<redis::Value>(&mut connection);
        }
    });
}

fn is_complete(world: &World, code: i32, rest: &str, errors: &str) {
    assert_eq!(code, 0, "{errors}");
    assert!(rest.contains(r#""created":6000,"#), "{errors}");
    assert!(rest.contains(r#""conflicts":0,"#), "{errors}");
    world.anp("verify last").exits(0);
}

#[test]
fn a_run_goes_on_with_a_server_that_was_started_again() {
    let durable = ["--appendonly", "yes", "--appendfsync", "always"];
    let server = Server::start_with(&durable);
    let (world, code, rest, errors) = disturbed(World::with_server(server), &[], |world| {
        world.server.kill();
        world.server.restart();
    });
    is_complete(&world, code, &rest, &errors);
    world.anp("rollback last").exits(0);
    assert!(world.keys().is_empty());
}

#[test]
fn a_server_that_lost_the_lock_at_its_start_is_not_written_to() {
    let (world, code, rest, errors) = disturbed(World::new(), &[], |world| {
        world.server.kill();
        world.server.restart();
    });
    assert_eq!(code, 75, "{errors}");
    assert!(
        errors.contains("the lease ran out or was deleted"),
        "{errors}"
    );
    assert!(rest.contains(r#""status":"stopped""#));
    assert!(world.server.dump().is_empty());
    // What it wrote is gone with the server's memory: kept absent and named.
    world.anp("rollback last").exits(0);
}

#[test]
fn a_server_that_came_back_with_an_older_state_is_noticed() {
    let mut world = World::new();
    let (child, mut stdout) = world.import_under_way(&[]);
    let count = |world: &World| match world.server.command("DBSIZE") {
        redis::Value::Int(count) => count,
        other => panic!("{other:?}"),
    };
    // The snapshot holds the lock of the run, and only a part of what it wrote.
    world.server.command("SAVE");
    let saved = count(&world);
    let mut line = String::new();
    // More than is under way at one time: some of it was acknowledged.
    while count(&world) < saved + 1200 {
        assert!(stdout.read_line(&mut line).unwrap() > 0);
    }
    world.server.kill();
    world.server.restart();
    let (code, rest, errors) = ended(child, stdout);
    assert_eq!(code, 75, "{errors}");
    assert!(
        errors.contains("error: the server was started again or replaced in mid-run, and "),
        "{errors}"
    );
    assert!(errors.contains("of the keys that the run wrote are not as it wrote them\n"));
    assert!(rest.contains(r#""status":"stopped""#), "{rest}");
    world.anp("rollback last").exits(0);
    assert!(world.keys().is_empty(), "{errors}");
}

#[test]
fn a_server_that_lost_writes_without_closing_a_connection_is_noticed() {
    let server = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        drop(listener);
        let arguments = [
            "--bind",
            "127.0.0.1",
            "--repl-diskless-sync-delay",
            "0",
            "--port",
        ];
        (
            Server::start_with(&[&arguments[..], &[&port]].concat()),
            port,
        )
    };
    let follow = |server: &Server, port: &str| {
        server.command(&format!("REPLICAOF 127.0.0.1 {port}"));
        let is_in_sync = || match server.command("INFO replication") {
            redis::Value::BulkString(text) => {
                String::from_utf8_lossy(&text).contains("master_link_status:up")
            }
            other => panic!("{other:?}"),
        };
        while !is_in_sync() {
            std::thread::sleep(Duration::from_millis(20));
        }
        server.command("REPLICAOF NO ONE");
    };
    let ((server, port), (stale, stale_port)) = (server(), server());
    let world = World::with_server(server);
    let (child, mut stdout) = world.import_under_way(&[]);
    let count = |server: &Server| match server.command("DBSIZE") {
        redis::Value::Int(count) => count,
        other => panic!("{other:?}"),
    };
    // Holds the lock of the run, and a part of what it wrote.
    follow(&stale, &port);
    let mut line = String::new();
    while count(&world.server) < count(&stale) + 1200 {
        assert!(stdout.read_line(&mut line).unwrap() > 0);
    }
    follow(&world.server, &stale_port);
    let (code, rest, errors) = ended(child, stdout);
    assert_eq!(code, 75, "{errors}");
    assert!(errors.contains("of the keys that the run wrote are not as it wrote them\n"));
    assert!(rest.contains(r#""status":"stopped""#), "{rest}");
    world.anp("rollback last").exits(0);
    assert!(world.keys().is_empty(), "{errors}");
}

#[test]
fn a_server_that_dies_after_the_last_write_is_not_taken_for_one_that_keeps_it() {
    let mut world = World::new();
    world.article("a.md", "A.");
    // The first question is asked when the run begins.
    let trouble = Trouble {
        skip: 1,
        ..Trouble::once(Fault::Held, b"\r\nreplication\r\n")
    };
    let proxy = world.server.proxy(trouble);
    let url = proxy.url();
    let (child, stdout) = world.spawn(&["import", "--redis", &url, "--deadline", "1s"]);
    proxy.wait_for_fault();
    assert_eq!(world.keys().len(), 2);
    world.server.kill();
    proxy.release();
    let (code, rest, errors) = ended(child, stdout);
    assert_eq!(code, 75, "{errors}");
    assert!(
        errors.contains("error: everything was written, but then: "),
        "{errors}"
    );
    assert!(rest.contains(r#""status":"stopped""#), "{rest}");
}

#[test]
fn what_was_written_before_its_reply_was_lost_is_not_denied() {
    for (refuse, allow) in [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("ACL SETUSER default -set", "ACL SETUSER default +set"),
    ] {
        let world = World::new();
        world.article("a.md", "A.").article("b.md", "B.");
        let proxy = world
            .server
            .proxy(Trouble::once(Fault::ReplyHeld, b"<!--anp:"));
        let (child, stdout) = world.spawn(&["import", "--redis", &proxy.url()]);
        proxy.wait_for_fault();
        world.server.command(refuse);
        proxy.release();
        let (code, _, errors) = ended(child, stdout);
        assert_eq!(code, 75, "{refuse}: {errors}");
        assert_eq!(world.keys().len(), 2, "{refuse}: {errors}");
        for denied in ["nothing was written", "no key was changed"] {
            assert!(!errors.contains(denied), "{refuse}: {errors}");
        }
        assert!(errors.contains("= rollback: "), "{refuse}: {errors}");
        world.server.command(allow);
        let direct = world.server.url();
        world
            .anp(&format!("rollback last --redis {direct}"))
            .exits(0);
        assert!(world.keys().is_empty());
    }
}

#[test]
fn a_node_that_takes_no_writes_is_looked_up_again() {
    let (world, code, rest, errors) = disturbed(World::new(), &[], |world| {
        world.server.command("REPLICAOF 127.0.0.1 1");
        after(Duration::from_secs(1), &world.server, &["REPLICAOF NO ONE"]);
    });
    is_complete(&world, code, &rest, &errors);
}

#[test]
fn a_node_that_stays_without_writes_stops_the_run_at_the_deadline() {
    let (world, code, _, errors) = disturbed(World::new(), &["--deadline", "1s"], |world| {
        world.server.command("REPLICAOF 127.0.0.1 1");
    });
    assert_eq!(code, 75, "{errors}");
    assert!(errors.contains("READONLY"), "{errors}");
    assert!(errors.contains("= rollback: "), "{errors}");
    // Before the first write it is 69.
    world
        .anp("import --deadline 1s")
        .exits(69)
        .notes("READONLY");
    world.server.command("REPLICAOF NO ONE");
    let run = world.runs()[0].clone();
    world.anp(&format!("rollback {run}")).exits(0);
    assert!(world.keys().is_empty());
}

#[test]
fn a_replica_without_its_master_is_waited_for() {
    let stop = |world: &World| {
        world
            .server
            .command("CONFIG SET replica-serve-stale-data no");
        world.server.command("REPLICAOF 127.0.0.1 1");
    };
    let (world, code, rest, errors) = disturbed(World::new(), &[], |world| {
        stop(world);
        after(Duration::from_secs(1), &world.server, &["REPLICAOF NO ONE"]);
    });
    is_complete(&world, code, &rest, &errors);
    stop(&world);
    world
        .anp("import --deadline 1s")
        .exits(69)
        .notes("MASTERDOWN");
}

#[test]
fn a_server_busy_with_a_script_is_waited_for() {
    let busy = |world: &World| {
        world.server.command("CONFIG SET busy-reply-threshold 10");
        let mut connection = world.server.connection();
        std::thread::spawn(move || {
            let _ = redis::cmd("EVAL")
                .arg("while true do end")
                .arg(0)
                .query::<redis::Value>(&mut connection);
        });
        std::thread::sleep(Duration::from_millis(100));
    };
    let (world, code, rest, errors) = disturbed(World::new(), &[], |world| {
        busy(world);
        after(Duration::from_secs(1), &world.server, &["SCRIPT KILL"]);
    });
    is_complete(&world, code, &rest, &errors);
    busy(&world);
    world.anp("import --deadline 1s").exits(69).notes("BUSY");
    world.server.command("SCRIPT KILL");
}

#[test]
fn a_server_that_loads_its_data_is_waited_for() {
    let mut world = World::with_server(Server::start_with(&[
        "--appendonly",
        "yes",
        "--enable-debug-command",
        "yes",
    ]));
    world.article("a.md", "A.");
    world.server.command("DEBUG POPULATE 20000 other");
    world.server.command("SAVE");
    world.server.command("BGREWRITEAOF");
    std::thread::sleep(Duration::from_millis(500));
    world.server.kill();
    world.server.restart_with(&[
        "--key-load-delay",
        "500",
        "--loading-process-events-interval-bytes",
        "1024",
    ]);
    world.anp("import --deadline 1s").exits(69).notes("LOADING");
    world.anp("import --deadline 60s").exits(0);
}

#[test]
fn a_server_that_refuses_writes_stops_the_run_at_the_first() {
    for (word, refuse, allow) in [
        (
            "NOREPLICAS",
            "CONFIG SET min-replicas-to-write 1",
            "CONFIG SET min-replicas-to-write 0",
        ),
        ("MISCONF", "BGSAVE", "CONFIG SET save "),
    ] {
        let (world, code, rest, errors) = disturbed(World::new(), &[], |world| {
            if word == "MISCONF" {
                // It cannot rename its dump over a folder.
                std::fs::create_dir(world.server.folder().join("dump.rdb")).unwrap();
                std::fs::write(world.server.folder().join("dump.rdb/x"), "").unwrap();
                world.server.run(&["CONFIG", "SET", "save", "3600 1"]);
            }
            world.server.command(refuse);
            std::thread::sleep(Duration::from_millis(500));
        });
        assert_eq!(code, 75, "{word}: {errors}");
        assert!(errors.contains(word), "{errors}");
        assert!(errors.contains("= rollback: "), "{errors}");
        assert!(rest.contains(r#""status":"stopped""#), "{rest}");
        let words: Vec<&str> = allow.split(' ').collect();
        world.server.run(&words);
        world.anp("rollback last").exits(0);
        assert!(world.keys().is_empty(), "{word}");
    }
}

#[test]
fn a_server_that_hangs_is_given_up_whatever_is_still_to_come_from_it() {
    let arguments = ["--deadline", "2s", "--config", "hang.yaml"];
    let world = World::new();
    world.write("hang.yaml", "timeout: 1s\n");
    let (world, code, _, errors) = disturbed(world, &arguments, |world| {
        world.server.signal("STOP");
    });
    // More than a thousand replies were still to come: to wait a second for each would take a
    // quarter of an hour, after which the runner ends a test.
    assert_eq!(code, 75, "{errors}");
    assert!(errors.contains("no answer within the time-out"), "{errors}");
    world.server.signal("CONT");
    world.anp("rollback last").exits(0);
    assert!(world.keys().is_empty());
}
