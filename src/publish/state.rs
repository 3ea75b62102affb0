//! The state of a key, as every comparison sees it: absent, or type, absolute expiry and
//! fingerprint. All three must agree.

use std::fmt;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use crate::hex;
use crate::store::{Batch, Reply, Script, Session, StoreError};

/// Values larger than this are not overwritten, since the manifest could not keep them.
pub const LARGEST_PRIOR_BYTES: usize = 64 * 1024 * 1024;

/// Strings up to this length are read by plain commands: the SHA-1 in Lua, and the copies of a
/// value that a script makes, cost the server many times what the plain command does.
const PLAIN_BYTES: usize = 256 * 1024;

/// … and up to this length whatever was expected.
const LEAST_PLAIN_BYTES: usize = 16 * 1024;

/// The clock is asked a moment before a value is read: a field that runs out in between is one that
/// ran out.
const CLOCK_MS: i64 = 1_000;

/// SHA-1 of a value as clients see it: of the bytes of a string, of the members of a collection;
/// of the DUMP of what a module keeps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(pub [u8; 20]);

impl Fingerprint {
    /// The fingerprint of a string value.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        Self(Sha1::digest(value).into())
    }

    /// Reads 40 lower-case hex digits.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        hex::read(digits.as_bytes()).map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::text(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(hex: String) -> Result<Self, String> {
        Self::parse(&hex).ok_or_else(|| format!("'{hex}' is not a SHA-1"))
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

/// A field of a hash that expires by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiringField {
    /// When, in ms since 1970.
    pub expires_at: i64,
    /// SHA-1 of the SHA-1s, in hex, of its name and its value.
    pub sha1: Fingerprint,
}

/// The length of such a field behind the fingerprint of a hash, as the scripts write it.
const EXPIRING_FIELD: usize = 62;

/// A key that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// The type as `TYPE` names it: `string`, `hash` …
    pub kind: String,
    /// Absolute expiry in ms since 1970; none if the key stays for ever.
    pub expires_at_ms: Option<i64>,
    /// What the value is; of a hash, its fields that do not expire.
    pub fingerprint: Fingerprint,
    /// The other fields of a hash, soonest first.
    pub fields: Box<[ExpiringField]>,
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
    /// The string `value`.
    #[must_use]
    pub fn string(value: &[u8], expires_at_ms: Option<i64>) -> Self {
        Self {
            kind: "string".to_owned(),
            expires_at_ms,
            fingerprint: Fingerprint::of(value),
            fields: Box::default(),
        }
    }

    /// Whether this, which was recorded, is still what `found` shows at `now_ms`, but for an expiry
    /// that moved by at most `slack_ms`, and for fields that expired since.
    #[must_use]
    pub fn is(&self, found: &Self, slack_ms: i64, now_ms: i64) -> bool {
        self.kind == found.kind
            && self.fingerprint == found.fingerprint
            && self.has_fields_of(found, now_ms)
            && same_expiry(self.expires_at_ms, found.expires_at_ms, slack_ms)
    }

    /// The same, where the value that was found is known. Manifests of version 0.1 have the SHA-1 of
    /// the DUMP as the fingerprint of a list or stream.
    #[must_use]
    pub fn is_value(&self, found: &Self, content: &Content, slack_ms: i64, now_ms: i64) -> bool {
        let is_dump = || match content {
            Content::Dump(dump) => self.fingerprint == Fingerprint::of(dump),
            Content::Left(dump) => *dump == Some(self.fingerprint),
            Content::Value(_) => false,
        };
        let is_same_dump = self.kind == found.kind
            && same_expiry(self.expires_at_ms, found.expires_at_ms, slack_ms)
            && is_dump();
        is_same_dump || self.is(found, slack_ms, now_ms)
    }

    /// What expired first is what is missing at the front.
    fn has_fields_of(&self, found: &Self, now_ms: i64) -> bool {
        let Some(missing) = self.fields.len().checked_sub(found.fields.len()) else {
            return false;
        };
        let (missing, rest) = self.fields.split_at(missing);
        let expired = |last: &ExpiringField| last.expires_at <= now_ms.saturating_add(CLOCK_MS);
        *rest == *found.fields && missing.last().is_none_or(expired)
    }

    /// When the key is gone by itself, in ms since 1970: a hash goes with the last of its fields.
    #[must_use]
    pub fn gone_at_ms(&self) -> Option<i64> {
        let last = self.fields.last().map(|last| last.expires_at);
        let last = last.filter(|_| self.fingerprint == Fingerprint::of(b""));
        match (self.expires_at_ms, last) {
            (Some(key), Some(last)) => Some(key.min(last)),
            (key, last) => key.or(last),
        }
    }

    /// The fingerprint with the fields that expire, as the scripts compare it.
    #[must_use]
    pub fn fingerprint_argument(&self) -> String {
        let mut text = self.fingerprint.to_string();
        for ExpiringField { expires_at, sha1 } in &self.fields {
            let _ = write!(text, ";{expires_at:020}:{sha1}");
        }
        text
    }

    /// Reads what the scripts answer for it.
    fn parse_fingerprint(text: &str) -> Option<(Fingerprint, Box<[ExpiringField]>)> {
        let (fingerprint, fields) = text.split_at_checked(40)?;
        let field = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).ok()?.strip_prefix(';')?;
            let (expires_at, sha1) = text.split_once(':')?;
            Some(ExpiringField {
                expires_at: expires_at.parse().ok()?,
                sha1: Fingerprint::parse(sha1)?,
            })
        };
        let fields = fields.as_bytes().chunks(EXPIRING_FIELD).map(field);
        Some((
            Fingerprint::parse(fingerprint)?,
            fields.collect::<Option<_>>()?,
        ))
    }
}

