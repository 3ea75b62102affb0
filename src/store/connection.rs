//! A real connection: one packed write, then one read a reply.

use std::path::Path;
use std::time::{Duration, Instant};

use redis::{ErrorKind, RedisError};

use super::session::Backoff;
use super::{Address, Batch, Class, Patience, Reply, Store, StoreError};

struct RedisConnection {
    connection: redis::Connection,
    place: String,
    /// Set at the first I/O error: replies still under way would be taken for later ones.
    broken: bool,
}

/// Connects, authenticates and selects the database. While the server is still loading,
/// or full of clients, it is waited for up to `patience.deadline`.
///
/// # Errors
/// `Never` when the credentials are refused, `FindAgain` when nothing listens there.
pub fn connect(
    address: &Address,
    embedded_socket: Option<&Path>,
    patience: Patience,
) -> Result<Box<dyn Store>, StoreError> {
    let doing = format!("connecting to {address}");
    let client = address
        .connection_info(embedded_socket)
        .and_then(redis::Client::open)
        .map_err(|error| from_redis(&doing, &error))?;
    let mut backoff = Backoff::until(Instant::now() + patience.deadline);
    loop {
        match open(&client, address, patience.timeout) {
            Ok(connection) => return Ok(Box::new(connection)),
            Err(error) => {
                let error = from_redis(&doing, &error);
                if error.class != Class::Wait || !backoff.pause() {
                    return Err(error);
                }
            }
        }
    }
}

fn open(
    client: &redis::Client,
    address: &Address,
    timeout: Duration,
) -> Result<RedisConnection, RedisError> {
    let mut connection = client.get_connection_with_timeout(timeout)?;
    connection.set_read_timeout(Some(timeout))?;
    connection.set_write_timeout(Some(timeout))?;
    // A server that is loading answers LOADING here, before anything depends on it.
    redis::cmd("PING").query::<()>(&mut connection)?;
    Ok(RedisConnection {
        connection,
        place: address.to_string(),
        broken: false,
    })
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
        if let Err(error) = self.connection.send_packed_command(batch.bytes()) {
            return Err(broken(self, &error));
        }
        let mut replies = Vec::with_capacity(batch.len());
        for _ in 0..batch.len() {
            match self.connection.recv_response() {
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
