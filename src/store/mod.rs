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
mod connect;
mod connection;
mod dial;
pub(crate) mod embedded;
mod error;
mod interrupt;
mod quorum;
#[cfg(feature = "serve")]
pub mod reading;
mod replicas;
mod reply;
mod resp;
mod script;
mod seam;
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
pub use connect::{connect, connect_within};
pub use connection::{Connector, Patience};
pub use error::{Class, StoreError};
pub use interrupt::Interrupt;
pub use replicas::{Copies, wait_for_replicas};
pub use reply::Reply;
pub use resp::Batch;
pub use script::Script;
pub use seam::{Master, Store};
pub use session::{Greeting, OneMaster, Replies, Session};
pub use tls::{Tls, TlsSettings, system_certificates, system_roots};

/// Whether `text` can stand before every key of an archive, with at most `most` characters.
#[must_use]
pub fn is_prefix(text: &str, most: usize) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    (1..=most).contains(&text.len()) && text.chars().all(fits) && !text.ends_with(':')
}
