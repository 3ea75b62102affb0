//! The round trip before writes.

use super::batch::NumberedGroup;
use super::context::RunContext;
use super::step::{CurrentState, Look, Step};
use super::stop::Stop;
use crate::failpoint;
use crate::publish::run::lease::Lease;
use crate::publish::run::switch::Switch;
use crate::publish::state::{KeyReplies, KeyState};
use crate::store::{Batch, Reply};

/// The values that one look brings along hold about so many bytes at most, but for a group that
/// alone has more.
const LOOK_BYTES: u64 = 16 * 1024 * 1024;

/// What was seen of the first groups of a batch.
pub(crate) struct Sight {
    /// How many groups that is. The others hold too much to be looked at with them.
    pub groups: usize,
    /// What was found of each of their steps.
    pub looked: Vec<CurrentState>,
    /// The server's clock after that, ms since 1970: what has expired by itself was seen as gone.
    pub now_ms: i64,
}

/// What the first round trip told of a batch.
struct Answers<'a> {
    /// What is known of each step.
    looked: Vec<CurrentState>,
    /// The other steps, in order: the number of each, its key, and the replies about it.
    replies: Vec<(usize, &'a str, KeyReplies)>,
}

/// What is being done, for errors of the store.
const DOING: &str = "looking at the keys before they are written";

/// Renews the lease, looks at the switch and the keys, and asks for the time, in one round
/// trip. For keys that are not what was expected, their sizes are asked first, and then for
/// as much as can be held.
pub(super) fn read_current(
    context: &mut RunContext<'_>,
    switch: Option<&Switch>,
    groups: &[NumberedGroup],
) -> Result<Sight, Stop> {
    failpoint::enter("look");
    let question = question(context, switch, groups);
    let mut replies = context.session.run(&question, DOING)?.into_iter();
    let mut next = || replies.next().unwrap_or(Reply::Nil);
    if context.record.is_some() {
        Lease::check(next())?;
    }
    if switch.is_some()
        && let Some(paused) = Switch::read(next())?
    {
        return Err(Stop::Paused(paused));
    }
    let mut answers = Answers::read(groups, &mut next)?;
    let mut now_ms = next().time_ms(DOING)?;

    let open = (answers.replies.iter()).filter(|(_, _, replies)| replies.is_open());
    let open: Vec<&str> = open.map(|(_, key, _)| *key).collect();
    let groups_seen = within(&answers.held(context, groups, &open)?);
    answers.truncate(
        groups[..groups_seen]
            .iter()
            .map(|(_, group)| group.len())
            .sum(),
    );
    let looked = answers.settle(context)?;
    if !open.is_empty() {
        // They were looked at later.
        now_ms = context.session.now_ms()?;
    }
    Ok(Sight {
        groups: groups_seen,
        looked,
        now_ms,
    })
}

fn steps(groups: &[NumberedGroup]) -> impl Iterator<Item = &Step> {
    groups.iter().flat_map(|(_, group)| group)
}

/// The commands of the first round trip.
fn question(context: &RunContext<'_>, switch: Option<&Switch>, groups: &[NumberedGroup]) -> Batch {
    let mut batch = Batch::default();
    if let Some(record) = &context.record {
        record.lease.push_keeping(&mut batch);
    }
    if let Some(switch) = switch {
        switch.push_look(&mut batch);
    }
    for step in steps(groups) {
        match step.want.look() {
            Look::None => {}
            Look::Expiry => batch.push(&[b"PEXPIRETIME", step.key.as_bytes()]),
            Look::Whole => KeyReplies::push(&mut batch, &step.key, step.prior_bytes as u64),
        }
    }
    batch.push(&[b"TIME"]);
    batch
}

impl<'a> Answers<'a> {
    /// Takes the replies about the keys.
    fn read(groups: &'a [NumberedGroup], next: &mut impl FnMut() -> Reply) -> Result<Self, Stop> {
        let mut answers = Self {
            looked: Vec::new(),
            replies: Vec::new(),
        };
        for step in steps(groups) {
            let state = match step.want.look() {
                Look::None => CurrentState::Unread,
                Look::Whole => {
                    let replies = KeyReplies::read(step.prior_bytes as u64, next);
                    answers
                        .replies
                        .push((answers.looked.len(), &*step.key, replies));
                    CurrentState::Unread
                }
                Look::Expiry => match next() {
                    Reply::Int(-2) => CurrentState::Whole(KeyState::Absent),
                    Reply::Int(at) => CurrentState::Expiry((at >= 0).then_some(at)),
                    other => return Ok(other.fail(DOING)?),
                },
            };
            answers.looked.push(state);
        }
        Ok(answers)
    }

    /// How many bytes each group would hold, with the values of the `open` keys, which are asked
    /// for their sizes. A dry run holds no values.
    fn held(
        &self,
        context: &mut RunContext<'_>,
        groups: &[NumberedGroup],
        open: &[&str],
    ) -> Result<Vec<u64>, Stop> {
        let sizes = if context.record.is_none() {
            Vec::new()
        } else {
            KeyState::sizes(context.session, open, DOING)?
        };
        let mut sizes = sizes.into_iter();
        let bytes = |replies: &KeyReplies, sizes: &mut std::vec::IntoIter<u64>| {
            if replies.is_open() {
                sizes.next().unwrap_or(0)
            } else {
                replies.bytes()
            }
        };
        let mut replies = self.replies.iter().peekable();
        let mut end = 0;
        let held = groups.iter().map(|(_, group)| {
            end += group.len();
            let mut held = 0_u64;
            while let Some((_, _, of_key)) = replies.next_if(|(step, _, _)| *step < end) {
                held += bytes(of_key, &mut sizes);
            }
            held
        });
        Ok(held.collect())
    }

    /// Forgets all but the first `steps`.
    fn truncate(&mut self, steps: usize) {
        self.looked.truncate(steps);
        let kept = self.replies.partition_point(|(step, _, _)| *step < steps);
        self.replies.truncate(kept);
    }

    /// What was found of each step, also where the replies leave it open.
    fn settle(mut self, context: &mut RunContext<'_>) -> Result<Vec<CurrentState>, Stop> {
        let places: Vec<usize> = self.replies.iter().map(|(place, _, _)| *place).collect();
        let replies = self
            .replies
            .into_iter()
            .map(|(_, key, replies)| (key, replies));
        let found = if context.record.is_none() {
            KeyState::settle_states(context.session, replies, DOING)?
        } else {
            KeyState::settle(context.session, replies, DOING)?
        };
        for (place, found) in places.into_iter().zip(found) {
            self.looked[place] = CurrentState::Whole(found);
        }
        Ok(self.looked)
    }
}

/// How many of the groups, of which each holds so many bytes, are looked at together.
fn within(held: &[u64]) -> usize {
    let mut sum = 0_u64;
    let fits = |bytes: &&u64| {
        sum = sum.saturating_add(**bytes);
        sum <= LOOK_BYTES
    };
    let count = held.iter().take_while(fits).count();
    count.max(1).min(held.len())
}

#[cfg(test)]
mod tests {
    use super::{LOOK_BYTES, within};

    #[test]
    fn a_look_holds_no_more_than_its_bytes_or_one_group() {
        let half = LOOK_BYTES / 2;
        assert_eq!(within(&[]), 0);
        assert_eq!(within(&[half, half, 1, 1]), 2);
        assert_eq!(within(&[half, u64::MAX, 1]), 1);
        assert_eq!(within(&[u64::MAX, 1]), 1);
        assert_eq!(within(&[0, 0, 0]), 3);
    }
}
