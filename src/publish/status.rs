//! One look at everything that an operator asks first: the store, the switch, the lock, the last runs,
//! the articles and their expiries.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::keys::Keys;
use super::plan::scan::scan;
use crate::article::Route;
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::history::listing::{RunFilter, RunItem, RunList};
use crate::publish::history::owed_notification::OwedNotification;
use crate::publish::history::runs::Runs;
use crate::publish::one_line;
use crate::publish::run::connection::Connected;
use crate::publish::run::lease::Holder;
use crate::publish::run::process::{host, is_alive};
use crate::publish::run::switch::{Paused, Switch};
use crate::settings::Settings;
use crate::store::{Batch, Class, Reply, Session, StoreError};
use crate::words::{counted, with};

/// So many keys are asked for their expiry in one round trip.
const BATCH: usize = 512;

/// So often is asked how long an answer takes.
const PINGS: usize = 5;

const HOUR_MS: i64 = 3_600_000;

/// What the store says of itself, and what it holds.
#[derive(Debug)]
pub struct StoreStatus {
    /// `Redis 8.0.2`, `Valkey 8.1.1`.
    pub version: String,
    /// The shortest of some round trips.
    pub latency: Duration,
    /// Who switched publishing off, if it is.
    pub paused: Option<Paused>,
    /// Who holds the lock, if somebody does.
    pub lock: Option<LockStatus>,
    /// What it holds; none where the user may not SCAN.
    pub articles: Option<ArticleStatus>,
    /// The memory of all masters; none where the user may not ask.
    pub memory: Option<MemoryStatus>,
    /// The server's clock, ms since 1970.
    pub now_ms: i64,
}

/// Who holds the lock.
#[derive(Debug)]
pub struct LockStatus {
    /// The holder, if that can be read.
    pub holder: Option<Holder>,
    /// Whether its process was on this host, and is gone.
    pub is_dead: bool,
}

/// The published articles.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArticleStatus {
    /// How many have a page.
    pub count: u64,
    /// When the first page expires, ms since 1970.
    pub first_expiry_ms: Option<i64>,
    /// How many pages expire within an hour.
    pub within_hour: u64,
    /// How many pages expire within a day.
    pub within_day: u64,
}

/// The memory of all masters.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryStatus {
    /// What they use, in bytes.
    pub used_bytes: u64,
    /// What they may use, in bytes; none without a limit.
    pub max_bytes: Option<u64>,
}

/// All of it.
pub struct Status {
    /// The store, or why it cannot be asked.
    pub store: Result<StoreStatus, Failure>,
    /// The runs into this store and under this prefix, and those that cannot be read, newest first.
    pub runs: Vec<RunItem>,
    /// The manifests of runs whose changes the caches were not told of.
    pub owed: Vec<PathBuf>,
    /// What a person has to look at, a sentence each.
    pub needs_a_look: Vec<String>,
    /// When all this was so, by the server's clock or, without it, by ours; ms since 1970.
    pub now_ms: i64,
}

impl Status {
    /// The last run of any kind.
    #[must_use]
    pub fn last_run(&self) -> Option<&RunItem> {
        self.runs.first()
    }

    /// The last import or warm that did its work and that no rollback undid.
    #[must_use]
    pub fn last_good_import(&self) -> Option<&RunItem> {
        self.imports().find(|item| item.is_good())
    }

    /// Published articles without a source, as the last import that looked for them counted.
    #[must_use]
    pub fn orphans(&self) -> Option<u64> {
        self.imports()
            .filter(|item| item.is_good())
            .find_map(|item| {
                let manifest = item.manifest.as_ref().ok()?;
                manifest.footer()?.articles?.orphans
            })
    }

