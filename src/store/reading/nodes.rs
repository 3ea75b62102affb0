//! The masters of a cluster, and which of them is asked for what.
//!
//! Who serves which slot is asked when the first question comes, and again whenever that turns
//! out to be wrong: a key is sent on to another node, or a master cannot be reached. Meanwhile
//! what is known goes on being used: a failover is no reason to keep those readers waiting whose
//! pages are elsewhere.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::Pipeline;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::command::Command;
use super::link::{Link, PAUSE, Wait};
use crate::store::cluster::{Redirection, Serving, look_up, slot};
use crate::store::dial::plain_error;
use crate::store::{Class, Connector, Node, Reply, StoreError};

/// A key is sent on so many times: to where its slot has moved, and from there to where it is
/// on its way to.
const MOST_HOPS: usize = 2;

/// The masters of a cluster.
pub(super) struct Nodes {
    connector: Connector,
    seeds: Vec<Node>,
    timeout: Duration,
    map: Mutex<Option<Arc<Map>>>,
    links: Mutex<HashMap<Node, Arc<Link>>>,
    /// Held by whoever looks for the masters; when that was done last, and what came of it.
    gate: tokio::sync::Mutex<Option<LookUp>>,
}

type LookUp = (Instant, Result<Arc<Map>, StoreError>);

/// Who serves what, as it was seen last.
struct Map {
    masters: Vec<Serving>,
    /// The index of the master of each slot.
    owners: Vec<Option<u16>>,
}

/// A command on its way.
struct Hop {
    /// The index of the command.
    place: usize,
    node: Node,
    /// Whether `ASKING` has to precede it.
    asking: bool,
}

impl Nodes {
    /// The cluster of which `seeds` are nodes.
    pub(super) fn new(connector: Connector, seeds: Vec<Node>, timeout: Duration) -> Self {
        Self {
            connector,
            seeds,
            timeout,
            map: Mutex::default(),
            links: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
        }
    }

