//! How a store is reached, whatever the form of its address.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::address::Login;
use super::cluster::KnownNodes;
use super::dial::{End, Limit, plain_error};
use super::tls::Tls;
use super::wire::Wire;
use super::{Address, Class, Interrupt, Node, Store, StoreError};

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Connecting, and each wait for the socket.
    pub timeout: Duration,
    /// How long a server that says "not now", or is lost in mid-run, is asked again, in all.
    pub deadline: Duration,
}

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
    /// Connects to one server by itself, with the credentials, the database and the TLS of the
    /// address.
    ///
    /// # Errors
    /// As [`super::connect_within`].
    pub fn to_node(&self, node: &Node, time: Duration) -> Result<Box<dyn Store>, StoreError> {
        let end = End::Node(node.clone());
        let wire = self.open(&end, &self.login(), node.to_string(), time)?;
        Ok(Box::new(wire))
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
    pub(super) fn first(&self, time: Duration) -> Duration {
        // A time-out of zero would mean none at all.
        self.patience
            .timeout
            .min(time)
            .max(Duration::from_millis(1))
    }
}
