//! What the survey can say only once it has seen all sources.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::batch::{Chunk, Other, Whose, number};
use super::findings::{HeldFindings, whole_file};
use super::links::FollowedLinks;
use super::surveyor::Survey;
use crate::article::Route;
use crate::diagnostic::{Diagnostic, RETRY_AFTER_FIX, Severity};
use crate::publish::plan::entry::Entry;
use crate::source::Origin;
use crate::words::listed;

/// How many of the other sources with one route a message names.
const NAMED: usize = 3;

/// What was found so far. Batches come in the order in which they end; each gives back its
/// memory then, so that what is found never lies there twice.
pub(crate) struct Gathered {
    survey: Survey,
    findings: HeldFindings,
    /// Numbers of the sources that are invalid.
    invalid: HashSet<u32>,
    /// The claims of sources that have no entry.
    others: Vec<Claim>,
    links: FollowedLinks,
}

struct Claim {
    route: Route,
    source: u32,
    /// Who writes it; none where it is invalid.
    whose: Option<Whose>,
}

impl Gathered {
    /// Nothing yet, of `sources`.
    pub(crate) fn of(sources: usize) -> Self {
        Self {
            survey: Survey {
                // Growing would copy all of it. What is not used costs no memory.
                entries: Vec::with_capacity(sources),
                ..Survey::default()
            },
            findings: HeldFindings::default(),
            invalid: HashSet::new(),
            others: Vec::new(),
            links: FollowedLinks::default(),
        }
    }

    /// Findings of a batch that is not at its end yet.
    pub(crate) fn hold(&mut self, findings: &mut Vec<Diagnostic>) {
        self.findings.add(findings.drain(..));
    }

    pub(crate) fn add(&mut self, chunk: Chunk) {
        let survey = &mut self.survey;
        survey.entries.extend(chunk.entries);
        self.findings.add(chunk.diagnostics);
        survey.unknown.merge(&chunk.unknown);
        survey.cleaned += chunk.cleaned;
        survey.drafts += chunk.drafts;
        survey.busy.extend(chunk.busy);
        self.links.merge(chunk.links);
        let claim = |index, route, whose| Claim {
            route,
            source: number(index),
            whose,
        };
        for Other {
            index,
            route,
            whose,
        } in chunk.others
        {
            self.others.push(claim(index, route, Some(whose)));
        }
        for (index, route) in chunk.invalid {
            self.invalid.insert(number(index));
            self.others
                .extend(route.map(|route| claim(index, route, None)));
        }
    }

    /// Every claim of a route, with the number of its source. The `others` follow the entries.
    fn claim(&self, index: u32) -> (&Route, u32) {
        let (entries, index) = (&self.survey.entries, index as usize);
        match entries.get(index) {
            Some(entry) => (&entry.route, entry.source),
            None => {
                let claim = &self.others[index - entries.len()];
                (&claim.route, claim.source)
            }
        }
    }

    /// Makes every source invalid whose route another source claims too.
    fn refuse_collisions(&mut self, origin: &dyn Origin) {
        // Sorted are numbers of claims: of a million, the routes alone have 40 MB.
        let all = number(self.survey.entries.len() + self.others.len());
        let mut claims: Vec<u32> = (0..all).collect();
        claims.par_sort_unstable_by(|a, b| self.claim(*a).cmp(&self.claim(*b)));
        let mut findings = std::mem::take(&mut self.findings);
        let same_route = |a: &u32, b: &u32| self.claim(*a).0 == self.claim(*b).0;
        let mut refused = Vec::new();
        for same in claims.chunk_by(same_route) {
            if same.len() < 2 {
                continue;
            }
            let shown = |claim: &u32| {
                let source = self.claim(*claim).1;
                origin.shown(&origin.relative(source as usize))
            };
            // One more than each message names: the one that it is about is not among them.
            let named = same.iter().take(NAMED + 1);
            let named: Vec<PathBuf> = named.map(shown).collect();
            for (at, claim) in same.iter().enumerate() {
                let (route, source) = self.claim(*claim);
                let others = named.iter().enumerate().filter(|(other, _)| *other != at);
                let others = others.map(|(_, path)| path.display().to_string());
                let others = listed(others.take(NAMED), same.len() - 1);
                let message = format!("duplicate route {route}: also produced by {others}");
                let path = Arc::new(shown(claim));
                findings.add([whole_file(path, "route", message, RETRY_AFTER_FIX)]);
                refused.push(source);
            }
        }
        self.findings = findings;
        self.invalid.extend(refused);
    }

