//! The nodes of a cluster that were seen last: the ones of the address may be gone by then, or be
//! part of another cluster.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::Node;

/// Nodes to ask for the cluster. Copies of it know the same.
#[derive(Clone, Debug, Default)]
pub struct KnownNodes(Arc<Mutex<ClusterMembers>>);

#[derive(Debug, Default)]
struct ClusterMembers {
    nodes: Vec<Node>,
    ids: BTreeSet<String>,
}

impl KnownNodes {
    /// Remembers the nodes of a cluster, and what they call themselves, and forgets the ones before.
    pub(super) fn set(&self, nodes: Vec<Node>, ids: BTreeSet<String>) {
        *self.members() = ClusterMembers { nodes, ids };
    }

    /// The nodes of the address, `seeds`, then the others.
    pub(super) fn with(&self, seeds: &[Node]) -> Vec<Node> {
        let mut nodes = seeds.to_vec();
        let known = self.members();
        nodes.extend(
            known
                .nodes
                .iter()
                .filter(|node| !seeds.contains(node))
                .cloned(),
        );
        nodes
    }

    /// What the nodes call themselves; nothing where the store is no cluster.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<String> {
        self.members().ids.clone()
    }

    fn members(&self) -> MutexGuard<'_, ClusterMembers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
