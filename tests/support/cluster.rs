//! A real cluster on loopback: three masters, each with a replica.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{dump_of, free_port, server_program, signal};

/// Masters when a cluster starts.
pub const MASTERS: usize = 3;
const SLOTS: usize = 16_384;
/// An argument that stands for a free port.
const TLS_PORT: &str = "(TLS port)";
/// A node that is silent for so many ms is taken for dead.
const NODE_TIMEOUT: &str = "3000";

/// One server of a cluster, killed when the test ends.
pub struct ClusterNode {
    pub port: u16,
    pub id: String,
    folder: TempDir,
    child: Child,
}

impl ClusterNode {
    /// Starts a node that belongs to no cluster yet.
    pub fn start(arguments: &[String]) -> Self {
        for _ in 0..20 {
            let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
            let (port, bus, tls_port) = (free_port(), free_port(), free_port());
            let tls_port = tls_port.to_string();
            let arguments = arguments.iter().map(|word| match word.as_str() {
                TLS_PORT => &tls_port,
                _ => word,
            });
            let mut child = Command::new(server_program())
                .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
                .args(["--cluster-port", &bus.to_string()])
                .args(["--cluster-enabled", "yes"])
                .args(["--cluster-node-timeout", NODE_TIMEOUT])
                .args(["--cluster-replica-validity-factor", "0"])
                .args(["--cluster-allow-replica-migration", "no"])
                .args(["--repl-diskless-sync-delay", "0"])
                .args(["--save", "", "--appendonly", "no", "--dir"])
                .arg(folder.path())
                .args(arguments)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("a redis-server or valkey-server on the PATH: make setup");
            let until = Instant::now() + Duration::from_secs(20);
            loop {
                if connect(port).is_some() {
                    let id = query(port, &["CLUSTER", "MYID"]);
                    return Self {
                        port,
                        id,
                        folder,
                        child,
                    };
                }
                // Somebody else took one of its ports.
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                assert!(Instant::now() < until, "the node did not come up");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        panic!("no node came up");
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn connection(&self) -> redis::Connection {
        connect(self.port).unwrap()
    }

    /// Runs one command, its words separated by spaces.
    pub fn command<T: redis::FromRedisValue>(&self, line: &str) -> T {
        let words: Vec<&str> = line.split(' ').collect();
        query(self.port, &words)
    }

    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// One field of `CLUSTER INFO` or `INFO`.
    pub fn field(&self, command: &str, name: &str) -> String {
        let info: String = self.command(command);
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.strip_prefix(':'))
            .map_or(String::new(), str::to_owned)
    }

    /// How often `command` was called, in scripts too.
    pub fn calls(&self, command: &str) -> u64 {
        let stats = self.field("INFO commandstats", &format!("cmdstat_{command}"));
        let calls = stats
            .strip_prefix("calls=")
            .and_then(|rest| rest.split(',').next());
        calls.map_or(0, |calls| calls.parse().unwrap())
    }
}

impl Drop for ClusterNode {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The masters first, then their replicas in the same order.
pub struct Cluster {
    pub nodes: Vec<ClusterNode>,
    arguments: Vec<String>,
}

impl Cluster {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With TLS on a second port of each node, and between the nodes: a certificate and its key, and
    /// the authority's.
    pub fn start_with_tls(cert: &str, key: &str, ca: &str) -> Self {
        let mut arguments = vec!["--tls-port", TLS_PORT, "--tls-auth-clients", "no"];
        // Servers of version 7.0 announce their TLS ports only so.
        arguments.extend(["--tls-cluster", "yes", "--tls-replication", "yes"]);
        arguments.extend(["--tls-cert-file", cert, "--tls-key-file", key]);
        arguments.extend(["--tls-ca-cert-file", ca]);
        Self::start_with(&arguments)
    }

    pub fn start_with(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let nodes: Vec<ClusterNode> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..2 * MASTERS)
                .map(|_| scope.spawn(|| ClusterNode::start(&arguments)))
                .collect();
            starts
                .into_iter()
                .map(|node| node.join().unwrap())
                .collect()
        });
        let cluster = Self { nodes, arguments };
        for (index, master) in cluster.nodes[..MASTERS].iter().enumerate() {
            let first = index * SLOTS / MASTERS;
            let last = (index + 1) * SLOTS / MASTERS - 1;
            let _: () = master.command(&format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1));
            let _: () = master.command(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
        }
        for node in &cluster.nodes[1..] {
            cluster.meet(node);
        }
        cluster.wait_until_known();
        for (master, replica) in cluster.nodes.iter().zip(&cluster.nodes[MASTERS..]) {
            let _: () = replica.command(&format!("CLUSTER REPLICATE {}", master.id));
        }
        cluster.wait_until_ready();
        cluster
    }