/// The bytes that bring a value back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The bytes of a string.
    Value(Vec<u8>),
    /// The DUMP of any other type.
    Dump(Vec<u8>),
    /// It was compared and not kept: the SHA-1 of the DUMP, where that was told.
    Left(Option<Fingerprint>),
}

impl Content {
    /// The bytes, of either kind.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Value(bytes) | Self::Dump(bytes) => bytes,
            Self::Left(_) => &[],
        }
    }
}

/// The expiry and the value of a key, as two commands answered.
pub(crate) struct KeyReplies {
    expiry: Reply,
    value: Reply,
    /// The longest value that was asked for, in bytes.
    limit: usize,
}

/// How long a value may be that is read by plain commands where `expected` bytes are likely.
fn plain_limit(expected: u64) -> usize {
    let expected = usize::try_from(expected).unwrap_or(usize::MAX);
    expected
        .saturating_mul(2)
        .clamp(LEAST_PLAIN_BYTES, PLAIN_BYTES)
}

impl KeyReplies {
    /// Appends the two commands that read most keys; their replies are for [`KeyReplies::read`].
    /// About `expected` bytes are likely. What is much longer is not read by these commands, so
    /// that many keys can be asked for together.
    pub(super) fn push(batch: &mut Batch, key: &str, expected: u64) {
        batch.push(&[b"PEXPIRETIME", key.as_bytes()]);
        let last = plain_limit(expected).to_string();
        batch.push(&[b"GETRANGE", key.as_bytes(), b"0", last.as_bytes()]);
    }

    /// Takes the replies.
    pub(super) fn read(expected: u64, next: &mut impl FnMut() -> Reply) -> Self {
        Self {
            expiry: next(),
            value: next(),
            limit: plain_limit(expected),
        }
    }

    /// Whether the replies do not tell what the key holds: it is no string, or too long, or was not
    /// there for both commands.
    pub(super) fn is_open(&self) -> bool {
        match (&self.expiry, &self.value) {
            (Reply::Int(_), Reply::Error { code, .. }) => code == "WRONGTYPE",
            (Reply::Int(-2), Reply::Bulk(value)) => !value.is_empty(),
            (Reply::Int(_), Reply::Bulk(value)) => value.is_empty() || value.len() > self.limit,
            _ => false,
        }
    }

    /// Bytes of the value, as far as it was read.
    pub(super) fn bytes(&self) -> u64 {
        match &self.value {
            Reply::Bulk(value) => value.len() as u64,
            _ => 0,
        }
    }

