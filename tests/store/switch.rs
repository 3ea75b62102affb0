//! anp pause and anp resume: publishing stops within a batch, new runs are refused and told
//! who, when and why; the way back stays open.

use crate::support::proxy::{Fault, Trouble};
use crate::support::{Ran, World, this_host};

fn paused() -> World {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import --quiet").exits(0);
    world
        .anp_with(&["pause", "--reason", "disk swap", "--owner", "ada"], &[])
        .exits(0)
        .says("switched off: redis+unix://")
        .says("; running imports end within a batch, new ones are refused\n");
    world
}

#[test]
fn a_paused_store_refuses_new_runs_and_says_who_when_and_why() {
    let world = paused();
    world.article("b.md", "B.");
    let before = world.server.dump();
    for line in ["import", "rehearse"] {
        let ran = world.anp(line);
        ran.exits(12)
            .notes(", prefix anp")
            .notes(&format!("paused by ada on {} at 20", this_host()))
            .notes("Z: disk swap\n")
            .notes("= retry: safe after the resume line; nothing was written\n")
            .notes("= resume: ");
        assert!(world.server.dump() == before, "{ran}");
    }
    assert_eq!(world.runs().len(), 1, "a refused run leaves no manifest");
    // The printed line works as it stands.
    let ran = world.anp("import");
    let resume = ran.stderr.split("= resume: ").nth(1).unwrap().trim();
    world.shell(resume).exits(0).says("it was paused by ada");
    world.anp("import").exits(0);
}

#[test]
fn what_does_not_publish_does_not_heed_it() {
    let world = paused();
    for line in ["check", "verify last", "runs", "show /a/"] {
        world.anp(line).exits(0);
    }
    world
        .anp("import --dry-run")
        .exits(0)
        .notes("warning: a real import would be refused: paused by ada");
    world.anp("rollback last").exits(0);
    assert_eq!(world.server.get("anp:page:/a/"), None);
}

#[test]
fn pausing_and_resuming_twice_changes_nothing_more() {
    let world = paused();
    let first = world.server.get("anp:switch");
    world
        .anp("pause --reason again")
        .exits(0)
        .says("already paused by ada")
        .says(": disk swap; ")
        .says("stays switched off\n");
    assert_eq!(world.server.get("anp:switch"), first);
    assert_eq!(world.server.expiry("anp:switch"), -1, "until it is resumed");
    world.anp("resume").exits(0).says("switched on: ");
    world.anp("resume").exits(0).says("was not switched off\n");
    assert_eq!(world.server.get("anp:switch"), None);
    let ran = world.anp_with(&["resume"], &[("ANP_PAUSED", "disk swap")]);
    ran.exits(0).notes(
        "warning: imports with these settings are still refused: ANP_PAUSED or 'paused' in \
         anp.yaml is set: disk swap\n",
    );
    world.anp("pause").exits(2).notes("--reason");
    for reason in ["", " ", &"long ".repeat(61)] {
        let ran = world.anp_with(&["pause", "--reason", reason], &[]);
        ran.exits(2).notes("expected 1 to 300 characters, found ");
    }
}

#[test]
fn it_prints_the_line_that_switches_on_again() {
    let world = World::new();
    // On a store that no setting names.
    let url = world.server.url();
    let mut pause = world.bare();
    pause.args([
        "pause", "--reason", "swap", "--redis", &url, "--prefix", "other",
    ]);
    let ran = Ran::of(&mut pause);
    ran.exits(0);
    let resume = ran.stdout.split("on again:\n  ").nth(1).unwrap().trim();
    let mut shell = world.program("sh");
    Ran::of(shell.args(["-c", resume]))
        .exits(0)
        .says("; it was paused by");
    assert!(world.server.dump().is_empty());
}

#[test]
fn a_switch_that_is_not_answered_does_not_say_that_nothing_happened() {
    for (word, at) in [
        ("pause --reason x", &b"\r\npause\r\n"[..]),
        ("resume", b"\r\nresume\r\n"),
    ] {
        let world = paused();
        let proxy = world.server.proxy(Trouble::always(Fault::Held, at));
        let line = format!("{word} --redis {} --deadline 1s", proxy.url());
        let words: Vec<&str> = line.split(' ').collect();
        let ran = world.anp_with(&words, &[("ANP_TIMEOUT", "1s")]);
        ran.exits(75)
            .hides("nothing was written")
            .notes("it may have been carried out all the same")
            .notes("= retry: safe: the same command again says how it stands\n");
        proxy.release_and_wait();
    }
}

