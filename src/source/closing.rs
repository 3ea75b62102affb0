//! What the survey can say only once it has seen all sources.

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::origin::Origin;
use super::survey::{Chunk, Survey, Surveyor, number, whole_file};
use super::whose::{Other, Whose};
use crate::article::Route;
use crate::diagnostic::{Diagnostic, RETRY_AFTER_FIX, Severity};
use crate::publish::plan::Entry;

/// What was found so far. Batches come in the order in which they end; each gives back its
/// memory then, so that what is found never lies there twice.
pub(super) struct Gathered {
    survey: Survey,
    /// Numbers of the sources that are invalid.
    invalid: HashSet<u32>,
    /// The claims of sources that have no entry.
    others: Vec<Claim>,
}

struct Claim {
    route: Route,
    source: u32,
    /// Who writes it; none where it is invalid.
    whose: Option<Whose>,
}

impl Gathered {
    /// Nothing yet, of `sources`.
    pub(super) fn of(sources: usize) -> Self {
        Self {
            survey: Survey {
                // Growing would copy all of it. What is not used costs no memory.
                entries: Vec::with_capacity(sources),
                ..Survey::default()
            },
            invalid: HashSet::new(),
            others: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, chunk: Chunk) {
        let survey = &mut self.survey;
        survey.entries.extend(chunk.entries);
        survey.diagnostics.extend(chunk.diagnostics);
        survey.unknown.merge(&chunk.unknown);
        survey.cleaned += chunk.cleaned;
        survey.drafts += chunk.drafts;
        survey.busy.extend(chunk.busy);
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
        let same_route = |a: &u32, b: &u32| self.claim(*a).0 == self.claim(*b).0;
        let mut refused: Vec<(u32, Diagnostic)> = Vec::new();
        for same in claims.chunk_by(same_route) {
            if same.len() < 2 {
                continue;
            }
            let same: Vec<(&Route, u32)> = same.iter().map(|claim| self.claim(*claim)).collect();
            let shown = |source: u32| origin.shown(&origin.relative(source as usize));
            for (route, source) in &same {
                let others: Vec<String> = same
                    .iter()
                    .filter(|(_, other)| other != source)
                    .map(|(_, other)| shown(*other).display().to_string())
                    .collect();
                let message = format!(
                    "expected a route of its own, found {route} claimed by {} too",
                    others.join(", ")
                );
                let path = Arc::new(shown(*source));
                let diagnostic = whole_file(path, "route", message, RETRY_AFTER_FIX);
                refused.push((*source, diagnostic));
            }
        }
        for (source, diagnostic) in refused {
            self.survey.diagnostics.push(diagnostic);
            self.invalid.insert(source);
        }
    }
}

impl Surveyor<'_> {
    /// The survey of all batches.
    pub(super) fn close(&self, origin: &dyn Origin, mut found: Gathered) -> Survey {
        let by_source = |entry: &Entry| entry.source;
        found.survey.entries.sort_unstable_by_key(by_source);
        found.refuse_collisions(origin);
        let Gathered {
            mut survey,
            invalid,
            others,
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
        self.report_skipped(origin, &mut survey);
        survey.diagnostics.sort_by(|a, b| {
            let place = |d: &Diagnostic| d.place.as_ref().map(|place| (place.line, place.column));
            (&a.path, place(a)).cmp(&(&b.path, place(b)))
        });
        survey
    }

    fn report_skipped(&self, origin: &dyn Origin, survey: &mut Survey) {
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
            survey.diagnostics.push(diagnostic);
        }
    }
}
