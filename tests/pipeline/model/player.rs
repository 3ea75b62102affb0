//! Plays a sequence against a real server through the real binary, and compares the store
//! with the model after each step.

use std::collections::BTreeMap;
use std::fmt;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use super::held::{self, Keyspace, living};
use super::ops::{ARTICLES, Content, Kill, Op, ROUTES};
use super::oracle::{Intent, Kind, Model, folder, keys_of};
use super::outside;
use super::tap::Tap;
use crate::support::{Ran, World, format_of};

/// A run begins only where nothing expires within this time.
const RUN_MS: i64 = 250;

/// Why a sequence ends early.
pub enum End {
    /// Store and model differ.
    Differs(String),
    /// Something expired in the middle of a run: then nobody can tell what is due.
    TooLate,
}

pub type Step = Result<(), End>;

pub fn differs<T>(what: impl Into<String>) -> Result<T, End> {
    Err(End::Differs(what.into()))
}

/// What was played.
#[derive(Clone, Copy, Debug, Default)]
pub struct Played {
    pub sequences: u64,
    pub steps: u64,
    pub imports: u64,
    pub rollbacks: u64,
    pub kills: u64,
    /// Kills after which some of the keys of a run were written, and some were not.
    pub halves: u64,
    /// Keys that rollbacks brought back or removed.
    pub back: u64,
    /// Keys that rollbacks kept, since somebody had changed them.
    pub kept: u64,
    pub outside: u64,
    pub too_late: u64,
}

impl Played {
    pub fn add(&mut self, other: &Self) {
        self.sequences += other.sequences;
        self.steps += other.steps;
        self.imports += other.imports;
        self.rollbacks += other.rollbacks;
        self.kills += other.kills;
        self.halves += other.halves;
        self.back += other.back;
        self.kept += other.kept;
        self.outside += other.outside;
        self.too_late += other.too_late;
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sequences, {} steps, {} imports, {} rollbacks, {} kills ({} with some keys \
             written and some not), {} keys brought back, {} kept, {} writes of others, {} \
             sequences cut short",
            self.sequences,
            self.steps,
            self.imports,
            self.rollbacks,
            self.kills,
            self.halves,
            self.back,
            self.kept,
            self.outside,
            self.too_late
        )
    }
}

/// What must be the same each time.
#[derive(Default)]
pub struct Known {
    pub digests: BTreeMap<(usize, Content), String>,
    pub pages: BTreeMap<(usize, Content), String>,
    /// How far the expiry of a route deviates from a ttl.
    pub spreads: BTreeMap<(usize, i64), i64>,
}

pub struct Player {
    pub world: World,
    pub model: Model,
    pub played: Played,
    pub known: Known,
    tap: Tap,
    connection: redis::Connection,
    /// How many bytes the last import and the last rollback sent.
    bytes: [u64; 2],
}

/// A run of anp that has ended, by itself or not.
pub struct Driven {
    pub ran: Ran,
    pub killed: bool,
    /// Its first line, if that announces a run.
    pub run: Option<serde_json::Value>,
    /// The id of the manifest that it made.
    pub id: Option<String>,
    /// Just before it.
    pub before_ms: i64,
    /// The store after it.
    pub found: Keyspace,
}

impl Player {
    pub fn new() -> Self {
        let world = World::new();
        let tap = Tap::before(&world.server.socket(), world.folder.path());
        let connection = world.server.connection();
        Self {
            world,
            model: Model::default(),
            played: Played::default(),
            known: Known::default(),
            tap,
            connection,
            bytes: [6000; 2],
        }
    }

