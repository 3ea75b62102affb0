//! What other clients do to keys.

use redis::Connection;

use super::held::{self, Held, living};
use super::ops::{Act, At};
use super::oracle::Model;
use super::player::{Step, differs};

/// So far away is soon: a few steps.
const SOON_MS: i64 = 800;

/// Does `act` to `key`. The effect is the server's own, so the model takes it from there.
pub fn act(model: &mut Model, connection: &mut Connection, key: &str, act: Act) -> Step {
    let now_ms = held::now_ms(connection);
    let before = living(&model.keys, now_ms);
    let was = model.content_of(key);
    let past = model.past.get(key).map_or(&[][..], |past| past);
    let past: Vec<&Held> = past
        .iter()
        .filter(|held| !held.is_gone_by(now_ms))
        .collect();
    for words in commands(key, before.get(key), &past, act, now_ms) {
        let mut command = redis::cmd(std::str::from_utf8(&words[0]).unwrap());
        for word in &words[1..] {
            command.arg(word.as_slice());
        }
        let _: redis::Value = command.query(connection).unwrap();
    }
    let mut found = held::read(connection);
    found.remove("anp:lock");
    let now_ms = held::now_ms(connection);
    let others = |keys| {
        let mut keys = living(keys, now_ms);
        keys.remove(key);
        keys
    };
    if others(&before) != others(&found) {
        let difference = held::difference(&others(&before), &others(&found));
        return differs(format!("the store changed between two steps\n{difference}"));
    }
    // A meta names its digest in its first bytes: more at its end do not change what it is of.
    if let (Act::Append(_), Some(content), Some(held)) = (act, was, found.get(key))
        && key.starts_with("anp:meta:")
    {
        let value = (key.to_owned(), held.parts[0].clone());
        model.rendered.insert(value, content);
    }
    model.now_holds(living(&found, now_ms));
    Ok(())
}

type Words = Vec<Vec<u8>>;

fn words<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Words {
    words.into_iter().map(<[u8]>::to_vec).collect()
}

/// The commands of `act` on a key as it is now.
fn commands(
    key: &str,
    current: Option<&Held>,
    past: &[&Held],
    act: Act,
    now_ms: i64,
) -> Vec<Words> {
    let k = key.as_bytes();
    let theirs = |n: u8| format!("theirs {n}");
    let del = || words([b"DEL".as_slice(), k]);
    // A collection of another type is replaced, as by a client that wants its own.
    let add = |kind: &str, more: Words| {
        let other = current.is_some_and(|held| held.kind != kind);
        other.then(del).into_iter().chain([more]).collect()
    };
    let expire = |at: Option<i64>| match at {
        Some(at) => words([b"PEXPIREAT".as_slice(), k, at.to_string().as_bytes()]),
        None => words([b"PERSIST".as_slice(), k]),
    };
    let member = |command: &[u8], n: u8| words([command, k, theirs(n).as_bytes()]);
    match act {
        Act::Set(n, at) => vec![member(b"SET", n), expire(at.ms(now_ms))],
        Act::SetKeepTtl(n) => {
            let text = theirs(n);
            vec![words([b"SET".as_slice(), k, text.as_bytes(), b"KEEPTTL"])]
        }
        Act::Append(n) => add("string", member(b"APPEND", n)),
        Act::Del => vec![del()],
        Act::Persist => vec![expire(None)],
        Act::PExpireAt(at) => vec![expire(at.ms(now_ms))],
        Act::HSet(n) => {
            let text = theirs(n);
            let all = [b"HSET".as_slice(), k, text.as_bytes(), b"value"];
            add("hash", words(all))
        }
        Act::RPush(n) => add("list", member(b"RPUSH", n)),
        Act::SAdd(n) => add("set", member(b"SADD", n)),
        Act::ZAdd(n) => {
            let text = theirs(n);
            add(
                "zset",
                words([b"ZADD".as_slice(), k, b"1", text.as_bytes()]),
            )
        }
        Act::XAdd(n) => {
            let text = theirs(n);
            let all = [b"XADD".as_slice(), k, b"*", b"field", text.as_bytes()];
            add("stream", words(all))
        }
        Act::Revive(_) if past.is_empty() => Vec::new(),
        Act::Revive(number) => {
            let held = past[past.len() - 1 - number % past.len()];
            let parts = || held.parts.iter().map(Vec::as_slice);
            let whole = |command: &'static [u8]| words([command, k].into_iter().chain(parts()));
            let mut all = vec![del()];
            match held.kind.as_str() {
                "string" => all.push(whole(b"SET")),
                "hash" => all.push(whole(b"HSET")),
                "set" => all.push(whole(b"SADD")),
                "list" => all.push(whole(b"RPUSH")),
                "zset" => all.extend(
                    held.parts
                        .chunks(2)
                        .map(|pair| words([b"ZADD".as_slice(), k, &pair[1], &pair[0]])),
                ),
                _ => all.push(words([b"RESTORE".as_slice(), k, b"0", &held.parts[0]])),
            }
            all.push(expire(held.expires_at));
            all
        }
    }
}

impl At {
    /// Ms since 1970; none is never.
    fn ms(self, now_ms: i64) -> Option<i64> {
        match self {
            Self::Soon => Some(now_ms + SOON_MS),
            Self::Day => Some(now_ms + 86_400_000),
            Self::SixDays => Some(now_ms + 6 * 86_400_000),
            Self::In2096 => Some(4_000_000_000_123),
            Self::Never => None,
        }
    }
}
