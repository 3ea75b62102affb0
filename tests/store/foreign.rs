//! Values of other types at keys of anp, on whatever server: what they are, and the way back.

use std::path::Path;
use std::time::Duration;

use crate::support::{Server, World, other_servers, server_program};
use anp::publish::manifest::{Line, Manifest, Verify};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

const PAGE: &str = "anp:page:/a/";
const META: &str = "anp:meta:/a/";

/// As Redis 7.0 dumps them, and their fingerprints. Of a list: short and long, empty and numeric
/// members; of a sorted set: scores that servers write down in different ways; of a stream: an entry
/// that was removed, a group with a pending entry and two consumers, and another group.
const DUMPS: [(&str, &str, &str); 3] = [
    (
        "list",
        "EgECwxlATxFPAAAABQCBYQKBYgKAAQMBvHjgMgABPf8KANtebuwdbT7z",
        "7f086834973e3c6a5179b3190832e10e97a56739",
    ),
    (
        "zset",
        "EcNAVkBdH10AAAAQAIFkAoQtaW5mBYFlAgABgWcChzEuNWUtMDkIB4FhApMwLjEw4AUAHzEUgWYCAwGBaAL0iEtr\
         XVTcKwAJgWIChTFlKzIxBoFjAQKDIEwBBP8KAC6oCNxKnSo9",
        "ab24737e3556f1c4b6ebac4b326cd88e118d9ff0",
    ),
    (
        "stream",
        "EwEQAAAAAAAAAAUAAAAAAAAAAcM8QEUXRQAAABoAAgEBAQIBgWYCgmYyAwABAwEAIAEHgXYCgnYyAwUgCgABYAMg\
         HyATAAYgCwACIAPgAA8BAf8CBwEGAQUBAwIBZwYBAgEAAAAAAAAABgAAAAAAAAAB/zGIKKIBAAABAgNhbm4HMogo\
         ogEAAAADYm9i/zGIKKIBAAABAAAAAAAAAAYAAAAAAAAAAQJnMgYBAQAACgD3QyfmZSNVxQ==",
        "7fdfdd96aedc0951eae1ff52ee59af330a996ca6",
    ),
];

fn restore(server: &Server, key: &str, dump: &str) {
    let dump = BASE64.decode(dump).unwrap();
    let mut command = redis::cmd("RESTORE");
    command.arg(key).arg(0).arg(dump).arg("REPLACE");
    command
        .query::<()>(&mut server.connection())
        .expect("a dump of Redis 7.0");
}

/// What the manifest of the only run says that `key` was.
fn prior_of(world: &World, key: &str) -> anp::publish::manifest::Snapshot {
    let manifest = Manifest::open(&world.manifest(&world.runs()[0]), Verify::All).unwrap();
    let lines = manifest.batches().flat_map(Result::unwrap);
    let mut intents = lines.filter_map(|line| match line {
        Line::Intent(intent) => Some(intent),
        _ => None,
    });
    let intent = intents.find(|intent| intent.key == key);
    intent.unwrap().prior.unwrap()
}

/// A world whose article `a.md` finds something else at its keys.
fn world_on(server: Server) -> World {
    let world = World::with_server(server);
    world.article("a.md", "A.");
    world
}

/// What a rollback says of its keys: restored or removed, already back, kept.
fn rolled_back(world: &World, run: &str, exit: i32) -> [u64; 3] {
    let ran = world.anp(&format!("rollback {run} --format json"));
    let summary = ran.exits(exit).of_type("summary").pop().unwrap();
    let count = |name: &str| summary[name].as_u64().unwrap();
    let changed = count("restored") + count("removed");
    [changed, count("already_back"), count("kept")]
}

/// How many UNLINKs an import sends that finds what `command` left at the key of its page.
fn unlinks_after(command: &str) -> usize {
    let world = world_on(Server::start());
    world.server.command(command);
    world.server.command("CONFIG RESETSTAT");
    world.anp("import").exits(0);
    let calls = world.server.command("INFO commandstats");
    let calls: String = redis::from_redis_value(calls).unwrap();
    let count = calls.split_once("cmdstat_unlink:calls=");
    let count = count.and_then(|(_, rest)| rest.split_once(','));
    count.map_or(0, |(count, _)| count.parse().unwrap())
}

