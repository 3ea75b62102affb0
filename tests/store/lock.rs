//! One writer at a time: whoever comes second is told who holds the lock, a holder that was
//! thought dead writes nothing more, and a lock is broken only by the name of its run.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::cases::cases;
use crate::support::proxy::{Fault, Proxy, Trouble};
use crate::support::{Ran, World, signal, this_host};

fn articles(count: usize) -> World {
    let world = World::new();
    for number in 0..count {
        world.article(&format!("n{number}.md"), "Text.");
    }
    world
}

fn anp(world: &World, state: &str, line: &str) -> Command {
    let arguments: Vec<&str> = line.split(' ').collect();
    let mut command = world.command(state, &arguments);
    command.env("ANP_OWNER", "night shift");
    command
}

/// An import with the state folder `holder`, withheld when it has sent some pages.
fn stuck(world: &World, variables: &[(&str, &str)]) -> (Child, Proxy) {
    let proxy = world
        .server
        .proxy(Trouble::once(Fault::Held, b"{\"digest\":\""));
    let child = anp(world, "holder", "import")
        .env("ANP_REDIS_URL", proxy.url())
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    proxy.wait_for_fault();
    (child, proxy)
}

fn run_of(world: &World, state: &str) -> String {
    let mut names: Vec<String> = std::fs::read_dir(world.path(state).join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
        .pop()
        .unwrap()
        .strip_suffix(".jsonl.zst")
        .unwrap()
        .to_owned()
}

#[test]
fn of_two_runs_started_together_one_writes_and_the_other_is_told_of_it() {
    let races: usize = std::env::var("RACES")
        .ok()
        .map_or(20, |text| text.parse().unwrap());
    let world = articles(40);
    let (mut refused, mut both) = (0, 0);
    for race in 0..races {
        // The same folder: the file lock decides. Two folders: the lease does.
        let other = if race % 2 == 0 { "one" } else { "two" };
        let children =
            [anp(&world, "one", "import"), anp(&world, other, "import")].map(|mut command| {
                command
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            });
        let pids = children.each_ref().map(Child::id);
        let outputs = children.map(|child| child.wait_with_output().unwrap());
        let codes = outputs
            .each_ref()
            .map(|output| output.status.code().unwrap());
        for (index, output) in outputs.iter().enumerate() {
            if codes[index] == 0 {
                continue;
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(codes[index], 11, "{said}");
            let holder = format!(
                ": owner night shift, host {}, pid {}, ",
                this_host(),
                pids[1 - index]
            );
            assert!(said.contains(&holder), "race {race}, not {holder}: {said}");
            assert!(
                said.contains(" since 0 s") || said.contains(" since 1 s"),
                "{said}"
            );
            refused += 1;
        }
        both += usize::from(codes == [0, 0]);
        assert!(codes.contains(&0), "race {race}: {codes:?}");
        assert_eq!(world.server.dump().len(), 80);
        world.server.command("FLUSHALL");
    }
    println!("{races} races: {refused} refused, {both} one after the other");
    assert!(refused > races / 2, "{refused} of {races} met");
}

#[test]
fn a_holder_stopped_past_its_lease_writes_nothing_after_another_took_the_lock() {
    let world = articles(700);
    let (child, proxy) = stuck(&world, &[]);
    signal(&child, "STOP");
    // As if half a minute had passed.
    world.server.command("PEXPIRE anp:lock 1");
    std::thread::sleep(Duration::from_millis(20));
    world.article("n0.md", "Written by the second run.");
    Ran::of(&mut anp(&world, "second", "import")).exits(0);
    let after = world.server.dump();
    signal(&child, "CONT");
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(75), "{said}");
    assert!(said.contains("the lease ran out or was deleted"), "{said}");
    assert!(world.server.dump() == after, "{said}");
}

/// Promise 6: whatever a connection carries besides its login and the question for the time, it
/// had the name of the run from its first command on.
fn every_writing_connection_is_named(proxy: &Proxy, at: &str) -> usize {
    let mut named = 0;
    for commands in proxy.commands() {
        let is_harmless =
            |command: &Vec<String>| matches!(command[0].as_str(), "PING" | "SELECT" | "TIME");
        if commands.iter().all(is_harmless) {
            continue;
        }
        let first = commands[0].join(" ");
        assert!(
            first.starts_with("CLIENT SETNAME anp:anp:2"),
            "{at}: {commands:?}"
        );
        named += 1;
    }
    named
}

#[test]
fn every_connection_of_a_run_is_named_before_it_writes_wherever_one_is_cut() {
    for fault in [Fault::NotSent, Fault::ReplyLost] {
        let mut cuts = 0;
        for skip in cases(&format!("named {fault:?}"), 4) {
            cuts = skip;
            let world = articles(3);
            let trouble = Trouble {
                skip,
                ..Trouble::once(fault, b"")
            };
            let proxy = world.server.proxy(trouble);
            let url = proxy.url();
            let ran = world.anp_with(&["import", "--redis", &url], &[]);
            assert!([0, 69].contains(&ran.code), "{fault:?} {skip}: {ran}");
            let named = every_writing_connection_is_named(&proxy, &format!("{fault:?} {skip}"));
            // The run's, the one of its heartbeat, and what replaced the one that was cut.
            assert!(ran.code == 69 || named >= 2, "{named} {ran}");
            if proxy.faults() == 0 {
                break;
            }
        }
        assert!(cuts > 10, "{cuts} pieces");
    }
}

#[test]
fn every_connection_behind_the_login_of_a_user_is_named_right_behind_it() {
    let world = articles(1);
    world
        .server
        .command("ACL SETUSER some on >s3cret ~* &* +@all");
    let proxy = world
        .server
        .proxy(Trouble::once(Fault::Held, b"no such piece"));
    let url = format!("{}?db=3&user=some&pass=s3cret", proxy.url());
    let ran = world.anp_with(&["import", "--redis", &url], &[]);
    ran.exits(0);
    let firsts: Vec<String> = proxy
        .commands()
        .iter()
        .map(|commands| {
            let names = commands.iter().map(|command| match command[0].as_str() {
                "CLIENT" => &command[1],
                name => name,
            });
            names.take(3).collect::<Vec<_>>().join(" ")
        })
        .collect();
    // Only the first one, which asks for the time, has no name.
    let named = "AUTH SETNAME SELECT";
    assert_eq!(firsts, ["AUTH SELECT PING", named, named]);
}

#[test]
fn a_run_that_was_cut_at_any_point_and_stalled_writes_nothing_once_another_run_is_done() {
    let (mut tried, mut stalled) = (0, 0);
    for skip in cases("stalled", 4).take_while(|skip| *skip < 14) {
        tried += 1;
        let world = articles(40);
        let trouble = Trouble {
            skip,
            ..Trouble::once(Fault::ReplyLost, b"")
        };
        let proxy = world.server.proxy(trouble);
        let mut child = anp(&world, "holder", "warm --rate 20/s --quiet")
            .env("ANP_REDIS_URL", proxy.url())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let page = |world: &World| world.server.get("anp:page:/n0/").is_some();
        while !page(&world) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        if child.try_wait().unwrap().is_some() {
            // The first connection of all is not asked for again.
            assert!(!page(&world), "{skip}");
            continue;
        }
        signal(&child, "STOP");
        world.server.command("PEXPIRE anp:lock 1");
        std::thread::sleep(Duration::from_millis(20));
        Ran::of(&mut anp(&world, "second", "import")).exits(0);
        let after = world.server.dump();
        signal(&child, "CONT");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(75), "{skip}: {said}");
        assert!(world.server.dump() == after, "{skip}: {said}");
        stalled += 1;
    }
    assert!(
        stalled >= 2 && stalled + 4 >= tried,
        "{stalled} of {tried} runs were stalled"
    );
}

