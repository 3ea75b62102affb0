//! What is wanted of one key, and what that means in the state in which the key is found.
//!
//! Pure decisions, no I/O: the promises on conflicts and on the way back are kept here.
//!
//! - A foreign state is kept, counted and reported, never overwritten.
//! - Rollback (`Want::Back`): a key in the state that the run made goes back to its prior
//!   one, or away if there was none or its expiry has passed. A key in its prior state is
//!   back already, and so is an absent one that had been absent or would have expired by
//!   now. An absent key comes back if the run itself removed it, or if it is absent because
//!   the expiry that the run gave it has passed. Anything else was changed by somebody since
//!   then: kept and reported. A run whose shards were started again may have made several states
//!   (`Intent::also`): each of them counts.
//! - A refresh records, compares and restores the expiry alone. Where it brings the expiry
//!   forward it records the value too: the key may expire at the new time, and rollback then
//!   owes it until the old one. Rollback keeps the value that it found at hand, in case the key
//!   expires before its old expiry is back.
//! - A key that expired before the run could refresh it has run out ([`Decision::RanOut`]): the run
//!   creates it again in a further pass.

use crate::publish::manifest::{Action, Fate, Intent, Snapshot};
use crate::publish::reason::Reason;
use crate::publish::state::{Content, KeyState, Present, same_expiry};

/// What is wanted of a key.
#[derive(Debug)]
pub enum Want {
    /// Hold these bytes until then.
    Put {
        /// The string value.
        content: Vec<u8>,
        /// The state it will be in.
        made: Present,
        /// Whether the plan found the key absent: it is then created without a look.
        create: bool,
    },
    /// Expire at another time.
    Refresh {
        /// The new expiry, ms since 1970.
        to_ms: i64,
        /// The expiry that the plan found.
        seen_ms: Option<i64>,
    },
    /// Be gone.
    Remove,
    /// Be as it was before this intent.
    Back {
        /// The intent to be undone.
        undone: Box<Intent>,
        /// How far the expiry of a key may have moved by itself, in ms.
        slack_ms: i64,
    },
}

/// One key and what is wanted of it.
#[derive(Debug)]
pub struct Step {
    /// The key.
    pub key: String,
    /// What is wanted.
    pub want: Want,
    /// Why.
    pub reason: Option<Reason>,
    /// Whether the key is of an archive object, and not of an article.
    pub of_archive: bool,
    /// About how many bytes the key holds now: batches are bounded by it.
    pub prior_bytes: usize,
}

/// How a step is carried out, in the state the key was found in.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Write: first the intent, then the command.
    Write(Box<Intent>, Box<CompareAndSet>),
    /// Leave the key as it is.
    Leave(Fate),
    /// The key was to be refreshed, and expired before that.
    RanOut,
}

/// A compare-and-set, ready to be sent once its intent is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompareAndSet {
    /// Only if there is no such key.
    Create {
        /// The value.
        content: Vec<u8>,
        /// The state it will be in.
        made: Present,
    },
    /// Only from the prior state.
    Put {
        /// The state it must be in; none: no such key.
        prior: Option<Present>,
        /// The state it will be in.
        made: Present,
        /// The value or DUMP.
        content: Content,
    },
    /// Only while it expires at `from_ms`.
    Expire {
        /// The expiry it must have.
        from_ms: Option<i64>,
        /// The expiry it will have.
        to_ms: Option<i64>,
        /// The state to make, and its bytes, where the key expires before it is sent; none where
        /// it is not made again.
        lost: Option<Box<(Present, Content)>>,
    },
    /// Only from the prior state.
    Remove {
        /// The state it must be in.
        prior: Present,
    },
}

/// How a key is looked at before the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Not at all: NX decides.
    None,
    /// Its expiry alone.
    Expiry,
    /// Its whole state.
    Whole,
}

/// As much of the state of a key as was read before the decision.
#[derive(Debug)]
pub enum CurrentState {
    /// Nothing was read.
    Unread,
    /// The key exists, and expires then, or never.
    Expiry(Option<i64>),
    /// The whole state; that a key is absent is always told here.
    Whole(KeyState),
}