    /// 0 if all is well, 3 if somebody has to look, else what keeps the store from answering.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match &self.store {
            Err(failure) => failure.exit,
            Ok(_) if self.needs_a_look.is_empty() => Exit::Done,
            Ok(_) => Exit::Partial,
        }
    }

    fn imports(&self) -> impl Iterator<Item = &RunItem> {
        self.runs.iter().filter(|item| item.is_import())
    }

    /// Finds what a person has to look at.
    fn judge(&mut self, max_age_ms: Option<u64>) {
        let mut needs = Vec::new();
        if let Ok(store) = &self.store {
            if let Some(paused) = &store.paused {
                needs.push(format!("publishing is {paused}"));
            }
            if let Some(lock) = store.lock.as_ref().filter(|lock| lock.is_dead) {
                let run = lock.holder.as_ref().map_or("", |holder| &holder.run);
                let run = one_line(run);
                needs.push(format!(
                    "run {run} died and holds the lock; it runs out by itself"
                ));
            }
        }
        let holder = self
            .store
            .as_ref()
            .ok()
            .and_then(|store| store.lock.as_ref());
        let is_under_way = |item: &RunItem| {
            let holder = holder.and_then(|lock| lock.holder.as_ref());
            holder.is_some_and(|holder| holder.run == item.id)
        };
        let last = self.imports().find(|item| !is_under_way(item));
        if let Some(last) = last.filter(|last| last.failed()) {
            needs.push(format!("the last import, {}, failed", last.id));
        }
        // A run under way keeps its own to itself.
        let own = holder.and_then(|lock| lock.holder.as_ref());
        let is_of_holder = |file: &&PathBuf| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            own.is_some_and(|holder| name.starts_with(&holder.run))
        };
        let owed = self.owed.iter().filter(|file| !is_of_holder(file)).count() as u64;
        if owed > 0 {
            let (runs, have) = (counted(owed, "run"), with(owed, "has", "have"));
            needs.push(format!(
                "{runs} still {have} to tell the caches: anp runs notify"
            ));
        }
        if let Some(damaged) = self.runs.iter().find(|item| item.is_damaged()) {
            needs.push(format!("the manifest of run {} is damaged", damaged.id));
        }
        match self.last_good_import().map(|import| self.age_ms(import)) {
            None => {
                needs.push("no import is recorded that published and was not undone".to_owned());
            }
            Some(age) if max_age_ms.is_some_and(|most| age > most) => needs.push(format!(
                "the last good import is {} old, more than {}",
                duration::show(age),
                duration::show(max_age_ms.unwrap_or_default())
            )),
            Some(_) => {
                let articles = self.store.as_ref().ok().and_then(|store| store.articles);
                if articles.is_some_and(|articles| articles.count == 0) {
                    needs.push("the store holds no article".to_owned());
                }
            }
        }
        self.needs_a_look = needs;
    }

    /// How long ago a run started, in ms.
    #[must_use]
    pub fn age_ms(&self, item: &RunItem) -> u64 {
        u64::try_from(self.now_ms - item.started_at_ms()).unwrap_or(0)
    }
}

/// Looks at the store and at the state folder. An import that is older than `max_age_ms` is one to look
/// at.
///
/// # Errors
/// When the state folder cannot be read, or `interrupted` is set. That the store does not answer is a
/// part of the status.
pub fn status(
    settings: &Settings,
    max_age_ms: Option<u64>,
    interrupted: &Arc<AtomicBool>,
) -> Result<Status, Failure> {
    let mut runs = RunList::read(settings, RunFilter::default())?.items;
    runs.retain(|item| item.is_of(settings) || item.manifest.is_err());
    runs.reverse();
    let store = ask(settings, interrupted);
    if interrupted.load(Ordering::Relaxed) {
        return Err(Failure::interrupted());
    }
    let here = |_: &Failure| jiff::Timestamp::now().as_millisecond();
    // Also where the settings name no cache any more: what is owed does not go by itself.
    let owed = OwedNotification::all(&Runs::of(&settings.state_dir)).unwrap_or_default();
    let mut status = Status {
        owed,
        now_ms: store.as_ref().map_or_else(here, |store| store.now_ms),
        store,
        runs,
        needs_a_look: Vec::new(),
    };
    status.judge(max_age_ms);
    Ok(status)
}

fn ask(settings: &Settings, interrupted: &Arc<AtomicBool>) -> Result<StoreStatus, Failure> {
    let before = |error: StoreError| Failure::of_reading(&error);
    let mut store = Connected::open_to_read(&settings.address, settings, interrupted)?;
    let session = &mut store.session;
    let keys = Keys::new(&settings.prefix);
    let latency = latency(session).map_err(before)?;
    let now_ms = session.now_ms().map_err(before)?;
    Ok(StoreStatus {
        version: permitted(version(session))
            .map_err(before)?
            .unwrap_or_default(),
        latency,
        paused: Switch::of(&settings.prefix).look(session).map_err(before)?,
        lock: lock(session, &keys).map_err(before)?,
        articles: permitted(articles(session, &keys, now_ms)).map_err(before)?,
        memory: permitted(memory(session)).map_err(before)?,
        now_ms,
    })
}

