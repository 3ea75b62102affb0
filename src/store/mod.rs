//! The store: one small seam to the outside, and the session that the rest talks to.
//!
//! [`Store`] sends a batch and returns one reply a command; the real one is a connection with
//! one server, with or without TLS, or one with each master of a cluster, that a [`Connector`]
//! makes whatever the form of the address; tests of order and failure use a fake. [`Session`] adds what every caller needs: scripts,
//! waiting, error classes.

mod acl;
mod address;
mod backoff;
mod cluster;
mod connection;
mod dial;
pub mod embedded;
mod error;
mod everyone;
mod interrupt;
#[cfg(feature = "serve")]
pub mod reading;
mod reply;
mod resp;
mod script;
mod sentinel;
mod session;
mod timed;
mod tls;
mod wire;

pub use acl::{
    ACL_LINE, CLUSTER_RIGHTS, FIELD_EXPIRIES_RIGHT, KEY_COMMANDS, READER_ACL_LINE, REPLICAS_RIGHT,
    SENTINEL_RIGHT,
};
pub use address::{Address, Node, Password, Place};
pub use cluster::KnownNodes;
pub use connection::Connector;
pub use error::{Class, StoreError};
pub use interrupt::Interrupt;
pub use reply::Reply;
pub use resp::Batch;
pub use script::Script;
pub use session::{Copies, Greeting, OneMaster, Patience, Replies, Session};
pub use tls::{Tls, TlsSettings};

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

/// Whether `text` can stand before every key of an archive, with at most `most` characters.
#[must_use]
pub fn is_prefix(text: &str, most: usize) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    (1..=most).contains(&text.len()) && text.chars().all(fits) && !text.ends_with(':')
}