impl Want {
    /// What must be known of the key to decide.
    #[must_use]
    pub fn look(&self) -> Look {
        match self {
            Self::Put { create: true, .. } => Look::None,
            Self::Refresh { to_ms, seen_ms } if seen_ms.is_some_and(|at| at <= *to_ms) => {
                Look::Expiry
            }
            _ => Look::Whole,
        }
    }

    /// Bytes that this step sends.
    #[must_use]
    pub fn sent_bytes(&self) -> usize {
        match self {
            Self::Put { content, .. } => content.len(),
            Self::Back { undone, .. } => undone
                .prior
                .as_ref()
                .and_then(|prior| prior.bytes)
                .map_or(0, |bytes| bytes as usize),
            Self::Refresh { .. } | Self::Remove => 0,
        }
    }
}

/// Decides what `step` means for a key found as `looked`; `now_ms` is the server's clock after that.
///
/// # Errors
/// When the intent to be undone contradicts itself.
pub fn decide(step: Step, looked: CurrentState, now_ms: i64) -> Result<Decision, String> {
    let key = step.key;
    Ok(match (step.want, looked) {
        (Want::Put { made, .. }, _) if made.expires_at_ms.is_some_and(|at| at <= now_ms) => {
            Decision::Leave(Fate::Expired)
        }
        (Want::Put { content, made, .. }, CurrentState::Whole(KeyState::Present(prior, old))) => {
            replace(key, prior, old, made, Content::Value(content))
        }
        (Want::Put { .. }, CurrentState::Whole(KeyState::TooLarge)) => {
            Decision::Leave(Fate::Conflict)
        }
        (Want::Put { content, made, .. }, _) => {
            let intent = Intent::new(
                key,
                Action::Create,
                None,
                Some(Snapshot::of(&made, content.len())),
            );
            Decision::Write(
                Box::new(intent),
                Box::new(CompareAndSet::Create { content, made }),
            )
        }
        (Want::Refresh { to_ms, seen_ms }, looked) => refresh(key, to_ms, seen_ms, looked, now_ms),
        (Want::Remove, CurrentState::Whole(KeyState::Present(prior, old))) => {
            remove(key, prior, old)
        }
        (Want::Remove, CurrentState::Whole(KeyState::Absent)) => Decision::Leave(Fate::Already),
        (Want::Back { undone, slack_ms }, CurrentState::Whole(found)) => {
            back(*undone, found, now_ms, slack_ms)?
        }
        (Want::Remove | Want::Back { .. }, _) => Decision::Leave(Fate::Conflict),
    })
}

fn replace(key: String, prior: Present, old: Content, made: Present, new: Content) -> Decision {
    let intent = Intent::new(
        key,
        Action::Update,
        Some(Snapshot::whole(&prior, old)),
        Some(Snapshot::of(&made, new.bytes().len())),
    );
    let command = CompareAndSet::Put {
        prior: Some(prior),
        made,
        content: new,
    };
    Decision::Write(Box::new(intent), Box::new(command))
}

fn remove(key: String, prior: Present, old: Content) -> Decision {
    let intent = Intent::new(
        key,
        Action::Remove,
        Some(Snapshot::whole(&prior, old)),
        None,
    );
    Decision::Write(Box::new(intent), Box::new(CompareAndSet::Remove { prior }))
}

fn refresh(
    key: String,
    to_ms: i64,
    seen_ms: Option<i64>,
    looked: CurrentState,
    now_ms: i64,
) -> Decision {
    let prior = match looked {
        // Somebody prolonged it since the plan: bringing that forward would need the value.
        CurrentState::Expiry(at) if at.is_none_or(|at| at > to_ms) => {
            return Decision::Leave(Fate::Conflict);
        }
        CurrentState::Expiry(at) => Snapshot::expiry(at),
        CurrentState::Whole(KeyState::Present(present, content)) => {
            Snapshot::whole(&present, content)
        }
        CurrentState::Whole(KeyState::TooLarge) => return Decision::Leave(Fate::Conflict),
        CurrentState::Whole(KeyState::Absent) | CurrentState::Unread => {
            return if seen_ms.is_some_and(|at| at <= now_ms) {
                Decision::RanOut
            } else {
                Decision::Leave(Fate::Conflict)
            };
        }
    };
    if to_ms <= now_ms {
        return Decision::Leave(Fate::Expired);
    }
    move_expiry(key, prior, Some(to_ms), None)
}

