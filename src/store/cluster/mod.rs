//! A Redis Cluster or Valkey Cluster: one connection a master, each with a thread of its own
//! while several have work.
//!
//! A batch is taken apart by the slots of its keys. What a master sends on to another (MOVED,
//! ASK) goes there alone, in the middle of the batch; the rest is not touched. As soon as a
//! connection is lost, or a master turns up that there is no connection with, the whole
//! cluster is found again: every writing connection is greeted before anything is sent over it
//! (named, its predecessor ended, the lease looked at), and none is made in passing.

mod known;
mod redirect;
mod route;
mod topology;

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

pub use self::known::KnownNodes;
pub(super) use self::redirect::Redirection;
use self::route::slot_of;
use self::topology::SLOTS;
pub(super) use self::topology::Serving;
pub(super) use self::topology::Topology;
#[cfg(feature = "serve")]
pub(super) use self::topology::slot;
use super::quorum;
use super::{Batch, CLUSTER_RIGHTS, Class, Connector, Master, Node, Reply, Store, StoreError};

/// A key is sent on so many times before the cluster is found again.
const MOST_HOPS: usize = 8;

/// The masters of a cluster.
pub(super) struct Cluster {
    members: Vec<Member>,
    /// The index of the master of each slot.
    owners: Vec<Option<u16>>,
    doing: String,
}

struct Member {
    serving: Serving,
    link: Box<dyn Store>,
    /// Whether a key was asked for or written there.
    is_used: bool,
}

/// Where a command goes next.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hop {
    member: usize,
    /// The slot is on its way there: only `ASKING` lets the command in.
    asking: bool,
}

