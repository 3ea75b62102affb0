//! The group `after:`, which says what is done after a run: caches to purge, a program to run.

use std::time::Duration;

use super::keys::{DAY_MS, SECOND_MS};
use super::reader::Reader;
use crate::edge::{After, FASTLY_BATCH, PurgeTarget, Service, has_variable, is_variable_name};
use crate::exit::Exit;
use crate::yaml::{self, Key, Kind, Node, YamlError};

/// More targets are a mistake.
const MOST_TARGETS: usize = 100;
const KINDS: [&str; 5] = ["varnish", "nginx", "fastly", "cloudflare", "http"];
/// Members of every kind.
const COMMON: [&str; 7] = [
    "kind", "url", "headers", "rate", "timeout", "retries", "max_urls",
];

/// Reads the settings of the group. `has_url`: whether `site.url` is set.
pub(super) fn read(reader: &mut Reader, has_url: bool) -> After {
    let timeout = reader.duration("after.command_timeout", 60 * SECOND_MS, DAY_MS);
    let after = After {
        purge: reader.get("after.purge", Vec::new(), targets),
        command: reader.get("after.command", Vec::new(), command),
        timeout: Duration::from_millis(timeout),
    };
    if !after.purge.is_empty() && !has_url {
        let what = "after.purge needs site.url, since caches are purged of whole URLs".to_owned();
        reader.problems.push((Exit::Config, what));
    }
    after
}

/// A line for the shell, or a program with its arguments.
fn command(node: &Node) -> Result<Vec<String>, YamlError> {
    match &node.kind {
        Kind::Sequence(words) => {
            let words = words.iter().map(|word| Ok(word.text()?.to_owned()));
            words.collect()
        }
        _ => Ok(["/bin/sh", "-c", node.text()?].map(str::to_owned).to_vec()),
    }
}

/// A list of targets. A variable has it in brackets.
fn targets(node: &Node) -> Result<Vec<PurgeTarget>, YamlError> {
    let list = match &node.kind {
        Kind::Scalar { text, .. } if text.trim_start().starts_with('[') => {
            let parsed = yaml::parse(&format!("purge: {text}"), 1);
            let root = parsed.map_err(|errors| {
                let first = errors.into_iter().next();
                first.unwrap_or_else(|| node.mismatch("a list in brackets"))
            })?;
            let first = root.mapping()?.first().map(|(_, value)| value.clone());
            first.unwrap_or_else(|| node.clone())
        }
        _ => node.clone(),
    };
    let list = list.list()?;
    if list.len() > MOST_TARGETS {
        return Err(node.mismatch("at most 100 caches"));
    }
    list.iter().map(target).collect()
}

/// The members of one target.
struct Members<'n> {
    node: &'n Node,
    entries: &'n [(Key, Node)],
}

impl<'n> Members<'n> {
    fn of(node: &'n Node) -> Result<Self, YamlError> {
        let entries = node.mapping()?;
        Ok(Self { node, entries })
    }

    fn get(&self, name: &str) -> Option<&'n Node> {
        let found = self.entries.iter().find(|(key, _)| key.name == name);
        found.map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Result<Option<String>, YamlError> {
        let text = |node: &Node| node.text().map(str::to_owned);
        self.get(name).map(text).transpose()
    }

    fn needed(&self, name: &str) -> Result<String, YamlError> {
        let missing = || self.node.mismatch(&format!("a mapping with '{name}'"));
        self.text(name)?.ok_or_else(missing)
    }

    fn flag(&self, name: &str) -> Result<bool, YamlError> {
        self.get(name).map_or(Ok(false), Node::flag)
    }

    fn whole(&self, name: &str, default: u64, most: u64) -> Result<u64, YamlError> {
        let least = u64::from(name != "retries");
        self.get(name)
            .map_or(Ok(default), |node| node.whole(least..=most))
    }

    /// Refuses a member that is none of `known`.
    fn check(&self, known: &[&str]) -> Result<(), YamlError> {
        let known = || COMMON.into_iter().chain(known.iter().copied());
        for (key, _) in self.entries {
            if !known().any(|name| name == key.name) {
                return Err(key.unknown(known()));
            }
        }
        Ok(())
    }
}

