//! A run: an execution that may write.
//!
//! It begins, in this order: file lock of the state folder, connection, id by the server's
//! clock, connections with the name of the run, lease, fence (connections of dead runs are
//! ended), manifest (header, synced). It
//! ends with a footer and gives the lease back; if it ended well, old manifests are removed.
//! A run that dies leaves the header and the intents it made durable; that is enough.

pub(crate) mod command_line;
pub(crate) mod connection;
pub(crate) mod fence;
pub(crate) mod folder_id;
pub(crate) mod folder_lock;
pub(crate) mod heartbeat;
pub mod lease;
pub(crate) mod process;
pub(crate) mod refusal;
pub(crate) mod state_files;
pub(crate) mod state_folder;
pub(crate) mod switch;
pub(crate) mod unlock;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use connection::Connected;
use fence::Ids;
use folder_lock::FolderLock;
use heartbeat::{Heartbeat, rejoin};
use lease::{Holder, Lease, ShardClaim};
use process::{host, salt, user};
use refusal::{not_leased, switched_off};
use state_folder::{lock_for, not_writable, real};
use switch::Switch;

use super::apply::{RunContext, RunRecord};
use super::gates::rights;
use super::keys::Keys;
use super::manifest::{FORMAT, Footer, Header, Line, Status, Writer};
use super::shards::{admission, join};
use crate::failpoint;
use crate::failure::Failure;
use crate::publish::apply::progress::Progress;
use crate::publish::history::owed_notification::OwedNotification;
use crate::publish::history::retention::{Pruned, prune};
use crate::publish::history::runs::Runs;
use crate::publish::shards::shard::Shard;
use crate::publish::shards::share::Share;
use crate::settings::{KeepRuns, Settings};
use crate::store::{Address, StoreError};

/// What a run is for, and where it writes.
pub struct RunPurpose<'a> {
    /// `import`, `rollback` …
    pub command: &'static str,
    /// Where it writes.
    pub address: &'a Address,
    /// The prefix of the keys it writes.
    pub prefix: &'a str,
    /// The lock of the state folder, where the caller holds it for longer than this run.
    pub folder: Option<&'a FolderLock>,
    /// A signal asks it to end.
    pub interrupted: &'a Arc<AtomicBool>,
    /// To publish, or to undo.
    pub goal: Goal<'a>,
}

/// What distinguishes a run that publishes from one that undoes.
pub enum Goal<'a> {
    /// It publishes.
    Publish {
        /// The content tree of an import.
        content: Option<&'a str>,
        /// The fingerprint of the renderer of what it writes, if it renders.
        renderer: Option<[u8; 32]>,
        /// The switch that keeps it from running, if one does.
        switch: Option<&'a Switch>,
        /// The part of the articles that it is about, if it is not all.
        share: Option<&'a Share>,
    },
    /// It undoes a run. The way back is always open.
    Undo {
        /// The header of that run.
        header: &'a Header,
        /// How many bytes of its manifest are skipped, because they cannot be read.
        skipped_bytes: Option<u64>,
        /// Looks at its files once the lock is held, before anything is written.
        under_lock: &'a dyn Fn() -> Result<(), Failure>,
    },
}

impl<'a> RunPurpose<'a> {
    /// The part of the articles that it is about.
    fn share(&self) -> Option<&'a Share> {
        match self.goal {
            Goal::Publish { share, .. } => share,
            Goal::Undo { .. } => None,
        }
    }

    /// Of a shard of a run that others do too: its shard, and that run.
    fn joins(&self) -> Option<(Shard, &'a str)> {
        let share = self.share()?;
        Some((share.shard, share.run.as_deref()?))
    }

    fn renderer(&self) -> Option<&[u8; 32]> {
        match &self.goal {
            Goal::Publish { renderer, .. } => renderer.as_ref(),
            Goal::Undo { .. } => None,
        }
    }
}

/// A run that is about to begin.
struct Beginning<'a> {
    settings: &'a Settings,
    purpose: &'a RunPurpose<'a>,
    /// Whether readers see what it changes, and something is to be done after it.
    notifies: bool,
    runs: Runs,
    store: Connected,
    /// Who it is, as the lock tells it.
    holder: Holder,
    /// Its name among the connections: the run, or the start of a shard.
    bearer: String,
    settings_digest: String,
    /// When this process began, by the server's clock, ms since 1970.
    begun_at: i64,
    /// When the run began: with the first of its shards.
    started_at: i64,
}

