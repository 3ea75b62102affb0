//! What the store holds, as plain values: read in one piece, compared as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use redis::Value;

/// A key that exists.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The type, as `TYPE` names it.
    pub kind: String,
    /// A string is one part; a collection its members, sorted where it has no order.
    pub parts: Vec<Vec<u8>>,
    /// Absolute expiry, ms since 1970.
    pub expires_at: Option<i64>,
}

impl Held {
    pub fn is_gone_by(&self, now_ms: i64) -> bool {
        self.expires_at.is_some_and(|at| at <= now_ms)
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        let part = (self.kind == "string").then(|| self.parts.first())??;
        std::str::from_utf8(part).ok()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |part: &Vec<u8>| {
            let text: Vec<char> = String::from_utf8_lossy(part).chars().collect();
            if text.len() <= 120 {
                return text.into_iter().collect();
            }
            let (head, tail) = (&text[..60], &text[text.len() - 50..]);
            format!("{}…{}", String::from_iter(head), String::from_iter(tail))
        };
        let shown: Vec<String> = self.parts.iter().map(short).collect();
        write!(f, "{} {shown:?} until {:?}", self.kind, self.expires_at)
    }
}

/// Every key.
pub type Keyspace = BTreeMap<String, Held>;

/// Leaves out what has expired by `now_ms`.
pub fn living(keys: &Keyspace, now_ms: i64) -> Keyspace {
    let mut keys = keys.clone();
    keys.retain(|_, held| !held.is_gone_by(now_ms));
    keys
}

/// One script is one instant: no key can expire halfway through it.
const READ: &str = "
local out = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  local parts
  if kind == 'string' then parts = {redis.call('GET', key)}
  elseif kind == 'hash' then parts = redis.call('HGETALL', key)
  elseif kind == 'set' then parts = redis.call('SMEMBERS', key)
  elseif kind == 'list' then parts = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'zset' then parts = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  else parts = {redis.call('DUMP', key)} end
  out[#out + 1] = {key, kind, redis.call('PEXPIRETIME', key), parts}
end
return out";

/// Reads the whole keyspace.
pub fn read(connection: &mut redis::Connection) -> Keyspace {
    let mut command = redis::cmd("EVAL");
    let reply: Value = command.arg(READ).arg(0).query(connection).unwrap();
    let rows = array(reply).into_iter().map(array);
    rows.map(|row| {
        let Ok([key, kind, Value::Int(at), parts]) = <[Value; 4]>::try_from(row) else {
            panic!("the script answers a key, its type, its expiry and its parts");
        };
        let kind = text(kind);
        let mut parts: Vec<Vec<u8>> = array(parts).into_iter().map(bytes).collect();
        if kind == "set" {
            parts.sort();
        } else if kind == "hash" {
            let mut pairs: Vec<_> = parts.chunks(2).map(<[_]>::to_vec).collect();
            pairs.sort();
            parts = pairs.concat();
        }
        let expires_at = (at >= 0).then_some(at);
        let held = Held {
            kind,
            parts,
            expires_at,
        };
        (text(key), held)
    })
    .collect()
}

/// The server's clock, ms since 1970.
pub fn now_ms(connection: &mut redis::Connection) -> i64 {
    let (seconds, micros): (i64, i64) = redis::cmd("TIME").query(connection).unwrap();
    seconds * 1000 + micros / 1000
}

fn array(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => panic!("no array: {other:?}"),
    }
}

fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes,
        Value::SimpleString(text) => text.into_bytes(),
        other => panic!("no text: {other:?}"),
    }
}

fn text(value: Value) -> String {
    String::from_utf8(bytes(value)).unwrap()
}

/// The difference of two keyspaces.
pub fn difference(expected: &Keyspace, found: &Keyspace) -> String {
    let keys: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    keys.into_iter()
        .filter(|key| expected.get(*key) != found.get(*key))
        .map(|key| {
            let (expected, found) = (expected.get(key), found.get(key));
            format!("  {key}\n    expected {expected:?}\n    found    {found:?}\n")
        })
        .collect()
}
