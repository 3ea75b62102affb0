//! One server, and the connection with it that all readers share.
//!
//! Whoever finds the connection lost makes it anew while the others wait, and a server that is
//! away is asked at most every [`PAUSE`]. A connection that was silent for the whole time-out is
//! not used again.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, Pipeline, RedisError, RedisResult, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use crate::store::connect::find;
use crate::store::dial::{End, Limit, Socket, plain_error};
use crate::store::{Class, Connector, Node, Reply, StoreError};

/// After an attempt to connect that failed, the next one waits so long. So it is with looking
/// for the masters of a cluster, failed or not.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// How long answers are waited for.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    /// The end of it.
    pub(super) until: Instant,
    /// How long that was at the beginning.
    pub(super) whole: Duration,
}

impl Wait {
    /// There was no answer from `place`.
    pub(super) fn in_vain(self, place: &str, doing: &str) -> StoreError {
        let detail = format!("no answer from {place} within {} s", self.whole.as_secs());
        StoreError::new(Class::FindAgain, doing, detail)
    }
}

/// A server and the connection with it.
pub(super) struct Link {
    connector: Connector,
    /// One server of those that the address leads to; none: the one it leads to.
    node: Option<Node>,
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

impl Link {
    /// A connection with `node`, or with where `connector` leads; made with the first question.
    pub(super) fn new(connector: Connector, node: Option<Node>, timeout: Duration) -> Self {
        Self {
            place: match &node {
                Some(node) => node.to_string(),
                None => connector.address.without_path(),
            },
            connector,
            node,
            timeout,
            current: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
        }
    }

    /// Sends `pipeline` and returns one reply a command, within `wait`.
    ///
    /// # Errors
    /// When the server cannot be reached, or does not answer.
    pub(super) async fn send(
        &self,
        pipeline: &Pipeline,
        doing: &str,
        wait: Wait,
    ) -> Result<Vec<Reply>, StoreError> {
        let mut used = None;
        let answered = timeout_at(wait.until, self.exchange(pipeline, doing, &mut used)).await;
        answered.unwrap_or_else(|_| {
            // What still comes on it may come late as well.
            self.forget(used);
            Err(wait.in_vain(&self.place, doing))
        })
    }

    async fn exchange(
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
        let (connector, node) = (self.connector.clone(), self.node.clone());
        let time = self.timeout;
        let dialled = tokio::task::spawn_blocking(move || {
            // The same way to the server as everywhere; it blocks.
            let limit = Limit::new(std::time::Instant::now() + time, &connector.interrupt);
            let end = node.map_or_else(|| find(&connector, time), |node| Ok(End::Node(node)));
            end.map(|end| end.dial(&limit))
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