impl<'a> Beginning<'a> {
    /// Connects under the name of the run, which has its id then. Returns the ids of the connections
    /// too.
    fn connect(
        settings: &'a Settings,
        purpose: &'a RunPurpose<'a>,
        notifies: bool,
        own_lock: Option<&FolderLock>,
    ) -> Result<(Self, Ids), Failure> {
        let before = |error: StoreError| Failure::before_writing(&error);
        let runs = Runs::of(&settings.state_dir);
        let mut store = Connected::open(purpose.address, settings, purpose.interrupted)?;
        if let Goal::Undo { header, .. } = purpose.goal {
            store.is_that_of(header)?;
        }
        let begun_at = store.session.now_ms().map_err(before)?;
        let salt = salt();
        let run = match purpose.joins() {
            Some((_, run)) => run.to_owned(),
            None => runs
                .new_id(begun_at, (salt & 0xffff) as u16)
                .map_err(|error| Failure::unlisted_runs(runs.folder(), &error))?,
        };
        let folder = match purpose.folder.or(own_lock) {
            Some(lock) => {
                let named = lock.name(&run);
                named.map_err(|error| not_writable(settings, &error))?;
                lock.identity().to_owned()
            }
            None => String::new(),
        };
        let holder = holder(settings, &run, folder, begun_at, salt);
        let bearer = match purpose.joins() {
            Some((shard, _)) => format!("{run}#{}.{}", shard.index, holder.token),
            None => run,
        };
        let settings_digest = match (purpose.share(), purpose.joins()) {
            (Some(share), Some(_)) => share.digest(purpose.command, settings, purpose.renderer()),
            _ => settings.digest(purpose.renderer()),
        };
        let mut beginning = Self {
            settings,
            purpose,
            notifies,
            runs,
            store,
            holder,
            bearer,
            settings_digest,
            begun_at,
            started_at: begun_at,
        };
        beginning.store.name(beginning.connection_name())?;
        // Named, since the check may send writes; before the lock, which would stay if this user
        // may not remove it. A rollback restores as much as its rights allow.
        let session = &mut beginning.store.session;
        if matches!(purpose.goal, Goal::Publish { .. }) {
            let archive = &settings.archive;
            let kinds = (archive.is_of_many(), archive.text);
            rights::check(session, purpose.prefix, salt, kinds).map_err(before)?;
        }
        let connections = fence::ids(session).map_err(before)?;
        Ok((beginning, connections))
    }

    fn connection_name(&self) -> String {
        format!("anp:{}:{}", self.purpose.prefix, self.bearer)
    }

    fn take_lease(&mut self) -> Result<Lease, Failure> {
        let key = Keys::new(self.purpose.prefix).lock();
        // The lock is not left behind once it is asked for.
        self.store.connector.interrupt.finish_what_is_begun();
        let session = &mut self.store.session;
        let Some((shard, _)) = self.purpose.joins() else {
            return Lease::take(session, key.clone(), &self.holder)
                .map_err(|error| not_leased(self.settings, self.purpose.prefix, &key, &error));
        };
        let digest = self.settings_digest.as_str();
        let part = ShardClaim { shard, digest };
        let (lease, started_at) = join::lease(session, &key, &self.holder, part, self.settings)?;
        self.started_at = started_at;
        Ok(lease)
    }

    /// Ends the connections of dead runs, and starts to keep the lease. Returns who answers, too.
    fn fence(
        &mut self,
        lease: &Lease,
        connections: Ids,
    ) -> Result<(Heartbeat, String), StoreError> {
        let greeting = rejoin(lease.clone(), self.connection_name(), connections);
        let RunPurpose {
            prefix, address, ..
        } = self.purpose;
        let session = &mut self.store.session;
        session.greet_with(greeting)?;
        fence::end_others(session, prefix, address.db, &self.bearer)?;
        let server = fence::identity(session)?;
        let heartbeat = Heartbeat::start(&self.store.connector, lease)?;
        Ok((heartbeat, server))
    }

