//! What expires while a run works, and that run has not written, is made again by it: a run ends
//! with no less than it found.
//!
//! - A refresh that came too late ([`Progress::ran_out`]).
//! - An article that needed nothing when it was surveyed, and expired since.
//!
//! Both are surveyed and rendered again, and created. What somebody else put in their place stays,
//! and is a conflict.

use super::apply::Apply;
use super::keys::Keys;
use super::manifest::{Fate, Header};
use super::plan::Plan;
use super::report::Report;
use super::work::{PlanInputs, Work};
use crate::publish::apply::progress::{KeyReport, Progress, Steps, leave};
use crate::publish::apply::stop::Stop;
use crate::publish::plan::entry::Entry;
use crate::publish::plan::need::Need;
use crate::words::counted;

/// So many further passes are made at most. Each takes less time than the one before, since it
/// writes what expired during that one.
const PASSES: usize = 4;

/// The run, after all that was planned is written.
pub(crate) struct Expired<'a> {
    pub work: &'a dyn Work,
    pub plan: &'a Plan,
    /// The places of the articles in the plan, in the order in which they were written.
    pub order: &'a [u32],
    pub keys: &'a Keys,
    /// The header of the run.
    pub header: &'a Header,
    /// The folder for the spool.
    pub spool_in: &'a std::path::Path,
}

/// An article of which an object expired.
#[derive(Clone, Copy)]
struct MissingArticle {
    /// Its place in the plan.
    place: u32,
    /// Its objects that expired; with the page, all of them count.
    steps: Steps,
    /// Whether its objects were counted as kept.
    is_kept: bool,
}

/// The objects of an entry that expired by `now_ms`.
fn expired(entry: &Entry, now_ms: i64) -> Steps {
    let places = 0..entry.kinds().len();
    let expired = places.filter(|place| {
        let expiry = entry.prior(*place).expires_at_ms;
        expiry.is_some_and(|at| at <= now_ms)
    });
    expired.map(Steps::from).fold(Steps::default(), Steps::and)
}

impl Expired<'_> {
    /// Writes what expired, if anything did.
    pub(crate) fn write(
        &self,
        apply: &mut Apply<'_>,
        progress: &mut Progress,
        report: &mut dyn Report,
        on_step: &dyn Fn(),
    ) -> Result<(), Stop> {
        let mut since_ms = i64::MIN;
        for _ in 0..PASSES {
            let next = self.unwritten().map(|(_, entry)| entry.first_expiry_ms());
            let next = next.filter(|at| *at > since_ms).min();
            if progress.ran_out.is_empty() && next.is_none_or(|at| at == i64::MAX) {
                return Ok(());
            }
            let now_ms = apply.context.session.now_ms()? + apply.context.slack_ms;
            let missing = self.missing(progress, since_ms, now_ms);
            if missing.is_empty() {
                return Ok(());
            }
            self.pass(&missing, apply, progress, report, on_step)?;
            since_ms = now_ms;
        }
        Ok(())
    }

    /// The articles that were left as they are, each with its place.
    fn unwritten(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let all = (0_u32..).zip(&self.plan.entries);
        all.filter(|(_, entry)| matches!(entry.need, Need::Keep | Need::Wait))
    }

    /// What expired after `since_ms`, and by `now_ms`.
    fn missing(&self, progress: &mut Progress, since_ms: i64, now_ms: i64) -> Vec<MissingArticle> {
        let mut late = std::mem::take(&mut progress.ran_out);
        late.sort_by_key(|late| late.group);
        late.dedup_by(|next, late| {
            let is_same = next.group == late.group;
            if is_same {
                late.steps = late.steps.and(next.steps);
            }
            is_same
        });
        let late = late.into_iter().filter_map(|late| {
            Some(MissingArticle {
                place: *self.order.get(late.group)?,
                steps: late.steps,
                is_kept: false,
            })
        });
        let kept = self.unwritten().filter_map(|(place, entry)| {
            let at = entry.first_expiry_ms();
            // What expired as it should have ended is not missing.
            let is_early = at < entry.expires_at_ms;
            (since_ms < at && at <= now_ms && is_early).then_some(MissingArticle {
                place,
                steps: expired(entry, now_ms),
                is_kept: true,
            })
        });
        let mut missing: Vec<MissingArticle> = late.chain(kept).collect();
        missing.sort_by_key(|one| self.plan.entries[one.place as usize].source);
        missing
    }

    fn pass(
        &self,
        missing: &[MissingArticle],
        apply: &mut Apply<'_>,
        progress: &mut Progress,
        report: &mut dyn Report,
        on_step: &dyn Fn(),
    ) -> Result<(), Stop> {
        let entry = |missing: &MissingArticle| &self.plan.entries[missing.place as usize];
        let sources: Vec<u32> = missing.iter().map(|one| entry(one).source).collect();
        let begun = PlanInputs {
            session: &mut *apply.context.session,
            run: &self.header.run,
            started_at: self.header.started_at,
            spool_in: Some(self.spool_in),
        };
        let mut plan = self.work.plan_again(begun, &sources, report)?;
        plan.refreshed_within_ms = Some(apply.context.slack_ms);
        let mut needs = vec![None; missing.len()];
        for (place, entry) in plan.entries.iter().enumerate() {
            if let Some(need) = needs.get_mut(entry.source as usize) {
                *need = Some((entry.need, place));
            }
        }
        let mut on_key = |key: &KeyReport<'_>| {
            on_step();
            report.key(key);
        };
        let mut kept = 0;
        let mut written = 0_usize;
        for (one, need) in missing.iter().zip(needs) {
            let [first, others] = match need {
                Some((Need::Write, place)) => {
                    written += 1;
                    if one.is_kept {
                        kept += plan.objects(&plan.entries[place], self.keys).count() as u64;
                    }
                    continue;
                }
                // Somebody was faster.
                Some((Need::Keep, _)) if one.is_kept => continue,
                Some((Need::Keep, _)) => [Fate::Already; 2],
                Some((Need::Blocked, _)) => [Fate::Conflict, Fate::Withheld],
                // Its source changed, or is not valid any more.
                _ => [Fate::Expired; 2],
            };
            let objects = entry(one).objects(self.keys).enumerate();
            let objects = objects.filter(|(place, _)| one.steps.has(*place));
            for (number, (_, (_, key, _, _))) in objects.enumerate() {
                kept += u64::from(one.is_kept);
                let fate = if number == 0 { first } else { others };
                leave(progress, &mut on_key, &key, None, fate);
            }
        }
        progress.counts.kept = progress.counts.kept.saturating_sub(kept);
        if written > 0 {
            report.writes(self.header);
            report.note(&format!(
                "{} expired while the run worked: creating what is missing again",
                counted(written as u64, "article")
            ));
        }
        apply.again = true;
        let order = plan.order();
        apply.run(plan.groups(self.keys, &order), progress, &mut |key| {
            on_step();
            report.key(key);
        })
    }
}
