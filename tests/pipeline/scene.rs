//! A keyspace of every kind of key, an import that creates, overwrites, refreshes both ways,
//! removes and keeps some, and what must come of both.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anp::publish::manifest::{Line, Manifest, Verify};

use crate::support::{Ran, World};

const SIGKILL: i32 = 9;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Every step that comes once, or once a batch.
pub const STEPS: [&str; 20] = [
    "state.sync",
    "header.create",
    "header.write",
    "header.torn",
    "header.written",
    "header.synced",
    "folder.sync",
    "folder.synced",
    "spool.create",
    "spool.write",
    "spool.finish",
    "spool.read",
    "intents.write",
    "intents.torn",
    "intents.written",
    "intents.synced",
    "footer.write",
    "footer.torn",
    "footer.written",
    "footer.synced",
];

/// Two articles a page, so that a few make several.
const ARCHIVE: &str = "\
site: {url: 'https://example.org', name: Notes}
archive:
  similar: 2
  lists: {home: true, folders: true, fields: [tags], per_page: 2}
  feeds: {count: 3}
  sitemap: true
  redirects: true
";

/// A key with its DUMP and its absolute expiry in ms, -1 without.
pub type Key = (String, Vec<u8>, i64);

pub struct Scene {
    pub world: World,
    pub keys: Vec<Key>,
    pub before: BTreeMap<String, String>,
    /// What an undisturbed import makes of it.
    pub end: BTreeMap<String, String>,
    /// Whether there are archive objects.
    pub has_archive: bool,
}

impl Scene {
    pub fn new() -> Self {
        let world = World::new();
        for name in [
            "same", "kept", "later", "always", "changed", "gone", "lost", "string", "for-ever",
            "hash", "list", "set", "zset", "stream",
        ] {
            world.article(&format!("a/{name}.md"), "Version 1.");
        }
        // Shorter than the next import's ttl: what is the same gets a later expiry.
        world.anp("import --ttl 1h --quiet").exits(0);
        world
            .article("a/changed.md", "Version 2.")
            .article("a/new.md", "Version 1.");
        for name in ["gone", "lost"] {
            std::fs::remove_file(world.path(&format!("content/a/{name}.md"))).unwrap();
        }
        for line in [
            "PERSIST anp:page:/a/always/",
            "PERSIST anp:page:/a/gone/",
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
            "SET theirs:alone x PXAT 4000000000789",
        ] {
            world.server.command(line);
        }
        // The ttl is 7 days: 6 are kept, 30 are too many.
        for (name, days) in [("kept", 6), ("later", 30)] {
            for kind in ["page", "meta"] {
                let key = format!("anp:{kind}:/a/{name}/");
                let at = world.server.expiry(&key) + days * DAY_MS;
                world.server.command(&format!("PEXPIREAT {key} {at}"));
            }
        }
        let (scene, ran) = Self::of(world);
        let counts = ran.counts();
        for (what, number) in [
            ("created", 2),
            ("updated", 16),
            ("refreshed", 6),
            ("removed", 3),
            ("kept", 2),
        ] {
            assert_eq!(counts[what], number, "{what}: {ran}");
        }
        scene
    }

