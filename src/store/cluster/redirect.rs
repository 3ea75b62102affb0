//! Replies that send a command on to another node.

use super::topology::SLOTS;
use crate::store::{Node, Reply};

/// Where a command is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Redirection {
    /// The slot of its key.
    pub(in crate::store) slot: usize,
    /// Who is to be asked.
    pub(in crate::store) node: Node,
    /// The slot is on its way there: only `ASKING` lets the command in. Otherwise it has moved.
    pub(in crate::store) asking: bool,
}

impl Redirection {
    /// Reads `reply`, which `asked` gave; none where it is an answer.
    ///
    /// # Errors
    /// What was found, where it is a redirection that leads nowhere.
    pub(in crate::store) fn of(reply: &Reply, asked: &Node) -> Result<Option<Self>, String> {
        let Reply::Error { code, detail } = reply else {
            return Ok(None);
        };
        let asking = match code.as_str() {
            "MOVED" => false,
            "ASK" => true,
            _ => return Ok(None),
        };
        let read = || {
            let (slot, place) = detail.split_once(' ')?;
            let (host, port) = place.trim().rsplit_once(':')?;
            // Without a host it is that of the node which says so.
            let host = match host {
                "" | "?" => &asked.host,
                host => host,
            };
            Some(Self {
                slot: slot.parse().ok().filter(|slot| *slot < SLOTS)?,
                node: Node::new(host, port.parse().ok()?),
                asking,
            })
        };
        let found = read().ok_or_else(|| format!("{asked} answered {code} {detail}"));
        found.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::Redirection;
    use crate::store::{Node, Reply};

    #[test]
    fn moved_and_ask_lead_to_a_node_and_all_else_is_an_answer() {
        let asked = Node::new("here.example", 7000);
        let of = |code: &str, detail: &str| {
            let (code, detail) = (code.to_owned(), detail.to_owned());
            let found = Redirection::of(&Reply::Error { code, detail }, &asked);
            found.map(|found| found.map(|to| format!("{} {} {}", to.slot, to.node, to.asking)))
        };
        let to = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(of("MOVED", "5 10.0.0.1:7001"), to("5 10.0.0.1:7001 false"));
        assert_eq!(of("ASK", "5 ::1:7001"), to("5 [::1]:7001 true"));
        assert_eq!(of("MOVED", "5 :7001"), to("5 here.example:7001 false"));
        assert_eq!(of("MOVED", "5 ?:7001"), to("5 here.example:7001 false"));
        assert_eq!(of("WRONGTYPE", "5 10.0.0.1:7001"), Ok(None));
        assert!(of("MOVED", "16384 10.0.0.1:7001").is_err());
        assert!(of("ASK", "5 nowhere").is_err());
    }
}
