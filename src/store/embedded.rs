//! A private redis-server or valkey-server on a unix socket in the state folder.
//!
//! Whoever needs it starts it, and whoever is the last to need it stops it. Each user holds
//! a shared lock on `embedded.users` for as long as it lives (the system drops the lock of a
//! process that was killed); at its end it tries to make the lock exclusive, and if it can,
//! nobody else is using the server. So a server that a crash left behind is adopted by the
//! next command and stopped at that command's end. A server that somebody started by hand on
//! that socket has no pid file of ours, and is left running.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::SigSet;

use super::dial::{End, Limit, was_interrupted};
use super::{Class, Interrupt, StoreError};
use crate::private;

/// The longest path that a unix socket can have (`sun_path` of unix(7), without its NUL).
const SOCKET_PATH_MAX: usize = 107;

/// How long a server that does not answer may keep the end of a command waiting, for each answer.
const MOST_WAIT: Duration = Duration::from_secs(5);

/// A server in use. Dropping it stops the server if nobody else uses it.
#[derive(Debug)]
pub struct Embedded {
    folder: PathBuf,
    users: Option<File>,
    /// The process, if it is this one's child.
    child: Option<Child>,
}

impl Embedded {
    /// Uses the server of the state folder `state_dir`, and starts it if none answers.
    ///
    /// # Errors
    /// When there is no redis-server or valkey-server on the PATH, the folder cannot be
    /// written, or the server does not come up within `timeout`, or before a signal comes.
    pub fn start(
        state_dir: &Path,
        timeout: Duration,
        interrupt: &Interrupt,
    ) -> Result<Self, StoreError> {
        let mut limit = Limit::new(Instant::now() + timeout, interrupt);
        let folder = prepared_folder(state_dir)?;
        let socket = socket_of(&folder);
        if socket.as_os_str().len() > SOCKET_PATH_MAX {
            return Err(failed(format!(
                "the socket's path {} is longer than the {SOCKET_PATH_MAX} bytes that a unix \
                 socket can have: choose a shorter --state-dir",
                socket.display()
            )));
        }
        let gate =
            lock_file(&folder.join("gate")).map_err(|error| cannot("open", &folder, &error))?;
        lock(&gate, &mut limit, File::try_lock).map_err(|error| cannot("lock", &folder, &error))?;
        let users =
            lock_file(&folder.join("users")).map_err(|error| cannot("open", &folder, &error))?;
        lock(&users, &mut limit, File::try_lock_shared)
            .map_err(|error| cannot("lock", &folder, &error))?;
        let mut child = None;
        if let Err(error) = End::Socket(socket.clone()).dial(&limit) {
            if was_interrupted(&error) {
                return Err(cannot("use", &socket, &error));
            }
            child = Some(run_server(&folder, timeout, interrupt)?);
        }
        // Made last: dropping it takes the gate, which a failure above would still hold.
        Ok(Self {
            folder,
            users: Some(users),
            child,
        })
    }

    /// The socket that the server listens on.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket_of(&self.folder)
    }

    /// What the server writes about itself.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        log_of(&self.folder)
    }

    /// Stops the server if we started it and nobody else is using it.
    fn stop_if_last(&mut self) -> Option<()> {
        let mut limit = Limit::new(Instant::now() + MOST_WAIT, &Interrupt::never());
        let gate = lock_file(&self.folder.join("gate")).ok()?;
        lock(&gate, &mut limit, File::try_lock).ok()?;
        drop(self.users.take()?);
        let users = lock_file(&self.folder.join("users")).ok()?;
        users.try_lock().ok()?;
        let pid_file = self.folder.join("server.pid");
        let pid: i32 = std::fs::read_to_string(&pid_file)
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let client = redis::Client::open(redis::ConnectionAddr::Unix(self.socket())).ok()?;
        let mut connection = client.get_connection_with_timeout(MOST_WAIT).ok()?;
        connection.set_read_timeout(Some(MOST_WAIT)).ok()?;
        connection.set_write_timeout(Some(MOST_WAIT)).ok()?;
        let info: String = redis::cmd("INFO")
            .arg("server")
            .query(&mut connection)
            .ok()?;
        // A pid file that a crash left behind may belong to no server of ours.
        if !info.lines().any(|line| line == format!("process_id:{pid}")) {
            return None;
        }
        let _: redis::RedisResult<()> = redis::cmd("SHUTDOWN").query(&mut connection);
        let until = Instant::now() + Duration::from_secs(10);
        while UnixStream::connect(self.socket()).is_ok() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        // The pid file goes last of all: until then the append-only file is being closed.
        while pid_file.exists() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        while let Some(child) = &mut self.child
            && child.try_wait().ok()?.is_none()
            && Instant::now() < until
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        Some(())
    }
}