#[test]
fn a_hash_is_removed_before_a_page_takes_its_place() {
    // Valkey 9.0.0 crashes when SET replaces a hash whose fields expire.
    let over_string = unlinks_after(&format!("SET {PAGE} theirs"));
    let over_hash = unlinks_after(&format!("HSET {PAGE} a 1"));
    assert_eq!(over_hash, over_string + 1);
}

#[test]
fn the_fingerprint_of_a_value_is_the_same_on_every_server() {
    for (kind, dump, sha1) in DUMPS {
        let world = world_on(Server::start());
        restore(&world.server, PAGE, dump);
        world.anp("import").exits(0);
        let prior = prior_of(&world, PAGE);
        assert_eq!(prior.kind.as_deref(), Some(kind));
        assert_eq!(prior.sha1.as_deref(), Some(sha1), "{kind}");
    }
}

#[test]
fn promise_4_a_rollback_can_be_repeated_and_undone_after_an_upgrade_of_the_server() {
    // Every later server reads what Redis 7.0 wrote; others go on as themselves.
    let is_oldest = Server::start()
        .info("server", "redis_version")
        .starts_with("7.0.");
    let mut programs = vec![Path::new(server_program()).to_owned()];
    if is_oldest {
        programs.extend(other_servers());
    }
    for program in programs {
        let mut world = World::new();
        let names = ["l", "z", "x", "h", "s", "t"];
        for name in names {
            world.article(&format!("{name}.md"), "Text.");
        }
        let key = |name: &str| format!("anp:page:/{name}/");
        for (name, (_, dump, _)) in names.iter().zip(DUMPS) {
            restore(&world.server, &key(name), dump);
        }
        world.server.command("HSET anp:page:/h/ a 1 b 2 c 3");
        world.server.command("SADD anp:page:/s/ a b c");
        world.server.command("SET anp:page:/t/ text PX 100000000");
        world.anp("import").exits(0);
        let run = world.runs()[0].clone();
        assert_eq!(rolled_back(&world, &run, 0), [12, 0, 0]);
        let back = world.runs()[1].clone();
        world.server.becomes(&program);
        let shown = program.display();
        assert_eq!(rolled_back(&world, &run, 0), [0, 12, 0], "on {shown}");
        assert_eq!(rolled_back(&world, &back, 0), [12, 0, 0], "on {shown}");
        assert!(world.server.get(&key("x")).unwrap().contains("<html"));
        assert_eq!(rolled_back(&world, "last", 0), [12, 0, 0], "on {shown}");
    }
}

#[test]
fn a_stream_with_too_much_pending_to_compare_is_a_conflict_and_stays() {
    let world = world_on(Server::start());
    let fill = "redis.call('XGROUP', 'CREATE', KEYS[1], 'g', 0, 'MKSTREAM')
        for i = 1, 100001 do
            redis.call('XCLAIM', KEYS[1], 'g', 'c', 0, redis.call('XADD', KEYS[1], i, 'f', 'v'), 'FORCE')
            if i % 2 == 0 then redis.call('XTRIM', KEYS[1], 'MAXLEN', 10) end
        end";
    world.server.run(&["EVAL", fill, "1", PAGE]);
    let ran = world.anp("import");
    ran.exits(3)
        .notes("anp:page:/a/: another client changed it, or anp could not put it back (above 64 MiB, or +hpexpiretime missing): kept as it is");
    assert_eq!(world.server.expiry(PAGE), -1);
}

