//! The nodes of a cluster that were seen last: the ones of the address may be gone by then.

use std::sync::{Arc, Mutex, PoisonError};

use crate::store::Node;

/// Nodes to ask for the cluster. Copies of it know the same.
#[derive(Clone, Debug, Default)]
pub struct KnownNodes(Arc<Mutex<Vec<Node>>>);

impl KnownNodes {
    /// Remembers the nodes of a cluster, and forgets the ones before.
    pub(super) fn set(&self, nodes: Vec<Node>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
    }

    /// The nodes of the address, `seeds`, then the others.
    pub(super) fn with(&self, seeds: &[Node]) -> Vec<Node> {
        let mut nodes = seeds.to_vec();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.extend(known.iter().filter(|node| !seeds.contains(node)).cloned());
        nodes
    }
}
