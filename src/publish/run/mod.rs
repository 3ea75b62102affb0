//! A run: an execution that may write.
//!
//! It begins, in this order: file lock of the state folder, connection, id by the server's
//! clock, connections with the name of the run, lease, fence (connections of dead runs are
//! ended), manifest (header, synced). It
//! ends with a footer and gives the lease back; if it ended well, old manifests are removed.
//! A run that dies leaves the header and the intents it made durable; that is enough.

pub(crate) mod command_line;
pub mod connection;
pub(crate) mod fence;
pub(crate) mod folder_id;
pub(crate) mod folder_lock;
pub(crate) mod heartbeat;
pub mod lease;
pub(crate) mod process;
pub(crate) mod refusal;
pub(crate) mod state_files;
pub(crate) mod state_folder;
pub mod switch;
pub(crate) mod unlock;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use connection::Connected;
use folder_lock::FolderLock;
use heartbeat::{Heartbeat, rejoin};
use lease::{Holder, Lease, Part};
use process::{host, salt};
use refusal::{not_leased, switched_off};
use state_folder::{lock_for, not_writable, real};
use switch::Switch;

use super::gates::rights;
use super::keys::Keys;
use super::manifest::{FORMAT, Footer, Header, Line, Status, Writer};
use super::shards::{admission, join};
use crate::failpoint;
use crate::failure::Failure;
use crate::publish::apply::progress::Progress;
use crate::publish::history::retention::{Pruned, prune};
use crate::publish::history::runs::Runs;
use crate::publish::shards::share::Share;
use crate::settings::{KeepRuns, Settings};
use crate::store::{Address, StoreError};

/// What distinguishes one kind of run from another.
pub struct Purpose<'a> {
    /// `import`, `rollback` …
    pub command: &'static str,
    /// Where it writes.
    pub address: &'a Address,
    /// The prefix of the keys it writes.
    pub prefix: &'a str,
    /// The content tree of an import.
    pub content: Option<String>,
    /// The run it undoes.
    pub undoes: Option<String>,
    /// The header of that run.
    pub undone: Option<&'a Header>,
    /// How many bytes of the manifest of that run are skipped, because they cannot be read.
    pub skipped_bytes: Option<u64>,
    /// The fingerprint of the renderer of what it writes, if it renders.
    pub renderer: Option<[u8; 32]>,
    /// The switch that keeps it from running; none for the way back.
    pub switch: Option<Switch>,
    /// The lock of the state folder, where the caller holds it for longer than this run.
    pub folder: Option<&'a FolderLock>,
    /// The part of the articles that it is about, if it is not all.
    pub share: Option<&'a Share>,
    /// A signal asks it to end.
    pub interrupted: &'a Arc<AtomicBool>,
    /// Looked at once the lock is held, before anything is written.
    pub under_lock: Option<&'a dyn Fn() -> Result<(), Failure>>,
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
}

