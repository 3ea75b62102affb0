//! A master with replicas, and sentinels that watch it: real processes on loopback ports.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::free_port;
use crate::support::{Killed, Server, World, server_program};

/// The name by which the sentinels know the master.
pub const NAME: &str = "archive";

pub struct Sentinel {
    pub port: u16,
    _process: Killed,
    _folder: tempfile::TempDir,
}

impl Sentinel {
    /// Watches the server at `master`, and fails over once `quorum` sentinels say that it is down.
    pub fn watching(master: u16, quorum: usize, further: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
        let port = free_port();
        let file: PathBuf = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\n{further}\n\
             sentinel monitor {NAME} 127.0.0.1 {master} {quorum}\n\
             sentinel down-after-milliseconds {NAME} 500\n\
             sentinel failover-timeout {NAME} 3000\n",
            folder.path().display()
        );
        std::fs::write(&file, text).unwrap();
        let process = Command::new(server_program())
            .arg(&file)
            .arg("--sentinel")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let sentinel = Self {
            port,
            _process: Killed(process),
            _folder: folder,
        };
        until("the sentinel is up", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        sentinel
    }

    /// What it answers to a command, its words separated by spaces.
    pub fn ask<T: redis::FromRedisValue>(&self, line: &str) -> redis::RedisResult<T> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let mut connection = client.get_connection()?;
        let mut command = redis::Cmd::new();
        for word in line.split(' ') {
            command.arg(word);
        }
        command.query(&mut connection)
    }

    /// The port of the master, as it knows it.
    pub fn master(&self) -> u16 {
        let line = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {NAME}");
        let (_, port): (String, u16) = self.ask(&line).unwrap();
        port
    }

    /// One field of what it knows of the master.
    fn field(&self, name: &str) -> String {
        let all: Vec<String> = self.ask(&format!("SENTINEL MASTER {NAME}")).unwrap();
        let at = all.iter().position(|word| word == name);
        at.map_or(String::new(), |at| all[at + 1].clone())
    }
}

/// Polls until it is so.
#[track_caller]
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A world whose server is the first master.
pub struct Watched {
    pub world: World,
    pub sentinels: Vec<Sentinel>,
    port: u16,
    replicas: Vec<(u16, Server)>,
}

impl Watched {
    /// One server, one sentinel.
    pub fn alone(arguments: &[&str]) -> Self {
        Self::with(0, 1, arguments)
    }

    /// One master, two replicas, three sentinels.
    pub fn trio() -> Self {
        Self::with(2, 3, &["--repl-diskless-sync-delay", "0"])
    }

    fn with(replicas: usize, sentinels: usize, arguments: &[&str]) -> Self {
        let port = free_port();
        let start = |port: u16, further: &[&str]| {
            let port = port.to_string();
            let own = ["--port", &port, "--bind", "127.0.0.1"];
            Server::start_with(&[&own[..], arguments, further].concat())
        };
        let world = World::with_server(start(port, &[]));
        let master = port.to_string();
        let replicas: Vec<(u16, Server)> = (0..replicas)
            .map(|_| {
                let port = free_port();
                (port, start(port, &["--replicaof", "127.0.0.1", &master]))
            })
            .collect();
        let quorum = sentinels / 2 + 1;
        let sentinels: Vec<Sentinel> = (0..sentinels)
            .map(|_| Sentinel::watching(port, quorum, ""))
            .collect();
        let watched = Self {
            world,
            sentinels,
            port,
            replicas,
        };
        let (peers, copies) = (watched.sentinels.len() - 1, watched.replicas.len());
        for sentinel in &watched.sentinels {
            until("the sentinels know each other and the replicas", || {
                sentinel.field("num-other-sentinels") == peers.to_string()
                    && sentinel.field("num-slaves") == copies.to_string()
            });
        }
        watched.settle();
        watched
    }

    /// The address by the sentinels; the first that it names is away.
    pub fn url(&self) -> String {
        let ports = self.sentinels.iter().map(|sentinel| sentinel.port);
        let all: Vec<String> = std::iter::once(1)
            .chain(ports)
            .map(|port| format!("127.0.0.1:{port}"))
            .collect();
        format!("redis+sentinel://{}/{NAME}/0", all.join(","))
    }

    /// The server that is master now, by all the sentinels and by itself.
    pub fn master(&self) -> &Server {
        let known = || {
            let port = self.sentinels[0].master();
            let all = self.sentinels.iter().all(|other| other.master() == port);
            let server = self.server(port);
            let role = server.run(&["ROLE"]);
            let is_master = format!("{role:?}").contains("master");
            (all && is_master).then_some(server)
        };
        until("one master", || known().is_some());
        known().unwrap()
    }

    fn server(&self, port: u16) -> &Server {
        if port == self.port {
            return &self.world.server;
        }
        let found = self.replicas.iter().find(|(own, _)| *own == port);
        &found.unwrap().1
    }

    /// Whether another server than the first is master.
    pub fn has_failed_over(&self) -> bool {
        self.sentinels
            .iter()
            .all(|sentinel| sentinel.master() != self.port)
    }

    /// Waits until every replica has what the first master has.
    pub fn settle(&self) {
        let count = self.replicas.len().to_string();
        until("the replicas follow", || {
            let redis::Value::Int(number) = self.world.server.run(&["WAIT", &count, "100"]) else {
                return false;
            };
            number.to_string() == count
        });
    }
}