    /// Writes the header of the manifest, if nothing speaks against the run.
    fn record(&mut self) -> Result<(Header, Writer, Option<OwedNotification>), Failure> {
        self.is_switched_on()?;
        let mut header = self.header();
        match (&self.purpose.goal, self.purpose.joins()) {
            (_, Some(_)) => admission::fit_in(&self.runs, &mut header)?,
            (Goal::Undo { under_lock, .. }, None) => under_lock()?,
            (Goal::Publish { .. }, None) => {}
        }
        failpoint::enter("survey");
        let path = match (header.shard, header.attempt) {
            (Some(shard), Some(attempt)) => self.runs.part(&header.run, shard, attempt),
            _ => self.runs.file(&header.run),
        };
        let manifest = Writer::create(&path, &Line::Header(header.clone()));
        let manifest = manifest.map_err(|error| {
            let what = format!("cannot write the manifest {}", path.display());
            Failure::state_folder(&what, &error)
        })?;
        let owed = self.notifies.then(|| OwedNotification::create(&path));
        let owed = owed.transpose().map_err(|error| {
            let what = format!("cannot write beside the manifest {}", path.display());
            Failure::state_folder(&what, &error)
        })?;
        Ok((header, manifest, owed))
    }

    /// Behind the lock: a pause that comes later is seen by the first batch.
    fn is_switched_on(&mut self) -> Result<(), Failure> {
        let Goal::Publish {
            switch: Some(switch),
            ..
        } = self.purpose.goal
        else {
            return Ok(());
        };
        match switch.look(&mut self.store.session) {
            Ok(None) => Ok(()),
            Ok(Some(paused)) => Err(switched_off(self.settings, switch, &paused)),
            Err(error) => {
                self.store.session.give_up();
                Err(Failure::before_writing(&error))
            }
        }
    }

    fn header(&self) -> Header {
        let Self {
            settings, purpose, ..
        } = self;
        let joins = purpose.joins().is_some();
        let run = self.holder.run.clone();
        let (content, undoes, skipped_bytes) = match purpose.goal {
            Goal::Publish { content, .. } => (content.map(str::to_owned), None, None),
            Goal::Undo {
                header,
                skipped_bytes,
                ..
            } => (None, Some(header.run.clone()), skipped_bytes),
        };
        Header {
            format: FORMAT,
            anp: env!("CARGO_PKG_VERSION").to_owned(),
            command: purpose.command.to_owned(),
            started_at: self.started_at,
            owner: settings.owner.clone(),
            expected_result: settings.expected_result.clone(),
            server: purpose.address.to_string(),
            cluster: self.store.connector.known.ids(),
            db: purpose.address.db,
            prefix: purpose.prefix.to_owned(),
            settings_digest: self.settings_digest.clone(),
            rollback: command_line::command_line(settings, &format!("rollback {run}")),
            run,
            content,
            undoes,
            shard: purpose.share().map(|share| share.shard),
            attempt: joins.then_some(1),
            begun_at: joins.then_some(self.begun_at),
            order: None,
            begun_order: None,
            skipped_bytes,
            user: Some(user()),
            host: self.holder.host.clone(),
            pid: self.holder.pid,
        }
    }
}

/// Whether something is to be done after the run: it is about the pages of the site of the settings.
fn notifies(settings: &Settings, purpose: &RunPurpose<'_>) -> bool {
    let is_there = !settings.address_is_set || purpose.address.same_as(&settings.address);
    settings.after.is_on() && settings.prefix == purpose.prefix && is_there
}

/// This process, as the lock of `run` tells it.
fn holder(settings: &Settings, run: &str, folder: String, since: i64, salt: u64) -> Holder {
    Holder {
        token: format!("{salt:016x}"),
        run: run.to_owned(),
        owner: settings.owner.clone(),
        host: host(),
        pid: std::process::id(),
        state_dir: real(&settings.state_dir),
        folder,
        since,
        shards: None,
        settings: None,
        shard: BTreeMap::new(),
    }
}

/// A run under way.
pub struct Run {
    /// Its header, as it stands in the manifest.
    pub header: Header,
    /// Its record.
    pub manifest: Writer,
    /// The right to write.
    pub lease: Lease,
    /// The store.
    pub store: Connected,
    heartbeat: Option<Heartbeat>,
    began: Instant,
    /// Who answered when it was looked at last.
    server: String,
    runs: Runs,
    keep: KeepRuns,
    lock: Option<FolderLock>,
    state_dir: PathBuf,
    /// Held until its end, so that no other process sends it before.
    _owed: Option<OwedNotification>,
}

