//! Who serves which slot, as `CLUSTER SHARDS` tells it.

use std::collections::{BTreeSet, HashMap};

use crate::store::Node;
use crate::store::{Class, Reply, StoreError};

/// Slots of a cluster.
pub const SLOTS: usize = 16_384;

/// The slot of `key`: CRC-16 (XMODEM) of its hash tag, or of the whole key.
/// Source: the Redis Cluster specification, "Key distribution model".
#[must_use]
pub fn slot(key: &[u8]) -> usize {
    const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);
    usize::from(CRC.checksum(hash_tag(key))) % SLOTS
}

/// What stands between the first `{` and the first `}` behind it, unless that is nothing.
fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&byte| byte == b'{') else {
        return key;
    };
    let rest = &key[open + 1..];
    match rest.iter().position(|&byte| byte == b'}') {
        None | Some(0) => key,
        Some(close) => &rest[..close],
    }
}

/// A master, and the slots that it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Where clients reach it.
    pub node: Node,
    /// Its address as the nodes know it, where that is another one: redirections may name it.
    pub ip: Option<String>,
    /// What the nodes call it.
    pub id: String,
    /// First and last slot of each range.
    pub ranges: Vec<(usize, usize)>,
}

impl Serving {
    /// How many slots it serves.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.ranges
            .iter()
            .map(|(first, last)| last - first + 1)
            .sum()
    }

    /// Whether it serves `slot`.
    #[cfg(feature = "serve")]
    #[must_use]
    pub fn serves(&self, slot: usize) -> bool {
        let mut ranges = self.ranges.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&slot))
    }

    /// Whether a redirection to `node` means this one.
    #[must_use]
    pub fn is(&self, node: &Node) -> bool {
        self.node.port == node.port
            && (self.node.host == node.host || self.ip.as_ref() == Some(&node.host))
    }
}

/// A cluster at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The masters, in the order of their first slots; those without slots come last.
    pub masters: Vec<Serving>,
    /// Every node that is there, replicas included: each can be asked the next time.
    pub nodes: Vec<Node>,
    /// What the nodes call themselves.
    pub ids: BTreeSet<String>,
}

impl Topology {
    /// Reads a reply to `CLUSTER SHARDS` that `asked` gave; `tls` chooses between its ports.
    ///
    /// # Errors
    /// As the error reply, if it is one; `Config` when no node has a port of that kind, `Wait` when a
    /// slot has no master that is online.
    pub fn read(reply: Reply, asked: &Node, tls: bool, doing: &str) -> Result<Self, StoreError> {
        let Reply::Array(shards) = reply else {
            return reply.fail(doing);
        };
        let mut masters = Vec::new();
        let mut nodes = Vec::new();
        let mut ids = BTreeSet::new();
        let mut without_port = 0;
        for shard in &shards {
            let shard = fields(shard);
            let ranges = ranges(shard.get("slots").copied());
            let Some(Reply::Array(members)) = shard.get("nodes").copied() else {
                continue;
            };
            for member in members
                .iter()
                .map(|member| TopologyMember::read(member, asked, tls))
            {
                ids.insert(member.id.clone());
                let Some(node) = member.node else {
                    without_port += 1;
                    continue;
                };
                if member.is_serving {
                    masters.push(Serving {
                        ip: member.ip.filter(|ip| *ip != node.host),
                        node: node.clone(),
                        id: member.id,
                        ranges: ranges.clone(),
                    });
                }
                nodes.push(node);
            }
        }
        if without_port > 0 && nodes.is_empty() {
            let detail = if tls {
                "its nodes announce no TLS port; expected servers with tls-port, and tls-cluster yes"
            } else {
                "its nodes announce TLS ports alone; expected an address that begins with \
                 rediss+cluster"
            };
            return Err(StoreError::new(Class::Config, doing, detail));
        }
        masters.sort_by_key(|master| {
            let first = master.ranges.iter().map(|(first, _)| *first).min();
            (
                first.unwrap_or(SLOTS),
                master.node.host.clone(),
                master.node.port,
            )
        });
        let topology = Self {
            masters,
            nodes,
            ids,
        };
        let unserved = topology
            .map()
            .iter()
            .filter(|owner| owner.is_none())
            .count();
        if unserved > 0 {
            let detail = format!(
                "{asked} says that no master that is online serves {unserved} of {SLOTS} slots"
            );
            return Err(StoreError::new(Class::Wait, doing, detail));
        }
        Ok(topology)
    }

    /// What the masters that serve something call themselves. Nodes that agree on that may differ over
    /// a slot that has just moved from one to another.
    #[must_use]
    pub fn serving(&self) -> BTreeSet<String> {
        let serving = self
            .masters
            .iter()
            .filter(|master| !master.ranges.is_empty());
        serving.map(|master| master.id.clone()).collect()
    }

    /// The master of each slot, by its index.
    #[must_use]
    pub fn map(&self) -> Vec<Option<u16>> {
        let mut map = vec![None; SLOTS];
        for (index, master) in (0..).zip(&self.masters) {
            for &(first, last) in &master.ranges {
                map[first..=last].fill(Some(index));
            }
        }
        map
    }
}

/// A node of a shard.
struct TopologyMember {
    id: String,
    /// Where it is reached; none without a port of the kind that is asked for.
    node: Option<Node>,
    ip: Option<String>,
    /// Whether it is a master that is online.
    is_serving: bool,
}

