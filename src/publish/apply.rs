//! Carrying steps out, in order, in bounded batches:
//!
//! 1. Look at the keys of the batch, and decide each step.
//! 2. Write the intents to the manifest and sync them.
//! 3. Send the writes, and look at every reply.
//! 4. Send the writes that had to wait for another (the meta of a page).
//!
//! The round trip before the writes of a batch renews the lease, asks for the time, looks at
//! the switch, and looks at the keys of the *next* batch. So while the server writes, a thread
//! encodes the intents of the next one: they are synced once the writes are answered,
//! and no key is written before its own intent is durable. What somebody changes between a
//! look and the write, the compare-and-set refuses, however long that is; no key comes twice in
//! a run, so no look misses a write of our own.
//!
//! Nothing is retried past a failed sync, a lost lease or a refused write: the run stops,
//! and what it did is in the manifest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::ahead::{Encoding, ahead};
use super::encode::{Way, push_put};
use super::lease::Lease;
use super::manifest::{Action, Fate, Frames, Line, Snapshot, Writer};
use super::pace::Pace;
use super::progress::{KeyReport, Progress, leave, tell};
use super::state::State;
use super::step::{Command, Decision, Looked, Step, decide};
use super::stop::Stop;
use super::switch::Switch;
use super::time_limit::TimeLimit;
use crate::failpoint;
use crate::store::{Batch, Copies, Replies, Reply, Session};

/// A batch is closed at so many bytes, sent and recorded, or at the keys of its pace.
pub(super) const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Steps that belong together: each one after the first is only sent when the first was
/// written, so that a meta object never describes a page that is not there.
pub type Group = Vec<Step>;

/// What a run needs to write.
pub struct Apply<'a> {
    /// The store.
    pub session: &'a mut Session,
    /// The record of the run.
    pub manifest: &'a mut Writer,
    /// The right to write.
    pub lease: &'a Lease,
    /// Forth, or back.
    pub way: Way,
    /// Set when somebody asks the run to end: it stops before its next batch.
    pub interrupted: &'a AtomicBool,
    /// Ends a run that takes too long before its next batch; none for the way back.
    pub time_limit: Option<TimeLimit>,
    /// The switch that stops the run before its next batch; none on the way back, which is
    /// always open.
    pub switch: Option<&'a Switch>,
    /// How fast it writes.
    pub pace: Pace,
    /// What has to reach replicas before it counts; none on the way back, which is always open.
    pub copies: Option<Copies>,
    /// How far the expiry of a key may have moved by itself, in ms.
    pub slack_ms: i64,
    /// Whether intents tell when a key was found absent: those of a shard that was started again.
    pub dates_absence: bool,
}

/// A write whose intent is recorded first.
struct Pending {
    key: String,
    action: Action,
    made: Option<Snapshot>,
    command: Command,
    after_first: bool,
}

/// A batch that was looked at.
#[derive(Default)]
struct Decided {
    /// Its steps, those that are left alone included.
    keys: usize,
    /// Its writes, by group.
    pending: Vec<Vec<Pending>>,
    /// Outcomes of earlier batches, then its intents: to be made durable before its writes.
    lines: Vec<Line>,
    /// How many of the lines are outcomes.
    outcomes: usize,
    /// The server's clock then, ms since 1970.
    looked_at_ms: i64,
}

impl Pending {
    /// Whether what it would make has expired by now: a SET would answer OK and make nothing.
    fn ran_out(&self, now_ms: i64) -> bool {
        // The scripts look at the clock themselves.
        let Command::Create { made, .. } = &self.command else {
            return false;
        };
        made.expires_at_ms.is_some_and(|at| at <= now_ms)
    }
}

/// About how many bytes a group sends and records.
pub(super) fn bytes_of(group: &Group) -> usize {
    group
        .iter()
        .map(|step| step.want.sent_bytes().saturating_add(step.prior_bytes))
        .fold(0, usize::saturating_add)
}

