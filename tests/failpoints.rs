//! A kill before and after every step of the protocol, and every I/O error of manifest and
//! spool: the way back brings all back, and importing again ends where an undisturbed run
//! ends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]
#![cfg(debug_assertions)]

mod support;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use support::{Ran, World};

const SIGKILL: i32 = 9;

/// Every step but those of sending and of reading replies, which come once a command.
const STEPS: [&str; 16] = [
    "header.create",
    "header.write",
    "header.written",
    "header.synced",
    "folder.sync",
    "folder.synced",
    "spool.create",
    "spool.write",
    "spool.finish",
    "spool.read",
    "intents.write",
    "intents.written",
    "intents.synced",
    "footer.write",
    "footer.written",
    "footer.synced",
];
/// Steps that come once a command: looking, the first wave of writes, and the second.
const EACH: [&str; 6] = [
    "look.sent",
    "look.reply",
    "first.sent",
    "first.reply",
    "second.sent",
    "second.reply",
];

/// Keys of every kind, before an import that creates, overwrites, refreshes and removes.
struct Scene {
    world: World,
    /// Every key with DUMP and absolute expiry.
    keys: Vec<(String, Vec<u8>, i64)>,
    before: BTreeMap<String, String>,
    /// What an undisturbed import makes of it.
    end: BTreeMap<String, String>,
    cases: usize,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        for name in [
            "same", "again", "changed", "gone", "lost", "string", "for-ever", "hash", "list",
            "set", "zset", "stream",
        ] {
            world.article(&format!("a/{name}.md"), "Version 1.");
        }
        world.anp("import --ttl 1h --quiet").exits(0);
        world
            .article("a/changed.md", "Version 2.")
            .article("a/new.md", "Version 1.");
        for name in ["gone", "lost"] {
            std::fs::remove_file(world.path(&format!("content/a/{name}.md"))).unwrap();
        }
        for line in [
            "PERSIST anp:page:/a/again/",
            "SET anp:page:/a/string/ theirs PXAT 4000000000123",
            "SET anp:meta:/a/for-ever/ theirs",
            "DEL anp:page:/a/hash/ anp:page:/a/list/ anp:page:/a/set/ anp:page:/a/zset/",
            "HSET anp:page:/a/hash/ field value other value",
            "RPUSH anp:page:/a/list/ a b",
            "SADD anp:page:/a/set/ a b",
            "PEXPIREAT anp:page:/a/set/ 4000000000456",
            "ZADD anp:page:/a/zset/ 1 a 2 b",
            "DEL anp:meta:/a/stream/ anp:page:/a/lost/",
            "XADD anp:meta:/a/stream/ 1-1 field value",
        ] {
            world.server.command(line);
        }
        let mut scene = Self {
            before: world.keys(),
            world,
            keys: Vec::new(),
            end: BTreeMap::new(),
            cases: 0,
        };
        scene.keys = scene.snapshot();
        scene.import("undisturbed", None).exits(0);
        scene.end = scene.articles();
        scene
    }

    fn snapshot(&self) -> Vec<(String, Vec<u8>, i64)> {
        let mut connection = self.world.server.connection();
        let names = self.world.keys().into_keys();
        names
            .map(|key| {
                let dump = redis::cmd("DUMP").arg(&key).query(&mut connection).unwrap();
                let expiry = self.world.server.expiry(&key);
                (key, dump, expiry)
            })
            .collect()
    }

    /// The keyspace as it was.
    fn restore(&self, keys: &[(String, Vec<u8>, i64)]) {
        let mut pipe = redis::pipe();
        pipe.cmd("FLUSHALL").ignore();
        for (key, dump, expiry) in keys {
            pipe.cmd("RESTORE")
                .arg(key)
                .arg((*expiry).max(0))
                .arg(dump.as_slice())
                .arg("ABSTTL")
                .ignore();
        }
        pipe.query::<()>(&mut self.world.server.connection())
            .unwrap();
    }

    fn anp(&self, state: &str, arguments: &[&str], point: Option<&str>) -> Command {
        let mut command = self.world.bare();
        command
            .env("ANP_REDIS_URL", self.world.server.url())
            .env("ANP_STATE_DIR", self.world.path(state))
            .args(arguments);
        if let Some(point) = point {
            command.env("ANP_FAIL_POINT", point);
        }
        command
    }

    fn import(&self, state: &str, point: Option<&str>) -> Ran {
        let arguments = ["import", "--prune", "--force"];
        Ran::of(&mut self.anp(state, &arguments, point))
    }

    /// The pages, and the metas without what names the run.
    fn articles(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for key in self.world.keys().into_keys() {
            let mut value = self.world.server.get(&key).unwrap();
            if key.starts_with("anp:meta:") {
                let mut meta: serde_json::Value = serde_json::from_str(&value).unwrap();
                for name in ["run", "written_at"] {
                    meta.as_object_mut().unwrap().remove(name).unwrap();
                }
                value = meta.to_string();
            }
            all.insert(key, value);
        }
        all
    }

    /// Whether `command` died at its fail-point; else it must have ended well.
    fn dies(command: &mut Command, point: &str) -> bool {
        let status = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        match status.signal() {
            Some(signal) => {
                assert_eq!(signal, SIGKILL, "{point}");
                true
            }
            None => {
                assert_eq!(status.code(), Some(0), "{point}");
                false
            }
        }
    }

    /// Kills an import at `point`, rolls it back, and imports again.
    fn import_killed_at(&mut self, point: &str) -> bool {
        self.restore(&self.keys);
        self.cases += 1;
        let state = format!("import-{}", self.cases);
        let arguments = ["import", "--prune", "--force"];
        if !Self::dies(&mut self.anp(&state, &arguments, Some(point)), point) {
            return false;
        }
        self.is_back(&state, "last", point);
        self.import(&state, None).exits(0);
        assert!(self.articles() == self.end, "{point}: another end");
        true
    }

    /// Rolls back, twice, and compares.
    fn is_back(&self, state: &str, run: &str, point: &str) {
        let ran = Ran::of(&mut self.anp(state, &["rollback", run], None));
        // 2 and 3: the run died before there was a manifest, or its header.
        assert!([0, 2, 3].contains(&ran.code), "{point}: {ran}");
        let now = self.world.keys();
        assert!(now == self.before, "{point}: not as before {ran}");
        let again = Ran::of(&mut self.anp(state, &["rollback", run], None));
        assert!(again.of_type("key").is_empty(), "{point}: {again}");
    }
}