    /// The same with archive objects: lists, feeds, parts of the sitemap, redirects and similar posts that come,
    /// change and go, some of them in the place of what another program wrote.
    pub fn with_archive() -> Self {
        let world = World::new();
        world.write("anp.yaml", ARCHIVE);
        let article = |name: &str, day: u32, fields: &str| {
            let text = format!(
                "---\ntitle: Notes {name}\ndate: 2024-01-{day:02}\n{fields}---\n\nText of {name}.\n"
            );
            world.write(&format!("content/{name}.md"), text);
        };
        let remove =
            |name: &str| std::fs::remove_file(world.path(&format!("content/{name}.md"))).unwrap();
        for (name, day, fields) in [
            ("a/same", 1, "tags: [x]\n"),
            ("a/changed", 2, "tags: [x, y]\n"),
            ("a/moves", 3, "tags: [y]\n"),
            ("a/withdrawn", 4, "tags: [x]\n"),
            ("gone/only", 5, "tags: [old]\n"),
        ] {
            article(name, day, fields);
        }
        world.anp("import --ttl 1h --quiet").exits(0);
        // So every plain object is replaced by one in gzip.
        world.write("anp.yaml", format!("{ARCHIVE}compress: gzip\n"));
        article("a/changed", 2, "tags: [y]\naliases: [/old/changed/]\n");
        article("a/withdrawn", 4, "withdrawn: true\n");
        article("b/new", 27, "tags: [x, z]\n");
        remove("a/moves");
        article("b/moved", 3, "tags: [y]\n");
        let text = std::fs::read_to_string(world.path("content/b/moved.md")).unwrap();
        world.write(
            "content/b/moved.md",
            text.replace("Text of b/moved", "Text of a/moves"),
        );
        remove("gone/only");
        for line in [
            "SET anp:page:/tags/x/ theirs PXAT 4000000000123",
            "DEL anp:file:/a/feed.json",
            "RPUSH anp:file:/a/feed.json a b",
            "SET anp:redirect:/old/changed/ theirs",
            "PERSIST anp:file:/gone/feed.xml",
            "SET theirs:alone x PXAT 4000000000789",
        ] {
            world.server.command(line);
        }
        let (scene, ran) = Self::of(world);
        let scene = Self {
            has_archive: true,
            ..scene
        };
        let changes: BTreeSet<(String, String)> = ran
            .of_type("key")
            .iter()
            .map(|line| {
                let kind = line["key"]
                    .as_str()
                    .unwrap()
                    .split(':')
                    .nth(1)
                    .unwrap()
                    .to_owned();
                (kind, line["action"].as_str().unwrap().to_owned())
            })
            .collect();
        for (kind, actions) in [
            ("page", &["create", "update", "remove"][..]),
            ("meta", &["create", "update", "remove"]),
            ("file", &["create", "update", "remove"]),
            ("redirect", &["create", "update"]),
        ] {
            for action in actions {
                let change = (kind.to_owned(), (*action).to_owned());
                assert!(changes.contains(&change), "{change:?}: {ran}");
            }
        }
        scene
    }

    /// The scene of what the store and the content of `world` are now, and the undisturbed import.
    fn of(world: World) -> (Self, Ran) {
        let mut scene = Self {
            before: world.keys(),
            keys: snapshot(&world),
            world,
            end: BTreeMap::new(),
            has_archive: false,
        };
        let ran = scene.import("undisturbed", None);
        ran.exits(0);
        scene.end = scene.made_by(&ran);
        (scene, ran)
    }

    /// The keyspace as it was.
    pub fn restore(&self) {
        restore(&self.world, &self.keys);
    }

    pub fn anp(&self, state: &str, arguments: &[&str], point: Option<&str>) -> Command {
        anp(&self.world, state, arguments, point)
    }

    pub fn import(&self, state: &str, point: Option<&str>) -> Ran {
        Ran::of(&mut self.anp(state, &["import", "--prune", "--force"], point))
    }

    /// Every key: its type, its value without what names the run, and its expiry as the time
    /// from the start of `ran`, unless that left it as it was.
    pub fn made_by(&self, ran: &Ran) -> BTreeMap<String, String> {
        let started_at = ran.of_type("run")[0]["started_at"].as_i64().unwrap();
        let mut all = self.values();
        for (key, text) in &mut all {
            let expiry = self.world.server.expiry(key);
            let was = self.keys.iter().find(|(name, _, _)| name == key);
            let is_kept = was.is_some_and(|(_, _, before)| *before == expiry);
            let since = if is_kept { 0 } else { started_at };
            *text = format!("{} {is_kept} {text}", expiry - since);
        }
        all
    }

