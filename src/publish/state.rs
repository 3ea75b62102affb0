//! The state of a key, as every comparison sees it: absent, or type, absolute expiry and
//! fingerprint. All three must agree.

use std::fmt;

use sha1::{Digest as _, Sha1};

use crate::store::{Batch, Reply, Script, Session, StoreError};

/// Values larger than this are not overwritten, since the manifest could not keep them.
pub const LARGEST_PRIOR_BYTES: usize = 64 * 1024 * 1024;

/// Strings up to this length are read by plain commands: the SHA-1 in Lua, and the copies of a
/// value that a script makes, cost the server many times what the plain command does.
const PLAIN_BYTES: usize = 256 * 1024;

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

/// Whether two expiries, in ms since 1970, are at most `slack_ms` apart.
#[must_use]
pub fn same_expiry(one: Option<i64>, other: Option<i64>, slack_ms: i64) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.abs_diff(other) <= slack_ms.unsigned_abs(),
        (one, other) => one == other,
    }
}

impl Present {
    /// Whether this is `other`, but for an expiry that moved by at most `slack_ms`.
    #[must_use]
    pub fn is(&self, other: &Self, slack_ms: i64) -> bool {
        let same_value = self.kind == other.kind && self.fingerprint == other.fingerprint;
        same_value && same_expiry(self.expires_at_ms, other.expires_at_ms, slack_ms)
    }
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

/// The expiry and the value of a key, as two commands answered.
pub(super) struct Asked(Reply, Reply);

impl Asked {
    /// Takes the replies to [`Found::ask`].
    pub(super) fn read(next: &mut impl FnMut() -> Reply) -> Self {
        Self(next(), next())
    }

    /// What they say of the key; none if it is no string, or too long, or was not there for
    /// both of them.
    fn found(self, doing: &str) -> Result<Option<Found>, StoreError> {
        let (at, value) = match self {
            Self(Reply::Int(at), Reply::Bulk(value)) => (at, value),
            Self(Reply::Int(_), Reply::Error { code, .. }) if code == "WRONGTYPE" => {
                return Ok(None);
            }
            Self(Reply::Int(_), other) | Self(other, _) => return other.fail(doing),
        };
        Ok(match (at, value.len()) {
            (-2, 0) => Some(Found::Absent),
            (-2, _) | (_, 0) => None,
            (_, length) if length > PLAIN_BYTES => None,
            _ => {
                let present = Present {
                    kind: "string".to_owned(),
                    expires_at_ms: (at >= 0).then_some(at),
                    fingerprint: Fingerprint::of(&value),
                };
                Some(Found::Whole(present, Content::Value(value)))
            }
        })
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
    /// Reads the whole state of `keys`, in order.
    ///
    /// # Errors
    /// When the store fails, or answers with an error.
    pub fn read_all(
        session: &mut Session,
        keys: &[&str],
        doing: &str,
    ) -> Result<Vec<Self>, StoreError> {
        let mut batch = Batch::default();
        for key in keys {
            Self::ask(&mut batch, key);
        }
        let mut replies = session.run(&batch, doing)?.into_iter();
        let mut next = || replies.next().unwrap_or(Reply::Nil);
        let asked = keys.iter().map(|key| (*key, Asked::read(&mut next)));
        Self::settle(session, asked, doing)
    }

    /// Appends the two commands that read most keys; their replies are for [`Asked::read`].
    pub(super) fn ask(batch: &mut Batch, key: &str) {
        batch.push(&[b"PEXPIRETIME", key.as_bytes()]);
        let last = PLAIN_BYTES.to_string();
        batch.push(&[b"GETRANGE", key.as_bytes(), b"0", last.as_bytes()]);
    }

    /// What the answers say; where they do not tell, the script is asked, which sees a key at
    /// one instant, whatever it holds.
    ///
    /// Two commands see a key at two instants. A state put together from both would be none
    /// that the key ever had, and then every compare-and-set from it is refused.
    ///
    /// # Errors
    /// When the store fails, or answers with an error.
    pub(super) fn settle<'a>(
        session: &mut Session,
        asked: impl Iterator<Item = (&'a str, Asked)>,
        doing: &str,
    ) -> Result<Vec<Self>, StoreError> {
        let limit = LARGEST_PRIOR_BYTES.to_string();
        let mut batch = Batch::default();
        let mut left = Vec::new();
        let mut found = Vec::new();
        for (index, (key, asked)) in asked.enumerate() {
            found.push(asked.found(doing)?.unwrap_or_else(|| {
                batch.script(Script::Read, key.as_bytes(), &[limit.as_bytes()]);
                left.push(index);
                Self::Absent
            }));
        }
        if !left.is_empty() {
            for (index, reply) in left.into_iter().zip(session.run(&batch, doing)?) {
                found[index] = Self::from_reply(reply, doing)?;
            }
        }
        Ok(found)
    }

    /// Reads the reply of the script.
    fn from_reply(reply: Reply, doing: &str) -> Result<Self, StoreError> {
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
