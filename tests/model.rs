//! Random sequences of imports, writes of others, expiries, kills, rollbacks and rollbacks of
//! rollbacks, against a plain model in memory that knows only what is promised.
//!
//! `MODEL=200` sets the number of sequences (default 40). What the model cannot know, the
//! bytes and expiries that an import chooses and how far a killed one came, it reads from the
//! store, and checks that each key is either as it was or as the run made it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::{Ran, World};

/// Few names, so that operations meet.
const NAMES: usize = 4;
/// How soon a key that is to expire soon does so.
const SOON_MS: i64 = 1500;
/// No run begins so close before an expiry, since it would not be clear who comes first.
const CLOSE_MS: i64 = 1000;

#[derive(Clone, Debug)]
enum Op {
    /// Writes version `version` of an article, or removes it.
    Edit { name: usize, version: Option<u8> },
    /// Imports, with or without --prune, with a ttl of so many hours; killed after so many
    /// microseconds if it is to be killed.
    Import {
        prune: bool,
        hours: u8,
        kill_us: Option<u64>,
    },
    /// Another client writes a page or a meta.
    Write {
        name: usize,
        meta: bool,
        what: Foreign,
    },
    /// Rolls back a run, counted from the newest; killed as an import is.
    Rollback { back: usize, kill_us: Option<u64> },
}

#[derive(Clone, Copy, Debug)]
enum Foreign {
    Set,
    SetFor,
    Delete,
    Persist,
    Later,
    /// A new value, or the one that is there, with an expiry that passes during the sequence.
    SetSoon,
    Soon,
    Hash,
    List,
}

fn op() -> impl Strategy<Value = Op> {
    let kill = || prop_oneof![3 => Just(None), 1 => (0_u64..60_000).prop_map(Some)];
    let foreign = prop_oneof![
        Just(Foreign::Set),
        Just(Foreign::SetFor),
        Just(Foreign::Delete),
        Just(Foreign::Persist),
        Just(Foreign::Later),
        Just(Foreign::SetSoon),
        Just(Foreign::Soon),
        Just(Foreign::Hash),
        Just(Foreign::List),
    ];
    prop_oneof![
        3 => (0..NAMES, proptest::option::weighted(0.8, 0_u8..3))
            .prop_map(|(name, version)| Op::Edit { name, version }),
        3 => (any::<bool>(), prop_oneof![Just(1_u8), Just(24)], kill())
            .prop_map(|(prune, hours, kill_us)| Op::Import { prune, hours, kill_us }),
        3 => (0..NAMES, any::<bool>(), foreign)
            .prop_map(|(name, meta, what)| Op::Write { name, meta, what }),
        4 => (0_usize..4, kill()).prop_map(|(back, kill_us)| Op::Rollback { back, kill_us }),
    ]
}

/// A key that exists: type and value as the store shows them, and its absolute expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    value: String,
    expires_at: i64,
}

impl Held {
    fn is_over(&self, now_ms: i64) -> bool {
        self.expires_at >= 0 && self.expires_at <= now_ms
    }
}

type Keys = BTreeMap<String, Held>;

/// What one run did to a key: how it was, and how the run left it.
#[derive(Clone, Debug)]
struct Change {
    before: Option<Held>,
    after: Option<Held>,
}

impl Change {
    /// Only the expiry moved.
    fn is_refresh(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => before.value == after.value,
            _ => false,
        }
    }
}

struct Run {
    id: String,
    /// It may have announced changes that it did not come to make.
    killed: bool,
    changes: BTreeMap<String, Change>,
}

#[derive(Default)]
struct Tally {
    sequences: usize,
    steps: usize,
    kills: usize,
    rollbacks: usize,
}

struct Model {
    world: World,
    keys: Keys,
    runs: Vec<Run>,
}

impl Model {
    fn begin() -> Self {
        let world = World::new();
        // One that stays, so that no import is without articles.
        world.article("stays.md", "It stays.");
        Self {
            world,
            keys: Keys::new(),
            runs: Vec::new(),
        }
    }

    /// The store, as the model sees it.
    fn store(&self) -> Keys {
        let mut dump = self.world.server.dump();
        dump.remove("anp:lock");
        let keys = dump.into_iter().map(|(key, text)| {
            let (kind, rest) = text.split_once(' ').unwrap();
            let (expiry, value) = rest.split_once(' ').unwrap();
            let held = Held {
                value: format!("{kind} {value}"),
                expires_at: expiry.parse().unwrap(),
            };
            (key, held)
        });
        keys.collect()
    }

    fn now_ms(&self) -> i64 {
        let (seconds, micros): (i64, i64) = redis::cmd("TIME")
            .query(&mut self.world.server.connection())
            .unwrap();
        seconds * 1000 + micros / 1000
    }

    /// Forgets what has expired.
    fn expire(&mut self) {
        let now_ms = self.now_ms();
        self.keys.retain(|_, held| !held.is_over(now_ms));
    }

