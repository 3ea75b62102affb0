//! Replies of a server, and what they say.

use super::error::{INTERRUPTED, INTERRUPTED_CODE, classify};
use super::{Class, StoreError};

/// One reply of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No value.
    Nil,
    /// A whole number.
    Int(i64),
    /// Bytes.
    Bulk(Vec<u8>),
    /// A status such as `OK`.
    Status(String),
    /// Several replies.
    Array(Vec<Reply>),
    /// An error reply: its first word, and the rest of its text.
    Error {
        /// `WRONGTYPE`, `OOM`, `ERR` …
        code: String,
        /// The text after the code.
        detail: String,
    },
}

impl Reply {
    pub(super) fn class(&self) -> Option<Class> {
        match self {
            Self::Error { code, detail } => Some(classify(code, detail)),
            _ => None,
        }
    }

    /// What stands in the place of `self`, which puts us off, where a signal ended the wait.
    pub(super) fn interrupted(&self) -> Self {
        let said = INTERRUPTED;
        let detail = match self {
            Self::Error { code, detail } => format!("{said}; the server answered {code} {detail}"),
            _ => said.to_owned(),
        };
        Self::Error {
            code: INTERRUPTED_CODE.to_owned(),
            detail: detail.trim_end().to_owned(),
        }
    }

    /// The failure that an error reply stands for.
    pub(super) fn error(&self, doing: &str) -> Option<StoreError> {
        match self {
            Self::Error { code, detail } => Some(StoreError::from_reply(doing, code, detail)),
            _ => None,
        }
    }

    /// Turns a reply that was not expected into an error.
    ///
    /// # Errors
    /// Always: the class of an error reply, `Stop` for anything else.
    pub fn fail<T>(self, doing: &str) -> Result<T, StoreError> {
        Err(self.error(doing).unwrap_or_else(|| {
            let detail = format!("an unexpected reply: {}", self.shape());
            StoreError::new(Class::Stop, doing, detail)
        }))
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

    /// The text of bytes that may hold names in any encoding: paths, names of clients.
    #[must_use]
    pub fn lossy(&self) -> Option<std::borrow::Cow<'_, str>> {
        match self {
            Self::Bulk(bytes) => Some(String::from_utf8_lossy(bytes)),
            Self::Status(text) => Some(text.into()),
            _ => None,
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

impl From<redis::Value> for Reply {
    fn from(value: redis::Value) -> Self {
        match value {
            redis::Value::Nil => Self::Nil,
            redis::Value::Int(number) => Self::Int(number),
            redis::Value::BulkString(bytes) => Self::Bulk(bytes),
            redis::Value::SimpleString(text) => Self::Status(text),
            redis::Value::Okay => Self::Status("OK".to_owned()),
            redis::Value::Array(items) | redis::Value::Set(items) => {
                Self::Array(items.into_iter().map(Self::from).collect())
            }
            redis::Value::ServerError(error) => Self::Error {
                code: error.code().to_owned(),
                detail: error.details().unwrap_or_default().to_owned(),
            },
            // RESP3 types, which a RESP2 connection does not receive.
            other => Self::Error {
                code: "UNEXPECTED".to_owned(),
                detail: format!("a reply of an unknown type: {other:?}"),
            },
        }
    }
}
