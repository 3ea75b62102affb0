//! Connecting: every wait for a socket ends at a deadline, or once a signal came.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::net::addr::SocketAddrArg;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket, sockopt};

use super::address::Node;
use super::error::{Class, INTERRUPTED, StoreError};
use super::interrupt::Interrupt;

/// How long a signal may go unseen.
pub(super) const SLICE: Duration = Duration::from_millis(50);

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A server in the network.
    Node(Node),
    /// A unix socket.
    Socket(PathBuf),
}

/// A socket that is connected, and nothing more.
pub(super) enum Socket {
    Tcp(TcpStream, Node),
    Unix(UnixStream),
}

/// When a wait ends.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    pub(super) until: Instant,
    pub(super) interrupt: Interrupt,
    /// When the signal was seen.
    asked_at: Option<Instant>,
}

/// Marks the error of a wait that a signal ended.
#[derive(Debug, thiserror::Error)]
#[error("{INTERRUPTED}")]
struct Interrupted;

/// Whether a signal ended the wait.
pub(super) fn was_interrupted(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(Interrupted))
}

/// Whether a wait for the socket ended without anything to read, or room to write.
pub(super) fn waited_in_vain(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

/// What an error of a connection without TLS means.
pub(super) fn plain_error(doing: &str, error: &io::Error) -> StoreError {
    if was_interrupted(error) {
        return Interrupt::error(doing);
    }
    let detail = if waited_in_vain(error) {
        "no answer within the time-out".to_owned()
    } else {
        error.to_string()
    };
    StoreError::new(Class::FindAgain, doing, detail)
}

impl Limit {
    pub(super) fn new(until: Instant, interrupt: &Interrupt) -> Self {
        Self {
            until,
            interrupt: interrupt.clone(),
            asked_at: None,
        }
    }

    /// How long the next wait may be before this is called again.
    ///
    /// # Errors
    /// When the wait is over.
    pub(super) fn slice(&mut self) -> io::Result<Duration> {
        let now = Instant::now();
        let left = self.until.saturating_duration_since(now);
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if self.interrupt.is_asked() {
            let asked_at = *self.asked_at.get_or_insert(now);
            if now.saturating_duration_since(asked_at) >= self.interrupt.grace() {
                return Err(io::Error::other(Interrupted));
            }
        }
        Ok(left.min(SLICE))
    }
}

impl End {
    /// Connects. A name may have several addresses: each gets its share of the time that is left.
    pub(super) fn dial(&self, limit: &Limit) -> io::Result<Socket> {
        let node = match self {
            Self::Socket(path) => return unix(path, &mut limit.clone()).map(Socket::Unix),
            Self::Node(node) => node,
        };
        let addresses = resolve(node, &mut limit.clone())?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for (address, rest) in addresses.iter().zip((1..=addresses.len()).rev()) {
            let now = Instant::now();
            let left = limit.until.saturating_duration_since(now);
            let share = left / u32::try_from(rest).unwrap_or(u32::MAX);
            let share = share.max(Duration::from_millis(1));
            match tcp(address, &mut Limit::new(now + share, &limit.interrupt)) {
                Ok(stream) => {
                    // A batch is one write; without this, its end may wait for an answer.
                    stream.set_nodelay(true)?;
                    return Ok(Socket::Tcp(stream, node.clone()));
                }
                Err(error) if was_interrupted(&error) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// The addresses of `node`. The system looks names up for as long as it likes, so a thread asks it,
/// which is left alone where that takes too long.
fn resolve(node: &Node, limit: &mut Limit) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = node.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, node.port)]);
    }
    let (said, heard) = channel();
    let name = (node.host.clone(), node.port);
    std::thread::Builder::new()
        .name("dns".to_owned())
        .spawn(move || {
            let found = name.to_socket_addrs().map(Iterator::collect);
            let _ = said.send(found);
        })?;
    loop {
        match heard.recv_timeout(limit.slice()?) {
            Ok(found) => return found,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("the name could not be looked up"));
            }
        }
    }
}

fn tcp(address: &SocketAddr, limit: &mut Limit) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    connected(family, address, limit).map(TcpStream::from)
}

fn unix(path: &Path, limit: &mut Limit) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    connected(AddressFamily::UNIX, &address, limit).map(UnixStream::from)
}

fn connected(
    family: AddressFamily,
    address: &impl SocketAddrArg,
    limit: &mut Limit,
) -> io::Result<OwnedFd> {
    let socket = socket(family, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    loop {
        match connect(&socket, address) {
            Ok(()) => break,
            Err(Errno::INPROGRESS | Errno::INTR) => {
                writable(&socket, limit)?;
                sockopt::socket_error(&socket)??;
                break;
            }
            // The queue of a unix socket is full: nobody tells when there is room again.
            Err(Errno::AGAIN) if family == AddressFamily::UNIX => {
                std::thread::sleep(limit.slice()?.min(Duration::from_millis(10)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    ioctl_fionbio(&socket, false)?;
    Ok(socket)
}

/// Waits until `socket` is connected, or is not going to be.
fn writable(socket: &OwnedFd, limit: &mut Limit) -> io::Result<()> {
    loop {
        let slice = Timespec::try_from(limit.slice()?).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&slice)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    use super::{End, Limit, was_interrupted};
    use crate::store::Node;
    use crate::store::interrupt::Interrupt;

    const LONG: Duration = Duration::from_secs(600);

    /// A unix socket whose queue is full, and what keeps it so.
    fn full() -> (tempfile::TempDir, Vec<std::os::fd::OwnedFd>, End) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let mut held = vec![listener.into()];
        let end = End::Socket(path);
        let soon = || {
            Limit::new(
                Instant::now() + Duration::from_millis(30),
                &Interrupt::never(),
            )
        };
        loop {
            match end.dial(&soon()) {
                Ok(super::Socket::Unix(stream)) => held.push(stream.into()),
                Ok(super::Socket::Tcp(..)) => unreachable!(),
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
                    return (folder, held, end);
                }
            }
        }
    }

    #[test]
    fn promise_8_a_queue_that_stays_full_has_a_deadline_and_a_signal_ends_the_wait() {
        let (_folder, _held, end) = full();
        let asked = Arc::new(AtomicBool::new(true));
        let limit = Limit::new(Instant::now() + LONG, &Interrupt::new(&asked));
        assert!(was_interrupted(&end.dial(&limit).err().unwrap()));
    }

    #[test]
    fn promise_8_a_signal_ends_the_wait_for_an_address_that_never_answers() {
        let asked = Arc::new(AtomicBool::new(true));
        let limit = Limit::new(Instant::now() + LONG, &Interrupt::new(&asked));
        // A name, which a thread looks up, and an address of a network for documents (RFC 5737).
        for host in ["localhost", "192.0.2.1"] {
            let end = End::Node(Node::new(host, 6379));
            assert!(was_interrupted(&end.dial(&limit).err().unwrap()), "{host}");
        }
    }
}
