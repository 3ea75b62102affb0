//! What keeps the lease of a run: a thread that renews it, and a check after each reconnect.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::fence;
use super::fence::Ids;
use super::lease::{LENGTH, Lease, LeaseError};
use crate::store::{Class, Connector, Greeting, Session, StoreError, connect_within};

/// What the run `name` does with a connection that replaces a lost one, `old`, before it
/// writes again: it ends the old one, so that nothing which was sent there runs any more, and
/// checks that it still holds the lock.
pub(crate) fn rejoin(lease: Lease, name: String, mut old: Ids) -> Greeting {
    Box::new(move |session| {
        let own = fence::ids(session)?;
        fence::end_own(session, &name, &old, &own)?;
        old = own;
        lease.renew(session).map_err(|error| match error {
            LeaseError::Store(error) => error,
            lost => StoreError::new(Class::Fenced, "connecting again", lost.to_string()),
        })
    })
}

/// Renews the lease at a third of its length, on a connection of its own, so that a long
/// survey does not lose it. It only renews: whether the lease still stands is looked at
/// before each batch of writes.
pub(crate) struct Heartbeat {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    pub(crate) fn start(connector: &Connector, lease: &Lease) -> Result<Self, StoreError> {
        let (connector, lease) = (connector.clone(), lease.clone());
        let join = move || {
            let store = connect_within(&connector, connector.patience.timeout)?;
            let interrupt = connector.interrupt.clone();
            Ok::<_, StoreError>(Session::new(store, connector.patience, interrupt))
        };
        let mut session = Some(join()?);
        let (stop, stopped) = channel();
        let beating = std::thread::Builder::new().name("heartbeat".to_owned());
        let thread = beating.spawn(move || {
            let mut wait = LENGTH / 3;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                match session.as_mut().map(|session| lease.keep(session)) {
                    Some(Ok(())) => wait = LENGTH / 3,
                    None | Some(Err(LeaseError::Store(_))) => {
                        // Over a new connection it is only kept once it was found to stand.
                        session = join().ok();
                        match session.as_mut().map(|session| lease.renew(session)) {
                            Some(Err(LeaseError::Gone | LeaseError::Taken(_))) => return,
                            Some(Err(LeaseError::Store(_))) => session = None,
                            Some(Ok(())) | None => {}
                        }
                        wait = Duration::from_secs(1);
                    }
                    // Another run holds the lock.
                    Some(Err(_)) => return,
                }
            }
        });
        let thread = thread.map_err(|error| StoreError::no_thread("keeping the lock", &error))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Heartbeat {
    /// Ends it, and waits until it has ended, unless its server is `lost`: it may wait for that
    /// one itself, and could only renew a lease that is still there.
    pub(crate) fn stop(mut self, lost: bool) {
        self.stop.take();
        if lost {
            self.thread.take();
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