    /// What they say of the key; none if they do not tell.
    fn found(self, doing: &str) -> Result<Option<KeyState>, StoreError> {
        if self.is_open() {
            return Ok(None);
        }
        match (self.expiry, self.value) {
            (Reply::Int(-2), Reply::Bulk(_)) => Ok(Some(KeyState::Absent)),
            (Reply::Int(at), Reply::Bulk(value)) => {
                let present = Present::string(&value, (at >= 0).then_some(at));
                Ok(Some(KeyState::Present(present, Content::Value(value))))
            }
            (Reply::Int(_), other) | (other, _) => other.fail(doing),
        }
    }
}

/// What the script [`Script::Read`] is asked for.
#[derive(Clone, Copy)]
enum ReadPart {
    /// About how many bytes reading the key brings along.
    Size,
    /// Its state, without the value.
    State,
    /// Its state and its value.
    Whole,
}

impl ReadPart {
    fn ask(self, batch: &mut Batch, key: &str) {
        let limit = LARGEST_PRIOR_BYTES.to_string();
        let word: &[u8] = match self {
            Self::Size => b"size",
            Self::State => b"state",
            Self::Whole => b"whole",
        };
        batch.script(Script::Read, key.as_bytes(), &[limit.as_bytes(), word]);
    }
}

/// What the store holds at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// There is no such key.
    Absent,
    /// There is one: its state, and the bytes to bring it back.
    Present(Present, Content),
    /// It is larger than [`LARGEST_PRIOR_BYTES`].
    TooLarge,
}

impl KeyState {
    /// Reads the states of keys, in order. The values themselves are not kept
    /// ([`Content::Left`]), and long ones stay in the server. With each key come the bytes that it is
    /// likely to hold.
    ///
    /// # Errors
    /// When the store fails, or answers with an error.
    pub fn without_values(
        session: &mut Session,
        keys: &[(&str, u64)],
        doing: &str,
    ) -> Result<Vec<Self>, StoreError> {
        let mut batch = Batch::default();
        for (key, expected) in keys {
            KeyReplies::push(&mut batch, key, *expected);
        }
        let mut replies = session.run(&batch, doing)?.into_iter();
        let mut next = || replies.next().unwrap_or(Reply::Nil);
        let asked = keys
            .iter()
            .map(|(_, expected)| KeyReplies::read(*expected, &mut next));
        let keys = keys.iter().map(|(key, _)| *key);
        answer(session, keys.zip(asked), ReadPart::State, doing)
    }

    /// About how many bytes reading each of `keys` brings along.
    ///
    /// # Errors
    /// When the store fails, or answers with an error.
    pub fn sizes(
        session: &mut Session,
        keys: &[&str],
        doing: &str,
    ) -> Result<Vec<u64>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut batch = Batch::default();
        for key in keys {
            ReadPart::Size.ask(&mut batch, key);
        }
        let size = |reply: Reply| match reply {
            Reply::Int(bytes) => Ok(bytes.unsigned_abs()),
            other => other.fail(doing),
        };
        session.run(&batch, doing)?.into_iter().map(size).collect()
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
        asked: impl Iterator<Item = (&'a str, KeyReplies)>,
        doing: &str,
    ) -> Result<Vec<Self>, StoreError> {
        answer(session, asked, ReadPart::Whole, doing)
    }

    /// The same, of which the values are compared and not kept.
    ///
    /// # Errors
    /// When the store fails, or answers with an error.
    pub(super) fn settle_states<'a>(
        session: &mut Session,
        asked: impl Iterator<Item = (&'a str, KeyReplies)>,
        doing: &str,
    ) -> Result<Vec<Self>, StoreError> {
        answer(session, asked, ReadPart::State, doing)
    }