fn target(node: &Node) -> Result<PurgeTarget, YamlError> {
    let members = Members::of(node)?;
    let kind = match members.get("kind") {
        Some(kind) => KINDS[kind.choice(&KINDS)?],
        None => return Err(node.mismatch("a mapping with 'kind'")),
    };
    let (service, batch) = match kind {
        "varnish" => {
            members.check(&["everything"])?;
            (Service::Varnish, 1)
        }
        // Its module cannot purge everything.
        "nginx" => {
            members.check(&[])?;
            (Service::Nginx, 1)
        }
        "fastly" => fastly(&members)?,
        "cloudflare" => cloudflare(&members)?,
        _ => http(&members)?,
    };
    let (api, rate) = match &service {
        Service::Varnish | Service::Nginx => (None, 1000),
        Service::Fastly { .. } => (Some("https://api.fastly.com"), 20),
        Service::Cloudflare { .. } => (Some("https://api.cloudflare.com/client/v4"), 5),
        Service::Http { .. } => (None, 20),
    };
    let everything = match &service {
        Service::Http { everything, .. } => everything.is_some(),
        _ => members.flag("everything")?,
    };
    if let Service::Fastly { service, .. } = &service
        && everything
        && service.is_empty()
    {
        return Err(node.mismatch("a mapping with 'service', which 'everything' needs"));
    }
    let timeout = members.get("timeout");
    let timeout = timeout.map_or(Ok(10 * SECOND_MS), |node| {
        node.duration_ms(SECOND_MS..=600 * SECOND_MS)
    })?;
    Ok(PurgeTarget {
        url: url(&members, api, matches!(service, Service::Http { .. }))?,
        service,
        headers: headers(&members)?,
        batch,
        rate: members.get("rate").map_or(Ok(rate), per_second)?,
        timeout: Duration::from_millis(timeout),
        retries: u32::try_from(members.whole("retries", 3, 10)?).unwrap_or(10),
        max_urls: members.whole("max_urls", 10_000, u64::from(u32::MAX))?,
        everything,
    })
}

fn fastly(members: &Members<'_>) -> Result<(Service, usize), YamlError> {
    members.check(&["service", "by", "soft", "token_env", "everything"])?;
    let by = members.get("by").map(|by| by.choice(&["url", "key"]));
    let by_keys = by.transpose()? == Some(1);
    let service = match by_keys {
        true => members.needed("service")?,
        false => members.text("service")?.unwrap_or_default(),
    };
    check_id(members, "service", &service)?;
    let service = Service::Fastly {
        service,
        by_keys,
        soft: members.flag("soft")?,
        token_env: token_env(members, "ANP_FASTLY_TOKEN")?,
    };
    Ok((service, if by_keys { FASTLY_BATCH } else { 1 }))
}

fn cloudflare(members: &Members<'_>) -> Result<(Service, usize), YamlError> {
    members.check(&["zone", "token_env", "batch", "everything"])?;
    let zone = members.needed("zone")?;
    check_id(members, "zone", &zone)?;
    let service = Service::Cloudflare {
        zone,
        token_env: token_env(members, "ANP_CLOUDFLARE_TOKEN")?,
    };
    Ok((service, batch(members, 100, 500)?))
}

fn http(members: &Members<'_>) -> Result<(Service, usize), YamlError> {
    members.check(&["method", "body", "batch", "everything"])?;
    let everything = members.get("everything").map(|node| {
        let inner = Members::of(node)?;
        for (key, _) in inner.entries {
            if !["method", "url", "body"].contains(&key.name.as_str()) {
                return Err(key.unknown(["method", "url", "body"]));
            }
        }
        let url = url(&inner, None, true)?;
        let body = inner.text("body")?.unwrap_or_default();
        Ok((method(&inner)?, url, body))
    });
    let service = Service::Http {
        method: method(members)?,
        body: members.text("body")?.unwrap_or_default(),
        everything: everything.transpose()?,
    };
    let batch = batch(members, 1, 10_000)?;
    let has_list = |name: &str| {
        let text = members.text(name).ok().flatten().unwrap_or_default();
        text.contains("{urls}") || text.contains("{paths}")
    };
    if has_list("url") {
        let node = members.get("url").unwrap_or(members.node);
        return Err(node.mismatch("{url} or {path} in a URL, since a list stands in 'body'"));
    }
    if batch > 1 && !has_list("body") {
        return Err(members
            .node
            .mismatch("{urls} or {paths} where 'batch' is more than 1"));
    }
    Ok((service, batch))
}

