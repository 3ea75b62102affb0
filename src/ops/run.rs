//! A run: an execution that may write.
//!
//! It begins, in this order: file lock of the state folder, connection, id by the server's
//! clock, lease, fence (connections of dead runs are ended), manifest (header, synced). It
//! ends with a footer and gives the lease back; if it ended well, old manifests are removed.
//! A run that dies leaves the header and the intents it made durable; that is enough.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::connect::{Connected, host, program, shell_word};
use super::fence;
use super::keep::{Pruned, prune};
use super::lock::{FolderLock, NotTaken};
use super::runs::Runs;
use crate::exit::Exit;
use crate::failpoint;
use crate::failure::Failure;
use crate::publish::apply::Progress;
use crate::publish::lease::{Holder, LENGTH, Lease, LeaseError};
use crate::publish::manifest::{FORMAT, Footer, Header, Line, Status, Writer};
use crate::publish::plan::Keys;
use crate::publish::switch::{Paused, Switch};
use crate::settings::{KeepRuns, Settings};
use crate::store::{Address, Class, Connector, Greeting, Place, Session, StoreError};

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
    /// The switch that keeps it from running; none for the way back.
    pub switch: Option<Switch>,
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
    runs: Runs,
    keep: KeepRuns,
    _lock: FolderLock,
}

impl Run {
    /// Begins a run.
    ///
    /// # Errors
    /// 11 when another run holds a lock, 69 and 77 when the store is away or refuses, 74
    /// when the state folder cannot be written. Nothing was written to the store then.
    pub fn begin(settings: &Settings, purpose: Purpose<'_>) -> Result<Self, Failure> {
        let state_dir = &settings.state_dir;
        let shown = state_dir.display();
        let folder = |error: &std::io::Error| {
            Failure::state_folder(&format!("cannot write the state folder {shown}"), error)
        };
        let runs = Runs::of(state_dir);
        runs.make_folder().map_err(|error| folder(&error))?;
        let owner = settings.owner.as_deref();
        let mut lock = FolderLock::take(state_dir, owner).map_err(|error| match error {
            NotTaken::Io(error) => folder(&error),
            NotTaken::Held(holder) => {
                let who = holder.map_or(String::new(), |holder| format!(", {holder}"));
                let what =
                    format!("another anp process is writing with the state folder {shown}{who}");
                locked(what, "once it has ended")
            }
        })?;
        let mut store = Connected::open(purpose.address, settings)?;
        let started_at = store
            .session
            .now_ms()
            .map_err(|error| Failure::before_writing(&error))?;
        let salt = salt();
        let id = runs
            .new_id(started_at, (salt & 0xffff) as u16)
            .map_err(|error| folder(&error))?;
        lock.name(&id).map_err(|error| folder(&error))?;
        let name = format!("anp:{}:{id}", purpose.prefix);
        let holder = Holder {
            token: format!("{salt:016x}"),
            run: id.clone(),
            owner: settings.owner.clone(),
            host: host(),
            pid: std::process::id(),
            state_dir: shown.to_string(),
            since: started_at,
        };
        let key = Keys::new(purpose.prefix).lock();
        let lease = Lease::take(&mut store.session, key, &holder)
            .map_err(|error| not_leased(settings, &error))?;
        let db = purpose.address.db;
        let fenced = fence::name(&mut store.session, &name).and_then(|own| {
            fence::end_others(&mut store.session, purpose.prefix, db, &id)?;
            store
                .session
                .greet_with(rejoin(lease.clone(), name.clone(), own));
            Heartbeat::start(&store.connector, &lease, &name)
        });
        let ready = fenced.and_then(|heartbeat| {
            // Behind the lock: a pause that comes later is seen by the first batch.
            let paused = match &purpose.switch {
                Some(switch) => switch.look(&mut store.session)?,
                None => None,
            };
            Ok((heartbeat, paused))
        });
        let heartbeat = match ready {
            Ok((heartbeat, None)) => heartbeat,
            Ok((_, Some(paused))) => {
                let _ = lease.release(&mut store.session);
                return Err(switched_off(settings, &paused));
            }
            Err(error) => {
                let _ = lease.release(&mut store.session);
                return Err(Failure::before_writing(&error));
            }
        };
        let header = Header {
            format: FORMAT,
            anp: env!("CARGO_PKG_VERSION").to_owned(),
            run: id.clone(),
            command: purpose.command.to_owned(),
            started_at,
            owner: settings.owner.clone(),
            expected_result: settings.expected_result.clone(),
            server: purpose.address.to_string(),
            db: purpose.address.db,
            prefix: purpose.prefix.to_owned(),
            settings_digest: settings.digest(),
            rollback: command_line(settings, &format!("rollback {id}")),
            content: purpose.content,
            undoes: purpose.undoes,
            host: holder.host,
            pid: holder.pid,
        };
        failpoint::enter("survey");
        let path = runs.file(&id);
        let manifest = Writer::create(&path, &Line::Header(header.clone()));
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(error) => {
                drop(heartbeat);
                let _ = lease.release(&mut store.session);
                let what = format!("cannot write the manifest {}", path.display());
                return Err(Failure::state_folder(&what, &error));
            }
        };
        Ok(Self {
            header,
            manifest,
            lease,
            store,
            heartbeat: Some(heartbeat),
            runs,
            keep: settings.keep_runs,
            _lock: lock,
        })
    }

    /// Ends the run: outcomes not yet recorded, the footer, the lease given back, and if it
    /// ended well, old manifests removed.
    ///
    /// # Errors
    /// When the footer cannot be written. Every intent is durable all the same.
    pub fn end(mut self, status: Status, progress: Progress) -> std::io::Result<Pruned> {
        failpoint::enter("end");
        self.heartbeat.take();
        let ended_at = self
            .store
            .session
            .now_ms()
            .unwrap_or(self.header.started_at);
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
        Ok(match status {
            Status::Done | Status::Partial => {
                prune(&self.runs, self.keep, ended_at, &self.header.run)
            }
            Status::Refused | Status::Stopped => Pruned::default(),
        })
    }

    /// The file of the manifest.
    #[must_use]
    pub fn manifest_path(&self) -> PathBuf {
        self.manifest.path().to_owned()
    }
}

