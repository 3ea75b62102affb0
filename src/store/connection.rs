//! How a store is reached, whatever the form of its address.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::address::Login;
use super::backoff::Backoff;
use super::cluster::{Cluster, KnownNodes};
use super::dial::{End, Limit};
use super::tls::Tls;
use super::wire::{Wire, plain_error};
use super::{Address, Class, Interrupt, Node, Patience, Place, Store, StoreError, sentinel};

/// How a server is reached, and reached again: a name is looked up anew each time, and
/// sentinels are asked anew who the master is.
#[derive(Clone, Debug)]
pub struct Connector {
    /// The server and the credentials.
    pub address: Address,
    /// The socket of the embedded server, where that is the address.
    pub embedded_socket: Option<PathBuf>,
    /// TLS, loaded, where the address asks for it.
    pub tls: Option<Arc<Tls>>,
    /// How long things may take.
    pub patience: Patience,
    /// What ends every wait before its time.
    pub interrupt: Interrupt,
    /// The name that every connection gets in its login, before any other command.
    pub name: Option<String>,
    /// The nodes of a cluster that were seen last.
    pub known: KnownNodes,
}

impl Connector {
    /// Connects, authenticates and selects the database. While the server is still loading,
    /// or full of clients, or a failover is under way, it is waited for up to the deadline.
    ///
    /// # Errors
    /// `Never` when the credentials are refused, `FindAgain` when nothing listens there,
    /// `Config` when TLS or sentinels say that the settings cannot be right.
    pub fn connect(&self) -> Result<Box<dyn Store>, StoreError> {
        let mut backoff = Backoff::new(self.patience.deadline, &self.interrupt);
        loop {
            match self.connect_within(self.patience.timeout) {
                Err(error) if error.class == Class::Wait && backoff.pause() => {}
                Err(error) if error.class == Class::Wait && self.interrupt.is_asked() => {
                    return Err(error.interrupted());
                }
                done => return done,
            }
        }
    }

    /// The same, once, and within `time` if that is shorter than the time-out.
    ///
    /// # Errors
    /// As [`Connector::connect`], and `Wait` when the server puts us off.
    pub fn connect_within(&self, time: Duration) -> Result<Box<dyn Store>, StoreError> {
        let wire = match &self.address.place {
            Place::Cluster(seeds) => {
                return Ok(Box::new(Cluster::open(self, seeds, self.first(time))?));
            }
            Place::Sentinel { sentinels, master } => {
                sentinel::connect(self, sentinels, master, self.first(time))?.1
            }
            _ => {
                let place = self.address.to_string();
                self.open(&self.end()?, &self.login(), place, time)?
            }
        };
        Ok(Box::new(wire))
    }

    /// Connects to one server by itself, with the credentials, the database and the TLS of the
    /// address.
    ///
    /// # Errors
    /// As [`Connector::connect_within`].
    pub fn to_node(&self, node: &Node, time: Duration) -> Result<Box<dyn Store>, StoreError> {
        let end = End::Node(node.clone());
        let wire = self.open(&end, &self.login(), node.to_string(), time)?;
        Ok(Box::new(wire))
    }

    /// Where a connection is made to now: sentinels are asked.
    #[cfg(feature = "serve")]
    pub(super) fn find(&self, time: Duration) -> Result<End, StoreError> {
        match &self.address.place {
            Place::Sentinel { sentinels, master } => {
                sentinel::connect(self, sentinels, master, self.first(time))
                    .map(|(node, _)| End::Node(node))
            }
            _ => self.end(),
        }
    }

    /// The one server of an address that names one.
    fn end(&self) -> Result<End, StoreError> {
        Ok(match &self.address.place {
            Place::Embedded(_) => End::Socket(self.embedded_socket.clone().unwrap_or_default()),
            Place::Unix(path) => End::Socket(path.clone()),
            Place::Tcp(node) => End::Node(node.clone()),
            Place::Cluster(_) | Place::Sentinel { .. } => {
                let doing = format!("connecting to {}", self.address);
                let detail = "expected the address of one server";
                return Err(StoreError::new(Class::Config, doing, detail));
            }
        })
    }

    /// What a connection with the store begins with.
    pub(super) fn login(&self) -> Login<'_> {
        Login {
            name: self.name.as_deref(),
            ..self.address.login()
        }
    }

    /// Connects to `end`, which messages call `place`.
    pub(super) fn open(
        &self,
        end: &End,
        login: &Login<'_>,
        place: String,
        time: Duration,
    ) -> Result<Wire, StoreError> {
        let limit = Limit::new(Instant::now() + self.first(time), &self.interrupt);
        let doing = format!("connecting to {place}");
        let failed = |error: std::io::Error| plain_error(&doing, &error);
        if self.address.tls && self.tls.is_none() && matches!(end, End::Node(_)) {
            // Never without, where it was asked for.
            let detail = "the address asks for TLS, which was not prepared";
            return Err(StoreError::new(Class::Config, doing, detail));
        }
        let socket = end.dial(&limit).map_err(failed)?;
        let patience = self.patience.timeout;
        Wire::open(socket, self.tls.as_ref(), login, place, &limit, patience)
    }

    /// What the beginning of a connection may take.
    fn first(&self, time: Duration) -> Duration {
        // A time-out of zero would mean none at all.
        self.patience
            .timeout
            .min(time)
            .max(Duration::from_millis(1))
    }
}