    /// Sends each of `commands` to the master of its key, to all masters at once, and returns
    /// one reply a command, within `wait`.
    ///
    /// # Errors
    /// When a master cannot be reached, or does not answer. The next question may find another
    /// one in its place.
    pub(super) async fn send(
        self: &Arc<Self>,
        commands: &[Command<'_>],
        doing: &str,
        wait: Wait,
    ) -> Result<Vec<Reply>, StoreError> {
        let map = timeout_at(wait.until, self.map()).await;
        let in_vain = |_| wait.in_vain(&self.connector.address.to_string(), doing);
        let map = map.map_err(in_vain)??;
        let mut todo = map.hops(commands, doing)?;
        let mut replies = vec![Reply::Nil; commands.len()];
        for hops_left in (0..=MOST_HOPS).rev() {
            let mut further = Vec::new();
            for (hop, reply) in self.exchange(commands, todo, doing, wait).await? {
                let to = Redirection::of(&reply, &hop.node);
                let to = to.map_err(|what| StoreError::new(Class::FindAgain, doing, what))?;
                match to {
                    Some(to) if hops_left > 0 => {
                        let node = map.known(&to.node);
                        if !to.asking || node.is_none() {
                            self.look_again();
                        }
                        further.push(Hop {
                            place: hop.place,
                            node: node.cloned().unwrap_or(to.node),
                            asking: to.asking,
                        });
                    }
                    // Of the replies of several masters to one command, an error counts.
                    _ if !matches!(replies[hop.place], Reply::Error { .. }) => {
                        replies[hop.place] = reply;
                    }
                    _ => {}
                }
            }
            todo = further;
            if todo.is_empty() {
                break;
            }
        }
        Ok(replies)
    }

    /// Sends all of `hops` at once, and returns each with its reply.
    async fn exchange(
        self: &Arc<Self>,
        commands: &[Command<'_>],
        hops: Vec<Hop>,
        doing: &str,
        wait: Wait,
    ) -> Result<Vec<(Hop, Reply)>, StoreError> {
        let mut parts: HashMap<Node, Vec<Hop>> = HashMap::new();
        for hop in hops {
            parts.entry(hop.node.clone()).or_default().push(hop);
        }
        let mut under_way = JoinSet::new();
        for (node, hops) in parts {
            let (link, doing) = (self.link(node), doing.to_owned());
            let mut pipeline = Pipeline::with_capacity(hops.len());
            pipeline.ignore_errors();
            for hop in &hops {
                if hop.asking {
                    pipeline.cmd("ASKING");
                }
                pipeline.add_command(commands[hop.place].cmd.clone());
            }
            under_way.spawn(async move {
                let replies = link.send(&pipeline, &doing, wait).await;
                (hops, replies)
            });
        }
        let mut answered = Vec::new();
        let mut failed = None;
        // All of them: one that is silent has to be found out, whatever the others say.
        for (hops, replies) in under_way.join_all().await {
            match replies {
                Ok(replies) => answered.extend(paired(hops, replies)),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            None => Ok(answered),
            Some(error) => {
                self.look_again();
                Err(error)
            }
        }
    }

    /// The connection with `node`.
    fn link(&self, node: Node) -> Arc<Link> {
        let mut links = locked(&self.links);
        let link = links.entry(node).or_insert_with_key(|node| {
            let (connector, node) = (self.connector.clone(), Some(node.clone()));
            Arc::new(Link::new(connector, node, self.timeout))
        });
        Arc::clone(link)
    }

    /// Who serves what; asked if that is not known yet.
    async fn map(&self) -> Result<Arc<Map>, StoreError> {
        if let Some(map) = self.seen() {
            return Ok(map);
        }
        let mut looked = self.gate.lock().await;
        match self.seen() {
            Some(map) => Ok(map),
            None => self.look(&mut looked).await,
        }
    }

    fn seen(&self) -> Option<Arc<Map>> {
        locked(&self.map).clone()
    }

    /// Asks anew who serves what, while others go on. If that fails, what is known stays.
    fn look_again(self: &Arc<Self>) {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            if let Ok(mut looked) = this.gate.try_lock() {
                let _ = this.look(&mut looked).await;
            }
        });
    }

    async fn look(&self, looked: &mut Option<LookUp>) -> Result<Arc<Map>, StoreError> {
        if let Some((at, found)) = looked
            && at.elapsed() < PAUSE
        {
            return found.clone();
        }
        let (connector, seeds) = (self.connector.clone(), self.seeds.clone());
        let time = self.timeout;
        // As everywhere; it blocks.
        let found = tokio::task::spawn_blocking(move || look_up(&connector, &seeds, time)).await;
        let failed = |error| {
            let doing = format!("looking for the masters of {}", self.connector.address);
            plain_error(&doing, &io::Error::other(error))
        };
        let found = found.map_err(failed).and_then(|topology| topology);
        let found = found.map(|topology| {
            let map = Arc::new(Map {
                owners: topology.map(),
                masters: topology.masters,
            });
            // Whoever is on one of the others is not disturbed.
            locked(&self.links).retain(|node, _| map.known(node).is_some());
            *locked(&self.map) = Some(Arc::clone(&map));
            map
        });
        *looked = Some((Instant::now(), found.clone()));
        found
    }
}

impl Map {
    /// The first way of each command. One without a key goes to every master with slots.
    fn hops(&self, commands: &[Command<'_>], doing: &str) -> Result<Vec<Hop>, StoreError> {
        let mut hops = Vec::with_capacity(commands.len());
        let mut add = |place: usize, master: &Serving| {
            hops.push(Hop {
                place,
                node: master.node.clone(),
                asking: false,
            });
        };
        for (place, command) in commands.iter().enumerate() {
            let Some(key) = command.key else {
                let serving = self.masters.iter().filter(|master| master.slots() > 0);
                serving.for_each(|master| add(place, master));
                continue;
            };
            let slot = slot(key.as_bytes());
            let owner = self.owners[slot].and_then(|owner| self.masters.get(usize::from(owner)));
            let Some(owner) = owner else {
                let detail = format!("no master serves slot {slot}");
                return Err(StoreError::new(Class::Wait, doing, detail));
            };
            add(place, owner);
        }
        Ok(hops)
    }

    /// The master that `node` means, by the name under which it is known here.
    fn known(&self, node: &Node) -> Option<&Node> {
        let master = self.masters.iter().find(|master| master.is(node));
        master.map(|master| &master.node)
    }
}

/// Each hop with its reply, without those to `ASKING`.
fn paired(hops: Vec<Hop>, replies: Vec<Reply>) -> Vec<(Hop, Reply)> {
    let mut replies = replies.into_iter();
    let mut next = |hop: Hop| {
        let reply = if hop.asking {
            // It fails where the right is missing; then so does what follows, as MOVED.
            match replies.next()? {
                error @ Reply::Error { .. } => {
                    replies.next();
                    error
                }
                _ => replies.next()?,
            }
        } else {
            replies.next()?
        };
        Some((hop, reply))
    };
    hops.into_iter().map_while(&mut next).collect()
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked here did not leave it half-written.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