    /// Sorts what was found, and refuses what claims a route that another source claims too.
    pub(crate) fn settle(&mut self, origin: &dyn Origin) {
        let by_source = |entry: &Entry| entry.source;
        self.survey.entries.sort_unstable_by_key(by_source);
        self.refuse_collisions(origin);
    }

    /// The links of all sources.
    pub(crate) fn links(&self) -> &FollowedLinks {
        &self.links
    }

    /// Every route that a source claims, with the number of the source.
    pub(crate) fn claims(&self) -> impl Iterator<Item = (&Route, u32)> {
        let entries = self.survey.entries.iter();
        let entries = entries.map(|entry| (&entry.route, entry.source));
        let others = self.others.iter();
        entries.chain(others.map(|claim| (&claim.route, claim.source)))
    }

    /// Takes down findings, `beyond` more of this severity, and sources that these make invalid.
    pub(crate) fn refuse(
        &mut self,
        findings: Vec<Diagnostic>,
        (severity, beyond): (Severity, u64),
        refused: Vec<u32>,
    ) {
        self.findings.add(findings);
        self.findings.count(severity, beyond);
        self.invalid.extend(refused);
    }
}

/// The survey of all batches.
pub(crate) fn close(origin: &dyn Origin, found: Gathered) -> Survey {
    let Gathered {
        mut survey,
        mut findings,
        invalid,
        others,
        links: _,
    } = found;
    let refused = |entry: &mut Entry| invalid.contains(&entry.source);
    let refused = survey.entries.extract_if(.., refused);
    survey.claimed.extend(refused.map(|entry| entry.route));
    survey.valid = survey.entries.len() as u64;
    // What a broken source claims, or where it says nothing, what its name does.
    let of_name = |source: &u32| Route::new(&origin.relative(*source as usize), None).ok();
    survey.claimed.extend(invalid.iter().filter_map(of_name));
    for claim in others {
        let Some(whose) = claim.whose.filter(|_| !invalid.contains(&claim.source)) else {
            survey.claimed.push(claim.route);
            continue;
        };
        survey.valid += 1;
        if let Whose::Elsewhere { is_changed } = whose {
            survey.changed_elsewhere += u64::from(is_changed);
            survey.elsewhere.push(claim.route);
        }
    }
    survey.invalid = invalid.len() as u64;
    survey.sources = origin.count() as u64;
    survey.skipped = origin.skipped().len() as u64;
    survey.folders = origin.folders();
    survey.bare_folders = origin.bare_folders();
    report_skipped(origin, &mut survey, &mut findings);
    (survey.diagnostics, survey.beyond) = findings.finish();
    survey
}

fn report_skipped(origin: &dyn Origin, survey: &mut Survey, findings: &mut HeldFindings) {
    for skipped in origin.skipped() {
        let path = Arc::new(origin.shown(&skipped.relative));
        let message = format!("skipped: {}", skipped.reason);
        let mut diagnostic = whole_file(
            path,
            "source",
            message,
            "once it is a file inside the folder",
        );
        if skipped.unreadable {
            diagnostic.retry = "once it can be read";
            survey.unreadable += 1;
        } else {
            diagnostic.severity = Severity::Warning;
        }
        findings.add([diagnostic]);
    }
}