impl Run {
    /// Begins a run.
    ///
    /// # Errors
    /// 11 when another run holds a lock, 69 and 77 when the store is away or refuses, 74
    /// when the state folder cannot be written, 65 and 78 when a shard does not fit in with the
    /// others of its run. Nothing was written to the store then.
    pub fn begin(settings: &Settings, purpose: Purpose<'_>) -> Result<Self, Failure> {
        // A manifest may name another server and prefix than the settings do.
        let settings = &Settings {
            address: purpose.address.clone(),
            prefix: purpose.prefix.to_owned(),
            ..settings.clone()
        };
        let folder = |error: std::io::Error| not_writable(settings, &error);
        // A shard of a run that others do too: its shard, and that run.
        let joins = purpose
            .share
            .and_then(|share| Some((share.shard, share.run.as_deref()?)));
        let own_lock = match purpose.folder {
            Some(_) => None,
            None => Some(lock_for(settings, joins)?),
        };
        let runs = Runs::of(&settings.state_dir);
        let mut store = Connected::open(purpose.address, settings, purpose.interrupted)?;
        if let Some(undone) = purpose.undone {
            store.is_that_of(undone)?;
        }
        let started_at = store
            .session
            .now_ms()
            .map_err(|error| Failure::before_writing(&error))?;
        let began = Instant::now();
        let salt = salt();
        let id = match joins {
            Some((_, run)) => run.to_owned(),
            None => runs
                .new_id(started_at, (salt & 0xffff) as u16)
                .map_err(|error| Failure::unlisted_runs(runs.folder(), &error))?,
        };
        let folder_id = match purpose.folder.or(own_lock.as_ref()) {
            Some(lock) => {
                lock.name(&id).map_err(folder)?;
                lock.identity().to_owned()
            }
            None => String::new(),
        };
        let token = format!("{salt:016x}");
        let bearer = match joins {
            Some((shard, _)) => format!("{id}#{}.{token}", shard.index),
            None => id.clone(),
        };
        let name = format!("anp:{}:{bearer}", purpose.prefix);
        let settings_digest = match (purpose.share, joins) {
            (Some(share), Some(_)) => {
                share.digest(purpose.command, settings, purpose.renderer.as_ref())
            }
            _ => settings.digest(purpose.renderer.as_ref()),
        };
        let holder = Holder {
            token,
            run: id.clone(),
            owner: settings.owner.clone(),
            host: host(),
            pid: std::process::id(),
            state_dir: real(&settings.state_dir),
            folder: folder_id,
            since: started_at,
            shards: None,
            settings: None,
            shard: BTreeMap::new(),
        };
        let key = Keys::new(purpose.prefix).lock();
        store.name(name.clone())?;
        // Named, since the check may send writes; before the lock, which would stay if this user
        // may not remove it. A rollback restores as much as its rights allow.
        if purpose.undone.is_none() {
            rights::check(&mut store.session, purpose.prefix, salt)
                .map_err(|error| Failure::before_writing(&error))?;
        }
        let session = &mut store.session;
        let first = fence::ids(session).map_err(|error| Failure::before_writing(&error))?;
        let begun_at = started_at;
        // The lock is not left behind once it is asked for.
        store.connector.interrupt.finish_what_is_begun();
        let (lease, started_at) = match joins {
            Some((shard, _)) => {
                let digest = settings_digest.as_str();
                join::lease(session, &key, &holder, Part { shard, digest }, settings)
            }
            None => Lease::take(session, key.clone(), &holder)
                .map(|lease| (lease, started_at))
                .map_err(|error| not_leased(settings, purpose.prefix, &key, &error)),
        }?;
        let db = purpose.address.db;
        let greeting = rejoin(lease.clone(), name, first);
        let fenced = store.session.greet_with(greeting).and_then(|()| {
            fence::end_others(&mut store.session, purpose.prefix, db, &bearer)?;
            let server = fence::identity(&mut store.session)?;
            let heartbeat = Heartbeat::start(&store.connector, &lease)?;
            Ok((heartbeat, server))
        });
        let (heartbeat, server) = match fenced {
            Ok(begun) => begun,
            Err(error) => {
                store.session.give_up();
                let _ = lease.release(&mut store.session);
                return Err(Failure::before_writing(&error));
            }
        };
        // From here on the heartbeat ends before the lease is given back: it could take it again.
        let refuse = |mut store: Connected, heartbeat: Heartbeat, failure: Failure| {
            heartbeat.stop(store.session.has_given_up());
            let _ = lease.clone().release(&mut store.session);
            Err(failure)
        };
        // Behind the lock: a pause that comes later is seen by the first batch.
        if let Some(switch) = &purpose.switch {
            match switch.look(&mut store.session) {
                Ok(None) => {}
                Ok(Some(paused)) => {
                    let failure = switched_off(settings, switch, &paused);
                    return refuse(store, heartbeat, failure);
                }
                Err(error) => {
                    store.session.give_up();
                    return refuse(store, heartbeat, Failure::before_writing(&error));
                }
            }
        }
        let mut header = Header {
            format: FORMAT,
            anp: env!("CARGO_PKG_VERSION").to_owned(),
            run: id.clone(),
            command: purpose.command.to_owned(),
            started_at,
            owner: settings.owner.clone(),
            expected_result: settings.expected_result.clone(),
            server: purpose.address.to_string(),
            cluster: store.connector.known.ids(),
            db: purpose.address.db,
            prefix: purpose.prefix.to_owned(),
            settings_digest,
            rollback: command_line::command_line(settings, &format!("rollback {id}")),
            content: purpose.content,
            undoes: purpose.undoes,
            shard: purpose.share.map(|share| share.shard),
            attempt: joins.map(|_| 1),
            begun_at: joins.map(|_| begun_at),
            order: None,
            begun_order: None,
            skipped_bytes: purpose.skipped_bytes,
            host: holder.host,
            pid: holder.pid,
        };
        let fits = match joins {
            Some(_) => admission::fit_in(&runs, &mut header),
            None => purpose.under_lock.map_or(Ok(()), |looks| looks()),
        };
        if let Err(failure) = fits {
            return refuse(store, heartbeat, failure);
        }
        failpoint::enter("survey");
        let path = match (header.shard, header.attempt) {
            (Some(shard), Some(attempt)) => runs.part(&id, shard, attempt),
            _ => runs.file(&id),
        };
        let manifest = Writer::create(&path, &Line::Header(header.clone()));
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(error) => {
                let what = format!("cannot write the manifest {}", path.display());
                return refuse(store, heartbeat, Failure::state_folder(&what, &error));
            }
        };
        Ok(Self {
            header,
            manifest,
            lease,
            store,
            heartbeat: Some(heartbeat),
            began,
            server,
            runs,
            keep: settings.keep_runs,
            lock: own_lock,
            state_dir: settings.state_dir.clone(),
        })
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

    /// The file of the manifest.
    #[must_use]
    pub fn manifest_path(&self) -> PathBuf {
        self.manifest.path().to_owned()
    }
}
