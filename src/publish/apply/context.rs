//! What belongs to every run that writes, and which way it goes.

use std::sync::atomic::{AtomicBool, Ordering};

use super::encode::Way;
use super::pace::{BATCH_KEYS, Pace};
use super::stop::Stop;
use crate::publish::manifest::Writer;
use crate::publish::run::lease::Lease;
use crate::publish::run::switch::Switch;
use crate::store::{Copies, Session};
use crate::time_limit::TimeLimit;

/// What belongs to every run.
pub struct RunContext<'a> {
    /// The store.
    pub session: &'a mut Session,
    /// The record and the right to write; none in a dry run, which stops before its first write.
    pub record: Option<RunRecord<'a>>,
    /// Set when somebody asks the run to end: it stops before its next batch.
    pub interrupted: &'a AtomicBool,
    /// How far the expiry of a key may have moved by itself, in ms.
    pub slack_ms: i64,
}

/// What a run must have before it writes.
pub struct RunRecord<'a> {
    /// The manifest.
    pub manifest: &'a mut Writer,
    /// The right to write.
    pub lease: &'a Lease,
}

impl RunContext<'_> {
    /// # Errors
    /// When somebody asked the run to end.
    pub(crate) fn goes_on(&self) -> Result<(), Stop> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Stop::Interrupted);
        }
        Ok(())
    }
}

/// Which way a run goes.
pub enum Direction<'a> {
    /// It publishes, and may be stopped or slowed down by these.
    Forward(Guards<'a>),
    /// It undoes. The way back is always open.
    Back,
}

/// What stops or slows down a run that publishes.
pub struct Guards<'a> {
    /// Ends a run that takes too long before its next batch.
    pub time_limit: Option<TimeLimit>,
    /// The switch that stops the run before its next batch.
    pub switch: Option<&'a Switch>,
    /// How fast it writes.
    pub pace: Pace,
    /// What has to reach replicas before it counts.
    pub copies: Option<Copies>,
}

impl Direction<'_> {
    /// What the commands of the store are told.
    pub(crate) fn way(&self) -> Way {
        match self {
            Self::Forward(_) => Way::Forth,
            Self::Back => Way::Back,
        }
    }

    /// The switch to look at before each batch.
    pub(crate) fn switch(&self) -> Option<&Switch> {
        match self {
            Self::Forward(guards) => guards.switch,
            Self::Back => None,
        }
    }

    /// What has to reach replicas.
    pub(crate) fn copies(&self) -> Option<Copies> {
        match self {
            Self::Forward(guards) => guards.copies,
            Self::Back => None,
        }
    }

    /// How many keys the next batch may have.
    pub(crate) fn batch_keys(&self) -> usize {
        match self {
            Self::Forward(guards) => guards.pace.batch_keys(),
            Self::Back => BATCH_KEYS,
        }
    }

    /// # Errors
    /// When a run that publishes takes too long.
    pub(crate) fn in_time(&self) -> Result<(), Stop> {
        match self {
            Self::Forward(guards) => Ok(guards.time_limit.map_or(Ok(()), |limit| limit.check())?),
            Self::Back => Ok(()),
        }
    }
}
