//! The embedded server: there while somebody needs it, gone afterwards, its data kept.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Ran, format_of, server_program};
use tempfile::TempDir;

/// A folder with content, and no server but the one that anp starts.
struct Alone {
    folder: TempDir,
}

impl Alone {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
        let alone = Self { folder };
        alone.article("a", "A.");
        alone
    }

    fn article(&self, name: &str, body: &str) {
        let path = self.folder.path().join(format!("content/{name}.md"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let title = name.rsplit('/').next().unwrap();
        std::fs::write(path, format!("---\ntitle: About {title}\n---\n\n{body}\n")).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anp"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("ANP_STATE_DIR", "state")
            .args(["--redis", "embedded"])
            .args(line.split(' '))
            .stdin(Stdio::null());
        command
    }

    fn anp(&self, line: &str) -> Ran {
        let words: Vec<&str> = line.split(' ').collect();
        Ran::of(self.command(line).args(format_of(&words)))
    }

    fn embedded(&self, name: &str) -> PathBuf {
        self.folder.path().join("state/embedded").join(name)
    }

    fn socket(&self) -> PathBuf {
        self.embedded("redis.sock")
    }

    fn answers(&self) -> bool {
        UnixStream::connect(self.socket()).is_ok()
    }

    /// Processes that mention this folder on their command line.
    fn processes(&self) -> Vec<String> {
        let folder = self.folder.path().to_str().unwrap();
        let processes = std::fs::read_dir("/proc").unwrap();
        processes
            .filter_map(|process| std::fs::read(process.ok()?.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(folder))
            .collect()
    }

    /// No server is left: neither a socket that answers nor a process.
    #[track_caller]
    fn is_left_alone(&self) {
        assert!(!self.answers(), "a server still answers");
        assert_eq!(self.processes(), Vec::<String>::new());
    }

    /// Starts an import that has begun to write and cannot end: nobody reads its stdout,
    /// which is far more than the pipe and its buffer hold.
    fn stuck_import(&self) -> (Ended, BufReader<std::process::ChildStdout>) {
        let deep = ["folder", "deeper", "deepest"].map(|name| [name; 14].join("-"));
        let deep = deep.join("/");
        for number in 0..250 {
            self.article(&format!("{deep}/{number}"), "Text.");
        }
        let mut command = self.command("import --format json");
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Ended(command.spawn().unwrap());
        let stdout = child.0.stdout.take().unwrap();
        let mut stdout = BufReader::with_capacity(1, stdout);
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        assert!(first.contains(r#""type":"run""#), "{first}");
        // It is stuck once keys are there: their lines fill the pipe.
        let until = Instant::now() + Duration::from_secs(30);
        while self.keys() < 200 {
            assert!(Instant::now() < until, "the import does not write");
            std::thread::sleep(Duration::from_millis(5));
        }
        (child, stdout)
    }

    fn keys(&self) -> u64 {
        let url = format!("redis+unix://{}", self.socket().display());
        let connection = redis::Client::open(url).unwrap().get_connection();
        connection.map_or(0, |mut connection| {
            redis::cmd("DBSIZE").query(&mut connection).unwrap()
        })
    }
}

/// A process that a test started, ended with it whatever happens.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_server_lasts_as_long_as_the_command_and_its_data_longer() {
    let alone = Alone::new();
    alone.anp("import").exits(0);
    alone.is_left_alone();
    alone.anp("show /a/").exits(0).says("About a");
    alone
        .anp("verify last")
        .exits(0)
        .says("2 keys as it wrote them");
    let again = alone.anp("import");
    assert_eq!(again.counts()["kept"], 2, "{again}");
    alone.anp("import --dry-run").exits(0);
    alone.is_left_alone();

    std::fs::write(
        alone.folder.path().join("content/a.md"),
        "---\ntitle: b\n---\nB.\n",
    )
    .unwrap();
    alone.anp("import").exits(0);
    alone.anp("rollback last").exits(0);
    alone.anp("show /a/").exits(0).says("About a");
    alone.is_left_alone();
}

#[test]
fn also_a_command_that_fails_leaves_no_server() {
    let alone = Alone::new();
    std::fs::remove_file(alone.folder.path().join("content/a.md")).unwrap();
    alone.anp("import").exits(65);
    alone.anp("show /a/").exits(3);
    alone.anp("rollback last").exits(3);
    alone.is_left_alone();
}

#[test]
fn a_password_for_another_server_does_not_lock_us_out_of_our_own() {
    let alone = Alone::new();
    let mut command = alone.command("import");
    Ran::of(command.env("ANP_REDIS_PASSWORD", "of-another-server")).exits(0);
    let mut command = alone.command("rollback last");
    Ran::of(command.env("ANP_REDIS_PASSWORD", "of-another-server")).exits(0);
}

#[test]
fn only_its_owner_can_reach_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let alone = Alone::new();
    let (mut child, stdout) = alone.stuck_import();
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(alone.socket()), 0o600);
    assert_eq!(mode(alone.embedded("")), 0o700);
    drop(stdout);
    child.0.wait().unwrap();
}

#[test]
fn a_server_started_by_hand_on_that_socket_is_used_and_left_running() {
    let alone = Alone::new();
    std::fs::create_dir_all(alone.embedded("")).unwrap();
    let server = Command::new(server_program())
        .args(["--port", "0", "--save", "", "--dir"])
        .arg(alone.embedded(""))
        .arg("--unixsocket")
        .arg(alone.socket())
        .stdout(Stdio::null())
        .spawn();
    let mut server = Ended(server.unwrap());
    let until = Instant::now() + Duration::from_secs(20);
    while !alone.answers() {
        assert!(Instant::now() < until, "the server did not come up");
        std::thread::sleep(Duration::from_millis(5));
    }
    alone.anp("import").exits(0);
    alone.anp("show /a/").exits(0);
    assert!(
        server.0.try_wait().unwrap().is_none(),
        "it is still running"
    );
    assert_eq!(alone.keys(), 2);
    assert_eq!(alone.processes().len(), 1);
}

#[test]
fn what_a_killed_command_left_is_adopted_and_stopped() {
    let alone = Alone::new();
    let (mut child, _stdout) = alone.stuck_import();
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    assert!(alone.answers(), "the server outlives the kill");

    // The lock of the dead run is in the way of nobody in this folder.
    alone.anp("runs").exits(0).says("unfinished");
    let back = alone.anp("rollback last");
    back.exits(0);
    assert_eq!(back.of_type("summary")[0]["kept"], 0, "{back}");
    alone.is_left_alone();
    alone.anp("show /a/").exits(3);
    alone.is_left_alone();
}

#[test]
fn commands_at_the_same_time_share_the_server() {
    let alone = Alone::new();
    let (mut import, mut stdout) = alone.stuck_import();
    alone.anp("show /a/").exits(0).says("About a");
    let locked = alone.anp("import");
    locked.exits(11).notes("another anp process is writing");
    assert!(alone.answers(), "the first one still needs it");

    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert!(import.0.wait().unwrap().success(), "{rest}");
    assert!(rest.contains(r#""created":502"#), "{rest}");
    alone.is_left_alone();
}

#[test]
fn without_a_server_program_the_error_says_what_to_install() {
    let alone = Alone::new();
    let mut command = alone.command("import");
    let ran = Ran::of(command.env("PATH", alone.folder.path()));
    ran.exits(69).notes_exactly(
        "
error: starting the embedded server: neither redis-server nor valkey-server is on the PATH: \
install one of them (Debian: apt-get install redis-server), or name a server with --redis
  = expected: a Redis (7.0 or later) or Valkey (7.2 or later) server that answers
  = retry: safe, nothing was written
",
    );
    // `check` needs none.
    let mut command = alone.command("check");
    Ran::of(command.env("PATH", alone.folder.path())).exits(0);
}

#[test]
fn a_server_that_ends_at_once_is_an_error_that_names_its_log() {
    let alone = Alone::new();
    std::fs::create_dir_all(alone.embedded("appendonlydir")).unwrap();
    std::fs::write(
        alone.embedded("appendonlydir/appendonly.aof.manifest"),
        "no manifest\n",
    )
    .unwrap();
    let ran = alone.anp("import");
    // It may answer before it has looked at its data, or not even that.
    ran.exits(69).notes("embedded");
    let log = ran.stderr.split("its log is ").nth(1);
    let log = log.unwrap_or_else(|| panic!("it names no log: {ran}"));
    let log = std::fs::read_to_string(log.lines().next().unwrap()).unwrap();
    assert!(log.contains("AOF"), "{log}");
    alone.is_left_alone();
}

#[test]
fn a_socket_path_that_is_too_long_is_explained() {
    let alone = Alone::new();
    let long = "x".repeat(100);
    let ran = alone.anp(&format!("import --state-dir {long}"));
    ran.exits(69)
        .notes("error: starting the embedded server: the socket's path ")
        .notes(&format!(
            "{long}/embedded/redis.sock is longer than the 107 bytes that a unix socket can have: \
             choose a shorter --state-dir\n"
        ));
}