#[test]
fn any_change_of_a_value_by_somebody_is_one() {
    let changes = [
        ("list", "LSET KEY 0 changed"),
        ("list", "RPUSH KEY more"),
        ("list", "RPOPLPUSH KEY KEY"),
        ("zset", "ZINCRBY KEY 0.0000001 a"),
        ("zset", "ZADD KEY 1 more"),
        ("stream", "XADD KEY 9-1 f v"),
        ("stream", "XDEL KEY 7-1"),
        ("stream", "XTRIM KEY MAXLEN 1"),
        ("stream", "XSETID KEY 99-1"),
        ("stream", "XACK KEY g 6-1"),
        ("stream", "XGROUP DESTROY KEY g2"),
        ("stream", "XGROUP SETID KEY g2 0"),
        ("stream", "XGROUP CREATECONSUMER KEY g more"),
        ("stream", "XGROUP DELCONSUMER KEY g ann"),
        ("stream", "XCLAIM KEY g ann 0 6-1"),
    ];
    let world = world_on(Server::start());
    let mut kept = Vec::new();
    for (kind, change) in changes {
        let dump = DUMPS.iter().find(|dump| dump.0 == kind).unwrap().1;
        world.server.command("FLUSHALL");
        restore(&world.server, PAGE, dump);
        world.anp("import").exits(0);
        let run = world.runs().last().unwrap().clone();
        assert_eq!(rolled_back(&world, &run, 0), [2, 0, 0]);
        assert_eq!(rolled_back(&world, &run, 0), [0, 2, 0]);
        world.server.command(&change.replace("KEY", PAGE));
        let ran = world.anp(&format!("rollback {run} --format json"));
        if ran.code == 3 && ran.stdout.contains(r#""already_back":1,"kept":1"#) {
            kept.push((kind, change));
        }
    }
    assert_eq!(kept, changes);
}

/// A hash of which two fields run out, the first after `ms`.
fn hash_with_field_expiries(server: &Server, ms: u64) {
    server.command(&format!("HSET {PAGE} stays 1 soon 2 late 3"));
    server.command(&format!("HPEXPIRE {PAGE} {ms} FIELDS 1 soon"));
    server.command(&format!("HPEXPIREAT {PAGE} 4000000000000 FIELDS 1 late"));
    server.command(&format!("PEXPIREAT {PAGE} 4100000000000"));
}

fn field_expiries(server: &Server) -> Vec<i64> {
    redis::cmd("HPEXPIRETIME")
        .arg(PAGE)
        .arg("FIELDS")
        .arg(3)
        .arg(&["stays", "soon", "late"])
        .query(&mut server.connection())
        .unwrap()
}

#[test]
fn promise_3_expiries_of_fields_come_back_and_are_part_of_the_state() {
    let world = world_on(Server::with_field_expiries());
    hash_with_field_expiries(&world.server, 10_000_000);
    let before = field_expiries(&world.server);
    assert!(before[0] == -1 && before[1] > 0 && before[2] == 4_000_000_000_000);
    world.anp("import").exits(0);
    let run = world.runs()[0].clone();
    assert_eq!(prior_of(&world, PAGE).fields.len(), 2);
    assert_eq!(rolled_back(&world, &run, 0), [2, 0, 0]);
    assert_eq!(field_expiries(&world.server), before);
    assert_eq!(world.server.expiry(PAGE), 4_100_000_000_000);
    assert_eq!(rolled_back(&world, &run, 0), [0, 2, 0]);
    let back = world.runs()[1].clone();
    // Somebody else's from here on.
    let line = format!("HPEXPIREAT {PAGE} 4000000000001 FIELDS 1 late");
    world.server.command(&line);
    assert_eq!(rolled_back(&world, &back, 3), [1, 0, 1]);
    assert_eq!(field_expiries(&world.server)[2], 4_000_000_000_001);
    assert_eq!(rolled_back(&world, &run, 3)[2], 1);
}

#[test]
fn promise_3_a_field_that_expired_meanwhile_is_no_change_by_others() {
    let world = world_on(Server::with_field_expiries());
    hash_with_field_expiries(&world.server, 2_000);
    world.anp("import").exits(0);
    let run = world.runs()[0].clone();
    assert_eq!(rolled_back(&world, &run, 0), [2, 0, 0]);
    let back = world.runs()[1].clone();
    let soon = field_expiries(&world.server)[1];
    assert!(soon > 0, "the machine is too slow for this test");
    while field_expiries(&world.server)[1] > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    world.anp(&format!("verify {back}")).exits(0);
    assert_eq!(rolled_back(&world, &run, 0), [0, 2, 0]);
    assert_eq!(rolled_back(&world, &back, 0), [2, 0, 0]);
    assert_eq!(rolled_back(&world, "last", 0), [2, 0, 0]);
    let now = field_expiries(&world.server);
    assert_eq!(now, [-1, -2, 4_000_000_000_000]);
    // Somebody removed a field that would still be there.
    world.server.command(&format!("HDEL {PAGE} late"));
    assert_eq!(rolled_back(&world, &run, 3), [0, 1, 1]);
}