impl TopologyMember {
    fn read(reply: &Reply, asked: &Node, tls: bool) -> Self {
        let member = fields(reply);
        let text = |name: &str| member.get(name).and_then(|reply| reply.text());
        let known = |name: &str| {
            text(name)
                .filter(|host| !host.is_empty() && *host != "?")
                .map(str::to_owned)
        };
        let port = if tls { "tls-port" } else { "port" };
        let port = member.get(port).and_then(|port| match port {
            Reply::Int(port) => u16::try_from(*port).ok(),
            _ => None,
        });
        // Without an endpoint it is reached where the node that says so was.
        let host = known("endpoint").unwrap_or_else(|| asked.host.clone());
        Self {
            id: text("id").unwrap_or_default().to_owned(),
            node: port.map(|port| Node { host, port }),
            ip: known("ip"),
            is_serving: text("role") == Some("master") && text("health") == Some("online"),
        }
    }
}

/// The names and values of a map, which RESP2 sends as a list.
fn fields(reply: &Reply) -> HashMap<&str, &Reply> {
    let Reply::Array(items) = reply else {
        return HashMap::new();
    };
    items
        .chunks_exact(2)
        .filter_map(|pair| Some((pair[0].text()?, &pair[1])))
        .collect()
}

fn ranges(reply: Option<&Reply>) -> Vec<(usize, usize)> {
    let Some(Reply::Array(bounds)) = reply else {
        return Vec::new();
    };
    let bound = |reply: &Reply| match reply {
        Reply::Int(slot) => usize::try_from(*slot).ok().filter(|slot| *slot < SLOTS),
        _ => None,
    };
    bounds
        .chunks_exact(2)
        .filter_map(|pair| bound(&pair[0]).zip(bound(&pair[1])))
        .filter(|(first, last)| first <= last)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Topology, slot};
    use crate::store::Node;
    use crate::store::{Class, Reply};

    fn text(text: &str) -> Reply {
        Reply::Bulk(text.as_bytes().to_vec())
    }

    fn member(port: i64, role: &str, health: &str) -> Reply {
        Reply::Array(vec![
            text("id"),
            text("07c3"),
            text("port"),
            Reply::Int(port),
            text("tls-port"),
            Reply::Int(port + 1000),
            text("ip"),
            text("10.0.0.1"),
            text("endpoint"),
            text(if port == 7003 { "?" } else { "10.0.0.1" }),
            text("role"),
            text(role),
            text("health"),
            text(health),
        ])
    }

    fn shard(slots: &[i64], members: Vec<Reply>) -> Reply {
        Reply::Array(vec![
            text("slots"),
            Reply::Array(slots.iter().map(|slot| Reply::Int(*slot)).collect()),
            text("nodes"),
            Reply::Array(members),
        ])
    }

    fn read(shards: Vec<Reply>, tls: bool) -> Result<Topology, crate::store::StoreError> {
        let asked = Node {
            host: "seed.example".to_owned(),
            port: 7000,
        };
        Topology::read(Reply::Array(shards), &asked, tls, "testing")
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(slot(b"123456789"), 0x31C3);
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(slot(b"foo{}{bar}"), slot(b"foo{}{bar}"));
        assert_ne!(slot(b"foo{}{bar}"), slot(b"bar"));
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
        assert_eq!(slot(b"foo{bar}{zap}"), slot(b"bar"));
    }

    #[test]
    fn the_masters_that_are_online_serve_their_ranges() {
        let shards = vec![
            shard(
                &[8192, 16383],
                vec![
                    member(7001, "master", "fail"),
                    member(7002, "master", "online"),
                ],
            ),
            shard(
                &[0, 100, 101, 8191],
                vec![
                    member(7003, "master", "online"),
                    member(7004, "replica", "online"),
                ],
            ),
            shard(&[], vec![member(7005, "master", "online")]),
        ];
        let topology = read(shards.clone(), false).unwrap();
        let named: Vec<String> = topology
            .masters
            .iter()
            .map(|master| format!("{} {}", master.node, master.slots()))
            .collect();
        // Where no endpoint is known, it is that of the node which was asked.
        let expected = [
            "seed.example:7003 8192",
            "10.0.0.1:7002 8192",
            "10.0.0.1:7005 0",
        ];
        assert_eq!(named, expected);
        let map = topology.map();
        assert_eq!([map[0], map[8191], map[8192]], [Some(0), Some(0), Some(1)]);
        assert_eq!(topology.nodes.len(), 5);
        let secure = read(shards, true).unwrap();
        assert_eq!(secure.masters[1].node.port, 8002);
    }

    #[test]
    fn nodes_without_a_port_of_the_kind_are_no_matter_of_waiting() {
        let Reply::Array(mut member) = member(7001, "master", "online") else {
            unreachable!()
        };
        member.drain(4..6);
        let shards = vec![shard(&[0, 16383], vec![Reply::Array(member)])];
        assert!(read(shards.clone(), false).is_ok());
        let error = read(shards, true).unwrap_err();
        assert_eq!(error.class, Class::Config);
        assert!(error.detail.contains("tls-cluster yes"), "{error}");
    }

    #[test]
    fn a_slot_without_a_master_is_waited_for() {
        let shards = vec![shard(&[0, 16382], vec![member(7001, "master", "online")])];
        let error = read(shards, false).unwrap_err();
        assert_eq!(error.class, Class::Wait);
        assert!(error.detail.contains("serves 1 of 16384"), "{error}");
    }
}
