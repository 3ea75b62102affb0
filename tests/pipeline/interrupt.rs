//! Signals: the first ends a run between two batches, the second at once; both leave a way
//! back.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::support::cases::cases;
use crate::support::proxy::{Fault, Trouble};
use crate::support::{Ran, World, set_mode, signal};

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

/// A world with a run that can be undone, whatever is asked for next.
fn imported() -> World {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    world.anp("import --quiet").exits(0);
    world.article("a.md", "Changed.").article("c.md", "C.");
    world
}

/// No time-out and no deadline ends a command in this test.
fn patient(command: &mut Command) -> &mut Command {
    command
        .env("ANP_TIMEOUT", "10m")
        .env("ANP_DEADLINE", "10m")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
}

/// Every command that waits for a store.
const WAITING: [&str; 17] = [
    "import",
    "import --dry-run",
    "import --wait-replicas 1",
    "import --shard 0/2 --run-id night",
    "warm",
    "warm --max-latency 5ms",
    "purge /a/",
    "purge --all --yes",
    "rollback last",
    "rollback last --dry-run",
    "verify last",
    "rehearse",
    "pause --reason x",
    "resume",
    "unlock R",
    "show /a/",
    "probe http://127.0.0.1:9/ --routes /a/",
];

#[track_caller]
fn ends_with_130(child: Child, stdout: impl std::io::Read, what: &str) -> Ran {
    let ran = Ran::ended(child, stdout);
    assert_eq!(ran.code, 130, "{what}: {ran}");
    ran.notes("interrupted by a signal");
    ran
}

/// Accepts every connection, keeps it, and sends the bytes of `drip` over it, one every 20 ms.
fn silent_server(drip: &'static [u8]) -> (u16, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (accepted, met) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = accepted.send(());
            std::thread::spawn(move || {
                for byte in drip.iter().cycle() {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    if stream.write_all(&[*byte]).is_err() {
                        return;
                    }
                }
                // Kept open for as long as the other end keeps it.
                let _ = stream.read_to_end(&mut Vec::new());
            });
        }
    });
    (port, met)
}

#[test]
fn promise_8_a_signal_ends_every_command_whose_server_accepts_and_never_answers() {
    let world = imported();
    world.write("known.crt", certificate());
    let known = world.path("known.crt");
    let known = known.to_str().unwrap();
    for scheme in ["redis", "rediss"] {
        let (port, met) = silent_server(b"");
        let url = format!("{scheme}://127.0.0.1:{port}/0");
        for line in WAITING {
            let mut words: Vec<&str> = line.split(' ').collect();
            words.extend(["--redis", &url]);
            let mut command = world.command("state", &words);
            if scheme == "rediss" {
                command.env("ANP_TLS_CA", known);
            }
            let mut child = patient(&mut command).spawn().unwrap();
            met.recv().unwrap();
            let stdout = child.stdout.take().unwrap();
            signal(&child, "INT");
            ends_with_130(child, stdout, line).notes("nothing was written");
        }
    }
}

#[test]
fn promise_8_a_signal_ends_commands_whose_sentinel_or_cluster_never_answers() {
    let world = imported();
    let (port, met) = silent_server(b"");
    for url in [
        format!("redis+sentinel://127.0.0.1:{port}/main/0"),
        format!("redis+cluster://127.0.0.1:{port}/"),
    ] {
        let mut command = world.command("state", &["import", "--redis", &url]);
        let mut child = patient(&mut command).spawn().unwrap();
        met.recv().unwrap();
        let stdout = child.stdout.take().unwrap();
        signal(&child, "INT");
        ends_with_130(child, stdout, &url);
    }
}

fn certificate() -> String {
    let named = vec!["localhost".to_owned()];
    rcgen::generate_simple_self_signed(named)
        .unwrap()
        .cert
        .pem()
}

