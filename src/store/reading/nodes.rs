//! The masters of a cluster, and which of them is asked for what.
//!
//! Who serves which slot is asked when the first question comes, and again whenever that turns
//! out to be wrong: a key is sent on to another node, or a master cannot be reached. Meanwhile
//! what is known goes on being used: a failover is no reason to keep those readers waiting whose
//! pages are elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Cmd, Pipeline};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::command::Command;
use super::link::{Link, PAUSE, Wait};
use crate::store::cluster::{Redirection, Serving, Topology, look_up, slot};
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
    map: Mutex<Option<Arc<Topology>>>,
    links: Mutex<HashMap<Node, Arc<Link>>>,
    /// Held by whoever looks for the masters; when that was done last, and what came of it.
    gate: tokio::sync::Mutex<Option<LookUp>>,
}

type LookUp = (Instant, Result<Arc<Topology>, StoreError>);

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
        let mut under_way = JoinSet::new();
        // What is asked of one key stays together: no write comes between.
        let groups = commands.chunk_by(|one, next| one.key.is_some() && one.key == next.key);
        for (place, group) in groups.enumerate() {
            for node in asked(&map, group[0].key, doing)? {
                let (this, map) = (Arc::clone(self), Arc::clone(&map));
                let cmds: Vec<Cmd> = group.iter().map(|command| command.cmd.clone()).collect();
                let doing = doing.to_owned();
                under_way.spawn(async move {
                    let replies = this.follow(&map, node, &cmds, &doing, wait).await;
                    (place, replies)
                });
            }
        }
        let mut answers = BTreeMap::new();
        let mut failed = None;
        // All of them: one that is silent has to be found out, whatever the others say.
        for (place, replies) in under_way.join_all().await {
            match replies {
                // Of the replies of several masters to one command, an error counts.
                Ok(replies) if matches!(replies[..], [Reply::Error { .. }]) => {
                    answers.insert(place, replies);
                }
                Ok(replies) => {
                    answers.entry(place).or_insert(replies);
                }
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            None => Ok(answers.into_values().flatten().collect()),
            Some(error) => {
                self.look_again();
                Err(error)
            }
        }
    }

    /// A connection with each master that has slots.
    ///
    /// # Errors
    /// When nobody tells which these are.
    pub(super) async fn masters(
        self: &Arc<Self>,
        wait: Wait,
    ) -> Result<Vec<Arc<Link>>, StoreError> {
        let doing = "looking for the masters";
        let map = timeout_at(wait.until, self.map()).await;
        let in_vain = |_| wait.in_vain(&self.connector.address.to_string(), doing);
        let nodes = asked(&*map.map_err(in_vain)??, None, doing)?;
        Ok(nodes.iter().map(|node| self.link(node)).collect())
    }

    /// Sends `cmds`, which have one key or none, to `node` and from there to where their slot is,
    /// and returns one reply each.
    async fn follow(
        self: &Arc<Self>,
        map: &Topology,
        mut node: Node,
        cmds: &[Cmd],
        doing: &str,
        wait: Wait,
    ) -> Result<Vec<Reply>, StoreError> {
        let mut asking = false;
        let mut hops_left = MOST_HOPS;
        loop {
            let mut pipeline = Pipeline::with_capacity(2 * cmds.len());
            pipeline.ignore_errors();
            for cmd in cmds {
                if asking {
                    pipeline.cmd("ASKING");
                }
                pipeline.add_command(cmd.clone());
            }
            let mut replies = self.link(&node).send(&pipeline, doing, wait).await?;
            if asking {
                replies = behind_asking(replies);
            }
            let mut sent_on = replies.iter().map(|reply| Redirection::of(reply, &node));
            let to = sent_on.find_map(Result::transpose).transpose();
            let to = to.map_err(|what| StoreError::new(Class::FindAgain, doing, what))?;
            let Some(to) = to.filter(|_| hops_left > 0) else {
                return Ok(replies);
            };
            hops_left -= 1;
            let known = known(map, &to.node);
            if !to.asking || known.is_none() {
                self.look_again();
            }
            (node, asking) = (known.cloned().unwrap_or(to.node), to.asking);
        }
    }

    /// The connection with `node`.
    fn link(&self, node: &Node) -> Arc<Link> {
        let mut links = locked(&self.links);
        let link = links.entry(node.clone()).or_insert_with(|| {
            let (connector, node) = (self.connector.clone(), Some(node.clone()));
            Arc::new(Link::new(connector, node, self.timeout))
        });
        Arc::clone(link)
    }

    /// Who serves what; asked if that is not known yet.
    async fn map(&self) -> Result<Arc<Topology>, StoreError> {
        if let Some(map) = self.seen() {
            return Ok(map);
        }
        let mut looked = self.gate.lock().await;
        match self.seen() {
            Some(map) => Ok(map),
            None => self.look(&mut looked).await,
        }
    }

    fn seen(&self) -> Option<Arc<Topology>> {
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

    async fn look(&self, looked: &mut Option<LookUp>) -> Result<Arc<Topology>, StoreError> {
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
            let map = Arc::new(topology);
            // Whoever is on one of the others is not disturbed.
            locked(&self.links).retain(|node, _| known(&map, node).is_some());
            *locked(&self.map) = Some(Arc::clone(&map));
            map
        });
        *looked = Some((Instant::now(), found.clone()));
        found
    }
}

/// The master of `key`; without one, every master with slots.
fn asked(map: &Topology, key: Option<&str>, doing: &str) -> Result<Vec<Node>, StoreError> {
    let slot = key.map(|key| slot(key.as_bytes()));
    let serves = |master: &&Serving| match slot {
        Some(slot) => master.serves(slot),
        None => master.slots() > 0,
    };
    let masters = map.masters.iter().filter(serves);
    let nodes: Vec<Node> = masters.map(|master| master.node.clone()).collect();
    if nodes.is_empty() {
        let detail = "no master serves the slot of its key";
        return Err(StoreError::new(Class::Wait, doing, detail));
    }
    Ok(nodes)
}

/// The master that `node` means, by the name under which it is known here.
fn known<'t>(map: &'t Topology, node: &Node) -> Option<&'t Node> {
    let master = map.masters.iter().find(|master| master.is(node));
    master.map(|master| &master.node)
}

/// The replies without those to `ASKING`. Where the right for that is missing, its error counts.
fn behind_asking(replies: Vec<Reply>) -> Vec<Reply> {
    let mut replies = replies.into_iter();
    let pairs = std::iter::from_fn(|| replies.next().zip(replies.next()));
    let told = pairs.map(|(asking, reply)| match asking {
        error @ Reply::Error { .. } => error,
        _ => reply,
    });
    told.collect()
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked here did not leave it half-written.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::behind_asking;
    use crate::store::Reply;

    #[test]
    fn where_asking_is_not_allowed_its_error_is_the_reply() {
        let denied = || Reply::Error {
            code: "NOPERM".to_owned(),
            detail: String::new(),
        };
        let ok = || Reply::Status("OK".to_owned());
        let replies = vec![ok(), Reply::Int(1), denied(), Reply::Int(2), ok(), denied()];
        let told = behind_asking(replies);
        assert_eq!(told, [Reply::Int(1), denied(), denied()]);
    }
}
