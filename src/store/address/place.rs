//! The server that an address names.

use std::fmt;
use std::path::PathBuf;

use super::Node;

/// A server, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A private server on a unix socket in this state folder; empty: in the one of the
    /// settings.
    Embedded(PathBuf),
    /// One server.
    Tcp(Node),
    /// A unix socket.
    Unix(PathBuf),
    /// A cluster, known by some of its nodes: at least one, each once.
    Cluster(Vec<Node>),
    /// The master of that name, whichever server it is: sentinels are asked for it.
    Sentinel {
        /// At least one, each once.
        sentinels: Vec<Node>,
        /// The name by which the sentinels know it.
        master: String,
    },
}

/// Servers with commas between them.
pub(in crate::store) struct Listed<'a>(pub(in crate::store) &'a [Node]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, node) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{node}")?;
        }
        Ok(())
    }
}
