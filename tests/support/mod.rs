//! A fresh world for each test: a folder, a clean environment and a server of its own.
#![allow(dead_code, reason = "each test file uses the part it needs")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub mod authority;
pub mod cases;
pub mod cluster;
pub mod http;
pub mod proxy;
pub mod terminal;

use proxy::{Proxy, Trouble};

/// A redis-server or valkey-server on a unix socket, killed when the test ends.
pub struct Server {
    program: PathBuf,
    folder: TempDir,
    arguments: Vec<String>,
    child: Child,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_program(Path::new(server_program()), arguments)
    }

    /// A server whose hashes may have fields that expire: Redis 7.4, Valkey 9 or later.
    pub fn with_field_expiries() -> Self {
        let mut others = other_servers().into_iter();
        let mut server = Self::start();
        while !server.knows("HPEXPIRETIME") {
            let program = others.next().expect("such a server: make setup");
            server = Self::start_program(&program, &[]);
        }
        server
    }

    /// Whether the server has a command.
    fn knows(&self, command: &str) -> bool {
        let info: Vec<redis::Value> = redis::cmd("COMMAND")
            .arg("INFO")
            .arg(command)
            .query(&mut self.connection())
            .unwrap();
        info != [redis::Value::Nil] && info != [redis::Value::Array(Vec::new())]
    }

    pub fn start_program(program: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let child = spawn_server(program, &folder, &arguments);
        let server = Self {
            program: program.to_owned(),
            folder,
            arguments,
            child,
        };
        server.wait_until_up();
        server
    }

    /// Starts the server again after [`Server::kill`], with the data it finds in its folder.
    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// The same, with further arguments.
    pub fn restart_with(&mut self, arguments: &[&str]) {
        self.arguments
            .extend(arguments.iter().map(ToString::to_string));
        let _ = std::fs::remove_file(self.socket());
        self.child = spawn_server(&self.program, &self.folder, &self.arguments);
        self.wait_until_up();
    }

    /// Writes everything to the disk, and goes on as another program: an upgrade.
    pub fn becomes(&mut self, program: &Path) {
        self.command("SAVE");
        self.kill();
        program.clone_into(&mut self.program);
        self.restart();
        let is_loaded = || self.info("persistence", "loading") == "0";
        while !is_loaded() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// One line of INFO.
    pub fn info(&self, section: &str, name: &str) -> String {
        let info: String = redis::cmd("INFO")
            .arg(section)
            .query(&mut self.connection())
            .unwrap();
        let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned());
        info.lines().find_map(value).unwrap_or_default()
    }

    fn wait_until_up(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while std::os::unix::net::UnixStream::connect(self.socket()).is_err() {
            assert!(Instant::now() < until, "the server did not come up");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends the server process a signal.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// What the server says it uses, in bytes.
    pub fn used_memory(&self) -> u64 {
        self.info("memory", "used_memory").parse().unwrap()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    pub fn connection(&self) -> redis::Connection {
        redis::Client::open(self.url())
            .unwrap()
            .get_connection()
            .unwrap()
    }

    /// Runs one command, its words separated by spaces.
    pub fn command(&self, line: &str) -> redis::Value {
        let words: Vec<&str> = line.split(' ').collect();
        self.run(&words)
    }

    /// Runs one command.
    pub fn run(&self, words: &[&str]) -> redis::Value {
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command.query(&mut self.connection()).unwrap()
    }

    /// A proxy before the server; one a server.
    pub fn proxy(&self, trouble: Trouble) -> Proxy {
        Proxy::start(&self.folder.path().join("proxy"), &self.socket(), trouble)
    }

    pub fn get(&self, key: &str) -> Option<String> {
        let bytes = self.bytes(key)?;
        Some(String::from_utf8(bytes).unwrap())
    }

    pub fn set(&self, key: &str, value: &[u8]) {
        let mut set = redis::cmd("SET");
        let set = set.arg(key).arg(value);
        set.query::<()>(&mut self.connection()).unwrap();
    }

    pub fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        redis::cmd("GET")
            .arg(key)
            .query(&mut self.connection())
            .unwrap()
    }

    /// What readers see of a value that may be in gzip.
    pub fn unpacked(&self, key: &str) -> Option<String> {
        let bytes = self.bytes(key)?;
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            return Some(String::from_utf8(bytes).unwrap());
        }
        let mut text = String::new();
        let mut reader = flate2::read::GzDecoder::new(&bytes[..]);
        std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
        Some(text)
    }

    /// Absolute expiry in ms; -1 without, -2 for no such key.
    pub fn expiry(&self, key: &str) -> i64 {
        redis::cmd("PEXPIRETIME")
            .arg(key)
            .query(&mut self.connection())
            .unwrap()
    }

    /// As [`dump_of`].
    pub fn dump(&self) -> BTreeMap<String, String> {
        dump_of(&mut self.connection())
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every key with type, value and absolute expiry. Members of hashes and sets are sorted,
/// since these types have no order of their own.
pub fn dump_of(connection: &mut redis::Connection) -> BTreeMap<String, String> {
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(connection).unwrap();
    keys.into_iter()
        .map(|key| {
            let kind: String = redis::cmd("TYPE").arg(&key).query(connection).unwrap();
            let expiry: i64 = redis::cmd("PEXPIRETIME")
                .arg(&key)
                .query(connection)
                .unwrap();
            let value = match kind.as_str() {
                "string" => {
                    let bytes: Vec<u8> = redis::cmd("GET").arg(&key).query(connection).unwrap();
                    match std::str::from_utf8(&bytes) {
                        Ok(text) => format!("{text:?}"),
                        Err(_) => bytes.escape_ascii().to_string(),
                    }
                }
                "hash" => {
                    let members: BTreeMap<String, String> =
                        redis::cmd("HGETALL").arg(&key).query(connection).unwrap();
                    format!("{members:?}")
                }
                "set" => {
                    let mut members: Vec<String> =
                        redis::cmd("SMEMBERS").arg(&key).query(connection).unwrap();
                    members.sort();
                    format!("{members:?}")
                }
                _ => {
                    let dump: Vec<u8> = redis::cmd("DUMP").arg(&key).query(connection).unwrap();
                    format!("{dump:?}")
                }
            };
            (key, format!("{kind} {expiry} {value}"))
        })
        .collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn_server(program: &Path, folder: &TempDir, arguments: &[String]) -> Child {
    Command::new(program)
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--dir"])
        .arg(folder.path())
        .arg("--unixsocket")
        .arg(folder.path().join("s"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a redis-server or valkey-server on the PATH: make setup")
}

/// The server that a test starts: `ANP_TEST_SERVER`, else what is on the PATH.
pub fn server_program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let found = |name: &str| {
            std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
                .any(|folder| folder.join(name).is_file())
        };
        match std::env::var("ANP_TEST_SERVER") {
            Ok(program) => program,
            Err(_) if found("redis-server") => "redis-server".to_owned(),
            Err(_) => "valkey-server".to_owned(),
        }
    })
}

/// Servers besides [`server_program`]: the Valkey of `make setup`, and those of `ANP_TEST_SERVERS`.
pub fn other_servers() -> Vec<PathBuf> {
    let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers");
    let ours = std::fs::read_dir(servers).into_iter().flatten();
    let ours = ours.map(|folder| folder.unwrap().path().join("valkey-server"));
    let named = std::env::var_os("ANP_TEST_SERVERS").unwrap_or_default();
    let named: Vec<PathBuf> = std::env::split_paths(&named).collect();
    let all = ours.chain(named);
    all.filter(|path| path.is_file() && path != Path::new(server_program()))
        .collect()
}

/// A process that is killed when the test ends, however it ends.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody uses, and that no system hands out for outgoing connections.
pub fn free_port() -> u16 {
    use std::hash::{BuildHasher as _, RandomState};
    loop {
        let port = 10_000 + (RandomState::new().hash_one(0) % 20_000) as u16;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Sends a process a signal.
pub fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.unwrap().success());
}

pub fn this_host() -> String {
    let uname = Command::new("uname").arg("-n").output().unwrap();
    String::from_utf8(uname.stdout).unwrap().trim().to_owned()
}

/// A set of routes.
pub fn set(routes: &[&str]) -> BTreeSet<String> {
    routes.iter().map(|route| (*route).to_owned()).collect()
}

/// Waits longer than a file must be left alone before it is remembered.
pub fn settle() {
    std::thread::sleep(Duration::from_millis(2100));
}

/// A folder with content, a state folder and a server.
pub struct World {
    pub folder: TempDir,
    pub server: Server,
}

impl World {
    pub fn new() -> Self {
        Self::with_server(Server::start())
    }

    pub fn with_server(server: Server) -> Self {
        let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
        std::fs::create_dir(folder.path().join("content")).unwrap();
        Self { folder, server }
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file below the world's folder.
    pub fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// Writes a small valid article at `content/RELATIVE`.
    pub fn article(&self, relative: &str, body: &str) -> &Self {
        let text = format!("---\ntitle: About {relative}\n---\n\n{body}\n");
        self.write(&format!("content/{relative}"), text)
    }

    /// Compiles the C of a library to load into anp, once.
    pub fn shim(&self, c: &str) -> PathBuf {
        let (source, shim) = (self.path("shim.c"), self.path("shim.so"));
        if !shim.exists() {
            std::fs::write(&source, c).unwrap();
            let mut compiler = Command::new("cc");
            compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
            let made = compiler.arg(&shim).arg(&source).arg("-ldl").status();
            assert!(made.unwrap().success(), "a C compiler, as zstd needs one");
        }
        shim
    }

    /// Runs anp in the world's folder, with its server and state folder.
    pub fn anp(&self, line: &str) -> Ran {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        self.anp_with(&arguments, &[])
    }

    /// The same, with exact arguments and further variables of the environment.
    pub fn anp_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command("state", arguments);
        Ran::of(command.envs(variables.iter().copied()))
    }

    /// anp with the world's server and the state folder `state`, to be run by the test.
    pub fn command(&self, state: &str, arguments: &[&str]) -> Command {
        let mut command = self.bare();
        command
            .env("ANP_REDIS_URL", self.server.url())
            .env("ANP_STATE_DIR", self.path(state))
            .args(arguments)
            .args(format_of(arguments));
        command
    }

    /// anp under way, its stdout and stderr to be read.
    pub fn spawn(&self, arguments: &[&str]) -> (Child, BufReader<ChildStdout>) {
        let mut child = self
            .command("state", arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        (child, stdout)
    }

    /// An import of 3,000 articles in the middle of its writes. It cannot end before somebody
    /// reads its stdout: what it has to say of 6,000 keys is more than the pipe and its buffers
    /// hold.
    pub fn import_under_way(&self, arguments: &[&str]) -> (Child, BufReader<ChildStdout>) {
        for number in 0..3000 {
            self.article(&format!("n{number}.md"), "Text.");
        }
        let all = [&["import", "--format", "json"], arguments].concat();
        let (child, mut stdout) = self.spawn(&all);
        let mut line = String::new();
        while !line.contains(r#""type":"key""#) {
            line.clear();
            assert!(
                stdout.read_line(&mut line).unwrap() > 0,
                "no key was written"
            );
        }
        (child, stdout)
    }

    /// anp in the world's folder with an empty environment.
    pub fn bare(&self) -> Command {
        self.program(env!("CARGO_BIN_EXE_anp"))
    }

    /// Any program, in the same surroundings.
    pub fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs anp as a user whom file permissions stop: root is stopped by none, so then it
    /// is nobody, who may use the server and this folder.
    pub fn anp_without_rights(&self, line: &str) -> Ran {
        let mut command = self.without_rights();
        Ran::of(command.args(words(line)))
    }

    /// The same, with at most `limit` processes and threads of this user at one time.
    pub fn anp_with_few_processes(&self, limit: usize, line: &str) -> Ran {
        let without = self.without_rights();
        let mut command = self.program("setpriv");
        command.args(
            without
                .get_args()
                .take_while(|word| *word != self.path("anp")),
        );
        let limited = r#"ulimit -u "$0" && exec "$@""#;
        command.args(["bash", "-c", limited, &limit.to_string()]);
        command.arg(self.path("anp")).args(words(line));
        for (name, value) in without.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        Ran::of(&mut command)
    }

    fn without_rights(&self) -> Command {
        let anp = self.path("anp");
        if !anp.exists() {
            std::fs::copy(env!("CARGO_BIN_EXE_anp"), &anp).unwrap();
        }
        for (path, mode) in [
            (self.folder.path(), 0o777),
            (&anp, 0o755),
            (self.server.folder.path(), 0o755),
            (&self.server.socket(), 0o777),
        ] {
            set_mode(path, mode);
        }
        let mut command = self.program("setpriv");
        if is_root() {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command
            .arg(anp)
            .env("ANP_REDIS_URL", self.server.url())
            .env("ANP_STATE_DIR", self.path("state-without-rights"));
        command
    }

    /// Runs anp with files limited to `kib` KiB: to it, the disk is full at that point.
    pub fn anp_with_small_files(&self, kib: u64, line: &str) -> Ran {
        let mut command = self.program("bash");
        command
            .arg("-c")
            .arg(r#"ulimit -f "$0"; exec "$@""#)
            .arg(kib.to_string())
            .arg(env!("CARGO_BIN_EXE_anp"))
            .env("ANP_REDIS_URL", self.server.url())
            .env("ANP_STATE_DIR", self.path("state"))
            .args(words(line));
        Ran::of(&mut command)
    }

    /// Runs a command line that anp printed, as a person would who copies it into a shell.
    pub fn shell(&self, line: &str) -> Ran {
        Ran::of(self.program("sh").arg("-c").arg(line))
    }

    /// Every key but the lock, which a killed run leaves until it expires: type, absolute
    /// expiry in ms, value.
    pub fn keys(&self) -> BTreeMap<String, String> {
        let mut dump = self.server.dump();
        dump.remove("anp:lock");
        dump
    }

    /// The meta object of a route.
    #[track_caller]
    pub fn meta(&self, route: &str) -> serde_json::Value {
        let meta = self.server.get(&format!("anp:meta:{route}"));
        serde_json::from_str(&meta.unwrap_or_else(|| panic!("no meta object for {route}"))).unwrap()
    }

    /// Ids of the runs in the state folder, oldest first.
    pub fn runs(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path("state/runs")) else {
            return Vec::new();
        };
        let mut ids: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            // Beside a manifest may be what its run owes the caches.
            .filter(|name| !name.ends_with(".notify.json"))
            .map(|name| name.strip_suffix(".jsonl.zst").unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    }

    pub fn manifest(&self, run: &str) -> PathBuf {
        self.path(&format!("state/runs/{run}.jsonl.zst"))
    }
}

/// Imports 60 articles, again, changed and pruned, purges all of them, and takes each of these runs
/// back: what `dump` has of the store, but for the lock, is each time what it was before the run.
pub fn comes_full_circle(
    world: &World,
    anp: &dyn Fn(&str) -> Ran,
    dump: &mut dyn FnMut() -> BTreeMap<String, String>,
) {
    for number in 0..60 {
        world.article(&format!("circle/n{number}.md"), "Text.");
    }
    let mut keys = || {
        let mut dump = dump();
        dump.remove("anp:lock");
        dump
    };
    let counts = |line: &str, names: [&str; 4]| {
        let ran = anp(line);
        let counts = ran.exits(0).counts();
        names.map(|name| counts[name].as_u64().unwrap())
    };
    let before = keys();
    let names = ["created", "updated", "removed", "kept"];
    anp("import --dry-run").exits(0);
    assert!(keys() == before, "a dry run wrote");
    let imported = anp("import --format json");
    let first = imported.exits(0).of_type("run")[0]["run"].clone();
    anp("verify last").exits(0);
    let published = keys();
    assert!(published.len() >= before.len() + 100);
    let again = counts("import --format json --no-cache", names);
    assert_eq!([again[0], again[1], again[2]], [0, 0, 0]);
    assert!(keys() == published);
    for number in 0..20 {
        world.article(&format!("circle/n{number}.md"), "Another text.");
        let gone = format!("content/circle/n{}.md", number + 30);
        std::fs::remove_file(world.path(&gone)).unwrap();
        world.article(&format!("circle/new{number}.md"), "Text.");
    }
    let changed = counts("import --prune --max-removed 50% --format json", names);
    assert_eq!([changed[0], changed[1], changed[2]], [40, 40, 40]);
    anp("verify last").exits(0);
    anp("rollback last").exits(0);
    assert!(keys() == published, "the rollback of a changed import");
    anp("purge --all --yes").exits(0);
    anp("rollback last").exits(0);
    assert!(keys() == published, "the rollback of a purge");
    anp(&format!("rollback {}", first.as_str().unwrap())).exits(0);
    assert!(keys() == before, "the rollback of the first import");
}

/// Starts `anp serve` as `command` has it, on a free port, and returns it with its address.
pub fn serving(command: &mut Command) -> (Killed, String) {
    let words = ["serve", "--format", "json", "--addr", "127.0.0.1:0"];
    let command = command.args(words).stdout(Stdio::piped());
    let mut serving = Killed(command.stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    let stdout = serving.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = said["addr"].as_str().unwrap().to_owned();
    (serving, address)
}

/// The words of a command line, with its format.
fn words(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    [&words, format_of(&words)].concat()
}

/// The format of a command that writes, unless it names one: most tests look at single keys and counts.
pub fn format_of(arguments: &[&str]) -> &'static [&'static str] {
    let writes = arguments.iter().find(|word| !word.starts_with('-'));
    let writes = writes.is_some_and(|word| ["import", "purge", "rollback", "warm"].contains(word));
    let names_one = ["--format", "-q", "--help", "-h"];
    let is_plain = !arguments
        .iter()
        .any(|word| names_one.iter().any(|name| word.starts_with(name)));
    if writes && is_plain {
        &["--format", "json"]
    } else {
        &[]
    }
}

/// What a command did. A failing check shows all of it.
pub struct Ran {
    pub line: String,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        let line = format!("{command:?}");
        let output = command.output().unwrap();
        Self {
            line,
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// What a command that is under way ends with: the rest of what it says.
    pub fn ended(mut child: Child, mut stdout: impl std::io::Read) -> Self {
        let (mut rest, mut errors) = (String::new(), String::new());
        stdout.read_to_string(&mut rest).unwrap();
        let mut stderr = child.stderr.take().unwrap();
        std::io::Read::read_to_string(&mut stderr, &mut errors).unwrap();
        Self {
            line: "a command that was under way".to_owned(),
            code: child.wait().unwrap().code().unwrap_or(-1),
            stdout: rest,
            stderr: errors,
        }
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "exit code of {self}");
        self
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "stdout lacks {text:?}: {self}");
        self
    }

    #[track_caller]
    pub fn notes(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "stderr lacks {text:?}: {self}");
        self
    }

    /// All of stderr. The first line break of `text` does not count.
    #[track_caller]
    pub fn notes_exactly(&self, text: &str) -> &Self {
        let expected = text.strip_prefix('\n').unwrap_or(text);
        assert!(
            self.stderr == expected,
            "expected on stderr:\n{expected}\n{self}"
        );
        self
    }

    /// The text is nowhere in what the command said.
    #[track_caller]
    pub fn hides(&self, secret: &str) -> &Self {
        let shown = self.stdout.contains(secret) || self.stderr.contains(secret);
        assert!(!shown, "{secret:?} is shown by {self}");
        self
    }

    /// The JSON lines of stdout.
    pub fn lines(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {self}")))
            .collect()
    }

    /// The JSON lines of one type.
    pub fn of_type(&self, kind: &str) -> Vec<serde_json::Value> {
        let mut lines = self.lines();
        lines.retain(|line| line["type"] == kind);
        lines
    }

    /// The routes of the pages that a run names with this action.
    pub fn pages(&self, action: &str) -> BTreeSet<String> {
        let lines = self.of_type("key").into_iter();
        let such = lines.filter(|line| line["action"] == action);
        let keys = such.map(|line| line["key"].as_str().unwrap().to_owned());
        keys.filter_map(|key| Some(key.strip_prefix("anp:page:")?.to_owned()))
            .collect()
    }

    /// The summary's counts.
    #[track_caller]
    pub fn counts(&self) -> serde_json::Value {
        let summary = self.of_type("summary").pop();
        summary.unwrap_or_else(|| panic!("no summary: {self}"))["counts"].clone()
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "\n$ {}\n--- exit {}\n--- stdout\n{}\n--- stderr\n{}",
            self.line, self.code, self.stdout, self.stderr
        )
    }
}

/// What this process makes belongs to root.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0
}

pub fn set_mode(path: impl AsRef<Path>, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