fn batch(members: &Members<'_>, default: u64, most: u64) -> Result<usize, YamlError> {
    let batch = members.whole("batch", default, most)?;
    Ok(usize::try_from(batch).unwrap_or(1))
}

fn method(members: &Members<'_>) -> Result<String, YamlError> {
    let Some(node) = members.get("method") else {
        return Ok("POST".to_owned());
    };
    let text = node.text()?;
    match text.bytes().all(|b| b.is_ascii_uppercase()) && text.len() <= 20 {
        true => Ok(text.to_owned()),
        false => Err(node.mismatch("an HTTP method (for example POST)")),
    }
}

/// A part of the path of an API.
fn check_id(members: &Members<'_>, name: &str, id: &str) -> Result<(), YamlError> {
    match id.bytes().all(|b| b.is_ascii_alphanumeric()) && id.len() <= 64 {
        true => Ok(()),
        false => {
            let node = members.get(name).unwrap_or(members.node);
            Err(node.mismatch("an id of letters and digits"))
        }
    }
}

fn token_env(members: &Members<'_>, default: &str) -> Result<String, YamlError> {
    let Some(node) = members.get("token_env") else {
        return Ok(default.to_owned());
    };
    let text = node.text()?;
    match is_variable_name(text) {
        true => Ok(text.to_owned()),
        // It may be the token itself.
        false => Err(secret(node)),
    }
}

/// The error that a secret stands in the settings; it does not repeat it.
fn secret(node: &Node) -> YamlError {
    YamlError {
        message:
            "expected the name of a variable of the environment, since no secret belongs into \
                  the settings file: ${NAME} in a header, NAME in token_env"
                .to_owned(),
        ..node.mismatch("")
    }
}

/// `100/s`.
fn per_second(node: &Node) -> Result<u32, YamlError> {
    let number = node.text()?.strip_suffix("/s").and_then(|n| n.parse().ok());
    let number = number.filter(|number| (1..=100_000).contains(number));
    number.ok_or_else(|| node.mismatch("requests a second from 1/s to 100000/s (for example 50/s)"))
}

/// The base URL of a cache or an API, or a pattern of URLs.
fn url(
    members: &Members<'_>,
    default: Option<&str>,
    is_pattern: bool,
) -> Result<String, YamlError> {
    let Some(node) = members.get("url") else {
        return match default {
            Some(default) => Ok(default.to_owned()),
            None => members.needed("url"),
        };
    };
    let text = node.text()?;
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let host = rest.and_then(|rest| rest.split(['/', '?']).next());
    if host.is_some_and(|host| host.contains('@')) {
        return Err(secret(node));
    }
    let is_plain = !text.contains([' ', '"', '<', '>', '#', '\\']);
    if host.is_none_or(str::is_empty) || !is_plain || !is_pattern && text.contains('?') {
        return Err(node.mismatch("an http(s) URL"));
    }
    Ok(match is_pattern {
        true => text.to_owned(),
        false => text.trim_end_matches('/').to_owned(),
    })
}

fn headers(members: &Members<'_>) -> Result<Vec<(String, String)>, YamlError> {
    let Some(node) = members.get("headers") else {
        return Ok(Vec::new());
    };
    let header = |(key, value): &(Key, Node)| {
        let name = key.text();
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let text = value.text()?;
        if !name.bytes().all(is_token) || text.contains(char::is_control) {
            return Err(value.mismatch("a name and a value of an HTTP header"));
        }
        let lower = name.to_ascii_lowercase();
        let is_secret = ["auth", "token", "key", "secret", "password", "cookie"]
            .iter()
            .any(|word| lower.contains(word));
        match is_secret && !has_variable(text) {
            true => Err(secret(value)),
            false => Ok((name.to_owned(), text.to_owned())),
        }
    };
    node.mapping()?.iter().map(header).collect()
}