impl Apply<'_> {
    /// Carries out `groups`, and reports every key. `progress` tells how far it came, also
    /// when it stops. No key may come twice.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn run(
        &mut self,
        groups: impl Iterator<Item = Result<Group, Stop>> + Send,
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
    ) -> Result<(), Stop> {
        std::thread::scope(|scope| {
            let mut groups = ahead(scope, groups)?;
            let encoder = Encoding::start(scope)?;
            let first = self.take(&mut groups)?;
            if first.is_empty() {
                return Ok(());
            }
            let mut batch = self.decide(first, progress, on_key)?;
            encoder.begin(std::mem::take(&mut batch.lines));
            while batch.keys > 0 {
                let started = Instant::now();
                let intents = encoder.end().map_err(Stop::Manifest)?;
                self.record(&intents, batch.outcomes, progress)?;
                // What cannot be read ends the run behind this batch, not in it.
                let (next, unread) = match self.take(&mut groups) {
                    Ok(next) => (next, None),
                    Err(stop) => (Vec::new(), Some(stop)),
                };
                let mut next = self.decide(next, progress, on_key)?;
                encoder.begin(std::mem::take(&mut next.lines));
                self.write(batch.pending, next.looked_at_ms, progress, on_key)?;
                if let Some(stop) = unread {
                    return Err(stop);
                }
                if next.keys > 0 {
                    self.pace
                        .wrote(batch.keys, started.elapsed(), self.interrupted);
                }
                batch = next;
            }
            Ok(())
        })
    }

    /// The next batch; nothing at the end.
    fn take(
        &self,
        groups: &mut impl Iterator<Item = Result<Group, Stop>>,
    ) -> Result<Vec<Group>, Stop> {
        let mut batch = Vec::new();
        let (mut keys, mut bytes) = (0, 0_usize);
        while keys < self.pace.batch_keys() && bytes < BATCH_BYTES {
            let Some(group) = groups.next().transpose()? else {
                break;
            };
            keys += group.len();
            bytes = bytes.saturating_add(bytes_of(&group));
            batch.push(group);
        }
        Ok(batch)
    }

    /// Looks at the keys of a batch and decides each step. Without keys, the lease and the
    /// switch are looked at all the same.
    fn decide(
        &mut self,
        groups: Vec<Group>,
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
    ) -> Result<Decided, Stop> {
        let (looked, now_ms) = self.look(&groups)?;
        let mut looked = looked.into_iter();
        let mut batch = Decided {
            looked_at_ms: now_ms,
            ..Decided::default()
        };
        let mut intents = Vec::new();
        for group in groups {
            batch.keys += group.len();
            let mut members = Vec::with_capacity(group.len());
            let mut first_left = false;
            for (index, step) in group.into_iter().enumerate() {
                let look = looked.next().unwrap_or(Looked::Not);
                let key = step.key.clone();
                let decision = decide(step, look, now_ms).map_err(Stop::Undone)?;
                match decision {
                    Decision::Leave(fate) => {
                        first_left |= index == 0 && fate != Fate::Already;
                        leave(progress, on_key, &key, None, fate);
                    }
                    Decision::Write(_, _) if index > 0 && first_left => {
                        leave(progress, on_key, &key, None, Fate::Withheld);
                    }
                    Decision::Write(mut intent, command) => {
                        if self.dates_absence && intent.prior.is_none() {
                            intent.absent_at = Some(now_ms);
                        }
                        members.push(Pending {
                            key,
                            action: intent.action,
                            made: intent.made.clone(),
                            command,
                            after_first: index > 0,
                        });
                        intents.push(Line::Intent(*intent));
                    }
                }
            }
            batch.pending.push(members);
        }
        batch.lines.clone_from(&progress.outcomes);
        batch.outcomes = batch.lines.len();
        batch.lines.append(&mut intents);
        Ok(batch)
    }

    /// Makes the intents of a batch durable. Only then may their keys be written.
    fn record(
        &mut self,
        intents: &Frames,
        outcomes: usize,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Stop::Interrupted);
        }
        if let Some(limit) = &self.time_limit {
            limit.check()?;
        }
        self.manifest
            .append_frames(intents)
            .map_err(Stop::Manifest)?;
        progress.outcomes.drain(..outcomes);
        Ok(())
    }

    fn write(
        &mut self,
        groups: Vec<Vec<Pending>>,
        now_ms: i64,
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
    ) -> Result<(), Stop> {
        let mut firsts = Vec::new();
        let mut seconds = Vec::new();
        for (group, members) in groups.into_iter().enumerate() {
            for pending in members {
                if pending.ran_out(now_ms) {
                    let action = Some(pending.action);
                    leave(progress, on_key, &pending.key, action, Fate::Expired);
                    continue;
                }
                let wave = if pending.after_first {
                    &mut seconds
                } else {
                    &mut firsts
                };
                wave.push((group, pending));
            }
        }
        let mut refused = std::collections::HashSet::new();
        failpoint::enter("first");
        self.wave(&firsts, progress, on_key, &mut |group| {
            refused.insert(group);
        })?;
        let (withheld, seconds): (Vec<_>, Vec<_>) = seconds
            .into_iter()
            .partition(|(group, _)| refused.contains(group));
        for (_, pending) in &withheld {
            let action = Some(pending.action);
            leave(progress, on_key, &pending.key, action, Fate::Withheld);
        }
        failpoint::enter("second");
        self.wave(&seconds, progress, on_key, &mut |_| {})
    }

    fn wave(
        &mut self,
        wave: &[(usize, Pending)],
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
        on_refused: &mut dyn FnMut(usize),
    ) -> Result<(), Stop> {
        if wave.is_empty() {
            return Ok(());
        }
        let doing = "writing";
        let encode = |way: Way| {
            let mut batch = Batch::default();
            for (_, pending) in wave {
                let key = &pending.key;
                pending.command.encode(&mut batch, key, way, self.slack_ms);
            }
            batch
        };
        let batch = encode(self.way);
        let again = || encode(self.way.again());
        let sent = self.session.run_or(&batch, &again, doing);
        let Replies {
            mut replies,
            mut resent,
        } = sent.inspect_err(|_| {
            // Without its replies it is unknown which of them ran.
            progress.touched = true;
        })?;
        // What was sent a first time may have run, whatever the second answer is.
        progress.touched |= resent
            || replies
                .iter()
                .any(|reply| !matches!(reply, Reply::Nil | Reply::Error { .. }));
        // What fails there hides no reply that is here already.
        let asked = self.ask_again(wave, &mut replies);
        resent |= *asked.as_ref().unwrap_or(&false);
        let mut failure = asked.err();
        if let Some(copies) = self.copies {
            // What too few of them have counts as not written; its intent is recorded.
            self.session.wait_for_replicas(copies, resent)?;
        }
        for ((group, pending), reply) in wave.iter().zip(replies) {
            let Pending {
                key, action, made, ..
            } = pending;
            let fate = match reply.text() {
                Some("OK" | "written" | "made") => Fate::Written,
                Some("expired") => Fate::Expired,
                Some("conflict") => Fate::Conflict,
                _ if reply == Reply::Nil => continue,
                _ => {
                    let error = reply.fail::<()>(doing).err();
                    failure = failure.or(error.map(Stop::Store));
                    continue;
                }
            };
            if fate == Fate::Written {
                progress.touched = true; // also by a write of ours whose reply was lost
                let bytes = made.as_ref().and_then(|made| made.bytes);
                progress.counts.add(*action, bytes.unwrap_or(0));
                on_key(&KeyReport {
                    key,
                    action: Some(*action),
                    fate,
                    expires_at_ms: made.as_ref().and_then(|made| made.expires_at),
                });
            } else {
                on_refused(*group);
                if resent {
                    // It may have been written, and changed by somebody before it was sent
                    // again: the way back has to look at it.
                    tell(progress, on_key, key, Some(*action), fate);
                } else {
                    leave(progress, on_key, key, Some(*action), fate);
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Asks again where NX was refused, as a compare-and-set from absent: it tells our own
    /// write whose reply was lost (the state is the one to be made) from somebody else's.
    /// Returns whether these questions were sent again.
    fn ask_again(
        &mut self,
        wave: &[(usize, Pending)],
        replies: &mut [Reply],
    ) -> Result<bool, Stop> {
        let mut batch = Batch::default();
        let mut asked = Vec::new();
        for (index, (_, pending)) in wave.iter().enumerate() {
            if let (Command::Create { content, made }, Reply::Nil) =
                (&pending.command, &replies[index])
            {
                let prior = State::Absent;
                let states = (&prior, made, &**content);
                push_put(&mut batch, &pending.key, states, self.way, self.slack_ms);
                asked.push(index);
            }
        }
        if batch.is_empty() {
            return Ok(false);
        }
        let doing = "asking about keys that existed already";
        let answers = self.session.run_or(&batch, &|| batch.clone(), doing)?;
        for (index, answer) in asked.into_iter().zip(answers.replies) {
            replies[index] = answer;
        }
        Ok(answers.resent)
    }
}