#[cfg(debug_assertions)]
#[test]
fn promise_6_a_run_that_is_refused_ends_its_heartbeat_before_it_gives_the_lock_back() {
    let world = articles(1);
    let proxy = world
        .server
        .proxy(Trouble::once(Fault::Held, b"\r\nrelease\r\n"));
    let child = anp(&world, "holder", "import")
        .env("ANP_REDIS_URL", proxy.url())
        .env("ANP_FAIL_POINT", "header.create:0=EIO")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    proxy.wait_for_fault();
    // A heartbeat that lives on could take the lock again behind the run's back.
    let connections = || {
        let list = world.server.command("CLIENT LIST");
        let list: String = redis::from_redis_value(list).unwrap();
        list.matches(" name=anp:anp:").count()
    };
    let ended = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        connections() == 1
    });
    assert!(ended, "{} connections of the run", connections());
    proxy.release();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(74));
    assert_eq!(world.server.get("anp:lock"), None);
}

#[test]
fn an_old_holder_never_releases_a_newer_lock() {
    let world = articles(700);
    let (child, proxy) = stuck(&world, &[]);
    world.server.command("SET anp:lock newer PX 60000");
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(75), "{said}");
    assert_eq!(world.server.get("anp:lock").as_deref(), Some("newer"));
}