    /// Plays a sequence from an empty store.
    pub fn play(&mut self, ops: &[Op]) -> Result<(), String> {
        self.clear();
        self.played.sequences += 1;
        for (number, op) in ops.iter().enumerate() {
            self.played.steps += 1;
            match self.step(op) {
                Ok(()) => {}
                Err(End::TooLate) => {
                    self.played.too_late += 1;
                    return Ok(());
                }
                Err(End::Differs(what)) => return Err(format!("step {number}, {op:?}: {what}")),
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        let mut flush = redis::cmd("FLUSHALL");
        flush.arg("SYNC").query::<()>(&mut self.connection).unwrap();
        for folder in ["state", "content"] {
            let _ = std::fs::remove_dir_all(self.world.path(folder));
        }
        self.model = Model::default();
        for article in 0..ARTICLES {
            self.edit(article, Some(Content::Text(0)));
        }
    }

    fn step(&mut self, op: &Op) -> Step {
        match op {
            Op::Edit { article, content } => {
                self.edit(*article, *content);
                Ok(())
            }
            Op::Import { ttl, prune, kill } => self.import(*ttl, *prune, *kill),
            Op::Rollback { run, kill } => self.rollback(*run, *kill),
            Op::Outside { route, object, act } => {
                self.played.outside += 1;
                let key = &keys_of(*route)[*object as usize];
                outside::act(&mut self.model, &mut self.connection, key, *act)
            }
            Op::Wait => self.wait_for(2_000),
            Op::Outlive => self.wait_for(70_000),
        }
    }

    fn edit(&mut self, article: usize, content: Option<Content>) {
        let route = ROUTES[article];
        let relative = format!("content{}.md", route.trim_end_matches('/'));
        if let Some(content) = content {
            self.world.write(&relative, content.source(route));
            self.model.tree.insert(article, content);
            self.model.folders.extend(folder(article));
        } else {
            let _ = std::fs::remove_file(self.world.path(&relative));
            self.model.tree.remove(&article);
        }
    }

    /// Every time at which a key expires, or what is due to a run changes.
    fn moments(&self) -> Vec<i64> {
        let keys = self.model.keys.values().filter_map(|held| held.expires_at);
        let intents = self.model.runs.iter().flat_map(|run| &run.intents);
        keys.chain(intents.flat_map(Intent::moments)).collect()
    }

    /// The last of them within `ms`, and the time.
    fn last_within(&mut self, ms: i64) -> Option<(i64, i64)> {
        let now_ms = held::now_ms(&mut self.connection);
        let moments = self.moments().into_iter();
        let last = moments
            .filter(|at| (now_ms..now_ms + ms).contains(at))
            .max();
        last.map(|at| (at, now_ms))
    }

    /// Waits for what expires within `ms`.
    fn wait_for(&mut self, ms: i64) -> Step {
        if let Some((at, now_ms)) = self.last_within(ms) {
            let left = (at - now_ms).unsigned_abs();
            std::thread::sleep(Duration::from_millis(left + 2));
        }
        let mut found = held::read(&mut self.connection);
        found.remove("anp:lock");
        self.compare(&self.model.keys.clone(), &found)
    }

    /// What is expected is what is there; the model takes it over.
    pub fn compare(&mut self, expected: &Keyspace, found: &Keyspace) -> Step {
        let now_ms = held::now_ms(&mut self.connection);
        let (expected, found) = (living(expected, now_ms), living(found, now_ms));
        if expected != found {
            let difference = held::difference(&expected, &found);
            return differs(format!("the store is not as due at {now_ms}\n{difference}"));
        }
        self.model.now_holds(found);
        Ok(())
    }

    /// Runs anp to its end, or kills it.
    pub fn drive(
        &mut self,
        kind: Kind,
        arguments: &[&str],
        kill: Option<Kill>,
    ) -> Result<Driven, End> {
        let runs = self.world.runs();
        while self.last_within(RUN_MS).is_some() {
            self.wait_for(RUN_MS)?;
        }
        let before_ms = held::now_ms(&mut self.connection);
        self.model.keys = living(&self.model.keys, before_ms);
        let budget = match kill {
            Some(Kill::AtPermille(permille)) => Some(self.bytes[kind as usize] * permille / 1000),
            _ => None,
        };
        self.tap.open(budget);
        let (output, killed) = self.spawn(arguments, kill);
        if killed {
            self.played.kills += 1;
            self.await_silence();
        } else if budget.is_none() {
            self.bytes[kind as usize] = self.tap.passed();
        }
        let ran = Ran {
            line: format!("anp {}", arguments.join(" ")),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let mut found = held::read(&mut self.connection);
        let lock = found.remove("anp:lock");
        let after_ms = held::now_ms(&mut self.connection);
        let now = before_ms..=after_ms;
        if self.moments().iter().any(|at| now.contains(at)) {
            return Err(End::TooLate);
        }
        let first = ran.stdout.lines().next();
        let run = first.and_then(|line| serde_json::from_str(line).ok());
        let run = run.filter(|line: &serde_json::Value| line["type"] == "run");
        // The lock of a killed run stays until the next one takes it over.
        if lock.is_some() && !killed && run.is_some() {
            return differs(format!("the lock stays: {ran}"));
        }
        let id = match self.world.runs().strip_prefix(&runs[..]) {
            Some([]) => None,
            Some([id]) => Some(id.clone()),
            _ => return differs(format!("more than one manifest came or went: {ran}")),
        };
        let announced = run.as_ref().and_then(|run| run["run"].as_str());
        if announced != id.as_deref() && (announced.is_some() || !killed) {
            return differs(format!("announced {announced:?}, made {id:?}: {ran}"));
        }
        Ok(Driven {
            ran,
            killed,
            run,
            id,
            before_ms,
            found,
        })
    }

    fn spawn(&self, arguments: &[&str], kill: Option<Kill>) -> (Output, bool) {
        let mut child = self
            .world
            .bare()
            .env("ANP_REDIS_URL", self.tap.url())
            .env("ANP_STATE_DIR", self.world.path("state"))
            .args(arguments)
            .args(format_of(arguments))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let limit = match kill {
            Some(Kill::AfterMs(ms)) => Duration::from_millis(ms),
            _ => Duration::from_secs(60),
        };
        let mut killed = false;
        while kill.is_some() && child.try_wait().unwrap().is_none() {
            if self.tap.is_dry() || started.elapsed() >= limit {
                // It may end in this very moment: its exit code tells.
                child.kill().unwrap();
                killed = child.wait().unwrap().code().is_none();
                break;
            }
            std::thread::sleep(Duration::from_micros(300));
        }
        (child.wait_with_output().unwrap(), killed)
    }

    /// Waits until the server has done all that a dead client sent.
    fn await_silence(&mut self) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let mut command = redis::cmd("CLIENT");
            let clients: String = command.arg("LIST").query(&mut self.connection).unwrap();
            if clients.lines().count() == 1 {
                return;
            }
            assert!(Instant::now() < until, "clients stay: {clients}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The keys but some of them are as they were.
pub fn others_unchanged(before: &Keyspace, after: &Keyspace, but: &[&str], ran: &Ran) -> Step {
    let others = |keys: &Keyspace| {
        let mut keys = keys.clone();
        keys.retain(|key, _| !but.contains(&key.as_str()));
        keys
    };
    let (before, after) = (others(before), others(after));
    if before == after {
        return Ok(());
    }
    let difference = held::difference(&before, &after);
    differs(format!(
        "keys changed that are not its own\n{difference}{ran}"
    ))
}
