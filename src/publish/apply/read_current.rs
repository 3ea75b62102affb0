//! The round trip before writes.

use super::batch::Numbered;
use super::context::RunContext;
use super::step::{Look, Looked, Step};
use super::stop::Stop;
use crate::failpoint;
use crate::publish::run::lease::Lease;
use crate::publish::run::switch::Switch;
use crate::publish::state::{Asked, Found};
use crate::store::{Batch, Reply};

/// The values that one look brings along hold about so many bytes at most, but for a group that
/// alone has more.
const LOOK_BYTES: u64 = 16 * 1024 * 1024;

/// What was seen of the first groups of a batch.
pub(crate) struct Sight {
    /// How many groups that is. The others hold too much to be looked at with them.
    pub groups: usize,
    /// What was found of each of their steps.
    pub looked: Vec<Looked>,
    /// The server's clock after that, ms since 1970: what has expired by itself was seen as gone.
    pub now_ms: i64,
}

/// What is known of a step after the first round trip.
enum Answer {
    Known(Looked),
    Asked(Asked),
}

/// What is being done, for errors of the store.
const DOING: &str = "looking at the keys before they are written";

/// Renews the lease, looks at the switch and the keys, and asks for the time, in one round
/// trip. For keys that are not what was expected, their sizes are asked first, and then for
/// as much as can be held.
pub(super) fn read_current(
    context: &mut RunContext<'_>,
    switch: Option<&Switch>,
    groups: &[Numbered],
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
    let mut answers = Vec::new();
    for step in steps(groups) {
        answers.push(answer(step, &mut next)?);
    }
    let mut now_ms = next().time_ms(DOING)?;

    let open = steps(groups).zip(&answers).filter_map(|(step, answer)| {
        let is_open = matches!(answer, Answer::Asked(asked) if asked.is_open());
        is_open.then_some(&*step.key)
    });
    let open: Vec<&str> = open.collect();
    let groups_seen = within(&held(context, groups, &answers, &open)?);
    let groups = &groups[..groups_seen];
    answers.truncate(groups.iter().map(|(_, group)| group.len()).sum());
    let looked = settle(context, groups, answers)?;
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

fn steps(groups: &[Numbered]) -> impl Iterator<Item = &Step> {
    groups.iter().flat_map(|(_, group)| group)
}

/// The commands of the first round trip.
fn question(context: &RunContext<'_>, switch: Option<&Switch>, groups: &[Numbered]) -> Batch {
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
            Look::Whole => Asked::push(&mut batch, &step.key, step.prior_bytes as u64),
        }
    }
    batch.push(&[b"TIME"]);
    batch
}

/// Takes the replies about the key of one step.
fn answer(step: &Step, next: &mut impl FnMut() -> Reply) -> Result<Answer, Stop> {
    Ok(match step.want.look() {
        Look::None => Answer::Known(Looked::Not),
        Look::Whole => Answer::Asked(Asked::read(step.prior_bytes as u64, next)),
        Look::Expiry => Answer::Known(match next() {
            Reply::Int(-2) => Looked::Expiry(None),
            Reply::Int(at) => Looked::Expiry(Some((at >= 0).then_some(at))),
            other => return Ok(other.fail(DOING)?),
        }),
    })
}

/// How many bytes each group would hold, with the values of the `open` keys, which are asked for
/// their sizes. A dry run holds no values.
fn held(
    context: &mut RunContext<'_>,
    groups: &[Numbered],
    answers: &[Answer],
    open: &[&str],
) -> Result<Vec<u64>, Stop> {
    let sizes = if context.record.is_none() {
        Vec::new()
    } else {
        Found::sizes(context.session, open, DOING)?
    };
    let mut sizes = sizes.into_iter();
    let mut held = answers.iter().map(|answer| match answer {
        Answer::Known(_) => 0,
        Answer::Asked(asked) if asked.is_open() => sizes.next().unwrap_or(0),
        Answer::Asked(asked) => asked.bytes(),
    });
    let lengths = groups.iter().map(|(_, group)| group.len());
    Ok(lengths
        .map(|steps| held.by_ref().take(steps).sum())
        .collect())
}

/// What was found of each step, also where the answers leave it open.
fn settle(
    context: &mut RunContext<'_>,
    groups: &[Numbered],
    answers: Vec<Answer>,
) -> Result<Vec<Looked>, Stop> {
    let mut looked = Vec::with_capacity(answers.len());
    let mut asked = Vec::new();
    for (step, answer) in steps(groups).zip(answers) {
        looked.push(match answer {
            Answer::Known(known) => known,
            Answer::Asked(answer) => {
                asked.push((looked.len(), &*step.key, answer));
                Looked::Not
            }
        });
    }
    let places: Vec<usize> = asked.iter().map(|(place, _, _)| *place).collect();
    let asked = asked.into_iter().map(|(_, key, asked)| (key, asked));
    let found = if context.record.is_none() {
        Found::settle_states(context.session, asked, DOING)?
    } else {
        Found::settle(context.session, asked, DOING)?
    };
    for (place, found) in places.into_iter().zip(found) {
        looked[place] = Looked::Whole(found);
    }
    Ok(looked)
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