fn move_expiry(
    key: String,
    prior: Snapshot,
    to_ms: Option<i64>,
    lost: Option<Box<(Present, Content)>>,
) -> Decision {
    let command = CompareAndSet::Expire {
        from_ms: prior.expires_at,
        to_ms,
        lost,
    };
    let intent = Intent::new(
        key,
        Action::Refresh,
        Some(prior),
        Some(Snapshot::expiry(to_ms)),
    );
    Decision::Write(Box::new(intent), Box::new(command))
}

/// Puts a key back to what it was before `undone`.
fn back(undone: Intent, found: KeyState, now_ms: i64, slack_ms: i64) -> Result<Decision, String> {
    let expired = |snapshot: &Option<Snapshot>| {
        let at = snapshot.as_ref().and_then(Snapshot::gone_at_ms);
        at.is_some_and(|at| at <= now_ms)
    };
    let owes_nothing = undone.prior.is_none() || expired(&undone.prior);
    let made_ran_out = expired(&undone.made) || undone.also.iter().any(expired);
    let is_refresh = undone.action == Action::Refresh;
    match found {
        KeyState::TooLarge => Ok(Decision::Leave(Fate::Conflict)),
        KeyState::Absent => {
            let removed_by_run = undone.made.is_none() || undone.also.contains(&None);
            if owes_nothing {
                Ok(Decision::Leave(Fate::Already))
            } else if removed_by_run || made_ran_out {
                restore(undone, None)
            } else {
                Ok(Decision::Leave(Fate::Conflict))
            }
        }
        KeyState::Present(current, bytes) => {
            let is_expiry = |snapshot: &Option<Snapshot>| {
                let recorded = snapshot.as_ref().map(|snapshot| snapshot.expires_at);
                recorded.is_some_and(|at| same_expiry(at, current.expires_at_ms, slack_ms))
            };
            let is_state = |recorded: Option<Present>| {
                recorded
                    .is_some_and(|recorded| recorded.is_value(&current, &bytes, slack_ms, now_ms))
            };
            let (is_made, is_prior) = if is_refresh {
                let is_also = undone.also.iter().any(is_expiry);
                (is_also || is_expiry(&undone.made), is_expiry(&undone.prior))
            } else {
                (
                    is_state(undone.made_present()?)
                        || undone.is_also(&current, slack_ms, now_ms)?,
                    is_state(undone.prior_present()?),
                )
            };
            if is_made && owes_nothing {
                Ok(remove(undone.key, current, bytes))
            } else if is_made && is_refresh {
                let to_ms = undone.prior.and_then(|prior| prior.expires_at);
                let owed = Present {
                    expires_at_ms: to_ms,
                    ..current.clone()
                };
                // Brought forward, it may expire before it is sent.
                let runs_out = current
                    .expires_at_ms
                    .is_some_and(|at| to_ms.is_none_or(|to| at < to));
                let lost = runs_out.then(|| Box::new((owed, bytes.clone())));
                let prior = Snapshot::whole(&current, bytes);
                Ok(move_expiry(undone.key, prior, to_ms, lost))
            } else if is_made {
                restore(undone, Some((current, bytes)))
            } else if is_prior {
                Ok(Decision::Leave(Fate::Already))
            } else {
                Ok(Decision::Leave(Fate::Conflict))
            }
        }
    }
}

/// Brings the prior value back over the `current` one. Without recorded bytes (a refresh that only
/// prolonged) there is nothing to bring back: kept absent and reported.
fn restore(undone: Intent, current: Option<(Present, Content)>) -> Result<Decision, String> {
    let Some(prior) = undone.prior else {
        return Ok(Decision::Leave(Fate::Already));
    };
    let (Some(made), Some(content)) = (prior.present()?, prior.content()?) else {
        return Ok(Decision::Leave(Fate::Conflict));
    };
    if let Some((present, old)) = current {
        return Ok(replace(undone.key, present, old, made, content));
    }
    let intent = Intent::new(
        undone.key,
        Action::Create,
        None,
        Some(Snapshot::of(&made, content.bytes().len())),
    );
    let command = CompareAndSet::Put {
        prior: None,
        made,
        content,
    };
    Ok(Decision::Write(Box::new(intent), Box::new(command)))
}
