//! The switch: while the key `PREFIX:switch` exists, nothing is published under that prefix.
//!
//! Only publishing heeds it. The way back is always open.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::duration::show_time;
use crate::publish::keys::Keys;
use crate::publish::one_line;
use crate::store::{Batch, Reply, Script, Session, StoreError};

/// Who switched publishing off, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// On which host.
    pub host: String,
    /// When, by the server's clock, ms since 1970.
    pub at: i64,
}

/// What stands at the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paused {
    /// A pause of ours.
    By(Pause),
    /// Anything else, which counts as well.
    Foreign,
}

impl Paused {
    fn parse(value: &[u8]) -> Self {
        serde_json::from_slice(value).map_or(Self::Foreign, Self::By)
    }

    /// For machines: the pause, if it is one of ours.
    pub(crate) fn json(&self) -> serde_json::Value {
        match self {
            Self::By(pause) => serde_json::json!(pause),
            Self::Foreign => serde_json::Value::Null,
        }
    }
}

impl fmt::Display for Paused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(pause) => {
                write!(
                    f,
                    "paused by {} on {} at {}: {}",
                    one_line(&pause.by),
                    one_line(&pause.host),
                    show_time(pause.at),
                    one_line(&pause.reason)
                )
            }
            Self::Foreign => {
                f.write_str("paused; the value of the switch does not say by whom or why")
            }
        }
    }
}

/// The switch of one prefix.
#[derive(Clone, Debug)]
pub struct Switch {
    /// The prefix.
    pub prefix: String,
    key: String,
}

impl Switch {
    /// The switch of `prefix`.
    #[must_use]
    pub fn of(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            key: Keys::new(prefix).switch(),
        }
    }

    /// Appends the command that looks at the switch; its reply is for [`Switch::read`].
    pub fn push_look(&self, batch: &mut Batch) {
        batch.push(&[b"GET", self.key.as_bytes()]);
    }

    /// Reads the reply to a look: none if publishing is switched on.
    ///
    /// # Errors
    /// When the store failed.
    pub fn read(reply: Reply) -> Result<Option<Paused>, StoreError> {
        match reply {
            Reply::Nil => Ok(None),
            Reply::Bulk(value) => Ok(Some(Paused::parse(&value))),
            Reply::Error { code, .. } if code == "WRONGTYPE" => Ok(Some(Paused::Foreign)),
            other => other.fail("looking at the switch"),
        }
    }

    /// Looks, in a round trip of its own.
    ///
    /// # Errors
    /// When the store fails.
    pub fn look(&self, session: &mut Session) -> Result<Option<Paused>, StoreError> {
        let mut batch = Batch::default();
        self.push_look(&mut batch);
        let reply = session.run(&batch, "looking at the switch")?.pop();
        Self::read(reply.unwrap_or(Reply::Nil))
    }

    /// Switches publishing off, unless it is off already: then that stays, and is returned.
    /// What is there already may be this pause, whose reply was lost.
    ///
    /// # Errors
    /// When the store fails.
    pub fn pause(
        &self,
        session: &mut Session,
        pause: &Pause,
    ) -> Result<Option<Paused>, StoreError> {
        let doing = "switching off";
        let value = serde_json::to_vec(pause).unwrap_or_default();
        let turned = self.turn(session, &[b"pause", &value], doing)?;
        let is_ours = turned.done || turned.found == value;
        Ok((!is_ours).then(|| Paused::parse(&turned.found)))
    }

    /// Switches publishing on again.
    ///
    /// # Errors
    /// When the store fails.
    pub fn resume(&self, session: &mut Session) -> Result<ResumeOutcome, StoreError> {
        let turned = self.turn(session, &[b"resume"], "switching on")?;
        Ok(match (turned.done, turned.resent) {
            (true, _) => ResumeOutcome::Done(Some(Paused::parse(&turned.found))),
            // Asked a second time, because the first answer was lost: that one had done it.
            (false, true) => ResumeOutcome::Done(None),
            (false, false) => ResumeOutcome::WasOn,
        })
    }

    fn turn(
        &self,
        session: &mut Session,
        arguments: &[&[u8]],
        doing: &str,
    ) -> Result<SwitchReply, StoreError> {
        let mut batch = Batch::default();
        batch.script(Script::Switch, self.key.as_bytes(), arguments);
        let answer = session.run_or(&batch, &|| batch.clone(), doing)?;
        match answer.replies.into_iter().next() {
            Some(Reply::Array(parts)) => match parts.as_slice() {
                [Reply::Bulk(word), Reply::Bulk(found)] => Ok(SwitchReply {
                    done: word == b"done",
                    found: found.clone(),
                    resent: answer.resent,
                }),
                _ => Reply::Array(parts).fail(doing),
            },
            other => other.unwrap_or(Reply::Nil).fail(doing),
        }
    }
}

/// What came of switching on.
#[derive(Debug)]
pub enum ResumeOutcome {
    /// It is switched on again; what had stood there, if its answer came.
    Done(Option<Paused>),
    /// Nothing had stood there.
    WasOn,
}

/// What the script answered.
struct SwitchReply {
    done: bool,
    found: Vec<u8>,
    resent: bool,
}
