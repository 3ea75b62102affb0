//! Articles whose sources say `withdrawn: true`: an import takes them out of the store at once.

use std::collections::BTreeSet;

use super::leftover::Leftover;
use super::reach::{NAMED, Scope, ours};
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::keys::Keys;
use crate::publish::reason::Reason;
use crate::publish::report::Report;
use crate::store::Session;
use crate::words::{counted, listed, with};

/// Those that the store holds. A route that another source or a list has is not withdrawn.
///
/// # Errors
/// 65 and 130 when the run has to end, 69 and 77 when the store fails.
pub(crate) fn withdrawn(
    scope: &Scope<'_>,
    session: &mut Session,
    keys: &Keys,
) -> Result<Vec<Leftover>, Failure> {
    let survey = scope.survey;
    if survey.withdrawn.is_empty() {
        return Ok(Vec::new());
    }
    let mut routes: BTreeSet<Route> = survey.withdrawn_routes().cloned().collect();
    let own = survey.entries.iter().map(|entry| &entry.route);
    let claimed = own.chain(&survey.elsewhere).chain(&survey.claimed);
    // The page of a folder may be withdrawn, and its list stay.
    for route in claimed.chain(survey.list_routes()) {
        routes.remove(route);
    }
    let stored = ours(session, keys, &routes)?;
    let mut routes: BTreeSet<Route> = stored.iter().map(|one| one.route.clone()).collect();
    scope.drop_claimed(&mut routes)?;
    let mut stored = stored;
    stored.retain(|one| routes.contains(&one.route));
    for one in &mut stored {
        one.reason = Reason::Withdrawn;
    }
    Ok(stored)
}

/// Names the first of those among `leftovers`.
pub(crate) fn report_withdrawn(leftovers: &[Leftover], report: &mut dyn Report) {
    let is_withdrawn = |one: &&Leftover| one.reason == Reason::Withdrawn;
    let withdrawn: Vec<&Leftover> = leftovers.iter().filter(is_withdrawn).collect();
    if withdrawn.is_empty() {
        return;
    }
    let count = withdrawn.len() as u64;
    let names = withdrawn.iter().take(NAMED);
    let names = names.map(|leftover| leftover.route.to_string());
    report.note(&format!(
        "{} {} withdrawn, and this run removes {}: {}",
        counted(count, "published article"),
        with(count, "is", "are"),
        with(count, "it", "them"),
        listed(names, withdrawn.len())
    ));
}
