//! What a check judges, what it says of it, and the steps that many checks share.

use crate::edge::CachePolicy;
use crate::probe::body::{Body, Comparison};
use crate::probe::client::Answer;
use crate::probe::stored::Stored;
use crate::probe::target::Target;
use crate::probe::visit::{Exchange, Visit};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As expected.
    Ok,
    /// Not as expected: what was found.
    Failed(String),
    /// The front does not have what the check is about, and need not: why.
    NotOffered(String),
    /// The answer that it needs is missing, which another check tells.
    NotRun,
}

/// A route or file: where it was asked for, what the store holds for it, and what the front answered.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The front.
    pub target: &'a Target,
    /// What the store holds.
    pub stored: &'a Stored,
    /// What the front answered.
    pub visit: &'a Visit,
    /// What the settings let caches do.
    pub policy: CachePolicy,
}

/// An answer to be judged, or the verdict where there is none.
pub(super) fn answer(exchange: &Exchange) -> Result<&Answer, Verdict> {
    match exchange {
        None => Err(Verdict::NotRun),
        Some(Ok(answer)) => Ok(answer),
        Some(Err(trouble)) => Err(failed(trouble.to_string())),
    }
}

/// The first answer: what ails it is told by the check of the status.
pub(super) fn first<'a>(scene: &Scene<'a>) -> Result<&'a Answer, Verdict> {
    match &scene.visit.first {
        Some(Ok(first)) if first.head.status == 200 => Ok(first),
        _ => Err(Verdict::NotRun),
    }
}

/// The first answer with its body: what ails that is told by the check of the body.
pub(super) fn first_body<'a>(scene: &Scene<'a>) -> Result<(&'a Answer, &'a Body), Verdict> {
    let first = first(scene)?;
    let body = first.body.as_ref().map_err(|_| Verdict::NotRun)?;
    Ok((first, body))
}

/// An answer that has to be 200, and its body.
pub(super) fn whole(exchange: &Exchange) -> Result<(&Answer, &Body), Verdict> {
    let answer = answer(exchange)?;
    if answer.head.status != 200 {
        return Err(failed(status_line(answer)));
    }
    match &answer.body {
        Ok(body) => Ok((answer, body)),
        Err(trouble) => Err(failed(trouble.to_string())),
    }
}

pub(super) fn failed(found: impl Into<String>) -> Verdict {
    Verdict::Failed(found.into())
}

/// The status; of a redirect also where it leads, since it is not followed.
pub(super) fn status_line(answer: &Answer) -> String {
    let status = answer.head.status;
    match answer.head.get("location") {
        Some(_) => format!("{status}, {}", answer.head.shown("location")),
        None => status.to_string(),
    }
}

/// The rest of a check that either found something, or not.
pub(super) fn verdict(judged: Result<(), Verdict>) -> Verdict {
    judged.err().unwrap_or(Verdict::Ok)
}

/// Where a body and the stored page part, for a reader who has to find out why.
pub(super) fn difference(page_bytes: usize, found: Comparison) -> String {
    let Comparison { bytes, same } = found;
    format!("{bytes} bytes instead of {page_bytes}, which differ from byte {same} on")
}

/// Where two bodies part, as far as both were compared with the stored page.
pub(super) fn parting(expected: &Body, found: &Body) -> String {
    let (one, other) = (expected.plain, found.plain);
    let same = one.same.min(other.same);
    let sizes = format!("{} bytes instead of {}", other.bytes, one.bytes);
    if one.same == other.same {
        format!("{sizes}, of which the first {same} are the same")
    } else {
        format!("{sizes}, which differ from byte {same} on")
    }
}