    /// A further master without slots.
    pub fn grow(&mut self) -> usize {
        let node = ClusterNode::start(&self.arguments);
        self.meet(&node);
        self.nodes.push(node);
        self.wait_until_known();
        let index = self.nodes.len() - 1;
        wait_for("the new node to take part", || {
            self.nodes[index].field("CLUSTER INFO", "cluster_state") == "ok"
        });
        index
    }

    fn meet(&self, node: &ClusterNode) {
        // Its bus port does not follow from its port.
        let own: String = node.command("CLUSTER NODES");
        let bus = own
            .split('@')
            .nth(1)
            .and_then(|rest| rest.split([' ', ',']).next());
        let (port, bus) = (node.port, bus.unwrap());
        let _: () = self.nodes[0].command(&format!("CLUSTER MEET 127.0.0.1 {port} {bus}"));
    }

    fn wait_until_known(&self) {
        wait_for("the nodes to know each other", || {
            self.nodes.iter().all(|node| {
                let known: String = node.command("CLUSTER NODES");
                self.nodes.iter().all(|other| known.contains(&other.id))
            })
        });
    }

    fn wait_until_ready(&self) {
        let replicas = &self.nodes[MASTERS..];
        wait_for("the cluster to be ready", || {
            let all_ok = self.nodes.iter().all(|node| {
                node.field("CLUSTER INFO", "cluster_state") == "ok"
                    && node.field("CLUSTER INFO", "cluster_size") == MASTERS.to_string()
            });
            let in_sync =
                |node: &ClusterNode| node.field("INFO replication", "master_link_status") == "up";
            let is_known = |node: &ClusterNode| {
                let known: String = self.nodes[0].command("CLUSTER NODES");
                let line = known
                    .lines()
                    .find(|line| line.starts_with(&node.id))
                    .unwrap_or("");
                line.contains("slave") && line.ends_with("connected")
            };
            all_ok && replicas.iter().all(in_sync) && replicas.iter().all(is_known)
        });
    }

    /// The same over TLS.
    pub fn tls_url(&self) -> String {
        let node = |node: &ClusterNode| {
            let port: Vec<String> = node.command("CONFIG GET tls-port");
            format!("127.0.0.1:{}", port[1])
        };
        let nodes: Vec<String> = self.nodes.iter().map(node).collect();
        format!("rediss+cluster://{}/", nodes.join(","))
    }

    /// The address with all nodes in it.
    pub fn url(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(ClusterNode::address).collect();
        format!("redis+cluster://{}/", nodes.join(","))
    }

    /// The master of a slot, among those that live.
    pub fn owner(&mut self, slot: usize) -> usize {
        let masters = self.masters();
        let mut serving = masters
            .into_iter()
            .filter(|index| self.serves(*index, slot));
        serving.next().unwrap()
    }

