//! The checks: each a name, what is expected, and a small function that judges a visit.

mod cache;
mod page;
mod validators;
mod visitors;

use super::body::{Body, Comparison};
use super::client::Answer;
use super::stored::Stored;
use super::visit::{Exchange, Visit};

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

/// A route, what the store holds for it, and what a front answered.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What the store holds.
    pub stored: &'a Stored,
    /// What the front answered.
    pub visit: &'a Visit,
}

/// One check.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name, for people and machines.
    pub name: &'static str,
    /// What is expected of each route.
    pub expects: &'static str,
    judge: fn(&Scene<'_>) -> Verdict,
}

/// The checks of a route that the store holds, in the order in which they are shown.
pub const CHECKS: [Check; 17] = [
    Check {
        name: "status",
        expects: "an answer with 200",
        judge: page::status,
    },
    Check {
        name: "content-type",
        expects: "Content-Type: text/html",
        judge: page::content_type,
    },
    Check {
        name: "body",
        expects: "the bytes of the stored page",
        judge: page::body,
    },
    Check {
        name: "digest",
        expects: "one digest, at the end of the page and in its ETag",
        judge: page::digest,
    },
    Check {
        name: "cache-control",
        expects: "Cache-Control: public, max-age=…",
        judge: cache::cache_control,
    },
    Check {
        name: "max-age",
        expects: "max-age less Age is at most what the store has left (1 s of slack)",
        judge: cache::max_age,
    },
    Check {
        name: "x-cache",
        expects: "X-Cache: HIT for the second request",
        judge: cache::x_cache,
    },
    Check {
        name: "etag",
        expects: "an ETag, strong or weak",
        judge: validators::etag,
    },
    Check {
        name: "same-etag",
        expects: "304 without a body where If-None-Match has the ETag",
        judge: validators::same_etag,
    },
    Check {
        name: "other-etag",
        expects: "200 with the page where If-None-Match has another ETag",
        judge: validators::other_etag,
    },
    Check {
        name: "head",
        expects: "HEAD answers as GET does, without a body",
        judge: page::head,
    },
    Check {
        name: "compression",
        expects: "gzip or brotli that decodes to the stored page",
        judge: page::compression,
    },
    Check {
        name: "vary",
        expects: "Vary: Accept-Encoding where the page is compressed",
        judge: cache::vary,
    },
    Check {
        name: "coded-etag",
        expects: "no strong ETag that the plain page has too, where it is compressed",
        judge: validators::coded_etag,
    },
    Check {
        name: "robots",
        expects: "X-Robots-Tag: noindex where the meta object says so, and nowhere else",
        judge: page::robots,
    },
    Check {
        name: "login",
        expects: "200 with private or no-store, and no HIT, for a visitor with a login cookie",
        judge: visitors::login,
    },
    Check {
        name: "anonymous",
        expects: "after a logged-in visitor the next one gets the page as before",
        judge: visitors::anonymous,
    },
];

/// The check of a route that the store does not hold (any more).
pub const GONE: Check = Check {
    name: "gone",
    expects: "no page of anp where the store has none",
    judge: page::gone,
};

/// The check of a route that never was.
pub const MISSING: Check = Check {
    name: "missing",
    expects: "no page of anp for a route that does not exist, cached for at most 60 s",
    judge: page::missing,
};

impl Check {
    /// Judges one route.
    #[must_use]
    pub fn judge(&self, scene: &Scene<'_>) -> Verdict {
        (self.judge)(scene)
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// An answer to be judged, or the verdict where there is none.
fn answer(exchange: &Exchange) -> Result<&Answer, Verdict> {
    match exchange {
        None => Err(Verdict::NotRun),
        Some(Ok(answer)) => Ok(answer),
        Some(Err(trouble)) => Err(failed(trouble.to_string())),
    }
}

/// The first answer: what ails it is told by the check of the status.
fn first<'a>(scene: &Scene<'a>) -> Result<&'a Answer, Verdict> {
    match &scene.visit.first {
        Some(Ok(first)) if first.head.status == 200 => Ok(first),
        _ => Err(Verdict::NotRun),
    }
}

/// The first answer with its body: what ails that is told by the check of the body.
fn first_body<'a>(scene: &Scene<'a>) -> Result<(&'a Answer, &'a Body), Verdict> {
    let first = first(scene)?;
    let body = first.body.as_ref().map_err(|_| Verdict::NotRun)?;
    Ok((first, body))
}

/// An answer that has to be 200, and its body.
fn whole(exchange: &Exchange) -> Result<(&Answer, &Body), Verdict> {
    let answer = answer(exchange)?;
    if answer.head.status != 200 {
        return Err(failed(status_line(answer)));
    }
    match &answer.body {
        Ok(body) => Ok((answer, body)),
        Err(trouble) => Err(failed(trouble.to_string())),
    }
}

fn failed(found: impl Into<String>) -> Verdict {
    Verdict::Failed(found.into())
}

/// The status; of a redirect also where it leads, since it is not followed.
fn status_line(answer: &Answer) -> String {
    let status = answer.head.status;
    match answer.head.get("location") {
        Some(_) => format!("{status}, {}", answer.head.shown("location")),
        None => status.to_string(),
    }
}

/// The rest of a check that either found something, or not.
fn verdict(judged: Result<(), Verdict>) -> Verdict {
    judged.err().unwrap_or(Verdict::Ok)
}

/// Where a body and the stored page part, for a reader who has to find out why.
fn difference(page_bytes: usize, found: Comparison) -> String {
    let Comparison { bytes, same } = found;
    format!("{bytes} bytes instead of {page_bytes}, which differ from byte {same} on")
}

/// Where two bodies part, as far as both were compared with the stored page.
fn parting(expected: &Body, found: &Body) -> String {
    let (one, other) = (expected.plain, found.plain);
    let same = one.same.min(other.same);
    let sizes = format!("{} bytes instead of {}", other.bytes, one.bytes);
    if one.same == other.same {
        format!("{sizes}, of which the first {same} are the same")
    } else {
        format!("{sizes}, which differ from byte {same} on")
    }
}
