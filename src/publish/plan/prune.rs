//! `--prune`: what the store holds under the folders of the content tree, and the tree no
//! longer has.

use std::collections::{BTreeSet, HashSet};

use super::leftover::Leftover;
use super::orphans::MOST_FAR;
use super::reach::{OutOfReach, Scope, ours};
use super::scan::scan;
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::keys::Keys;
use crate::publish::reason::Reason;
use crate::store::Session;
use crate::words::{counted, with};

/// What pruning would do.
#[derive(Default)]
pub(crate) struct PrunePlan {
    /// Routes to be removed, sorted.
    pub leftovers: Vec<Leftover>,
    /// Stored routes that are not in reach, and stay.
    pub out_of_reach: OutOfReach,
    /// Pages out of reach whose articles may have moved.
    pub far: Vec<Leftover>,
    /// Number of stored routes in reach.
    pub in_reach: u64,
    /// Why nothing is removed, if that is so.
    pub withheld: Option<String>,
}

impl PrunePlan {
    /// Takes those pages out of reach whose articles moved. The others may be of another tree.
    pub(crate) fn take_far(&mut self, has_moved: impl Fn(&Route) -> bool) -> Vec<Leftover> {
        let moved = self.far.extract_if(.., |one| has_moved(&one.route));
        let moved = moved.collect();
        for one in std::mem::take(&mut self.far) {
            self.out_of_reach.add(one.route);
        }
        moved
    }

    /// Finds what to remove.
    ///
    /// # Errors
    /// 65 and 130 when the run has to end, 69 and 77 when the store fails.
    pub(crate) fn plan(
        scope: &Scope<'_>,
        session: &mut Session,
        keys: &Keys,
    ) -> Result<Self, Failure> {
        let survey = scope.survey;
        let withheld = |why: String| Self {
            withheld: Some(format!("--prune removes nothing while {why}")),
            ..Self::default()
        };
        // What was skipped may stand for an article too.
        let broken = survey.invalid + survey.skipped + survey.changed;
        if broken > 0 {
            return Ok(withheld(format!(
                "{} {} invalid, unreadable or skipped",
                counted(broken, "source"),
                with(broken, "is", "are")
            )));
        }
        let own = survey.entries.iter().map(|entry| &entry.route);
        let known = own.chain(&survey.elsewhere);
        // Withdrawn ones go without --prune.
        let known = known.chain(survey.withdrawn_routes());
        let known: HashSet<&Route> = known.collect();
        let of_archive: HashSet<&Route> = scope.list_routes().collect();
        let stored = scan(session, keys).map_err(|error| Failure::before_writing(&error))?;
        let mut pruning = Self::default();
        let (mut candidates, mut far) = (BTreeSet::new(), BTreeSet::new());
        for route in stored
            .into_iter()
            .filter(|route| !of_archive.contains(route))
        {
            if !scope.reaches(&route) {
                // A part of the content root says nothing about the rest of it.
                if scope.looks_far() && far.len() < MOST_FAR && !known.contains(&route) {
                    far.insert(route);
                } else if scope.settings.part.is_none() {
                    pruning.out_of_reach.add(route);
                }
                continue;
            }
            pruning.in_reach += 1;
            if !known.contains(&route) {
                candidates.insert(route);
            }
        }
        if !scope.drop_claimed(&mut candidates)? {
            return Ok(withheld(
                "files or folders of the content root cannot be read".to_owned(),
            ));
        }
        pruning.leftovers = ours(session, keys, &candidates)?;
        pruning.far = ours(session, keys, &far)?;
        pruning.far.retain(|leftover| !leftover.is_archive());
        // Archive objects go when they are not made any more.
        pruning.leftovers.retain(|leftover| !leftover.is_archive());
        let held: HashSet<&Route> = survey.held_routes.iter().collect();
        for leftover in &mut pruning.leftovers {
            if held.contains(&leftover.route) {
                leftover.reason = Reason::HeldBack;
            }
        }
        Ok(pruning)
    }
}
