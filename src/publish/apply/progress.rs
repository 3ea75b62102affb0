//! How far a run came: what is counted, reported and recorded of each key.

use super::article_tally::ArticleTally;
use crate::publish::manifest::{Action, Counts, Fate, KeyOutcome, Line};
use crate::publish::reason::Reason;

/// What became of one key.
#[derive(Debug)]
pub struct KeyReport<'a> {
    /// The key.
    pub key: &'a str,
    /// What was to be done; none where the key needed no write.
    pub action: Option<Action>,
    /// Why, where it was written.
    pub reason: Option<Reason>,
    /// Whether it is of an archive object, and not of an article; told of what was written.
    pub of_archive: bool,
    /// What became of it.
    pub fate: Fate,
    /// Its absolute expiry now, ms since 1970, where it was written and has one.
    pub expires_at_ms: Option<i64>,
}

/// How far a run came.
#[derive(Debug, Default)]
pub struct Progress {
    /// What was acknowledged.
    pub counts: Counts,
    /// The same by articles.
    pub articles: ArticleTally,
    /// Whether a write may have reached the store.
    pub touched: bool,
    /// Outcomes that the manifest does not hold yet.
    pub outcomes: Vec<Line>,
    /// Groups with a key that expired before it was refreshed. Nothing of these keys is counted,
    /// reported or recorded yet.
    pub ran_out: Vec<RanOut>,
}

/// A group of which a key expired before it was refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RanOut {
    /// The number of the group, in the order in which the groups came.
    pub group: usize,
    /// Its steps that were not carried out.
    pub steps: Steps,
}

/// Some of the steps of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps(u32);

impl Steps {
    /// All of them: without the first, none is carried out.
    pub const ALL: Self = Self(u32::MAX);

    /// The step at `place`; of the first, all.
    #[must_use]
    pub fn from(place: usize) -> Self {
        match u32::try_from(place) {
            Ok(place @ 1..32) => Self(1 << place),
            _ => Self::ALL,
        }
    }

    /// These and `others`.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether there is any.
    #[must_use]
    pub fn is_any(self) -> bool {
        self.0 != 0
    }

    /// Whether the step at `place` is one of them.
    #[must_use]
    pub fn has(self, place: usize) -> bool {
        place < 32 && self.0 >> place & 1 == 1
    }
}

/// Counts, reports and records a key that was not written: the way back passes it over.
pub fn leave(
    progress: &mut Progress,
    on_key: &mut dyn FnMut(&KeyReport<'_>),
    key: &str,
    action: Option<Action>,
    fate: Fate,
) {
    progress.outcomes.push(Line::Outcome(KeyOutcome {
        key: key.to_owned(),
        fate,
    }));
    tell(progress, on_key, key, action, fate);
}

/// Counts and reports a key that a dry run would write.
pub(crate) fn foretell(
    progress: &mut Progress,
    on_key: &mut dyn FnMut(&KeyReport<'_>),
    key: &str,
    (action, reason, of_archive): (Action, Option<Reason>, bool),
) {
    progress.counts.add(action, 0);
    on_key(&KeyReport {
        key,
        action: Some(action),
        reason,
        of_archive,
        fate: Fate::Written,
        expires_at_ms: None,
    });
}

/// Counts and reports a key that was not written.
pub(crate) fn tell(
    progress: &mut Progress,
    on_key: &mut dyn FnMut(&KeyReport<'_>),
    key: &str,
    action: Option<Action>,
    fate: Fate,
) {
    match fate {
        Fate::Written => {}
        Fate::Conflict => progress.counts.conflicts += 1,
        Fate::Expired => progress.counts.expired += 1,
        Fate::Withheld => progress.counts.withheld += 1,
        Fate::Already => progress.counts.kept += 1,
    }
    on_key(&KeyReport {
        key,
        action,
        reason: None,
        of_archive: false,
        fate,
        expires_at_ms: None,
    });
}