#[test]
fn promise_8_a_handshake_that_drips_is_bounded_in_all_and_a_signal_ends_it() {
    let world = imported();
    world.write("known.crt", certificate());
    // A long record of a handshake, of which a byte comes now and then.
    let (port, met) = silent_server(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc");
    let url = format!("rediss://127.0.0.1:{port}/0");
    let verify = || {
        let mut command = world.command("state", &["verify", "last", "--redis", &url]);
        command.env("ANP_TLS_CA", world.path("known.crt"));
        command
    };
    Ran::of(verify().env("ANP_TIMEOUT", "1s"))
        .exits(69)
        .notes("no answer within the time-out");
    met.recv().unwrap();
    let mut child = patient(&mut verify()).spawn().unwrap();
    met.recv().unwrap();
    let stdout = child.stdout.take().unwrap();
    signal(&child, "INT");
    ends_with_130(child, stdout, "dripping");
}

/// Holds back the piece number `skip` of what `line` sends, and interrupts it there. Returns
/// whether there is such a piece. What was written can be undone.
fn stalls_at(skip: usize, line: &str) -> bool {
    let world = imported();
    let before = world.keys();
    let trouble = Trouble {
        skip,
        ..Trouble::once(Fault::Held, b"")
    };
    let proxy = world.server.proxy(trouble);
    let url = proxy.url();
    let mut words: Vec<&str> = line.split(' ').collect();
    words.extend(["--redis", &url]);
    let mut child = patient(&mut world.command("state", &words))
        .spawn()
        .unwrap();
    while proxy.faults() == 0 {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let stdout = child.stdout.take().unwrap();
    signal(&child, "INT");
    let ran = Ran::ended(child, stdout);
    proxy.release_and_wait();
    if ran.code == 0 && (ran.stdout.contains(r#""status":"done""#) || line == "unlock R") {
        // It was done, but for giving the lock back.
        return true;
    }
    assert_eq!(ran.code, 130, "{line}, piece {skip}: {ran}");
    let mut runs = ["import", "warm", "purge", "rollback"].iter();
    if world.keys() != before && runs.any(|run| line.starts_with(run)) {
        assert!(
            ran.stderr.contains("= rollback: "),
            "{line}, piece {skip}: {ran}"
        );
        if !line.starts_with("rollback") {
            let back = format!("rollback last --redis {}", world.server.url());
            world.anp(&back).exits(0);
            assert!(world.keys() == before, "{line}, piece {skip}: {ran}");
        }
    }
    true
}

/// Interrupts `line` at the pieces that this run of the tests tries, some at the same time; a piece
/// that it does not send any more.
fn stalls_anywhere(line: &'static str) -> usize {
    let mut skips = cases(line, 4);
    loop {
        let skips: Vec<usize> = skips.by_ref().take(8).collect();
        let stalls: Vec<_> = skips
            .iter()
            .map(|&skip| std::thread::spawn(move || stalls_at(skip, line)))
            .collect();
        let stalled: Vec<bool> = stalls.into_iter().map(|one| one.join().unwrap()).collect();
        if let Some(end) = stalled.iter().position(|is_there| !is_there) {
            return skips[end];
        }
    }
}

#[test]
fn promise_8_a_signal_ends_a_run_whose_server_stalls_at_any_piece() {
    for (line, least) in [
        ("import --prune --force", 12),
        ("warm --rate 1000/s --max-latency 5ms", 12),
        ("purge --all --yes", 10),
    ] {
        let pieces = stalls_anywhere(line);
        assert!(pieces >= least, "{line}: {pieces} pieces");
    }
}

#[test]
fn promise_8_a_signal_ends_a_rollback_or_another_command_whose_server_stalls_at_any_piece() {
    for (line, least) in [
        ("rollback last", 10),
        ("verify last", 3),
        ("pause --reason x", 3),
        ("resume", 2),
        ("unlock R", 2),
        ("show /a/", 2),
    ] {
        let pieces = stalls_anywhere(line);
        assert!(pieces >= least, "{line}: {pieces} pieces");
    }
}

#[test]
fn promise_8_a_signal_ends_a_rehearsal_whose_server_stalls_at_any_piece() {
    let pieces = stalls_anywhere("rehearse");
    assert!(pieces >= 20, "{pieces} pieces");
}

#[test]
fn promise_8_a_signal_ends_the_wait_for_a_private_server_that_does_not_come_up() {
    let world = imported();
    let program = world.path("bin/redis-server");
    world.write(
        "bin/redis-server",
        "#!/bin/sh\ntouch started\nexec sleep 600\n",
    );
    set_mode(&program, 0o755);
    let path = format!("{}:/usr/bin:/bin", world.path("bin").display());
    let mut command = world.command("state", &["import", "--redis", "embedded"]);
    let mut child = patient(command.env("PATH", path)).spawn().unwrap();
    while !world.path("started").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let stdout = child.stdout.take().unwrap();
    signal(&child, "INT");
    ends_with_130(child, stdout, "embedded");
}

#[test]
fn a_thread_that_the_system_refuses_is_an_error_and_leaves_no_lock() {
    let world = World::new();
    for number in 0..20 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let mut refused = 0;
    for limit in 1.. {
        let ran = world.anp_with_few_processes(limit, "warm --max-latency 1s");
        ran.hides("panicked");
        if ran.code == 0 {
            break;
        }
        assert!([69, 75].contains(&ran.code), "{limit}: {ran}");
        ran.notes("cannot start ");
        assert_eq!(world.server.expiry("anp:lock"), -2, "{limit}: {ran}");
        refused += 1;
    }
    assert!(refused >= 4, "{refused} threads were refused");
}