fn locked(what: String, retry: &str) -> Failure {
    Failure::new(Exit::Locked, what)
        .note("expected", "one writing run at a time")
        .note("retry", format!("safe {retry}; nothing was written"))
}

/// The failure of a run that does not get the lease.
fn not_leased(settings: &Settings, error: &LeaseError) -> Failure {
    let (what, holder) = match error {
        LeaseError::Store(error) => return Failure::before_writing(error),
        LeaseError::Taken(taken) => (taken.to_string(), taken.holder.as_ref()),
        LeaseError::Gone => (error.to_string(), None),
    };
    let failure = locked(what, "once that run has ended");
    let Some(holder) = holder else {
        return failure;
    };
    let unlock = format!("unlock {}", shell_word(&holder.run));
    let unlock = command_for_store(settings, &unlock);
    failure.note("unlock", format!("if that run is dead: {unlock}"))
}

/// The failure of a run that may not publish.
#[must_use]
pub fn switched_off(settings: &Settings, paused: &Paused) -> Failure {
    let what = format!(
        "{}, prefix {}, is {paused}",
        settings.address, settings.prefix
    );
    Failure::new(Exit::Paused, what)
        .note("expected", "a store that is not switched off")
        .note("retry", "safe after the line below; nothing was written")
        .note("resume", command_for_store(settings, "resume"))
}

/// An exact command of anp for the store and the state folder of `settings`: absolute paths,
/// no password.
fn command_line(settings: &Settings, what: &str) -> String {
    let state_dir = shell_word(&settings.state_dir.to_string_lossy());
    let mut command = format!("{} {what} --state-dir {state_dir}", program());
    if let Some(config) = &settings.config {
        let config = std::path::absolute(config).unwrap_or_else(|_| config.clone());
        command = format!(
            "{command} --config {}",
            shell_word(&config.to_string_lossy())
        );
    }
    // A server that only this command line named gets credentials only where it is named so
    // again. The user is part of the address, the password is not.
    if settings.address_is_explicit {
        command = format!("{command} --redis {}", server_word(settings));
    }
    command
}

/// The same for a command that no manifest tells the server and the prefix.
fn command_for_store(settings: &Settings, what: &str) -> String {
    let mut command = command_line(settings, what);
    let is_embedded = matches!(settings.address.place, Place::Embedded(_));
    if !settings.address_is_explicit && !is_embedded {
        command = format!("{command} --redis {}", server_word(settings));
    }
    format!("{command} --prefix {}", shell_word(&settings.prefix))
}

/// The address with its user and without its password.
fn server_word(settings: &Settings) -> String {
    let address = settings.address.with_user();
    shell_word(&address.unwrap_or_else(|| settings.address.to_string()))
}

/// A number that no other run has: the random keys that the standard library seeds its
/// hash maps with.
fn salt() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// What the run `name` does with a connection that replaces a lost one, `old`, before it
/// writes again: it ends the old one, so that nothing which was sent there runs any more, and
/// checks that it still holds the lock.
fn rejoin(lease: Lease, name: String, mut old: i64) -> Greeting {
    Box::new(move |session| {
        let own = fence::name(session, &name)?;
        if own != old {
            fence::end_own(session, &name, old)?;
        }
        old = own;
        lease.renew(session).map_err(|error| match error {
            LeaseError::Store(error) => error,
            lost => StoreError::new(Class::Fenced, "connecting again", lost.to_string()),
        })
    })
}

/// Renews the lease at a third of its length, on a connection of its own, so that a long
/// survey does not lose it. It only renews: whether the lease still stands is looked at
/// before each batch of writes.
struct Heartbeat {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    fn start(connector: &Connector, lease: &Lease, name: &str) -> Result<Self, StoreError> {
        let (connector, lease, name) = (connector.clone(), lease.clone(), name.to_owned());
        let join = move || {
            let store = connector.connect_within(connector.patience.timeout)?;
            let mut session = Session::new(store, connector.patience);
            fence::name(&mut session, &name)?;
            Ok::<_, StoreError>(session)
        };
        let mut session = Some(join()?);
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let mut wait = LENGTH / 3;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                match session.as_mut().map(|session| lease.renew(session)) {
                    Some(Ok(())) => wait = LENGTH / 3,
                    None | Some(Err(LeaseError::Store(_))) => {
                        session = join().ok();
                        wait = Duration::from_secs(1);
                    }
                    // The lock is somebody else's.
                    Some(Err(_)) => return,
                }
            }
        });
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
