//! The store for many readers at once: a shared connection that only reads, on tokio.
//!
//! There is one connection. Whoever finds it lost makes it anew while the others wait, and
//! a server that is away is asked at most every [`PAUSE`]. Nothing takes longer than the
//! time-out, whatever the server does; a connection that was silent for so long is not
//! used again.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, Pipeline, RedisError, RedisResult, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::wire::{Socket, plain_error};
use super::{Class, Connector, Reply, StoreError};

/// After an attempt to connect that failed, the next one waits so long.
const PAUSE: Duration = Duration::from_millis(100);

/// What can be asked; nothing of it writes.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// Whether the server answers.
    Ping,
    /// A whole value.
    Value(&'a str),
    /// The first so many bytes of a value.
    Head(&'a str, usize),
    /// The last so many bytes of a value.
    Tail(&'a str, usize),
    /// The whole values of many keys.
    Values(&'a [String]),
    /// The time to live in ms; -1 without, -2 where there is no such key.
    Left(&'a str),
}

/// The store of many readers.
pub struct Reading {
    connector: Connector,
    place: String,
    timeout: Duration,
    current: Mutex<Option<Numbered>>,
    /// Held by whoever connects; with the last failure, until the next attempt may be made.
    gate: tokio::sync::Mutex<Option<(Instant, StoreError)>>,
}

/// A connection, and which one it is.
#[derive(Clone)]
struct Numbered {
    number: u64,
    connection: MultiplexedConnection,
}

impl Reading {
    /// Prepares to read from where `connector` leads; connects with the first question. What
    /// fails is told to readers, so no path is in it.
    #[must_use]
    pub fn new(connector: &Connector, timeout: Duration) -> Self {
        let mut connector = connector.clone();
        connector.tls = connector.tls.map(|tls| Arc::new(tls.without_paths()));
        Self {
            place: connector.address.without_path(),
            connector,
            timeout,
            current: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
        }
    }

    /// Asks all of `questions` in one round trip; one reply each, in order. The reply to a
    /// key that holds no string is an error reply, as is all else that is wrong with one
    /// question alone.
    ///
    /// # Errors
    /// When there is no answer within the time-out, or the server puts us off or refuses.
    pub async fn ask(&self, questions: &[Ask<'_>], doing: &str) -> Result<Vec<Reply>, StoreError> {
        let pipeline = pipeline(questions);
        let mut used = None;
        let answered = timeout(self.timeout, self.send(&pipeline, doing, &mut used)).await;
        let Ok(answered) = answered else {
            // What still comes on it may come late as well.
            self.forget(used);
            let detail = format!(
                "no answer from {} within {} s",
                self.place,
                self.timeout.as_secs()
            );
            return Err(StoreError::new(Class::FindAgain, doing, detail));
        };
        let replies = answered?;
        for reply in &replies {
            if let Reply::Error { code, detail } = reply
                && code != "WRONGTYPE"
            {
                return Err(StoreError::from_reply(doing, code, detail));
            }
        }
        Ok(replies)
    }

    async fn send(
        &self,
        pipeline: &Pipeline,
        doing: &str,
        used: &mut Option<u64>,
    ) -> Result<Vec<Reply>, StoreError> {
        loop {
            let (mut current, is_new) = self.connection().await?;
            *used = Some(current.number);
            let sent = pipeline.query_async(&mut current.connection).await;
            let sent: RedisResult<Vec<RedisResult<Value>>> = sent;
            match sent {
                Ok(values) => return Ok(values.into_iter().map(reply).collect()),
                Err(error) => {
                    self.forget(*used);
                    // Questions can be asked twice: a connection may have been lost before.
                    if is_new {
                        return Err(from_redis(doing, &error));
                    }
                }
            }
        }
    }

    /// The connection, and whether it was made just now.
    async fn connection(&self) -> Result<(Numbered, bool), StoreError> {
        if let Some(current) = self.shared().clone() {
            return Ok((current, false));
        }
        let mut failed = self.gate.lock().await;
        if let Some(current) = self.shared().clone() {
            return Ok((current, false));
        }
        if let Some((at, error)) = &*failed
            && at.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        let made = timeout(self.timeout, self.connect()).await;
        let late = |_| {
            let doing = format!("connecting to {}", self.place);
            plain_error(&doing, &io::ErrorKind::TimedOut.into())
        };
        match made.map_err(late).and_then(|made| made) {
            Ok(connection) => {
                let current = Numbered {
                    number: next_number(),
                    connection,
                };
                *self.shared() = Some(current.clone());
                *failed = None;
                Ok((current, true))
            }
            Err(error) => {
                *failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, StoreError> {
        let doing = format!("connecting to {}", self.place);
        let failed = |error: io::Error| plain_error(&doing, &error);
        let (connector, time) = (self.connector.clone(), self.timeout);
        let dialled = tokio::task::spawn_blocking(move || {
            // The same way to the server as everywhere; it blocks.
            connector.find(time).map(|end| end.dial(time))
        });
        let dialled = dialled
            .await
            .map_err(|error| failed(io::Error::other(error)));
        match dialled??.map_err(failed)? {
            Socket::Unix(socket) => {
                socket.set_nonblocking(true).map_err(failed)?;
                let stream = UnixStream::from_std(socket).map_err(failed)?;
                self.log_in(stream, &doing).await
            }
            Socket::Tcp(socket, node) => {
                socket.set_nonblocking(true).map_err(failed)?;
                let stream = TcpStream::from_std(socket).map_err(failed)?;
                let Some(tls) = &self.connector.tls else {
                    return self.log_in(stream, &doing).await;
                };
                let explained = |(class, detail)| StoreError::new(class, &doing, detail);
                let name = tls.name(&node).map_err(explained)?;
                let secure = TlsConnector::from(tls.config()).connect(name, stream);
                let secure = secure
                    .await
                    .map_err(|error| explained(tls.explain(&error, &node)))?;
                self.log_in(secure, &doing).await
            }
        }
    }

    /// Makes a connection of `stream`. It is driven until the last one who uses it is gone.
    async fn log_in<S>(&self, stream: S, doing: &str) -> Result<MultiplexedConnection, StoreError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(self.timeout));
        let settings = self.connector.address.redis_settings();
        let made = MultiplexedConnection::new_with_config(&settings, stream, config).await;
        let (connection, driver) = made.map_err(|error| from_redis(doing, &error))?;
        tokio::spawn(driver);
        Ok(connection)
    }

    /// Does not use the connection `number` again.
    fn forget(&self, number: Option<u64>) {
        let mut shared = self.shared();
        if shared.as_ref().map(|current| current.number) == number {
            *shared = None;
        }
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Option<Numbered>> {
        // Whoever panicked here did not leave it half-written.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn next_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

fn pipeline(questions: &[Ask<'_>]) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(questions.len());
    pipeline.ignore_errors();
    for question in questions {
        match *question {
            Ask::Ping => pipeline.cmd("PING"),
            Ask::Value(key) => pipeline.cmd("GET").arg(key),
            Ask::Head(key, bytes) => {
                let last = bytes.saturating_sub(1);
                pipeline.cmd("GETRANGE").arg(key).arg(0).arg(last)
            }
            Ask::Tail(key, bytes) => {
                let first = -i64::try_from(bytes).unwrap_or(i64::MAX);
                pipeline.cmd("GETRANGE").arg(key).arg(first).arg(-1)
            }
            Ask::Values(keys) => pipeline.cmd("MGET").arg(keys),
            Ask::Left(key) => pipeline.cmd("PTTL").arg(key),
        };
    }
    pipeline
}

fn reply(value: RedisResult<Value>) -> Reply {
    match value {
        Ok(value) => Reply::from(value),
        Err(error) => error_reply(&error),
    }
}

fn error_reply(error: &RedisError) -> Reply {
    Reply::Error {
        code: error.code().unwrap_or("ERR").to_owned(),
        detail: error.detail().unwrap_or_default().to_owned(),
    }
}

fn from_redis(doing: &str, error: &RedisError) -> StoreError {
    if let Some(code) = error.code().filter(|_| !error.is_io_error()) {
        return StoreError::from_reply(doing, code, error.detail().unwrap_or_default());
    }
    let class = match error.kind() {
        ErrorKind::AuthenticationFailed => Class::Never,
        _ => Class::FindAgain,
    };
    let detail = if error.is_timeout() {
        "no answer within the time-out".to_owned()
    } else {
        error.to_string()
    };
    StoreError::new(class, doing, detail)
}