    /// Waits until no expiry is close.
    fn settle(&mut self) {
        let changes = self.runs.iter().flat_map(|run| run.changes.values());
        let owed = changes.flat_map(|change| [&change.before, &change.after]);
        let all = owed.flatten().chain(self.keys.values());
        let now_ms = self.now_ms();
        let close = all
            .map(|held| held.expires_at)
            .filter(|at| (now_ms - 50..now_ms + CLOSE_MS).contains(at))
            .max();
        if let Some(at) = close {
            let wait = (at + 50 - now_ms).max(0).unsigned_abs();
            std::thread::sleep(Duration::from_millis(wait));
        }
        self.expire();
    }

    fn step(&mut self, op: &Op, tally: &RefCell<Tally>) {
        match op {
            Op::Edit { name, version } => self.edit(*name, *version),
            Op::Write { name, meta, what } => self.write(*name, *meta, *what),
            Op::Import {
                prune,
                hours,
                kill_us,
            } => {
                let ttl = format!("{hours}h");
                let mut arguments = vec!["import", "--ttl", &ttl];
                if *prune {
                    arguments.extend(["--prune", "--force"]);
                }
                self.run(&arguments, *kill_us, tally);
            }
            Op::Rollback { back, kill_us } => {
                if *back < self.runs.len() {
                    self.rollback(self.runs.len() - 1 - back, *kill_us, tally);
                }
            }
        }
        let store = self.store();
        self.expire();
        let now_ms = self.now_ms();
        let living = |keys: &Keys| -> Keys {
            let keys = keys.iter().filter(|(_, held)| !held.is_over(now_ms));
            keys.map(|(key, held)| (key.clone(), held.clone()))
                .collect()
        };
        assert_eq!(living(&store), living(&self.keys), "after {op:?}");
    }

    fn edit(&self, name: usize, version: Option<u8>) {
        let path = format!("a/n{name}.md");
        match version {
            Some(version) => {
                self.world.article(&path, &format!("Version {version}."));
            }
            None => {
                let _ = std::fs::remove_file(self.world.path(&format!("content/{path}")));
            }
        }
    }

    fn write(&mut self, name: usize, meta: bool, what: Foreign) {
        let kind = if meta { "meta" } else { "page" };
        let key = format!("anp:{kind}:/a/n{name}/");
        let server = &self.world.server;
        let later = 4_000_000_000_000_i64;
        match what {
            Foreign::Set => drop(server.run(&["SET", &key, "theirs"])),
            Foreign::SetFor => {
                server.run(&["SET", &key, "theirs", "PXAT", &later.to_string()]);
            }
            Foreign::Delete => drop(server.run(&["DEL", &key])),
            Foreign::Persist => drop(server.run(&["PERSIST", &key])),
            Foreign::Later => drop(server.run(&["PEXPIREAT", &key, &(later + 1).to_string()])),
            Foreign::SetSoon => {
                server.run(&["SET", &key, "theirs", "PX", &SOON_MS.to_string()]);
            }
            Foreign::Soon => {
                server.run(&["PEXPIRE", &key, &SOON_MS.to_string()]);
            }
            Foreign::Hash => {
                server.run(&["DEL", &key]);
                server.run(&["HSET", &key, "field", "value"]);
            }
            Foreign::List => {
                server.run(&["DEL", &key]);
                server.run(&["RPUSH", &key, "a", "b"]);
                server.run(&["PEXPIREAT", &key, &later.to_string()]);
            }
        }
        // The effect of these commands is the server's to define.
        let now = self.store().remove(&key);
        match now {
            Some(held) => self.keys.insert(key, held),
            None => self.keys.remove(&key),
        };
    }

