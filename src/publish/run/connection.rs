//! From settings to an open session.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::manifest::Header;
use crate::settings::Settings;
use crate::store::embedded::Embedded;
use crate::store::{
    Address, Class, Connector, Interrupt, KnownNodes, Place, Session, StoreError, Tls,
};

/// A store in use: the session, and the embedded server behind it if it is ours.
pub struct Connected {
    // Dropped in this order: the connection closes before its server is stopped.
    /// The session.
    pub session: Session,
    /// How further connections with the same server are made.
    pub connector: Connector,
    _embedded: Option<Embedded>,
}

impl Connected {
    /// Connects to `address`, starting the embedded server of the state folder if need be.
    /// `interrupted` ends every wait, now and later.
    ///
    /// # Errors
    /// When the server does not come up, cannot be reached, or refuses the credentials.
    /// Nothing was written then.
    pub fn open(
        address: &Address,
        settings: &Settings,
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        Self::connect(address, settings, interrupted)
            .map_err(|error| Failure::before_writing(&error))
    }

    /// The same for a command that only reads published objects, which needs fewer rights.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_to_read(
        address: &Address,
        settings: &Settings,
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        Self::connect(address, settings, interrupted).map_err(|error| Failure::of_reading(&error))
    }

    /// Whether this is the cluster that the run of `header` wrote to, where its address is the
    /// same: the nodes of an address may have become part of another one.
    ///
    /// # Errors
    /// 78 when not one node is of both.
    pub fn is_that_of(&self, header: &Header) -> Result<(), Failure> {
        let now = self.connector.known.ids();
        let address = &self.connector.address;
        let is_named_so = Address::parse(&header.server).is_ok_and(|then| then.same_as(address));
        let is_another = !now.is_empty() && !header.cluster.is_empty();
        if !is_named_so || !is_another || !now.is_disjoint(&header.cluster) {
            return Ok(());
        }
        let what = format!(
            "{address} leads to another cluster than when run {} wrote",
            header.run
        );
        Err(Failure::new(Exit::Config, what)
            .note("expected", "a cluster with nodes that were part of it then")
            .note(
                "retry",
                "with --redis and nodes of that cluster; nothing was written",
            ))
    }

    /// Replaces the connections by ones that have `name` from their login on. All further ones
    /// of the connector have it too.
    ///
    /// # Errors
    /// When the server is away, or refuses. Nothing was written then.
    pub fn name(&mut self, name: String) -> Result<(), Failure> {
        self.connector.name = Some(name);
        let named = self.session.reconnect(self.connector.clone());
        named.map_err(|error| Failure::before_writing(&error))
    }

    fn connect(
        address: &Address,
        settings: &Settings,
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Self, StoreError> {
        let patience = settings.patience;
        let interrupt = Interrupt::new(interrupted);
        let embedded = match &address.place {
            Place::Embedded(folder) => {
                // Another folder is named by a manifest. An empty server started there would
                // answer that everything is back.
                if *folder != settings.state_dir && !folder.join("embedded").is_dir() {
                    return Err(StoreError::new(
                        Class::FindAgain,
                        format!("connecting to {address}"),
                        "there is no embedded store in that folder; if it was moved, name its \
                         folder with --state-dir and say --redis embedded",
                    ));
                }
                Some(Embedded::start(folder, patience.timeout, &interrupt)?)
            }
            _ => None,
        };
        let tls = if address.tls {
            Some(Arc::new(Tls::load(&settings.tls)?))
        } else {
            None
        };
        let connector = Connector {
            address: address.clone(),
            tls,
            embedded_socket: embedded.as_ref().map(Embedded::socket),
            patience,
            interrupt,
            name: None,
            known: KnownNodes::default(),
        };
        let session = Session::open(connector.clone()).map_err(|error| {
            // It listens before it reads its data, and may end over them.
            match &embedded {
                Some(server) => StoreError {
                    detail: format!("{}; its log is {}", error.detail, server.log().display()),
                    ..error
                },
                None => error,
            }
        })?;
        Ok(Self {
            session,
            connector,
            _embedded: embedded,
        })
    }
}
