//! A run: an execution that may write.
//!
//! It begins, in this order: file lock of the state folder, connection, id by the server's
//! clock, connections with the name of the run, lease, fence (connections of dead runs are
//! ended), manifest (header, synced). It
//! ends with a footer and gives the lease back; if it ended well, old manifests are removed.
//! A run that dies leaves the header and the intents it made durable; that is enough.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::connect::{Connected, host, program, shell_word};
use super::fence::{self, Ids};
use super::fits;
use super::joined::{self, Share};
use super::keep::{Pruned, prune};
use super::lock::{FolderLock, NotTaken};
use super::refusal::{locked, not_leased};
use super::rights;
use super::runs::Runs;
use crate::exit::Exit;
use crate::failpoint;
use crate::failure::Failure;
use crate::private;
use crate::publish::lease::{Holder, LENGTH, Lease, LeaseError, Part};
use crate::publish::manifest::{FORMAT, Footer, Header, Line, Manifest, Status, Writer};
use crate::publish::plan::Keys;
use crate::publish::progress::Progress;
use crate::publish::shard::Shard;
use crate::publish::switch::{Paused, Switch};
use crate::settings::{KeepRuns, Settings};
use crate::store::{Address, Class, Connector, Greeting, Session, StoreError, connect_within};

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

/// Makes the state folder, if need be, and takes its lock.
///
/// # Errors
/// 11 when another process holds it, 74 when the folder cannot be written, 78 when it is not this
/// user's alone.
pub fn lock_folder(settings: &Settings) -> Result<FolderLock, Failure> {
    lock_for(settings, None)
}

/// The same, or for a shard of a run that others do too, the share in it.
fn lock_for(settings: &Settings, joins: Option<(Shard, &str)>) -> Result<FolderLock, Failure> {
    let state_dir = &settings.state_dir;
    let folder = |error: std::io::Error| not_writable(settings, &error);
    for folder in [state_dir.clone(), state_dir.join("runs")] {
        private::check(&folder).map_err(|what| not_private(&folder, &what))?;
    }
    Runs::of(state_dir).make_folder().map_err(folder)?;
    let owner = settings.owner.as_deref();
    let taken = match joins {
        Some((shard, run)) => FolderLock::share(state_dir, owner, shard, run),
        None => FolderLock::take(state_dir, owner),
    };
    taken.map_err(|error| match error {
        NotTaken::Io(error) => folder(error),
        NotTaken::Held(holder) => {
            let who = holder.map_or(String::new(), |holder| format!(", {holder}"));
            let shown = state_dir.display();
            let what = format!("another anp process is writing with the state folder {shown}{who}");
            locked(what, "once it has ended")
        }
    })
}

/// The state folder by one name, however it was given: a lease tells people.
fn real(state_dir: &Path) -> String {
    let real = state_dir.canonicalize();
    let real = real.as_deref().unwrap_or(state_dir);
    real.display().to_string()
}

/// The refusal of a state folder that others could have prepared.
fn not_private(folder: &Path, what: &str) -> Failure {
    let shown = folder.display();
    Failure::new(Exit::Config, format!("the state folder {shown} {what}"))
        .note(
            "expected",
            "a folder of this user that no other user may write (chmod go-w)",
        )
        .note(
            "retry",
            "as the user that the folder belongs to, or with another --state-dir; nothing was \
             written",
        )
}

