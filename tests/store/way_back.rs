//! Ways back that were once lost.

use crate::support::World;

#[test]
fn a_sorted_set_that_shrank_is_back_also_the_second_time_and_can_be_undone() {
    let world = World::new();
    let key = "anp:page:/a/";
    for number in 0..300 {
        world
            .server
            .command(&format!("ZADD {key} {number} m{number}"));
    }
    for number in 3..300 {
        world.server.command(&format!("ZREM {key} m{number}"));
    }
    world.article("a.md", "A.");
    let before = world.server.dump();
    world.anp("import").exits(0);
    world.anp("rollback last").exits(0);
    world.anp("rollback last").exits(0);
    assert_eq!(world.server.expiry(key), -1);
    let rollback = world.runs()[1].clone();
    world.anp_with(&["rollback", &rollback], &[]).exits(0);
    assert!(world.server.get(key).unwrap().contains("<html"));
    world.anp("rollback last").exits(0);
    assert_eq!(world.server.dump().len(), before.len());
}

#[test]
fn an_expiry_that_passes_during_the_rollback_leaves_nothing_of_the_run() {
    let world = World::new();
    let count = 400;
    for number in 0..count {
        world.article(&format!("a{number}.md"), "A.");
    }
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    for number in 0..count {
        for kind in ["page", "meta"] {
            let at = now + 6000 + number * 2;
            let line = format!("SET anp:{kind}:/a{number}/ old PXAT {at}");
            world.server.command(&line);
        }
    }
    let ran = world.anp("import");
    ran.exits(0);
    assert_eq!(ran.counts()["updated"], 2 * count, "{ran}");
    let until = std::time::UNIX_EPOCH + std::time::Duration::from_millis(now + 6200);
    std::thread::sleep(until.duration_since(std::time::SystemTime::now()).unwrap());
    world.anp("rollback last").exits(0);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(world.server.dump().is_empty());
}

#[test]
fn large_values_of_control_characters_come_back() {
    let world = World::new();
    world.article("a.md", "A.");
    let value = "\u{1}".repeat(60 << 20);
    for kind in ["page", "meta"] {
        world
            .server
            .run(&["SET", &format!("anp:{kind}:/a/"), &value]);
    }
    world.anp("import").exits(0);
    world.anp("rollback last").exits(0);
    for kind in ["page", "meta"] {
        assert!(world.server.get(&format!("anp:{kind}:/a/")).unwrap() == value);
    }
}

#[test]
fn promise_10_large_values_of_others_stay_in_the_server_when_they_are_compared() {
    let world = World::new();
    for number in 0..8 {
        world.article(&format!("a{number}.md"), "A.");
    }
    world.anp("import").exits(0);
    let value = "v".repeat(8 << 20);
    for number in 0..4 {
        let key = |number| format!("anp:page:/a{number}/");
        world.server.run(&["SET", &key(number), &value]);
        world.server.run(&["DEL", &key(number + 4)]);
        world.server.run(&["RPUSH", &key(number + 4), &value]);
    }
    for line in ["verify last", "rollback last --dry-run"] {
        world.server.command("CONFIG RESETSTAT");
        let ran = world.anp(line);
        ran.exits(3);
        let info: String = redis::cmd("INFO")
            .arg("stats")
            .query(&mut world.server.connection())
            .unwrap();
        let sent = info
            .lines()
            .find_map(|line| line.strip_prefix("total_net_output_bytes:"));
        let sent: u64 = sent.unwrap().trim().parse().unwrap();
        assert!(sent < 1 << 20, "the server sent {sent} bytes: {ran}");
    }
    let before = world.server.dump();
    world.anp("rollback last").exits(3);
    let after = world.server.dump();
    assert_eq!(after.len(), 8);
    assert!(after.iter().all(|(key, held)| before[key] == *held));
}

#[test]
fn strings_that_are_read_in_different_ways_come_back() {
    let world = World::new();
    // Empty; as long as one plain command reads at most; one byte longer.
    let values = [0, 256 * 1024, 256 * 1024 + 1].map(|length| "v".repeat(length));
    for (number, value) in values.iter().enumerate() {
        world.article(&format!("a{number}.md"), "A.");
        let key = format!("anp:page:/a{number}/");
        world.server.run(&["SET", &key, value]);
    }
    let before = world.server.dump();
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["updated"], 3, "{ran}");
    world.anp("verify last").exits(0);
    world.anp("rollback last").exits(0);
    assert!(world.server.dump() == before);
}

