//! The seam to the outside: what the rest of anp knows of a server, or of many.

use super::{Batch, Reply, StoreError};

/// The seam to the outside.
pub trait Store: Send {
    /// Sends every command of `batch` and returns exactly one reply a command, in order.
    ///
    /// # Errors
    /// When the connection fails; then it is unknown which commands ran, and the
    /// connection is not used again. Error replies are not errors here.
    fn send(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError>;

    /// The servers that take writes: one, but for a cluster.
    fn masters(&self) -> Vec<Master> {
        vec![Master {
            name: String::new(),
            share: 1.0,
            is_used: true,
        }]
    }

    /// As [`Store::send`], to the master at that index, whatever the keys are.
    ///
    /// # Errors
    /// As there.
    fn send_to(&mut self, _master: usize, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
        self.send(batch)
    }
}

/// A server that takes writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Master {
    /// `host:port` in a cluster; empty where the store is one server.
    pub name: String,
    /// The part of all keys that it serves, 0 to 1.
    pub share: f64,
    /// Whether a key was asked for or written there.
    pub is_used: bool,
}