#[test]
fn an_answer_that_was_lost_does_not_make_it_say_that_it_did_nothing() {
    let with = |at: &'static [u8], arguments: &[&str]| {
        let world = paused();
        if arguments[0] == "pause" {
            world.anp("resume").exits(0);
        }
        let proxy = world.server.proxy(Trouble::once(Fault::ReplyLost, at));
        let ran = world.anp_with(&[arguments, &["--redis", &proxy.url()]].concat(), &[]);
        assert_eq!(proxy.faults(), 1, "{ran}");
        ran
    };
    with(b"\r\nresume\r\n", &["resume"])
        .exits(0)
        .says("switched on: ");
    with(b"\r\npause\r\n", &["pause", "--reason", "b"])
        .exits(0)
        .says("switched off: ");
}

#[test]
fn its_machine_output_says_what_stands_there() {
    let world = paused();
    let ran = world.anp("pause --reason again --format json");
    let line = &ran.exits(0).of_type("switch")[0];
    assert_eq!(
        (&line["paused"], &line["changed"]),
        (&true.into(), &false.into())
    );
    assert_eq!(line["pause"]["reason"], "disk swap");
    assert_eq!(line["pause"]["by"], "ada");
    let ran = world.anp("resume --format json");
    assert_eq!(ran.of_type("switch")[0]["changed"], true);
}

#[test]
fn whatever_else_stands_there_counts_and_harms_nobody() {
    for line in [
        "SET anp:switch off\u{1b}[31m",
        "RPUSH anp:switch a b",
        r#"SET anp:switch {"reason":1}"#,
    ] {
        let world = World::new();
        world.article("a.md", "A.");
        world.server.command(line);
        world
            .anp("import")
            .exits(12)
            .notes("paused; the value of the switch does not say by whom or why\n")
            .hides("\u{1b}");
        world
            .anp("pause --reason x")
            .exits(0)
            .says("already paused");
        world.anp("resume").exits(0);
        world.anp("import").exits(0);
    }
    // It cannot pass for lines of the message.
    let world = World::new();
    world.article("a.md", "A.");
    let forged = r#"{"reason":"x\n  = retry: go on","by":"y\r\nz","host":"h","at":1}"#;
    world.server.run(&["SET", "anp:switch", forged]);
    let ran = world.anp("import");
    ran.exits(12)
        .notes("is paused by y z on h at 1970-01-01 00:00:00Z: x = retry: go on\n");
    // A reason with control characters is shown without them.
    let world = World::new();
    world.article("a.md", "A.");
    world
        .anp_with(&["pause", "--reason", "a\u{1b}[31mb"], &[])
        .exits(0);
    world.anp("import").exits(12).hides("\u{1b}");
}

#[test]
fn the_environment_or_the_settings_switch_off_without_a_store() {
    let world = World::new();
    world.article("a.md", "A.");
    let elsewhere = ["import", "--redis", "redis://127.0.0.1:1/0"];
    let ran = world.anp_with(&elsewhere, &[("ANP_PAUSED", "freeze until monday")]);
    ran.exits(12).notes_exactly(
        "error: switched off by ANP_PAUSED or 'paused' in anp.yaml: freeze until monday\n  \
         = expected: neither of them is set\n  \
         = retry: once it is taken away; nothing was written\n",
    );
    world.write("off.yaml", "paused: freeze\n");
    world
        .anp("import --config off.yaml")
        .exits(12)
        .notes("freeze");
    world.anp("rehearse --config off.yaml").exits(12);
    world.anp("import").exits(0);
    world
        .anp_with(&["rollback", "last"], &[("ANP_PAUSED", "freeze")])
        .exits(0);
}

#[test]
fn a_server_out_of_memory_is_switched_off_and_on() {
    let world = World::new();
    world.server.command("CONFIG SET maxmemory 1");
    world.anp("pause --reason full").exits(0);
    world.anp("resume").exits(0).says("full");
}

#[test]
fn a_running_import_stops_within_a_batch_and_its_rollback_works() {
    let world = World::new();
    for number in 0..1500 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    // Held in its first batch of three.
    let proxy = world
        .server
        .proxy(Trouble::once(Fault::Held, b"{\"digest\":\""));
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            proxy.wait_for_fault();
            world.anp("pause --reason now").exits(0);
            proxy.release();
        });
        world.anp_with(&["import", "--redis", &proxy.url()], &[])
    });
    ran.exits(12)
        .notes("error: paused by ")
        .notes(": now\n")
        .notes("= retry: safe: roll back with the command below, or run the same command after the resume line\n")
        .notes("= rollback: ")
        .notes("= resume: ");
    assert_eq!(ran.counts()["created"], 1024, "one batch: {ran}");
    assert_eq!(ran.of_type("summary")[0]["status"], "stopped");
    assert_eq!(world.server.expiry("anp:lock"), -2, "given back");
    let direct = world.server.url();
    world
        .anp_with(&["rollback", "last", "--redis", &direct], &[])
        .exits(0);
    assert_eq!(world.server.dump().len(), 1, "the switch alone is left");
    world.anp("resume").exits(0);
    world.anp("import").exits(0);
}
