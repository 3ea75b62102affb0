//! The store for many readers at once: shared connections that only read, on tokio.
//!
//! A question becomes one command or more ([`command`]). They go to the one server there is, or
//! each to the master of a cluster that serves its key ([`nodes`]), over one connection a server
//! ([`link`]). Nothing takes longer than the time-out, whatever the servers do.

mod command;
mod link;
mod nodes;
mod scan;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub use self::command::Ask;
use self::link::{Link, Wait};
use self::nodes::Nodes;
pub use self::scan::{ScanBounds, ScannedKeys};
use super::{Connector, Place, Reply, StoreError};

/// The store of many readers.
pub struct Reading {
    timeout: Duration,
    servers: Servers,
}

enum Servers {
    One(Box<Link>),
    Cluster(Arc<Nodes>),
}

impl Reading {
    /// Prepares to read from where `connector` leads; connects with the first question. What
    /// fails is told to readers, so no path is in it.
    #[must_use]
    pub fn new(connector: &Connector, timeout: Duration) -> Self {
        let mut connector = connector.clone();
        connector.tls = connector.tls.map(|tls| Arc::new(tls.without_paths()));
        let servers = match connector.address.place.clone() {
            Place::Cluster(seeds) => {
                Servers::Cluster(Arc::new(Nodes::new(connector, seeds, timeout)))
            }
            _ => Servers::One(Box::new(Link::new(connector, None, timeout))),
        };
        Self { timeout, servers }
    }

    /// The keys that begin with `prefix`, of every master.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn scan(&self, prefix: &str, bounds: ScanBounds) -> Result<ScannedKeys, StoreError> {
        match &self.servers {
            Servers::One(link) => scan::scan(&[link], prefix, bounds, self.timeout).await,
            Servers::Cluster(nodes) => {
                let wait = Wait {
                    until: Instant::now() + self.timeout,
                    whole: self.timeout,
                };
                let links = nodes.masters(wait).await?;
                let links: Vec<&Link> = links.iter().map(Arc::as_ref).collect();
                scan::scan(&links, prefix, bounds, self.timeout).await
            }
        }
    }

    /// Asks all of `questions` in one round trip, or one to each master of a cluster; one reply
    /// each, in order. The reply to a key that holds no string is an error reply.
    ///
    /// # Errors
    /// When there is no answer within the time-out, or a server puts us off or refuses.
    pub async fn ask(&self, questions: &[Ask<'_>], doing: &str) -> Result<Vec<Reply>, StoreError> {
        let wait = Wait {
            until: Instant::now() + self.timeout,
            whole: self.timeout,
        };
        let commands = command::of(questions);
        let replies = match &self.servers {
            Servers::One(link) => {
                link.send(&command::pipeline(&commands), doing, wait)
                    .await?
            }
            Servers::Cluster(nodes) => nodes.send(&commands, doing, wait).await?,
        };
        for reply in &replies {
            if let Reply::Error { code, detail } = reply
                && code != "WRONGTYPE"
            {
                return Err(StoreError::from_reply(doing, code, detail));
            }
        }
        Ok(command::gather(questions, replies))
    }
}
