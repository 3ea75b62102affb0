//! Which server is the master: all sentinels are asked, and whom most of them name is believed
//! once it says so itself.

use std::time::{Duration, Instant};

use super::address::{Listed, Node};
use super::connection::Connector;
use super::dial::End;
use super::quorum;
use super::wire::Wire;
use super::{Batch, Class, Reply, SENTINEL_RIGHT, Store as _, StoreError};

/// A sentinel that is away costs so long at most.
const EACH: Duration = Duration::from_secs(2);

/// What came of asking all of them.
#[derive(Default)]
struct SentinelAnswers {
    /// Sentinels that do not answer, each with the reason.
    away: Vec<String>,
    /// Sentinels that answer, and know no master of that name.
    unaware: Vec<Node>,
    /// The last failure of a sentinel that refuses us.
    refused: Option<StoreError>,
    /// The server that most of them name, and why it is not taken.
    named: Option<(Node, StoreError)>,
}

/// Connects to the server that the sentinels name `master`, within `time`.
///
/// # Errors
/// `Wait` while they name one that is away, or none that says it is a master: a failover may be
/// under way. `FindAgain` when no sentinel answers, `Config` when none knows the name.
pub(super) fn connect(
    connector: &Connector,
    sentinels: &[Node],
    master: &str,
    time: Duration,
) -> Result<(Node, Wire), StoreError> {
    let until = Instant::now() + time;
    let left = || until.saturating_duration_since(Instant::now());
    let doing = format!("asking the sentinels for the master '{master}'");
    let question = {
        let (connector, master) = (connector.clone(), master.to_owned());
        move |sentinel: &Node, time| ask(&connector, sentinel, &master, time)
    };
    let mut asked = SentinelAnswers::default();
    let mut votes = Vec::new();
    let interrupt = &connector.interrupt;
    for (sentinel, answer) in quorum::ask(sentinels, left().min(EACH), interrupt, &doing, question)
    {
        match answer {
            Err(error) if error.class == Class::Interrupted => return Err(error),
            Ok(Some(node)) => votes.push(node),
            Ok(None) => asked.unaware.push(sentinel),
            Err(error) if matches!(error.class, Class::Never | Class::Config) => {
                asked.refused = Some(error);
            }
            Err(error) => asked.away.push(format!("{sentinel}: {}", error.detail)),
        }
    }
    // One that was cut off from the others still names the master of before.
    if let Some(node) = quorum::most(votes.clone(), Node::clone) {
        if quorum::is_tied(&votes, &node) {
            // During a failover for a moment; else it is for a person to say who is right.
            let doing = format!("connecting to {}", connector.address);
            let detail = format!(
                "as many sentinels name one master as another: {}",
                Listed(&votes)
            );
            return Err(StoreError::new(Class::Wait, doing, detail));
        }
        let place = format!("{node}, the master of {}", connector.address);
        match is_master(connector, &node, place, left()) {
            Ok(wire) => return Ok((node, wire)),
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => asked.named = Some((node, error)),
        }
    }
    Err(asked.failure(connector, sentinels, master))
}

/// Whether asking again, or waiting, cannot help.
fn is_final(error: &StoreError) -> bool {
    matches!(
        error.class,
        Class::Never | Class::Config | Class::Interrupted
    )
}

impl SentinelAnswers {
    fn failure(self, connector: &Connector, sentinels: &[Node], master: &str) -> StoreError {
        let doing = format!("connecting to {}", connector.address);
        if let Some((node, error)) = &self.named {
            let detail = format!(
                "the sentinels name {node} as master, but it does not act as one: {}",
                error.detail
            );
            return StoreError::new(Class::Wait, doing, detail);
        }
        if let Some(refused) = self.refused {
            return refused;
        }
        if !self.unaware.is_empty() {
            let detail = format!(
                "no sentinel knows a master named '{master}' (asked: {}); expected the name in \
                 their 'sentinel monitor' line",
                Listed(&self.unaware)
            );
            return StoreError::new(Class::Config, doing, detail);
        }
        let detail = match sentinels {
            [_] => format!("the sentinel does not answer: {}", self.away.join("; ")),
            _ => format!("no sentinel answers: {}", self.away.join("; ")),
        };
        StoreError::new(Class::FindAgain, doing, detail)
    }
}

/// Asks one sentinel; none where it knows no such master.
fn ask(
    connector: &Connector,
    sentinel: &Node,
    master: &str,
    time: Duration,
) -> Result<Option<Node>, StoreError> {
    let login = connector.address.sentinel_login();
    let place = format!("the sentinel {sentinel}");
    let doing = format!("asking the sentinel {sentinel} for the master '{master}'");
    let mut batch = Batch::default();
    batch.push(&[b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", master.as_bytes()]);
    let asked = connector
        .open(&End::Node(sentinel.clone()), &login, place, time)
        .and_then(|mut wire| wire.send(&batch));
    let reply = asked
        .map_err(|error| with_hint(error, &doing))?
        .pop()
        .unwrap_or(Reply::Nil);
    match reply {
        Reply::Nil => Ok(None),
        Reply::Error { code, detail } => {
            let error = StoreError::from_reply(&doing, &code, &detail);
            Err(with_hint(error, &doing))
        }
        Reply::Array(parts) => {
            let part = |index: usize| parts.get(index).and_then(Reply::text);
            let port = part(1).and_then(|port| port.parse().ok());
            match part(0).zip(port) {
                Some((host, port)) => Ok(Some(Node::new(host, port))),
                None => Reply::Array(parts).fail(&doing),
            }
        }
        other => other.fail(&doing),
    }
}

/// Sentinels have users of their own.
fn with_hint(error: StoreError, doing: &str) -> StoreError {
    let detail = match error.class {
        Class::Never => format!(
            "{} (sentinels have a user and a password of their own: --sentinel-user, \
             ANP_SENTINEL_PASSWORD)",
            error.detail
        ),
        _ => error.detail,
    };
    StoreError {
        doing: doing.to_owned(),
        detail,
        ..error
    }
}

/// Connects to `node`, and asks it whether it is a master.
fn is_master(
    connector: &Connector,
    node: &Node,
    place: String,
    time: Duration,
) -> Result<Wire, StoreError> {
    let doing = format!("asking {place} for its role");
    let login = connector.login();
    let mut wire = connector.open(&End::Node(node.clone()), &login, place, time)?;
    let mut batch = Batch::default();
    batch.push(&[b"ROLE"]);
    let reply = wire.send(&batch)?.pop().unwrap_or(Reply::Nil);
    let role = match &reply {
        Reply::Array(parts) => parts.first().and_then(Reply::text).map(str::to_owned),
        Reply::Error { code, detail } => {
            let mut error = StoreError::from_reply(&doing, code, detail);
            if error.class == Class::Never {
                error.detail = format!(
                    "{} (behind sentinels the user needs {SENTINEL_RIGHT} besides the rights of \
                     the ACL line)",
                    error.detail
                );
            }
            return Err(error);
        }
        _ => None,
    };
    match role.as_deref() {
        Some("master") => Ok(wire),
        Some(role) => {
            let detail = format!("it says that it is a {}", role.replace("slave", "replica"));
            Err(StoreError::new(Class::Wait, doing, detail))
        }
        None => reply.fail(&doing),
    }
}