impl Run {
    /// Begins a run, in the order that the module tells.
    ///
    /// # Errors
    /// 11 when another run holds a lock, 69 and 77 when the store is away or refuses, 74
    /// when the state folder cannot be written, 65 and 78 when a shard does not fit in with the
    /// others of its run. Nothing was written to the store then.
    pub fn begin(settings: &Settings, purpose: &RunPurpose<'_>) -> Result<Self, Failure> {
        let notifies = notifies(settings, purpose);
        // A manifest may name another server and prefix than the settings do.
        let settings = &Settings {
            address: purpose.address.clone(),
            prefix: purpose.prefix.to_owned(),
            ..settings.clone()
        };
        let lock = match purpose.folder {
            Some(_) => None,
            None => Some(lock_for(settings, purpose.joins())?),
        };
        let (mut beginning, connections) =
            Beginning::connect(settings, purpose, notifies, lock.as_ref())?;
        let began = Instant::now();
        let lease = beginning.take_lease()?;
        let fenced = beginning.fence(&lease, connections);
        let (heartbeat, server) = match fenced {
            Ok(fenced) => fenced,
            Err(error) => {
                beginning.store.session.give_up();
                let _ = lease.release(&mut beginning.store.session);
                return Err(Failure::before_writing(&error));
            }
        };
        match beginning.record() {
            Ok((header, manifest, owed)) => Ok(Self {
                header,
                manifest,
                lease,
                store: beginning.store,
                heartbeat: Some(heartbeat),
                began,
                server,
                runs: beginning.runs,
                keep: settings.keep_runs,
                lock,
                state_dir: settings.state_dir.clone(),
                _owed: owed,
            }),
            Err(failure) => {
                // The heartbeat ends before the lease is given back: it could take it again.
                heartbeat.stop(beginning.store.session.has_given_up());
                let _ = lease.release(&mut beginning.store.session);
                Err(failure)
            }
        }
    }

    /// Ends the run: outcomes not yet recorded, the footer, the lease given back, and if it
    /// ended well, old manifests removed.
    ///
    /// # Errors
    /// When the footer cannot be written. Every intent is durable all the same.
    pub fn end(mut self, status: Status, progress: Progress) -> std::io::Result<Pruned> {
        failpoint::enter("end");
        let session = &mut self.store.session;
        if let Some(heartbeat) = self.heartbeat.take() {
            heartbeat.stop(session.has_given_up());
        }
        let ended_at = session.now_ms().unwrap_or_else(|_| {
            let took = i64::try_from(self.began.elapsed().as_millis());
            self.header.started_at.saturating_add(took.unwrap_or(0))
        });
        let mut lines = progress.outcomes;
        lines.push(Line::Footer(Footer {
            status,
            ended_at,
            counts: progress.counts,
            articles: Some(progress.articles.counts),
        }));
        let written = self.manifest.append(&lines);
        // A lease that cannot be given back runs out by itself.
        let _ = self.lease.release(&mut self.store.session);
        failpoint::at("lease", "released")?;
        written?;
        let tidying = match &self.lock {
            Some(lock) => lock.tidying(&self.state_dir).map(Some),
            None => Some(None),
        };
        Ok(match status {
            Status::Done | Status::Partial if tidying.is_some() => {
                prune(&self.runs, self.keep, ended_at, &self.header.run)
            }
            _ => Pruned::default(),
        })
    }

    /// Whether another server answers than when the run began, or at the last call: one that
    /// was started again, took the place of the first, or was its replica for a while.
    ///
    /// # Errors
    /// When none answers.
    pub fn server_was_replaced(&mut self) -> Result<bool, StoreError> {
        self.store.session.find_anew()?;
        let now = fence::identity(&mut self.store.session)?;
        let before = std::mem::replace(&mut self.server, now);
        Ok(before != self.server)
    }

    /// What it writes with, until `interrupted` is set.
    pub fn context<'a>(&'a mut self, interrupted: &'a AtomicBool) -> RunContext<'a> {
        RunContext {
            slack_ms: self.store.connector.address.expiry_slack_ms(),
            session: &mut self.store.session,
            record: Some(RunRecord {
                manifest: &mut self.manifest,
                lease: &self.lease,
            }),
            interrupted,
        }
    }

    /// The file of the manifest.
    #[must_use]
    pub fn manifest_path(&self) -> PathBuf {
        self.manifest.path().to_owned()
    }
}
