//! Connecting with the store, whatever the form of its address: one server, the master that
//! sentinels name, or the masters of a cluster.

use std::time::Duration;

use super::backoff::Backoff;
use super::cluster::Cluster;
use super::dial::End;
use super::{Class, Connector, Place, Store, StoreError, sentinel};

/// Connects, authenticates and selects the database. While the server is still loading,
/// or full of clients, or a failover is under way, it is waited for up to the deadline.
///
/// # Errors
/// `Never` when the credentials are refused, `FindAgain` when nothing listens there,
/// `Config` when TLS or sentinels say that the settings cannot be right.
pub fn connect(connector: &Connector) -> Result<Box<dyn Store>, StoreError> {
    let mut backoff = Backoff::new(connector.patience.deadline, &connector.interrupt);
    loop {
        match connect_within(connector, connector.patience.timeout) {
            Err(error) if error.class == Class::Wait && backoff.pause() => {}
            Err(error) if error.class == Class::Wait && connector.interrupt.is_asked() => {
                return Err(error.interrupted());
            }
            done => return done,
        }
    }
}

/// The same, once, and within `time` if that is shorter than the time-out.
///
/// # Errors
/// As [`connect`], and `Wait` when the server puts us off.
pub fn connect_within(connector: &Connector, time: Duration) -> Result<Box<dyn Store>, StoreError> {
    let wire = match &connector.address.place {
        Place::Cluster(seeds) => {
            return Ok(Box::new(Cluster::open(
                connector,
                seeds,
                connector.first(time),
            )?));
        }
        Place::Sentinel { sentinels, master } => {
            sentinel::connect(connector, sentinels, master, connector.first(time))?.1
        }
        _ => {
            let place = connector.address.to_string();
            connector.open(&end(connector)?, &connector.login(), place, time)?
        }
    };
    Ok(Box::new(wire))
}

/// Where a connection is made to now: sentinels are asked.
#[cfg(feature = "serve")]
pub(super) fn find(connector: &Connector, time: Duration) -> Result<End, StoreError> {
    match &connector.address.place {
        Place::Sentinel { sentinels, master } => {
            sentinel::connect(connector, sentinels, master, connector.first(time))
                .map(|(node, _)| End::Node(node))
        }
        _ => end(connector),
    }
}

/// The one server of an address that names one.
fn end(connector: &Connector) -> Result<End, StoreError> {
    Ok(match &connector.address.place {
        Place::Embedded(_) => End::Socket(connector.embedded_socket.clone().unwrap_or_default()),
        Place::Unix(path) => End::Socket(path.clone()),
        Place::Tcp(node) => End::Node(node.clone()),
        Place::Cluster(_) | Place::Sentinel { .. } => {
            let doing = format!("connecting to {}", connector.address);
            let detail = "expected the address of one server";
            return Err(StoreError::new(Class::Config, doing, detail));
        }
    })
}