#[test]
fn a_rollback_straight_after_a_kill_does_not_wait_for_the_lease() {
    let world = articles(700);
    let (mut child, _proxy) = stuck(&world, &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(world.server.expiry("anp:lock") > 0, "the lease stands");
    let direct = world.server.url();
    let line = format!("rollback last --redis {direct}");
    Ran::of(&mut anp(&world, "holder", &line)).exits(0);
    assert!(world.server.dump().is_empty());
}

#[test]
fn a_state_folder_is_the_same_however_it_is_spelled() {
    let world = articles(700);
    std::os::unix::fs::symlink(world.path("holder"), world.path("link")).unwrap();
    for spelled in ["holder/", "content/../holder", "./holder", "link"] {
        let (mut child, proxy) = stuck(&world, &[]);
        child.kill().unwrap();
        child.wait().unwrap();
        drop(proxy);
        let _ = std::fs::remove_file(world.server.folder().join("proxy"));
        let line = format!("rollback last --redis {}", world.server.url());
        Ran::of(&mut anp(&world, spelled, &line)).exits(0);
        assert!(world.server.dump().is_empty(), "{spelled}");
    }
}

#[test]
fn promise_6_a_folder_with_the_host_name_and_path_of_another_does_not_take_its_lock() {
    let world = articles(700);
    let (child, proxy) = stuck(&world, &[("ANP_TIMEOUT", "60s")]);
    let run = run_of(&world, "holder");
    // What two containers have: one host name, one path, a folder each. The second time it is a
    // copy of the first, as a machine that was cloned has it.
    for arguments in ["", "cp -a ../moved/. ."] {
        let script = format!("mv holder moved; mkdir -m 700 holder; cd holder; {arguments}");
        world.shell(&script).exits(0);
        Ran::of(&mut anp(&world, "holder", "import"))
            .exits(11)
            .notes(&format!("run {run} holds the lock"));
        world.shell("rm -r holder; mv moved holder").exits(0);
    }
    proxy.release();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "the living run ends: {said}");
}

#[cfg(target_os = "linux")]
#[test]
fn promise_6_a_lease_from_before_the_start_of_the_host_is_waited_for() {
    let world = articles(700);
    let (mut child, _proxy) = stuck(&world, &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    let lease = world.server.get("anp:lock").unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert!(lease.contains(boot.trim()), "{lease}");
    // A machine that was cloned with its folders, inodes included, has another boot id.
    let other = lease.replace(boot.trim(), "00000000-0000-4000-8000-000000000000");
    world
        .server
        .run(&["SET", "anp:lock", &other, "PX", "25000"]);
    let direct = format!("rollback last --redis {}", world.server.url());
    Ran::of(&mut anp(&world, "holder", &direct)).exits(11);
    world
        .server
        .run(&["SET", "anp:lock", &lease, "PX", "25000"]);
    Ran::of(&mut anp(&world, "holder", &direct)).exits(0);
    assert!(world.server.dump().is_empty());
}

#[test]
fn unlock_breaks_the_lock_of_the_run_it_names_and_of_no_other() {
    let world = articles(700);
    let (mut child, proxy) = stuck(&world, &[("ANP_TIMEOUT", "60s")]);
    let run = run_of(&world, "holder");
    let refused = Ran::of(&mut anp(&world, "second", "import"));
    refused
        .exits(11)
        .notes(&format!(
            "error: run {run} holds the lock: owner night shift, host {}, pid {}, ",
            this_host(),
            child.id()
        ))
        .notes("= unlock: if that run is dead: ");
    let other = Ran::of(&mut anp(
        &world,
        "second",
        "unlock 20260101T000000.000Z-00ff",
    ));
    other
        .exits(11)
        .notes(&format!("error: run {run} holds the lock"))
        .notes("= expected: the lock is held by run 20260101T000000.000Z-00ff\n");
    assert!(world.server.expiry("anp:lock") > 0);

    // The printed line works as it stands.
    let unlock = refused.stderr.split("is dead: ").nth(1).unwrap().trim();
    let ran = world.shell(unlock);
    ran.exits(0)
        .says(&format!("broke the lock of run {run}: owner night shift"))
        .notes(&format!(
            "warning: process {} lives on this host",
            child.id()
        ));
    let before = world.server.dump();
    proxy.release();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(75));
    assert!(
        world.server.dump() == before,
        "what it had sent had no effect"
    );
    Ran::of(&mut anp(&world, "second", "import")).exits(0);
    let nobody = Ran::of(&mut anp(&world, "second", &format!("unlock {run}")));
    nobody
        .exits(0)
        .says(&nobody_holds_it(&world, "nothing to do"));
    Ran::of(&mut anp(&world, "second", "unlock")).exits(2);
}

