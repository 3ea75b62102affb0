//! One connection with one server: one packed write, then one read a reply.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

use super::address::{Login, Node};
use super::tls::Tls;
use super::{Batch, Class, Reply, Store, StoreError};
use crate::failpoint;

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

impl End {
    /// Connects within `time`. A name may have several addresses: each gets its share of what
    /// is left.
    pub(super) fn dial(&self, time: Duration) -> io::Result<Socket> {
        let node = match self {
            Self::Socket(path) => return UnixStream::connect(path).map(Socket::Unix),
            Self::Node(node) => node,
        };
        let until = Instant::now() + time;
        let found = (node.host.as_str(), node.port).to_socket_addrs()?;
        let addresses: Vec<_> = found.collect();
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for (address, rest) in addresses.iter().zip((1..=addresses.len()).rev()) {
            let left = until.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(rest).unwrap_or(u32::MAX);
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                Ok(stream) => {
                    // A batch is one write; without this, its end may wait for an answer.
                    stream.set_nodelay(true)?;
                    return Ok(Socket::Tcp(stream, node.clone()));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// Why no reply came.
enum Fault {
    /// The connection failed.
    Io(io::Error),
    /// What came is no reply.
    Protocol(String),
}

/// A connection in use.
pub(super) struct Wire {
    stream: Stream,
    parser: redis::Parser,
    /// What tells of TLS, and the server at the other end.
    tls: Option<(Arc<Tls>, Node)>,
    place: String,
    /// Set at the first I/O error: replies still under way would be taken for later ones.
    broken: bool,
    /// How long one reply may take, however many pieces it comes in.
    patience: Duration,
}

impl Wire {
    /// Takes `socket` into use, which is the one of `place`: TLS if it is asked for, then the
    /// login. Each wait takes at most `time`.
    pub(super) fn open(
        socket: Socket,
        tls: Option<&Arc<Tls>>,
        login: &Login<'_>,
        place: String,
        time: Duration,
    ) -> Result<Self, StoreError> {
        let doing = format!("connecting to {place}");
        let failed = |error: io::Error| plain_error(&doing, &error);
        let is_plain_tcp = matches!(socket, Socket::Tcp(..)) && tls.is_none();
        let (stream, tls) = match (socket, tls) {
            (Socket::Unix(stream), _) => (Stream::Unix(stream), None),
            (Socket::Tcp(stream, _), None) => (Stream::Tcp(stream), None),
            (Socket::Tcp(stream, node), Some(tls)) => {
                stream.set_read_timeout(Some(time)).map_err(failed)?;
                stream.set_write_timeout(Some(time)).map_err(failed)?;
                let secure = tls
                    .secure(stream, &node)
                    .map_err(|(class, detail)| StoreError::new(class, &doing, detail))?;
                (Stream::Tls(Box::new(secure)), Some((Arc::clone(tls), node)))
            }
        };
        let mut wire = Self {
            stream,
            parser: redis::Parser::new(),
            tls,
            place,
            broken: false,
            patience: time,
        };
        wire.limit(time).map_err(failed)?;
        match wire.log_in(login, &doing) {
            Ok(done) => done?,
            // Servers with TLS end connections that begin without, often without a word.
            Err(fault) if is_plain_tcp => {
                let mut error = wire.error(&doing, &fault);
                if let Fault::Protocol(_) = fault {
                    error.class = Class::Config;
                    error.detail = "the server answers, but not as Redis does; expected one \
                                    without TLS: if it speaks TLS, its address begins with rediss"
                        .to_owned();
                } else if !is_timeout(&fault) {
                    error.detail = format!(
                        "{}, before the server said a word; if it speaks TLS, its address begins \
                         with rediss",
                        error.detail
                    );
                }
                return Err(error);
            }
            Err(fault) => return Err(wire.error(&doing, &fault)),
        }
        Ok(wire)
    }

    /// How long each wait for the socket may take.
    pub(super) fn limit(&mut self, time: Duration) -> io::Result<()> {
        self.patience = time;
        let time = Some(time);
        match &self.stream {
            Stream::Unix(stream) => stream
                .set_read_timeout(time)
                .and_then(|()| stream.set_write_timeout(time)),
            Stream::Tcp(stream) => stream
                .set_read_timeout(time)
                .and_then(|()| stream.set_write_timeout(time)),
            Stream::Tls(stream) => stream
                .sock
                .set_read_timeout(time)
                .and_then(|()| stream.sock.set_write_timeout(time)),
        }
    }

    /// Sends user, password, database and a PING, as far as `login` has them.
    fn log_in(&mut self, login: &Login<'_>, doing: &str) -> Result<Result<(), StoreError>, Fault> {
        let mut batch = Batch::default();
        login.push_onto(&mut batch);
        self.write(batch.bytes()).map_err(Fault::Io)?;
        let until = Instant::now() + self.patience;
        // The first error counts: what comes after it follows from it.
        for index in 0..batch.len() {
            if let Reply::Error { code, detail } = self.receive(until)? {
                let mut error = StoreError::from_reply(doing, &code, &detail);
                if index == 0 && login.has_password() && error.class != Class::Wait {
                    // Whatever the server has against a user or a password, it stays so.
                    error.class = Class::Never;
                }
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(bytes),
            Stream::Unix(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    fn receive(&mut self, until: Instant) -> Result<Reply, Fault> {
        let mut source = Source {
            stream: &mut self.stream,
            until,
            error: None,
            ended: false,
        };
        match self.parser.parse_value(&mut source) {
            Ok(value) => Ok(Reply::from(value)),
            Err(error) => Err(match source.error {
                Some(error) => Fault::Io(error),
                None if source.ended => Fault::Io(io::ErrorKind::UnexpectedEof.into()),
                None => Fault::Protocol(error.to_string()),
            }),
        }
    }

    fn error(&self, doing: &str, fault: &Fault) -> StoreError {
        match (fault, &self.tls) {
            (Fault::Protocol(text), _) => StoreError::new(Class::FindAgain, doing, text.as_str()),
            (Fault::Io(error), Some((tls, node))) if !is_timeout(fault) => {
                let (class, detail) = tls.explain(error, node);
                StoreError::new(class, doing, detail)
            }
            (Fault::Io(error), _) => plain_error(doing, error),
        }
    }
}

impl Store for Wire {
    fn send(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
        if self.broken {
            let doing = format!("talking to {}", self.place);
            let detail = "the connection failed before";
            return Err(StoreError::new(Class::FindAgain, doing, detail));
        }
        let broken = |this: &mut Self, fault: Fault| {
            this.broken = true;
            let mut error = this.error(&format!("talking to {}", this.place), &fault);
            // The certificate was good when the connection was made.
            error.class = Class::FindAgain;
            error
        };
        let sent = failpoint::to_send(batch.len());
        if let Err(error) = self.write(batch.first(sent)) {
            return Err(broken(self, Fault::Io(error)));
        }
        failpoint::sent(sent, batch.len());
        let mut replies = Vec::with_capacity(batch.len());
        for _ in 0..batch.len() {
            let received = self.receive(Instant::now() + self.patience);
            failpoint::replied();
            match received {
                Ok(reply) => replies.push(reply),
                Err(fault) => return Err(broken(self, fault)),
            }
        }
        Ok(replies)
    }
}

/// What the parser reads from. The parser's own errors do not tell what happened to it.
struct Source<'a> {
    stream: &'a mut Stream,
    /// A byte now and then is no answer.
    until: Instant,
    error: Option<io::Error>,
    ended: bool,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if Instant::now() > self.until {
                let late = io::ErrorKind::TimedOut;
                self.error = Some(late.into());
                return Err(late.into());
            }
            let read = match &mut *self.stream {
                Stream::Tcp(stream) => stream.read(buffer),
                Stream::Unix(stream) => stream.read(buffer),
                Stream::Tls(stream) => stream.read(buffer),
            };
            match read {
                Ok(bytes) => {
                    self.ended = bytes == 0;
                    return Ok(bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    self.error = Some(error);
                    return Err(kind.into());
                }
            }
        }
    }
}

fn is_timeout(fault: &Fault) -> bool {
    matches!(fault, Fault::Io(error) if waited_in_vain(error))
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
    let detail = if waited_in_vain(error) {
        "no answer within the time-out".to_owned()
    } else {
        error.to_string()
    };
    StoreError::new(Class::FindAgain, doing, detail)
}
