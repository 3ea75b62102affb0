//! A session: a connection with the scripts loaded, that waits where waiting helps.

use std::time::{Duration, Instant};

use super::{Batch, Class, Reply, Script, Store, StoreError};

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Connecting, and each wait for the socket.
    pub timeout: Duration,
    /// How long a server that says "not now" is asked again, in all.
    pub deadline: Duration,
}

/// What every caller talks to: [`Store`] with waiting, scripts and plain commands.
pub struct Session {
    store: Box<dyn Store>,
    patience: Patience,
}

impl Session {
    /// Wraps an open connection.
    #[must_use]
    pub fn new(store: Box<dyn Store>, patience: Patience) -> Self {
        Self { store, patience }
    }

    /// Sends `batch` and returns one reply a command. Commands that the server puts off
    /// (LOADING, BUSY …) or whose script it lacks are sent again; all other error replies
    /// are returned as they are.
    ///
    /// # Errors
    /// When the connection fails, or the deadline passes while the server puts us off.
    pub fn run(&mut self, batch: &Batch, doing: &str) -> Result<Vec<Reply>, StoreError> {
        let mut replies = self.send(batch, doing)?;
        let mut backoff = Backoff::until(Instant::now() + self.patience.deadline);
        let mut loaded = false;
        loop {
            let again: Vec<usize> = (0..replies.len())
                .filter(|&index| {
                    let class = replies[index].class();
                    class == Some(Class::Wait) || (class == Some(Class::LoadAgain) && !loaded)
                })
                .collect();
            let Some(&first) = again.first() else {
                return Ok(replies);
            };
            if replies[first].class() == Some(Class::LoadAgain) {
                self.load_scripts()?;
                loaded = true;
            } else if !backoff.pause() {
                return replies.swap_remove(first).fail(doing);
            }
            let retried = self.send(&batch.only(&again), doing)?;
            for (index, reply) in again.into_iter().zip(retried) {
                replies[index] = reply;
            }
        }
    }

    fn send(&mut self, batch: &Batch, doing: &str) -> Result<Vec<Reply>, StoreError> {
        self.store.send(batch).map_err(|error| StoreError {
            doing: doing.to_owned(),
            ..error
        })
    }

    /// Sends one command and returns its reply.
    ///
    /// # Errors
    /// As [`Session::run`], and when the server answers with an error.
    pub fn command(&mut self, arguments: &[&[u8]], doing: &str) -> Result<Reply, StoreError> {
        let mut batch = Batch::default();
        batch.push(arguments);
        let reply = self.run(&batch, doing)?.pop();
        match reply.unwrap_or(Reply::Nil) {
            error @ Reply::Error { .. } => error.fail(doing),
            reply => Ok(reply),
        }
    }

    /// The server's clock, in ms since 1970.
    ///
    /// # Errors
    /// As [`Session::command`].
    pub fn now_ms(&mut self) -> Result<i64, StoreError> {
        let doing = "asking the server for its time";
        self.command(&[b"TIME"], doing)?.time_ms(doing)
    }

    fn load_scripts(&mut self) -> Result<(), StoreError> {
        let doing = "loading the scripts";
        let mut batch = Batch::default();
        for script in Script::ALL {
            batch.push(&[b"SCRIPT", b"LOAD", script.source().as_bytes()]);
        }
        for reply in self.send(&batch, doing)? {
            if let error @ Reply::Error { .. } = reply {
                return error.fail(doing);
            }
        }
        Ok(())
    }
}

impl Batch {
    /// Appends a call of `script` on one key.
    pub fn script(&mut self, script: Script, key: &[u8], arguments: &[&[u8]]) {
        let mut all: Vec<&[u8]> = Vec::with_capacity(4 + arguments.len());
        all.extend_from_slice(&[b"EVALSHA", script.sha().as_bytes(), b"1", key]);
        all.extend_from_slice(arguments);
        self.push(&all);
    }
}

impl Reply {
    fn class(&self) -> Option<Class> {
        match self {
            Self::Error { code, detail } => Some(super::error::classify(code, detail)),
            _ => None,
        }
    }

    /// Turns a reply that was not expected into an error.
    ///
    /// # Errors
    /// Always: the class of an error reply, `Stop` for anything else.
    pub fn fail<T>(self, doing: &str) -> Result<T, StoreError> {
        Err(match self {
            Self::Error { code, detail } => StoreError::from_reply(doing, &code, &detail),
            other => {
                let detail = format!("an unexpected reply: {}", other.shape());
                StoreError::new(Class::Stop, doing, detail)
            }
        })
    }

