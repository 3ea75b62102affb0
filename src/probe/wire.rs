//! A connection with a front: TCP or TLS, each wait within a deadline and ended by a signal.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::Target;
use super::head::one_line;
use crate::store::system_roots;

/// So long a wait may last before it looks whether a signal came.
const SLICE: Duration = Duration::from_millis(50);

/// Of a reason so many characters are shown.
const LONGEST_REASON: usize = 300;

/// Why there is no answer, or no whole one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It took longer than the time limit.
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
    /// There is no connection.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// The connection was lost.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// What came is no HTTP.
    #[error("no HTTP/1.1: {0}")]
    Protocol(String),
    /// The body is larger than anything that is read.
    #[error("a body of more than {0} bytes")]
    TooLarge(usize),
}

/// Whether the moment came before a signal did.
pub(super) fn sleep_until(moment: Instant, interrupted: &AtomicBool) -> bool {
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return false;
        }
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(SLICE));
    }
}

/// When a wait ends.
#[derive(Clone, Debug)]
pub(super) struct Until {
    pub deadline: Instant,
    pub timeout: Duration,
    pub interrupted: Arc<AtomicBool>,
}

impl Until {
    pub(super) fn new(timeout: Duration, interrupted: &Arc<AtomicBool>) -> Self {
        Self {
            deadline: Instant::now() + timeout,
            timeout,
            interrupted: Arc::clone(interrupted),
        }
    }

    /// The next slice of waiting.
    fn slice(&self) -> Result<Duration, Trouble> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Trouble::Interrupted);
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Trouble::Timeout(self.timeout));
        }
        Ok(left.min(SLICE).max(Duration::from_millis(1)))
    }

    /// What an error of the connection means.
    pub(super) fn trouble(&self, error: &io::Error) -> Trouble {
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Trouble>());
        match inner {
            Some(trouble) => trouble.clone(),
            // TLS repeats names of the other end's certificate.
            None => Trouble::Lost(one_line(&error.to_string(), LONGEST_REASON)),
        }
    }

    /// The result of `work`, which blocks, unless the deadline or a signal comes first: then
    /// the work goes on alone, and nobody waits for it.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Trouble> {
        let (sender, receiver) = mpsc::channel();
        let started = std::thread::Builder::new().spawn(move || sender.send(work()));
        started.map_err(|error| Trouble::NoConnection(error.to_string()))?;
        loop {
            match receiver.recv_timeout(self.slice()?) {
                Ok(done) => return Ok(done),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Trouble::NoConnection("the attempt failed".to_owned()));
                }
            }
        }
    }
}

/// Where a front is, looked up once: no connection ever goes anywhere else.
#[derive(Clone)]
pub struct Front {
    /// The address as it was named.
    pub target: Target,
    addresses: Vec<SocketAddr>,
    tls: Option<Arc<ClientConfig>>,
}

impl Front {
    /// Looks the name up, and gets the system's certificates where the address is https.
    ///
    /// # Errors
    /// When the name has no address, or the system no certificates.
    pub fn find(
        target: Target,
        timeout: Duration,
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Self, Trouble> {
        let named = target.clone();
        let found = Until::new(timeout, interrupted).wait(move || named.resolve())?;
        let addresses = found.map_err(Trouble::NoConnection)?;
        let tls = if target.https { Some(tls()?) } else { None };
        Ok(Self {
            target,
            addresses,
            tls,
        })
    }

    /// Connects to the first of the addresses that answers.
    pub(super) fn connect(&self, until: &Until) -> Result<Stream, Trouble> {
        let mut last = Trouble::NoConnection("no address".to_owned());
        for address in self.addresses.clone() {
            let left = until.deadline.saturating_duration_since(Instant::now());
            let left = left.max(Duration::from_millis(1));
            match until.wait(move || TcpStream::connect_timeout(&address, left))? {
                Ok(stream) => return self.stream(stream, until),
                Err(error) => last = Trouble::NoConnection(error.to_string()),
            }
        }
        Err(last)
    }

    fn stream(&self, stream: TcpStream, until: &Until) -> Result<Stream, Trouble> {
        // A request is one write; without this, it may wait for the answer to the one before.
        let _ = stream.set_nodelay(true);
        let socket = Socket {
            stream,
            until: until.clone(),
        };
        let Some(config) = &self.tls else {
            return Ok(Stream::Plain(socket));
        };
        let refused = |error: String| Trouble::NoConnection(error);
        let name = ServerName::try_from(self.target.host.clone())
            .map_err(|error| refused(error.to_string()))?;
        let connection = ClientConnection::new(Arc::clone(config), name)
            .map_err(|error| refused(error.to_string()))?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            let done = stream.conn.complete_io(&mut stream.sock);
            done.map_err(|error| match until.trouble(&error) {
                Trouble::Lost(what) => Trouble::NoConnection(format!("TLS: {what}")),
                other => other,
            })?;
        }
        Ok(Stream::Tls(Box::new(stream)))
    }
}

/// The certificates that this system trusts.
fn tls() -> Result<Arc<ClientConfig>, Trouble> {
    let failed = |what: String| Trouble::NoConnection(format!("TLS: {what}"));
    let roots = system_roots().map_err(failed)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A TCP socket whose waits end at a deadline or with a signal.
pub(super) struct Socket {
    stream: TcpStream,
    until: Until,
}

/// Either kind of connection.
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Stream {
    /// From here on, waits end so.
    pub(super) fn limit(&mut self, until: &Until) {
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.sock,
        };
        socket.until = until.clone();
    }
}

impl Socket {
    /// Tries `operation` in slices.
    fn sliced<T>(
        &mut self,
        mut operation: impl FnMut(&mut TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            let slice = self.until.slice().map_err(io::Error::other)?;
            self.stream.set_read_timeout(Some(slice))?;
            self.stream.set_write_timeout(Some(slice))?;
            match operation(&mut self.stream) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock
                            | io::ErrorKind::TimedOut
                            | io::ErrorKind::Interrupted
                    ) => {}
                done => return done,
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.sliced(|stream| stream.read(buffer))
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sliced(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            // Many servers close without the goodbye of TLS; what ended is told by its length.
            Self::Tls(stream) => match stream.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                done => done,
            },
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