/// Every point, as often as it comes, until `dies` says that it was not reached any more.
fn at_every_point(mut dies: impl FnMut(&str) -> bool, not_in: &[&str]) -> usize {
    let mut kills = 0;
    for name in STEPS.iter().chain(&EACH).chain(&["lease.released"]) {
        if not_in.contains(name) {
            continue;
        }
        let mut passes = 0;
        while dies(&format!("{name}:{passes}")) {
            passes += 1;
        }
        assert!(passes > 0, "no run ever came to {name}");
        if EACH.contains(name) {
            assert!(passes > 10, "{name} came {passes} times");
        }
        kills += passes;
    }
    kills
}

#[test]
fn an_import_killed_before_and_after_every_step_can_be_undone_and_made_again() {
    let mut scene = Scene::new();
    let kills = at_every_point(|point| scene.import_killed_at(point), &[]);
    println!("{kills} kills, 0 differences");
}

#[test]
fn a_rollback_killed_before_and_after_every_step_is_finished_by_the_next() {
    let scene = Scene::new();
    scene.restore(&scene.keys);
    scene.import("state", None).exits(0);
    let imported = scene.snapshot();
    let run = scene.world.runs().pop().unwrap();
    let mut cases = 0;
    let not_in = [
        "spool.create",
        "spool.write",
        "spool.finish",
        "spool.read",
        // Each key goes back by itself.
        "second.sent",
        "second.reply",
    ];
    let kills = at_every_point(
        |point| {
            scene.restore(&imported);
            cases += 1;
            let state = format!("rollback-{cases}");
            let runs = scene.world.path(&state).join("runs");
            std::fs::create_dir_all(&runs).unwrap();
            let file = format!("{run}.jsonl.zst");
            std::fs::copy(scene.world.manifest(&run), runs.join(file)).unwrap();
            let mut command = scene.anp(&state, &["rollback", &run], Some(point));
            if !Scene::dies(&mut command, point) {
                return false;
            }
            scene.is_back(&state, &run, point);
            true
        },
        &not_in,
    );
    println!("{kills} kills, 0 differences");
}