/// None where the user may not ask.
fn permitted<T>(answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match answer {
        Err(error) if error.class == Class::Never => Ok(None),
        other => other.map(Some),
    }
}

/// The shortest of some round trips: the longer ones waited for something else.
fn latency(session: &mut Session) -> Result<Duration, StoreError> {
    let mut shortest = Duration::MAX;
    for _ in 0..PINGS {
        let asked = Instant::now();
        session.now_ms()?;
        shortest = shortest.min(asked.elapsed());
    }
    Ok(shortest)
}

fn version(session: &mut Session) -> Result<String, StoreError> {
    let doing = "asking the server for its version";
    let versions = session.on_each_master(&mut |one| {
        let reply = one.command(&[b"INFO", b"server"], doing)?;
        let Some(info) = reply.lossy() else {
            return reply.fail(doing);
        };
        let valkey = field(&info, "valkey_version").map(|version| format!("Valkey {version}"));
        let redis = || field(&info, "redis_version").map(|version| format!("Redis {version}"));
        Ok(valkey.or_else(redis).unwrap_or_default())
    })?;
    // Those of a cluster may differ while it is upgraded.
    let versions: BTreeSet<String> = versions.into_iter().map(|text| one_line(&text)).collect();
    Ok(Vec::from_iter(versions).join(", "))
}

fn memory(session: &mut Session) -> Result<MemoryStatus, StoreError> {
    let doing = "asking the server for its memory";
    let masters = session.on_each_master(&mut |one| {
        let reply = one.command(&[b"INFO", b"memory"], doing)?;
        let Some(info) = reply.lossy() else {
            return reply.fail(doing);
        };
        let number = |name| field(&info, name)?.parse::<u64>().ok();
        Ok((number("used_memory"), number("maxmemory")))
    })?;
    let max = masters.iter().map(|(_, max)| max.filter(|max| *max > 0));
    Ok(MemoryStatus {
        used_bytes: masters.iter().filter_map(|(used, _)| *used).sum(),
        max_bytes: max.sum(),
    })
}

fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    let value = |line: &'i str| line.strip_prefix(name)?.strip_prefix(':');
    info.lines().find_map(value).map(str::trim)
}

fn lock(session: &mut Session, keys: &Keys) -> Result<Option<LockStatus>, StoreError> {
    let doing = "looking at the lock";
    let mut batch = Batch::default();
    batch.push(&[b"GET", keys.lock().as_bytes()]);
    let value = match session.run(&batch, doing)?.pop().unwrap_or(Reply::Nil) {
        Reply::Nil => return Ok(None),
        Reply::Bulk(value) => value,
        Reply::Error { code, .. } if code == "WRONGTYPE" => Vec::new(),
        other => return other.fail(doing),
    };
    let holder: Option<Holder> = serde_json::from_slice(&value).ok();
    let is_gone =
        |holder: &Holder| holder.shard.is_empty() && holder.host == host() && !is_alive(holder.pid);
    Ok(Some(LockStatus {
        is_dead: holder.as_ref().is_some_and(is_gone),
        holder,
    }))
}

fn articles(session: &mut Session, keys: &Keys, now_ms: i64) -> Result<ArticleStatus, StoreError> {
    let doing = "looking at expiries";
    let routes = scan(session, keys)?;
    let routes: Vec<&Route> = routes.iter().collect();
    let mut status = ArticleStatus::default();
    for chunk in routes.chunks(BATCH) {
        session.goes_on(doing)?;
        let mut batch = Batch::default();
        for route in chunk {
            batch.push(&[b"PEXPIRETIME", keys.page(route).as_bytes()]);
        }
        for reply in session.run(&batch, doing)? {
            let at = match reply {
                // It is gone by now, or it is a meta object without its page.
                Reply::Int(-2) => continue,
                Reply::Int(at) => at,
                other => return other.fail(doing),
            };
            status.count += 1;
            if at >= 0 {
                let first = status.first_expiry_ms.map_or(at, |first| first.min(at));
                status.first_expiry_ms = Some(first);
                status.within_hour += u64::from(at < now_ms + HOUR_MS);
                status.within_day += u64::from(at < now_ms + 24 * HOUR_MS);
            }
        }
    }
    Ok(status)
}
