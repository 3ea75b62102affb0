//! Signals: the first ends a run between two batches, the second at once; both leave a way
//! back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::Read as _;
use std::process::{Child, Stdio};

use support::proxy::{Fault, Trouble};
use support::{World, signal};

fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn a_signal_ends_the_run_after_its_batch_with_130_and_the_way_back() {
    for name in ["INT", "TERM", "HUP"] {
        let world = World::new();
        let (mut child, mut stdout) = world.import_under_way(&[]);
        signal(&child, name);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{name}");
        let said = stderr(&mut child);
        assert!(said.contains("error: interrupted by a signal"), "{said}");
        assert!(said.contains("= rollback: "), "{said}");
        assert!(rest.contains(r#""status":"stopped""#), "{rest}");
        let written = world.server.dump().len();
        assert!(written > 0 && written < 6000, "{written} keys");
        assert_eq!(
            world.server.expiry("anp:lock"),
            -2,
            "the lock was given back"
        );
        world.anp("runs").exits(0).says("stopped");
        world.anp("rollback last").exits(0);
        assert!(world.server.dump().is_empty());
    }
}

#[test]
fn a_second_signal_ends_it_at_once_and_it_is_still_reversible() {
    let world = World::new();
    let (mut child, stdout) = world.import_under_way(&[]);
    signal(&child, "INT");
    // Nobody reads its stdout, so it cannot come to the end of its batch by itself.
    while child.try_wait().unwrap().is_none() {
        signal(&child, "INT");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    drop(stdout);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(world.server.dump().len() > 1);
    // The lease of the dead run names this folder, so it is taken over at once.
    world.anp("rollback last").exits(0);
    assert!(world.server.dump().is_empty());
}

#[test]
fn a_hangup_said_twice_is_said_once_and_none_where_nobody_hears_of_it() {
    let world = World::new();
    let (mut child, mut stdout) = world.import_under_way(&[]);
    // The shell says it, and the terminal.
    signal(&child, "HUP");
    std::thread::sleep(std::time::Duration::from_millis(200));
    signal(&child, "HUP");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let said = stderr(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(rest.contains(r#""status":"stopped""#), "{rest}");
    world.anp("rollback last").exits(0);
}

#[cfg(target_os = "linux")]
#[test]
fn who_starts_it_with_nohup_is_not_disturbed_by_a_hangup() {
    let world = World::new();
    world.article("a.md", "A.");
    let proxy = world.server.proxy(Trouble::once(Fault::Held, b"<!--anp:"));
    let import = world.command("state", &["import", "--redis", &proxy.url()]);
    let mut nohup = world.program("nohup");
    nohup.arg(import.get_program()).args(import.get_args());
    let mut child = nohup
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    proxy.wait_for_fault();
    signal(&child, "HUP");
    signal(&child, "HUP");
    proxy.release();
    let said = stderr(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert!(!said.contains("interrupted"), "{said}");
    assert_eq!(world.keys().len(), 2, "{said}");
}

#[test]
fn a_signal_that_comes_while_it_waits_for_its_server_is_130_too() {
    for command in ["import", "rehearse"] {
        let world = World::new();
        world.article("a.md", "A.");
        let proxy = world.server.proxy(Trouble::once(Fault::Held, b"PING"));
        let (mut child, _stdout) = world.spawn(&[command, "--redis", &proxy.url()]);
        proxy.wait_for_fault();
        signal(&child, "TERM");
        std::thread::sleep(std::time::Duration::from_millis(100));
        proxy.release();
        let said = stderr(&mut child);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{command}: {said}");
        assert!(said.contains("interrupted by a signal"), "{said}");
        assert!(world.server.dump().is_empty(), "{said}");
    }
}

#[test]
fn a_signal_does_not_cost_the_connection_that_is_waited_on() {
    let world = World::new();
    world.article("a.md", "A.");
    let proxy = world.server.proxy(Trouble::once(Fault::Held, b"<!--anp:"));
    let (mut child, _stdout) = world.spawn(&["import", "--redis", &proxy.url()]);
    proxy.wait_for_fault();
    signal(&child, "INT");
    std::thread::sleep(std::time::Duration::from_millis(200));
    // One that was made anew would have written by now.
    assert!(world.keys().is_empty());
    proxy.release();
    let said = stderr(&mut child);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(0),
        "its only batch: {said}"
    );
    assert_eq!(world.keys().len(), 2, "{said}");
}

#[test]
fn a_signal_ends_the_wait_for_a_server_that_hangs() {
    let world = World::new();
    world.write("hang.yaml", "timeout: 1s\ndeadline: 60s\n");
    let (mut child, mut stdout) = world.import_under_way(&["--config", "hang.yaml"]);
    world.server.signal("STOP");
    let mut rest = String::new();
    signal(&child, "INT");
    stdout.read_to_string(&mut rest).unwrap();
    let said = stderr(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("= rollback: "), "{said}");
    world.server.signal("CONT");
    world.anp("rollback last").exits(0);
    assert!(world.keys().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn the_private_server_takes_signals() {
    let world = World::new();
    let (mut child, stdout) = world.import_under_way(&["--redis", "embedded"]);
    let pid = std::fs::read_to_string(world.path("state/embedded/server.pid")).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap();
    let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    assert_eq!(blocked.unwrap().trim(), "0000000000000000");
    drop(stdout);
    let _ = child.wait();
}