const DOING: &str = "starting the embedded server";

fn failed(detail: String) -> StoreError {
    StoreError::new(Class::FindAgain, DOING, detail)
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    if was_interrupted(error) {
        return Interrupt::error(DOING);
    }
    failed(format!("cannot {what} {}: {error}", path.display()))
}

/// Makes the folder of the server in `state_dir`, which must be this user's.
fn prepared_folder(state_dir: &Path) -> Result<PathBuf, StoreError> {
    private::check(state_dir).map_err(|what| {
        let shown = state_dir.display();
        let detail = format!(
            "the state folder {shown} {what}; expected one of this user that no other user may \
             write"
        );
        StoreError::new(Class::Config, DOING, detail)
    })?;
    let folder = state_dir.join("embedded");
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| cannot("create", &folder, &error))?;
    Ok(folder)
}

/// Starts a server in `folder`, and waits until it answers.
fn run_server(
    folder: &Path,
    timeout: Duration,
    interrupt: &Interrupt,
) -> Result<Child, StoreError> {
    let program = find_server().ok_or_else(|| {
        failed(
            "neither redis-server nor valkey-server is on the PATH: install one of them (Debian: \
             apt-get install redis-server), or name a server with --redis"
                .to_owned(),
        )
    })?;
    let (socket, log) = (socket_of(folder), log_of(folder));
    let mut command = Command::new(&program);
    command
        .args(["--port", "0", "--daemonize", "no", "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "everysec"])
        .arg("--dir")
        .arg(folder)
        .arg("--unixsocket")
        .arg(&socket)
        .args(["--unixsocketperm", "600", "--pidfile"])
        .arg(folder.join("server.pid"))
        .arg("--logfile")
        .arg(&log)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C in the terminal is for us; the server ends when we say so.
        .process_group(0);
    let mut child =
        with_signals(|| command.spawn()).map_err(|error| cannot("run", &program, &error))?;
    let mut limit = Limit::new(Instant::now() + timeout, interrupt);
    let end = End::Socket(socket.clone());
    while end.dial(&limit).is_err() {
        let ended = child.try_wait().ok().flatten();
        let over = limit.slice().err();
        if ended.is_some() || over.is_some() {
            let how = ended.map_or("did not answer in time".to_owned(), |status| {
                format!("ended with {status}")
            });
            // Otherwise it would go on starting after the error was printed.
            let _ = child.kill();
            let _ = child.wait();
            if let Some(error) = over.filter(was_interrupted) {
                return Err(cannot("use", &socket, &error));
            }
            return Err(failed(format!(
                "{} {how}; its log is {}",
                program.display(),
                log.display()
            )));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(child)
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Nothing depends on it: a server left running is adopted by the next command.
        let _ = self.stop_if_last();
    }
}

/// Starts a program that takes signals as usual: it would inherit that this thread takes none.
fn with_signals<T>(start: impl FnOnce() -> T) -> T {
    let own = SigSet::thread_get_mask();
    let _ = SigSet::empty().thread_set_mask();
    let started = start();
    if let Ok(own) = own {
        let _ = own.thread_set_mask();
    }
    started
}

fn socket_of(folder: &Path) -> PathBuf {
    folder.join("redis.sock")
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

fn lock_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

/// Takes a lock that another process of anp holds for as long as it starts or stops the server.
fn lock(
    file: &File,
    limit: &mut Limit,
    try_lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> std::io::Result<()> {
    loop {
        match try_lock(file) {
            Err(TryLockError::WouldBlock) => {}
            tried => return Ok(tried?),
        }
        std::thread::sleep(limit.slice()?.min(Duration::from_millis(5)));
    }
}

fn find_server() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    ["redis-server", "valkey-server"]
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| candidate.is_file())
}
