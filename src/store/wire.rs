//! One connection with one server: one packed write, then one read a reply.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

use super::address::{Login, Node};
use super::dial::{Limit, Socket, plain_error, waited_in_vain};
use super::timed::TimedStream;
use super::tls::Tls;
use super::{Batch, Class, Reply, Store, StoreError};
use crate::failpoint;

/// The time-out is one for so many bytes that are sent: a server that takes a byte now and then
/// ends no batch.
const PIECE: usize = 64 * 1024;

enum Stream {
    Plain(TimedStream),
    Tls(Box<StreamOwned<ClientConnection, TimedStream>>),
}

impl Stream {
    fn timed(&mut self) -> &mut TimedStream {
        match self {
            Self::Plain(timed) => timed,
            Self::Tls(secure) => &mut secure.sock,
        }
    }
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
    /// login, all of it within `limit`. Later each reply may take `patience`.
    pub(super) fn open(
        socket: Socket,
        tls: Option<&Arc<Tls>>,
        login: &Login<'_>,
        place: String,
        limit: &Limit,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let doing = format!("connecting to {place}");
        let failed = |error: io::Error| plain_error(&doing, &error);
        let is_plain_tcp = matches!(socket, Socket::Tcp(..)) && tls.is_none();
        let limit = limit.clone();
        let until = limit.until;
        let (stream, tls) = match (socket, tls) {
            (Socket::Unix(stream), _) => {
                let timed = TimedStream::unix(stream, limit).map_err(failed)?;
                (Stream::Plain(timed), None)
            }
            (Socket::Tcp(stream, _), None) => {
                let timed = TimedStream::tcp(stream, limit).map_err(failed)?;
                (Stream::Plain(timed), None)
            }
            (Socket::Tcp(stream, node), Some(tls)) => {
                let timed = TimedStream::tcp(stream, limit).map_err(failed)?;
                let secure = tls
                    .secure(timed, &node)
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
            patience,
        };
        match wire.log_in(login, &doing, until) {
            Ok(done) => done?,
            // Servers with TLS end connections that begin without, often without a word.
            Err(fault) if is_plain_tcp => {
                let mut error = wire.error(&doing, &fault);
                if let Fault::Protocol(_) = fault {
                    error.class = Class::Config;
                    error.detail = "the server answers, but not as Redis does; expected one \
                                    without TLS: if it speaks TLS, its address begins with rediss"
                        .to_owned();
                } else if !is_timeout(&fault) && error.class != Class::Interrupted {
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

    /// Sends user, password, database and a PING, as far as `login` has them.
    fn log_in(
        &mut self,
        login: &Login<'_>,
        doing: &str,
        until: Instant,
    ) -> Result<Result<(), StoreError>, Fault> {
        let mut batch = Batch::default();
        login.push_onto(&mut batch);
        self.write(batch.bytes(), Some(until)).map_err(Fault::Io)?;
        // The first error counts: what comes after it follows from it.
        for index in 0..batch.len() {
            if let Reply::Error { code, detail } = self.receive(until)? {
                let mut error = StoreError::from_reply(doing, &code, &detail);
                if index == 0 && login.has_password() && error.class != Class::Wait {
                    // Whatever the server has against a user or a password, it stays so.
                    error.class = Class::Never;
                    if let Some(mistake) = login.likely_mistake() {
                        error.detail = format!("{}; {mistake}", error.detail);
                    }
                }
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// Writes all of `bytes` until then, or each piece of them within the time-out.
    fn write(&mut self, bytes: &[u8], until: Option<Instant>) -> io::Result<()> {
        for piece in bytes.chunks(PIECE) {
            let until = until.unwrap_or_else(|| Instant::now() + self.patience);
            self.stream.timed().wait_until(until);
            match &mut self.stream {
                Stream::Plain(timed) => timed.write_all(piece)?,
                Stream::Tls(secure) => {
                    secure.write_all(piece)?;
                    secure.flush()?;
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self, until: Instant) -> Result<Reply, Fault> {
        self.stream.timed().wait_until(until);
        let mut source = Source {
            stream: &mut self.stream,
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
            if error.class != Class::Interrupted {
                // The certificate was good when the connection was made.
                error.class = Class::FindAgain;
            }
            error
        };
        let sent = failpoint::to_send(batch.len());
        if let Err(error) = self.write(batch.first(sent), None) {
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
    error: Option<io::Error>,
    ended: bool,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut *self.stream {
            Stream::Plain(timed) => timed.read(buffer),
            Stream::Tls(secure) => secure.read(buffer),
        };
        match read {
            Ok(bytes) => {
                self.ended = bytes == 0;
                Ok(bytes)
            }
            Err(error) => {
                let kind = error.kind();
                self.error = Some(error);
                Err(kind.into())
            }
        }
    }
}

fn is_timeout(fault: &Fault) -> bool {
    matches!(fault, Fault::Io(error) if waited_in_vain(error))
}
