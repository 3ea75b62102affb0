//! Carrying steps out, in order, in bounded batches:
//!
//! 1. Look at the keys of the batch, and decide each step. What would be too much to hold is put
//!    back for the next batch.
//! 2. Write the intents to the manifest and sync them.
//! 3. Send the writes, and look at every reply.
//! 4. Send the writes that had to wait for another (the meta and the text of a page).
//!
//! The round trip before the writes of a batch renews the lease, asks for the time, looks at
//! the switch, and looks at the keys of the *next* batch. So while the server writes, a thread
//! encodes the intents of the next one: they are synced once the writes are answered,
//! and no key is written before its own intent is durable. What somebody changes between a
//! look and the write, the compare-and-set refuses, however long that is; no key comes twice in
//! one call of [`Apply::run`], so no look misses a write of our own.
//!
//! A key that was to be refreshed and expired before that is left out, and the caller is told
//! ([`Progress::ran_out`]). It may come a second time, in a further call with [`Apply::again`]: its
//! intent says so, and only the later of two intents counts, since the earlier had no effect. So
//! no outcome is recorded for the earlier one.
//!
//! Nothing is retried past a failed sync, a lost lease or a refused write: the run stops,
//! and what it did is in the manifest.

pub mod article_tally;
pub(crate) mod batch;
pub(crate) mod context;
pub mod encode;
pub mod pace;
mod prefetch;
pub mod progress;
mod read_current;
pub mod step;
pub mod stop;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use batch::{BATCH_BYTES, NumberedGroup, bytes_of};
use encode::{Way, encode, push_put};
use prefetch::{Encoding, ahead};
use progress::{KeyReport, Progress, RanOut, Steps, foretell, leave, tell};
use read_current::Sight;
use step::{CompareAndSet, CurrentState, Decision, Want, decide};
use stop::Stop;

use super::manifest::{Action, Fate, Frames, Line, Snapshot};
use super::reason::Reason;
use crate::failpoint;
use crate::store::{Batch, Replies, Reply, wait_for_replicas};

pub use batch::Group;
pub use context::{Direction, Guards, RunContext, RunRecord};

/// Carries steps out.
pub struct Apply<'a> {
    /// What belongs to every run.
    pub context: RunContext<'a>,
    /// Forward with its guards, or back.
    pub direction: Direction<'a>,
    /// Whether intents tell when a key was found absent: those of a shard that was started again.
    pub dates_absence: bool,
    /// Whether these keys come a second time in the run, since they had expired before.
    pub again: bool,
}

/// The groups that are still to come.
struct Queue<I> {
    groups: I,
    next: usize,
    /// Groups that were taken and put back.
    waiting: VecDeque<NumberedGroup>,
}

impl<I: Iterator<Item = Result<Group, Stop>>> Queue<I> {
    fn new(groups: I) -> Self {
        Self {
            groups,
            next: 0,
            waiting: VecDeque::new(),
        }
    }

    fn take(&mut self) -> Result<Option<NumberedGroup>, Stop> {
        if let Some(group) = self.waiting.pop_front() {
            return Ok(Some(group));
        }
        let Some(group) = self.groups.next().transpose()? else {
            return Ok(None);
        };
        let number = self.next;
        self.next += 1;
        Ok(Some((number, group)))
    }
}

/// A write whose intent is recorded first.
struct PendingWrite {
    key: String,
    action: Action,
    reason: Option<Reason>,
    of_archive: bool,
    made: Option<Snapshot>,
    command: CompareAndSet,
    /// Its place in its group.
    place: usize,
}

/// Why a write of a group was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefusalCause {
    /// It was left as it is.
    Left,
    /// It had expired before it was refreshed.
    RanOut,
}

/// A batch that was looked at.
#[derive(Default)]
struct DecidedBatch {
    /// Its steps, those that are left alone included.
    keys: usize,
    /// Its writes, by group, each with its number.
    pending: Vec<(usize, Vec<PendingWrite>)>,
    /// Outcomes of earlier batches, then its intents: to be made durable before its writes.
    lines: Vec<Line>,
    /// How many of the lines are outcomes.
    outcomes: usize,
    /// The server's clock then, ms since 1970.
    looked_at_ms: i64,
}

impl PendingWrite {
    /// Whether what it would make has expired by now: a SET would answer OK and make nothing.
    fn ran_out(&self, now_ms: i64) -> bool {
        // The scripts look at the clock themselves.
        let CompareAndSet::Create { made, .. } = &self.command else {
            return false;
        };
        made.expires_at_ms.is_some_and(|at| at <= now_ms)
    }

