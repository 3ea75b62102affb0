//! The store: its address, the prefix of the keys, and how long anp waits for it.

use std::time::Duration;

use super::keys::{DAY_MS, SECOND_MS, Sources};
use super::reader::Reader;
use super::tls;
use crate::store::{Address, Copies, Password, Patience, TlsSettings, is_prefix};
use crate::yaml::YamlError;

/// How the store is reached.
pub(super) struct Connection {
    pub address: Address,
    /// Whether a flag, a variable or the file named the address.
    pub address_is_set: bool,
    /// Whether `--redis` named it.
    pub address_is_explicit: bool,
    /// Flags with which the store was reached besides `--redis`.
    pub flags: Vec<(String, String)>,
    pub tls: TlsSettings,
    /// Prefix of every key.
    pub prefix: String,
}

/// Reads where the store is.
pub(super) fn read(reader: &mut Reader, sources: &Sources<'_>) -> Connection {
    let address_is_set = reader.is_given("redis");
    let address = address(reader, sources.env);
    let tls = tls::read(reader, &address, sources.current_dir);
    Connection {
        address,
        address_is_set,
        address_is_explicit: sources.flags.iter().any(|(key, _)| *key == "redis"),
        flags: tls::flags_to_repeat(sources),
        tls,
        prefix: prefix(reader),
    }
}

/// Reads how long anp waits for the store.
pub(super) fn patience(reader: &mut Reader) -> Patience {
    Patience {
        deadline: ms(reader.duration("deadline", 30 * SECOND_MS, DAY_MS)),
        timeout: ms(reader.duration("timeout", 10 * SECOND_MS, DAY_MS)),
    }
}

/// Reads how many replicas a run waits for.
pub(super) fn copies(reader: &mut Reader) -> Option<Copies> {
    let replicas = reader.get("wait_replicas", 0, |node| node.whole(0..=100));
    let wait_ms = reader.get("wait_timeout", SECOND_MS, |node| node.whole(1..=600_000));
    let copies = Copies {
        replicas: u32::try_from(replicas).unwrap_or(0),
        within: ms(wait_ms),
    };
    (copies.replicas > 0).then_some(copies)
}

fn address(reader: &mut Reader, env: &dyn Fn(&str) -> Option<String>) -> Address {
    let secret = |name: &str| {
        let text = env(name).filter(|text| !text.is_empty());
        text.map(Password)
    };
    let address = reader.get("redis", Address::embedded(), |node| {
        let message = |message: String| YamlError {
            message,
            ..node.mismatch("")
        };
        Address::parse(node.text()?).map_err(message)
    });
    address
        .or_password(secret("ANP_REDIS_PASSWORD"))
        .for_sentinels(
            reader.text("sentinel_user"),
            secret("ANP_SENTINEL_PASSWORD"),
        )
}

fn prefix(reader: &mut Reader) -> String {
    reader.get("prefix", "anp".to_owned(), |node| {
        let text = node.text()?;
        if !is_prefix(text, 64) {
            return Err(node.mismatch("1 to 64 of A-Z a-z 0-9 . _ : - without a last ':'"));
        }
        Ok(text.to_owned())
    })
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