#[test]
fn promise_3_a_hash_whose_fields_all_expired_is_owed_to_nobody() {
    let world = world_on(Server::with_field_expiries());
    world.server.command(&format!("HSET {PAGE} a 1 b 2"));
    let line = format!("HPEXPIRE {PAGE} 1500 FIELDS 2 a b");
    world.server.command(&line);
    world.anp("import").exits(0);
    std::thread::sleep(Duration::from_millis(2_000));
    assert_eq!(rolled_back(&world, "last", 0), [2, 0, 0]);
    assert_eq!(world.server.expiry(PAGE), -2);
    assert_eq!(world.server.expiry(META), -2);
    let run = world.runs()[0].clone();
    assert_eq!(rolled_back(&world, &run, 0), [0, 2, 0]);
}

#[test]
fn a_hash_that_expires_field_by_field_needs_one_more_right() {
    use anp::store::{ACL_LINE, FIELD_EXPIRIES_RIGHT};
    let world = world_on(Server::with_field_expiries());
    hash_with_field_expiries(&world.server, 10_000_000);
    let before = field_expiries(&world.server);
    world
        .server
        .command(&ACL_LINE.replace("PASSWORD", "s3cret"));
    let url = format!("{}?user=anp&pass=s3cret", world.server.url());
    let import = ["import", "--redis", &url];
    let ran = world.anp_with(&import, &[]);
    ran.exits(3)
        .notes(&format!("{PAGE}: "))
        .notes(FIELD_EXPIRIES_RIGHT);
    assert_eq!(field_expiries(&world.server), before, "kept as it was");
    world
        .server
        .command(&format!("ACL SETUSER anp {FIELD_EXPIRIES_RIGHT}"));
    world.anp_with(&import, &[]).exits(0);
    let rollback = ["rollback", "last", "--redis", &url];
    world.anp_with(&rollback, &[]).exits(0);
    assert_eq!(field_expiries(&world.server), before);

    // One that comes after the run keeps its key, and nothing else, from being rolled back.
    world.server.command("FLUSHALL");
    world.anp("import").exits(0);
    world.server.command(&format!("DEL {PAGE}"));
    hash_with_field_expiries(&world.server, 10_000_000);
    world
        .server
        .command(&format!("ACL SETUSER anp -{}", &FIELD_EXPIRIES_RIGHT[1..]));
    world.anp_with(&rollback, &[]).exits(3);
    assert!(world.keys().keys().eq([PAGE]), "all but that hash are back");
}

#[test]
fn a_manifest_that_names_lists_and_streams_by_their_dump_is_understood() {
    // As version 0.1 wrote it: the SHA-1 of the DUMP, here of the server that the test runs on.
    for (kind, dump, sha1) in [DUMPS[0], DUMPS[2]] {
        let world = world_on(Server::start());
        restore(&world.server, PAGE, dump);
        world.anp("import").exits(0);
        let run = world.runs()[0].clone();
        let prior = prior_of(&world, PAGE);
        let dumped = BASE64.decode(prior.dump_base64.unwrap()).unwrap();
        let of_dump = anp::publish::state::Fingerprint::of(&dumped).to_string();
        let manifest = Manifest::open(&world.manifest(&run), Verify::All).unwrap();
        let lines: Vec<Line> = manifest.batches().flat_map(Result::unwrap).collect();
        let header = Line::Header(manifest.header().clone());
        let old: Vec<Line> = std::iter::once(&header)
            .chain(&lines)
            .map(|line| serde_json::to_string(line).unwrap().replace(sha1, &of_dump))
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect();
        let file = world.path("old.jsonl.zst");
        let mut writer = anp::publish::manifest::Writer::create(&file, &old[0]).unwrap();
        writer.append(&old[1..]).unwrap();
        drop(writer);
        let old = file.to_str().unwrap();
        assert_eq!(rolled_back(&world, old, 0), [2, 0, 0], "{kind}");
        assert_eq!(rolled_back(&world, old, 0), [0, 2, 0], "{kind}");
    }
}