    /// Whether a node says that a slot is its own.
    pub fn serves(&self, index: usize, slot: usize) -> bool {
        let nodes: String = self.nodes[index].command("CLUSTER NODES");
        let own = nodes.lines().find(|line| line.contains("myself")).unwrap();
        own.split(' ').skip(8).any(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let bound = |text: &str| text.parse::<usize>().ok();
            bound(first)
                .zip(bound(last))
                .is_some_and(|(first, last)| (first..=last).contains(&slot))
        })
    }

    /// The nodes that live and are masters.
    pub fn masters(&mut self) -> Vec<usize> {
        let mut masters = Vec::new();
        for (index, node) in self.nodes.iter_mut().enumerate() {
            if node.is_alive() && node.field("INFO replication", "role") == "master" {
                masters.push(index);
            }
        }
        masters
    }

    /// Waits until the replica of a master that was killed has taken its place.
    pub fn wait_for_failover(&self, killed: usize) {
        let heir = &self.nodes[killed + MASTERS];
        wait_for("the failover", || {
            heir.field("INFO replication", "role") == "master"
                && heir.field("CLUSTER INFO", "cluster_state") == "ok"
        });
    }

    /// Waits until every replica that lives has what its master has.
    pub fn settle(&self) {
        for master in &self.nodes[..MASTERS] {
            let _: i64 = master.command("WAIT 1 10000");
        }
        wait_for("the replicas to have all", || {
            let pairs = self.nodes.iter().zip(&self.nodes[MASTERS..]);
            pairs.into_iter().all(|(master, replica)| {
                master.command::<i64>("DBSIZE") == replica.command::<i64>("DBSIZE")
            })
        });
    }

    /// Every key of every master, as [`super::Server::dump`] has it.
    pub fn dump(&mut self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for index in self.masters() {
            all.extend(dump_of(&mut self.nodes[index].connection()));
        }
        all
    }

    /// Runs one command on every master.
    pub fn on_masters(&mut self, line: &str) {
        for index in self.masters() {
            let _: redis::Value = self.nodes[index].command(line);
        }
    }

    /// Opens the way of a slot from one node to another, and leaves it open: keys that the
    /// first does not hold are asked for at the second.
    pub fn open_slot(&self, slot: usize, from: usize, to: usize) {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let _: () = target.command(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", source.id));
        let _: () = source.command(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", target.id));
    }

    /// Moves the keys of a slot whose way is open, and leaves it open.
    pub fn move_keys(&self, slot: usize, from: usize, to: usize) {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        loop {
            let keys: Vec<String> = source.command(&format!("CLUSTER GETKEYSINSLOT {slot} 100"));
            if keys.is_empty() {
                break;
            }
            let mut migrate = redis::cmd("MIGRATE");
            migrate
                .arg("127.0.0.1")
                .arg(target.port)
                .arg("")
                .arg(0)
                .arg(10_000)
                .arg("KEYS");
            let _: redis::Value = migrate.arg(keys).query(&mut source.connection()).unwrap();
        }
    }

    /// Ends what [`Cluster::open_slot`] began: moves the keys, and tells the masters.
    pub fn move_slot(&self, slot: usize, from: usize, to: usize) {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        self.move_keys(slot, from, to);
        let told = format!("CLUSTER SETSLOT {slot} NODE {}", target.id);
        let _: () = target.command(&told);
        let _: () = source.command(&told);
    }
}

/// The slot of a key.
pub fn slot_of(node: &ClusterNode, key: &str) -> usize {
    redis::cmd("CLUSTER")
        .arg("KEYSLOT")
        .arg(key)
        .query(&mut node.connection())
        .unwrap()
}

/// Waits for what other processes do.
#[track_caller]
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "waited for {what} in vain");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn connect(port: u16) -> Option<redis::Connection> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let mut connection = client.get_connection().ok()?;
    // A node that a test has stopped fails that test, and does not hang it.
    let patience = Some(Duration::from_secs(20));
    connection.set_read_timeout(patience).unwrap();
    redis::cmd("PING").query::<()>(&mut connection).ok()?;
    Some(connection)
}

fn query<T: redis::FromRedisValue>(port: u16, words: &[&str]) -> T {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query(&mut connect(port).unwrap()).unwrap()
}