    /// Counts and reports what became of it; `resent`: after it was sent a second time.
    fn settle(
        &self,
        fate: Fate,
        resent: bool,
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
    ) {
        let Self {
            key, action, made, ..
        } = self;
        if fate == Fate::Written {
            progress.touched = true; // also by a write of ours whose reply was lost
            let bytes = made.as_ref().and_then(|made| made.bytes);
            progress.counts.add(*action, bytes.unwrap_or(0));
            if !self.of_archive {
                progress.articles.add(key, *action);
            }
            on_key(&KeyReport {
                key,
                action: Some(*action),
                reason: self.reason,
                of_archive: self.of_archive,
                fate,
                expires_at_ms: made.as_ref().and_then(|made| made.expires_at),
            });
        } else if resent {
            // It may have been written, and changed by somebody before it was sent again: the way
            // back has to look at it.
            tell(progress, on_key, key, Some(*action), fate);
        } else {
            leave(progress, on_key, key, Some(*action), fate);
        }
    }
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
        if self.context.record.is_none() {
            return self.foresee(groups, progress, on_key);
        }
        std::thread::scope(|scope| {
            let mut queue = Queue::new(ahead(scope, groups)?);
            let encoder = Encoding::start(scope)?;
            let first = self.take(&mut queue)?;
            if first.is_empty() {
                return Ok(());
            }
            let mut batch = self.decide(first, &mut queue.waiting, progress, on_key)?;
            encoder.begin(std::mem::take(&mut batch.lines));
            while batch.keys > 0 {
                let started = Instant::now();
                let intents = encoder.end().map_err(Stop::Manifest)?;
                self.record(&intents, batch.outcomes, progress)?;
                // What cannot be read ends the run behind this batch, not in it.
                let (next, unread) = match self.take(&mut queue) {
                    Ok(next) => (next, None),
                    Err(stop) => (Vec::new(), Some(stop)),
                };
                let mut next = self.decide(next, &mut queue.waiting, progress, on_key)?;
                encoder.begin(std::mem::take(&mut next.lines));
                self.write(batch.pending, next.looked_at_ms, progress, on_key)?;
                if let Some(stop) = unread {
                    return Err(stop);
                }
                if next.keys > 0 {
                    self.rest(batch.keys, started.elapsed());
                }
                batch = next;
            }
            Ok(())
        })
    }

    /// The same decisions, and nothing after them: a dry run.
    fn foresee(
        &mut self,
        groups: impl Iterator<Item = Result<Group, Stop>> + Send,
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
    ) -> Result<(), Stop> {
        std::thread::scope(|scope| {
            let mut queue = Queue::new(ahead(scope, groups)?);
            loop {
                self.context.goes_on()?;
                let batch = self.take(&mut queue)?;
                if batch.is_empty() {
                    return Ok(());
                }
                self.decide(batch, &mut queue.waiting, progress, on_key)?;
                // A dry run records nothing, not even the keys that it would skip.
                progress.outcomes.clear();
            }
        })
    }

    /// Waits after a batch of `keys` that took `took`, as long as the pace asks for.
    fn rest(&mut self, keys: usize, took: Duration) {
        if let Direction::Forward(guards) = &mut self.direction {
            guards.pace.wrote(keys, took, self.context.interrupted);
        }
    }

    /// The next batch; nothing at the end.
    fn take(
        &self,
        queue: &mut Queue<impl Iterator<Item = Result<Group, Stop>>>,
    ) -> Result<Vec<NumberedGroup>, Stop> {
        let mut batch = Vec::new();
        let (mut keys, mut bytes) = (0, 0_usize);
        while keys < self.direction.batch_keys() && bytes < BATCH_BYTES {
            let Some((number, group)) = queue.take()? else {
                break;
            };
            keys += group.len();
            bytes = bytes.saturating_add(bytes_of(&group));
            batch.push((number, group));
        }
        Ok(batch)
    }

    /// Looks at the keys of a batch and decides each step. Without keys, the lease and the
    /// switch are looked at all the same. Groups that hold too much to be looked at with the
    /// others go to `waiting`.
    fn decide(
        &mut self,
        mut groups: Vec<NumberedGroup>,
        waiting: &mut VecDeque<NumberedGroup>,
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
    ) -> Result<DecidedBatch, Stop> {
        let Sight {
            groups: seen,
            looked,
            now_ms,
        } = read_current::read_current(&mut self.context, self.direction.switch(), &groups)?;
        for group in groups.drain(seen..).rev() {
            waiting.push_front(group);
        }
        let mut looked = looked.into_iter();
        let mut batch = DecidedBatch {
            looked_at_ms: now_ms,
            ..DecidedBatch::default()
        };
        let mut intents = Vec::new();
        for (number, group) in groups {
            batch.keys += group.len();
            let group = (number, group);
            let found = (looked.by_ref(), now_ms);
            let writes = self.decide_group(group, found, &mut intents, progress, on_key)?;
            batch.pending.push((number, writes));
        }
        batch.lines.clone_from(&progress.outcomes);
        batch.outcomes = batch.lines.len();
        batch.lines.append(&mut intents);
        Ok(batch)
    }

    /// Decides each step of a group by what was found of its keys at `now_ms`. Returns its writes;
    /// their intents go to `intents`.
    fn decide_group(
        &self,
        (number, group): NumberedGroup,
        (looked, now_ms): (impl Iterator<Item = CurrentState>, i64),
        intents: &mut Vec<Line>,
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
    ) -> Result<Vec<PendingWrite>, Stop> {
        // Where expiries may have moved by themselves, so may have the moment of one.
        let clock_ms = now_ms + self.context.slack_ms;
        let mut writes = Vec::with_capacity(group.len());
        let (mut first_left, mut ran_out) = (false, Steps::default());
        for ((index, step), look) in group.into_iter().enumerate().zip(looked) {
            let (key, reason, of_archive) = (step.key.clone(), step.reason, step.of_archive);
            let now_ms = match step.want {
                Want::Refresh { .. } => clock_ms,
                _ => now_ms,
            };
            let decision = decide(step, look, now_ms).map_err(Stop::Undone)?;
            match decision {
                _ if ran_out.has(0) => {}
                Decision::RanOut if first_left => {
                    leave(progress, on_key, &key, None, Fate::Withheld);
                }
                Decision::RanOut => ran_out = ran_out.and(Steps::from(index)),
                Decision::Leave(fate) => {
                    first_left |= index == 0 && fate != Fate::Already;
                    leave(progress, on_key, &key, None, fate);
                }
                Decision::Write(_, _) if index > 0 && first_left => {
                    leave(progress, on_key, &key, None, Fate::Withheld);
                }
                Decision::Write(intent, _) if self.context.record.is_none() => {
                    foretell(progress, on_key, &key, (intent.action, reason, of_archive));
                }
                Decision::Write(mut intent, command) => {
                    if (self.dates_absence || self.again) && intent.prior.is_none() {
                        intent.absent_at = Some(now_ms);
                    }
                    intent.again = self.again;
                    intent.reason = reason;
                    intent.of_archive = of_archive;
                    writes.push(PendingWrite {
                        key,
                        action: intent.action,
                        reason,
                        of_archive,
                        made: intent.made.clone(),
                        command: *command,
                        place: index,
                    });
                    intents.push(Line::Intent(*intent));
                }
            }
        }
        if ran_out.is_any() {
            progress.ran_out.push(RanOut {
                group: number,
                steps: ran_out,
            });
        }
        Ok(writes)
    }

    /// Makes the intents of a batch durable. Only then may their keys be written.
    fn record(
        &mut self,
        intents: &Frames,
        outcomes: usize,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        self.context.goes_on()?;
        self.direction.in_time()?;
        // Promise 1: without a manifest nothing is written.
        let Some(RunRecord { manifest, .. }) = &mut self.context.record else {
            let missing = std::io::Error::other("this run has no manifest");
            return Err(Stop::Manifest(missing));
        };
        manifest.append_frames(intents).map_err(Stop::Manifest)?;
        progress.outcomes.drain(..outcomes);
        Ok(())
    }

    fn write(
        &mut self,
        groups: Vec<(usize, Vec<PendingWrite>)>,
        now_ms: i64,
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
    ) -> Result<(), Stop> {
        let mut firsts = Vec::new();
        let mut seconds = Vec::new();
        for (group, members) in groups {
            for pending in members {
                if pending.ran_out(now_ms) {
                    let action = Some(pending.action);
                    leave(progress, on_key, &pending.key, action, Fate::Expired);
                    continue;
                }
                let wave = match pending.place {
                    0 => &mut firsts,
                    _ => &mut seconds,
                };
                wave.push((group, pending));
            }
        }
        let mut refused = HashMap::new();
        failpoint::enter("first");
        self.wave(&firsts, progress, on_key, &mut refused)?;
        let (withheld, seconds): (Vec<_>, Vec<_>) = seconds
            .into_iter()
            .partition(|(group, _)| refused.contains_key(group));
        for (group, pending) in &withheld {
            if refused.get(group) != Some(&RefusalCause::RanOut) {
                let action = Some(pending.action);
                leave(progress, on_key, &pending.key, action, Fate::Withheld);
            }
        }
        failpoint::enter("second");
        self.wave(&seconds, progress, on_key, &mut HashMap::new())
    }

    /// Sends the writes of `wave`, and notes the groups of those that were `refused`.
    fn wave(
        &mut self,
        wave: &[(usize, PendingWrite)],
        progress: &mut Progress,
        on_key: &mut dyn FnMut(&KeyReport<'_>),
        refused: &mut HashMap<usize, RefusalCause>,
    ) -> Result<(), Stop> {
        if wave.is_empty() {
            return Ok(());
        }
        let doing = "writing";
        let slack_ms = self.context.slack_ms;
        let encode = |way: Way| {
            let mut batch = Batch::default();
            for (_, pending) in wave {
                let key = &pending.key;
                encode(&pending.command, &mut batch, key, way, slack_ms);
            }
            batch
        };
        let way = self.direction.way();
        let batch = encode(way);
        let again = || encode(way.again());
        let sent = self.context.session.run_or(&batch, &again, doing);
        let Replies {
            mut replies,
            mut resent,
        } = sent.inspect_err(|_| {
            // Without its replies it is unknown which of them ran.
            progress.touched = true;
        })?;
        // What was sent a first time may have run, whatever the second answer is.
        progress.touched |= resent;
        // What fails there hides no reply that is here already.
        let asked = self.ask_again(wave, &mut replies);
        // Where the key is gone by then, the question makes it.
        progress.touched |= asked.is_err();
        resent |= *asked.as_ref().unwrap_or(&false);
        let mut failure = asked.err();
        let mut too_few = None;
        if let Some(copies) = self.direction.copies() {
            // What the master acknowledged is counted all the same.
            let waited = wait_for_replicas(self.context.session, copies, resent);
            too_few = waited.err().map(Stop::Store);
        }
        for ((group, pending), reply) in wave.iter().zip(replies) {
            let fate = match reply.text() {
                Some("OK" | "written" | "made") => Fate::Written,
                Some("expired") => Fate::Expired,
                Some("conflict") => Fate::Conflict,
                Some("ran out") if way == Way::Back => Fate::Expired,
                Some("ran out") => {
                    refused.insert(*group, RefusalCause::RanOut);
                    progress.ran_out.push(RanOut {
                        group: *group,
                        steps: Steps::from(pending.place),
                    });
                    continue;
                }
                _ if reply == Reply::Nil => continue,
                _ => {
                    let error = reply.fail::<()>(doing).err();
                    failure = failure.or(error.map(Stop::Store));
                    continue;
                }
            };
            if fate != Fate::Written {
                refused.insert(*group, RefusalCause::Left);
            }
            pending.settle(fate, resent, progress, on_key);
        }
        failure.or(too_few).map_or(Ok(()), Err)
    }

    /// Asks again where NX was refused, as a compare-and-set from absent: it tells our own
    /// write whose reply was lost (the state is the one to be made) from somebody else's. A key
    /// that expired before its expiry was moved is made again in the same way.
    /// Returns whether these questions were sent again.
    fn ask_again(
        &mut self,
        wave: &[(usize, PendingWrite)],
        replies: &mut [Reply],
    ) -> Result<bool, Stop> {
        let mut batch = Batch::default();
        let mut asked = Vec::new();
        for (index, (_, pending)) in wave.iter().enumerate() {
            let reply = &replies[index];
            let (made, content): (_, &[u8]) = match &pending.command {
                CompareAndSet::Create { content, made } if *reply == Reply::Nil => (made, content),
                CompareAndSet::Expire {
                    lost: Some(lost), ..
                } if reply.text() == Some("ran out") => (&lost.0, lost.1.bytes()),
                _ => continue,
            };
            let states = (None, made, content);
            push_put(
                &mut batch,
                &pending.key,
                states,
                self.direction.way(),
                self.context.slack_ms,
            );
            asked.push(index);
        }
        if batch.is_empty() {
            return Ok(false);
        }
        let doing = "asking about keys that existed already, or had expired";
        let answers = self
            .context
            .session
            .run_or(&batch, &|| batch.clone(), doing)?;
        for (index, answer) in asked.into_iter().zip(answers.replies) {
            replies[index] = answer;
        }
        Ok(answers.resent)
    }
}