#[test]
fn a_run_of_several_batches_killed_in_any_of_them_can_be_undone() {
    let world = World::new();
    for number in 0..1100 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    world
        .server
        .command("SET anp:page:/n1099/ theirs PXAT 4000000000123");
    let before = world.keys();
    for point in [
        "intents.write:1",
        "intents.written:1",
        "intents.synced:2",
        "first.sent:700",
        "first.reply:1099",
        "second.sent:511",
        "second.reply:1024",
        "look.reply:4",
    ] {
        let arguments = ["import", "--quiet"];
        let mut command = world.bare();
        command
            .env("ANP_REDIS_URL", world.server.url())
            .env("ANP_STATE_DIR", world.path("state"))
            .env("ANP_FAIL_POINT", point)
            .args(arguments);
        assert!(Scene::dies(&mut command, point), "{point} was not reached");
        world.anp("rollback last").exits(0);
        assert!(world.keys() == before, "{point}: not as before");
    }
}

#[test]
fn no_write_follows_an_error_of_the_manifest_or_of_the_spool() {
    let mut faults = 0;
    let scene = Scene::new();
    for step in STEPS {
        for error in ["EIO", "ENOSPC"] {
            scene.restore(&scene.keys);
            let state = format!("fault-{faults}");
            let ran = scene.import(&state, Some(&format!("{step}={error}")));
            let said = match error {
                "EIO" => "Input/output error (os error 5)",
                _ => "No space left on device (os error 28)",
            };
            ran.exits(74).notes(said).notes("= retry: safe");
            let is_after_the_writes = step.starts_with("footer");
            if is_after_the_writes {
                ran.notes("= rollback: ");
                assert!(scene.articles() == scene.end, "{step}: {ran}");
            } else {
                assert!(scene.world.keys() == scene.before, "{step}: {ran}");
            }
            scene.is_back(&state, "last", step);
            scene.import(&state, None).exits(0);
            faults += 1;
        }
    }
    println!("{faults} I/O errors, 0 differences");
}

#[test]
fn an_error_in_the_second_batch_leaves_the_first_and_its_way_back() {
    let world = World::new();
    for number in 0..1100 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    for step in ["write", "written", "synced"] {
        let point = format!("intents.{step}:1=EIO");
        let ran = world.anp_with(&["import"], &[("ANP_FAIL_POINT", &point)]);
        ran.exits(74)
            .notes("error: cannot write the manifest: Input/output error")
            .notes("= rollback: ");
        assert_eq!(ran.counts()["created"], 1024, "{ran}");
        assert_eq!(world.keys().len(), 1024, "{ran}");
        world.anp("rollback last").exits(0);
        assert!(world.keys().is_empty());
    }
}

#[test]
fn a_rollback_whose_manifest_fails_stops_before_it_writes() {
    let scene = Scene::new();
    scene.restore(&scene.keys);
    scene.import("state", None).exits(0);
    let made = scene.world.keys();
    for step in [
        "header.written",
        "folder.sync",
        "intents.write",
        "intents.written",
    ] {
        let point = format!("{step}=ENOSPC");
        let mut command = scene.anp("state", &["rollback", "last"], Some(&point));
        Ran::of(&mut command)
            .exits(74)
            .notes("No space left on device");
        assert!(scene.world.keys() == made, "{step}");
    }
    scene.is_back("state", "last", "at last");
}