#[test]
fn a_collection_too_large_to_compare_is_a_conflict_and_stays() {
    let world = World::new();
    let fill = "for i = 1, 100001 do redis.call('HSET', KEYS[1], i, i) end";
    world.server.run(&["EVAL", fill, "1", "anp:page:/a/"]);
    world.article("a.md", "A.").article("b.md", "B.");
    let ran = world.anp("import");
    ran.exits(3)
        .notes("anp:page:/a/: another client changed it, or anp could not put it back (above 64 MiB, or +hpexpiretime missing): kept as it is");
    assert_eq!(world.server.expiry("anp:page:/a/"), -1);
    assert_eq!(
        world.server.expiry("anp:meta:/a/"),
        -2,
        "no meta without its page"
    );
    assert!(world.server.get("anp:page:/b/").is_some());
}

#[test]
fn a_manifest_that_names_other_keys_is_refused() {
    use anp::publish::manifest::{Action, Header, Intent, Line, Snapshot, Writer};
    let world = World::new();
    world
        .server
        .command("SET session:admin theirs PXAT 4000000000000");
    let header: Header = serde_json::from_value(serde_json::json!({
        "format": 1, "anp": "0", "run": "r", "command": "import", "started_at": 0,
        "server": world.server.url(), "db": 0, "prefix": "anp", "settings_digest": "",
        "rollback": "", "host": "h", "pid": 1,
    }))
    .unwrap();
    let path = world.path("forged.zst");
    let mut writer = Writer::create(&path, &Line::Header(header)).unwrap();
    let forged = Intent::new(
        "session:admin".to_owned(),
        Action::Refresh,
        None,
        Some(Snapshot::expiry(Some(4_000_000_000_000))),
    );
    writer.append(&[Line::Intent(forged)]).unwrap();
    let ran = world.anp_with(&["rollback", path.to_str().unwrap()], &[]);
    ran.exits(65).notes("none of its prefix");
    assert_eq!(world.server.get("session:admin").unwrap(), "theirs");
}

#[test]
fn a_password_goes_to_no_server_that_only_a_manifest_names() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    // The manifest's server now asks for a password; the settings name another server.
    world.server.command("CONFIG SET requirepass s3cret");
    let variables = [
        ("ANP_REDIS_URL", "redis://127.0.0.1:1/0"),
        ("ANP_REDIS_PASSWORD", "s3cret"),
    ];
    world.anp_with(&["rollback", "last"], &variables).exits(77);
    let named = ["rollback", "last", "--redis", &world.server.url()];
    world.anp_with(&named, &variables).exits(0);
}

#[test]
fn a_foreign_value_is_never_shortened_by_a_refresh() {
    use anp::publish::apply::step::{CurrentState, Decision, Step, Want, decide};
    use anp::publish::manifest::Fate;
    for found in [None, Some(2_000)] {
        let step = Step {
            of_archive: false,
            reason: None,
            key: "k".to_owned(),
            want: Want::Refresh {
                to_ms: 1_000,
                seen_ms: Some(500),
            },
            prior_bytes: 0,
        };
        let decision = decide(step, CurrentState::Expiry(found), 100).unwrap();
        assert_eq!(decision, Decision::Leave(Fate::Conflict));
    }
}

#[test]
fn a_run_names_its_way_back_only_when_it_is_about_to_write() {
    const WAY_BACK: &str = "to undo it:";
    let world = World::new();
    world.article("a.md", "A.");
    let import = "import --format text";
    // Refused: nothing was written, so there is nothing to undo.
    world.write("content/bad.md", "---\nscore: {quality: 140}\n---\nText.\n");
    let refused = world.anp("import --format text --max-invalid 0");
    refused.exits(65).hides(WAY_BACK).hides("anp rollback");
    std::fs::remove_file(world.path("content/bad.md")).unwrap();
    let ran = world.anp(import);
    let rollback = format!("anp rollback {}", world.runs()[1]);
    ran.exits(0).notes(WAY_BACK).notes(&rollback);
    // Nothing to write.
    world.anp(import).exits(0).hides(WAY_BACK);
    let rollback = format!("rollback {} --format text", world.runs()[1]);
    // One that is cut short is repeated; at its end it says how to undo it.
    let ran = world.anp(&rollback);
    ran.exits(0).hides(WAY_BACK).says("to undo this rollback");
}

#[test]
#[cfg(debug_assertions)]
fn promise_3_a_killed_run_has_named_its_way_back_before_its_first_write() {
    let world = World::new();
    world.article("a.md", "A.");
    let kill = |point: &str| {
        let failing = [("ANP_FAIL_POINT", point)];
        let ran = world.anp_with(&["import", "--format", "text"], &failing);
        assert_ne!(ran.code, 0, "{ran}");
        ran
    };
    kill("spool.finish").hides("to undo it:");
    assert!(world.keys().is_empty());
    kill("first.reply")
        .notes("to undo it:\n")
        .notes("/anp rollback ");
    assert!(!world.keys().is_empty());
}