    /// What kind of reply this is, without its contents.
    fn shape(&self) -> String {
        match self {
            Self::Nil => "nothing".to_owned(),
            Self::Int(number) => format!("the number {number}"),
            Self::Bulk(bytes) => format!("{} bytes", bytes.len()),
            Self::Status(text) => format!("the status {text}"),
            Self::Array(items) => format!("{} values", items.len()),
            Self::Error { code, .. } => format!("the error {code}"),
        }
    }

    /// The text of a status or of bytes.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Status(text) => Some(text),
            Self::Bulk(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The time in ms of a reply to TIME.
    ///
    /// # Errors
    /// When it is no such reply.
    pub fn time_ms(self, doing: &str) -> Result<i64, StoreError> {
        let parsed = match &self {
            Self::Array(parts) if parts.len() == 2 => {
                let part = |index: usize| parts[index].text()?.parse::<i64>().ok();
                part(0).zip(part(1))
            }
            _ => None,
        };
        match parsed {
            Some((seconds, micros)) => Ok(seconds * 1000 + micros / 1000),
            None => self.fail(doing),
        }
    }
}

/// Waits that grow, with jitter so that many clients do not come back at one instant.
pub(super) struct Backoff {
    until: Instant,
    next: Duration,
}

impl Backoff {
    pub(super) fn until(until: Instant) -> Self {
        Self {
            until,
            next: Duration::from_millis(10),
        }
    }

    /// Sleeps, and says whether to try again; false once the time is over.
    pub(super) fn pause(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.until {
            return false;
        }
        // The clock's low bits are jitter enough.
        let noise = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos() % 1000);
        let jittered = self.next / 2 + self.next * noise / 2000;
        std::thread::sleep(jittered.min(self.until - now));
        self.next = (self.next * 2).min(Duration::from_secs(1));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::Duration;

    use super::{Patience, Session};
    use crate::store::{Batch, Class, Reply, Store, StoreError};

    /// Answers each batch with the next prepared replies and keeps what it was sent.
    struct Fake(VecDeque<Vec<Reply>>);

    impl Store for Fake {
        fn send(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
            let replies = self.0.pop_front().unwrap();
            assert_eq!(replies.len(), batch.len());
            Ok(replies)
        }
    }

    fn session(replies: Vec<Vec<Reply>>, deadline: Duration) -> Session {
        let patience = Patience {
            timeout: Duration::from_secs(1),
            deadline,
        };
        Session::new(Box::new(Fake(replies.into())), patience)
    }

    fn error(code: &str) -> Reply {
        Reply::Error {
            code: code.to_owned(),
            detail: String::new(),
        }
    }

    fn two() -> Batch {
        let mut batch = Batch::default();
        batch.push(&[b"GET", b"a"]);
        batch.push(&[b"GET", b"b"]);
        batch
    }

    #[test]
    fn only_the_commands_that_were_put_off_are_sent_again() {
        let mut session = session(
            vec![
                vec![error("LOADING"), Reply::Int(2)],
                vec![error("BUSY")],
                vec![Reply::Int(1)],
            ],
            Duration::from_secs(5),
        );
        let replies = session.run(&two(), "testing").unwrap();
        assert_eq!(replies, [Reply::Int(1), Reply::Int(2)]);
    }

    #[test]
    fn a_server_that_puts_us_off_past_the_deadline_is_an_error() {
        let mut session = session(
            vec![vec![error("LOADING"), Reply::Int(2)]],
            Duration::ZERO,
        );
        let failure = session.run(&two(), "testing").unwrap_err();
        assert_eq!(failure.class, Class::Wait);
        assert!(failure.to_string().contains("LOADING"), "{failure}");
    }

    #[test]
    fn a_missing_script_is_loaded_once_and_sent_again() {
        let loads = vec![Reply::Status("sha".to_owned()); super::Script::ALL.len()];
        let mut session = session(
            vec![
                vec![Reply::Int(1), error("NOSCRIPT")],
                loads,
                vec![error("NOSCRIPT")],
            ],
            Duration::from_secs(5),
        );
        let replies = session.run(&two(), "testing").unwrap();
        assert_eq!(replies, [Reply::Int(1), error("NOSCRIPT")]);
    }

    #[test]
    fn other_error_replies_come_back_as_they_are() {
        let mut session = session(
            vec![vec![error("OOM"), error("WRONGTYPE")]],
            Duration::from_secs(5),
        );
        let replies = session.run(&two(), "testing").unwrap();
        assert_eq!(replies, [error("OOM"), error("WRONGTYPE")]);
    }
}