    /// Reads the reply of the script.
    fn from_reply(reply: Reply, part: ReadPart, doing: &str) -> Result<Self, StoreError> {
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
            let (fingerprint, fields) = Present::parse_fingerprint(sum)?;
            let bytes = match parts.get_mut(3)? {
                Reply::Bulk(bytes) => std::mem::take(bytes),
                _ => return None,
            };
            let content = match part {
                ReadPart::State => {
                    let sum = std::str::from_utf8(&bytes).ok();
                    Content::Left(sum.and_then(Fingerprint::parse))
                }
                _ if kind == "string" => Content::Value(bytes),
                _ => Content::Dump(bytes),
            };
            let present = Present {
                kind,
                expires_at_ms,
                fingerprint,
                fields,
            };
            Some(Self::Present(present, content))
        })();
        match whole {
            Some(found) => Ok(found),
            None => Reply::Array(parts).fail(doing),
        }
    }
}

/// What was found of each key, by the answers, or by `part` of what the script reads.
fn answer<'a>(
    session: &mut Session,
    asked: impl Iterator<Item = (&'a str, KeyReplies)>,
    part: ReadPart,
    doing: &str,
) -> Result<Vec<KeyState>, StoreError> {
    let mut batch = Batch::default();
    let mut left = Vec::new();
    let mut found = Vec::new();
    for (index, (key, asked)) in asked.enumerate() {
        let known = asked.found(doing)?.unwrap_or_else(|| {
            part.ask(&mut batch, key);
            left.push(index);
            KeyState::Absent
        });
        found.push(match (known, part) {
            (KeyState::Present(present, _), ReadPart::State) => {
                KeyState::Present(present, Content::Left(None))
            }
            (known, _) => known,
        });
    }
    if !left.is_empty() {
        for (index, reply) in left.into_iter().zip(session.run(&batch, doing)?) {
            found[index] = KeyState::from_reply(reply, part, doing)?;
        }
    }
    Ok(found)
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

#[cfg(test)]
mod tests {
    use super::{CLOCK_MS, ExpiringField, Fingerprint, Present};

    fn hash(ends: &[i64]) -> Present {
        let sum = |at: &i64| Fingerprint::of(at.to_string().as_bytes());
        let fields = ends.iter().map(|at| ExpiringField {
            expires_at: *at,
            sha1: sum(at),
        });
        Present {
            kind: "hash".to_owned(),
            fields: fields.collect(),
            ..Present::string(b"", None)
        }
    }

    #[test]
    fn a_hash_is_the_same_without_the_fields_that_expired_and_only_those() {
        let recorded = hash(&[10_000, 20_000]);
        let is = |found: &[i64], now_ms| recorded.is(&hash(found), 0, now_ms);
        assert!(is(&[10_000, 20_000], 5_000));
        assert!(is(&[20_000], 10_000) && is(&[], 20_000));
        assert!(!is(&[20_000], 10_000 - CLOCK_MS - 1), "somebody removed it");
        assert!(!is(&[10_000], 30_000) && !is(&[30_000], 30_000));
        assert!(!is(&[10_000, 20_000, 30_000], 0));
        assert!(!hash(&[]).is(&recorded, 0, 0));
    }

    #[test]
    fn a_hash_goes_with_its_last_field_or_before() {
        assert_eq!(hash(&[10, 20]).gone_at_ms(), Some(20));
        assert_eq!(hash(&[]).gone_at_ms(), None);
        let expires = |at| Present {
            expires_at_ms: Some(at),
            ..hash(&[10, 20])
        };
        assert_eq!(expires(15).gone_at_ms(), Some(15));
        assert_eq!(expires(25).gone_at_ms(), Some(20));
        let stays = Present {
            fingerprint: Fingerprint::of(b"a field that stays"),
            ..hash(&[10, 20])
        };
        assert_eq!(stays.gone_at_ms(), None);
    }

    #[test]
    fn what_the_scripts_answer_is_what_they_are_asked() {
        let recorded = hash(&[10_000, 1 << 40]);
        let text = recorded.fingerprint_argument();
        let read = Present::parse_fingerprint(&text);
        assert_eq!(read, Some((recorded.fingerprint, recorded.fields)));
        for damaged in ["", &text[..60], &text.replace(';', ":")] {
            assert_eq!(Present::parse_fingerprint(damaged), None, "{damaged}");
        }
    }
}