impl Cluster {
    /// Asks the known nodes who serves what, and connects with every master.
    ///
    /// # Errors
    /// `FindAgain` when no node answers; `Wait` while a slot has no master, or its master cannot be
    /// reached; `Never` when the credentials are refused; `Config` where nodes of the address are
    /// in different clusters, or in none.
    pub(super) fn open(
        connector: &Connector,
        seeds: &[Node],
        time: Duration,
    ) -> Result<Self, StoreError> {
        let until = Instant::now() + time;
        let left = || until.saturating_duration_since(Instant::now());
        let topology = find(connector, seeds, time)?;
        let owners = topology.map();
        let link = |serving: Serving| {
            let link = connector.to_node(&serving.node, left());
            link.map(|link| Member {
                serving,
                link,
                is_used: false,
            })
        };
        let mut members = Vec::with_capacity(topology.masters.len());
        for serving in topology.masters {
            let serves = serving.slots() > 0;
            match link(serving) {
                Ok(member) => members.push(member),
                // The order of those with slots is not disturbed: these come last.
                Err(mut error)
                    if serves || matches!(error.class, Class::Never | Class::Interrupted) =>
                {
                    if error.class == Class::FindAgain {
                        // Its replica is about to take its place.
                        error.class = Class::Wait;
                    }
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        connector.known.set(topology.nodes, topology.ids);
        Ok(Self {
            members,
            owners,
            doing: format!("talking to {}", connector.address),
        })
    }

    fn lost(&self, detail: String) -> StoreError {
        StoreError::new(Class::FindAgain, &*self.doing, detail)
    }

    fn owner(&self, command: &[u8]) -> Result<usize, StoreError> {
        // What has no key goes to one and the same master, whose clock counts.
        let slot = slot_of(command).unwrap_or(0);
        let owner = self.owners[slot].map(usize::from);
        owner
            .filter(|owner| *owner < self.members.len())
            .ok_or_else(|| self.lost(format!("no master serves slot {slot}")))
    }

    /// Where `reply`, which the member `from` gave, sends its command to; none where it is an
    /// answer. A slot that has moved is remembered.
    fn redirected(&mut self, reply: &Reply, from: usize) -> Result<Option<Hop>, StoreError> {
        let asked = &self.members[from].serving.node;
        let to = Redirection::of(reply, asked).map_err(|what| self.lost(what))?;
        let Some(Redirection { slot, node, asking }) = to else {
            return Ok(None);
        };
        let Some(member) = self.members.iter().position(|m| m.serving.is(&node)) else {
            // No word is sent to it before it was greeted.
            let what = format!(
                "{asked} sends slot {slot} to {node}, which was no master when all were connected with"
            );
            return Err(self.lost(what));
        };
        if !asking {
            self.owners[slot] = u16::try_from(member).ok();
        }
        Ok(Some(Hop { member, asking }))
    }
}

/// Asks the known nodes who serves what, for whoever connects with the masters in a way of its
/// own.
///
/// # Errors
/// As [`Cluster::open`].
#[cfg(feature = "serve")]
pub(super) fn look_up(
    connector: &Connector,
    seeds: &[Node],
    time: Duration,
) -> Result<Topology, StoreError> {
    let topology = find(connector, seeds, time)?;
    let (nodes, ids) = (topology.nodes.clone(), topology.ids.clone());
    connector.known.set(nodes, ids);
    Ok(topology)
}

/// The failure where no node says who serves what: what is worth waiting for comes before what
/// refuses us, and that before nodes that are away.
fn none_answers(failures: Vec<(Node, StoreError)>, doing: String) -> StoreError {
    let is_away = |error: &StoreError| error.class == Class::FindAgain;
    let waits = failures.iter().any(|(_, error)| error.class == Class::Wait);
    let refused = failures
        .iter()
        .position(|(_, error)| !is_away(error) && error.class != Class::Wait);
    if let Some(refused) = refused.filter(|_| !waits) {
        let (node, error) = &failures[refused];
        let detail = format!("{node}: {}", error.detail);
        return StoreError::new(error.class, doing, detail);
    }
    let class = if waits { Class::Wait } else { Class::FindAgain };
    let told = failures.into_iter();
    let told = told.filter(|(_, error)| !waits || error.class == Class::Wait);
    let told: Vec<String> = told
        .map(|(node, error)| format!("{node}: {}", error.detail))
        .collect();
    StoreError::new(class, doing, told.join("; "))
}

/// What most of the known nodes that answer say of the cluster.
fn find(connector: &Connector, seeds: &[Node], time: Duration) -> Result<Topology, StoreError> {
    let doing = format!("looking for the masters of {}", connector.address);
    let nodes = connector.known.with(seeds);
    let question = {
        let (connector, doing) = (connector.clone(), doing.clone());
        move |node: &Node, time| ask(&connector, node, time, &doing)
    };
    let mut answers = Vec::new();
    let mut failures = Vec::new();
    for (node, answer) in quorum::ask(&nodes, time, &connector.interrupt, &doing, question) {
        match answer {
            Err(error) if error.class == Class::Interrupted => return Err(error),
            Ok(topology) => answers.push((node, topology)),
            Err(error) => failures.push((node, error)),
        }
    }
    if answers.is_empty() {
        return Err(none_answers(failures, doing));
    }
    // What the address says counts, and not a node that was part of the cluster once.
    let is_seed = |node: &Node| seeds.contains(node);
    let named: BTreeSet<String> = answers
        .iter()
        .filter(|(node, _)| is_seed(node))
        .flat_map(|(_, topology)| topology.ids.iter().cloned())
        .collect();
    answers.retain(|(node, topology)| {
        named.is_empty() || is_seed(node) || !topology.ids.is_disjoint(&named)
    });
    for (node, topology) in &answers[1..] {
        let (first, other) = &answers[0];
        if topology.ids.is_disjoint(&other.ids) {
            let detail = format!(
                "{first} and {node} are nodes of different clusters; expected an address whose \
                 nodes are all of one"
            );
            return Err(StoreError::new(Class::Config, doing, detail));
        }
    }
    let topologies = answers.into_iter().map(|(_, topology)| topology);
    let most = quorum::most(topologies.collect(), Topology::serving);
    let topology = most.ok_or_else(|| none_answers(failures, doing.clone()))?;
    let before = connector.known.ids();
    if !before.is_empty() && before.is_disjoint(&topology.ids) {
        let detail = "the nodes of the address belong to another cluster than before";
        return Err(StoreError::new(Class::Config, doing, detail));
    }
    Ok(topology)
}

fn ask(
    connector: &Connector,
    node: &Node,
    time: Duration,
    doing: &str,
) -> Result<Topology, StoreError> {
    let mut link = connector.to_node(node, time)?;
    let mut batch = Batch::default();
    batch.push(&[b"CLUSTER", b"SHARDS"]);
    let reply = link.send(&batch)?.pop().unwrap_or(Reply::Nil);
    if let Reply::Error { detail, .. } = &reply
        && detail.contains("cluster support disabled")
    {
        let detail = "expected a node of a cluster, found a server by itself: its address begins \
                      with redis://, or rediss:// over TLS";
        return Err(StoreError::new(Class::Config, doing, detail));
    }
    Topology::read(reply, node, connector.address.tls, doing).map_err(|mut error| {
        if error.class == Class::Never {
            let rights = format!("in a cluster the user needs {CLUSTER_RIGHTS} besides");
            error.detail = format!("{} ({rights})", error.detail);
        }
        error
    })
}

/// The commands of one master, and their places in the whole batch.
#[derive(Default)]
struct MasterBatch {
    batch: Batch,
    /// The place of each command; none for an ASKING.
    places: Vec<Option<usize>>,
}

impl Store for Cluster {
    fn send(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
        let mut hops = Vec::with_capacity(batch.len());
        for index in 0..batch.len() {
            hops.push(Hop {
                member: self.owner(batch.command(index))?,
                asking: false,
            });
        }
        let mut replies = vec![Reply::Nil; batch.len()];
        let mut todo: Vec<usize> = (0..batch.len()).collect();
        for _ in 0..MOST_HOPS {
            let mut parts: Vec<MasterBatch> = Vec::new();
            parts.resize_with(self.members.len(), MasterBatch::default);
            for &place in &todo {
                let hop = hops[place];
                let part = &mut parts[hop.member];
                self.members[hop.member].is_used = true;
                if hop.asking {
                    part.batch.push(&[b"ASKING"]);
                    part.places.push(None);
                }
                part.batch.push_encoded(batch.command(place));
                part.places.push(Some(place));
            }
            for (place, reply) in exchange(&mut self.members, &parts)? {
                replies[place] = reply;
            }
            let mut again = Vec::new();
            for place in todo {
                if let Some(hop) = self.redirected(&replies[place], hops[place].member)? {
                    hops[place] = hop;
                    again.push(place);
                }
            }
            todo = again;
            if todo.is_empty() {
                break;
            }
        }
        Ok(replies)
    }

    fn masters(&self) -> Vec<Master> {
        let mut slots = vec![0_usize; self.members.len()];
        for owner in self.owners.iter().flatten() {
            if let Some(count) = slots.get_mut(usize::from(*owner)) {
                *count += 1;
            }
        }
        let master = |(member, slots): (&Member, usize)| Master {
            name: member.serving.node.to_string(),
            share: slots as f64 / SLOTS as f64,
            is_used: member.is_used,
        };
        self.members.iter().zip(slots).map(master).collect()
    }

    fn send_to(&mut self, master: usize, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
        match self.members.get_mut(master) {
            Some(member) => member.link.send(batch),
            None => Err(self.lost("that master is gone".to_owned())),
        }
    }
}

/// Sends each part to its member, all at once, and returns the replies with their places.
fn exchange(
    members: &mut [Member],
    parts: &[MasterBatch],
) -> Result<Vec<(usize, Reply)>, StoreError> {
    let work = members.iter_mut().zip(parts);
    let mut work: Vec<_> = work.filter(|(_, part)| !part.places.is_empty()).collect();
    let answered = if let [(member, part)] = &mut work[..] {
        vec![member.link.send(&part.batch)]
    } else {
        std::thread::scope(|scope| {
            let threads: Vec<_> = work
                .iter_mut()
                .map(|(member, part)| {
                    std::thread::Builder::new()
                        .spawn_scoped(scope, || member.link.send(&part.batch))
                })
                .collect();
            let join = |thread: io::Result<std::thread::ScopedJoinHandle<'_, _>>| {
                thread
                    .map_err(|error| StoreError::no_thread("talking to several masters", &error))?
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).collect()
        })
    };
    let mut replies = Vec::new();
    for ((_, part), answered) in work.iter().zip(answered) {
        let placed = part.places.iter().zip(answered?);
        replies.extend(placed.filter_map(|(place, reply)| Some(((*place)?, reply))));
    }
    Ok(replies)
}
