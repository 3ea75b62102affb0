//! Why a run changes an article: decided from what it needs and what the store holds of it.

use super::need::{Need, Policy};
use super::stored_article::{ObjectState, StoredArticle};
use crate::publish::reason::Reason;
use crate::render::{Input, Inputs};

/// Why an article with these objects in the store has its `need`, as `policy` decided it.
/// `is_short` says whether too little is left of an object; `inputs` are those of the page now.
#[must_use]
pub fn reason(
    (policy, need): (Policy, Need),
    stored: &StoredArticle,
    is_short: impl Fn(&ObjectState) -> bool,
    inputs: Option<&Inputs>,
) -> Option<Reason> {
    match need {
        Need::Write => Some(of_write(policy, stored, inputs)),
        Need::Refresh if stored.objects().any(is_short) => Some(Reason::Expiring),
        Need::Refresh => Some(Reason::Lifetime),
        Need::Keep | Need::Wait | Need::Blocked => None,
    }
}

fn of_write(policy: Policy, stored: &StoredArticle, inputs: Option<&Inputs>) -> Reason {
    let StoredArticle { page, meta, text } = stored;
    let is_absent = |seen: &ObjectState| *seen == ObjectState::Absent;
    let absent = [page, meta]
        .into_iter()
        .filter(|seen| is_absent(seen))
        .count();
    match policy {
        Policy::Again => return Reason::Expired,
        Policy::Import if absent == 2 => return Reason::New,
        Policy::Warm(_) if absent == 2 => return Reason::Lost,
        Policy::Import | Policy::Warm(_) => {}
    }
    if stored.is_foreign() {
        return Reason::Foreign;
    }
    if absent == 1 {
        // The other one may be of an older version too, but it is rewritten in any case.
        return Reason::Lost;
    }
    if page.digest() != meta.digest() {
        return Reason::Mismatch;
    }
    let change = meta.inputs().zip(inputs);
    match change.and_then(|(stored, now)| stored.first_change(now)) {
        Some(Input::Source) => Reason::Source,
        Some(Input::Links) => Reason::Links,
        Some(Input::Template) => Reason::Template,
        Some(Input::Settings) => Reason::Settings,
        Some(Input::Renderer) => Reason::Renderer,
        None if text.as_ref().is_some_and(is_absent) => Reason::Lost,
        None => Reason::Changed,
    }
}
