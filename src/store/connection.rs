//! A real connection: one packed write, then one read a reply.

use std::path::PathBuf;
use std::time::Duration;

use redis::{ErrorKind, RedisError};

use super::backoff::Backoff;
use super::{Address, Batch, Class, Patience, Reply, Store, StoreError};
use crate::failpoint;

struct RedisConnection {
    connection: redis::Connection,
    place: String,
    /// Set at the first I/O error: replies still under way would be taken for later ones.
    broken: bool,
}

/// How a server is reached, and reached again: a name is looked up anew each time.
#[derive(Clone, Debug)]
pub struct Connector {
    /// The server and the credentials.
    pub address: Address,
    /// The socket of the embedded server, where that is the address.
    pub embedded_socket: Option<PathBuf>,
    /// How long things may take.
    pub patience: Patience,
}

impl Connector {
    /// Connects, authenticates and selects the database. While the server is still loading,
    /// or full of clients, it is waited for up to the deadline.
    ///
    /// # Errors
    /// `Never` when the credentials are refused, `FindAgain` when nothing listens there.
    pub fn connect(&self) -> Result<Box<dyn Store>, StoreError> {
        let mut backoff = Backoff::new(self.patience.deadline);
        loop {
            match self.connect_within(self.patience.timeout) {
                Err(error) if error.class == Class::Wait && backoff.pause() => {}
                done => return done,
            }
        }
    }

    /// The same, once, and within `time` if that is shorter than the time-out.
    ///
    /// # Errors
    /// As [`Connector::connect`], and `Wait` when the server puts us off.
    pub fn connect_within(&self, time: Duration) -> Result<Box<dyn Store>, StoreError> {
        let doing = format!("connecting to {}", self.address);
        let failed = |error: RedisError| from_redis(&doing, &error);
        let info = self
            .address
            .connection_info(self.embedded_socket.as_deref());
        let client = info.and_then(redis::Client::open).map_err(failed)?;
        let timeout = self.patience.timeout;
        // A time-out of zero would mean none at all.
        let first = timeout.min(time).max(Duration::from_millis(1));
        let mut connection = client.get_connection_with_timeout(first).map_err(failed)?;
        limit(&connection, first).map_err(failed)?;
        // A server that is loading answers LOADING here, before anything depends on it.
        redis::cmd("PING")
            .query::<()>(&mut connection)
            .map_err(failed)?;
        limit(&connection, timeout).map_err(failed)?;
        Ok(Box::new(RedisConnection {
            connection,
            place: self.address.to_string(),
            broken: false,
        }))
    }
}

/// How long each wait for the socket may take.
fn limit(connection: &redis::Connection, time: Duration) -> Result<(), RedisError> {
    connection.set_read_timeout(Some(time))?;
    connection.set_write_timeout(Some(time))
}

impl Store for RedisConnection {
    fn send(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
        let doing = format!("talking to {}", self.place);
        if self.broken {
            let detail = "the connection failed before";
            return Err(StoreError::new(Class::FindAgain, doing, detail));
        }
        let broken = |this: &mut Self, error: &RedisError| {
            this.broken = true;
            from_redis(&doing, error)
        };
        let sent = failpoint::to_send(batch.len());
        let bytes = batch.first(sent);
        if let Err(error) = self.connection.send_packed_command(bytes) {
            return Err(broken(self, &error));
        }
        failpoint::sent(sent, batch.len());
        let mut replies = Vec::with_capacity(batch.len());
        for _ in 0..batch.len() {
            let response = self.connection.recv_response();
            failpoint::replied();
            match response {
                Ok(value) => replies.push(Reply::from(value)),
                Err(error) => match error.code() {
                    Some(code) if !error.is_io_error() => replies.push(Reply::Error {
                        code: code.to_owned(),
                        detail: error.detail().unwrap_or_default().to_owned(),
                    }),
                    _ => return Err(broken(self, &error)),
                },
            }
        }
        Ok(replies)
    }
}

pub(super) fn from_redis(doing: &str, error: &RedisError) -> StoreError {
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