    /// Runs anp, to its end or until it is killed. Returns what it said if it ended.
    fn anp(&self, arguments: &[&str], kill_us: Option<u64>, tally: &RefCell<Tally>) -> Option<Ran> {
        let Some(after) = kill_us else {
            return Some(self.world.anp_with(arguments, &[]));
        };
        let mut child = self
            .world
            .bare()
            .env("ANP_REDIS_URL", self.world.server.url())
            .env("ANP_STATE_DIR", self.world.path("state"))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(after));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had sent is carried out by now, or never: one more connection is served.
        self.world.server.command("PING");
        std::thread::sleep(Duration::from_millis(2));
        tally.borrow_mut().kills += 1;
        None
    }

    /// A run, whose changes the model takes from the store. Returns what it said.
    fn run(
        &mut self,
        arguments: &[&str],
        kill_us: Option<u64>,
        tally: &RefCell<Tally>,
    ) -> Option<Ran> {
        self.settle();
        let known = self.world.runs();
        let ran = self.anp(arguments, kill_us, tally);
        let now = self.store();
        let ended = self.now_ms();
        let names: BTreeSet<&String> = self.keys.keys().chain(now.keys()).collect();
        let mut changes = BTreeMap::new();
        for key in names {
            let (before, after) = (self.keys.get(key).cloned(), now.get(key).cloned());
            let ran_out =
                after.is_none() && before.as_ref().is_some_and(|held| held.is_over(ended));
            if before != after && !ran_out {
                changes.insert(key.clone(), Change { before, after });
            }
        }
        if let Some(ran) = &ran
            && arguments[0] == "import"
        {
            ran.exits(0);
            let written = ran.of_type("key").len();
            assert_eq!(
                written,
                changes.len(),
                "each key that changed is named: {ran}"
            );
            assert_eq!(ran.counts()["conflicts"], 0, "{ran}");
            for (key, held) in &now {
                let lasts = held.expires_at > 0;
                assert!(
                    lasts || self.keys.get(key) == Some(held),
                    "{key} never expires"
                );
            }
        }
        self.keys = now;
        let new: Vec<String> = self
            .world
            .runs()
            .into_iter()
            .filter(|run| !known.contains(run))
            .collect();
        assert!(new.len() <= 1, "{new:?}");
        match new.into_iter().next() {
            Some(id) => self.runs.push(Run {
                id,
                killed: kill_us.is_some(),
                changes,
            }),
            None => assert!(changes.is_empty(), "changes without a manifest"),
        }
        ran
    }

    /// What a rollback of `run` makes of each of its keys, by what is promised; and how many
    /// of them it keeps because somebody changed them.
    fn undone(&self, run: &Run) -> (Keys, u64) {
        let now_ms = self.now_ms();
        let mut keys = self.keys.clone();
        let mut kept = 0_u64;
        let is_over = |held: &Option<Held>| held.as_ref().is_some_and(|held| held.is_over(now_ms));
        for (key, change) in &run.changes {
            let now = self.keys.get(key);
            let expiry = |held: Option<&Held>| held.map(|held| held.expires_at);
            let (is_made, is_prior) = if change.is_refresh() && now.is_some() {
                // A refresh compares the expiry alone, and restores it alone.
                (
                    expiry(now) == expiry(change.after.as_ref()),
                    expiry(now) == expiry(change.before.as_ref()),
                )
            } else {
                (now == change.after.as_ref(), now == change.before.as_ref())
            };
            let owed = change
                .before
                .clone()
                .filter(|before| !before.is_over(now_ms));
            if now.is_none() && owed.is_none() {
                // Back already.
            } else if now.is_none() && is_over(&change.after) {
                // It ran out as the run left it.
                if let Some(owed) = owed {
                    keys.insert(key.clone(), owed);
                }
            } else if is_made && owed.is_none() {
                keys.remove(key);
            } else if is_made && change.is_refresh() {
                let value = now.map(|held| held.value.clone());
                let expires_at = expiry(change.before.as_ref());
                if let (Some(value), Some(expires_at)) = (value, expires_at) {
                    keys.insert(key.clone(), Held { value, expires_at });
                }
            } else if is_made {
                keys.extend(owed.map(|owed| (key.clone(), owed)));
            } else if !is_prior {
                kept += 1;
            }
        }
        (keys, kept)
    }

    fn rollback(&mut self, index: usize, kill_us: Option<u64>, tally: &RefCell<Tally>) {
        self.settle();
        let run = &self.runs[index];
        let (id, killed) = (run.id.clone(), run.killed);
        let (back, kept) = self.undone(run);
        let before = self.keys.clone();
        let ran = self.run(&["rollback", &id], kill_us, tally);
        tally.borrow_mut().rollbacks += 1;
        let Some(ran) = ran else {
            // Each key is as it was or as the rollback makes it.
            for key in before.keys().chain(back.keys()) {
                let now = self.keys.get(key);
                let known = now == before.get(key) || now == back.get(key);
                assert!(known, "{key} after a killed rollback of {id}: {now:?}");
            }
            return;
        };
        assert_eq!(self.keys, back, "after the rollback of {id}: {ran}");
        // 3 also stands for a run that died before it had a header.
        let no_header = ran.stderr.contains("header");
        if !no_header {
            let summary = &ran.of_type("summary")[0];
            let said = summary["kept"].as_u64().unwrap();
            ran.exits(if said > 0 { 3 } else { 0 });
            // What a killed run had only announced, others may have written since.
            let is_right = said == kept || (killed && said > kept);
            assert!(is_right, "{kept} keys are to be kept: {ran}");
        }
    }
}

fn sequence(ops: &[Op], tally: &RefCell<Tally>) {
    let mut model = Model::begin();
    for op in ops {
        model.step(op, tally);
        tally.borrow_mut().steps += 1;
    }
    tally.borrow_mut().sequences += 1;
}

#[test]
fn whatever_happens_the_store_holds_what_is_promised() {
    let cases = std::env::var("MODEL").map_or(40, |text| text.parse().unwrap());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let tally = RefCell::new(Tally::default());
    let result = TestRunner::new(config).run(&proptest::collection::vec(op(), 8..25), |ops| {
        sequence(&ops, &tally);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let Tally {
        sequences,
        steps,
        kills,
        rollbacks,
    } = tally.into_inner();
    println!(
        "{sequences} sequences, {steps} steps, {kills} kills, {rollbacks} rollbacks, 0 differences"
    );
}
