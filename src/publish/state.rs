//! The state of a key, as every comparison sees it: absent, or type, absolute expiry and
//! fingerprint. All three must agree.

use std::fmt;

use sha1::{Digest as _, Sha1};

use crate::store::{Batch, Reply, Script, StoreError};

/// Values larger than this are not overwritten, since the manifest could not keep them.
pub const LARGEST_PRIOR_BYTES: usize = 64 * 1024 * 1024;

/// SHA-1 of a value: of the bytes of a string, of the sorted members of a hash or a set,
/// of the DUMP of any other type.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 20]);

impl Fingerprint {
    /// The fingerprint of a string value.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        Self(Sha1::digest(value).into())
    }

    /// Reads 40 hex digits.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 40 {
            return None;
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |digit: u8| (digit as char).to_digit(16);
            *byte = (nibble(pair[0])? * 16 + nibble(pair[1])?) as u8;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// The type as `TYPE` names it: `string`, `hash` …
    pub kind: String,
    /// Absolute expiry in ms since 1970; none if the key stays for ever.
    pub expires_at_ms: Option<i64>,
    /// What the value is.
    pub fingerprint: Fingerprint,
}

/// A key, compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no such key.
    Absent,
    /// There is one.
    Present(Present),
}

impl State {
    /// Whether the key exists and its expiry has passed at `now_ms`.
    #[must_use]
    pub fn expired_by(&self, now_ms: i64) -> bool {
        match self {
            Self::Absent => false,
            Self::Present(present) => present.expires_at_ms.is_some_and(|at| at <= now_ms),
        }
    }
}

/// The bytes that bring a value back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The bytes of a string.
    Value(Vec<u8>),
    /// The DUMP of any other type.
    Dump(Vec<u8>),
}

impl Content {
    /// The bytes, of either kind.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Value(bytes) | Self::Dump(bytes) => bytes,
        }
    }
}

/// What reading a key found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is no such key.
    Absent,
    /// Its state, and the bytes to bring it back.
    Whole(Present, Content),
    /// It is larger than [`LARGEST_PRIOR_BYTES`].
    TooLarge,
}

impl Found {
    /// Appends the command that reads the whole state of `key`.
    pub fn ask(batch: &mut Batch, key: &str) {
        let limit = LARGEST_PRIOR_BYTES.to_string();
        batch.script(Script::Read, key.as_bytes(), &[limit.as_bytes()]);
    }

    /// Reads the reply to [`Found::ask`].
    ///
    /// # Errors
    /// When it is an error reply, or no reply of that script.
    pub fn from_reply(reply: Reply, doing: &str) -> Result<Self, StoreError> {
        let mut parts = match reply {
            Reply::Array(parts) if !parts.is_empty() => parts,
            other => return other.fail(doing),
        };
        if parts[0].text() == Some("none") {
            return Ok(Self::Absent);
        }
        let whole = (|| {
            let kind = parts.first()?.text()?.to_owned();
            let expires_at_ms = parse_expiry(parts.get(1)?.text()?)?;
            let sum = parts.get(2)?.text()?;
            if sum.is_empty() {
                return Some(Self::TooLarge);
            }
            let fingerprint = Fingerprint::parse(sum)?;
            let bytes = match parts.get_mut(3)? {
                Reply::Bulk(bytes) => std::mem::take(bytes),
                _ => return None,
            };
            let content = if kind == "string" {
                Content::Value(bytes)
            } else {
                Content::Dump(bytes)
            };
            let present = Present {
                kind,
                expires_at_ms,
                fingerprint,
            };
            Some(Self::Whole(present, content))
        })();
        match whole {
            Some(found) => Ok(found),
            None => Reply::Array(parts).fail(doing),
        }
    }

    /// The state, without the bytes; none if the value is too large to be read.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        match self {
            Self::Absent => Some(State::Absent),
            Self::Whole(present, _) => Some(State::Present(present.clone())),
            Self::TooLarge => None,
        }
    }
}

/// An expiry as the scripts write it: ms since 1970, or -1.
#[must_use]
pub fn expiry_argument(expires_at_ms: Option<i64>) -> String {
    expires_at_ms.unwrap_or(-1).to_string()
}

fn parse_expiry(text: &str) -> Option<Option<i64>> {
    let at: i64 = text.parse().ok()?;
    Some((at >= 0).then_some(at))
}