#[test]
fn an_unlock_that_ends_connections_says_so_where_nobody_holds_the_lock() {
    let world = articles(1);
    let run = "20260101T000000.000Z-00ff";
    let named = || {
        let mut connection = world.server.connection();
        let name = format!("anp:anp:{run}");
        redis::cmd("CLIENT")
            .arg(&["SETNAME", &name])
            .query::<()>(&mut connection)
            .unwrap();
        connection
    };
    let unlock = format!("unlock {run}");
    let _left = [named(), named()];
    let ended = format!("ended 2 connections of run {run}");
    let ran = world.anp(&unlock);
    ran.exits(0).says(&nobody_holds_it(&world, &ended));
    let ran = world.anp(&unlock);
    ran.exits(0).says(&nobody_holds_it(&world, "nothing to do"));
}

fn nobody_holds_it(world: &World, what: &str) -> String {
    let url = world.server.url();
    format!("nobody holds the lock of {url}?db=0, prefix anp: {what}\n")
}

#[test]
fn a_lock_that_names_no_run_is_not_broken() {
    let world = articles(1);
    world.server.command("SET anp:lock something");
    world
        .anp("unlock 20260101T000000.000Z-00ff")
        .exits(11)
        .notes("anp:lock: the lock is held, and what it says is no lease of anp")
        .notes("= retry: look at anp:lock, and delete it once no run is under way; nothing was changed");
    assert_eq!(world.server.get("anp:lock").as_deref(), Some("something"));
    world.anp_with(&["unlock", ""], &[]).exits(2);
}