    /// Every key: its type, and its value without what names the run.
    pub fn values(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for (key, dumped) in self.world.keys() {
            if !key.starts_with("anp:") {
                all.insert(key, dumped);
                continue;
            }
            let mut value = self.world.server.unpacked(&key).unwrap();
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

    /// The keys that are not as in `then`.
    pub fn changed_since(&self, then: &BTreeMap<String, String>) -> BTreeSet<String> {
        let now = self.world.keys();
        let all = now.keys().chain(then.keys());
        all.filter(|key| now.get(*key) != then.get(*key))
            .cloned()
            .collect()
    }

    /// The keys that the newest manifest in `state` announces in its first `frames` frames
    /// behind the header.
    pub fn announced(&self, state: &str, frames: usize) -> BTreeSet<String> {
        let newest = newest_manifest(&self.world.path(state));
        newest.map_or(BTreeSet::new(), |path| announced(&path, frames))
    }

    /// Rolls back, twice, and compares.
    pub fn is_back(&self, state: &str, run: &str, point: &str) {
        let ran = Ran::of(&mut self.anp(state, &["rollback", run], None));
        let name = point.split([':', '=']).next().unwrap();
        let expected: &[i32] = match name.split_once('.').unwrap() {
            // There was no manifest yet; then none that is whole.
            ("state" | "begin", _) | ("header", "create") => &[2],
            // `last` says that it wrote nothing.
            ("spool", "create" | "write" | "finish") => &[3],
            ("header" | "folder" | "survey", _) if run == "last" => &[3],
            // In the first batch, or behind it.
            ("look" | "spool", _) | ("intents", "write" | "torn") if run == "last" => &[0, 3],
            _ => &[0],
        };
        assert!(expected.contains(&ran.code), "{point}: {ran}");
        let now = self.world.keys();
        assert!(now == self.before, "{point}: not as before {ran}");
        let again = Ran::of(&mut self.anp(state, &["rollback", run], None));
        assert!(again.of_type("key").is_empty(), "{point}: {again}");
        assert!(self.world.keys() == now, "{point}: {again}");
    }
}

/// An import of the scene that is done, to be rolled back again and again.
pub struct Imported<'a> {
    scene: &'a Scene,
    pub run: String,
    keys: Vec<Key>,
    cases: usize,
}

impl<'a> Imported<'a> {
    pub fn of(scene: &'a Scene) -> Self {
        scene.restore();
        scene.import("state", None).exits(0);
        Self {
            scene,
            run: scene.world.runs().pop().unwrap(),
            keys: snapshot(&scene.world),
            cases: 0,
        }
    }

    /// The keys as the import left them, and a state folder that holds its manifest alone.
    pub fn anew(&mut self) -> String {
        restore(&self.scene.world, &self.keys);
        self.cases += 1;
        let state = format!("rollback-{}", self.cases);
        let runs = self.scene.world.path(&state).join("runs");
        std::fs::create_dir_all(&runs).unwrap();
        let file = format!("{}.jsonl.zst", self.run);
        std::fs::copy(self.scene.world.manifest(&self.run), runs.join(file)).unwrap();
        state
    }
}

pub fn anp(world: &World, state: &str, arguments: &[&str], point: Option<&str>) -> Command {
    let mut command = world.command(state, arguments);
    if let Some(point) = point {
        command.env("ANP_FAIL_POINT", point);
    }
    command
}

/// Whether `command` died at its fail-point; else it must have ended well.
pub fn dies(command: &mut Command, point: &str) -> bool {
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

/// Every key but the lock, as RESTORE takes it.
pub fn snapshot(world: &World) -> Vec<Key> {
    let mut connection = world.server.connection();
    let mut names: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
    names.retain(|name| name != "anp:lock");
    names.sort();
    let mut pipe = redis::pipe();
    for name in &names {
        pipe.cmd("DUMP").arg(name).cmd("PEXPIRETIME").arg(name);
    }
    if names.is_empty() {
        return Vec::new();
    }
    let replies: Vec<redis::Value> = pipe.query(&mut connection).unwrap();
    names
        .into_iter()
        .zip(replies.chunks(2))
        .map(|(name, pair)| {
            let dump = redis::from_redis_value(pair[0].clone()).unwrap();
            (
                name,
                dump,
                redis::from_redis_value(pair[1].clone()).unwrap(),
            )
        })
        .collect()
}

/// Just these keys.
pub fn restore(world: &World, keys: &[Key]) {
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
    pipe.query::<()>(&mut world.server.connection()).unwrap();
}

fn newest_manifest(state: &Path) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(state.join("runs")).ok()?;
    entries.map(|entry| entry.unwrap().path()).max()
}

/// A torn header announces nothing.
fn announced(manifest: &Path, frames: usize) -> BTreeSet<String> {
    let Ok(manifest) = Manifest::open(manifest, Verify::All) else {
        return BTreeSet::new();
    };
    let lines = manifest.batches().take(frames).flat_map(Result::unwrap);
    lines
        .filter_map(|line| match line {
            Line::Intent(intent) => Some(intent.key),
            _ => None,
        })
        .collect()
}