fn not_writable(settings: &Settings, error: &std::io::Error) -> Failure {
    let shown = settings.state_dir.display();
    if error.kind() == std::io::ErrorKind::Unsupported {
        let what = format!("cannot use the state folder {shown}: {error}");
        return Failure::new(Exit::Manifest, what)
            .note(
                "expected",
                "a file system with locks (flock) and durable folders (fsync), such as a local disk",
            )
            .note("retry", "safe with another --state-dir; nothing was written");
    }
    Failure::state_folder(&format!("cannot write the state folder {shown}"), error)
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
                joined::lease(session, &key, &holder, Part { shard, digest }, settings)
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
            rollback: command_line(settings, &format!("rollback {id}")),
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
            Some(_) => fits::fit_in(&runs, &mut header),
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

/// The failure of a run that may not publish.
#[must_use]
pub fn switched_off(settings: &Settings, switch: &Switch, paused: &Paused) -> Failure {
    let what = format!(
        "{}, prefix {}, is {paused}",
        settings.address, switch.prefix
    );
    Failure::new(Exit::Paused, what)
        .note("expected", "a store that is not switched off")
        .note("retry", "safe after the resume line; nothing was written")
        .note("resume", resume_line(settings, switch))
}

/// The command that undoes the run of `manifest`, made from the settings: what the manifest says
/// itself may have been written by anybody, and a person copies it into a shell.
#[must_use]
pub fn rollback_line(settings: &Settings, manifest: &Manifest) -> String {
    let header = manifest.header();
    let path = manifest.path();
    let runs = Runs::of(&settings.state_dir);
    let name = if runs.holds(path) {
        header.run.clone()
    } else {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        shell_word(&path.to_string_lossy())
    };
    let server = Address::parse(&header.server);
    let is_there = server.is_ok_and(|server| server.same_as(&settings.address));
    let names_the_server = settings.address_is_explicit && is_there;
    command(settings, &format!("rollback {name}"), names_the_server)
}

/// The command that switches on again.
#[must_use]
pub fn resume_line(settings: &Settings, switch: &Switch) -> String {
    command_for_store(settings, &switch.prefix, "resume")
}

/// An exact command of anp for the run of a manifest, which tells server and prefix: absolute
/// paths, no password.
fn command_line(settings: &Settings, what: &str) -> String {
    // A server that only this command line named gets credentials only where it is named so
    // again. The user is part of the address, the password is not.
    command(settings, what, settings.address_is_explicit)
}

/// The same for a command that no manifest tells the server and the prefix.
pub(super) fn command_for_store(settings: &Settings, prefix: &str, what: &str) -> String {
    let command = command(settings, what, true);
    format!("{command} --prefix {}", shell_word(prefix))
}

fn command(settings: &Settings, what: &str, names_the_server: bool) -> String {
    let state_dir = shell_word(&settings.state_dir.to_string_lossy());
    let mut command = format!("{} {what} --state-dir {state_dir}", program());
    if let Some(config) = &settings.config {
        let config = std::path::absolute(config).unwrap_or_else(|_| config.clone());
        command = format!(
            "{command} --config {}",
            shell_word(&config.to_string_lossy())
        );
    }
    if names_the_server {
        command = format!("{command} --redis {}", server_word(settings));
    }
    for (flag, text) in &settings.connection_flags {
        command = format!("{command} {flag} {}", shell_word(text));
    }
    command
}

/// The address with its user and without its password.
fn server_word(settings: &Settings) -> String {
    let address = settings.address.with_user();
    shell_word(&address.unwrap_or_else(|| settings.address.to_string()))
}

/// A number that no other run has: the random keys that the standard library seeds its
/// hash maps with.
#[must_use]
pub fn salt() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// What the run `name` does with a connection that replaces a lost one, `old`, before it
/// writes again: it ends the old one, so that nothing which was sent there runs any more, and
/// checks that it still holds the lock.
fn rejoin(lease: Lease, name: String, mut old: Ids) -> Greeting {
    Box::new(move |session| {
        let own = fence::ids(session)?;
        fence::end_own(session, &name, &old, &own)?;
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
    fn start(connector: &Connector, lease: &Lease) -> Result<Self, StoreError> {
        let (connector, lease) = (connector.clone(), lease.clone());
        let join = move || {
            let store = connect_within(&connector, connector.patience.timeout)?;
            let interrupt = connector.interrupt.clone();
            Ok::<_, StoreError>(Session::new(store, connector.patience, interrupt))
        };
        let mut session = Some(join()?);
        let (stop, stopped) = channel();
        let beating = std::thread::Builder::new().name("heartbeat".to_owned());
        let thread = beating.spawn(move || {
            let mut wait = LENGTH / 3;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                match session.as_mut().map(|session| lease.keep(session)) {
                    Some(Ok(())) => wait = LENGTH / 3,
                    None | Some(Err(LeaseError::Store(_))) => {
                        // Over a new connection it is only kept once it was found to stand.
                        session = join().ok();
                        match session.as_mut().map(|session| lease.renew(session)) {
                            Some(Err(LeaseError::Gone | LeaseError::Taken(_))) => return,
                            Some(Err(LeaseError::Store(_))) => session = None,
                            Some(Ok(())) | None => {}
                        }
                        wait = Duration::from_secs(1);
                    }
                    // The lock is somebody else's.
                    Some(Err(_)) => return,
                }
            }
        });
        let thread = thread.map_err(|error| StoreError::no_thread("keeping the lock", &error))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Heartbeat {
    /// Ends it, and waits until it has ended, unless its server is `lost`: it may wait for that
    /// one itself, and could only renew a lease that is still there.
    fn stop(mut self, lost: bool) {
        self.stop.take();
        if lost {
            self.thread.take();
        }
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