#[test]
fn a_lock_that_names_the_run_and_little_else_is_broken_too() {
    let world = articles(1);
    let run = "20260101T000000.000Z-00ff";
    let value = format!(r#"{{"run":"{run}"}}"#);
    world.server.run(&["SET", "anp:lock", &value]);
    world
        .anp(&format!("unlock {run}"))
        .exits(0)
        .says(&format!("broke the lock of run {run}\n"));
    assert!(world.server.dump().is_empty());
}

/// A user with all rights but `right`, on a server whose lock the run `RUN` holds.
fn without(world: &World, right: &str) -> String {
    world.anp("import --quiet").exits(0);
    world.server.run(&["SET", "anp:lock", r#"{"run":"R"}"#]);
    let user = format!("ACL SETUSER some on >s3cret ~* &* +@all {right}");
    world.server.command(&user);
    format!("{}?user=some&pass=s3cret", world.server.url())
}

#[test]
fn a_lock_that_may_not_be_broken_is_77_and_stays() {
    let world = articles(1);
    let url = without(&world, "-evalsha");
    let ran = world.anp_with(&["unlock", "R", "--redis", &url], &[]);
    ran.exits(77).notes("NOPERM").notes("nothing was written");
    assert!(world.server.get("anp:lock").is_some());
}

#[test]
fn a_lock_that_is_broken_is_not_said_to_be_whole_when_its_connections_cannot_be_ended() {
    let world = articles(1);
    let url = without(&world, "-client|list");
    let ran = world.anp_with(&["unlock", "R", "--redis", &url], &[]);
    ran.exits(75)
        .notes("error: run R no longer holds the lock, but its connections may live: ")
        .notes("= retry: safe: the same command again ends them; so does the next run\n");
    let left = world.server.get("anp:lock");
    assert_eq!(
        left.as_deref(),
        Some(r#"{"broken":"R"}"#),
        "no run holds it"
    );
    assert!(
        world.server.expiry("anp:lock") > 0,
        "and that goes by itself"
    );
    world.anp("unlock R").exits(0).says("nobody holds the lock");
    assert_eq!(world.server.get("anp:lock"), None);
}

#[test]
fn a_lock_that_the_server_evicted_is_taken_again_while_nobody_else_had_it() {
    let world = World::new();
    let (mut child, mut stdout) = world.import_under_way(&[]);
    world.server.command("DEL anp:lock");
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{rest}");
    assert!(rest.contains(r#""created":6000,"#), "{rest}");
    assert_eq!(world.server.expiry("anp:lock"), -2, "given back");
    // Somebody else's is never taken.
    world.anp("rollback last").exits(0);
    let (mut child, mut stdout) = world.import_under_way(&[]);
    world.server.command("SET anp:lock other PX 20000");
    rest.clear();
    std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75));
    assert_eq!(world.server.get("anp:lock").as_deref(), Some("other"));
}

#[test]
fn an_unlock_whose_answer_was_lost_does_not_say_that_nobody_held_the_lock() {
    let world = articles(1);
    world.anp("import --quiet").exits(0);
    world.server.run(&["SET", "anp:lock", r#"{"run":"R"}"#]);
    let trouble = Trouble::once(Fault::ReplyLost, b"\r\nbreak\r\n");
    let proxy = world.server.proxy(trouble);
    let ran = world.anp_with(&["unlock", "R", "--redis", &proxy.url()], &[]);
    ran.exits(0).says("broke the lock of run R\n");
    assert_eq!(proxy.faults(), 1);
}

#[test]
fn a_foreign_lock_cannot_pass_for_lines_of_ours() {
    let world = articles(1);
    let run = "x\n\nerror: all is well\n  = retry: run sh evil\n";
    let lease = serde_json::json!({
        "token": "t", "run": run, "owner": "\u{202e}a", "host": "h", "pid": 1, "state_dir": "/s",
    });
    world
        .server
        .run(&["SET", "anp:lock", &lease.to_string(), "PX", "25000"]);
    let second = world.anp("import");
    let unlock = world.anp_with(&["unlock", "y\n  = retry: run sh evil"], &[]);
    for ran in [&second, &unlock] {
        ran.exits(11).hides("\u{202e}");
        let starts =
            |line: &str| line.starts_with("  = retry: run") || line.starts_with("error: all");
        assert!(!ran.stderr.lines().any(starts), "{ran}");
    }
    second
        .hides("= unlock: ")
        .notes("once anp:lock is looked at and deleted");
    world.anp_with(&["unlock", run], &[]).exits(0);
}

#[test]
fn an_unlock_that_is_not_answered_does_not_say_that_nothing_happened() {
    let world = articles(1);
    world.anp("import --quiet").exits(0);
    world.server.run(&["SET", "anp:lock", r#"{"run":"R"}"#]);
    let proxy = world
        .server
        .proxy(Trouble::always(Fault::Held, b"\r\nbreak\r\n"));
    let arguments = ["unlock", "R", "--redis", &proxy.url(), "--deadline", "1s"];
    let ran = world.anp_with(&arguments, &[("ANP_TIMEOUT", "1s")]);
    ran.exits(75)
        .hides("nothing was written")
        .notes("it may have been carried out all the same");
    proxy.release_and_wait();
    world.anp("unlock R").exits(0);
}

#[test]
fn what_a_foreign_lock_says_is_shown_safely() {
    let world = articles(1);
    let forged = serde_json::json!({
        "token": "t", "run": "$(touch stolen); rm -r /nowhere", "owner": "a\n  = retry: go on",
        "host": "h", "pid": 1, "state_dir": "/s",
    });
    let value = forged.to_string();
    world
        .server
        .run(&["SET", "anp:lock", &value, "PX", "25000"]);
    let ran = world.anp("import --prefix anp");
    ran.exits(11)
        .notes(": owner a = retry: go on, host h, pid 1, state folder /s; ")
        .hides("= unlock: ");
}
