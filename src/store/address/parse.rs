//! The texts that name a store, read strictly. No refusal repeats a text: it may hold a
//! password.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use redis::{ConnectionAddr, IntoConnectionInfo};

use super::{Node, Place};

const EXPECTED: &str = "expected 'embedded', redis://[user:password@]host:port/db or \
                        redis+unix:///path/to/socket?db=0, with redis+cluster://host:port,…/ for \
                        a cluster and redis+sentinel://host:port,…/master/db for a master that \
                        sentinels know; with TLS: rediss in place of redis";
/// Where servers listen, if nothing else is said.
const PORT: u16 = 6379;
/// Where sentinels listen.
const SENTINEL_PORT: u16 = 26379;

/// What an address names.
pub(super) struct Parts {
    pub(super) place: Place,
    pub(super) db: i64,
    pub(super) tls: bool,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

impl Parts {
    fn embedded(folder: PathBuf) -> Self {
        Self {
            place: Place::Embedded(folder),
            db: 0,
            tls: false,
            username: None,
            password: None,
        }
    }
}

/// Reads any form of an address.
pub(super) fn address(text: &str) -> Result<Parts, String> {
    if text == "embedded" {
        return Ok(Parts::embedded(PathBuf::new()));
    }
    if let Some(folder) = text
        .strip_prefix("embedded:")
        .filter(|path| path.starts_with('/'))
    {
        return Ok(Parts::embedded(folder.into()));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(match meant(text) {
            Some(meant) => format!("expected an address with a scheme; did you mean {meant}?"),
            None => EXPECTED.to_owned(),
        });
    };
    match scheme {
        "redis" | "redis+unix" | "unix" => one(text, false),
        // Read as the same address without TLS: whether the client library knows TLS is not
        // what decides.
        "rediss" => one(&format!("redis://{rest}"), true),
        "redis+cluster" => cluster(rest, false),
        "rediss+cluster" => cluster(rest, true),
        "redis+sentinel" => sentinel(rest, false),
        "rediss+sentinel" => sentinel(rest, true),
        scheme if scheme.contains('@') => Err(EXPECTED.to_owned()),
        scheme => Err(format!("{EXPECTED}; found the scheme '{scheme}'")),
    }
}

/// The address that a text without a scheme was probably meant to be. Only a text that can hardly
/// be a password is repeated: a host with a port, or the path of a socket.
fn meant(text: &str) -> Option<String> {
    if text.starts_with('/') && text.ends_with(".sock") {
        return Some(format!("redis+unix://{text}"));
    }
    let (host, rest) = text.rsplit_once(':')?;
    let port = rest.split_once('/').map_or(rest, |(port, _)| port);
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    let url = format!("redis://{text}");
    let is_address = !host.is_empty() && host.bytes().all(fits) && one(&url, false).is_ok();
    (is_port && is_address).then_some(url)
}

/// One server.
fn one(text: &str, tls: bool) -> Result<Parts, String> {
    let failed = |why: &str| Err(format!("{EXPECTED}; {why}"));
    if tls && text.contains('#') {
        // A '#insecure' that other clients know would be taken for checked certificates.
        return failed("an address with TLS has no part behind '#'");
    }
    let Ok(info) = text.into_connection_info() else {
        return failed("the address did not parse");
    };
    let place = match info.addr() {
        ConnectionAddr::Tcp(host, port) => Place::Tcp(Node::new(host.clone(), *port)),
        ConnectionAddr::Unix(path) => Place::Unix(PathBuf::clone(path)),
        _ => return failed("the address did not parse"),
    };
    if matches!(&place, Place::Unix(path) if !path.is_absolute()) {
        return failed("the path of a socket is absolute");
    }
    let settings = info.redis_settings();
    Ok(Parts {
        place,
        db: settings.db(),
        tls,
        username: settings.username().map(str::to_owned),
        password: settings.password().map(str::to_owned),
    })
}

/// What stands behind `redis+cluster://`.
fn cluster(rest: &str, tls: bool) -> Result<Parts, String> {
    const FORM: &str = "expected redis+cluster://[user:password@]host:port,host:port/";
    let many = Many::read(rest, PORT).map_err(|why| format!("{FORM}; {why}"))?;
    if !matches!(many.path, "" | "0") {
        return Err(format!("{FORM}; a cluster has only the database 0"));
    }
    Ok(Parts {
        place: Place::Cluster(many.nodes),
        db: 0,
        tls,
        username: many.username,
        password: many.password,
    })
}

/// What stands behind `redis+sentinel://`.
fn sentinel(rest: &str, tls: bool) -> Result<Parts, String> {
    const FORM: &str = "expected redis+sentinel://[user:password@]host:port,host:port/master[/db]";
    let many = Many::read(rest, SENTINEL_PORT).map_err(|why| format!("{FORM}; {why}"))?;
    let (master, db) = many.path.split_once('/').unwrap_or((many.path, ""));
    // What sentinels themselves take (sentinel.c, "The valid charset is A-z 0-9 and .-_").
    let fits = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    if master.is_empty() || !master.bytes().all(fits) {
        return Err(format!(
            "{FORM}; the name of the master is made of A-Z a-z 0-9 . - _"
        ));
    }
    let db = match db {
        "" => 0,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits
            .parse()
            .map_err(|_| format!("{FORM}; the database is too large a number"))?,
        _ => return Err(format!("{FORM}; the database is a whole number")),
    };
    Ok(Parts {
        place: Place::Sentinel {
            sentinels: many.nodes,
            master: master.to_owned(),
        },
        db,
        tls,
        username: many.username,
        password: many.password,
    })
}

/// `[user[:password]@]host[:port],host[:port]…[/path]`.
struct Many<'a> {
    nodes: Vec<Node>,
    path: &'a str,
    username: Option<String>,
    password: Option<String>,
}

impl<'a> Many<'a> {
    fn read(rest: &'a str, port: u16) -> Result<Self, &'static str> {
        if rest.contains(['?', '#']) {
            return Err("without '?' and '#'");
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (user, hosts),
            None => ("", authority),
        };
        if user.contains(['@', ',']) {
            // A server in front of it would silently be part of a password.
            return Err(
                "user and password stand before the first server, with ',' and '@' in them \
                        percent-encoded",
            );
        }
        let (username, password) = user.split_once(':').unwrap_or((user, ""));
        let mut nodes = Vec::new();
        for text in hosts.split(',') {
            let node = Node::parse(text, port)
                .ok_or("each server is host:port, an IPv6 address in brackets")?;
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        Ok(Self {
            nodes,
            path: path.strip_suffix('/').unwrap_or(path),
            username: decoded(username)?,
            password: decoded(password)?,
        })
    }
}

/// The text behind percent-encoding; none if it is empty.
fn decoded(text: &str) -> Result<Option<String>, &'static str> {
    const NOT_ENCODED: &str = "user and password are UTF-8, percent-encoded";
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err(NOT_ENCODED);
    }
    let text = percent_decode_str(text).decode_utf8();
    let text = text.map_err(|_| NOT_ENCODED)?.into_owned();
    Ok(Some(text).filter(|text| !text.is_empty()))
}
