//! Signals: the first ends a run between two batches, the second at once; both leave a way
//! back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use support::World;

/// An import in the middle of its writes. It cannot end before somebody reads its stdout:
/// what it has to say of 6,000 keys is more than the pipe and its buffers hold.
fn import_under_way(world: &World) -> (Child, BufReader<ChildStdout>) {
    for number in 0..3000 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let mut child = world
        .bare()
        .env("ANP_REDIS_URL", world.server.url())
        .env("ANP_STATE_DIR", world.path("state"))
        .args(["import", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(r#""type":"key""#) {
        line.clear();
        stdout.read_line(&mut line).unwrap();
    }
    (child, stdout)
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.unwrap().success());
}

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
    for name in ["INT", "TERM"] {
        let world = World::new();
        let (mut child, mut stdout) = import_under_way(&world);
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
    let (mut child, stdout) = import_under_way(&world);
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
